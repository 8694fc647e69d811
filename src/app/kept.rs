//! Kept scans on the screen: how old the one is that is shown, and what changed since an earlier one.

use std::sync::Arc;

use super::number;
use super::state::State;
use crate::domain::Timestamp;
use crate::domain::changes::{Change, ChangeTotals, Summary};
use crate::domain::key::Escaped;
use crate::domain::progress::Completeness;

impl State {
    /// How old the scan is that is shown in place of the bucket: `scan of 14 min ago`. `None` if the bucket itself was listed.
    pub fn kept_age(&self) -> Option<String> {
        let Completeness::Kept(ended) = self.bucket.kept.as_ref()?.completeness else { return None };
        Some(match self.clock {
            Some(clock) if clock >= ended => format!("scan of {} ago", about(clock.seconds_since(ended))),
            _ => format!("scan of {ended}"),
        })
    }
}

/// A length of time in its largest unit, which is what a person asks for: `14 min`, `3 d`.
fn about(seconds: i64) -> String {
    let text = number::seconds(seconds);
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// A comparison that is shown.
#[derive(Clone, PartialEq, Debug)]
pub struct Compared {
    /// When the earlier scan had ended.
    pub since: Timestamp,
    /// What changed since: everything, then by folder, then by project, those with the most changes first.
    pub lines: Arc<Vec<ChangesLine>>,
    /// First line shown.
    pub scroll: usize,
}

/// A line of the comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChangesLine {
    /// A heading.
    Heading(String),
    /// A sentence.
    Text(String),
    /// A folder or project and what changed in it: added, removed, grown, changed, bytes more or fewer.
    Totals {
        /// Its name, safe for a terminal.
        name: String,
        /// As texts, in this order.
        cells: [String; 5],
    },
}

impl Compared {
    /// What changed since the scan that had ended then. Takes time for each folder and project: for a blocking thread.
    pub fn new(since: Timestamp, summary: &Summary) -> Self {
        Self { since, lines: Arc::new(lines(summary)), scroll: 0 }
    }
}

fn lines(summary: &Summary) -> Vec<ChangesLine> {
    let mut lines = vec![totals("everything".into(), &summary.all)];
    if summary.all.objects() == 0 {
        let text = "Nothing changed: every object is as it was, and no other is there.";
        lines.push(ChangesLine::Text(text.into()));
        return lines;
    }
    let name = |prefix: &Vec<u8>| match prefix.is_empty() {
        true => "(in no folder)".to_owned(),
        false => Escaped(prefix).to_string(),
    };
    lines.push(ChangesLine::Heading("by folder".into()));
    lines.extend(sorted(summary.folders.iter().map(|(prefix, totals)| (name(prefix), totals))));
    let name = |id: Option<String>| id.unwrap_or_else(|| "(of no project)".into());
    lines.push(ChangesLine::Heading("by project".into()));
    let projects = summary.projects.iter();
    lines.extend(sorted(projects.map(|(id, totals)| (name(id.as_ref().map(ToString::to_string)), totals))));
    lines
}

fn sorted<'t>(groups: impl Iterator<Item = (String, &'t ChangeTotals)>) -> Vec<ChangesLine> {
    let mut groups: Vec<(String, &ChangeTotals)> = groups.collect();
    groups.sort_by_key(|(_, totals)| std::cmp::Reverse(totals.objects()));
    groups.into_iter().map(|(name, group)| totals(name, group)).collect()
}

fn totals(name: String, totals: &ChangeTotals) -> ChangesLine {
    let count = |change| match totals.of(change).objects {
        0 => "-".to_owned(),
        objects => number::count(objects),
    };
    let cells = [
        count(Change::Added),
        count(Change::Removed),
        count(Change::Grown),
        count(Change::Changed),
        number::signed_bytes(totals.net_bytes()),
    ];
    ChangesLine::Totals { name, cells }
}
