//! `bucketree audit`: whose each object is, and why.

use rustc_hash::FxHashMap;

use super::explain;
use crate::app::number;
use crate::cli::args::{AuditArgs, SelectorArgs};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::{Asked, AuditSummary, AuditedObject, registry_state};
use crate::cli::output::{self, Output, Table, Tone};
use crate::cli::selectors::Selectors;
use crate::cli::session::Session;
use crate::domain::Verdict;
use crate::domain::assessment::{ProjectIndex, VerdictTotals};
use crate::domain::facts::RegistryState;
use crate::domain::inventory::{Inventory, ObjectIndex};
use crate::domain::key::Escaped;
use crate::domain::progress::{Completeness, ScanReport};
use crate::domain::verdict::Flag;
use crate::jobs;
use crate::jobs::audit::Audit;

/// A bucket that was listed and judged.
pub struct Audited {
    /// All objects.
    pub inventory: Inventory,
    /// How the listing ended.
    pub scan: ScanReport,
    /// The verdicts.
    pub audit: Audit,
}

impl Audited {
    /// Lists all of the bucket, then reads the registry, then judges: a verdict on a part of the bucket would miss the
    /// duplicates in the rest. The listing is kept for the next start of the console; a disk that has no room for it is no
    /// reason to say nothing of the bucket.
    ///
    /// # Errors
    /// If nothing could be listed at all.
    pub async fn of(session: &Session) -> Result<Self, Stop> {
        let (inventory, scan) = session.list(b"").await;
        let nothing_to_judge = inventory.is_empty() || session.kept.is_some();
        if let (Completeness::Incomplete(failure), true) = (&scan.completeness, nothing_to_judge) {
            return Err(failure.clone().into());
        }
        if let Err(error) = session.keep(&inventory, &scan) {
            output::tell(format!("bucketree: the scan is not kept for the next start: {error}"));
        }
        let never = jobs::Stop::new();
        let audit = jobs::audit::audit(&session.audit_input(), &inventory, &scan, &never).await;
        let audit = audit.ok_or_else(|| Stop::failed("audit the bucket", "it was stopped", ""))?;
        session.observe(&inventory, &audit, &scan).await;
        Ok(Self { inventory, scan, audit })
    }

    /// Why no verdict can be trusted, if none can.
    pub fn problem(&self) -> Option<Stop> {
        if let Completeness::Incomplete(failure) = &self.scan.completeness {
            return Some(failure.clone().into());
        }
        let facts = self.audit.judge.facts();
        match registry_state(facts) {
            ("unusable", reasons) => {
                let hint = "mend the registry and audit again; until then every verdict is undetermined";
                Some(Stop::failed("trust the registry", reasons.join("; "), hint))
            }
            _ => None,
        }
    }

    fn selected(&self, selectors: &Selectors) -> Vec<ObjectIndex> {
        let mut selected = Vec::new();
        self.inventory.scan(0..self.inventory.len(), |index, key, _| {
            if selectors.match_object(&self.audit, &self.inventory, index, key) {
                selected.push(index);
            }
        });
        selected
    }
}

/// Prints the objects that match, or their totals.
///
/// # Errors
/// If the listing is incomplete or the registry cannot be trusted, after everything was printed with its verdict.
pub async fn run(session: &Session, args: &AuditArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let typed = SelectorArgs {
        verdict: args.verdict.clone(),
        flag: args.flag.clone(),
        project: args.project.clone(),
        prefix: args.prefix.iter().filter(|prefix| !prefix.is_empty()).cloned().collect(),
        ..SelectorArgs::default()
    };
    let selectors = Selectors::new(&typed, None, &session.layouts, &session.ids)?;
    let audited = Audited::of(session).await?;
    // What comes of the comparison matters to plans only; here the listing is just remembered for them.
    let _ = session.memory().compare(session.store.identity(), &audited.inventory, &audited.scan, false).await;
    match (args.explain, args.summary) {
        (true, _) => {
            for id in &args.project {
                // What names nobody was refused with the selectors.
                let project = session.ids.canonical(id.as_bytes()).map(|spelled| spelled.project);
                project.map_or(Ok(()), |project| explain::print(&audited, &project, output))?;
            }
        }
        (false, true) => summarize(session, &audited, &audited.selected(&selectors), output)?,
        (false, false) => list(&audited, &audited.selected(&selectors), output)?,
    }
    output.flush()?;
    if audited.audit.judge.facts().report().state == RegistryState::Absent {
        output::tell("bucketree: no registry is configured, so every verdict is undetermined; give --registry");
    }
    audited.problem().map_or(Ok(ExitCode::Done), Err)
}

fn list(audited: &Audited, selected: &[ObjectIndex], output: &mut Output) -> Result<(), Stop> {
    for &index in selected {
        match output.is_json() {
            true => output.json_line(&audited_object(audited, index))?,
            false => print(audited, index, output)?,
        }
    }
    Ok(())
}

fn project_name(audited: &Audited, index: ObjectIndex) -> Option<String> {
    let assessment = &audited.audit.assessment;
    assessment.project(index).map(|project| assessment.project_id(project).to_string())
}

fn audited_object(audited: &Audited, index: ObjectIndex) -> AuditedObject {
    let (judge, assessment) = (&audited.audit.judge, &audited.audit.assessment);
    let object = audited.inventory.object(index);
    let (_, evidence) = judge.evidence(&object, &judge.facts().claims_of(index));
    let project = project_name(audited, index);
    AuditedObject::new(&object, assessment.verdict(index), assessment.flags(index), project, evidence)
}

/// `orphaned  1.2 MiB  2025-01-31  double-prefixed,young  456  KEY` on a terminal, the same with tabs and exact on a pipe.
fn print(audited: &Audited, index: ObjectIndex, output: &mut Output) -> Result<(), Stop> {
    let (inventory, assessment) = (&audited.inventory, &audited.audit.assessment);
    let verdict = assessment.verdict(index);
    let flags: Vec<&str> = assessment.flags(index).iter().map(Flag::name).collect();
    let flags = if flags.is_empty() { "-".into() } else { flags.join(",") };
    let project = project_name(audited, index).unwrap_or_else(|| "-".into());
    let (size, at) = (inventory.size(index), inventory.last_modified(index));
    let key = inventory.key(index);
    if output.is_terminal() {
        let day = at.map_or_else(|| "-".into(), number::day);
        let verdict = output.paint().tone(Tone::of_verdict(verdict), format!("{verdict:<12}"));
        let key = Escaped(key.as_bytes());
        return Ok(output.line(format!("{verdict}  {:>8}  {day:<10}  {flags}  {project}  {key}", number::bytes(size)))?);
    }
    let at = at.map_or_else(|| "-".into(), |at| at.to_string());
    output.bytes(format!("{verdict}\t{size}\t{at}\t{flags}\t{project}\t").as_bytes())?;
    output.bytes(key.as_bytes())?;
    Ok(output.bytes(b"\n")?)
}

/// Totals of the selected objects, by project in the order of their ids; objects of no project come last.
fn totals(audited: &Audited, selected: &[ObjectIndex]) -> (VerdictTotals, Vec<(Option<ProjectIndex>, VerdictTotals)>) {
    let assessment = &audited.audit.assessment;
    let mut all = VerdictTotals::default();
    let mut groups: FxHashMap<Option<ProjectIndex>, VerdictTotals> = FxHashMap::default();
    for &index in selected {
        let (verdict, flags) = (assessment.verdict(index), assessment.flags(index));
        let size = audited.inventory.size(index);
        all.count(verdict, flags, size);
        groups.entry(assessment.project(index)).or_default().count(verdict, flags, size);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(project, _)| (project.is_none(), project.map(|project| assessment.project_id(project))));
    (all, groups)
}

fn summarize(session: &Session, audited: &Audited, selected: &[ObjectIndex], output: &mut Output) -> Result<(), Stop> {
    let (all, groups) = totals(audited, selected);
    let (judge, assessment) = (&audited.audit.judge, &audited.audit.assessment);
    let incomplete = match &audited.scan.completeness {
        Completeness::Complete | Completeness::Kept(_) => None,
        Completeness::Incomplete(failure) => Some(failure.to_string()),
    };
    let asked = Asked::new(audited.scan.requests, &session.settings.prices());
    let summary = AuditSummary::new(judge, incomplete, &all, &groups, assessment, asked);
    if output.is_json() {
        return Ok(output.json_line(&summary)?);
    }
    let (state, reasons) = registry_state(judge.facts());
    output.line(format!("{}, {}", number::objects(all.all().objects), number::bytes(all.all().bytes)))?;
    output.line(match &audited.scan.completeness {
        Completeness::Complete => format!("listing complete: {}", session.price_of(audited.scan.requests)),
        Completeness::Kept(at) => format!("listing complete, kept at {at}"),
        Completeness::Incomplete(_) => "listing INCOMPLETE".to_owned(),
    })?;
    output.line(format!("registry {state}"))?;
    for line in judge.facts().report().sources.iter().map(|source| source.line()).chain(reasons) {
        output.line(format!("  {line}"))?;
    }
    let missing = judge.facts().missing().len() as u64;
    if missing > 0 {
        output.line(format!("  {} tracked or referenced keys were not in the listing", number::count(missing)))?;
    }
    tables(audited, &all, &groups, output)
}

fn tables(
    audited: &Audited,
    all: &VerdictTotals,
    groups: &[(Option<ProjectIndex>, VerdictTotals)],
    output: &mut Output,
) -> Result<(), Stop> {
    let mut by_kind = Table::new(&["verdict or flag", ">objects", ">bytes"]);
    let verdicts = Verdict::ALL.into_iter().map(|verdict| (verdict.name(), all.of(verdict)));
    let flags = Flag::ALL.into_iter().map(|flag| (flag.name(), all.flagged(flag)));
    for (name, tally) in verdicts.chain(flags) {
        by_kind.row([name.into(), number::count(tally.objects), number::bytes(tally.bytes)]);
    }
    let assessment = &audited.audit.assessment;
    let mut by_project = Table::new(&["project", "state", ">objects", ">bytes", ">orphaned", ">orphaned bytes"]);
    for (project, totals) in groups {
        let id = project.map(|project| assessment.project_id(project));
        let state = match id {
            None => "-",
            Some(id) if audited.audit.judge.facts().is_live(id) => "live",
            Some(_) => "not in the registry",
        };
        let (all, orphaned) = (totals.all(), totals.of(Verdict::Orphaned));
        by_project.row([
            id.map_or_else(|| "(none)".into(), ToString::to_string),
            state.into(),
            number::count(all.objects),
            number::bytes(all.bytes),
            number::count(orphaned.objects),
            number::bytes(orphaned.bytes),
        ]);
    }
    output.line("")?;
    output.report(&by_kind)?;
    output.line("")?;
    Ok(output.report(&by_project)?)
}
