//! Numbers as people write and read them.

use crate::domain::Timestamp;

/// Steps of 1,024 by their letters.
const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/// Bytes in at most four digits and a unit: `0 B`, `9.8 KiB`, `123 MiB`.
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ if value < 9.95 => format!("{value:.1} {}", UNITS[unit]),
        _ => format!("{value:.0} {}", UNITS[unit]),
    }
}

/// Bytes more or fewer: `+1.2 MiB`, `-3 B`, `0 B`.
pub fn signed_bytes(net: i128) -> String {
    let sign = match net {
        0 => "",
        _ if net > 0 => "+",
        _ => "-",
    };
    format!("{sign}{}", bytes(u64::try_from(net.unsigned_abs()).unwrap_or(u64::MAX)))
}

/// A count with a comma every three digits.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 object`, `2 objects`.
pub fn objects(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "object" } else { "objects" })
}

/// A length of time in its two largest units: `3 d 4 h`, `12 s`.
pub fn seconds(total: i64) -> String {
    let units = [("y", 31_557_600), ("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = total.unsigned_abs();
    let mut parts = Vec::new();
    for (name, length) in units {
        if rest >= length && parts.len() < 2 {
            parts.push(format!("{} {name}", rest / length));
            rest %= length;
        } else if !parts.is_empty() {
            break;
        }
    }
    let text = if parts.is_empty() { "0 s".into() } else { parts.join(" ") };
    if total < 0 { format!("in {text}") } else { text }
}

/// A day: `2026-11-21`.
pub fn day(at: Timestamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

/// A time of day: `10:02:03`.
pub fn time_of_day(at: Timestamp) -> String {
    at.to_string().get(11..19).unwrap_or_default().to_owned()
}

/// `1 request`, `14 requests`.
pub fn requests(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "request" } else { "requests" })
}

/// `14 requests`, and what they cost where that is known: `14 requests, less than $0.01`.
pub fn priced_requests(number: u64, price: Option<f64>) -> String {
    let price = price.map(|price| format!(", {}", dollars(price))).unwrap_or_default();
    format!("{}{price}", requests(number))
}

/// An amount of dollars, exact enough to be more than nothing.
pub fn dollars(amount: f64) -> String {
    match amount {
        0.0 => "$0".into(),
        _ if amount < 0.01 => "less than $0.01".into(),
        _ => format!("${amount:.2}"),
    }
}

/// Reads `10M`, `1.5GiB`, `300`: steps of 1,024.
///
/// # Errors
/// What is wrong, with an example.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size; write it like 10M");
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let value: f64 = text[..split].parse().map_err(|_| wrong())?;
    let power = match text[split..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return Err(wrong()),
    };
    Ok((value * 1024f64.powi(power)) as u64)
}

/// Reads `30d`, `12h`, `2w`, `1y` into seconds.
///
/// # Errors
/// What is wrong, with an example.
pub fn parse_age(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is not an age; write it like 30d");
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let value: f64 = text[..split].parse().map_err(|_| wrong())?;
    let unit = match &text[split..] {
        "s" => 1.0,
        "min" | "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        "y" => 31_557_600.0,
        _ => return Err(wrong()),
    };
    Ok((value * unit) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let sizes: &[(u64, &str)] = &[
            (0, "0 B"),
            (999, "999 B"),
            (1024, "1.0 KiB"),
            (10_240, "10 KiB"),
            (1 << 30, "1.0 GiB"),
            (1_023 << 20, "1.0 GiB"),
        ];
        for (number, text) in sizes {
            assert_eq!(bytes(*number), *text);
        }
        let counts: &[(u64, &str)] =
            &[(0, "0"), (999, "999"), (1000, "1,000"), (48_031, "48,031"), (1_234_567, "1,234,567")];
        for (number, text) in counts {
            assert_eq!(count(*number), *text);
        }
        let times: &[(i64, &str)] =
            &[(0, "0 s"), (61, "1 min 1 s"), (86_400, "1 d"), (90_000, "1 d 1 h"), (-60, "in 1 min")];
        for (number, text) in times {
            assert_eq!(seconds(*number), *text);
        }
        assert_eq!(dollars(15.0), "$15.00");
        assert_eq!(priced_requests(1, None), "1 request");
        assert_eq!(priced_requests(1_400, Some(0.0063)), "1,400 requests, less than $0.01");
        assert_eq!(priced_requests(2_000_000, Some(9.0)), "2,000,000 requests, $9.00");
    }

    #[test]
    fn sizes_and_ages_are_read() {
        assert_eq!(parse_bytes("10M"), Ok(10 << 20));
        assert_eq!(parse_bytes("1.5k"), Ok(1536));
        assert!(parse_bytes("big").expect_err("no size").contains("10M"));
        assert_eq!(parse_age("30d"), Ok(30 * 86_400));
        assert!(parse_age("30").expect_err("no unit").contains("30d"));
    }
}
