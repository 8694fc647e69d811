//! The dialog in which a plan is confirmed: what would be done, to what, how, and whether it can be undone.

use ratatui::Frame;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::dialog;
use super::text::{safe, wrap};
use super::theme::Look;
use crate::app::action::Action;
use crate::app::confirm::{Confirmation, Taking};
use crate::app::keymap::Context;
use crate::app::number;
use crate::app::state::{Scan, State};
use crate::domain::plan::{Plan, PlanKind, PlanSums};

/// The words of a kind of plan.
struct Words {
    title: &'static str,
    does: &'static str,
    /// What comes of it, and whether it can be undone.
    then: &'static str,
    /// What the last key does.
    now: &'static str,
}

fn words(kind: PlanKind) -> Words {
    match kind {
        PlanKind::Trash => Words {
            title: "Move to the trash",
            does: "moves",
            then: "They go to .bucketree/trash/; z or `bucketree restore` brings them back. T in the plan deletes for good.",
            now: "Enter moves them now, Esc leaves",
        },
        PlanKind::Delete => Words {
            title: "Delete for good",
            does: "deletes",
            then: "It is permanent. R2 keeps no versions and has no undo; nobody can bring them back.",
            now: "Enter deletes now, Esc leaves",
        },
        PlanKind::Restore => Words {
            title: "Restore from the trash",
            does: "brings back",
            then: "Each is copied to where it was, the copy verified, and only then taken out of the trash. Where an object \
                   is now, nothing is written over: that key stays in the trash.",
            now: "Enter brings them back now, Esc leaves",
        },
        PlanKind::Backfill => Words {
            title: "Record in the registry",
            does: "records",
            then: "Each gets a row of what its key and the store tell. Nothing of the bucket is changed.",
            now: "Enter records them now, Esc leaves",
        },
        PlanKind::Prune => Words {
            title: "Remove rows from the registry",
            does: "removes the rows of",
            then: "Each is asked for once more; what is there keeps its row. The rows are written to the run's folder \
                   first. Nothing of the bucket is changed.",
            now: "Enter removes the rows now, Esc leaves",
        },
        PlanKind::EmptyTrash => Words {
            title: "Empty the trash",
            does: "deletes",
            then: "It is permanent. What is deleted from the trash cannot be restored; nobody can bring it back.",
            now: "Enter deletes now, Esc leaves",
        },
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, confirmation: &Confirmation, state: &State, look: &Look) {
    let plan = confirmation.plan();
    let words = words(plan.header.kind);
    let title = match confirmation.taking() {
        Taking::Close(_) => "Close a run",
        _ => words.title,
    };
    let inside = dialog(frame, title, 72, 20, look);
    let mut said = Said { cells: usize::from(inside.width), lines: Vec::new() };
    what(&mut said, confirmation, &words, state, look);
    if !matches!(confirmation.taking(), Taking::Close(_)) {
        let style = if is_final(plan) { look.theme.danger } else { look.theme.info };
        said.put(words.then, style);
    }
    if !plan.header.kind.is_from_trash() {
        said.put(&groups(confirmation.sums()), Style::new());
        said.put(&capital(&plan.header.deletes.to_string()), look.theme.dim);
        said.put(&listed(state), look.theme.dim);
    }
    via(&mut said, confirmation, state);
    said.put("", Style::new());
    said.put(&format!("To confirm, type:  {}", safe(&plan.confirmation())), look.theme.key);
    let style = if confirmation.matches() { look.theme.info } else { Style::new() };
    said.lines.push(Line::from(vec![
        Span::styled("> ", look.theme.key),
        Span::styled(safe(confirmation.input().text()), style),
        Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
    ]));
    last(&mut said, confirmation, &words, look);
    frame.render_widget(Paragraph::new(said.lines), inside);
}

/// Lines that are wrapped to the dialog.
struct Said {
    cells: usize,
    lines: Vec<Line<'static>>,
}

impl Said {
    fn put(&mut self, text: &str, style: Style) {
        self.lines.extend(wrap(text, self.cells).into_iter().map(|part| Line::from(Span::styled(part, style))));
    }
}

fn what(said: &mut Said, confirmation: &Confirmation, words: &Words, state: &State, look: &Look) {
    let plan = confirmation.plan();
    let total = confirmation.sums().total;
    let objects = format!("{}, {}", number::objects(total.objects), number::bytes(total.bytes));
    let bucket = safe(&plan.header.bucket);
    let text = match confirmation.taking() {
        Taking::Close(_) => format!("This closes a run of {objects} on bucket {bucket}"),
        _ if plan.header.kind.is_from_trash() => {
            format!("This {} {objects} in the trash of bucket {bucket}", words.does)
        }
        _ => format!("This {} {objects} of bucket {bucket}", words.does),
    };
    said.put(&text, look.theme.title);
    said.put(&format!("at {} (profile {}).", safe(&state.session.host), safe(&state.session.profile)), Style::new());
    match confirmation.taking() {
        Taking::Anew => {}
        Taking::GoOn(run) => {
            let text =
                format!("It goes on with run {run}: what it did already stays done, everything else is asked again.");
            said.put(&text, Style::new());
        }
        Taking::Close(run) => {
            let text = format!(
                "Run {run} sends nothing more: what became of each key that was sent is looked up and written down, and \
                 what was never sent stays where it is."
            );
            said.put(&text, Style::new());
        }
    }
    said.put("", Style::new());
}

/// Whether nobody can bring back what the plan deletes.
fn is_final(plan: &Plan) -> bool {
    matches!(plan.header.kind, PlanKind::Delete | PlanKind::EmptyTrash)
}

fn listed(state: &State) -> String {
    match (&state.bucket.scan, state.server_now()) {
        (Scan::Complete(report), Some(now)) => match report.server_time {
            Some(at) => format!("Listed {} ago.", number::seconds(now.seconds_since(at))),
            None => String::new(),
        },
        _ => String::new(),
    }
}

/// How the deletions reach the store, and the key that chooses another way.
fn via(said: &mut Said, confirmation: &Confirmation, state: &State) {
    if matches!(confirmation.taking(), Taking::Close(_)) {
        return;
    }
    let via = confirmation.via();
    let key = state.keymap.key(Context::Confirm, Action::SwitchExecutor);
    let other = key.map(|key| format!(" {key} chooses another way.")).unwrap_or_default();
    said.put(&format!("Deletes by s3 {via}: {}.{other}", via.meaning()), Style::new());
}

fn last(said: &mut Said, confirmation: &Confirmation, words: &Words, look: &Look) {
    let (text, style) = match (confirmation.complaint(), confirmation.matches()) {
        (Some(complaint), _) => (format!("! {complaint}"), look.theme.warning),
        (None, true) if matches!(confirmation.taking(), Taking::Close(_)) => {
            ("Enter closes the run now, Esc leaves".to_owned(), look.theme.warning)
        }
        (None, true) if is_final(confirmation.plan()) => (words.now.to_owned(), look.theme.error),
        (None, true) => (words.now.to_owned(), look.theme.warning),
        (None, false) => ("Esc leaves; nothing has been deleted".to_owned(), look.theme.dim),
    };
    said.put("", Style::new());
    said.put(&text, style);
}

/// A text as a sentence.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// Verdicts and projects of the plan in one line.
fn groups(sums: &PlanSums) -> String {
    let verdicts: Vec<String> = sums
        .by_verdict
        .iter()
        .map(|(verdict, amount)| format!("{} {verdict}", number::count(amount.objects)))
        .collect();
    let projects = &sums.by_project;
    let names: Vec<String> = projects
        .keys()
        .take(4)
        .map(|project| project.as_ref().map_or_else(|| "(no project)".to_owned(), ToString::to_string))
        .collect();
    let more = projects.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}; projects: {}{more}", verdicts.join(", "), names.join(", "))
}
