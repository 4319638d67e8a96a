use abeng_wire::v1;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The types of notice that this version writes and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NoticeType {
    /// Something was seized.
    Seizure,
    /// What became of a warning, a movement or a request.
    Feedback,
    /// The originator takes back what it sent.
    Recall,
}

impl NoticeType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Seizure, Self::Feedback, Self::Recall];

    /// Types that have a number on the wire and that a later version may write and read. Grants may name
    /// them already.
    pub const LATER: [&str; 9] = [
        "WARNING",
        "SUSPECT_MOVEMENT",
        "REQUEST",
        "REPLY",
        "METHOD_BULLETIN",
        "LOOKOUT",
        "OPERATION",
        "RELEASE_REQUEST",
        "CONTINUITY",
    ];

    /// As grants, commands and pages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seizure => "SEIZURE",
            Self::Feedback => "FEEDBACK",
            Self::Recall => "RECALL",
        }
    }

    /// From its name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|t| t.name().eq_ignore_ascii_case(text.trim()))
    }

    pub(crate) fn to_wire(self) -> v1::NoticeType {
        match self {
            Self::Seizure => v1::NoticeType::Seizure,
            Self::Feedback => v1::NoticeType::Feedback,
            Self::Recall => v1::NoticeType::Recall,
        }
    }

    pub(crate) fn from_wire(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.to_wire() as i32 == number)
    }

    /// The precedence of a draft that names none.
    pub fn default_precedence(self) -> v1::Precedence {
        match self {
            Self::Seizure => v1::Precedence::Priority,
            Self::Feedback => v1::Precedence::Routine,
            Self::Recall => v1::Precedence::Immediate,
        }
    }
}

impl fmt::Display for NoticeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
