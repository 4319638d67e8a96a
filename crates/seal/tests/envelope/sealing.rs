//! What the originator itself refuses to make.

use crate::fixture::{DAY, NOW, Net, code, net};
use abeng_seal::{BoxCache, Broken, SealError, SealInput};
use abeng_wire::{Incarnation, Mono, Now, StreamSeq, limits, v1};

fn refused(change: impl FnOnce(&mut SealInput<'_>)) -> SealError {
    let mut boxes = BoxCache::new();
    let error = net()
        .seal_with(("JM", &["BB", "TT"]), b"x", &mut boxes, change)
        .unwrap_err();
    assert_eq!(format!("{boxes:?}"), "BoxCache of 0", "no key was made");
    error
}

#[test]
fn lifetimes_and_labels_out_of_bounds() {
    let long = refused(|i| i.expires_at = NOW + limits::LIFETIME_MS + 1);
    assert!(matches!(long, SealError::Rule(Broken::Lifetime { .. })));
    let none = refused(|i| i.expires_at = NOW);
    assert!(matches!(none, SealError::Rule(Broken::Lifetime { .. })));
    let label = refused(|i| i.precedence = v1::Precedence::Unspecified);
    assert!(matches!(label, SealError::Rule(Broken::Precedence)));
    let life = refused(|i| i.incarnation = Incarnation(0));
    assert!(matches!(life, SealError::Rule(Broken::Incarnation)));
}

#[test]
fn positions_that_are_not_those_of_the_cleared_recipients() {
    let at = |c: &str| (code(c), StreamSeq::FIRST);
    let with = |positions: &[_]| refused(|i| i.positions = lasting(positions));
    assert!(matches!(with(&[at("BB")]), SealError::Positions));
    assert!(matches!(with(&[at("BB"), at("LC")]), SealError::Positions));
    let order = with(&[at("TT"), at("BB")]);
    assert!(matches!(order, SealError::Rule(Broken::RecipientOrder(1))));
    let twice = with(&[at("TT"), at("TT")]);
    assert!(matches!(twice, SealError::Rule(Broken::RecipientOrder(1))));
    let own = with(&[at("BB"), at("JM")]);
    assert!(matches!(own, SealError::Rule(Broken::OwnRecipient)));
    let none = with(&[]);
    assert!(matches!(none, SealError::Rule(Broken::RecipientCount(0))));
}

/// A slice that lives as long as the test binary.
fn lasting<T: Clone>(slice: &[T]) -> &'static [T] {
    slice.to_vec().leak()
}

#[test]
fn another_roster_another_signer_or_no_seal_key() {
    let other: &'static Net = Box::leak(Box::new(Net::found(9)));
    let roster = refused(|i| i.trust = &other.trust);
    assert!(matches!(roster, SealError::OtherRoster { .. }));
    let signer = refused(|i| i.org_sign = net().keys("DM").org_sign().as_ref());
    assert!(matches!(signer, SealError::NotOurKey { .. }));
    let role = refused(|i| i.org_sign = net().keys("JM").node_tls().as_ref());
    assert!(matches!(role, SealError::NotOurKey { .. }));
    let wall = NOW + 366 * DAY;
    let key = refused(|i| {
        i.now = Now {
            mono: Mono(1),
            wall,
        }
    });
    assert!(matches!(key, SealError::NoSealKey(party) if party == code("BB")));
}

#[test]
fn a_box_is_not_used_past_its_ten_minutes() {
    let mut boxes = BoxCache::new();
    let mut at = |ms| {
        let now = Now {
            mono: Mono(0).plus_ms(ms),
            wall: NOW,
        };
        let sealed = net().seal_with(("JM", &["TT"]), b"x", &mut boxes, |i| i.now = now);
        sealed.unwrap().stanzas()[0].slice(..1168)
    };
    let first = at(0);
    assert_eq!(at(BoxCache::LONGEST_MS - 1), first);
    assert_ne!(at(BoxCache::LONGEST_MS), first);
}
