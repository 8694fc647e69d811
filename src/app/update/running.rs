//! A run while it goes on, and the log.

use super::{Effects, jobs, runs};
use crate::app::action::Action;
use crate::app::effect::{Effect, ExitReason};
use crate::app::gather::item;
use crate::app::groups::{Finding, GroupId};
use crate::app::log::as_text;
use crate::app::run::{Problem, Run, Unfinished};
use crate::app::state::{Level, Quitting, Scan, State};
use crate::domain::inventory::ObjectIndex;
use crate::domain::progress::{Failure, LogLevel, LogLine, RunProgress, RunReport};
use crate::domain::{Key, Outcome};

/// One end of a key: the row of the plan, how, why.
type End = (u32, Outcome, Option<String>);

pub(super) fn progress(state: &mut State, progress: RunProgress) -> Effects {
    let now = state.now;
    let Some(run) = &mut state.run else { return Effects::new() };
    match progress {
        RunProgress::Started { run: id, .. } => {
            run.id = id;
            run.since = now;
        }
        RunProgress::Concurrency(requests) => run.concurrency = requests,
        RunProgress::Verifying { done, total } => run.verifying = Some((done, total)),
        RunProgress::Log(line) => state.log.push(line),
        RunProgress::Outcomes(ends) => ended(state, ends),
        RunProgress::Finished(report) => return finished(state, *report),
    }
    Effects::new()
}

/// Some keys have ended: what is gone leaves the tree, the totals and the marks; what failed stays marked.
fn ended(state: &mut State, ends: Vec<End>) {
    let Some(run) = &mut state.run else { return };
    let mut gone: Vec<ObjectIndex> = Vec::new();
    let mut kept: Vec<ObjectIndex> = Vec::new();
    for (row, outcome, why) in ends {
        let Some(planned) = run.plan.rows.get(row as usize) else { continue };
        run.counts.add(outcome);
        let object = state.bucket.inventory.find(planned.object.key.as_bytes());
        if outcome.is_gone() {
            run.bytes_gone = run.bytes_gone.saturating_add(planned.object.size);
            gone.extend(object);
        } else if outcome.is_failure() {
            run.problems.insert(planned.object.key.clone(), Problem { outcome, why });
        } else {
            kept.extend(object);
        }
    }
    gone.sort_unstable();
    forget(state, &gone);
    state.set_marks(kept, false);
}

/// Objects proved gone count no more anywhere.
fn forget(state: &mut State, gone: &[ObjectIndex]) {
    if gone.is_empty() {
        return;
    }
    if let Some(assessment) = &state.bucket.assessment {
        let inventory = &state.bucket.inventory;
        for object in gone.iter().copied().filter(|object| !inventory.is_gone(*object)) {
            let item = item(inventory, assessment, object);
            let project = Some(assessment.project(object).map(|project| assessment.project_id(project).clone()));
            let of_project = GroupId { finding: None, project: project.clone() };
            let filtered =
                state.filter.matches.as_mut().map(|matches| (&mut matches.gathered, matches.subset.contains(object)));
            let all = (&mut state.browse.gathered, true);
            for (gathered, _) in std::iter::once(all).chain(filtered).filter(|(_, holds)| *holds) {
                gathered.projects.forget(&of_project, &item);
                for finding in Finding::ALL.into_iter().filter(|finding| finding.holds(item.verdict, item.flags)) {
                    gathered.findings.forget(&GroupId { finding: Some(finding), project: project.clone() }, &item);
                }
            }
        }
    }
    state.marks.selection.forget(gone, &state.bucket.inventory);
    state.marks.extents.clear();
    state.planning.outdated = true;
    if let Some(matches) = &mut state.filter.matches {
        matches.subset.forget(gone);
    }
    if let Some(assessment) = &mut state.bucket.assessment {
        assessment.forget(gone, &state.bucket.inventory);
    }
    state.bucket.inventory.forget(gone);
}

fn finished(state: &mut State, report: RunReport) -> Effects {
    let success = report.is_success();
    if let Some(run) = &mut state.run {
        run.until = Some(state.now);
        run.report = Some(report);
    }
    let text = state.run.as_ref().and_then(Run::verdict).unwrap_or_default();
    state.say(if success { Level::Info } else { Level::Error }, text);
    end(state)
}

/// An earlier run did not come to its end. The oldest is the one to go on with: no other plan is carried out before it.
pub(super) fn unfinished(state: &mut State, unfinished: Unfinished) -> Effects {
    state.say(Level::Warning, unfinished.text.clone());
    if let Some(at) = state.clock {
        let (run, text) = (unfinished.run.to_string(), unfinished.text.clone());
        state.log.push(LogLine { at, level: LogLevel::Warning, run, text });
    }
    if unfinished.plan.is_some() {
        state.unfinished.get_or_insert(unfinished);
    }
    Effects::new()
}

/// Says something in the status line, and in the log, where it stays.
pub(super) fn note(state: &mut State, level: LogLevel, text: String) {
    if let Some(at) = state.clock {
        state.log.push(LogLine { at, level, run: String::new(), text: text.clone() });
    }
    let level = match level {
        LogLevel::Info => Level::Info,
        LogLevel::Warning => Level::Warning,
        LogLevel::Error => Level::Error,
    };
    state.say(level, text);
}

/// The run could not begin, or broke down: what it did is in its journal.
pub(super) fn failed(state: &mut State, failure: Failure) -> Effects {
    let id = state.run.as_ref().map(|run| run.id.clone()).unwrap_or_default();
    if let Some(at) = state.clock {
        state.log.push(LogLine { at, level: LogLevel::Error, run: id, text: failure.to_string() });
    }
    if let Some(run) = &mut state.run {
        run.until = Some(state.now);
        run.failure = Some(failure.clone());
    }
    state.say(Level::Error, failure.to_string());
    state.failure = Some(failure);
    end(state)
}

fn end(state: &mut State) -> Effects {
    if let Quitting::AfterRun(reason) = state.quitting {
        return vec![Effect::Quit(reason)];
    }
    let mut effects = jobs::gather(state);
    effects.extend(runs::read_again(state));
    // What came back from the trash is not in the listing that is on the screen.
    let restored = state.run.as_ref().is_some_and(|run| run.counts.of(Outcome::Restored) > 0);
    if restored && state.failure.is_none() && !state.is_scanning() {
        effects.extend(jobs::list_again(state));
    } else {
        effects.extend(show_trash(state));
    }
    effects
}

/// What was moved to the trash is in the bucket, and not yet on the screen. The rest need not be listed for that.
fn show_trash(state: &mut State) -> Effects {
    let moved = state.run.as_ref().is_some_and(|run| run.counts.of(Outcome::Trashed) > 0);
    state.bucket.trash_moved |= moved;
    if !state.bucket.trash_moved || !matches!(state.bucket.scan, Scan::Complete(_)) {
        return Effects::new();
    }
    let ticket = state.ticket();
    state.bucket.trash_ticket = ticket;
    vec![Effect::ListTrash { ticket }]
}

/// Objects of a run that failed and are still listed.
pub(super) fn still_there(state: &State, run: &Run) -> Vec<ObjectIndex> {
    let inventory = &state.bucket.inventory;
    let find = |key: &Key| inventory.find(key.as_bytes()).filter(|object| !inventory.is_gone(*object));
    run.problems.keys().filter_map(find).collect()
}

/// Stops after the batches in flight.
pub(super) fn stop(state: &mut State) -> Effects {
    match &mut state.run {
        Some(run) if !run.has_ended() && !run.stopping => {
            run.stopping = true;
            if !matches!(state.quitting, Quitting::AfterRun(ExitReason::Quit | ExitReason::Interrupted)) {
                state.say(Level::Warning, "stopping after the batches in flight");
            }
            vec![Effect::StopRun]
        }
        Some(run) if !run.has_ended() => {
            state.say(Level::Info, "it is stopping already; a delete in flight is never abandoned");
            Effects::new()
        }
        _ => {
            state.say(Level::Info, "no run is going on");
            Effects::new()
        }
    }
}

pub(super) fn log_action(state: &mut State, action: Action) -> Effects {
    if action == Action::Follow {
        let follow = !state.log.follows();
        state.log.set_follow(follow);
        return Effects::new();
    }
    match state.log.line(state.log.cursor()).map(as_text) {
        Some(text) => {
            state.say(Level::Info, "line copied");
            vec![Effect::Copy(text)]
        }
        None => Effects::new(),
    }
}

pub(super) fn move_in_log(state: &mut State, action: Action) -> Effects {
    let page = isize::try_from(state.rows_height().max(2) - 1).unwrap_or(1);
    match action {
        Action::Down => state.log.move_by(1),
        Action::Up => state.log.move_by(-1),
        Action::HalfDown => state.log.move_by(page / 2),
        Action::HalfUp => state.log.move_by(-(page / 2)),
        Action::PageDown => state.log.move_by(page),
        Action::PageUp => state.log.move_by(-page),
        Action::Top => state.log.move_by(isize::MIN / 2),
        Action::Bottom => state.log.move_by(isize::MAX),
        _ => {}
    }
    Effects::new()
}
