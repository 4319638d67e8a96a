use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What to write into a courier file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CourierExportQuery {
    /// Code of the party whose node imports it.
    pub to: String,
    /// The most bytes that the file is to have; as many as needed where absent.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Begin at the most urgent again, as if no file had been made before.
    #[serde(default)]
    pub again: bool,
    /// Leave out the files of notices.
    #[serde(default)]
    pub no_attachments: bool,
}

/// How many of one kind a file brought, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CourierTally {
    /// New here, and durable.
    pub taken: u64,
    /// Known here already.
    pub known: u64,
    /// Refused for good; the sender gets the proof of that.
    pub refused: u64,
    /// Passed over for a fault that the way could have caused. They stay with the sender.
    pub faults: u64,
}

/// One thing of the file that was refused or passed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CourierTrouble {
    /// `envelope`, `receipt`, `checkpoint`, `trust`, `void`, `want`, `attachment` or `frame`.
    pub what: String,
    /// Of which notice, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why.
    pub why: String,
}

/// What is wrong with a courier file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CourierFaultKind {
    /// It is something else.
    NotCourier,
    /// Of a version that is not known.
    Version,
    /// It has no header that can be read.
    Header,
    /// It ends before its close.
    Cut,
    /// A frame announces more than may be.
    Length,
    /// Something was changed, left out or put in.
    Digest,
    /// Something follows its close.
    Trailing,
}

/// The same with its place: for whoever tells it in another language than `problem` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CourierFaultView {
    /// What.
    pub kind: CourierFaultKind,
    /// At which byte, where it has a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// Bytes of a file that was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
}

/// What became of a courier file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CourierReport {
    /// Who made it, by its own word.
    pub from: String,
    /// When, by its own word.
    pub created_at: String,
    /// Notices.
    pub envelopes: CourierTally,
    /// Receipts for notices that were sent from here.
    pub receipts: CourierTally,
    /// The maker's checkpoints.
    pub checkpoints: CourierTally,
    /// Its trust data.
    pub trust: CourierTally,
    /// Ranges of numbers and files that the maker misses.
    pub wants: CourierTally,
    /// The maker's word that numbers will not come.
    pub voids: CourierTally,
    /// Files of notices: those that are whole now, or were before.
    pub attachments: CourierTally,
    /// Files of which a part came, and not the last one.
    pub attachments_in_part: u64,
    /// Frames that cannot be read.
    pub damaged: u64,
    /// Whether the file was whole and as it was made.
    pub whole: bool,
    /// What was wrong with it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The same in a form for programs, where it lies in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<CourierFaultView>,
    /// What was refused or passed over, the first of them.
    pub troubles: Vec<CourierTrouble>,
}
