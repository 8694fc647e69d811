//! Every verb of the user, once: its name in the keymap, its line in the help, its word in the footer.

use std::fmt;
use std::str::FromStr;

macro_rules! actions {
    ($($variant:ident $name:literal $hint:literal $help:literal)*) => {
        /// A verb of the user. Keymap, help overlay, footer and documentation are made from this list.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Action {
            $(#[doc = $help] $variant,)*
        }

        impl Action {
            /// Every action, in the order of the help.
            pub const ALL: &[Action] = &[$(Action::$variant,)*];

            /// Its name in the keymap.
            pub fn name(self) -> &'static str {
                match self { $(Action::$variant => $name,)* }
            }

            /// Its word in the footer; empty if it is not worth a hint.
            pub fn hint(self) -> &'static str {
                match self { $(Action::$variant => $hint,)* }
            }

            /// Its line in the help.
            pub fn help(self) -> &'static str {
                match self { $(Action::$variant => $help,)* }
            }
        }
    };
}

actions! {
    Help "help" "help" "Show the keys; type to search them"
    Quit "quit" "quit" "Quit; asks first if a run is going on or marks would be lost"
    Interrupt "interrupt" "" "Stop what is going on; when nothing is, quit at the second press"
    Dismiss "dismiss" "" "Leave a dialog, end a range, stop sorting or matching, clear the filter; never quits"
    Suspend "suspend" "" "Suspend to the shell"
    Redraw "redraw" "" "Draw the screen anew"
    ViewFolders "view-folders" "folders" "Show the bucket as folders"
    ViewProjects "view-projects" "" "Show projects, each with its objects from all layouts"
    ViewFindings "view-findings" "findings" "Show findings: by verdict and flag, then by project"
    ViewPlan "view-plan" "" "Show the plan"
    ViewLog "view-log" "log" "Show the log"
    ViewRuns "view-runs" "" "Show what was done to this bucket before: its runs"
    ViewRegistry "view-registry" "" "Show the registry: its sources, and where it and the bucket disagree"
    NextPane "next-pane" "pane" "Go to the next pane"
    PreviousPane "previous-pane" "" "Go to the previous pane"
    Compare "compare" "" "Show what changed since the last kept scan before this one"
    Refresh "refresh" "" "List the bucket and read the registry again; in Runs, read the journals again"

    Down "down" "" "Move down"
    Up "up" "" "Move up"
    Close "close" "" "Close the folder, or go to its parent"
    Open "open" "open" "Open the folder"
    Toggle "toggle" "" "Open or close the folder; show an object's details"
    Top "top" "" "Go to the first row"
    Bottom "bottom" "" "Go to the last row"
    HalfDown "half-page-down" "" "Move down half a page"
    HalfUp "half-page-up" "" "Move up half a page"
    PageDown "page-down" "" "Move down a page"
    PageUp "page-up" "" "Move up a page"
    NextSibling "next-sibling" "" "Go to the next row of the same folder"
    PreviousSibling "previous-sibling" "" "Go to the previous row of the same folder"
    NextFinding "next-finding" "next finding" "Go to the next orphaned, conflicting or double-prefixed object"
    PreviousFinding "previous-finding" "" "Go to the previous orphaned, conflicting or double-prefixed object"
    NextProject "next-project" "" "Go to the next group, or to the next object of another project"
    PreviousProject "previous-project" "" "Go to the previous group, or to the previous object of another project"
    GoTo "go-to" "" "Go to a key or prefix; s3://bucket/key is understood"
    Back "back" "" "Go back to the place before the last jump"
    ExpandAll "expand-all" "" "Open the folder and everything in it"
    CollapseAll "collapse-all" "" "Close all folders"
    Flat "flat" "" "Show plain keys instead of folders, and back"
    SortMenu "sort" "sort" "Choose the order: name, size, modified, count, status"
    Reverse "reverse" "" "Reverse the order"
    Counts "counts" "" "Show or hide the column of counts"
    Bars "bars" "" "Show or hide the bars of relative size"
    Modified "modified" "" "Show or hide the column of last changes"
    Units "units" "" "Show sizes rounded or in bytes"
    Filter "filter" "filter" "Filter: text, /regex/, !not, size:>10M age:>30d project:ID verdict:orphaned flag:double-prefixed"
    NextMatch "next-match" "" "Go to the next match of the filter"
    PreviousMatch "previous-match" "" "Go to the previous match of the filter"

    ShowProject "show-project" "project" "Go to the project of the row"

    Mark "mark" "mark" "Mark or unmark, and move down; a folder marks the orphans in it"
    Range "range" "" "Start a range; the next v marks the orphans from there to here"
    MarkFolder "mark-folder" "" "Mark all orphans shown in this folder or group"
    MarkFinding "mark-finding" "mark all" "Mark all orphans of this finding or project"
    MarkPattern "mark-pattern" "" "Mark orphans whose keys match a glob"
    UnmarkPattern "unmark-pattern" "" "Unmark objects whose keys match a glob"
    Invert "invert" "" "Invert the marks of the orphans in this folder or group"
    Unmark "unmark" "unmark" "Unmark the row, with everything in it"
    ClearMarks "clear-marks" "" "Clear all marks; pressed again at once, bring them back"
    Plan "plan" "plan" "Make a plan of what is marked and show it; deletes nothing"

    CopyKey "copy-key" "copy" "Copy the key"
    CopyUri "copy-uri" "" "Copy the key as s3://bucket/key"

    Confirm "confirm" "confirm…" "Begin to confirm the plan; deletes nothing yet"
    SwitchKind "switch-kind" "trash or for good" "Make the plan anew: one that moves to the trash, or one that deletes for good"
    AcceptShrink "accept-shrink" "accept fewer" "Accept a listing or a registry that is smaller than last time, for this listing; asks for a word"
    SwitchExecutor "switch-executor" "" "Choose how the deletions reach the store"
    Export "export" "export" "Write the plan to a file; in Runs, plan, journal and outcomes of the run as one sealed file"
    Stop "stop" "stop" "Stop the run after the batches in flight; in Runs and Registry, stop looking"
    RetryFailed "retry-failed" "retry failed" "Make a new plan of the keys that failed"
    Resume "resume" "go on" "Go on with a run that did not come to its end, in Runs with the one under the cursor; asks first"
    CloseRun "close-run" "close it" "Close a run: find out what became of what was sent, and send nothing more; asks first"
    Verify "verify" "verify" "In Runs, prove again that what the run said is gone is gone; in Registry, ask the store for what is missing"
    OnlyFailures "only-failures" "failures" "Show only keys that need a look, or all of them again"
    Restore "restore" "restore" "Plan to bring back from the trash what a run moved there: the run under the cursor, else the last one; asks first"
    EmptyTrash "empty-trash" "empty trash" "Plan to delete for good what has lain in the trash for longer than you say; asks first"
    Follow "follow" "follow" "Follow the log as it grows"
    FilterLog "filter-log" "filter" "Show only lines of the log that hold a text"
    CopyLine "copy-line" "copy" "Copy the line of the log"

    Submit "submit" "" "Accept what was typed"
    Erase "erase" "" "Erase the character before the cursor"
    EraseNext "erase-next" "" "Erase the character under the cursor"
    EraseWord "erase-word" "" "Erase the word before the cursor"
    EraseAll "erase-all" "" "Erase the line"
    CursorLeft "cursor-left" "" "Move the cursor left"
    CursorRight "cursor-right" "" "Move the cursor right"
    CursorHome "cursor-home" "" "Move the cursor to the start"
    CursorEnd "cursor-end" "" "Move the cursor to the end"
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.name() == text)
            .ok_or_else(|| format!("no action is called {text:?}"))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
