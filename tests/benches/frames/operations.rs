//! What takes many objects at once: by one key, or by one answer of a job.

use std::sync::Arc;
use std::time::Duration;

use bucketree::app::Event;
use bucketree::app::run::Run;
use bucketree::domain::capabilities::Atomicity;
use bucketree::domain::guards::Caps;
use bucketree::domain::plan::{Plan, PlanHeader, PlanKind, PlanRow};
use bucketree::domain::progress::{RunProgress, ScanProgress};
use bucketree::domain::{Outcome, Verdict};

use super::world::{NOW, Shape, World, complete, pages};

/// How often each is done.
const TIMES: usize = 5;

/// Keys that are pressed over and over: single steps, pages, jumps to either end and into the middle, marks, orders.
const KEYS: &str = "jjjjjjjj<c-d><c-d><c-u>kkGkkkgJJ]]][}}{<pgdn><pgdn><space><space>x<tab><tab>hlGg";

/// Walking about, as a person does.
pub fn walk(world: &mut World, what: &str, keys: &str) {
    world.press(keys);
    for _ in 0..20 {
        world.timed(KEYS);
    }
    world.print(what);
}

/// One row: `before` brings about what is measured, which is `keys`.
fn each(world: &mut World, what: &str, before: &str, keys: &str) {
    for _ in 0..TIMES {
        world.press(before);
        world.timed(keys);
    }
    world.print(what);
}

/// Marks of everything at once, by folder, range and finding.
pub fn marks(world: &mut World) {
    world.press("1Cg");
    each(world, "mark all orphans", "U", "a");
    each(world, "take all marks away, and bring them back", "", "UU");
    each(world, "mark what is not marked", "", "i");
    world.press("U");
    each(world, "mark a folder of everything", "Ug", "<space>");
    each(world, "unmark a folder of everything", "ga", "gx");
    each(world, "mark a range of everything", "UEgv", "Gv");
    world.press("C3Cg");
    each(world, "mark a finding of half of everything", "Ug", "<space>");
    each(world, "a step with half of everything marked", "", "jk");
    each(world, "a mark with half of everything marked", "El", "j<space>");
    world.press("C2Cg");
    each(world, "a mark in projects, half is marked", "", "gl<space>");
    world.press("C1UgC");
}

/// The filter, and marks under it.
pub fn filter(world: &mut World) {
    world.press("1Cg");
    each(world, "filter: what half of the keys hold", "", "/3<enter>");
    each(world, "filter: what all keys hold", "", "/<c-u>o<enter>");
    world.press("gE");
    walk(world, "filtered, everything open", "");
    world.press("Cg");
    each(world, "mark all orphans that match", "U", "a");
    each(world, "mark what matches and is not marked", "", "i");
    each(world, "a jump to a finding, filtered", "g", "]]]G[");
    each(world, "leave the filter", "/o<enter>", "<esc>");
    world.press("U");
}

/// Other orders than that of the keys.
pub fn orders(world: &mut World, what: &str) {
    each(world, &format!("{what} by size"), "O", "oj<enter>");
    walk(world, &format!("{what} by size, open"), "");
    each(world, &format!("{what}: back to names"), "oj<enter>", "okk<enter>");
    world.press("ok<enter>");
    while !world.state.browse.order.is_natural() {
        world.press("ok<enter>");
    }
    if world.state.browse.order.reverse {
        world.press("O");
    }
}

/// Everything judged again while half of it is marked, and listed again.
pub fn again(world: &mut World, shape: Shape) {
    world.press("1Cga");
    for _ in 0..2 {
        let (ticket, assessed) = (world.state.bucket.audit_ticket, world.judged());
        world.take(Event::Assessed(ticket, Box::new(assessed)));
    }
    world.print("everything is judged again");
    world.press("r");
    for page in pages(world.count, shape) {
        let ticket = world.listing();
        world.take(Event::Scan(ticket, ScanProgress::Page(page)));
    }
    world.print("a page of a new listing");
    let ticket = world.listing();
    let effects = world.take(Event::Scan(ticket, ScanProgress::Finished(complete())));
    world.answer_all(effects);
    world.print("a new listing in the place of the old");
    world.press("U");
}

/// A plan of many objects: it is refused, and still looked at. More rows than this have no place in the memory of a small
/// machine beside everything else.
pub fn plans(world: &mut World) {
    world.press("1CgU");
    let many = world.count.min(1_000_000) as u32 / 2;
    world.state.marks.selection.set(&world.state.bucket.inventory, 0..many, true, |_| true);
    each(world, &format!("a plan of {many} objects"), "1", "d");
    each(world, "a step in that plan, everything open", "4E", "jjGk");
    world.press("1U");
}

/// A run takes objects out all over the bucket, a thousand at a time.
pub fn deletions(world: &mut World) {
    let rows = (world.count / 2).min(50_000);
    let step = world.count / rows;
    // Every answer is about objects all over the bucket, as it is where a project's objects lie in many folders.
    let inventory = &world.state.bucket.inventory;
    let rows: Vec<PlanRow> = (0..rows).map(|row| planned(world, (row * step) as u32)).collect();
    let plan = plan(rows, inventory.alive());
    world.state.run = Some(Run::new(Arc::new(plan), Duration::ZERO));
    let planned = world.state.run.as_ref().map_or(0, |run| run.planned()) as u32;
    let stride = (planned / 1000).max(1);
    for first in 0..stride {
        let ends = (first..planned).step_by(stride as usize).map(|row| (row, Outcome::Deleted, None)).collect();
        world.take(Event::Run(RunProgress::Outcomes(ends)));
    }
    world.print("a thousand objects all over are deleted");
}

pub fn planned(world: &World, index: u32) -> PlanRow {
    PlanRow {
        object: world.state.bucket.inventory.object(index),
        verdict: Verdict::Orphaned,
        flags: Default::default(),
        project: None,
        because: "its project is gone".into(),
        readings: Vec::new(),
        claims: Vec::new(),
        destination: None,
    }
}

pub fn plan(rows: Vec<PlanRow>, bucket_objects: u64) -> Plan {
    let header = PlanHeader {
        id: "01890000-0000-7000-8000-000000000001".into(),
        kind: PlanKind::Delete,
        endpoint: String::new(),
        account: None,
        bucket: String::new(),
        layouts: String::new(),
        sources: Vec::new(),
        bucket_objects,
        whole: false,
        scanned_at: Some(NOW),
        created_at: NOW,
        expires_at: NOW.plus_seconds(3600),
        min_age_seconds: 0,
        caps: Caps::default(),
        deletes: Atomicity::Unmeasured,
        guards: Vec::new(),
        tool: String::new(),
        digest: String::new(),
    };
    Plan { header, rows }
}
