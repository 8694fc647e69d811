//! Values as written, and what they mean.

use std::fmt::{self, Write};

use super::references::ReferenceSettings;
use crate::domain::via::Via;

/// A value as one of the layers has it.
#[derive(Clone, PartialEq)]
pub(super) enum Raw {
    /// From a flag or a variable, where everything is text.
    Untyped(String),
    /// Text in TOML.
    Text(String),
    /// A whole number in TOML.
    Integer(i64),
    /// A number in TOML.
    Float(f64),
    /// A truth value in TOML.
    Boolean(bool),
    /// A list of texts in TOML.
    List(Vec<String>),
    /// Places that refer to objects, in TOML.
    Places(Vec<ReferenceSettings>),
    /// Anything else in TOML, by the name of its kind.
    Other(&'static str),
}

impl Raw {
    /// The value for a message, if it may be repeated, else its kind.
    pub(super) fn describe(&self, may_repeat: bool) -> String {
        match self {
            Raw::Untyped(text) | Raw::Text(text) if may_repeat => format!("{text:?}"),
            Raw::Integer(number) if may_repeat => number.to_string(),
            Raw::Float(number) if may_repeat => number.to_string(),
            Raw::Boolean(value) if may_repeat => value.to_string(),
            Raw::Untyped(_) => String::from("what it is (not repeated here)"),
            Raw::Text(_) => String::from("this text (not repeated here)"),
            Raw::Integer(_) | Raw::Float(_) => String::from("a number"),
            Raw::Boolean(_) => String::from("true or false"),
            Raw::List(_) | Raw::Places(_) => String::from("a list"),
            Raw::Other(kind) => (*kind).to_owned(),
        }
    }
}

/// It is not known here whether the value is a secret.
impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe(false))
    }
}

/// Reads a raw value, or says what it should be.
pub(super) type Parse<T> = fn(&Raw) -> Result<T, &'static str>;

/// Text that is not empty.
pub(super) fn text(raw: &Raw) -> Result<String, &'static str> {
    match raw {
        Raw::Untyped(text) | Raw::Text(text) if !text.trim().is_empty() => Ok(text.clone()),
        _ => Err("text"),
    }
}

/// A bucket's name as S3 and R2 allow it, and as older buckets have it; mostly: not a path, not an address.
pub(super) fn bucket(raw: &Raw) -> Result<String, &'static str> {
    let expected = "the name of a bucket: letters, digits, '.', '-' and '_'";
    let name = text(raw).map_err(|_| expected)?;
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if fits { Ok(name) } else { Err(expected) }
}

/// A truth value.
pub(super) fn boolean(raw: &Raw) -> Result<bool, &'static str> {
    match raw {
        Raw::Boolean(value) => Ok(*value),
        Raw::Untyped(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("true or false"),
        },
        _ => Err("true or false"),
    }
}

/// A whole number that is not negative.
pub(super) fn count(raw: &Raw) -> Result<u64, &'static str> {
    let number = match raw {
        Raw::Integer(number) => u64::try_from(*number).ok(),
        Raw::Untyped(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or("a whole number")
}

/// Requests at the same time.
pub(super) fn concurrency(raw: &Raw) -> Result<usize, &'static str> {
    let fits = count(raw).ok().and_then(|count| usize::try_from(count).ok()).filter(|count| (1..=512).contains(count));
    fits.ok_or("a whole number from 1 to 512")
}

/// A number of files to keep.
pub(super) fn few(raw: &Raw) -> Result<usize, &'static str> {
    let fits = count(raw).ok().and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= 1000);
    fits.ok_or("a whole number up to 1000")
}

/// A price in dollars.
pub(super) fn price(raw: &Raw) -> Result<f64, &'static str> {
    let price = match raw {
        Raw::Float(number) => Some(*number),
        Raw::Integer(number) => Some(*number as f64),
        Raw::Untyped(text) | Raw::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    price.filter(|price: &f64| price.is_finite() && *price >= 0.0).ok_or("a number of dollars like 0.015")
}

/// A way of deleting.
pub(super) fn executor(raw: &Raw) -> Result<Via, &'static str> {
    text(raw)?.parse().map_err(|_| "batch, single or sequential")
}

/// A list of texts; in a variable they are separated by commas.
pub(super) fn list(raw: &Raw) -> Result<Vec<String>, &'static str> {
    match raw {
        Raw::List(list) if list.iter().all(|text| !text.is_empty()) => Ok(list.clone()),
        Raw::Untyped(text) => {
            Ok(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Into::into).collect())
        }
        _ => Err("a list of texts that are not empty"),
    }
}

const SIZE: &str = "a number of bytes such as 1000000, \"500 MB\" or \"2 GiB\"";

/// A number of bytes.
pub(super) fn size(raw: &Raw) -> Result<u64, &'static str> {
    match raw {
        Raw::Integer(number) => u64::try_from(*number).map_err(|_| SIZE),
        Raw::Untyped(text) | Raw::Text(text) => parse_size(text).ok_or(SIZE),
        _ => Err(SIZE),
    }
}

/// Reads a number of bytes: `1000000`, `500 MB` (powers of 1000), `2GiB` (powers of 1024), `1.5 TB`.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim().to_ascii_lowercase());
    let powers = ["b", "k", "m", "g", "t", "p"];
    let power = |letter: &str| powers.iter().position(|&known| known == letter);
    let (base, power): (u64, usize) = match unit.as_str() {
        "" | "b" => (1, 0),
        unit if unit.ends_with("ib") => (1024, power(unit.strip_suffix("ib")?)?),
        unit => (1000, power(unit.strip_suffix('b').unwrap_or(unit))?),
    };
    let factor = base.checked_pow(u32::try_from(power).ok()?)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let (whole, fraction) = number.split_once('.')?;
    let digits = u32::try_from(fraction.len()).ok()?;
    let scaled: u64 = format!("{whole}{fraction}").parse().ok()?;
    u64::try_from(u128::from(scaled) * u128::from(factor) / 10u128.checked_pow(digits)?).ok()
}

const SHARE: &str = "a share such as \"20%\" or 0.2";

/// A share from 0 to 1.
pub(super) fn share(raw: &Raw) -> Result<f64, &'static str> {
    let share = match raw {
        Raw::Float(number) => Some(*number),
        Raw::Integer(0) => Some(0.0),
        Raw::Integer(1) => Some(1.0),
        Raw::Untyped(text) | Raw::Text(text) => parse_share(text),
        _ => None,
    };
    share.filter(|share| (0.0..=1.0).contains(share)).ok_or(SHARE)
}

/// Reads a share: `20%` or `0.2`. From 0 to 1.
pub fn parse_share(text: &str) -> Option<f64> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

/// An age in seconds.
pub(super) fn age(raw: &Raw) -> Result<i64, &'static str> {
    let parsed = match raw {
        Raw::Untyped(text) | Raw::Text(text) => parse_age(text),
        _ => None,
    };
    parsed.ok_or("an age such as \"7d\", \"36h\" or \"1d12h\"")
}

/// Units of age, the longest first, in seconds.
const UNITS: [(char, i64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads an age in seconds: `7d`, `36h`, `1d12h`; units w, d, h, m (minutes) and s, each at most once, the longest first.
pub fn parse_age(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut seconds: i64 = 0;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let split = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..split].parse().ok()?;
        let unit = rest[split..].chars().next()?;
        let (_, length) = units.find(|(known, _)| *known == unit)?;
        seconds = seconds.checked_add(number.checked_mul(*length)?)?;
        rest = &rest[split + unit.len_utf8()..];
    }
    (!text.trim().is_empty()).then_some(seconds)
}

/// Writes an age as [`parse_age`] reads it, in days at most: `7d`, `1d12h`.
pub fn age_text(seconds: i64) -> String {
    let mut rest = seconds.max(0);
    let mut text = String::new();
    for (unit, length) in &UNITS[1..] {
        if rest >= *length {
            let _ = write!(text, "{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() { String::from("0s") } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ages() {
        let check = |text: &str, seconds: Option<i64>| assert_eq!(parse_age(text), seconds, "{text}");
        check("7d", Some(604_800));
        check("1w", Some(604_800));
        check("24h", Some(86_400));
        check("1d12h", Some(129_600));
        check(" 90m ", Some(5_400));
        check("0s", Some(0));
        for wrong in
            ["", "7", "d", "7 d", "-7d", "7D", "1h1d", "1d1d", "7days", "99999999999999999999d", "9999999999999999w"]
        {
            check(wrong, None);
        }
    }

    #[test]
    fn sizes() {
        let check = |text: &str, bytes: Option<u64>| assert_eq!(parse_size(text), bytes, "{text}");
        check("0", Some(0));
        check("500 MB", Some(500_000_000));
        check("500M", Some(500_000_000));
        check("2GiB", Some(2 << 30));
        check("1.5 kB", Some(1_500));
        check("7b", Some(7));
        for wrong in ["", "MB", "-1", "1.2.3", "5 XB", "5 MiBs", "99999999999 PB"] {
            check(wrong, None);
        }
    }

    #[test]
    fn shares() {
        let check = |text: &str, share: Option<f64>| assert_eq!(parse_share(text), share, "{text}");
        check("20%", Some(0.2));
        check("0.2", Some(0.2));
        check("100 %", Some(1.0));
        check("120%", None);
        check("-1%", None);
        check("NaN", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn an_age_is_read_as_it_is_written(seconds in 0i64..=i64::MAX) {
            prop_assert_eq!(parse_age(&age_text(seconds)), Some(seconds));
        }
    }
}
