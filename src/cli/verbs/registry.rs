//! `bucketree registry check`, `backfill` and `prune`: how far bucket and registry have drifted apart, and plans to mend it.

use std::path::Path;

use crate::app::number;
use crate::cli::args::registry::{AlsoOwner, BackfillArgs, CheckArgs, PruneArgs};
use crate::cli::error::Stop;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::json::{Asked, DriftLine, DriftSummary, PlanSummary, owner_fields, proof_name};
use crate::cli::output::{Output, Progress, Table};
use crate::cli::session::Session;
use crate::cli::verbs::audit::Audited;
use crate::domain::drift::{Absence, DriftReport};
use crate::domain::key::Escaped;
use crate::domain::{Key, Plan, ProjectId};
use crate::jobs::drift::plans::{Also, Bounds, backfill, prune};
use crate::jobs::drift::{Drifting, check as compare};
use crate::jobs::{Clock, Stop as JobStop};
use crate::journal::{plan_file, write_synced};

/// Lines of one kind that a person is shown; a program gets all.
const SHOWN: usize = 20;

/// Prints how far bucket and registry have drifted apart.
///
/// # Errors
/// If they could not be compared, after what is known was printed.
pub async fn check(session: &Session, args: &CheckArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let compared = Compared::of(session, args.project.as_deref()).await?;
    let report = &compared.report;
    if output.is_json() {
        for line in DriftLine::of(report) {
            output.json_line(&line)?;
        }
        let asked = Asked::new(compared.audited.scan.requests, &session.settings.prices());
        output.json_line(&DriftSummary::new(report, asked))?;
    } else {
        print(report, output)?;
    }
    output.flush()?;
    match &report.problem {
        None => Ok(ExitCode::Done),
        Some(problem) => {
            let hint = "mend that and compare again; nothing of the above is certain";
            Err(Stop::failed("compare bucket and registry", problem, hint))
        }
    }
}

/// Plans to record the untracked objects of live projects.
///
/// # Errors
/// [`Stop`] with exit code 4 if a guard refuses; nothing is written then.
pub async fn plan_backfill(session: &Session, args: &BackfillArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let compared = Compared::of(session, args.project.as_deref()).await?;
    let plan = compared.with(session, |input, bounds| backfill(input, &compared.report, bounds));
    let young = compared.report.untracked.len().saturating_sub(plan.rows.len()) as u64;
    if young > 0 && !output.is_json() {
        let young = number::objects(young);
        output.line(format!("{young} too young: the app may be about to record them itself"))?;
    }
    finish(&plan, args.output.as_deref(), output)
}

/// Plans to remove rows whose objects are proved missing.
///
/// # Errors
/// As [`plan_backfill`].
pub async fn plan_prune(session: &Session, args: &PruneArgs, output: &mut Output) -> Result<ExitCode, Stop> {
    let compared = Compared::of(session, args.project.as_deref()).await?;
    let also = Also { live: args.also.contains(&AlsoOwner::Live), unknown: args.also.contains(&AlsoOwner::Unknown) };
    let plan = compared.with(session, |input, bounds| prune(input, &compared.report, also, bounds));
    finish(&plan, args.output.as_deref(), output)
}

/// A bucket that was listed, judged and compared.
struct Compared {
    audited: Audited,
    project: Option<ProjectId>,
    report: DriftReport,
}

impl Compared {
    async fn of(session: &Session, project: Option<&str>) -> Result<Self, Stop> {
        let project = match project {
            None => None,
            Some(id) => {
                let spelled = session.ids.canonical(id.as_bytes());
                let hint = "write the id as keys or the registry spell it";
                let none = || Stop::usage("compare one project", format!("{id:?} names none"), hint);
                Some(spelled.ok_or_else(none)?.project)
            }
        };
        let audited = Audited::of(session).await?;
        let mut progress = Progress::stderr();
        let told = |done, total| {
            let (done, total) = (number::count(done), number::count(total));
            progress.show(|| format!("comparing: {done} of {total} keys"));
        };
        let mut compared = Self { audited, project, report: DriftReport::default() };
        compared.report = compare(&compared.input(session), &JobStop::new(), told).await;
        Ok(compared)
    }

    fn input<'a>(&'a self, session: &'a Session) -> Drifting<'a> {
        Drifting {
            store: &*session.store,
            registry: session.registry.as_ref(),
            inventory: &self.audited.inventory,
            scan: &self.audited.scan,
            audit: &self.audited.audit,
            project: self.project.clone(),
        }
    }

    fn with(&self, session: &Session, make: impl FnOnce(&Drifting<'_>, &Bounds<'_>) -> Plan) -> Plan {
        let clock: &Clock = &session.clock;
        make(&self.input(session), &Bounds { caps: &session.caps, clock })
    }
}

/// Writes the plan, if a file is named and no guard refuses, and says how to confirm it.
fn finish(plan: &Plan, file: Option<&Path>, output: &mut Output) -> Result<ExitCode, Stop> {
    let what = format!("{} objects", plan.header.kind.action());
    if plan.rows.is_empty() && plan.refusals().iter().all(|guard| guard.name == "something to do") {
        if output.is_json() {
            output.json_line(&PlanSummary::new(plan, None, &std::collections::BTreeMap::new(), 0))?;
        } else {
            output.line("there is nothing to do")?;
        }
        return Ok(ExitCode::Done);
    }
    let refusals = plan.refusals();
    let file = file.filter(|_| refusals.is_empty());
    if let Some(file) = file {
        let hint = "name a new file in a folder that can be written; a plan never replaces one";
        write_synced(file, &plan_file::write(plan)).map_err(|error| Stop::failed("write the plan", error, hint))?;
    }
    if output.is_json() {
        output.json_line(&PlanSummary::new(plan, file, &std::collections::BTreeMap::new(), 0))?;
    } else {
        let shown = plan.rows.iter().take(SHOWN).map(|row| row.object.key.clone()).collect::<Vec<_>>();
        output.line(format!("to {} {}:", plan.header.kind.action(), number::objects(plan.rows.len() as u64)))?;
        some(&shown, plan.rows.len(), output)?;
    }
    if !refusals.is_empty() {
        output.flush()?;
        let refused: Vec<String> =
            refusals.iter().map(|guard| format!("guard \"{}\": {}", guard.name, guard.message)).collect();
        return Err(Stop::refused(what, refused.join("; "), "no plan was written"));
    }
    if !output.is_json() {
        match file {
            None => output.line("no plan was written: name a file with -o")?,
            Some(file) => {
                output.line(format!(
                    "\nwritten to {}; it can be applied once, until {}:",
                    file.display(),
                    plan.header.expires_at
                ))?;
                output.line(format!("  bucketree apply {} --confirm '{}'", file.display(), plan.confirmation()))?;
            }
        }
    }
    Ok(ExitCode::Done)
}

fn some(keys: &[Key], all: usize, output: &mut Output) -> Result<(), Stop> {
    for key in keys {
        output.line(format!("  {}", key.escaped()))?;
    }
    if all > keys.len() {
        output.line(format!("  and {} more", number::count((all - keys.len()) as u64)))?;
    }
    Ok(())
}

fn print(report: &DriftReport, output: &mut Output) -> Result<(), Stop> {
    match &report.project {
        None => output.line("bucket and registry")?,
        Some(project) => output.line(format!("project {project}, bucket and registry"))?,
    }
    for source in &report.sources {
        output.line(format!("  {}", source.line()))?;
    }
    let proved = report.missing_with(|proof| *proof == Absence::Proved);
    let count = |items: usize| number::count(items as u64);
    let mut table = Table::new(&["what", ">keys"]);
    for (what, keys) in [
        ("in both", number::count(report.in_both)),
        ("untracked: in the bucket, of a live project, not in the registry", count(report.untracked.len())),
        ("missing: in the registry, not in the listing", count(report.missing.len())),
        ("  of them proved missing, each by asking the store", number::count(proved)),
        ("of another size than the registry says", count(report.wrong_sizes.len())),
        ("tracked more than once", count(report.repeated.len())),
        ("rows of dead projects whose objects are there", count(report.dead_rows.len())),
    ] {
        table.row([what.to_owned(), keys]);
    }
    output.report(&table)?;
    lists(report, output)?;
    if report.agrees() {
        output.line("\nbucket and registry agree")?;
    }
    Ok(())
}

fn lists(report: &DriftReport, output: &mut Output) -> Result<(), Stop> {
    let untracked =
        report.untracked.iter().map(|it| line(&it.key, format!("{}, {}", it.project, number::bytes(it.size))));
    list("untracked", untracked, output)?;
    let missing = report.missing.iter().map(|it| {
        let (owner, project) = owner_fields(&it.claim);
        let project = project.map(|project| format!(" {project}")).unwrap_or_default();
        line(&it.key, format!("{owner}{project}, {}", proof_name(&it.proof)))
    });
    list("missing", missing, output)?;
    let sizes =
        report.wrong_sizes.iter().map(|it| line(&it.key, format!("{} bytes, recorded {}", it.actual, it.recorded)));
    list("wrong sizes", sizes, output)?;
    list(
        "tracked more than once",
        report.repeated.iter().map(|it| line(&it.key, format!("{} rows", it.rows))),
        output,
    )?;
    let dead = report.dead_rows.iter().map(|it| line(&it.key, it.project.to_string()));
    list("rows of dead projects", dead, output)?;
    let Some(sides) = &report.sides else { return Ok(()) };
    for (name, keys) in [
        ("only in the registry", &sides.only_registry),
        ("only in the bucket", &sides.only_bucket),
        ("in both", &sides.both),
    ] {
        list(name, keys.iter().map(|key| line(key, String::new())), output)?;
    }
    Ok(())
}

fn line(key: &Key, about: String) -> String {
    let about = if about.is_empty() { about } else { format!("  ({about})") };
    format!("{}{about}", Escaped(key.as_bytes()))
}

fn list(name: &str, lines: impl ExactSizeIterator<Item = String>, output: &mut Output) -> Result<(), Stop> {
    let all = lines.len();
    if all == 0 {
        return Ok(());
    }
    output.line(format!("\n{name}:"))?;
    for line in lines.take(SHOWN) {
        output.line(format!("  {line}"))?;
    }
    if all > SHOWN {
        output.line(format!("  and {} more; --json lists them all", number::count((all - SHOWN) as u64)))?;
    }
    Ok(())
}
