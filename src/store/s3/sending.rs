//! How deletions are written, where stores differ. Nothing but a measurement decides on it.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::domain::Timestamp;

/// The condition that R2 documents for deletions (r2/api/s3/api).
pub(super) const IF_TIME: &str = "x-amz-if-match-last-modified-time";

/// How a time is written in R2's condition on the time of the last change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeForm {
    /// As listings write it: `2026-11-21T10:00:00.123Z`.
    Rfc3339,
    /// As HTTP writes it, to the second: `Sat, 21 Nov 2026 10:00:00 GMT`.
    Http,
}

impl TimeForm {
    /// The time in this form; `None` if it has none.
    pub(super) fn write(self, time: Timestamp) -> Option<String> {
        match self {
            TimeForm::Rfc3339 => DateTime::from_millis(time.0).fmt(Format::DateTime).ok(),
            TimeForm::Http => DateTime::from_secs(time.0.div_euclid(1000)).fmt(Format::HttpDate).ok(),
        }
    }
}

/// How deletions are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sending {
    /// A deletion of one key names the ETag.
    pub etag: bool,
    /// A deletion of one key names the time of the last change, in this form.
    pub time: Option<TimeForm>,
    /// A deletion of many keys names the ETag of each.
    pub etags_of_many: bool,
    /// A deletion of many keys carries a CRC32 instead of a Content-MD5.
    pub crc32: bool,
    /// A deletion of many keys asks for an answer that leaves out what was deleted.
    pub quiet: bool,
}

impl Sending {
    /// Every condition that a target names: for measuring, on objects of this program's own.
    pub const MEASURING: Self =
        Self { etag: true, time: Some(TimeForm::Rfc3339), etags_of_many: true, crc32: false, quiet: false };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_listings_and_as_http_do() {
        let time = Timestamp(1_795_255_200_123);
        assert_eq!(TimeForm::Rfc3339.write(time).as_deref(), Some("2026-11-21T10:00:00.123Z"));
        assert_eq!(TimeForm::Http.write(time).as_deref(), Some("Sat, 21 Nov 2026 10:00:00 GMT"));
    }
}
