//! `bucketree plan trash` and `bucketree plan delete`: freeze what the selectors mean into a plan file.

use std::collections::{BTreeMap, HashSet};

use crate::app::number;
use crate::cli::args::PlanArgs;
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::keys_from;
use crate::cli::output::json::{PlanSummary, registry_state};
use crate::cli::output::{Output, Table, Tone};
use crate::cli::selectors::Selectors;
use crate::cli::session::Session;
use crate::cli::verbs::audit::Audited;
use crate::config::Inputs;
use crate::domain::inventory::ObjectIndex;
use crate::domain::plan::PlanKind;
use crate::domain::progress::Completeness;
use crate::domain::verdict::Flag;
use crate::domain::{Key, Plan, Verdict};
use crate::jobs::draft::{Draft, draft};
use crate::journal::{plan_file, write_synced};

/// What was attempted, for messages.
const WHAT: &str = "plan the deletion";

/// What the selectors came to.
#[derive(Default)]
struct Selection {
    chosen: Vec<ObjectIndex>,
    /// Objects that were meant and are left out, by the reason.
    left_out: BTreeMap<String, u64>,
    /// Keys that were named and are not in the bucket.
    not_in_bucket: u64,
}

/// Drafts the plan and writes it, unless a guard refuses.
///
/// # Errors
/// [`Stop`] with exit code 4 if a guard refuses or the verdict may not be selected like this; nothing is written then.
pub async fn run(inputs: &mut Inputs, kind: PlanKind, args: &PlanArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let named = args.selectors.keys_from.is_some();
    check_verdicts(&args.selectors.verdict, named, is_place(args))?;
    check_output(args)?;
    let lowered = [
        ("min_age", &args.min_age),
        ("max_objects", &args.max_objects),
        ("max_share", &args.max_share),
        ("observe_days", &args.observe_days),
    ];
    inputs.flags.extend(lowered.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    let session = Session { accepts_shrink: args.accept_shrink, ..Session::open(inputs).await? };
    let keys = args.selectors.keys_from.as_deref().map(keys_from::read).transpose()?;
    let mut selectors = Selectors::new(&args.selectors, keys, &session.layouts, &session.ids)?;
    if selectors.verdicts.is_empty() {
        selectors.verdicts.push(Verdict::Orphaned);
    }
    let audited = Audited::of(&session).await?;
    check_ground(&audited, &selectors)?;
    let selection = select(&audited, &selectors, is_place(args));
    let ground = session.ground(&audited.inventory, &audited.scan, audited.audit.judge.facts()).await;
    let input = Draft {
        identity: session.store.identity(),
        inventory: &audited.inventory,
        scan: &audited.scan,
        audit: &audited.audit,
        kind,
        ground: &ground,
        caps: &session.caps,
        clock: &session.clock,
    };
    let mut plan = draft(&input, selection.chosen.iter().copied());
    plan.header.whole = args.all;
    finish(&plan, &selection, args, output)
}

fn finish(plan: &Plan, selection: &Selection, args: &PlanArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let refusals = plan.refusals();
    let file = refusals.is_empty().then_some(args.output.as_path());
    if let Some(file) = file {
        write_synced(file, &plan_file::write(plan)).map_err(|error| {
            Stop::failed("write the plan", error, "name a new file in a folder that can be written")
        })?;
    }
    if output.is_json() {
        output.json_line(&PlanSummary::new(plan, file, &selection.left_out, selection.not_in_bucket))?;
    } else {
        print(plan, selection, output)?;
    }
    if file.is_none() {
        output.flush()?;
        let refused: Vec<String> =
            refusals.iter().map(|guard| format!("guard \"{}\": {}", guard.name, guard.message)).collect();
        return Err(Stop::refused(WHAT, refused.join("; "), "no plan was written"));
    }
    if !output.is_json() {
        let (file, confirm) = (args.output.display(), plan.confirmation());
        output.line(format!("\nwritten to {file}; it can be applied once, until {}:", plan.header.expires_at))?;
        output.line(format!("  bucketree apply {} --confirm {}", quoted(&file.to_string()), quoted(&confirm)))?;
    }
    Ok(ExitCode::Done)
}

/// A word as a shell takes it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.into(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Whether one place is to be cleared: the bucket, a prefix, a scene, a user. What is alive there is kept unless its
/// verdict is named.
fn is_place(args: &PlanArgs) -> bool {
    let typed = &args.selectors;
    args.all || !typed.prefix.is_empty() || !typed.scene.is_empty() || !typed.user.is_empty()
}

/// Which verdicts may be selected, and how: orphans in bulk, untracked objects alone, all others key by key or in a place
/// that is to be cleared. What is undetermined is only ever named key by key.
fn check_verdicts(verdicts: &[Verdict], named_one_by_one: bool, in_a_place: bool) -> Result<(), Stop> {
    let untracked = verdicts.contains(&Verdict::Untracked);
    if untracked && !in_a_place && verdicts.iter().any(|verdict| *verdict != Verdict::Untracked) {
        let why = "untracked objects belong to live projects and are planned only on their own";
        return Err(Stop::refused(WHAT, why, "make one plan with --verdict untracked, and another one for the rest"));
    }
    let may_be_bulk = |verdict: &Verdict| match verdict {
        Verdict::Orphaned | Verdict::Untracked => true,
        Verdict::Undetermined => false,
        Verdict::Live | Verdict::Conflict | Verdict::Unrecognized => in_a_place,
    };
    match verdicts.iter().find(|verdict| !may_be_bulk(verdict)) {
        Some(verdict) if !named_one_by_one => {
            let why = format!("{verdict} objects are never selected in bulk");
            let hint = "name them one by one in a file: --keys-from FILE; to clear a place, name it as well: --prefix, \
                        --scene, --user or --all";
            Err(Stop::refused(WHAT, why, hint))
        }
        _ => Ok(()),
    }
}

/// A plan never replaces a file; better to know before the bucket is listed.
fn check_output(args: &PlanArgs) -> Result<(), Stop> {
    match args.output.symlink_metadata() {
        Ok(_) => {
            let why = format!("{} is there already", args.output.display());
            Err(Stop::failed("write the plan", why, "name a new file: a plan never replaces one"))
        }
        Err(_) => Ok(()),
    }
}

/// Whether the verdicts that are asked for can be given at all.
fn check_ground(audited: &Audited, selectors: &Selectors) -> Result<(), Stop> {
    if let Completeness::Incomplete(failure) = &audited.scan.completeness {
        let why = format!("guard \"listing complete\": the listing is incomplete: {}", failure.why);
        return Err(Stop::refused(WHAT, why, "list the bucket again"));
    }
    let (state, reasons) = registry_state(audited.audit.judge.facts());
    if state != "usable" && selectors.verdicts.iter().any(|verdict| *verdict != Verdict::Undetermined) {
        let why = format!("guard \"registry trusted\": {}", reasons.join("; "));
        return Err(Stop::refused(WHAT, why, "mend the registry and plan again"));
    }
    Ok(())
}

fn select(audited: &Audited, selectors: &Selectors, in_a_place: bool) -> Selection {
    let mut selection = Selection::default();
    let mut found: HashSet<Key> = HashSet::new();
    let (audit, inventory) = (&audited.audit, &audited.inventory);
    inventory.scan(0..inventory.len(), |index, key, _| {
        let named = selectors.named_keys().is_some_and(|keys| keys.contains(key));
        if named {
            found.insert(Key::new(key));
        }
        let flags = audit.assessment.flags(index);
        let reason = match audit.assessment.verdict(index) {
            verdict if !selectors.verdicts.contains(&verdict) && !named && !in_a_place => return,
            _ if !selectors.match_but_verdict(audit, inventory, index, key) => return,
            verdict if !selectors.verdicts.contains(&verdict) => Some(verdict.name()),
            _ if flags.has(Flag::Protected) => Some(Flag::Protected.name()),
            _ if flags.has(Flag::Young) => Some(Flag::Young.name()),
            _ if flags.has(Flag::Unconfirmed) => Some(Flag::Unconfirmed.name()),
            _ => None,
        };
        match reason {
            Some(reason) => *selection.left_out.entry(reason.to_owned()).or_default() += 1,
            None => selection.chosen.push(index),
        }
    });
    selection.not_in_bucket = selectors.named_keys().map_or(0, |keys| keys.len() - found.len()) as u64;
    selection
}

fn print(plan: &Plan, selection: &Selection, output: &mut Output) -> Result<(), Stop> {
    let total = plan.total();
    let title = format!(
        "plan {}: {} {}, {}",
        plan.header.id,
        plan.header.kind.action(),
        number::objects(total.objects),
        number::bytes(total.bytes)
    );
    output.line(output.paint().tone(Tone::Strong, title).to_string())?;
    output.line(format!("of bucket {:?} at {}\n", plan.header.bucket, plan.header.endpoint))?;
    let mut table = Table::new(&["verdict or project", ">objects", ">bytes"]);
    for (verdict, sum) in plan.by_verdict() {
        table.row([verdict.name().into(), number::count(sum.objects), number::bytes(sum.bytes)]);
    }
    for (project, sum) in plan.by_project() {
        let name = project.map_or_else(|| "(no project)".into(), |id| format!("project {id}"));
        table.row([name, number::count(sum.objects), number::bytes(sum.bytes)]);
    }
    output.report(&table)?;
    output.line("")?;
    for (reason, count) in &selection.left_out {
        output.line(format!("left out: {}: {}", number::objects(*count), meaning(reason, plan)))?;
    }
    if selection.not_in_bucket > 0 {
        output.line(format!("not in the bucket: {} of the named keys", number::count(selection.not_in_bucket)))?;
    }
    for guard in &plan.header.guards {
        let (tone, word) = if guard.passed { (Tone::Good, "passes ") } else { (Tone::Bad, "REFUSES") };
        output.line(format!("guard {} {}: {}", output.paint().tone(tone, word), guard.name, guard.message))?;
    }
    Ok(output.line(plan.header.deletes)?)
}

fn meaning(reason: &str, plan: &Plan) -> String {
    match reason {
        "young" => format!("younger than {}, or of unknown age", number::seconds(plan.header.min_age_seconds)),
        "protected" => "protected by the configuration".into(),
        "unconfirmed" => "not seen like this for observe_days; scan again later".into(),
        "undetermined" => "no verdict can be given".into(),
        verdict => format!("{verdict}; add --verdict {verdict} if that is meant"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verdicts: &[Verdict], named: bool, allowed: bool) {
        assert_eq!(check_verdicts(verdicts, named, false).is_ok(), allowed, "{verdicts:?} named: {named}");
    }

    #[test]
    fn a_place_is_cleared_of_what_is_named_and_can_be_judged() {
        for verdict in Verdict::ALL {
            let allowed = verdict != Verdict::Undetermined;
            assert_eq!(check_verdicts(&[Verdict::Orphaned, verdict], false, true).is_ok(), allowed, "{verdict}");
        }
    }

    #[test]
    fn only_orphans_are_selected_in_bulk() {
        check(&[], false, true);
        check(&[Verdict::Orphaned], false, true);
        check(&[Verdict::Untracked], false, true);
        check(&[Verdict::Untracked, Verdict::Orphaned], false, false);
        check(&[Verdict::Untracked, Verdict::Orphaned], true, false);
        for verdict in [Verdict::Live, Verdict::Conflict, Verdict::Unrecognized, Verdict::Undetermined] {
            check(&[verdict], false, false);
            check(&[Verdict::Orphaned, verdict], false, false);
            check(&[verdict], true, true);
        }
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("plan.jsonl"), "plan.jsonl");
        assert_eq!(quoted("media 12"), "'media 12'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
