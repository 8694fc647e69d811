//! `bucketree doctor`: is everything as it must be, and if not, how is it mended?

use std::path::Path;

use serde::Serialize;

use crate::app::number;
use crate::cli::args::DoctorArgs;
use crate::cli::connecting;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::SCHEMA;
use crate::cli::output::{Output, Tone};
use crate::cli::session::{self, Session};
use crate::config::{Inputs, Settings};
use crate::domain::capabilities::{Atomicity, Capability, Finding, Locking, Measured};
use crate::domain::facts::RegistryRow;
use crate::domain::progress::Failure;
use crate::jobs::lock::find;
use crate::jobs::place;
use crate::jobs::probe::{probe_reading, probe_ways};
use crate::journal::capabilities::CapabilityMemory;
use crate::journal::lock;

/// How one check ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    /// It works, and somebody should know this.
    Note,
    Failed,
}

/// One check.
#[derive(Serialize)]
struct Check {
    schema: u32,
    check: String,
    status: Status,
    seen: String,
    /// How to mend it; empty if there is nothing to mend.
    mend: String,
}

/// What was checked so far.
#[derive(Default)]
struct Doctor(Vec<Check>);

impl Doctor {
    fn add(&mut self, status: Status, check: &str, seen: impl ToString, mend: impl Into<String>) {
        self.0.push(Check { schema: SCHEMA, check: check.into(), status, seen: seen.to_string(), mend: mend.into() });
    }

    fn ok(&mut self, check: &str, seen: impl ToString) {
        self.add(Status::Ok, check, seen, "");
    }

    fn failed(&mut self, check: &str, failure: &Failure) {
        self.add(Status::Failed, check, &failure.why, failure.hint.clone());
    }

    fn stopped(&mut self, check: &str, stop: &Stop) {
        if let Stop::Failed(_, failure) = stop {
            self.failed(check, failure);
        }
    }
}

/// Checks everything and says how to mend what is wrong. Only `--probe` writes to the bucket, under its own prefix.
///
/// # Errors
/// If the output cannot be written; what is wrong is in the lines and in the exit code.
pub async fn run(inputs: &Inputs, args: &DoctorArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let mut doctor = Doctor::default();
    match session::settings(inputs) {
        Err(stop) => doctor.stopped("settings", &stop),
        Ok(settings) => {
            list_settings(&settings, &mut doctor);
            match Session::from_settings(settings, session::state_folder(inputs)?).await {
                Err(stop) => doctor.stopped("session", &stop),
                Ok(session) => examine(&session, args, &mut doctor).await,
            }
        }
    }
    print(&doctor, output)?;
    let failed = doctor.0.iter().any(|check| check.status == Status::Failed);
    Ok(if failed { ExitCode::Failed } else { ExitCode::Done })
}

fn list_settings(settings: &Settings, doctor: &mut Doctor) {
    for setting in settings.show() {
        if let (Some(value), Some(origin)) = (setting.value, setting.origin) {
            doctor.ok(&format!("setting {}", setting.key), format!("{value} ({origin})"));
        }
    }
    for warning in &settings.warnings {
        doctor.add(Status::Note, "settings", warning, "mend it where it was set");
    }
}

async fn examine(session: &Session, args: &DoctorArgs, doctor: &mut Doctor) {
    let layouts = session.layouts.iter().count();
    doctor.ok("layouts", format!("{layouts} layouts, hash {}", session.layouts.hash()));
    state_folder(&session.state, doctor);
    doctor.ok("bucket", place(session.store.identity()));
    let reachable = measure(session, args, doctor).await;
    registry(session, doctor).await;
    if reachable && !args.probe {
        remembered(session, doctor);
    }
    if reachable {
        locks(session, doctor).await;
    }
}

/// Who keeps others out of the bucket, and how.
async fn locks(session: &Session, doctor: &mut Doctor) {
    let here = session.store.identity();
    match (lock::holder(&session.runs(), &here.endpoint, &here.bucket), find(&*session.store, &session.clock).await) {
        (Some(owner), _) => {
            doctor.add(Status::Note, "lock", format!("a run is under way here: {owner}"), "wait for it")
        }
        (None, Err(error)) => doctor.add(Status::Failed, "lock", error, "give the key the permission to read objects"),
        (None, Ok(Some(found))) => {
            let mend = "wait for that run; if it is surely dead, --take-over-lock takes its lock after 10 minutes";
            doctor.add(Status::Note, "lock", format!("a run has the lock in the bucket: {found}"), mend);
        }
        (None, Ok(None)) => doctor.ok("lock", "no run is under way"),
    }
}

/// Whether journals can be written.
fn state_folder(state: &Path, doctor: &mut Doctor) {
    let file = state.join(format!("doctor.{}", std::process::id()));
    let tried = std::fs::create_dir_all(state)
        .and_then(|()| std::fs::write(&file, b"can this be written?"))
        .and_then(|()| std::fs::remove_file(&file));
    match tried {
        Ok(()) => doctor.ok("state folder", state.display()),
        Err(error) => {
            let mend =
                "make it writable, or name another one with BUCKETREE_STATE_DIR: without a journal nothing is deleted";
            doctor.add(Status::Failed, "state folder", format!("{}: {error}", state.display()), mend);
        }
    }
}

/// Asks the store; with `--probe` also what needs writing. Says whether it can be reached at all.
async fn measure(session: &Session, args: &DoctorArgs, doctor: &mut Doctor) -> bool {
    let mut measured = probe_reading(&*session.store, &session.clock).await;
    let reachable = measured.holds(Capability::List) == Some(true);
    if args.probe && reachable {
        let ways = match connecting::ways_to_measure(&session.settings).await {
            Ok(ways) => ways,
            Err(stop) => {
                doctor.stopped("bucket", &stop);
                return false;
            }
        };
        let (all, leftover) = probe_ways(&ways.as_ref(), &session.clock).await;
        measured = all;
        if let Some(leftover) = leftover {
            let mend = "remove what lies there by hand, or give the key the permission to delete";
            doctor.add(Status::Failed, "canary", leftover, mend);
        }
    }
    report(&measured, session, doctor);
    if args.probe && reachable {
        let memory = CapabilityMemory::in_directory(&session.state);
        if let Err(error) = memory.remember(&session.store.identity().name(), &measured) {
            doctor.add(Status::Failed, "capabilities", error, "make the state folder writable; nothing was remembered");
        }
        let now = session.clock.now();
        atomicity(Atomicity::of(Some(&measured), session.settings.executor.value, now), doctor);
        locking(Locking::of(Some(&measured), now), doctor);
    }
    reachable
}

/// What was measured earlier.
fn remembered(session: &Session, doctor: &mut Doctor) {
    match connecting::remembered(&session.state, session.store.identity()) {
        Err(error) => {
            doctor.add(Status::Failed, "capabilities", error, "remove that file and measure again with --probe")
        }
        Ok(None) => {}
        Ok(Some(measured)) => {
            let now = [Capability::List, Capability::Head, Capability::Clock];
            let findings = measured.findings.into_iter().filter(|finding| !now.contains(&finding.capability));
            report(&Measured { at: measured.at, findings: findings.collect() }, session, doctor);
        }
    }
    atomicity(session.deletes, doctor);
    locking(session.locking, doctor);
}

fn locking(locking: Locking, doctor: &mut Doctor) {
    match locking {
        Locking::Proved { .. } => doctor.ok("machines", locking),
        Locking::Disproved { .. } => doctor.add(Status::Note, "machines", locking, "clean up from one machine only"),
        Locking::Unmeasured => {
            doctor.add(Status::Note, "machines", locking, "measure with `bucketree doctor --probe`");
        }
    }
}

fn atomicity(deletes: Atomicity, doctor: &mut Doctor) {
    match deletes {
        Atomicity::Proved { .. } => doctor.ok("deletes", deletes),
        Atomicity::ProvedAlone { .. } => {
            doctor.add(Status::Note, "deletes", deletes, "set executor = \"single\", or apply with --via single");
        }
        Atomicity::Disproved { .. } => doctor.add(
            Status::Note,
            "deletes",
            deletes,
            "nothing can be done about it here; delete while the app does not write to the same keys",
        ),
        Atomicity::Unmeasured => {
            doctor.add(Status::Note, "deletes", deletes, "measure with `bucketree doctor --probe`");
        }
    }
}

fn report(measured: &Measured, session: &Session, doctor: &mut Doctor) {
    for finding in &measured.findings {
        let folds = session.settings.folds_nfc.value;
        let (status, mend) = match (finding.capability, finding.holds) {
            (Capability::FoldsNfc, Some(found)) if found != folds => {
                (Status::Failed, format!("set folds_nfc = {found} in the profile: keys would be compared wrongly"))
            }
            (Capability::FoldsNfc | Capability::NamesMissing | Capability::Quiet, _) => (Status::Ok, String::new()),
            (_, Some(true)) => (Status::Ok, String::new()),
            (capability, Some(false)) if capability.is_needed() => (Status::Failed, mend(capability).into()),
            (capability, _) => (Status::Note, mend(capability).into()),
        };
        doctor.add(status, &format!("store {}", finding.capability), seen(finding, measured), mend);
    }
}

fn seen(finding: &Finding, measured: &Measured) -> String {
    let word = match finding.holds {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    };
    format!("{word}: {} ({})", finding.seen, measured.at)
}

fn mend(capability: Capability) -> &'static str {
    match capability {
        Capability::List => {
            "check bucket, endpoint and credentials, and on R2 the jurisdiction; give the key the permission to list"
        }
        Capability::Head => {
            "give the key the permission to read objects, and to list: without it 403 hides what is missing"
        }
        Capability::Clock => "set this machine's clock; stores refuse requests that are 15 minutes off",
        Capability::Put => "give the key the permission to write, if trash and measuring are wanted",
        Capability::Delete => "give the key the permission to delete; on R2 also look for bucket locks",
        Capability::DeleteMany => {
            "the store may lack DeleteObjects, or want another checksum (Content-MD5); objects can go one by one"
        }
        Capability::WriteOnce => "the store cannot keep two writers apart by itself; only one machine should clean up",
        Capability::DeleteManyCrc32 => "Content-MD5 is used, which the store takes",
        Capability::DeleteIfTime | Capability::DeleteIfHttpTime => "only R2 is known to document this condition",
        Capability::DeleteIfMatch | Capability::DeleteManyIfMatch => {
            "each object is looked at just before it is deleted; delete while the app does not write to the same keys"
        }
        Capability::ExactKeys => "something between here and the store changes keys: check the endpoint and proxies",
        Capability::NamesMissing | Capability::FoldsNfc | Capability::Quiet => "",
    }
}

async fn registry(session: &Session, doctor: &mut Doctor) {
    if let Some(problem) = &session.registry_problem {
        return doctor.add(Status::Failed, "registry", problem, problem.mend());
    }
    let Some(registry) = &session.registry else {
        let mend = "give --registry; without one every verdict is undetermined";
        return doctor.add(Status::Note, "registry", "none is configured", mend);
    };
    for (name, how) in registry.sources() {
        if !how.is_empty() {
            doctor.ok("registry source", format!("{name}: {how}"));
        }
    }
    let mut live = 0u64;
    let read = registry.read(&mut |row| live += u64::from(matches!(row, RegistryRow::Project { .. }))).await;
    match read {
        Err(error) => doctor.add(Status::Failed, "registry", &error, error.mend()),
        Ok(source) if live == 0 => {
            doctor.add(
                Status::Failed,
                "registry",
                source.line(),
                "it has no live project: check table, query and database",
            );
        }
        Ok(source) => doctor.ok("registry", source.line()),
    }
    for advice in registry.advice().await {
        doctor.add(Status::Note, "registry speed", advice, "a run asks for the rows of its keys before each request");
    }
}

fn print(doctor: &Doctor, output: &mut Output) -> Result<(), Stop> {
    for check in &doctor.0 {
        if output.is_json() {
            output.json_line(check)?;
            continue;
        }
        let (tone, word) = match check.status {
            Status::Ok => (Tone::Good, "ok    "),
            Status::Note => (Tone::Notable, "note  "),
            Status::Failed => (Tone::Bad, "FAILED"),
        };
        let word = output.paint().tone(tone, word).to_string();
        output.line(format!("{word} {}: {}", check.check, check.seen))?;
        if !check.mend.is_empty() {
            output.line(format!("       {}", check.mend))?;
        }
    }
    if !output.is_json() {
        let count = |status| number::count(doctor.0.iter().filter(|check| check.status == status).count() as u64);
        let (failed, notes) = (count(Status::Failed), count(Status::Note));
        output.line(format!("{} checks, {failed} failed, {notes} to know", number::count(doctor.0.len() as u64)))?;
    }
    Ok(())
}
