//! How a command fails, and with which exit code.

use abeng_api::{ApiError, CauseView, ClientError, ErrorCode, FlawView};
use abeng_keys::KeyringError;
use std::process::ExitCode;

/// Exit codes. They are part of the interface: `abeng --help` and docs/cli.md list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// Our own fault, or the operating system's.
    Internal = 1,
    /// The command or its input cannot be read.
    Usage = 2,
    /// Refused: flaws in the notice, or policy.
    Refused = 3,
    /// The node cannot be reached.
    Unreachable = 4,
    /// There is no such thing.
    NotFound = 5,
    /// Something did not verify.
    Unverified = 6,
    /// Too much at once, or no room on the node's disk; try again.
    Busy = 7,
}

impl Exit {
    /// The name that `--json` gives as `code` where the node gave none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::NotFound => "not_found",
            Self::Unverified => "unverified",
            Self::Busy => "busy",
        }
    }
}

impl Exit {
    /// Of keys that cannot be had: the same mistake ends every command alike.
    pub(crate) fn of_keys(error: &KeyringError) -> Self {
        match error {
            KeyringError::Missing { .. } => Self::NotFound,
            KeyringError::WrongPassphrase { .. }
            | KeyringError::OtherParty { .. }
            | KeyringError::Permissions { .. } => Self::Refused,
            KeyringError::NoPassphrase { .. } | KeyringError::Ambiguous { .. } => Self::Usage,
            KeyringError::Damaged { .. }
            | KeyringError::Encrypt { .. }
            | KeyringError::Io { .. } => Self::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What failed, and what to try.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// The exit code.
    pub exit: Exit,
    /// A stable name for machines.
    pub code: &'static str,
    /// What failed, in one sentence.
    pub message: String,
    /// What to try.
    pub try_this: Option<String>,
    /// What is wrong with the notice.
    pub flaws: Vec<FlawView>,
    /// What failed by name, where the node told it: then it is shown in the reader's language.
    pub cause: Option<Box<CauseView>>,
}

impl CliError {
    /// A failure with this exit code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: exit.name(),
            message: message.into(),
            try_this: None,
            flaws: Vec::new(),
            cause: None,
        }
    }

    /// [`Exit::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// [`Exit::Internal`].
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Exit::Internal, message)
    }

    /// The same with something to try.
    #[must_use]
    pub fn with_try(mut self, what: impl Into<String>) -> Self {
        self.try_this = Some(what.into());
        self
    }
}

impl From<ApiError> for CliError {
    fn from(error: ApiError) -> Self {
        let exit = match error.code {
            ErrorCode::Invalid => Exit::Usage,
            ErrorCode::NotFound => Exit::NotFound,
            ErrorCode::Busy | ErrorCode::NoRoom => Exit::Busy,
            ErrorCode::Damaged => Exit::Unverified,
            ErrorCode::Internal => Exit::Internal,
            ErrorCode::Unauthorised
            | ErrorCode::Forbidden
            | ErrorCode::Conflict
            | ErrorCode::OldCopy
            | ErrorCode::TooLarge
            | ErrorCode::Refused => Exit::Refused,
        };
        let retry = error
            .retry_after_s
            .map(|s| format!("run the same command again in {s} s"));
        Self {
            exit,
            code: error.code.as_str(),
            message: error.message,
            try_this: error.try_this.or(retry),
            flaws: error.flaws,
            cause: error.cause,
        }
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let (try_this, cause) = (error.try_this(), error.cause());
        let exit = match error {
            ClientError::Api(error) => return error.into(),
            ClientError::Protocol { .. } => Exit::Internal,
            ClientError::SocketAbsent { .. }
            | ClientError::NotOurs { .. }
            | ClientError::Refused { .. }
            | ClientError::Denied { .. }
            | ClientError::Unreachable { .. } => Exit::Unreachable,
        };
        Self {
            try_this,
            cause,
            ..Self::new(exit, error.to_string())
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_node_says_when_to_come_back() {
        let error = CliError::from(ApiError::busy("the input is full", 3));
        assert_eq!((error.exit, error.code), (Exit::Busy, "busy"));
        assert_eq!(
            error.try_this.as_deref(),
            Some("run the same command again in 3 s")
        );
    }
}
