//! Every registry on a server passes the suite of all registries, and what only servers can do wrong. Real servers are named
//! by environment variables, each with an address; without its variable a server's checks are reported as ignored, never as
//! passed. `tests/servers` starts such servers.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod audits;
mod failures;
mod fixture;
#[cfg(feature = "mongodb")]
mod mongodb;
mod partial;
mod row_values;
mod server;
mod values;

#[path = "../common/cutting_proxy.rs"]
mod cutting_proxy;
#[path = "../common/program.rs"]
mod program;

/// The suite of every adapter, which the library runs over files and SQLite.
#[path = "../../src/registry/conformance/mod.rs"]
mod conformance;

// By these names the suite finds the port.
use bucketree::{domain, registry};
use registry::{Registry, RegistryError, SharedRegistry};

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, RwLock};

use libtest_mimic::{Arguments, Completion, Trial};
use server::Kind;
use server::Server;

/// A check of one server.
pub type Check = fn(Arc<Server>) -> Pin<Box<dyn Future<Output = ()>>>;

/// Makes a table of checks from names of async functions.
macro_rules! checks {
    ($($module:ident::$name:ident),* $(,)?) => {
        &[$((stringify!($name), (|server| Box::pin($module::$name(server))) as Check)),*]
    };
}

const CHECKS: &[(&str, Check)] = checks![
    fixture::conforms,
    fixture::conforms_with_keys_as_bytes,
    values::ids_and_keys_of_every_type,
    values::a_row_that_is_not_as_expected_names_its_table_and_number,
    values::what_is_not_there_is_named_and_never_assumed,
    values::own_queries_and_places_in_schemas,
    values::references_are_found_however_they_are_written,
    values::a_missing_index_on_keys_is_noticed,
    row_values::every_type_of_value_is_put_back_as_it_was,
    failures::a_wrong_password_or_place_is_told_and_never_repeated,
    failures::encryption_that_is_asked_for_is_not_given_up,
    failures::one_missing_permission_stops_all,
    failures::a_reading_that_is_cut_off_anywhere_is_no_reading,
    failures::a_silent_server_is_given_up,
    failures::a_server_that_is_killed_leaves_all_or_nothing,
    failures::statements_have_an_end,
    failures::a_reading_sees_one_moment_and_writes_nothing,
    partial::a_query_that_leaves_rows_out_is_refused,
    partial::rows_that_policies_hide_are_not_taken_for_gone,
    partial::a_table_without_snapshots_is_refused_unless_it_is_accepted,
    audits::the_same_facts_give_the_same_audit,
    audits::a_database_that_dies_while_it_is_read_makes_every_verdict_undetermined,
    audits::an_object_that_somebody_refers_to_meanwhile_is_kept,
    audits::a_database_that_dies_during_a_run_loses_no_row_and_no_live_object,
];

/// Checks that change the whole server, so that no other runs beside them.
const ALONE: &[(&str, Check)] = checks![
    failures::a_replica_is_refused_unless_it_is_accepted,
    partial::a_server_that_cuts_answers_short_is_read_whole,
];

/// Checks with this server alone.
fn trials(name: &'static str, kind: Kind, variable: &'static str) -> Vec<Trial> {
    let server = std::env::var(variable).ok().map(|address| Arc::new(Server::new(kind, address)));
    let turn = Arc::new(RwLock::new(()));
    let trial = |(check, function): &(&'static str, Check), alone: bool| {
        let (server, turn, function) = (server.clone(), Arc::clone(&turn), *function);
        Trial::ignorable_test(format!("{name}::{check}"), move || {
            let Some(server) = server else {
                return Ok(Completion::ignored_with(format!("{variable} is not set")));
            };
            // A check that failed says so itself.
            let guards = match alone {
                true => (Some(turn.write().unwrap_or_else(|poisoned| poisoned.into_inner())), None),
                false => (None, Some(turn.read().unwrap_or_else(|poisoned| poisoned.into_inner()))),
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(function(server));
            drop(guards);
            Ok(Completion::Completed)
        })
    };
    CHECKS.iter().map(|check| trial(check, false)).chain(ALONE.iter().map(|check| trial(check, true))).collect()
}

/// Checks of a server that speaks MongoDB's protocol.
#[cfg(feature = "mongodb")]
fn mongodb_trials() -> Vec<Trial> {
    const VARIABLE: &str = "BUCKETREE_TEST_MONGODB";
    let trial = |(check, function): &(&'static str, mongodb::Check)| {
        let function = *function;
        Trial::ignorable_test(format!("mongodb::{check}"), move || {
            let Ok(address) = std::env::var(VARIABLE) else {
                return Ok(Completion::ignored_with(format!("{VARIABLE} is not set")));
            };
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(function(address));
            Ok(Completion::Completed)
        })
    };
    mongodb::CHECKS.iter().map(trial).collect()
}

#[cfg(not(feature = "mongodb"))]
fn mongodb_trials() -> Vec<Trial> {
    Vec::new()
}

fn main() -> ExitCode {
    let mut all = trials("postgres", Kind::Postgres, "BUCKETREE_TEST_POSTGRES");
    all.extend(trials("mariadb", Kind::MariaDb, "BUCKETREE_TEST_MARIADB"));
    all.extend(mongodb_trials());
    libtest_mimic::run(&Arguments::from_args(), all).exit_code()
}
