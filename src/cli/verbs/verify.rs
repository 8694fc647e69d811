//! `bucketree verify RUN`: prove again that what a run deleted is gone.

use crate::app::number;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::Output;
use crate::cli::output::json::VerifyResult;
use crate::cli::session::Session;
use crate::domain::Key;
use crate::domain::progress::Verification;
use crate::jobs::place;
use crate::jobs::verify::{Proof, verify_run};
use crate::journal::JournalError;
use crate::journal::runs;

/// Looks for every object that the run said is gone.
///
/// # Errors
/// If the run cannot be read or is of another bucket.
pub async fn run(session: &Session, id: &str, output: &mut Output) -> Result<ExitCode, Stop> {
    let unreadable = |error: JournalError| super::runs::unreadable(id, &error);
    let past = runs::open(&session.runs(), id).map_err(unreadable)?;
    let plan = past.plan().map_err(unreadable)?;
    let here = session.store.identity();
    if (&plan.header.endpoint, &plan.header.bucket) != (&here.endpoint, &here.bucket) {
        let why = format!(
            "it is a run on bucket {:?} at {}, and this is {}",
            plan.header.bucket,
            plan.header.endpoint,
            place(here)
        );
        return Err(Stop::usage(
            format!("verify run {}", past.run),
            why,
            "choose its profile, or --endpoint and --bucket",
        ));
    }
    let proof = verify_run(&*session.store, &session.runs(), &past.run, |_, _| {}).await.map_err(unreadable)?;
    match output.is_json() {
        true => output.json_line(&VerifyResult::new(&past.run, &proof))?,
        false => print(&past.run, &proof, output)?,
    }
    match proof.verification {
        Verification::Passed => Ok(ExitCode::Done),
        Verification::StillThere(_) | Verification::Inconclusive(_) => Ok(ExitCode::Partly),
    }
}

fn print(run: &str, proof: &Proof, output: &mut Output) -> Result<(), Stop> {
    let gone = number::objects(proof.gone.len() as u64);
    match &proof.verification {
        Verification::Passed => output.line(format!("run {run}: verified: {gone} proved gone"))?,
        Verification::StillThere(count) => {
            output.line(format!(
                "run {run}: NOT verified: {} still there, {gone} proved gone",
                number::objects(*count)
            ))?;
        }
        Verification::Inconclusive(why) => {
            output.line(format!(
                "run {run}: NOT verified: nothing can be said of some keys: {why}; {gone} proved gone"
            ))?;
        }
    }
    let mut list = |word: &str, keys: &[Key]| -> Result<(), Stop> {
        for key in keys {
            output.bytes(format!("{word}\t").as_bytes())?;
            output.key(key.as_bytes())?;
            output.bytes(b"\n")?;
        }
        Ok(())
    };
    list("still-there", &proof.still_there)?;
    list("written-since", &proof.recreated)
}
