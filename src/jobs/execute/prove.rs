//! After the last request: proof of what is gone.

use super::{Execution, Recorder};
use crate::domain::progress::{LogLevel, RunProgress, Verification};
use crate::jobs::verify::{self, Proof};
use crate::journal::record;

/// Proves the outcomes that say "gone", and writes down what was found. Where nothing can be written down any more,
/// nothing is asked either.
pub async fn verify(execution: &Execution, recorder: &Recorder) -> Proof {
    if recorder.is_blind() {
        let why = "the journal could not be written; the run is unfinished".into();
        return Proof { verification: Verification::Inconclusive(why), ..Proof::default() };
    }
    let rows = recorder.gone_rows();
    let total = rows.len() as u64;
    recorder.log(LogLevel::Info, format!("verification: looking for {total} keys that should be gone")).await;
    let objects: Vec<_> = rows.iter().map(|&row| &execution.plan.rows[row as usize].object).collect();
    let told = |done| recorder.show(RunProgress::Verifying { done, total });
    let proof = verify::prove(execution.store.as_ref(), &objects, told).await;
    let (level, text) = match &proof.verification {
        Verification::Passed => (LogLevel::Info, format!("verification passed: {total} keys are proved gone")),
        Verification::StillThere(count) => {
            (LogLevel::Error, format!("verification failed: {count} keys are still there"))
        }
        Verification::Inconclusive(why) => (LogLevel::Error, format!("verification is inconclusive: {why}")),
    };
    recorder.log(level, text).await;
    for key in &proof.recreated {
        let text = format!("{} was written again since; the new object was not touched", key.escaped());
        recorder.log(LogLevel::Warning, text).await;
    }
    let _ = recorder.write(record::verified(recorder.at(), &proof.verification)).await; // stands in the report
    proof
}
