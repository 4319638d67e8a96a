//! `[relay]`: how much a node carries for others.

use crate::attachments::FileLimits;
use abeng_queue::CarryLimits;
use serde::Deserialize;
use std::num::NonZeroU32;

/// As written; what is left out is as [`CarryLimits::default`] has it.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Relay {
    originator_envelopes: Option<NonZeroU32>,
    originator_mib: Option<NonZeroU32>,
    envelopes: Option<NonZeroU32>,
    mib: Option<NonZeroU32>,
    originator_files_mib: Option<NonZeroU32>,
    files_mib: Option<NonZeroU32>,
}

impl Relay {
    pub(super) fn files(&self) -> FileLimits {
        let usual = FileLimits::default();
        let bytes = |n: Option<NonZeroU32>, usual| n.map_or(usual, |n| u64::from(n.get()) << 20);
        FileLimits {
            originator: bytes(self.originator_files_mib, usual.originator),
            total: bytes(self.files_mib, usual.total),
        }
    }

    pub(super) fn limits(&self) -> CarryLimits {
        let usual = CarryLimits::default();
        let count = |n: Option<NonZeroU32>, usual| n.map_or(usual, |n| u64::from(n.get()));
        let bytes = |n: Option<NonZeroU32>, usual| n.map_or(usual, |n| u64::from(n.get()) << 20);
        CarryLimits {
            count: count(self.originator_envelopes, usual.count),
            bytes: bytes(self.originator_mib, usual.bytes),
            total_count: count(self.envelopes, usual.total_count),
            total_bytes: bytes(self.mib, usual.total_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_usual_and_nothing_is_zero() {
        let usual = CarryLimits::default();
        assert_eq!(toml::from_str::<Relay>("").unwrap().limits(), usual);
        let set: Relay = toml::from_str("originator_envelopes = 5\nmib = 2").unwrap();
        let expected = CarryLimits {
            count: 5,
            total_bytes: 2 << 20,
            ..usual
        };
        assert_eq!(set.limits(), expected);
        assert_eq!(set.files(), FileLimits::default());
        let set: Relay = toml::from_str("originator_files_mib = 3\nfiles_mib = 4").unwrap();
        let expected = FileLimits {
            originator: 3 << 20,
            total: 4 << 20,
        };
        assert_eq!((set.files(), set.limits()), (expected, usual));
        assert!(toml::from_str::<Relay>("mib = 0").is_err());
        assert!(toml::from_str::<Relay>("mb = 1").is_err());
    }
}
