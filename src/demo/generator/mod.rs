//! Which objects the embedded bucket has and what its registry knows of them: the same for the same seed.
//!
//! A fixed cast of projects shows every situation once (`cast`), odd keys stand beside it (`oddities`), and as many
//! ordinary projects as are asked for fill the rest (`filler`). Each object carries the verdict that it was made for,
//! so that an audit can be checked against it.

mod cast;
mod filler;
mod oddities;
mod shapes;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod audit;

use super::content::Kind;
use super::random::Random;
use crate::domain::Verdict;

/// A deleted project whose objects are left in every shape that the app ever wrote.
pub const DELETED_PROJECT: &str = "proj_1";

/// A live project that a careless match takes for [`DELETED_PROJECT`].
pub const LIVE_LOOKALIKE: &str = "proj_10";

/// The age of the oldest objects: two years.
pub const OLDEST_SECONDS: i64 = 2 * 365 * DAY_SECONDS;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// One object to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleObject {
    /// Exact key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// What tells its content from others; equal for duplicates.
    pub tag: u128,
    /// Milliseconds before the start of the demo.
    pub age_ms: i64,
    /// What an audit with the shipped layouts and this registry is to find.
    pub verdict: Verdict,
}

/// One row of `r2_objects`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackingRow {
    /// The project's id as the app spells it.
    pub project: String,
    /// The scene's id, if the object belongs to one.
    pub scene: Option<String>,
    /// The key as it was uploaded.
    pub key: String,
    /// `audio`, `video`, `media` or `thumbnails`.
    pub file_type: &'static str,
    /// Seconds before the start of the demo.
    pub age_seconds: i64,
}

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sample {
    /// The objects, in no order, each key once.
    pub objects: Vec<SampleObject>,
    /// The live projects' ids as the app spells them.
    pub projects: Vec<String>,
    /// The tracked keys.
    pub rows: Vec<TrackingRow>,
}

/// Makes the sample data for a seed: `objects` of them, or the fixed part alone if that is more; 0 makes none at all,
/// but leaves the projects in the registry.
pub fn generate(objects: u64, seed: u64) -> Sample {
    let mut maker = Maker { random: Random::new(seed), sample: Sample::default() };
    cast::add(&mut maker);
    oddities::add(&mut maker);
    filler::add(&mut maker, objects);
    let mut sample = maker.sample;
    if objects == 0 {
        sample.objects.clear();
        sample.rows.clear();
    }
    sample
}

/// A project while its objects are made.
#[derive(Clone, Debug)]
struct Project {
    /// As the registry spells it: `proj_1`, or 24 hexadecimal digits.
    id: String,
    user: String,
    live: bool,
    /// The age of its oldest object, in days.
    days: i64,
}

impl Project {
    /// `proj_` and the id without it: how every shape but the canonical ones spells it.
    fn prefixed(&self) -> String {
        format!("proj_{}", self.id.strip_prefix("proj_").unwrap_or(&self.id))
    }

    /// What the defect of the early uploader made of it.
    fn doubled(&self) -> String {
        format!("proj_{}", self.prefixed())
    }
}

/// Collects what is made.
#[derive(Debug)]
struct Maker {
    random: Random,
    sample: Sample,
}

impl Maker {
    /// Adds an object that is about `days` old, of a size that is usual for its kind.
    fn add(&mut self, key: String, days: i64, verdict: Verdict) -> &mut SampleObject {
        let kind = Kind::of_key(&key);
        let (low, high) = usual_sizes(kind, &key);
        let size = self.random.between(low, high).max(kind.smallest());
        let tag = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
        let age_ms = (days * DAY_SECONDS * 1000 + self.random.below(DAY_SECONDS as u64 * 1000) as i64)
            .clamp(60_000, OLDEST_SECONDS * 1000);
        let at = self.sample.objects.len();
        self.sample.objects.push(SampleObject { key, size, tag, age_ms, verdict });
        &mut self.sample.objects[at]
    }

    /// Adds an object of a project, about as old as the project.
    fn add_to(&mut self, project: &Project, file: &shapes::File, verdict: Verdict) {
        let days = project.days - self.random.below(7) as i64;
        self.add(file.key.clone(), days, verdict);
    }

    /// Adds a row for the object that was added last, written when it was uploaded.
    fn track(&mut self, project: &str, file: &shapes::File) {
        let age_seconds = self.sample.objects.last().map_or(0, |object| object.age_ms / 1000);
        self.sample.rows.push(TrackingRow {
            project: project.to_owned(),
            scene: file.scene.clone(),
            key: file.key.clone(),
            file_type: file.file_type,
            age_seconds,
        });
    }

    /// Adds an object of a live project with its row.
    fn add_live(&mut self, project: &Project, file: &shapes::File) {
        self.add_to(project, file, Verdict::Live);
        self.track(&project.id, file);
    }

    /// Names a project in the registry if it is live.
    fn register(&mut self, project: &Project) {
        if project.live {
            self.sample.projects.push(project.id.clone());
        }
    }
}

/// Bytes, from and to.
fn usual_sizes(kind: Kind, key: &str) -> (u64, u64) {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match kind {
        Kind::Mp4 if key.contains("/output/") => (20 * MIB, 180 * MIB),
        Kind::Mp4 => (800 * KIB, 30 * MIB),
        Kind::Mp3 => (90 * KIB, 2 * MIB),
        Kind::Png => (40 * KIB, 900 * KIB),
        Kind::Jpeg => (15 * KIB, 400 * KIB),
        Kind::Json => (200, 20 * KIB),
        Kind::Text => (80, 8 * KIB),
    }
}
