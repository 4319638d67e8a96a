use super::*;
use crate::{
    branches::{LIFE, checkpoint, origin, range},
    fixture::{code, network},
};

/// TT's own log: 6 leaves of branch 0.
fn judge(life: u64, origin: LogOrigin, size: u64, root: LeafHash) -> Option<Proved> {
    let own = OwnLog {
        origin: crate::branches::origin(life),
        size: 6,
        root_at: &|size| Some(range(size, 0).root()),
    };
    own.judge(origin, size, root)
}

#[test]
fn what_goes_together_with_the_log_proves_nothing() {
    for size in 0..=6 {
        let root = range(size, 0).root();
        assert_eq!(judge(LIFE, origin(LIFE), size, root), None);
    }
    // The branches part at leaf 3.
    assert_eq!(judge(LIFE, origin(LIFE), 3, range(3, 1).root()), None);
}

#[test]
fn a_larger_or_another_past_is_proof() {
    let (theirs, ours) = (7, 6);
    let longer = Some(Proved::Longer { theirs, ours });
    assert_eq!(judge(LIFE, origin(LIFE), 7, range(7, 0).root()), longer);
    assert_eq!(judge(LIFE, origin(LIFE), 7, range(7, 1).root()), longer);
    let other = Some(Proved::OtherPast { size: 4 });
    assert_eq!(judge(LIFE, origin(LIFE), 4, range(4, 1).root()), other);
}

#[test]
fn an_older_life_another_party_or_network_proves_nothing_and_a_newer_life_does() {
    let root = range(9, 1).root();
    assert_eq!(judge(LIFE, origin(LIFE - 1), 9, root), None);
    let mut other = origin(LIFE);
    other.party = code("JM");
    assert_eq!(judge(LIFE, other, 9, root), None);
    let mut other = origin(LIFE + 1);
    other.network = "elsewhere".parse().unwrap();
    assert_eq!(judge(LIFE, other, 9, root), None);
    let newer = Some(Proved::NewerLife {
        life: Incarnation(LIFE + 1),
    });
    assert_eq!(judge(LIFE, origin(LIFE + 1), 1, range(1, 0).root()), newer);
}

#[test]
fn a_log_that_cannot_be_read_accuses_nobody() {
    let own = OwnLog {
        origin: origin(LIFE),
        size: 6,
        root_at: &|_| None,
    };
    assert_eq!(own.judge(origin(LIFE), 4, range(4, 1).root()), None);
}

#[test]
fn what_was_proved_stays_proved_after_a_restart() {
    let note = |size, branch, life| {
        Outside::Claim(v1::Claim {
            note: checkpoint(size, branch, life).note().clone(),
            ..Default::default()
        })
    };
    let own = OwnLog {
        origin: origin(LIFE),
        size: 6,
        root_at: &|size| Some(range(size, 0).root()),
    };
    let roster = &network().trust.roster;
    let recovered = |outside: &[Outside]| recover(outside, &own, roster, |_| None);
    assert_eq!(recovered(&[]), None);
    let (theirs, ours) = (9, 6);
    let longer = Some(Proved::Longer { theirs, ours });
    assert_eq!(recovered(&[note(9, 0, LIFE)]), longer);
    // Judged when it was kept; that it cannot be judged any more sets nobody free.
    let unreadable = Outside::Claim(v1::Claim {
        note: b"of a key that is gone"[..].into(),
        ..Default::default()
    });
    assert_eq!(recovered(&[unreadable]), Some(Proved::Before));
}
