//! The one place where status codes, error codes and network failures become meanings.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::error::SdkError;
use aws_smithy_types::date_time::Format;

use super::wire::Answer;
use super::xml::{self, Breach, ErrorDocument};
use crate::domain::key::Escaped;
use crate::domain::{Key, Timestamp};
use crate::store::{ErrorKind, Said, StoreError, StoreIdentity};

/// Longest text of a server that a message repeats, in bytes.
const MAX_QUOTED: usize = 300;

/// What was attempted, and where: the beginning of every message.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    /// For example `listing`, `deleting 1000 keys`.
    pub(super) what: &'a str,
    pub(super) at: &'a StoreIdentity,
}

impl Attempt<'_> {
    /// An error of this attempt.
    pub(super) fn error(&self, kind: ErrorKind, why: &str) -> StoreError {
        let host = self.at.endpoint.split("://").last().unwrap_or_default();
        let attempt = format!("{} bucket {} at {host}", self.what, Escaped(self.at.bucket.as_bytes()));
        StoreError { attempt, ..StoreError::new(kind, why) }
    }

    /// An answer that breaks the protocol.
    pub(super) fn malformed(&self, breach: &Breach) -> StoreError {
        self.error(ErrorKind::Malformed, &quoted(&breach.0))
    }

    /// What an answer means that is not the success that was hoped for. `<Error>` documents count with any status.
    pub(super) fn refused(&self, answer: &Answer) -> StoreError {
        let document = xml::error_document(&answer.body).unwrap_or_else(|| ErrorDocument {
            code: header(answer, "x-minio-error-code"),
            message: header(answer, "x-minio-error-desc"),
            region: None,
        });
        if document.code.is_empty() && answer.status == 200 {
            let why = "the answer has status 200 and is not the one asked for";
            return StoreError {
                said: Said { status: Some(200), code: None },
                ..self.error(ErrorKind::Malformed, why)
            };
        }
        let kind = meaning(answer.status, &document.code, &document.message);
        let mut why = String::from(explanation(kind));
        if kind == ErrorKind::ClockSkew {
            why.push_str(&skew(answer.server_time()));
        }
        let _ = write!(why, " (HTTP {}", answer.status);
        for part in [&document.code, &document.message] {
            if !part.is_empty() {
                let _ = write!(why, ", {}", quoted(part));
            }
        }
        if let Some(region) = document.region.or_else(|| answer.header("x-amz-bucket-region").map(str::to_owned)) {
            let _ = write!(why, ", the bucket is in region {}", quoted(&region));
        }
        why.push(')');
        let said = Said { status: Some(answer.status), code: code(&document.code) };
        StoreError { said, retry_after: retry_after(answer), ..self.error(kind, &why) }
    }

    /// What an answer means that refuses one key of many. Such a line has no status of its own.
    pub(super) fn refused_key(&self, kind: ErrorKind, key: &Key, code: &str, message: &str) -> StoreError {
        let what = format!("deleting {} from", key.escaped());
        let why = format!("{} ({}, {})", explanation(kind), quoted(code), quoted(message));
        let said = Said { status: None, code: self::code(code) };
        StoreError { said, ..Attempt { what: &what, ..*self }.error(kind, &why) }
    }

    /// What it means that there is no whole answer.
    pub(super) fn failed<E, R>(&self, error: SdkError<E, R>) -> StoreError
    where
        E: std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let (kind, source) = match error {
            SdkError::TimeoutError(_) => return self.error(ErrorKind::Timeout, "no answer in time"),
            SdkError::ConstructionFailure(_) => (ErrorKind::Invalid, error.into_source()),
            SdkError::DispatchFailure(ref failure) if failure.is_timeout() => (ErrorKind::Timeout, error.into_source()),
            SdkError::DispatchFailure(ref failure) if failure.is_user() => (ErrorKind::Invalid, error.into_source()),
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => (ErrorKind::Unreachable, error.into_source()),
            _ => (ErrorKind::Other, error.into_source()),
        };
        let Ok(source) = source else { return self.error(kind, "the request failed") };
        let mut causes = vec![source.to_string()];
        let mut cause = source.source();
        while let Some(inner) = cause {
            causes.push(inner.to_string());
            cause = inner.source();
        }
        causes.dedup();
        let text = causes.join(": ");
        let no_credentials = text.contains("credentials provider") || text.contains("failed to load IMDS");
        match kind {
            _ if no_credentials => {
                self.error(ErrorKind::Unauthenticated, "no credentials could be had for the request")
            }
            ErrorKind::Unreachable => self.error(kind, &format!("{} ({})", network(&text), quoted(&text))),
            kind => self.error(kind, &quoted(&text)),
        }
    }
}

/// What the store says, by its code first and its status second. Codes: AWS "Error responses", R2 "Error codes".
pub(super) fn meaning(status: u16, code: &str, message: &str) -> ErrorKind {
    match code {
        "NoSuchBucket" => ErrorKind::NoSuchBucket,
        "NoSuchKey" | "NoSuchVersion" => ErrorKind::NotFound,
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "ExpiredRequest" => ErrorKind::Expired,
        "RequestTimeTooSkewed" | "RequestExpired" => ErrorKind::ClockSkew,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidToken"
        | "InvalidSecurity"
        | "NotSignedUp"
        | "Unauthorized"
        | "AuthorizationQueryParametersError"
        | "MissingAuthenticationToken" => ErrorKind::Unauthenticated,
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "Redirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException"
        | "InvalidRegionName"
        | "InvalidRegion" => ErrorKind::WrongRegion,
        // R2 10069 and the retention rules of others; all of them come as 403 or 409 beside plain refusals.
        "ObjectLockedByBucketPolicy" | "ObjectLocked" | "InvalidRetentionPeriod" => ErrorKind::Locked,
        "AccessDenied" | "Forbidden" | "NotEntitled" | "AllAccessDisabled" | "AccountProblem" if is_lock(message) => {
            ErrorKind::Locked
        }
        "AccessDenied" | "Forbidden" | "NotEntitled" | "AllAccessDisabled" | "AccountProblem" => ErrorKind::Denied,
        "SlowDown" | "TooManyRequests" | "RequestLimitExceeded" | "Throttling" | "ThrottlingException" => {
            ErrorKind::Throttled
        }
        "InternalError" | "ServiceUnavailable" | "OperationAborted" | "ConditionalRequestConflict" => {
            ErrorKind::Unavailable
        }
        "RequestTimeout" => ErrorKind::Timeout,
        "PreconditionFailed" => ErrorKind::PreconditionFailed,
        "NotImplemented" | "MethodNotAllowed" | "RouteNotFound" => ErrorKind::Unsupported,
        _ => meaning_of_status(status),
    }
}

fn meaning_of_status(status: u16) -> ErrorKind {
    match status {
        301 | 302 | 303 | 307 | 308 => ErrorKind::WrongRegion,
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        405 | 501 => ErrorKind::Unsupported,
        408 => ErrorKind::Timeout,
        409 | 500 | 502 | 504 => ErrorKind::Unavailable,
        412 => ErrorKind::PreconditionFailed,
        // R2 documents no SlowDown; any 503 asks for fewer requests.
        429 | 503 => ErrorKind::Throttled,
        400..=499 => ErrorKind::Invalid,
        505..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Other,
    }
}

fn is_lock(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["10069", "lock", "retention", "worm", "legal hold"].iter().any(|word| message.contains(word))
}

fn explanation(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NoSuchBucket => {
            "there is no such bucket here; a bucket of another account or, on R2, of another jurisdiction has another endpoint"
        }
        ErrorKind::NotFound => "not found",
        ErrorKind::Denied => "the credentials do not permit this",
        ErrorKind::Unauthenticated => "the store does not accept the credentials: wrong access key id or wrong secret",
        ErrorKind::Expired => "the credentials have expired",
        ErrorKind::ClockSkew => "the clocks of this machine and of the store differ too much",
        ErrorKind::Throttled => "too many requests",
        ErrorKind::Unavailable => "the store failed; whether it carried out the request is not known",
        ErrorKind::Timeout => "no answer in time",
        ErrorKind::Unreachable => "no connection",
        ErrorKind::PreconditionFailed => "the object is no longer the one that was meant",
        ErrorKind::Locked => "a lock or retention rule forbids it",
        ErrorKind::WrongRegion => {
            "the bucket is elsewhere: the endpoint or the region does not match, and redirects are not followed"
        }
        ErrorKind::Malformed => "the answer breaks the protocol",
        ErrorKind::Unsupported => "the store does not implement this",
        ErrorKind::Invalid => "the store refused the request as invalid",
        ErrorKind::Other => "the request failed",
    }
}

/// The kind of network failure in words; the texts are those of hyper, rustls and the resolver.
fn network(text: &str) -> &'static str {
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["dns", "lookup address", "name or service"]) {
        "the host name cannot be resolved"
    } else if has(&["refused"]) {
        "the connection was refused"
    } else if has(&["certificate", "tls", "handshake"]) {
        "the TLS connection failed"
    } else if has(&["reset", "closed", "incomplete", "broken pipe", "end of file"]) {
        "the connection broke off"
    } else {
        "no connection"
    }
}

fn skew(server_time: Option<Timestamp>) -> String {
    let here = SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|now| i64::try_from(now.as_millis()).ok());
    match (here, server_time) {
        (Some(here), Some(there)) => {
            let seconds = Timestamp(here).seconds_since(there);
            let direction = if seconds < 0 { "behind" } else { "ahead of" };
            format!("; this machine is {} s {direction} the store", seconds.abs())
        }
        _ => String::new(),
    }
}

/// `Retry-After` as seconds or as a date (RFC 9110 10.2.3).
fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(text)?;
    let now = answer.server_time()?;
    u64::try_from(until.seconds_since(now)).ok().map(Duration::from_secs)
}

/// A date of an HTTP header, such as `Sat, 21 Nov 2026 10:00:00 GMT`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    let date = aws_smithy_types::DateTime::from_str(text, Format::HttpDate).ok()?;
    date.to_millis().ok().map(Timestamp)
}

/// An error code as evidence.
fn code(text: &str) -> Option<Box<str>> {
    (!text.is_empty()).then(|| quoted(text).into())
}

fn header(answer: &Answer, name: &str) -> String {
    answer.header(name).unwrap_or_default().to_owned()
}

/// A text of the server, safe for a terminal and of bounded length.
fn quoted(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_QUOTED);
    let cut = if end < text.len() { "..." } else { "" };
    format!("{}{cut}", Escaped(&text.as_bytes()[..end]))
}
