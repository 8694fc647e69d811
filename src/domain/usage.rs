//! Who uses how much of a bucket, and what that costs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::block_sums::Sum;
use super::inventory::Inventory;
use super::judge::by_keys_alone;
use super::key::Escaped;
use super::layout::Layouts;
use super::object::Timestamp;
use super::prices::Prices;
use super::project::IdRules;
use super::totals::Tally;
use super::verdict::{Field, Reading};

const DAY: i64 = 86_400;

/// Ages by their upper bounds in seconds, the youngest first.
const AGES: [(i64, &str); 5] = [
    (7 * DAY, "up to 7 d"),
    (30 * DAY, "7 d to 30 d"),
    (90 * DAY, "30 d to 90 d"),
    (365 * DAY, "90 d to 1 y"),
    (i64::MAX, "over 1 y"),
];

/// What R2's S3 API calls its cheaper class (developers.cloudflare.com/r2/buckets/storage-classes).
const INFREQUENT: &str = "STANDARD_IA";

/// By what objects are grouped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The project that the key names.
    Project,
    /// The user that it names.
    User,
    /// Its layout.
    Layout,
    /// The kind of media that it names, else the ending of the key.
    Type,
    /// How long ago the object was changed.
    Age,
}

impl By {
    /// Every way of grouping.
    pub const ALL: [By; 5] = [By::Project, By::User, By::Layout, By::Type, By::Age];

    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            By::Project => "project",
            By::User => "user",
            By::Layout => "layout",
            By::Type => "type",
            By::Age => "age",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = By::ALL.map(By::name).join(", ");
        By::ALL.into_iter().find(|by| by.name() == text).ok_or_else(|| format!("write one of {names}"))
    }
}

/// Objects and bytes of a group, by what they cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Use {
    /// All of them.
    pub all: Tally,
    /// Those of the infrequent-access class.
    pub infrequent: Tally,
}

impl Use {
    /// What it costs in a month, in dollars.
    pub fn dollars_a_month(&self, prices: &Prices) -> f64 {
        let standard = self.all.bytes.saturating_sub(self.infrequent.bytes);
        (standard as f64 * prices.standard + self.infrequent.bytes as f64 * prices.infrequent) / 1e9
    }
}

/// The groups of the objects under a prefix, those with the most bytes first (ages in their order), and all of them
/// together. What no layout reads, or has no time, is in the group `None`. No registry is asked.
pub fn usage(
    inventory: &Inventory,
    prefix: &[u8],
    by: By,
    layouts: &Layouts,
    ids: &IdRules,
    now: Timestamp,
) -> (Vec<(Option<String>, Use)>, Use) {
    let mut groups: BTreeMap<Option<String>, Use> = BTreeMap::new();
    let mut total = Use::default();
    let projects = (by == By::Project).then(|| by_keys_alone(inventory, layouts, ids));
    inventory.scan(inventory.range(prefix), |index, key, fields| {
        let group = match by {
            By::Project => projects.as_ref().and_then(|all| Some(all.project_id(all.project(index)?).to_string())),
            By::Age => fields.last_modified.map(|at| age(now.seconds_since(at)).to_owned()),
            By::User | By::Layout | By::Type => {
                layouts.readings(key, ids).list.first().map(|reading| name(reading, by, key))
            }
        };
        let mut one = Tally::default();
        one.count(fields.size);
        let is_infrequent = inventory.storage_class(index).as_str() == INFREQUENT;
        for used in [groups.entry(group).or_default(), &mut total] {
            used.all.add(&one);
            if is_infrequent {
                used.infrequent.add(&one);
            }
        }
    });
    let mut groups: Vec<(Option<String>, Use)> = groups.into_iter().collect();
    match by {
        By::Age => groups.sort_by_key(|(group, _)| AGES.iter().position(|(_, age)| group.as_deref() == Some(age))),
        _ => groups.sort_by_key(|(_, used)| std::cmp::Reverse(used.all.bytes)),
    }
    (groups, total)
}

fn age(seconds: i64) -> &'static str {
    AGES.iter().find(|(bound, _)| seconds <= *bound).map_or("", |(_, name)| *name)
}

fn name(reading: &Reading, by: By, key: &[u8]) -> String {
    let field = |field: Field| reading.field(field).map(|value| Escaped(value).to_string());
    match by {
        By::User => field(Field::User).unwrap_or_else(|| "(no user)".into()),
        By::Layout => reading.layout.to_string(),
        By::Project | By::Type | By::Age => field(Field::Type).unwrap_or_else(|| ending(key)),
    }
}

/// `.mp4`; what has no ending is said to have none.
fn ending(key: &[u8]) -> String {
    let file = memchr::memrchr(b'/', key).map_or(key, |slash| &key[slash + 1..]);
    match memchr::memrchr(b'.', file) {
        Some(dot) if dot > 0 && dot + 1 < file.len() => Escaped(&file[dot..]).to_string().to_lowercase(),
        _ => "(no ending)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples::inventory_of;
    use crate::domain::{ETag, Key, Object, StorageClass};

    const NOW: Timestamp = Timestamp(1_795_255_200_000);

    fn bucket() -> Inventory {
        let object = |key: &str, size: u64, days: Option<i64>, class: &str| Object {
            key: Key::from(key),
            size,
            etag: ETag::new("e"),
            last_modified: days.map(|days| NOW.plus_seconds(-days * DAY)),
            storage_class: StorageClass::new(class),
        };
        inventory_of([
            object("README.txt", 1, None, ""),
            object("audio/proj_1/s/a.mp3", 20, Some(1), ""),
            object("proj_proj_1_s_media.mp4", 300, Some(20), "STANDARD_IA"),
            object("users/ada/projects/proj_10/output/final.MP4", 4000, Some(400), ""),
            object("users/ada/projects/proj_10/scenes/s/audio/a.mp3", 50_000, Some(7), ""),
        ])
    }

    fn check(prefix: &str, by: By, expected: &[(&str, u64, u64)]) {
        let layouts = Layouts::autoshorts();
        let ids = IdRules { prefix: layouts.id_prefix().into(), fold_nfc: false };
        let (groups, total) = usage(&bucket(), prefix.as_bytes(), by, &layouts, &ids, NOW);
        let found: Vec<(String, u64, u64)> = groups
            .into_iter()
            .map(|(name, used)| (name.unwrap_or_else(|| "-".into()), used.all.objects, used.all.bytes))
            .collect();
        let found: Vec<(&str, u64, u64)> =
            found.iter().map(|(name, objects, bytes)| (name.as_str(), *objects, *bytes)).collect();
        assert_eq!(found, expected, "{by}");
        assert_eq!(total.all.bytes, expected.iter().map(|(_, _, bytes)| bytes).sum::<u64>());
    }

    #[test]
    fn objects_are_counted_under_whom_their_keys_name() {
        check("", By::Project, &[("10", 2, 54_000), ("1", 2, 320), ("-", 1, 1)]);
        check("", By::User, &[("ada", 2, 54_000), ("(no user)", 2, 320), ("-", 1, 1)]);
        check("", By::Type, &[("audio", 2, 50_020), (".mp4", 1, 4000), ("media", 1, 300), ("-", 1, 1)]);
        check("audio/", By::Project, &[("1", 1, 20)]);
        let ages = [("-", 1, 1), ("up to 7 d", 2, 50_020), ("7 d to 30 d", 1, 300), ("over 1 y", 1, 4000)];
        check("", By::Age, &ages);
    }

    #[test]
    fn each_class_has_its_price() {
        let layouts = Layouts::autoshorts();
        let (_, total) = usage(&bucket(), b"", By::Layout, &layouts, &IdRules::default(), NOW);
        assert_eq!((total.all.bytes, total.infrequent.bytes), (54_321, 300));
        let prices = Prices { standard: 1e9, infrequent: 1e6, requests: None };
        assert_eq!(total.dollars_a_month(&prices), 54_021.0 + 0.3);
    }
}
