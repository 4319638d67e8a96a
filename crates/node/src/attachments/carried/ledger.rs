//! What a relay keeps of others' files, for whom, and within which bounds. Without IO.

use abeng_audit_log::{ATTACHMENT, subject};
use abeng_seal::AttachmentRef;
use abeng_wire::{EnvelopeId, Hash32, Millis, Mono, PartyCode, encode};
use std::collections::BTreeMap;

/// What nobody has asked for or been brought for so long may go where room is needed: nanoseconds.
const IDLE: u64 = 3600 * 1_000_000_000;

/// How much a relay keeps of files, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Of one originator.
    pub originator: u64,
    /// Of all.
    pub total: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self {
            originator: 2 << 30,
            total: 8 << 30,
        }
    }
}

/// A recipient wants a file of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    pub of: AttachmentRef,
    pub originator: PartyCode,
    pub envelope: EnvelopeId,
    pub recipient: PartyCode,
    pub expires_at: Millis,
}

/// There is no room: it may be asked for later.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// All files that are kept or awaited, by root. Each counts with its whole length from the moment
/// that it is asked for.
#[derive(Debug)]
pub struct Ledger {
    limits: FileLimits,
    kept: BTreeMap<Hash32, Kept>,
}

#[derive(Debug)]
struct Kept {
    length: u64,
    asked: Mono,
    // None where an earlier run has left it.
    originator: Option<PartyCode>,
    wishes: Vec<Wish>,
}

impl Ledger {
    /// Of nothing.
    pub fn new(limits: FileLimits) -> Self {
        let kept = BTreeMap::new();
        Self { limits, kept }
    }

    /// An earlier run has left it. Nothing of it is lost where it is wanted again.
    pub fn left_behind(&mut self, root: Hash32, length: u64) {
        let kept = Kept {
            length,
            asked: Mono(0),
            originator: None,
            wishes: Vec::new(),
        };
        self.kept.insert(root, kept);
    }

    /// A recipient asks. Gives what is to be deleted for it.
    pub fn want(&mut self, wish: Wish, now: Mono) -> Result<Vec<Hash32>, Full> {
        let root = wish.of.root;
        if let Some(kept) = self.kept.get_mut(&root)
            && kept.originator == Some(wish.originator)
            && kept.length == wish.of.length
        {
            kept.asked = now;
            kept.wishes.retain(|other| {
                (other.envelope, other.recipient) != (wish.envelope, wish.recipient)
            });
            kept.wishes.push(wish);
            return Ok(Vec::new());
        }
        if self
            .kept
            .get(&root)
            .is_some_and(|kept| kept.originator.is_some())
        {
            // Two originators name one root: the second waits until the first is done.
            return Err(Full);
        }
        let going = self.room_for(&wish, now)?;
        for root in &going {
            self.kept.remove(root);
        }
        let kept = Kept {
            length: wish.of.length,
            asked: now,
            originator: Some(wish.originator),
            wishes: vec![wish],
        };
        self.kept.insert(root, kept);
        Ok(going)
    }

    /// What must go so that a file fits, the longest unused first.
    fn room_for(&self, wish: &Wish, now: Mono) -> Result<Vec<Hash32>, Full> {
        let others = || self.kept.iter().filter(|(root, _)| **root != wish.of.root);
        let is_theirs = |kept: &Kept| kept.originator == Some(wish.originator);
        let mut theirs: u64 = others()
            .filter(|(_, kept)| is_theirs(kept))
            .map(|(_, kept)| kept.length)
            .sum();
        let mut all: u64 = others().map(|(_, kept)| kept.length).sum();
        let idle =
            |kept: &Kept| kept.originator.is_none() || now.0.saturating_sub(kept.asked.0) >= IDLE;
        let mut old: Vec<_> = others().filter(|(_, kept)| idle(kept)).collect();
        old.sort_by_key(|(_, kept)| kept.asked);
        let fits = |used: u64, limit: u64| used.saturating_add(wish.of.length) <= limit;
        let mut going = Vec::new();
        for (root, kept) in old {
            let over = !fits(theirs, self.limits.originator);
            if !over && fits(all, self.limits.total) {
                break;
            }
            // What is another's makes no room in this originator's share.
            if over && fits(all, self.limits.total) && !is_theirs(kept) {
                continue;
            }
            if is_theirs(kept) {
                theirs -= kept.length;
            }
            all -= kept.length;
            going.push(*root);
        }
        let fits = fits(theirs, self.limits.originator) && fits(all, self.limits.total);
        fits.then_some(going).ok_or(Full)
    }

    /// It is in use.
    pub fn touch(&mut self, root: &Hash32, now: Mono) {
        if let Some(kept) = self.kept.get_mut(root) {
            kept.asked = now;
        }
    }

    /// One wish for each file that somebody waits for.
    pub fn wishes(&self) -> Vec<Wish> {
        let first = |kept: &Kept| kept.wishes.first().copied();
        self.kept.values().filter_map(first).collect()
    }

    /// A recipient has the file that a leaf's subject names. Gives what nobody wants any more.
    pub fn done(
        &mut self,
        envelope: EnvelopeId,
        recipient: PartyCode,
        about: &[u8],
    ) -> Vec<Hash32> {
        self.drop_wishes(|wish| {
            (wish.envelope, wish.recipient) == (envelope, recipient)
                && subject(ATTACHMENT, &encode(&wish.of.to_wire())).0[..] == *about
        })
    }

    /// What no living envelope names any more.
    pub fn expire(&mut self, now: Millis) -> Vec<Hash32> {
        self.drop_wishes(|wish| wish.expires_at <= now)
    }

    fn drop_wishes(&mut self, ends: impl Fn(&Wish) -> bool) -> Vec<Hash32> {
        let mut going = Vec::new();
        self.kept.retain(|root, kept| {
            let before = kept.wishes.len();
            kept.wishes.retain(|wish| !ends(wish));
            let stays = before == kept.wishes.len() || !kept.wishes.is_empty();
            if !stays {
                going.push(*root);
            }
            stays
        });
        going
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = IDLE;

    fn wish(byte: u8, length: u64, originator: &str, recipient: &str) -> Wish {
        Wish {
            of: AttachmentRef {
                root: [byte; 32],
                length,
            },
            originator: PartyCode::new(originator).unwrap(),
            envelope: EnvelopeId([byte; 32]),
            recipient: PartyCode::new(recipient).unwrap(),
            expires_at: 1000 + u64::from(byte),
        }
    }

    fn ledger() -> Ledger {
        Ledger::new(FileLimits {
            originator: 100,
            total: 150,
        })
    }

    #[test]
    fn each_originator_has_its_share_and_what_is_in_use_stays() {
        let mut ledger = ledger();
        let now = Mono(5 * HOUR);
        assert_eq!(ledger.want(wish(1, 60, "JM", "TT"), now), Ok(vec![]));
        assert_eq!(
            ledger.want(wish(1, 60, "JM", "TT"), now),
            Ok(vec![]),
            "again"
        );
        assert_eq!(ledger.want(wish(2, 41, "JM", "TT"), now), Err(Full));
        assert_eq!(ledger.want(wish(2, 40, "JM", "TT"), now), Ok(vec![]));
        assert_eq!(
            ledger.want(wish(3, 51, "LC", "TT"), now),
            Err(Full),
            "in all"
        );
        assert_eq!(ledger.want(wish(3, 50, "LC", "TT"), now), Ok(vec![]));
        // An hour later only what was used since stays.
        let later = Mono(now.0 + HOUR);
        ledger.touch(&[1; 32], later);
        assert_eq!(
            ledger.want(wish(4, 30, "JM", "TT"), later),
            Ok(vec![[2; 32]])
        );
        assert_eq!(
            ledger.want(wish(5, 101, "LC", "TT"), later),
            Err(Full),
            "never"
        );
    }

    #[test]
    fn anothers_old_file_makes_no_room_in_a_full_share() {
        let mut ledger = ledger();
        ledger.want(wish(1, 20, "LC", "TT"), Mono(0)).unwrap();
        let now = Mono(2 * HOUR);
        ledger.want(wish(2, 100, "JM", "TT"), now).unwrap();
        assert_eq!(ledger.want(wish(3, 10, "JM", "TT"), now), Err(Full));
        assert_eq!(ledger.wishes().len(), 2);
    }

    #[test]
    fn what_an_earlier_run_left_goes_first_and_is_used_where_it_is_wanted() {
        let mut ledger = ledger();
        ledger.left_behind([1; 32], 90);
        ledger.left_behind([2; 32], 30);
        let now = Mono(1);
        assert!(ledger.wishes().is_empty());
        assert_eq!(ledger.want(wish(2, 50, "JM", "TT"), now), Ok(vec![]));
        assert_eq!(ledger.want(wish(3, 20, "JM", "TT"), now), Ok(vec![[1; 32]]));
        assert_eq!(
            ledger.want(wish(2, 50, "LC", "TT"), now),
            Err(Full),
            "another's"
        );
    }

    #[test]
    fn it_goes_when_the_last_recipient_has_it_or_its_envelope_has_expired() {
        let mut ledger = ledger();
        let (tt, bb) = (wish(1, 20, "JM", "TT"), wish(1, 20, "JM", "BB"));
        ledger.want(tt, Mono(1)).unwrap();
        ledger.want(bb, Mono(1)).unwrap();
        let about = subject(ATTACHMENT, &encode(&tt.of.to_wire()));
        let other = subject(ATTACHMENT, b"another");
        assert!(ledger.done(tt.envelope, tt.recipient, &other.0).is_empty());
        assert!(ledger.done(tt.envelope, tt.recipient, &about.0).is_empty());
        assert_eq!(ledger.done(bb.envelope, bb.recipient, &about.0), [[1; 32]]);
        ledger.want(wish(2, 20, "JM", "TT"), Mono(1)).unwrap();
        assert!(ledger.expire(1001).is_empty());
        assert_eq!(ledger.expire(1002), [[2; 32]]);
        assert!(ledger.wishes().is_empty());
    }
}
