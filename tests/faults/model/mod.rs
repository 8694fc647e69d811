//! Runs against an oracle. A case is a random bucket with a random registry; a plan of one of the four kinds; runs that are
//! hit by random faults, among random writers of bucket and registry, killed at random moments and taken up again, by any
//! executor; at last an undisturbed end. The oracle sits between the program and the bucket, sees every request and every
//! change, and holds each against what is promised:
//!
//! - I1: nothing outside of the plan is deleted, nothing is written but a copy to its place;
//! - I2: no object is deleted that is not the one that was planned. Where the store honours conditions, never; where it does
//!   not, only if it changed after the last look that this very process took before the request;
//! - I3: the outcome of every key is what happened to it, and none is left unknown or out;
//! - I4: no tracking row of an object that exists is removed, unless the object came after the last look;
//! - and beside the matrix's own: no request to delete is sent, for the first time or again, without a look at the object
//!   and a question to the registry since the last one; nothing is deleted that the registry called alive when it was
//!   asked; a move deletes nothing before there is a good copy.
//!
//! The fifth invariant, the terminal, is for the tests with a terminal.
//!
//! A case is made from its number alone. `BUCKETREE_MODEL_CASES=100000` runs so many of each kind instead of a few;
//! a case that fails names itself, and `BUCKETREE_MODEL_CASE=1234` runs just that one.

mod dice;
mod history;
mod lives;
mod registry;
mod scenery;
mod store;
mod verdicts;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bucketree::domain::plan::PlanKind;

/// As many as a debug build does in about five seconds.
const CASES: u64 = 120;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Runs the cases of one kind; the first one that breaks a promise fails the test.
fn check(kind: PlanKind, name: &str) {
    let cases = match number("BUCKETREE_MODEL_CASE") {
        Some(one) => one..one + 1,
        None => 0..number("BUCKETREE_MODEL_CASES").unwrap_or(CASES),
    };
    let mut tally = lives::Tally::default();
    for case in cases {
        let broken = catch_unwind(AssertUnwindSafe(|| lives::case(kind, case, &mut tally)));
        let repeat = format!("BUCKETREE_MODEL_CASE={case} cargo test --test faults model::{name}");
        match broken {
            Ok(Ok(())) => {}
            Ok(Err(why)) => panic!("case {case}: {why}\n{repeat}"),
            Err(panic) => {
                println!("case {case} panicked\n{repeat}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{name}: {tally:?}");
    if number("BUCKETREE_MODEL_CASE").is_none() {
        tally.assert_worth_it();
    }
}

#[test]
fn deleting_keeps_every_promise() {
    check(PlanKind::Delete, "deleting");
}

#[test]
fn moving_to_the_trash_keeps_every_promise() {
    check(PlanKind::Trash, "moving");
}

#[test]
fn restoring_keeps_every_promise() {
    check(PlanKind::Restore, "restoring");
}

#[test]
fn emptying_the_trash_keeps_every_promise() {
    check(PlanKind::EmptyTrash, "emptying");
}
