//! What holders must know of a trust bundle that holds two well-signed versions of one thing.

use super::diff::{Change, danger};
use abeng_roster::{Conflict, ConflictOf, Root, Trust, armour};

/// The equivocations that no root has ended.
pub(super) fn unsettled(trust: &Trust) -> impl Iterator<Item = &Conflict> {
    trust.conflicts().iter().filter(|c| !trust.is_settled(c))
}

/// Each of them as a danger, with what to do before anything else.
pub(super) fn open(trust: &Trust) -> Vec<Change> {
    unsettled(trust).map(told).collect()
}

/// Those that this root, which is to be signed, does not end.
pub(super) fn beside(trust: &Trust, root: &Root) -> Vec<Change> {
    let ends = |c: &&Conflict| match c.of {
        ConflictOf::Root => root.settles_roots(c.version, c.held, c.other),
        ConflictOf::Roster => root.settles_rosters(c.version, c.held, c.other),
    };
    unsettled(trust).filter(|c| !ends(c)).map(told).collect()
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
