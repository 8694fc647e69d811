//! A picture of every state, at the size of a small terminal and of a large one. Colors are tested with the themes; here
//! the text has to say it all.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::draw;
use super::theme::{Glyphs, Look, Theme};
use crate::app::registry::samples::drift;
use crate::app::runs::{ProofProgress, samples};
use crate::app::testing::{NOW, Sim, object, registry};
use crate::app::{Effect, Event};
use crate::domain::facts::RegistryState;
use crate::domain::outcome::OutcomeCounts;
use crate::domain::plan::PlanKind;
use crate::domain::progress::{
    Failure, LogLevel, LogLine, RowsReport, RunProgress, RunReport, ScanProgress, Verification,
};
use crate::domain::requests::Requests;
use crate::domain::trash::place;
use crate::domain::{Key, Outcome};

fn look() -> Look {
    Look { theme: Theme::named("auto", None).expect("a theme"), glyphs: Glyphs::UNICODE }
}

fn painted(sim: &Sim, look: &Look) -> TestBackend {
    let (width, height) = sim.state.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| draw(frame, &sim.state, look)).expect("a frame");
    terminal.backend().clone()
}

/// The state that the keys lead to, drawn at both sizes.
fn check(name: &str, make: impl Fn((u16, u16)) -> Sim) {
    for size in [(80, 24), (160, 48)] {
        let sim = make(size);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), painted(&sim, &look()));
    }
}

fn after(keys: &str) -> impl Fn((u16, u16)) -> Sim + '_ {
    move |size| {
        let mut sim = Sim::new(size).loaded();
        sim.press(keys);
        sim
    }
}

fn failure() -> Failure {
    Failure {
        what: "list bucket \"media\" at 127.0.0.1:9000".into(),
        why: "the connection was refused".into(),
        hint: "is the server running? `bucketree doctor` checks every setting".into(),
    }
}

#[test]
fn folders() {
    check("folders", after("jjll"));
    check("object", after("]"));
    check("flat_by_size", after("`oj<enter>"));
    check("columns", after("MbE"));
}

#[test]
fn projects_findings_marks() {
    check("projects", after("2gl"));
    check("findings", after("3gljl"));
    check("marked", after("]A"));
    check("warned", after("<space>"));
}

#[test]
fn filters_menus_help() {
    check("filter_typed", after("/proj_1"));
    check("filter_set", after("/proj_1<enter>"));
    check("filter_wrong", after("/size:10"));
    check("filter_without_matches", after("/nothing<enter>"));
    check("sort_menu", after("oj"));
    check("help", after("?"));
    check("help_searched", after("?glob"));
}

#[test]
fn plan_and_confirmation() {
    check("no_plan", after("4"));
    check("plan", after("]Adjl"));
    check("plan_refused", after("E]<space>:projects/proj_young/scenes/intro/media/clip.mp4<enter><space>d"));
    check("confirm", after("]AdD"));
    check("confirm_wrong", after("]AdDmedia 4<enter>"));
    check("confirm_right", after("]AdDmedia 5"));
    check("plan_for_good", after("]AdTjl"));
    check("confirm_for_good", after("]AdTDmedia 5"));
}

fn line(text: &str, level: LogLevel) -> Event {
    let run = "01890000-0000-7000-8000-0000000000aa".to_owned();
    Event::Run(RunProgress::Log(LogLine { at: NOW, level, run, text: text.into() }))
}

fn running(size: (u16, u16)) -> Sim {
    let mut sim = Sim::new(size).loaded();
    sim.press("]AdTDmedia 5<enter>");
    let run = "01890000-0000-7000-8000-0000000000aa".to_owned();
    for progress in [
        RunProgress::Started { run, planned: 5 },
        RunProgress::Concurrency(4),
        RunProgress::Outcomes(vec![(0, Outcome::Deleted, None), (1, Outcome::Denied, Some("AccessDenied".into()))]),
    ] {
        sim.send(Event::Run(progress));
    }
    sim.send(line("batch 1: the store confirmed 1 deletion", LogLevel::Info));
    sim.send(line("proj_1_intro_media.mp4: denied: AccessDenied", LogLevel::Error));
    let at = sim.at() + std::time::Duration::from_secs(1);
    sim.send(Event::Tick { at, clock: NOW });
    sim
}

fn ended(size: (u16, u16), denied: bool) -> Sim {
    let mut sim = running(size);
    let rest = if denied { Outcome::Unknown } else { Outcome::Deleted };
    let ends = vec![(2, Outcome::Deleted, None), (3, Outcome::Deleted, None), (4, rest, None)];
    sim.send(Event::Run(RunProgress::Outcomes(ends)));
    let mut outcomes = OutcomeCounts::default();
    let first = if denied { Outcome::Denied } else { Outcome::Deleted };
    [Outcome::Deleted, first, Outcome::Deleted, Outcome::Deleted, rest].into_iter().for_each(|end| outcomes.add(end));
    let report = RunReport {
        run: "01890000-0000-7000-8000-0000000000aa".into(),
        planned: 5,
        outcomes,
        bytes_gone: 12_000,
        verification: Verification::Passed,
        rows: RowsReport::default(),
        cancelled: false,
        stopped: None,
        requests: Requests::default(),
        elapsed: std::time::Duration::from_secs(1),
    };
    sim.send(Event::Run(RunProgress::Finished(Box::new(report))));
    sim
}

#[test]
fn runs() {
    check("running", running);
    check("run_ended_badly", |size| ended(size, true));
    check("run_seen_from_the_folders", |size| {
        let mut sim = running(size);
        sim.press("1g");
        sim
    });
}

fn past_runs(keys: &str) -> impl Fn((u16, u16)) -> Sim + '_ {
    move |size| {
        let mut sim = Sim::new(size).loaded();
        sim.runs = samples::list();
        sim.press("6");
        sim.press(keys);
        sim
    }
}

#[test]
fn past_runs_are_listed_opened_and_acted_on() {
    check("no_runs", after("6"));
    check("past_runs", past_runs(""));
    check("past_run", past_runs("j<enter>jl"));
    check("past_run_key", past_runs("j<enter>jlj"));
    check("past_run_failures", past_runs("j<enter>!"));
    check("close_run", past_runs("c"));
    check("verifying", |size| {
        let mut sim = past_runs("jjj")(size);
        let asked = sim.press("v");
        let [Effect::Prove { ticket, .. }] = asked.as_slice() else { panic!("{asked:?}") };
        sim.send(Event::Proving(*ticket, ProofProgress::Done(20, 61)));
        sim
    });
}

fn drifted(keys: &str) -> impl Fn((u16, u16)) -> Sim + '_ {
    move |size| {
        let mut sim = Sim::new(size).loaded();
        sim.drift = Some(drift());
        sim.registry.sources[0].tracked = Some(9);
        sim.press("r7");
        sim.press(keys);
        sim
    }
}

fn with_registry(state: RegistryState, keys: &str) -> impl Fn((u16, u16)) -> Sim + '_ {
    move |size| {
        let mut sim = Sim::new(size);
        sim.registry = registry(state.clone());
        if state == RegistryState::Absent {
            sim.registry.sources.clear();
        }
        let mut sim = sim.loaded();
        sim.press(keys);
        sim
    }
}

#[test]
fn the_registry_is_shown_with_what_disagrees() {
    check("registry", drifted(""));
    check("registry_drift", drifted("jjlj"));
    check("registry_absent", with_registry(RegistryState::Absent, "7"));
    let reason = "projects.json has 60 projects and had 100 last time: 40.0 % fewer, and 20 % is the limit".to_owned();
    check("registry_shrunken", with_registry(RegistryState::Unusable(vec![reason.clone()]), "7"));
    check("accepting", with_registry(RegistryState::Unusable(vec![reason]), "7Sacc"));
}

#[test]
fn the_trash_is_a_place_of_its_own() {
    let run = "0192f000-0000-7000-8000-000000000001";
    check("trash", |size| {
        let keys = ["audio/proj_1/intro/narration.mp3", "proj_1_intro_media.mp4"];
        let moved = keys.map(|key| place(run, &Key::from(key)));
        let mut objects: Vec<_> = moved.iter().map(|key| object(key.as_bytes(), 1000, 2)).collect();
        objects.push(object(b"README.txt", 1, 100));
        let mut sim = Sim::of(objects, size).loaded();
        sim.press("gljl");
        sim
    });
}

/// A plan that takes out of the trash, on the screen.
fn from_trash(kind: PlanKind, keys: &str) -> impl Fn((u16, u16)) -> Sim + '_ {
    move |size| {
        let mut sim = Sim::new(size).loaded();
        let asked = sim.press("z");
        let [Effect::PlanRestore { ticket, .. }] = asked.as_slice() else { panic!("{asked:?}") };
        let plan = samples::plan(kind, ["audio/proj_1/intro/narration.mp3", "proj_1_intro_media.mp4"].into_iter());
        sim.send(Event::PlanReady(*ticket, Box::new(plan.into())));
        sim.press(keys);
        sim
    }
}

#[test]
fn what_comes_out_of_the_trash_is_planned_and_confirmed() {
    check("restore", from_trash(PlanKind::Restore, ""));
    check("confirm_restore", from_trash(PlanKind::Restore, "D"));
    check("confirm_empty_trash", from_trash(PlanKind::EmptyTrash, "Dmedia 2"));
    check("confirm_sequential", after("]AdD<tab><tab>"));
    check("nothing_to_restore", |size| {
        let mut sim = Sim::new(size).loaded();
        let asked = sim.press("z");
        let [Effect::PlanRestore { ticket, .. }] = asked.as_slice() else { panic!("{asked:?}") };
        let (run, by) = (samples::id(27), samples::id(26));
        let why = format!("already restored: run {run}, the last that moved objects to the trash, by run {by}");
        sim.send(Event::NoPlan(*ticket, why));
        sim
    });
    check("empty_trash", after("T"));
}

#[test]
fn success_is_said_only_of_a_success() {
    let text = |sim: &Sim| painted(sim, &look()).to_string();
    assert!(text(&ended((80, 24), false)).contains("success: 5 deleted"));
    let bad = text(&ended((80, 24), true));
    assert!(!bad.contains("✓ success") && bad.contains("not a success"), "{bad}");
}

#[test]
fn loading_empty_and_broken() {
    check("waiting_for_the_first_page", |size| {
        let mut sim = Sim::new(size);
        crate::app::start(&mut sim.state);
        sim
    });
    check("listing", |size| {
        let mut sim = Sim::new(size);
        crate::app::start(&mut sim.state);
        let page = sim.objects[..4].to_vec();
        let ticket = sim.state.bucket.scan_ticket;
        sim.send(Event::Scan(ticket, ScanProgress::Page(page)));
        sim.press("j");
        sim
    });
    check("empty_bucket", |size| Sim::of(Vec::new(), size).loaded());
    check("no_connection", |size| {
        let mut sim = Sim::of(Vec::new(), size);
        sim.incomplete = Some(failure());
        sim.loaded()
    });
    check("incomplete", |size| {
        let mut sim = Sim::new(size);
        sim.incomplete = Some(failure());
        sim.loaded()
    });
    check("no_registry", |size| {
        let mut sim = Sim::new(size);
        sim.registry = registry(RegistryState::Absent);
        sim.loaded()
    });
    check("registry_unusable", |size| {
        let mut sim = Sim::new(size);
        let reason = "projects.json has 60 projects, 40 % fewer than the 100 of last time".to_owned();
        sim.registry = registry(RegistryState::Unusable(vec![reason]));
        sim.loaded()
    });
}

#[test]
fn small_terminals_have_one_column_or_a_notice() {
    for (name, size) in [("narrow", (60, 16)), ("smallest", (40, 10)), ("too_small", (39, 9))] {
        insta::assert_snapshot!(name, painted(&after("jjl")(size), &look()));
    }
    insta::assert_snapshot!("narrow_details", painted(&after("]<tab>")((60, 16)), &look()));
}

#[test]
fn plain_terminals_get_plain_signs() {
    let look = Look { theme: Theme::named("mono", None).expect("a theme"), glyphs: Glyphs::ASCII };
    for keys in ["]A", "]AdD", "?", "3gl"] {
        let text = painted(&after(keys)((80, 24)), &look).to_string();
        assert!(text.is_ascii(), "{text}");
    }
    insta::assert_snapshot!("ascii", painted(&after("]A")((80, 24)), &look));
}

#[test]
fn no_key_can_steer_the_terminal() {
    let hostile: [&[u8]; 5] =
        [b"a\x1b]52;c;AAAA\x07", b"line\nfeed", "right\u{202e}left".as_bytes(), b"\xff\xfe", b"\x1b[2J/x"];
    let objects = hostile.iter().map(|key| object(key, 1, 100)).collect();
    for keys in ["jj", "E", "`", "3gE", "2gE", "a", "<space>d", "y", "Y"] {
        let mut sim = Sim::of(Vec::clone(&objects), (100, 30)).loaded();
        sim.press(keys);
        let screen = painted(&sim, &look()).to_string();
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!screen.contains(bad), "{keys}: {screen:?}");
    }
}
