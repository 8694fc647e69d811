//! Journeys through the real state, views and jobs on the embedded bucket: only the terminal is a picture in memory, and
//! the keys are text.

mod accepting;
mod kept;
mod runs;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::desk::Desk;
use crate::app::keymap::Keymap;
use crate::app::state::{Audit, View};
use crate::app::{Event, State};
use crate::cli::args::GlobalFlags;
use crate::cli::session::Session;
use crate::demo::{Demo, DemoOptions, start};
use crate::domain::plan::PlanKind;
use crate::domain::progress::Completeness;
use crate::domain::trash::{TRASH, place};
use crate::domain::{Key, Plan, Verdict};
use crate::journal::record::{Record, SCHEMA};
use crate::journal::{Journal, plan_file};
use crate::store::SharedStore;
use crate::ui::theme::{Glyphs, Look, Theme};

/// Longer than anything here takes, so that a test that waits in vain ends.
const PATIENCE: Duration = Duration::from_secs(120);

struct Journey {
    desk: Desk<TestBackend>,
    session: Arc<Session>,
    _demo: Demo,
    _state: tempfile::TempDir,
}

fn desk(session: &Arc<Session>) -> Desk<TestBackend> {
    let look = Look { theme: Theme::named("auto", None).expect("a theme"), glyphs: Glyphs::UNICODE };
    let terminal = Terminal::new(TestBackend::new(80, 24)).expect("a terminal");
    Desk::new(Arc::clone(session), terminal, Keymap::built_in(), look)
}

impl Journey {
    async fn begin() -> Self {
        Self::begin_with(|store| store).await
    }

    /// A journey on a store that somebody put something in front of.
    async fn begin_with(wrap: impl FnOnce(SharedStore) -> SharedStore) -> Self {
        let demo = start(DemoOptions { objects: 1000, ..DemoOptions::default() }).await.expect("a demo");
        let mut session = Session::of_demo(&demo, &GlobalFlags::default()).await.expect("a session");
        let state = tempfile::tempdir().expect("a folder");
        session.state = state.path().to_owned();
        session.store = wrap(session.store);
        let session = Arc::new(session);
        let mut journey = Self { desk: desk(&session), session, _demo: demo, _state: state };
        journey.until("everything is judged", |state| state.bucket.audit == Audit::Done).await;
        journey
    }

    /// The console closed and opened anew.
    async fn again(mut self) -> Self {
        self.desk = desk(&self.session);
        self.until("everything is judged", |state| state.bucket.audit == Audit::Done).await;
        self
    }

    fn press(&mut self, keys: &str) {
        self.desk.press(keys).expect("keys");
    }

    /// Takes in what the jobs say until `done`.
    async fn until(&mut self, what: &str, done: impl Fn(&State) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !done(&self.desk.state) {
                let event = self.desk.next_job().await.expect("a job that speaks");
                self.desk.take_jobs(event);
            }
        });
        let in_time = waited.await.is_ok();
        assert!(in_time, "waited in vain until {what}:\n{}", self.screen());
    }

    fn screen(&mut self) -> String {
        self.desk.draw().expect("a frame");
        self.desk.backend().to_string()
    }

    /// What the bucket holds, asked of the bucket itself.
    async fn listed(&self) -> BTreeSet<Key> {
        let (inventory, report) = self.session.list(b"").await;
        assert_eq!(report.completeness, Completeness::Complete);
        (0..inventory.len()).map(|index| inventory.key(index)).collect()
    }

    fn keys(&self, wanted: impl Fn(u32) -> bool) -> BTreeSet<Key> {
        let inventory = &self.desk.state.bucket.inventory;
        (0..inventory.len()).filter(|index| wanted(*index)).map(|index| inventory.key(index)).collect()
    }

    /// Marks every orphan of project 1, and plans it.
    async fn plan_project_1(&mut self) -> BTreeSet<Key> {
        self.press(":audio/proj_1/<enter>A");
        let state = &self.desk.state;
        let marked = self.keys(|index| state.marks.selection.is_marked(index));
        self.press("d");
        self.until("the plan is made", |state| state.planning.plan.is_some() && !state.planning.pending).await;
        marked
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_orphans_of_one_project_are_found_planned_confirmed_deleted_and_proved_gone() {
    let mut journey = Journey::begin().await;
    let before = journey.listed().await;
    let planned = journey.plan_project_1().await;
    assert!(planned.len() > 5, "{planned:?}");
    let of_project = |key: &Key| key.escaped().to_string().contains("proj_1");
    assert!(planned.iter().all(|key| of_project(key) && !key.escaped().to_string().contains("proj_10")), "{planned:?}");

    journey.press("T");
    journey.until("the plan is for good", |state| planned_kind(state) == Some(PlanKind::Delete)).await;
    journey.press("D");
    let screen = journey.screen();
    let text = journey.desk.state.planning.plan.as_ref().map(|plan| plan.confirmation()).expect("a plan");
    assert!(screen.contains("permanent") && screen.contains(&text), "{screen}");
    journey.press(&text);
    journey.press("<enter>");
    journey.until("the run has ended", |state| state.run.as_ref().is_some_and(|run| run.has_ended())).await;
    let screen = journey.screen();
    assert!(screen.contains("success") && screen.contains("proved gone"), "{screen}");

    let expected: BTreeSet<Key> = before.difference(&planned).cloned().collect();
    assert_eq!(journey.listed().await, expected, "exactly the plan is gone");
    let state = &journey.desk.state;
    assert_eq!(journey.keys(|index| !state.bucket.inventory.is_gone(index)), expected, "the tree shows what is left");
    assert!(state.marks.selection.is_empty());
    journey.press("r");
    journey.until("it is judged again", |state| state.bucket.audit == Audit::Done && !state.is_scanning()).await;
    let state = &journey.desk.state;
    let project_1 = state.bucket.assessment.as_ref().map_or(0, |assessment| {
        let project = (0..assessment.projects()).find(|at| assessment.project_id(*at).to_string() == "1");
        project.map_or(0, |project| assessment.project_totals(project).of(Verdict::Orphaned).objects)
    });
    assert_eq!(project_1, 0);
}

/// What the plan on the screen is for, once it is made.
fn planned_kind(state: &State) -> Option<PlanKind> {
    state.planning.plan.as_ref().filter(|_| !state.planning.pending).map(|plan| plan.header.kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_goes_to_the_trash_unless_it_is_said_otherwise() {
    let mut journey = Journey::begin().await;
    let before = journey.listed().await;
    let planned = journey.plan_project_1().await;
    assert_eq!(planned_kind(&journey.desk.state), Some(PlanKind::Trash));
    for kind in [PlanKind::Delete, PlanKind::Trash] {
        journey.press("T");
        journey.until("the plan is made anew", |state| planned_kind(state) == Some(kind)).await;
    }
    journey.press("D");
    let screen = journey.screen();
    assert!(screen.contains("Move to the trash") && !screen.contains("permanent"), "{screen}");
    let text = journey.desk.state.planning.plan.as_ref().map(|plan| plan.confirmation()).expect("a plan");
    journey.press(&text);
    journey.press("<enter>");
    journey.until("the run has ended", |state| state.run.as_ref().is_some_and(|run| run.has_ended())).await;
    let run = journey.desk.state.run.as_ref().map(|run| run.id.clone());
    let run = run.expect("a run");
    let moved = planned.iter().map(|key| place(&run, key));
    let expected: BTreeSet<Key> = before.difference(&planned).cloned().chain(moved).collect();
    assert_eq!(journey.listed().await, expected);

    journey
        .until("the trash is on the screen", |state| {
            let inventory = &state.bucket.inventory;
            inventory.range(TRASH.as_bytes()).len() > 0 && state.bucket.audit == Audit::Done
        })
        .await;
    let state = &journey.desk.state;
    assert_eq!(journey.keys(|index| !state.bucket.inventory.is_gone(index)), expected, "nobody pressed r");
    assert!(state.bucket.assessment.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_run_is_told_at_the_start_comes_before_any_other_and_is_gone_on_with() {
    const RUN: &str = "01930000-0000-7000-8000-00000000000a";
    let mut journey = Journey::begin().await;
    let before = journey.listed().await;
    let planned = journey.plan_project_1().await;
    let plan = journey.desk.state.planning.plan.clone().expect("a plan");
    // The run of another process, which died when its first request was about to be sent.
    leave_unfinished(&journey.session, RUN, &plan);
    journey.press("D");
    journey.press(&plan.confirmation());
    journey.press("<enter>");
    journey.until("the run is refused", |state| state.failure.is_some()).await;
    let why = journey.desk.state.failure.as_ref().map(|failure| failure.why.clone()).expect("a reason");
    assert!(why.contains(&format!("bucketree resume {RUN}")), "{why}");
    assert_eq!(journey.listed().await, before);

    let mut journey = journey.again().await;
    journey.until("the unfinished run is told", |state| state.unfinished.is_some()).await;
    journey.press("5");
    assert!(journey.screen().contains("is unfinished; R goes on with it"), "{}", journey.screen());
    journey.press("R");
    assert!(journey.screen().contains("It goes on with run"), "{}", journey.screen());
    journey.press("<esc>");
    assert!(journey.desk.state.run.is_none(), "leaving the dialog goes on with nothing");
    journey.press("R");
    journey.press(&plan.confirmation());
    journey.press("<enter>");
    journey.until("the run has ended", |state| state.run.as_ref().is_some_and(|run| run.has_ended())).await;
    let run = journey.desk.state.run.as_ref().expect("a run");
    assert_eq!((run.id.as_str(), run.report.as_ref().map(|report| report.is_success())), (RUN, Some(true)));
    let moved = planned.iter().map(|key| place(RUN, key));
    assert_eq!(journey.listed().await, before.difference(&planned).cloned().chain(moved).collect());
    journey.press("R");
    assert!(journey.screen().contains("every run on this bucket came to its end"), "{}", journey.screen());
}

fn leave_unfinished(session: &Session, run: &str, plan: &Plan) {
    let mut journal = Journal::create(&session.runs(), run, &plan_file::write(plan)).expect("a journal");
    let (header, planned) = (&plan.header, plan.rows.len() as u32);
    let at = || header.created_at.to_string();
    let record = Record::Started {
        schema: SCHEMA,
        at: at(),
        run: run.into(),
        plan: header.id.clone(),
        digest: header.digest.clone(),
        endpoint: header.endpoint.clone(),
        bucket: header.bucket.clone(),
        planned: planned.into(),
        operator: "someone".into(),
        tool: header.tool.clone(),
        keep_rows: false,
    };
    journal.append(&record).expect("a record");
    journal.append(&Record::Intent { at: at(), batch: 1, rows: (0..planned).collect() }).expect("a record");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_54_leaving_the_dialog_pasting_and_the_wrong_text_delete_nothing() {
    let mut journey = Journey::begin().await;
    let before = journey.listed().await;
    journey.plan_project_1().await;
    let text = journey.desk.state.planning.plan.as_ref().map(|plan| plan.confirmation()).expect("a plan");
    journey.press("D<esc>D<enter>wrong<enter>");
    journey.desk.take(Event::Paste(text));
    journey.press("<enter><esc>");
    assert!(journey.desk.state.run.is_none());
    assert_eq!(journey.listed().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_views_agree_on_what_a_filter_lets_through() {
    let mut journey = Journey::begin().await;
    journey.press("/verdict:orphaned flag:double-prefixed<enter>");
    journey.until("the filter is answered", |state| !state.filter.pending && state.filter.matches.is_some()).await;
    let state = &journey.desk.state;
    let matches = state.filter.matches.as_ref().expect("matches");
    let found = matches.subset.members().len() as u64;
    let in_projects: u64 = matches.gathered.projects.roots().iter().map(|group| group.tally.objects).sum();
    assert!(found > 0);
    assert_eq!(in_projects, found);
    let screen = journey.screen();
    assert!(screen.contains(&format!("{found} of 1,000 loaded")), "{screen}");
    journey.press("3<esc>");
    assert_eq!(journey.desk.state.browse.view, View::Findings);
    assert!(journey.desk.state.filter.matches.is_none());
}
