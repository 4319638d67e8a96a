use super::{
    LINE,
    line::{Groups, LineError, read_lines, write_lines},
    scheme::{self, Value},
};
use crate::Entropy;
use abeng_wire::{Kid, pae};
use ring::digest::{SHA256, digest};
use std::fmt;
use zeroize::Zeroizing;

/// The most shares of one set.
pub const MAX_SHARES: u8 = 16;
/// The most that can be asked for.
pub const MAX_THRESHOLD: u8 = 15;
/// Bytes of a share as it is written.
pub const SHARE: usize = 40;
/// Its lines.
pub const SHARE_LINES: usize = SHARE / LINE;

/// In the upper half of a share's first byte; its threshold is the lower half.
const VERSION: u8 = 1;
const DIGEST: usize = 3;

/// Which set a share is of: the first bytes of the identifier of the key that the set gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SetId([u8; 3]);

impl SetId {
    /// Of the set that gives this key.
    pub fn of(kid: &Kid) -> Self {
        Self([kid.0[0], kid.0[1], kid.0[2]])
    }

    pub(crate) fn new(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 3] {
        &self.0
    }
}

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Groups(&self.0).fmt(f)
    }
}

impl fmt::Debug for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One of n shares of a secret. Wiped when dropped.
pub struct Share {
    /// Of which set.
    pub set: SetId,
    /// How many are needed.
    pub threshold: u8,
    /// Which one it is, from 1.
    pub number: u8,
    value: Value,
}

/// Why shares do not give their secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// A line is none.
    #[error("line {line}: {why}")]
    Line {
        /// From 1.
        line: usize,
        /// Why.
        why: LineError,
    },
    /// Another number of lines.
    #[error("a share has {SHARE_LINES} lines, and this has {0}")]
    Lines(
        /// How many there are.
        usize,
    ),
    /// Each line reads right, and together they are no share.
    #[error(
        "the lines read right one by one and are not one share together: one of them stands on another sheet"
    )]
    Mixed,
    /// Written by a version that this one does not know.
    #[error("it is a share of another version of Abeng")]
    Version,
    /// Of another set.
    #[error("share {number} is of set {found}, not of set {expected}")]
    OtherSet {
        /// Its number in its set.
        number: u8,
        /// The set that is being put together.
        expected: SetId,
        /// Its set.
        found: SetId,
    },
    /// The same share again.
    #[error("share {0} is there already")]
    Repeated(
        /// Its number.
        u8,
    ),
    /// Not enough of them.
    #[error("{needed} shares are needed and {found} are there")]
    TooFew {
        /// How many are needed.
        needed: u8,
        /// How many there are.
        found: usize,
    },
    /// They are of one set by their words, and do not fit each other.
    #[error("the shares do not fit each other: one of them is not of this set")]
    Unfit,
    /// A set that cannot be.
    #[error(
        "{threshold} of {count} shares cannot be: at least 2 of at most {MAX_SHARES}, and at most {MAX_THRESHOLD} needed"
    )]
    Size {
        /// How many would be needed.
        threshold: u8,
        /// Of so many.
        count: u8,
    },
}

/// Splits a secret into `count` shares, any `threshold` of which give it back.
pub(crate) fn split(
    secret: &[u8; 32],
    set: SetId,
    threshold: u8,
    count: u8,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Share>, ShareError> {
    let can_be =
        (2..=MAX_THRESHOLD).contains(&threshold) && (threshold..=MAX_SHARES).contains(&count);
    if !can_be {
        return Err(ShareError::Size { threshold, count });
    }
    let values = scheme::split(secret, threshold, count, entropy);
    let share = |(number, value)| Share {
        set,
        threshold,
        number,
        value,
    };
    Ok(values.into_iter().map(share).collect())
}

impl Share {
    /// The share as [`SHARE_LINES`] lines.
    pub fn lines(&self) -> Vec<Zeroizing<String>> {
        let mut bytes = Zeroizing::new([0; SHARE]);
        bytes[0] = VERSION << 4 | self.threshold;
        bytes[1] = self.number;
        bytes[2..5].copy_from_slice(&self.set.0);
        bytes[5..37].copy_from_slice(&self.value[..]);
        let digest = check(&bytes);
        bytes[37..].copy_from_slice(&digest);
        write_lines(&bytes[..])
    }

    /// Reads the lines of one share.
    pub fn from_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, ShareError> {
        let bytes = read_lines(lines).map_err(|(line, why)| ShareError::Line { line, why })?;
        Self::from_bytes(&bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, ShareError> {
        let bytes: &[u8; SHARE] =
            { bytes.try_into() }.map_err(|_| ShareError::Lines(bytes.len() / LINE))?;
        if check(bytes) != bytes[37..] {
            return Err(ShareError::Mixed);
        }
        let (threshold, number) = (bytes[0] & 0xf, bytes[1]);
        let known =
            bytes[0] >> 4 == VERSION && threshold >= 2 && (1..=MAX_SHARES).contains(&number);
        if !known {
            return Err(ShareError::Version);
        }
        let mut value = Value::default();
        value.copy_from_slice(&bytes[5..37]);
        Ok(Self {
            set: SetId([bytes[2], bytes[3], bytes[4]]),
            threshold,
            number,
            value,
        })
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({} of set {}, …)", self.number, self.set)
    }
}

fn check(bytes: &[u8; SHARE]) -> [u8; DIGEST] {
    let said = Zeroizing::new(pae("abeng/1/share", &bytes[..SHARE - DIGEST]));
    let hash = digest(&SHA256, &said);
    let mut out = [0; DIGEST];
    out.copy_from_slice(&hash.as_ref()[..DIGEST]);
    out
}

/// Shares of one set on their way to being enough.
#[derive(Debug, Default)]
pub struct Combining {
    shares: Vec<Share>,
    expected: Option<SetId>,
}

impl Combining {
    /// For a set that is known, as the sealed keyring names it.
    pub fn of(set: SetId) -> Self {
        Self {
            shares: Vec::new(),
            expected: Some(set),
        }
    }

    /// Takes one more; how many are still missing.
    pub fn add(&mut self, share: Share) -> Result<usize, ShareError> {
        let expected = self.expected.unwrap_or(share.set);
        if share.set != expected {
            return Err(ShareError::OtherSet {
                number: share.number,
                expected,
                found: share.set,
            });
        }
        if let Some(first) = self.shares.first()
            && first.threshold != share.threshold
        {
            return Err(ShareError::Unfit);
        }
        if self.shares.iter().any(|held| held.number == share.number) {
            return Err(ShareError::Repeated(share.number));
        }
        self.expected = Some(expected);
        self.shares.push(share);
        Ok(self.missing())
    }

    /// The set, once a share or the caller has said which.
    pub fn set(&self) -> Option<SetId> {
        self.expected
    }

    /// The numbers of those that are there, in the order in which they came.
    pub fn numbers(&self) -> Vec<u8> {
        self.shares.iter().map(|share| share.number).collect()
    }

    /// How many are still missing; 2 where nothing is known yet.
    pub fn missing(&self) -> usize {
        let needed = self.shares.first().map_or(2, |share| share.threshold);
        usize::from(needed).saturating_sub(self.shares.len())
    }

    /// The secret. Shares beyond those needed must lie on the same polynomial.
    pub(crate) fn secret(&self) -> Result<Value, ShareError> {
        let needed = self.shares.first().map_or(2, |share| share.threshold);
        let points: Vec<_> = self.shares.iter().map(|s| (s.number, &s.value)).collect();
        let Some((enough, more)) = points.split_at_checked(usize::from(needed)) else {
            return Err(ShareError::TooFew {
                needed,
                found: points.len(),
            });
        };
        for (number, value) in more {
            if scheme::at(*number, enough) != **value {
                return Err(ShareError::Unfit);
            }
        }
        Ok(scheme::at(0, enough))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Counting;

    const SET: SetId = SetId([0x3f, 0x09, 0xa1]);

    fn shares(threshold: u8, count: u8, entropy: u64) -> Vec<Share> {
        split(&[9; 32], SET, threshold, count, &mut Counting(entropy)).unwrap()
    }

    fn typed(share: &Share) -> Share {
        Share::from_lines(share.lines().iter().map(|l| l.as_str())).unwrap()
    }

    #[test]
    fn any_three_of_five_give_the_secret_after_being_typed() {
        let shares = shares(3, 5, 1);
        for out in [[0, 1, 2], [4, 2, 0], [3, 4, 1]] {
            let mut combining = Combining::of(SET);
            let missing = out.map(|nth| combining.add(typed(&shares[nth])).unwrap());
            assert_eq!(missing, [2, 1, 0]);
            assert_eq!(*combining.secret().unwrap(), [9; 32]);
        }
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let ours = shares(3, 5, 1);
        let mut combining = Combining::default();
        assert_eq!(combining.add(typed(&ours[0])), Ok(2));
        assert_eq!(combining.add(typed(&ours[0])), Err(ShareError::Repeated(1)));
        let mut stranger = typed(&ours[1]);
        stranger.set = SetId([1, 2, 3]);
        assert!(matches!(
            combining.add(stranger),
            Err(ShareError::OtherSet { .. })
        ));
        let other_threshold = shares(2, 5, 1).remove(1);
        assert_eq!(combining.add(other_threshold), Err(ShareError::Unfit));
        assert_eq!(combining.add(typed(&ours[4])), Ok(1));
        let few = ShareError::TooFew {
            needed: 3,
            found: 2,
        };
        assert_eq!(combining.secret().unwrap_err(), few);
        assert_eq!(combining.add(typed(&ours[2])), Ok(0));
        assert!(combining.secret().is_ok());
        // One too many that lies elsewhere.
        let forged = shares(3, 5, 77).remove(3);
        assert_eq!(combining.add(forged), Ok(0));
        assert_eq!(combining.secret().unwrap_err(), ShareError::Unfit);
    }

    #[test]
    fn lines_of_two_shares_are_no_share() {
        let shares = shares(2, 3, 5);
        let (a, b) = (shares[0].lines(), shares[1].lines());
        let mixed = [&a[0], &b[1], &a[2], &a[3]].map(|l| l.as_str());
        assert_eq!(Share::from_lines(mixed).unwrap_err(), ShareError::Mixed);
        let few = a[..3].iter().map(|l| l.as_str());
        assert_eq!(Share::from_lines(few).unwrap_err(), ShareError::Lines(3));
        let swapped = [1, 0, 2, 3].map(|n| a[n].as_str());
        assert!(matches!(
            Share::from_lines(swapped),
            Err(ShareError::Line { line: 1, .. })
        ));
    }

    #[test]
    fn sets_that_cannot_be_are_refused_and_other_versions_told() {
        for (threshold, count) in [(1, 5), (0, 1), (6, 5), (16, 16), (3, 17)] {
            let refused = split(&[1; 32], SET, threshold, count, &mut Counting(1));
            assert!(matches!(refused, Err(ShareError::Size { .. })));
        }
        let mut bytes = [0; SHARE];
        for first in [0x23, 0x11, 0x10] {
            (bytes[0], bytes[1]) = (first, 1);
            let digest = check(&bytes);
            bytes[37..].copy_from_slice(&digest);
            assert_eq!(Share::from_bytes(&bytes).unwrap_err(), ShareError::Version);
        }
    }

    #[test]
    fn debug_shows_no_share() {
        let shown = format!("{:?}", shares(2, 2, 9));
        assert_eq!(
            shown,
            "[Share(1 of set 3F09-A1, …), Share(2 of set 3F09-A1, …)]"
        );
    }
}
