//! Keeping a scan and opening it again, against its budget.
//!
//! `cargo bench --bench scans -- 1000000 10000000`; without numbers, one hundred thousand objects.

use std::path::Path;
use std::time::{Duration, Instant};

use bucketree::app::event::KeptListing;
use bucketree::app::keymap::Keymap;
use bucketree::app::{Event, Session, State, start, update};
use bucketree::domain::progress::{Completeness, ScanReport};
use bucketree::domain::{ETag, Inventory, Key, Object, StorageClass, Timestamp};
use bucketree::scans::{ScanHeader, read, write_new};
use bucketree::store::StoreIdentity;
use bucketree::ui::draw;
use bucketree::ui::theme::{Glyphs, Look, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// A million objects in a second.
const BUDGET_PER_OBJECT: Duration = Duration::from_micros(1);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sizes: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.push(100_000);
    }
    sizes.into_iter().try_for_each(keep_and_open)
}

/// A scrambled number, the same in every run.
fn scrambled(n: u64) -> u64 {
    let mixed = (n ^ n >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ mixed >> 32
}

fn object(n: u32) -> Object {
    let (user, project, scene) = (n / 4000, u64::from(n / 80), n / 4 % 20);
    let id = project << 32 | scrambled(project) >> 32;
    let kind = ["audio", "media", "thumbnails", "video"][(n % 4) as usize];
    let n = u64::from(n);
    Object {
        key: Key::new(format!("users/u{user:05}/projects/proj_{id:016x}/scenes/{scene:04}/{kind}/take.mp4")),
        size: scrambled(n) >> 38,
        etag: ETag::new(&format!("{:016x}{:016x}", scrambled(n), scrambled(!n))),
        last_modified: Some(Timestamp(1_700_000_000_000 + (scrambled(n + 7) >> 28) as i64)),
        storage_class: StorageClass::default(),
    }
}

fn keep_and_open(size: u32) -> Result<(), Box<dyn std::error::Error>> {
    println!("{size} objects");
    let mut inventory = Inventory::new();
    (0..size).try_for_each(|n| inventory.push(object(n)))?;
    let report = ScanReport {
        completeness: Completeness::Complete,
        server_time: None,
        local_time: Timestamp(0),
        requests: u64::from(size / 1000),
        elapsed: Duration::ZERO,
    };
    let header = ScanHeader::new(&StoreIdentity::default(), b"", &report, &inventory);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("scan.parquet");
    let begun = Instant::now();
    write_new(&path, &inventory, &header)?;
    println!("  keep {:>38.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    println!("  file {:>38.1} B/object", path.metadata()?.len() as f64 / f64::from(size));
    let mut taken = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let (_, found) = read(&path)?;
        taken.push(begun.elapsed());
        assert_eq!(found.alive(), u64::from(size));
    }
    tell("open, the middle of five", taken, size);
    let shown: Result<Vec<Duration>, _> = (0..5).map(|_| reopen(&path, size)).collect();
    tell("open until it is on the screen", shown?, size);
    Ok(())
}

fn tell(what: &str, mut taken: Vec<Duration>, size: u32) {
    taken.sort_unstable();
    let middle = taken[taken.len() / 2].as_secs_f64();
    let share = middle / (BUDGET_PER_OBJECT * size).as_secs_f64();
    println!("  {what:<33} {:>9.0} ms   {share:.2} of the budget", middle * 1e3);
}

/// As the console starts: the file is read, the state takes it in, the first frame with objects is drawn.
fn reopen(path: &Path, size: u32) -> Result<Duration, Box<dyn std::error::Error>> {
    let mut terminal = Terminal::new(TestBackend::new(120, 50))?;
    let look = Look { theme: Theme::named("auto", None)?, glyphs: Glyphs::UNICODE };
    let begun = Instant::now();
    let mut state = State::new(Session::default(), Keymap::built_in(), (120, 50));
    start(&mut state);
    let (header, inventory) = read(path)?;
    let listing = KeptListing { inventory, report: header.report() };
    let ticket = state.bucket.scan_ticket;
    update(&mut state, Event::Kept(ticket, Box::new(listing)));
    terminal.draw(|frame| draw(frame, &state, &look))?;
    let took = begun.elapsed();
    assert_eq!(state.bucket.inventory.alive(), u64::from(size));
    assert!(terminal.backend().to_string().contains("users/"), "no object is on the screen");
    Ok(took)
}
