//! A scan that was kept: shown at once while the bucket is listed behind it, looked at offline, compared with.

use super::{Effects, forget_orders, jobs, prompt};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::event::KeptListing;
use crate::app::kept::Compared;
use crate::app::state::{Audit, Level, Mode, Scan, State};

/// Why nothing may be marked in bulk or planned by what is shown; `None` if it is of now.
pub(super) fn obstacle(state: &State) -> Option<String> {
    let age = state.kept_age()?;
    Some(match &state.bucket.scan {
        _ if state.session.offline => format!("this is a {age}, not the bucket; without --from the bucket is listed"),
        Scan::Running { .. } => format!("refreshing\u{2026}: this is still the {age}; wait until the bucket is listed"),
        _ => format!("this is still the {age}; press r to list the bucket"),
    })
}

/// A kept scan is there: it is shown if nothing newer is.
pub(super) fn opened(state: &mut State, listing: KeptListing) -> Effects {
    let is_late = state.bucket.incoming.is_some() || state.bucket.kept.is_some();
    if is_late || !(state.session.offline || state.is_scanning()) {
        return Effects::new();
    }
    // What was listed up to now is the beginning of what will take the place of the kept scan.
    let listed = state.bucket.inventory.clone();
    jobs::replace(state, listing.inventory, None);
    let report = listing.report;
    state.bucket.clocks = report.server_time.map(|server| (server, report.local_time));
    match state.session.offline {
        true => state.bucket.scan = Scan::Complete(report.clone()),
        false => state.bucket.incoming = Some(listed),
    }
    state.bucket.kept = Some(report);
    let mut effects = prompt::refilter(state);
    forget_orders(state);
    let ticket = state.ticket();
    state.bucket.audit_ticket = ticket;
    state.bucket.audit = Audit::Running;
    effects.push(Effect::Audit { ticket });
    effects
}

/// `=`: asks what changed since the last scan before this one.
pub(super) fn compare(state: &mut State) -> Effects {
    if let Some(obstacle) = obstacle(state) {
        state.say(Level::Warning, obstacle);
        return Effects::new();
    }
    if !matches!(state.bucket.scan, Scan::Complete(_)) {
        state.say(Level::Warning, "the bucket is still being listed; compare when all of it is known");
        return Effects::new();
    }
    state.say(Level::Info, "comparing with the last kept scan");
    let ticket = state.ticket();
    state.compare_ticket = ticket;
    vec![Effect::Compare { ticket }]
}

/// The comparison is there, or there is nothing to compare with.
pub(super) fn compared(state: &mut State, compared: Option<Compared>) -> Effects {
    state.notice = None;
    match compared {
        None if state.session.keeps_scans => {
            let text = "no earlier scan of this bucket is kept to compare with; this one is kept for the next time";
            state.say(Level::Info, text);
        }
        None => state.say(Level::Info, "scans are not kept (kept_scans is 0), so there is none to compare with"),
        Some(compared) if state.mode == Mode::Browse => state.mode = Mode::Changes(compared),
        Some(_) => {}
    }
    Effects::new()
}

/// A key while the comparison is shown.
pub(super) fn key(state: &mut State, action: Option<Action>) -> Effects {
    let page = state.rows_height().max(1);
    let Mode::Changes(compared) = &mut state.mode else { return Effects::new() };
    let last = compared.lines.len().saturating_sub(1);
    let scroll = compared.scroll;
    compared.scroll = match action {
        Some(Action::Dismiss | Action::Interrupt | Action::Submit) => return prompt::dismiss(state),
        Some(Action::Down) => scroll.saturating_add(1).min(last),
        Some(Action::Up) => scroll.saturating_sub(1),
        Some(Action::PageDown) => scroll.saturating_add(page).min(last),
        Some(Action::PageUp) => scroll.saturating_sub(page),
        _ => scroll,
    };
    Effects::new()
}
