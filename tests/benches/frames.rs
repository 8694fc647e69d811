//! How long a frame takes, from the key to the finished picture, with everything open: against 8 ms at the 99th percentile.
//!
//! `cargo bench --bench frames [-- OBJECTS...]`; 100,000 and 1,000,000 objects if none are named.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench fails by panicking")]

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bucketree::app::event::Assessed;
use bucketree::app::gather::gather;
use bucketree::app::keymap::Keymap;
use bucketree::app::order::Order;
use bucketree::app::state::Audit;
use bucketree::app::stroke::Stroke;
use bucketree::app::{Effect, Event, Session, State, start, update};
use bucketree::domain::facts::{FactsBuilder, RegistryRow, RegistryState};
use bucketree::domain::judge::{Judge, Policy, Trust, classify};
use bucketree::domain::layout::Layouts;
use bucketree::domain::progress::{Completeness, RegistryReport, ScanProgress, ScanReport};
use bucketree::domain::{ETag, IdRules, Key, Object, StorageClass, Timestamp};
use bucketree::ui::draw;
use bucketree::ui::theme::{Glyphs, Look, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const BUDGET: Duration = Duration::from_millis(8);
const SIZE: (u16, u16) = (120, 50);
const NOW: Timestamp = Timestamp(1_795_255_200_000);

/// Keys that are pressed over and over: single steps, pages, jumps to either end and into the middle, marks, orders.
const KEYS: &str = "jjjjjjjj<c-d><c-d><c-u>kkGkkkgJJ]]][}}{<pgdn><pgdn><space><space>x<tab><tab>hlGg";

/// How the keys are made.
type Shape = fn(u64) -> String;

fn main() {
    let counts: Vec<u64> =
        std::env::args().skip(1).filter_map(|text| text.replace(['_', ','], "").parse().ok()).collect();
    let counts = if counts.is_empty() { vec![100_000, 1_000_000] } else { counts };
    println!(
        "{:>12}  {:<34} {:>9} {:>9} {:>9} {:>9}  p99 of the budget",
        "objects", "what", "p50", "p99", "worst", "on core"
    );
    for count in counts {
        let folders: Shape = |number| {
            format!(
                "projects/proj_{:07}/scenes/s{:03}/media/{:04}.mp4",
                number / 1000,
                number / 10 % 100,
                number % 10_000
            )
        };
        let flat: Shape = |number| format!("proj_{:09}_intro_media.mp4", number);
        let mut state = listed(count, folders);
        measure(&mut state, count, "folders, everything open", "E");
        measure(&mut state, count, "plain keys", "`");
        measure(&mut state, count, "projects, everything open", "2E");
        measure(&mut state, count, "findings, everything open", "3E");
        mark_all(&mut state, count);
        drop(state);
        let mut state = listed(count, flat);
        measure(&mut state, count, "one folder of all objects", "1");
    }
}

/// Time that this thread had a core, where Linux tells it, else the time on the wall. It is told in steps of some
/// milliseconds, so it is good for a mean: a busy machine stretches the other times and not this one.
fn on_core() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let strokes = Stroke::parse_all(keys).expect("keys");
    strokes.into_iter().flat_map(|stroke| update(state, Event::Key { key: stroke.event(), at: state.now })).collect()
}

fn look() -> Look {
    Look { theme: Theme::named("auto", None).expect("a theme"), glyphs: Glyphs::UNICODE }
}

fn measure(state: &mut State, count: u64, what: &str, keys: &str) {
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("a terminal");
    let look = look();
    press(state, keys);
    let mut times = Vec::new();
    let before = on_core();
    for _ in 0..20 {
        for stroke in Stroke::parse_all(KEYS).expect("keys") {
            let begun = Instant::now();
            update(state, Event::Key { key: stroke.event(), at: state.now });
            terminal.draw(|frame| draw(frame, state, &look)).expect("a frame");
            times.push(begun.elapsed());
        }
    }
    let mean = (on_core() - before) / times.len() as u32;
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let (p50, p99, worst) = (at(0.5), at(0.99), at(1.0));
    let ratio = p99.as_secs_f64() / BUDGET.as_secs_f64();
    println!("{count:>12}  {what:<34} {p50:>9.2?} {p99:>9.2?} {worst:>9.2?} {mean:>9.2?}  {ratio:.3}");
}

/// Marking every orphan there is, by one key.
fn mark_all(state: &mut State, count: u64) {
    press(state, "1`Cg");
    if !state.marks.selection.is_empty() {
        press(state, "U");
    }
    let begun = Instant::now();
    press(state, "a");
    let took = begun.elapsed();
    let marked = state.marks.selection.totals().objects;
    println!("{count:>12}  {:<34} {took:>9.2?}  ({marked} marked)", "mark all orphans");
    press(state, "U");
}

/// A bucket of `count` objects, listed and judged; every other project is alive.
fn listed(count: u64, shape: Shape) -> State {
    let mut state = State::new(Session::default(), Keymap::built_in(), SIZE);
    start(&mut state);
    let ticket = state.bucket.scan_ticket;
    let mut keys: Vec<String> = (0..count).map(shape).collect();
    keys.sort_unstable();
    keys.dedup();
    for page in keys.chunks(1000) {
        let objects = page.iter().map(|key| object(key)).collect();
        update(&mut state, Event::Scan(ticket, ScanProgress::Page(objects)));
    }
    let report = ScanReport {
        completeness: Completeness::Complete,
        server_time: Some(NOW),
        local_time: NOW,
        requests: 1,
        elapsed: Duration::ZERO,
    };
    update(&mut state, Event::Scan(ticket, ScanProgress::Finished(report.clone())));
    judge(&mut state, &report, count);
    assert_eq!(state.bucket.audit, Audit::Done);
    state
}

fn object(key: &str) -> Object {
    let size = key.bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))) % 10_000_000;
    Object {
        key: Key::new(key),
        size,
        etag: ETag::new(&format!("{size:032x}")),
        last_modified: Some(NOW.plus_seconds(-90 * 86_400)),
        storage_class: StorageClass::default(),
    }
}

fn judge(state: &mut State, scan: &ScanReport, count: u64) {
    let layouts = Layouts::autoshorts();
    let ids = IdRules { prefix: layouts.id_prefix().into(), fold_nfc: false };
    let inventory = state.bucket.inventory.clone();
    let mut facts = FactsBuilder::new(&inventory, &ids);
    for number in (0..count / 1000 + 1).step_by(2) {
        facts.row(RegistryRow::Project { id: format!("proj_{number:07}") });
    }
    let facts = facts.finish(RegistryReport { state: RegistryState::Usable, sources: Vec::new() });
    let policy = Policy { min_age_seconds: 7 * 86_400, ..Policy::default() };
    let judge = Judge::new(Arc::new(layouts), Arc::new(facts), policy, Trust::of(scan));
    let assessment = classify(&inventory, &judge, &|_| true);
    let gathered = gather(&inventory, &assessment, None, Order::default(), &|| false).expect("groups");
    let ticket = state.bucket.audit_ticket;
    update(state, Event::Assessed(ticket, Box::new(Assessed { assessment, judge, gathered })));
}
