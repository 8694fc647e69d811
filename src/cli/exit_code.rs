//! How the program ends, as a type.

/// The exit codes. They are documented in the man page and never change their meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything that was asked for was done.
    Done = 0,
    /// It could not be done.
    Failed = 1,
    /// The command line or the configuration cannot be understood.
    Usage = 2,
    /// Some keys failed, are unknown, or could not be verified.
    Partly = 3,
    /// A guard refused; nothing was changed.
    Refused = 4,
    /// Stopped by the user.
    Interrupted = 130,
}

impl ExitCode {
    /// Every code, in the order in which they are documented.
    pub const ALL: [ExitCode; 6] =
        [ExitCode::Done, ExitCode::Failed, ExitCode::Usage, ExitCode::Partly, ExitCode::Refused, ExitCode::Interrupted];

    /// What it means, for the man page.
    pub fn meaning(self) -> &'static str {
        match self {
            ExitCode::Done => "Everything that was asked for was done.",
            ExitCode::Failed => "It could not be done.",
            ExitCode::Usage => "The command line or the configuration cannot be understood.",
            ExitCode::Partly => "Some keys failed or are unknown, or the verification did not pass.",
            ExitCode::Refused => "A guard refused; nothing was changed.",
            ExitCode::Interrupted => "Stopped by the user.",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
