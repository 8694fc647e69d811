//! Plan files, version 1: JSON lines. The first line is the header; each further line is one object. The header holds
//! SHA-256 over all further lines and, in `seal`, over itself, so that one changed byte anywhere is noticed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chain::hex;
use super::keys::KeyFields;
use super::{JournalError, disk};
use crate::domain::capabilities::Atomicity;
use crate::domain::facts::{Claim, ClaimKind, Owner, SourceReport};
use crate::domain::plan::{Caps, GuardReport, Plan, PlanHeader, PlanKind, PlanRow};
use crate::domain::verdict::Flags;
use crate::domain::{ETag, IdRules, Key, Object, ProjectId, StorageClass, Timestamp};

/// The version that this program writes and reads.
pub const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct HeaderLine {
    schema: u32,
    plan: String,
    kind: String,
    endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    account: Option<String>,
    bucket: String,
    layouts: String,
    registry: Vec<SourceLine>,
    bucket_objects: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    whole: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    scanned_at: Option<String>,
    created_at: String,
    expires_at: String,
    min_age_seconds: i64,
    caps: CapsLine,
    /// `proved` or `disproved`, and when; not there if it was not measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    conditional_deletes: Option<(String, String)>,
    guards: Vec<GuardLine>,
    totals: TotalsLine,
    tool: String,
    /// SHA-256 over the row lines, newlines included.
    digest: String,
    /// SHA-256 over this line with an empty `seal`.
    seal: String,
}

#[derive(Serialize, Deserialize)]
struct SourceLine {
    name: String,
    projects: u64,
    tracked: Option<u64>,
    references: u64,
    read_at: String,
    fingerprint: String,
}

#[derive(Serialize, Deserialize)]
struct CapsLine {
    objects: u64,
    bytes: u64,
    bucket_share: f64,
    live_project_share: f64,
    /// Not in plans of the first versions; then the default held.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    projects: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    missing_share: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct GuardLine {
    name: String,
    passed: bool,
    message: String,
}

#[derive(Serialize, Deserialize)]
struct TotalsLine {
    objects: u64,
    bytes: u64,
    by_verdict: BTreeMap<String, u64>,
    by_project: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
struct RowLine {
    #[serde(flatten)]
    key: KeyFields,
    size: u64,
    etag: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    last_modified: Option<String>,
    storage_class: String,
    verdict: String,
    flags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    project: Option<String>,
    evidence: EvidenceLine,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    to: Option<KeyFields>,
}

#[derive(Serialize, Deserialize)]
struct EvidenceLine {
    because: String,
    readings: Vec<(String, String)>,
    claims: Vec<(String, String, String)>,
}

/// The plan as the bytes of its file, with the digest that belongs into [`PlanHeader::digest`].
pub fn write(plan: &Plan) -> Vec<u8> {
    let rows = row_lines(&plan.rows);
    let mut header = header_line(plan, digest(&rows));
    header.seal = seal_of(&mut header);
    let mut text = to_line(&header);
    text.push_str(&rows);
    text.into_bytes()
}

/// Completes a plan with the digest of its rows.
pub fn seal(mut plan: Plan) -> Plan {
    plan.header.digest = digest(&row_lines(&plan.rows));
    plan
}

/// Reads a plan file.
///
/// # Errors
/// [`JournalError::Disk`], or [`JournalError::Damaged`] with the line and the exact reason.
pub fn read(path: &Path) -> Result<Plan, JournalError> {
    let bytes = std::fs::read(path).map_err(disk("cannot read the plan", path))?;
    parse(&bytes).map_err(|(line, why)| JournalError::Damaged { path: path.to_path_buf(), line, why })
}

/// Reads the bytes of a plan file.
///
/// # Errors
/// The line, from 1, and what is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Plan, (usize, String)> {
    let text = std::str::from_utf8(bytes).map_err(|_| (1, "the file is not UTF-8".to_string()))?;
    let (first, rows_text) =
        text.split_once('\n').ok_or((1, "the first line has no end: this is not a whole plan file".to_string()))?;
    let mut header: HeaderLine =
        serde_json::from_str(first).map_err(|error| (1, format!("not a plan header: {error}")))?;
    if header.schema != SCHEMA {
        return Err((1, format!("the plan is of version {}, this program reads version {SCHEMA}", header.schema)));
    }
    let stated = std::mem::take(&mut header.seal);
    if to_line(&with_seal(&mut header, &stated)) != format!("{first}\n") || stated != seal_of(&mut header) {
        return Err((1, "the header was edited: its seal does not match".into()));
    }
    if header.digest != digest(rows_text) {
        return Err((2, "the rows were edited: their SHA-256 is not the one in the header".into()));
    }
    let mut rows = Vec::new();
    for (number, line) in rows_text.lines().enumerate() {
        let row: RowLine =
            serde_json::from_str(line).map_err(|error| (number + 2, format!("not a plan row: {error}")))?;
        rows.push(row_of(row).map_err(|why| (number + 2, why))?);
    }
    if let Some(at) = rows.windows(2).position(|pair| pair[0].object.key >= pair[1].object.key) {
        return Err((at + 3, "the keys are not in order, or one is there twice".into()));
    }
    let header = header_of(header).map_err(|why| (1, why))?;
    Ok(Plan { header, rows })
}

/// What a plan is for, by the first line of its file. Nothing is checked: it is for showing only.
pub fn kind(first_line: &str) -> Option<PlanKind> {
    let header: HeaderLine = serde_json::from_str(first_line).ok()?;
    PlanKind::parse(&header.kind)
}

fn with_seal<'a>(header: &'a mut HeaderLine, seal: &str) -> &'a HeaderLine {
    header.seal = seal.to_string();
    header
}

fn seal_of(header: &mut HeaderLine) -> String {
    header.seal.clear();
    hex(&Sha256::digest(to_line(header).as_bytes()))
}

fn digest(rows: &str) -> String {
    hex(&Sha256::digest(rows.as_bytes()))
}

fn to_line<T: Serialize>(value: &T) -> String {
    // Plain strings, numbers and maps with string keys always serialize.
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}

fn row_lines(rows: &[PlanRow]) -> String {
    rows.iter().map(|row| to_line(&line_of(row))).collect()
}

fn line_of(row: &PlanRow) -> RowLine {
    RowLine {
        key: KeyFields::from(&row.object.key),
        size: row.object.size,
        etag: row.object.etag.as_str().into(),
        last_modified: row.object.last_modified.map(|at| at.to_string()),
        storage_class: row.object.storage_class.as_str().into(),
        verdict: row.verdict.name().into(),
        flags: row.flags.iter().map(|flag| flag.name().to_string()).collect(),
        project: row.project.as_ref().map(id_text),
        evidence: EvidenceLine {
            because: row.because.clone(),
            readings: row.readings.iter().map(|(layout, project)| (layout.to_string(), id_text(project))).collect(),
            claims: row.claims.iter().map(claim_text).collect(),
        },
        to: row.destination.as_ref().map(KeyFields::from),
    }
}

/// Ids that are not UTF-8 are shown escaped; they are evidence, nothing is looked up by them again.
fn id_text(id: &ProjectId) -> String {
    String::from_utf8(id.as_bytes().to_vec()).unwrap_or_else(|_| id.to_string())
}

fn claim_text(claim: &Claim) -> (String, String, String) {
    let kind = match claim.kind {
        ClaimKind::Row => "row",
        ClaimKind::Reference => "reference",
    };
    let (owner, id) = match &claim.owner {
        Owner::Live(id) => ("live", id_text(id)),
        Owner::Dead(id) => ("dead", id_text(id)),
        Owner::Unknown => ("unknown", String::new()),
    };
    (kind.into(), owner.into(), id)
}

/// Ids in a plan are canonical already, so that no rule changes them.
fn id_of(text: &str) -> Result<ProjectId, String> {
    IdRules::default().canonical(text.as_bytes()).map(|id| id.project).ok_or_else(|| "a project id is empty".into())
}

fn claim_of((kind, owner, id): &(String, String, String)) -> Result<Claim, String> {
    let kind = match kind.as_str() {
        "row" => ClaimKind::Row,
        "reference" => ClaimKind::Reference,
        other => return Err(format!("no claim is called {other:?}")),
    };
    let owner = match owner.as_str() {
        "live" => Owner::Live(id_of(id)?),
        "dead" => Owner::Dead(id_of(id)?),
        "unknown" => Owner::Unknown,
        other => return Err(format!("no owner is called {other:?}")),
    };
    Ok(Claim { kind, owner })
}

fn time_of(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("{text:?} is not a time"))
}

fn row_of(line: RowLine) -> Result<PlanRow, String> {
    let flags: Flags = line.flags.iter().map(|flag| flag.parse()).collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    Ok(PlanRow {
        object: Object {
            key: Key::try_from(line.key)?,
            size: line.size,
            etag: ETag::new(&line.etag),
            last_modified: line.last_modified.as_deref().map(time_of).transpose()?,
            storage_class: StorageClass::new(&line.storage_class),
        },
        verdict: line.verdict.parse()?,
        flags,
        project: line.project.as_deref().map(id_of).transpose()?,
        because: line.evidence.because,
        readings: line
            .evidence
            .readings
            .iter()
            .map(|(layout, id)| Ok((Arc::from(layout.as_str()), id_of(id)?)))
            .collect::<Result<_, String>>()?,
        claims: line.evidence.claims.iter().map(claim_of).collect::<Result<_, String>>()?,
        destination: line.to.map(Key::try_from).transpose()?,
    })
}

fn header_line(plan: &Plan, digest: String) -> HeaderLine {
    let header = &plan.header;
    let total = plan.total();
    HeaderLine {
        schema: SCHEMA,
        plan: header.id.clone(),
        kind: header.kind.name().into(),
        endpoint: header.endpoint.clone(),
        account: header.account.clone(),
        bucket: header.bucket.clone(),
        layouts: header.layouts.clone(),
        registry: header.sources.iter().map(source_line).collect(),
        bucket_objects: header.bucket_objects,
        whole: header.whole,
        scanned_at: header.scanned_at.map(|at| at.to_string()),
        created_at: header.created_at.to_string(),
        expires_at: header.expires_at.to_string(),
        min_age_seconds: header.min_age_seconds,
        caps: CapsLine {
            objects: header.caps.objects,
            bytes: header.caps.bytes,
            bucket_share: header.caps.bucket_share,
            live_project_share: header.caps.live_project_share,
            projects: Some(header.caps.projects),
            missing_share: Some(header.caps.missing_share),
        },
        conditional_deletes: match header.deletes {
            Atomicity::Proved { at } => Some(("proved".into(), at.to_string())),
            Atomicity::ProvedAlone { at } => Some(("proved-alone".into(), at.to_string())),
            Atomicity::Disproved { at } => Some(("disproved".into(), at.to_string())),
            Atomicity::Unmeasured => None,
        },
        guards: header
            .guards
            .iter()
            .map(|guard| GuardLine { name: guard.name.clone(), passed: guard.passed, message: guard.message.clone() })
            .collect(),
        totals: TotalsLine {
            objects: total.objects,
            bytes: total.bytes,
            by_verdict: plan
                .by_verdict()
                .into_iter()
                .map(|(verdict, sum)| (verdict.name().into(), sum.objects))
                .collect(),
            by_project: plan
                .by_project()
                .into_iter()
                .map(|(project, sum)| (project.as_ref().map(id_text).unwrap_or_default(), sum.objects))
                .collect(),
        },
        tool: header.tool.clone(),
        digest,
        seal: String::new(),
    }
}

fn source_line(source: &SourceReport) -> SourceLine {
    SourceLine {
        name: source.name.to_string(),
        projects: source.projects,
        tracked: source.tracked,
        references: source.references,
        read_at: source.read_at.to_string(),
        fingerprint: source.fingerprint.clone(),
    }
}

fn header_of(line: HeaderLine) -> Result<PlanHeader, String> {
    let kind = PlanKind::parse(&line.kind)
        .ok_or_else(|| format!("this program cannot carry out a plan to {:?}", line.kind))?;
    let sources = line.registry.into_iter().map(source_of).collect::<Result<_, String>>()?;
    Ok(PlanHeader {
        id: line.plan,
        kind,
        endpoint: line.endpoint,
        account: line.account,
        bucket: line.bucket,
        layouts: line.layouts,
        sources,
        bucket_objects: line.bucket_objects,
        whole: line.whole,
        scanned_at: line.scanned_at.as_deref().map(time_of).transpose()?,
        created_at: time_of(&line.created_at)?,
        expires_at: time_of(&line.expires_at)?,
        min_age_seconds: line.min_age_seconds,
        caps: Caps {
            objects: line.caps.objects,
            bytes: line.caps.bytes,
            bucket_share: line.caps.bucket_share,
            live_project_share: line.caps.live_project_share,
            projects: line.caps.projects.unwrap_or(Caps::default().projects),
            missing_share: line.caps.missing_share.unwrap_or(Caps::default().missing_share),
        },
        deletes: line.conditional_deletes.map_or(Ok(Atomicity::Unmeasured), atomicity_of)?,
        guards: line
            .guards
            .into_iter()
            .map(|guard| GuardReport { name: guard.name, passed: guard.passed, message: guard.message })
            .collect(),
        tool: line.tool,
        digest: line.digest,
    })
}

fn atomicity_of((word, at): (String, String)) -> Result<Atomicity, String> {
    let at = time_of(&at)?;
    match word.as_str() {
        "proved" => Ok(Atomicity::Proved { at }),
        "proved-alone" => Ok(Atomicity::ProvedAlone { at }),
        "disproved" => Ok(Atomicity::Disproved { at }),
        other => Err(format!("conditional deletes cannot be {other:?}")),
    }
}

fn source_of(line: SourceLine) -> Result<SourceReport, String> {
    Ok(SourceReport {
        name: Arc::from(line.name.as_str()),
        projects: line.projects,
        tracked: line.tracked,
        references: line.references,
        read_at: time_of(&line.read_at)?,
        fingerprint: line.fingerprint,
    })
}

#[cfg(test)]
pub(super) mod tests;
