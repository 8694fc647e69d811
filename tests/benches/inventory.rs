//! Memory and speed of the inventory, its folders, marks and verdict columns, against their budgets.
//!
//! `cargo bench --bench inventory -- 100000 1000000 10000000`; without numbers, one hundred thousand objects.
//! Every line ends with what was measured in proportion to the budget, where there is one: below 1.00 is within it.

use std::fmt::Display;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bucketree::domain::assessment::{Assessment, AssessmentBuilder};
use bucketree::domain::folders::{Child, KeySpace, SortKey, Subset, first_child, next_child, sorted_children};
use bucketree::domain::selection::Selection;
use bucketree::domain::{ETag, Flags, IdRules, Inventory, Key, Object, ProjectId, StorageClass, Timestamp, Verdict};

const ROWS_ON_SCREEN: usize = 60;
const FRAME: Duration = Duration::from_millis(8);
const BYTES_PER_OBJECT: f64 = 100.0;

fn main() {
    let mut sizes: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes.push(100_000);
    }
    for size in sizes {
        tree_of_projects(size);
        one_flat_folder(size);
    }
}

/// A scrambled number, the same in every run.
fn scrambled(n: u64) -> u64 {
    let mixed = (n ^ n >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ mixed >> 32
}

/// An id that looks drawn by lot and still grows with `n`.
fn growing_id(n: u32) -> u64 {
    u64::from(n) << 32 | scrambled(u64::from(n)) >> 32
}

fn object(n: u32, key: String) -> Object {
    let n = u64::from(n);
    Object {
        key: Key::new(key),
        size: scrambled(n) >> 38,
        etag: ETag::new(&format!("{:016x}{:016x}", scrambled(n), scrambled(!n))),
        last_modified: Some(Timestamp(1_700_000_000_000 + (scrambled(n + 7) >> 28) as i64)),
        storage_class: StorageClass::default(),
    }
}

fn canonical_key(n: u32) -> String {
    let (user, project, scene) = (n / 4000, n / 80, n / 4 % 20);
    let kind = ["audio", "media", "thumbnails", "video"][(n % 4) as usize];
    format!("users/u{user:05}/projects/proj_{:016x}/scenes/{scene:04}/{kind}/take.mp4", growing_id(project))
}

/// Prints one line; `budget` in the same unit as `measured`.
fn report(what: impl Display, measured: f64, unit: &str, budget: Option<f64>) {
    let share = budget.map_or(String::new(), |budget| format!("{:>8.2} of the budget", measured / budget));
    println!("  {what:<58} {measured:>12.3} {unit:<10} {share}");
}

fn micros(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1e6
}

fn millis(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1e3
}

/// The middle and the 99th hundredth of many repetitions. The second is what the budget is about, but on a busy machine it
/// measures the neighbours.
fn repeat(what: &str, times: u32, budget: Option<Duration>, mut step: impl FnMut(u32)) {
    let mut taken: Vec<Duration> = (0..times)
        .map(|round| {
            let start = Instant::now();
            step(round);
            start.elapsed()
        })
        .collect();
    taken.sort_unstable();
    let (middle, late) = (taken[taken.len() / 2], taken[(taken.len() * 99 / 100).min(taken.len() - 1)]);
    report(format!("{what}, p50"), micros(middle), "us", None);
    report(format!("{what}, p99"), micros(late), "us", budget.map(micros));
}

fn once<T>(what: &str, unit_count: Option<u32>, step: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let made = step();
    let elapsed = start.elapsed();
    report(what, millis(elapsed), "ms", None);
    if let Some(count) = unit_count {
        report(format!("{what}, each"), elapsed.as_secs_f64() * 1e9 / f64::from(count), "ns", None);
    }
    made
}

fn build(size: u32, key: impl Fn(u32) -> String) -> Inventory {
    let mut inventory = Inventory::new();
    let mut elapsed = Duration::ZERO;
    let mut key_bytes = 0;
    let mut from = 0;
    while from < size {
        let page: Vec<Object> = (from..size.min(from + 1000)).map(|n| object(n, key(n))).collect();
        key_bytes += page.iter().map(|object| object.key.as_bytes().len()).sum::<usize>();
        from += page.len() as u32;
        let start = Instant::now();
        for object in page {
            if let Err(problem) = inventory.push(object) {
                println!("  not built: {problem}");
                return inventory;
            }
        }
        elapsed += start.elapsed();
    }
    report("mean length of a key", key_bytes as f64 / f64::from(size), "B", None);
    report("append, each", elapsed.as_secs_f64() * 1e9 / f64::from(size), "ns", Some(3000.0));
    let per_object = inventory.memory_bytes() as f64 / f64::from(size);
    report("memory of the inventory", per_object, "B/object", Some(BYTES_PER_OBJECT));
    inventory
}

fn tree_of_projects(size: u32) {
    println!("{size} objects in folders of projects");
    let mut inventory = build(size, canonical_key);
    let mut assessment = once("assess", Some(size), || assess(&inventory));
    let together = (inventory.memory_bytes() + assessment.memory_bytes()) as f64 / f64::from(size);
    report("memory with verdicts", together, "B/object", Some(BYTES_PER_OBJECT));

    let at = |round: u32| (scrambled(u64::from(round)) % u64::from(size)) as u32;
    let span = |round: u32| at(round).min(at(round + 1))..at(round).max(at(round + 1));
    repeat("find a key", 10_000, None, |round| {
        black_box(inventory.find(canonical_key(at(round)).as_bytes()));
    });
    repeat("totals of a range", 10_000, None, |round| {
        black_box(inventory.totals(span(round)));
    });
    repeat("verdict totals of a range", 10_000, None, |round| {
        black_box(assessment.totals(span(round)));
    });
    repeat("snapshot", 1000, None, |_| {
        black_box(inventory.clone());
    });
    once("read every key in order", Some(size), || {
        let mut bytes = 0;
        inventory.scan(0..size, |_, key, _| bytes += key.len());
        black_box(bytes)
    });

    let mut selection = Selection::default();
    once("mark everything", Some(size), || selection.set(&inventory, 0..size, true, |_| true));
    once("unmark two of three", Some(size), || selection.set(&inventory, 0..size, false, |index| index % 3 != 0));
    let third = once("filter a third", None, || Subset::new(&inventory, selection.iter()));
    for folder in ["", "users/"] {
        let prefix = folder.as_bytes();
        screen(&format!("screen of \"{folder}\""), &inventory, prefix, &assessment, &selection);
        screen(&format!("screen of \"{folder}\", filtered"), &third, prefix, &assessment, &selection);
    }
    repeat("screen of a project somewhere", 200, Some(FRAME), |round| {
        let key = canonical_key(at(round));
        let scenes = key.find("/scenes/").map_or("", |slash| &key[..slash + 8]);
        black_box(draw(&inventory, scenes.as_bytes(), 0, &assessment, &selection));
    });

    let batch: Vec<u32> = (0..1000).map(|round| at(round * 5)).collect();
    let snapshot = inventory.clone();
    once("forget a thousand", None, || {
        inventory.forget(&batch);
        assessment.forget(&batch, &inventory);
        selection.forget(&batch, &inventory);
    });
    drop(snapshot);
}

fn one_flat_folder(size: u32) {
    println!("{size} objects in one folder");
    let key = |n: u32| format!("proj_{:016x}_{:016x}_narration_take.mp3", growing_id(n / 8), growing_id(n));
    let inventory = build(size, key);
    let assessment = Assessment::default();
    let selection = Selection::default();
    screen("screen of the folder", &inventory, b"", &assessment, &selection);
    let sorted = once("sort by size", Some(size), || sorted_children(&inventory, b"", SortKey::Size, true, &|| false));
    let Some(sorted) = sorted else { return };
    report("memory of the order", sorted.memory_bytes() as f64 / f64::from(size), "B/row", Some(12.0));
    repeat("screen of the folder by size", 200, Some(FRAME), |round| {
        let from = (scrambled(u64::from(round)) % u64::from(size)) as u32;
        for rank in from..from + ROWS_ON_SCREEN as u32 {
            let Some(child) = sorted.get(&inventory, rank) else { continue };
            black_box((sorted.rank_of(&child), inventory.totals(child.range())));
        }
    });
}

/// Draws screens that begin all over a folder.
fn screen(what: &str, space: &impl KeySpace, prefix: &[u8], assessment: &Assessment, selection: &Selection) {
    let range = space.range(prefix);
    repeat(what, 200, Some(FRAME), |round| {
        let at = range.start + (scrambled(u64::from(round)) % (range.len() as u64).max(1)) as u32;
        black_box(draw(space, prefix, at, assessment, selection));
    });
}

/// Gathers what one screen of rows shows: name, totals, verdicts and marks of each.
fn draw(
    space: &impl KeySpace,
    prefix: &[u8],
    from: u32,
    assessment: &Assessment,
    selection: &Selection,
) -> (usize, u64) {
    let mut row = match from {
        0 => first_child(space, prefix),
        at => bucketree::domain::folders::child_at(space, prefix, at),
    };
    let (mut rows, mut shown) = (0, 0);
    let mut key = Vec::new();
    while let Some(child) = row.filter(|_| rows < ROWS_ON_SCREEN) {
        let range = child.range();
        if let Child::Object { at } = &child {
            space.key_into(*at, &mut key);
        }
        let objects = space.object_at(range.start)..space.object_at(range.end - 1) + 1;
        shown += space.totals(range.clone()).objects + assessment.totals(objects).all().objects;
        black_box(selection.extent_in(space, range));
        rows += 1;
        row = next_child(space, prefix, &child);
    }
    (rows, shown)
}

fn assess(inventory: &Inventory) -> Assessment {
    let ids = IdRules::default();
    let projects: Vec<ProjectId> =
        (0..1000).filter_map(|n: u32| ids.canonical(n.to_string().as_bytes())).map(|spelled| spelled.project).collect();
    let mut builder = AssessmentBuilder::new(inventory);
    inventory.scan(0..inventory.len(), |index, _, fields| {
        let verdict = Verdict::ALL[index as usize / 80 % Verdict::ALL.len()];
        builder.push(verdict, Flags(index as u8 & 31), projects.get(index as usize / 80 % 1000), fields.size);
    });
    builder.finish()
}
