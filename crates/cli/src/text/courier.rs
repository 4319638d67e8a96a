//! What officers read about courier files.

use super::{Counted, fill};
use abeng_api::{CourierFaultKind, CourierFaultView};

/// What is wrong with a courier file.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(super) none: &'static str,
    pub(super) version: &'static str,
    pub(super) header: &'static str,
    /// `{at}`, `{length}`.
    pub(super) cut: &'static str,
    /// `{at}`.
    pub(super) length: &'static str,
    pub(super) digest: &'static str,
    /// `{at}`.
    pub(super) trailing: &'static str,
    pub(crate) give_another: &'static str,
}

impl Faults {
    /// In words.
    pub(crate) fn told(&self, fault: CourierFaultView) -> String {
        use CourierFaultKind as Kind;
        let text = match fault.kind {
            Kind::NotCourier => self.none,
            Kind::Version => self.version,
            Kind::Header => self.header,
            Kind::Cut => self.cut,
            Kind::Length => self.length,
            Kind::Digest => self.digest,
            Kind::Trailing => self.trailing,
        };
        let number = |n: Option<u64>| n.unwrap_or(0).to_string();
        let (at, length) = (number(fault.at), number(fault.length));
        fill(text, &[("at", &at), ("length", &length)])
    }
}

/// Courier files.
#[derive(Debug)]
pub(crate) struct Courier {
    /// `{file}`, `{size}`, `{to}`, `{envelopes}`, `{receipts}`.
    pub(crate) written: &'static str,
    pub(crate) left_out: Counted,
    /// `{count}`, `{size}`.
    pub(crate) files: &'static str,
    /// `{count}`, `{size}`.
    pub(crate) files_left: Counted,
    pub(crate) stay: &'static str,
    /// `{to}`.
    pub(crate) bring: &'static str,
    /// `{from}`, `{at}`.
    pub(crate) taken: &'static str,
    /// `{taken}`, `{known}`, `{refused}`, `{faults}`.
    pub(crate) notices: &'static str,
    /// `{taken}`, `{known}`, `{refused}`, `{faults}`.
    pub(crate) receipts: &'static str,
    /// `{taken}`, `{known}`, `{parts}`, `{faults}`.
    pub(crate) files_taken: &'static str,
    /// `{problem}`.
    pub(crate) cut: &'static str,
    pub(crate) faults: Faults,
    pub(crate) troubles: &'static str,
    /// `{from}`.
    pub(crate) back: &'static str,
    /// `{from}`, `{to}`, `{at}`, `{network}`.
    pub(crate) way: &'static str,
    /// `{envelopes}`, `{receipts}`, `{size}`.
    pub(crate) holds: &'static str,
    pub(crate) whole: &'static str,
    pub(crate) unproved: &'static str,
    /// `{count}`.
    pub(crate) more: &'static str,
    pub(super) kinds: Kinds,
}

/// What lies in a courier file.
#[derive(Debug)]
pub(super) struct Kinds {
    pub(super) notice: &'static str,
    pub(super) receipt: &'static str,
    pub(super) attachment: &'static str,
}

impl Courier {
    /// What a line is about; what officers do not meet is named as in the file.
    pub(crate) fn kind<'a>(&self, name: &'a str) -> &'a str {
        match name {
            "notice" | "envelope" => self.kinds.notice,
            "receipt" => self.kinds.receipt,
            "attachment" => self.kinds.attachment,
            other => other,
        }
    }
}
