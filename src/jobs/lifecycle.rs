//! A rule of the bucket by which the store itself empties the trash after a while. All other rules stay as they are.

use crate::domain::trash::TRASH;
use crate::store::lifecycle::LifecycleRule;
use crate::store::{ErrorKind, ObjectStore, StoreError};

/// The name of the one rule that is this program's.
pub const RULE: &str = "bucketree-trash";

/// The rules now, and as they would be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Every rule of the bucket.
    pub now: Vec<LifecycleRule>,
    /// Every rule with the one for the trash.
    pub then: Vec<LifecycleRule>,
}

impl Change {
    /// The rule for the trash as it is now.
    pub fn own(&self) -> Option<&LifecycleRule> {
        self.now.iter().find(|rule| rule.id() == RULE)
    }

    /// Whether nothing would change.
    pub fn is_done(&self) -> bool {
        same(&self.now, &self.then)
    }
}

/// What would be written so that the trash empties itself so many days after an object came there.
///
/// # Errors
/// [`StoreError`]; also if a rule of somebody else has the name of this program's.
pub async fn plan(store: &dyn ObjectStore, days: u32) -> Result<Change, StoreError> {
    let now = store.lifecycle().await?;
    let own = LifecycleRule::expire(RULE, TRASH, days);
    let foreign = now.iter().find(|rule| rule.id() == RULE && !rule.element().contains(&format!(">{TRASH}<")));
    if let Some(rule) = foreign {
        let why = format!("a rule is called {RULE} and is not for the trash; it is left as it is: {}", rule.element());
        return Err(StoreError::new(ErrorKind::Invalid, why));
    }
    let others = now.iter().filter(|rule| rule.id() != RULE).cloned();
    let then = others.chain([own]).collect();
    Ok(Change { now, then })
}

/// Writes the rules, and reads them again: the one for the trash must be there, and every other one as it was.
///
/// # Errors
/// [`StoreError`]; with [`ErrorKind::Malformed`] the store took the rules and has others now, which are in the message.
pub async fn set(store: &dyn ObjectStore, change: &Change) -> Result<(), StoreError> {
    // Nothing holds the rules between reading and writing; whoever changed them meanwhile is not written over.
    if !same(&store.lifecycle().await?, &change.now) {
        let why = "the rules were changed by somebody else meanwhile; nothing was written";
        return Err(StoreError::new(ErrorKind::PreconditionFailed, why));
    }
    store.set_lifecycle(&change.then).await?;
    let found = store.lifecycle().await?;
    match same(&found, &change.then) {
        true => Ok(()),
        false => {
            let found: Vec<&str> = found.iter().map(LifecycleRule::element).collect();
            let why = format!("the store has other rules now than were written: {}", found.join(" "));
            Err(StoreError::new(ErrorKind::Malformed, why))
        }
    }
}

/// Whether these are the same rules, in any order.
fn same(a: &[LifecycleRule], b: &[LifecycleRule]) -> bool {
    a.len() == b.len() && a.iter().all(|rule| b.iter().any(|other| rule.means(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn the_rule_for_the_trash_is_added_and_changed_and_others_stay() {
        let store = MemoryStore::new("b");
        let other = LifecycleRule::expire("theirs", "logs/", 7);
        store.set_lifecycle(std::slice::from_ref(&other)).await.expect("set");
        for days in [30, 90] {
            let change = plan(&store, days).await.expect("a plan");
            assert!(!change.is_done());
            set(&store, &change).await.expect("set");
            let expected = [other.clone(), LifecycleRule::expire(RULE, TRASH, days)];
            assert_eq!(store.lifecycle().await.expect("rules"), expected);
            assert!(plan(&store, days).await.expect("a plan").is_done());
        }
    }

    #[tokio::test]
    async fn a_rule_of_somebody_else_is_never_replaced() {
        let store = MemoryStore::new("b");
        store.set_lifecycle(&[LifecycleRule::expire(RULE, "users/", 7)]).await.expect("set");
        assert_eq!(plan(&store, 30).await.map_err(|error| error.kind), Err(ErrorKind::Invalid));
        store.set_lifecycle(&[]).await.expect("set");
        let change = plan(&store, 30).await.expect("a plan");
        let late = LifecycleRule::expire("theirs", "logs/", 7);
        store.set_lifecycle(std::slice::from_ref(&late)).await.expect("set");
        assert_eq!(set(&store, &change).await.map_err(|error| error.kind), Err(ErrorKind::PreconditionFailed));
        assert_eq!(store.lifecycle().await.expect("rules"), [late]);
    }
}
