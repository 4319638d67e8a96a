use crate::FlawView;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// What kind of failure an [`ApiError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request cannot be read (400).
    Invalid,
    /// The caller did not prove who it is (401).
    Unauthorised,
    /// This node does not do that, or not for this caller (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// It contradicts something that is already so (409).
    Conflict,
    /// This node runs on an old copy of its data, and submits nothing (409).
    OldCopy,
    /// Over a size limit (413).
    TooLarge,
    /// The notice has flaws, or policy does not allow it (422).
    Refused,
    /// Too much at once; try again after `retry_after_s` (503).
    Busy,
    /// No room for new content on the node's disk (507).
    NoRoom,
    /// What lies on a disk is not what was written there (500).
    Damaged,
    /// Our own fault (500).
    Internal,
}

impl ErrorCode {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthorised => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::OldCopy => 409,
            Self::TooLarge => 413,
            Self::Refused => 422,
            Self::Busy => 503,
            Self::NoRoom => 507,
            Self::Damaged | Self::Internal => 500,
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::OldCopy => "old_copy",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::NoRoom => "no_room",
            Self::Damaged => "damaged",
            Self::Internal => "internal",
        }
    }
}

/// Why a node did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApiError {
    /// The kind.
    pub code: ErrorCode,
    /// What failed, in one sentence.
    pub message: String,
    /// What to try.
    #[serde(rename = "try", default, skip_serializing_if = "Option::is_none")]
    pub try_this: Option<String>,
    /// What is wrong with the notice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<FlawView>,
    /// When to come back, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Why.
    pub error: ApiError,
}

impl ApiError {
    /// An error of this kind.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            try_this: None,
            flaws: Vec::new(),
            retry_after_s: None,
        }
    }

    /// [`ErrorCode::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    /// [`ErrorCode::Forbidden`].
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }

    /// [`ErrorCode::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// [`ErrorCode::Refused`] for these flaws.
    pub fn refused(message: impl Into<String>, flaws: Vec<FlawView>) -> Self {
        Self {
            flaws,
            ..Self::new(ErrorCode::Refused, message)
        }
    }

    /// [`ErrorCode::Busy`]; come back after so many seconds.
    pub fn busy(message: impl Into<String>, retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(ErrorCode::Busy, message)
        }
    }

    /// [`ErrorCode::Internal`]. The message must not tell secrets.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// The same with something to try.
    #[must_use]
    pub fn with_try(mut self, what: impl Into<String>) -> Self {
        self.try_this = Some(what.into());
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}
