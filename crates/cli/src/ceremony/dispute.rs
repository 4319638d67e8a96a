//! What holders must know of a trust bundle that holds two well-signed versions of one thing.

use super::diff::{Change, danger};
use abeng_keys::SignatureType;
use abeng_roster::{Conflict, ConflictOf, Root, Trust, armour};
use abeng_wire::v1;
use std::collections::{BTreeMap, BTreeSet};

/// The equivocations that no root has ended.
pub(super) fn unsettled(trust: &Trust) -> impl Iterator<Item = &Conflict> {
    trust.conflicts().iter().filter(|c| !trust.is_settled(c))
}

/// Each of them as a danger, with what to do before anything else.
pub(super) fn open(trust: &Trust) -> Vec<Change> {
    unsettled(trust).map(told).collect()
}

/// Those that this root, which is to be signed, does not end.
pub(super) fn beside(trust: &Trust, root: &Root, message: &v1::Root) -> Vec<Change> {
    let ends = |c: &&Conflict| match c.of {
        ConflictOf::Root => root.settles_roots(c.version, c.held, c.other),
        ConflictOf::Roster => {
            let named = root.settles_rosters(c.version, c.held, c.other);
            // One that is named ends all by signers who are replaced.
            named || (!message.settled_rosters.is_empty() && replaces(root, c))
        }
    };
    unsettled(trust).filter(|c| !ends(c)).map(told).collect()
}

/// Whether too few of those who signed the other one would be left to sign a roster.
fn replaces(root: &Root, c: &Conflict) -> bool {
    let signed = &c.signed;
    let signers = root.roster_signers().iter().filter(|signer| {
        let mut all = signed.signatures.iter();
        all.any(|s| {
            signer
                .verify(SignatureType::ROSTER, &signed.bytes, s)
                .is_ok()
        })
    });
    signers.count() < root.roster_threshold()
}

/// How many statements of each version a root ends, over all settlements of that version.
pub(super) fn settled(list: &[v1::Settlement]) -> BTreeMap<u64, usize> {
    let mut all: BTreeMap<u64, BTreeSet<&[u8]>> = BTreeMap::new();
    for s in list {
        let digests = s.digests.iter().map(|digest| &digest[..]);
        all.entry(s.version).or_default().extend(digests);
    }
    let counts = all.into_iter().map(|(version, all)| (version, all.len()));
    counts.collect()
}

fn told(c: &Conflict) -> Change {
    danger(format!(
        "DISPUTED: this trust bundle holds two different {what}s of version {version}, both well signed: somebody signed both. \
         The one that it takes has the fingerprint {}, the other {}. No node that has seen both takes anything after them. First telephone the \
         root's holders and find out who signed both; the root made with `abeng root rotate --settle` ends it. Until then sign nothing else.",
        armour::fingerprint(c.held),
        armour::fingerprint(c.other),
        what = c.of.name(),
        version = c.version,
    ))
}
