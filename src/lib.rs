//! bucketree shows a bucket as a tree, finds the objects that no project owns, and removes them so that it can be
//! proved afterwards what was done. This page is the map of the code, in reading order.
//!
//! ```text
//! domain    pure: keys, layouts, inventory, verdicts, selection, plans, outcomes; no IO, so nothing here can fail on the world
//! store     the port to a bucket, its adapters (S3, memory), wrappers around any of them, and one conformance suite
//! registry  the port to what the app knows (projects, tracked keys), its adapters (file, SQL, MongoDB), one conformance suite
//! scans     complete listings that are kept in files, and read back whole or not at all
//! journal   what is written down: plan files and the append-only record of each run
//! jobs      the long work over the ports: list, audit, draft, execute, resume, move, verify, probe; no terminal, no arguments
//! app       pure: State, Event, Action, Effect and update; the keymap is the one table of verbs and keys
//! ui        views: functions of &State
//! config    where every setting comes from, and what it is
//! demo      a real S3 server in this process, filled with sample data, and a registry beside it
//! cli       the verbs of the command line, the terminal loop, exit codes
//! ```
//!
//! Arrows, checked by `tests/architecture.rs`; everything that is not listed is forbidden:
//!
//! ```text
//! main -> cli -> { app, ui, jobs, store, registry, scans, journal, config, demo, domain }
//! ui   -> { app, domain }             jobs -> { store, registry, journal, domain }
//! app  -> domain                      store, registry, journal, config -> domain
//! scans -> { store, domain }          demo -> domain                      domain -> nothing
//! ```
//!
//! One action, end to end: a key press becomes an [`app::Event`](app), the keymap turns it into an `Action`, `update`
//! changes the `State` and returns `Effect`s, the loop in [`cli`] hands them to [`jobs`], and jobs send
//! [`domain::progress`] facts back as events. The headless verbs call the same jobs with a printing sink: one path
//! deletes, two paths watch.
//!
//! What is deliberately absent: an object of the bucket is never deleted outside of a plan (what `doctor --probe` and
//! the lock of a run delete, they wrote themselves, under a prefix of their own); nothing is said to be deleted that
//! neither an answer nor a second look proved; no code above a port looks at a status code; no view does IO.

pub mod domain;

pub mod store;

pub mod registry;

pub mod scans;

pub mod journal;

pub mod jobs;

pub mod app;

pub mod ui;

pub mod config;

pub mod demo;

pub mod cli;
