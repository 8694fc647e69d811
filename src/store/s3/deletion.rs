//! The answer to a deletion of many keys, reconciled: each key must be in exactly one of Deleted and Errors.

use std::collections::HashMap;

use super::errors::{self, Attempt};
use super::xml::{self, Breach, Name};
use crate::domain::Key;
use crate::store::{BatchAnswer, DeleteAnswer, DeleteTarget, ErrorKind, Said};

/// One line of the answer.
#[derive(Debug, Default)]
struct Line {
    key: Option<String>,
    code: String,
    message: String,
}

/// Reads the answer and gives each of `targets` what it proves of that key.
///
/// # Errors
/// An answer that is not one whole `DeleteResult`.
pub(super) fn reconcile(body: &[u8], targets: &[DeleteTarget], attempt: &Attempt<'_>) -> Result<BatchAnswer, Breach> {
    let folds = attempt.at.folds_nfc;
    let mut positions: HashMap<Key, usize> = HashMap::with_capacity(targets.len());
    for (at, target) in targets.iter().enumerate() {
        positions.insert(identity(&target.key, folds), at);
    }
    let mut answers: Vec<Option<DeleteAnswer>> = vec![None; targets.len()];
    let mut alarm: Option<String> = None;
    let mut line = Line::default();
    xml::read(body, Name::DeleteResult, |path, text| match (path, text) {
        ([_, Name::Deleted | Name::Error, name], text) => line.take(*name, text),
        ([_, group @ (Name::Deleted | Name::Error)], _) => {
            let line = std::mem::take(&mut line);
            let key = Key::from(line.key.as_deref().ok_or_else(|| Breach::new("a line without a key"))?);
            let answer = match *group {
                // One status stands for the whole answer, which is read only if that was 200.
                Name::Deleted => DeleteAnswer::Deleted(Said { status: Some(200), code: None }),
                _ => line.refusal(&key, attempt),
            };
            match positions.get(&identity(&key, folds)).and_then(|&at| answers.get_mut(at)) {
                None => alarm = Some(format!("the answer names a key that was not asked for: {}", key.escaped())),
                Some(Some(_)) => alarm = Some(format!("the answer names a key twice: {}", key.escaped())),
                Some(slot) => *slot = Some(answer),
            }
            Ok(())
        }
        _ => Ok(()),
    })?;
    let proved = |answer: Option<DeleteAnswer>| match (&alarm, answer) {
        (None, Some(answer)) => answer,
        _ => DeleteAnswer::Unproven,
    };
    Ok(BatchAnswer { answers: answers.into_iter().map(proved).collect(), alarm: alarm.clone() })
}

/// What makes two keys one object in this store.
pub(super) fn identity(key: &Key, folds_nfc: bool) -> Key {
    if folds_nfc { key.nfc() } else { key.clone() }
}

impl Line {
    fn take(&mut self, name: Name, text: Option<&str>) -> Result<(), Breach> {
        let leaf = || text.ok_or_else(|| Breach::new(format!("elements within {name:?}")));
        match name {
            Name::Key if self.key.is_some() => return Err(Breach::new("two keys in one line")),
            Name::Key => self.key = Some(leaf()?.to_owned()),
            Name::Code => self.code = leaf()?.trim().to_owned(),
            Name::Message => self.message = leaf()?.trim().to_owned(),
            _ => {}
        }
        Ok(())
    }

    fn refusal(&self, key: &Key, attempt: &Attempt<'_>) -> DeleteAnswer {
        // A line has no status of its own; 0 leaves the meaning to the code.
        let kind = errors::meaning(0, &self.code, &self.message);
        if kind == ErrorKind::NotFound {
            return DeleteAnswer::Absent;
        }
        DeleteAnswer::Refused(attempt.refused_key(kind, key, &self.code, &self.message))
    }
}
