//! What the driver's errors mean. Its texts are shortened to what a person can use, and scrubbed: servers and the driver
//! repeat parts of commands and addresses.

use mongodb::error::{Error, ErrorKind};

use crate::registry::RegistryError;

/// As much of a server's text as is shown.
const LONGEST_TEXT: usize = 300;

/// `Unauthorized` (these numbers are in MongoDB's src/mongo/base/error_codes.yml).
const UNAUTHORIZED: i32 = 13;

/// `AuthenticationFailed`, and what Atlas says instead.
const NOT_AUTHENTICATED: [i32; 2] = [18, 8000];

/// The server does not do what it is asked, and will not do so the next time: `FailedToParse`, `CommandNotFound`,
/// `InvalidOptions`, `ReadConcernMajorityNotEnabled`, `NotAReplicaSet`.
const NOT_SERVED: [i32; 5] = [9, 59, 72, 148, 123];

/// Turns errors of one source into ours.
pub(super) struct Errors {
    pub(super) name: String,
    pub(super) secrets: Vec<String>,
}

impl Errors {
    /// While `what` is read; what was read of it until then is not all of it.
    pub(super) fn asking(&self, error: &Error, what: &str) -> RegistryError {
        match &*error.kind {
            ErrorKind::ServerSelection { message, .. } => self.unreachable(no_server(message)),
            ErrorKind::Authentication { message, .. } => {
                self.refused(format!("user or password are not accepted ({message})"))
            }
            ErrorKind::Command(command) if command.code == UNAUTHORIZED => {
                self.refused(format!("this user has no permission for {what} (Unauthorized)"))
            }
            ErrorKind::Command(command) if NOT_AUTHENTICATED.contains(&command.code) => {
                self.refused(format!("user or password are not accepted ({})", command.message))
            }
            ErrorKind::Command(command) if NOT_SERVED.contains(&command.code) => {
                self.refused(format!("{what}: {}", command.message))
            }
            ErrorKind::Command(command) => {
                self.partial(format!("{what}: {} (error {})", command.message, command.code))
            }
            ErrorKind::Io(io) => self.partial(format!("{what}: {io}")),
            ErrorKind::InvalidTlsConfig { message, .. } => self.unreachable(message.clone()),
            other => self.partial(format!("{what}: {other}")),
        }
    }

    pub(super) fn unreachable(&self, why: String) -> RegistryError {
        RegistryError::Unreachable { source_name: self.name.clone(), why: self.scrubbed(&why) }
    }

    pub(super) fn refused(&self, why: String) -> RegistryError {
        RegistryError::Refused { source_name: self.name.clone(), why: self.scrubbed(&why) }
    }

    pub(super) fn partial(&self, why: String) -> RegistryError {
        RegistryError::Partial { source_name: self.name.clone(), why: self.scrubbed(&why) }
    }

    pub(super) fn malformed(&self, place: String, why: &str) -> RegistryError {
        RegistryError::Malformed { source_name: self.name.clone(), place, why: self.scrubbed(why) }
    }

    fn scrubbed(&self, text: &str) -> String {
        let scrubbed = self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "(hidden)"));
        match scrubbed.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => format!("{}...", &scrubbed[..end]),
            None => scrubbed,
        }
    }
}

/// The driver lists every server that it tried with all that it knows of it; a person needs the reasons.
fn no_server(message: &str) -> String {
    let reasons = message.split("Error: Kind: ").skip(1);
    let mut reasons: Vec<&str> = reasons.map(|rest| rest.split(", labels:").next().unwrap_or(rest)).collect();
    reasons.dedup();
    if reasons.is_empty() {
        return "no server answers in time, or none of them is the primary".into();
    }
    format!("no server answers: {}", reasons.join("; "))
}
