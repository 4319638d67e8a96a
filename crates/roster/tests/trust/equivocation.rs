//! Two statements of one version: both are kept, nothing follows, and a root ends it.

use crate::support::*;
use abeng_keys::DualSigner;
use abeng_roster::{
    Conflict, ConflictOf, NEWCOMER_WAIT_MS, Trust, TrustError, ceremony, digest, founding::found,
};
use abeng_wire::{NetworkCode, prost::Message, v1};
use bytes::Bytes;

fn rosters(list: &[&v1::Signed]) -> v1::TrustBundle {
    v1::TrustBundle {
        rosters: list.iter().map(|&s| s.clone()).collect(),
        ..Default::default()
    }
}

fn roots(list: &[&v1::Signed]) -> v1::TrustBundle {
    v1::TrustBundle {
        roots: list.iter().map(|&s| s.clone()).collect(),
        ..Default::default()
    }
}

/// A network whose roster signers made two second rosters, and how two nodes see it.
struct Split {
    world: World,
    one: v1::Signed,
    other: v1::Signed,
    /// Holds `one`, and has seen `other`.
    at_one: Trust,
    /// Holds `other`, and has seen nothing else.
    at_other: Trust,
}

impl Split {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// Both rosters edited in one way.
    fn with(edit: impl Fn(&mut v1::Roster)) -> Self {
        let world = World::new();
        let one = world.second(&edit);
        let other = world.second(|m| {
            edit(m);
            m.expires += 1;
        });
        let take = |trust: &Trust, list: &[&v1::Signed]| {
            let merged = trust.merge(&rosters(list), T0 + DAY).unwrap();
            merged.unwrap()
        };
        Self {
            at_one: take(&take(&world.trust, &[&one]), &[&other]),
            at_other: take(&world.trust, &[&other]),
            one,
            other,
            world,
        }
    }

    /// Root 2, which names `digests` as rosters of version 2 and replaces the signers.
    fn root(&self, digests: &[&v1::Signed], fresh: &[DualSigner]) -> v1::Signed {
        let mut root = self.world.root();
        root.version = 2;
        let keys = fresh.iter().map(|s| s.dual_key("new", "GY"));
        root.roster_signers = keys.collect();
        let mut digests: Vec<_> = digests.iter().map(|s| digest(&s.bytes)).collect();
        digests.sort_unstable();
        if !digests.is_empty() {
            root.settled_rosters = vec![v1::Settlement {
                version: 2,
                digests: digests.iter().map(|d| d.to_bytes()).collect(),
            }];
        }
        ceremony::sign_root(&root, &self.world.root_signers(&[0, 1, 2, 3])).unwrap()
    }

    /// What stands, `one`, and a third roster after it under root 2.
    fn after(&self, root: v1::Signed, fresh: &[DualSigner]) -> v1::TrustBundle {
        let mut third = World::after(&self.one);
        third.root_version = 2;
        let third = ceremony::sign_roster(&third, &[&fresh[0], &fresh[1]]).unwrap();
        let founding = &self.world.founding.bundle;
        v1::TrustBundle {
            roots: vec![founding.roots[0].clone(), root],
            rosters: vec![founding.rosters[0].clone(), self.one.clone(), third],
            ..Default::default()
        }
    }
}

fn fresh() -> Vec<DualSigner> {
    let mut entropy = Counting(7_000_000);
    (0..3).map(|_| DualSigner::generate(&mut entropy)).collect()
}

fn stands(trust: &Trust) -> Vec<&Conflict> {
    let all = trust.conflicts().iter();
    all.filter(|c| !trust.is_settled(c)).collect()
}

#[test]
fn of_two_rosters_of_one_version_both_are_kept_and_travel_on() {
    let split = Split::new();
    let trust = &split.at_one;
    let [conflict] = stands(trust)[..] else {
        panic!("{:?}", trust.conflicts());
    };
    assert_eq!((conflict.of, conflict.version), (ConflictOf::Roster, 2));
    assert_eq!(conflict.held, digest(&split.one.bytes));
    assert_eq!(conflict.signed, split.other);
    assert_eq!(
        trust.roster.digest(),
        conflict.held,
        "what was held is held on"
    );
    let again = rosters(&[&split.other]);
    assert!(
        trust.merge(&again, T0 + DAY).unwrap().is_none(),
        "told once"
    );
    // After a restart, and at a peer that has either side.
    let bundle = trust.to_bundle();
    let restarted = Trust::from_bundle(&bundle, None, T0 + DAY).unwrap();
    assert_eq!(stands(&restarted).len(), 1);
    let peer = split.at_other.merge(&bundle, T0 + DAY).unwrap().unwrap();
    let [seen] = stands(&peer)[..] else {
        panic!("{:?}", peer.conflicts());
    };
    assert_eq!((seen.held, seen.other), (conflict.other, conflict.held));
}

#[test]
fn a_forged_second_roster_is_no_evidence() {
    let split = Split::new();
    let mut forged = split.world.second(|m| m.expires += 2);
    forged.signatures.truncate(1);
    let mut bundle = v1::TrustBundle::default();
    bundle.other_rosters.push(forged);
    assert!(matches!(
        split.at_one.merge(&bundle, T0 + DAY),
        Err(TrustError::TooFewSigners { .. })
    ));
}

#[test]
fn a_roster_after_two_of_one_version_is_taken_from_neither_side() {
    let split = Split::new();
    for side in [&split.one, &split.other] {
        let third = split.world.sign(&World::after(side));
        let next = rosters(&[side, &third]);
        let result = split.at_one.merge(&next, T0 + 2 * DAY);
        match side == &split.one {
            true => assert!(matches!(
                result,
                Err(TrustError::Disputed { version: 2, .. })
            )),
            // What is known already says nothing new.
            false => assert!(result.unwrap().is_none()),
        }
    }
    // Nor under a new root whose makers had not heard of it: it is taken, and the dispute stands.
    let fresh = fresh();
    let next = split.after(split.root(&[], &fresh), &fresh);
    for side in [&split.at_one, &split.at_other] {
        let trust = side.merge(&next, T0 + 2 * DAY).unwrap().unwrap();
        assert_eq!((trust.root.version(), trust.roster.version()), (2, 2));
        assert_eq!(stands(&trust).len(), 1);
    }
}

/// Other second rosters by those who signed the first.
fn more(world: &World, count: u64) -> Vec<v1::Signed> {
    let one = |i| world.second(|m| m.expires += 100 + i);
    (0..count).map(one).collect()
}

#[test]
fn signers_who_were_replaced_stop_nothing() {
    let split = Split::new();
    let (world, fresh) = (&split.world, fresh());
    let next = split.after(split.root(&[], &fresh), &fresh);
    let held = world.trust.merge(&next, T0 + 2 * DAY).unwrap().unwrap();
    assert_eq!((held.root.version(), held.roster.version()), (2, 3));
    // Second rosters without end, and a chain that leads further.
    let mut trust = held.clone();
    let mut chain = vec![
        world.founding.bundle.rosters[0].clone(),
        split.other.clone(),
    ];
    for _ in 0..5 {
        chain.push(world.sign(&World::after(chain.last().unwrap())));
    }
    let many = more(world, 20);
    for other in many.iter().map(std::slice::from_ref).chain([&chain[..]]) {
        let bundle = rosters(&other.iter().collect::<Vec<_>>());
        if let Ok(Some(more)) = trust.merge(&bundle, T0 + 9 * DAY) {
            trust = more;
        }
    }
    assert_eq!(trust.roster.digest(), held.roster.digest());
    assert!(stands(&trust).is_empty());
    assert!(!trust.conflicts().is_empty(), "a few are kept as evidence");
    // Nor one that those who sign now carry on, in place of what was held: it could undo a revocation.
    let mut longer = World::after(chain.last().unwrap());
    longer.root_version = 2;
    chain.push(ceremony::sign_roster(&longer, &[&fresh[0], &fresh[1]]).unwrap());
    let longer = rosters(&chain.iter().collect::<Vec<_>>());
    assert!(
        held.merge(&longer, T0 + 20 * DAY)
            .unwrap()
            .unwrap()
            .roster
            .version()
            == 3
    );
    assert!(trust.merge(&longer, T0 + 20 * DAY).unwrap().is_none());
    let mut fourth = World::after(&next.rosters[2]);
    fourth.root_version = 2;
    let fourth = ceremony::sign_roster(&fourth, &[&fresh[0], &fresh[1]]).unwrap();
    let restarted = Trust::from_bundle(&trust.to_bundle(), None, T0 + 9 * DAY).unwrap();
    for trust in [&trust, &restarted] {
        let after = trust.merge(&rosters(&[&fourth]), T0 + 9 * DAY);
        assert_eq!(after.unwrap().unwrap().roster.version(), 4);
    }
    // Who signs now and signs twice is found out, however much is kept of those before.
    let mut twice = World::after(&split.one);
    (twice.root_version, twice.expires) = (2, twice.expires + 7);
    let twice = ceremony::sign_roster(&twice, &[&fresh[0], &fresh[2]]).unwrap();
    let trust = trust
        .merge(&rosters(&[&twice]), T0 + 9 * DAY)
        .unwrap()
        .unwrap();
    let [found] = stands(&trust)[..] else {
        panic!("{:?}", trust.conflicts());
    };
    assert_eq!((found.version, found.other), (3, digest(&twice.bytes)));
    assert!(matches!(
        trust.merge(&rosters(&[&fourth]), T0 + 9 * DAY),
        Err(TrustError::Disputed { version: 3, .. })
    ));
}

#[test]
fn a_root_that_names_one_equivocation_ends_all_by_the_signers_before_it() {
    let split = Split::new();
    let (world, fresh) = (&split.world, fresh());
    // More than a node keeps, or a root could name.
    let mut trust = split.at_one.clone();
    for other in more(world, 20) {
        trust = match trust.merge(&rosters(&[&other]), T0 + DAY).unwrap() {
            Some(more) => more,
            None => trust,
        };
    }
    assert_eq!(stands(&trust).len(), 8);
    let stranger = world.second(|m| m.expires += 3);
    let root = split.root(&[&split.one, &stranger], &fresh);
    let next = split.after(root, &fresh);
    // Whoever holds what the next roster follows goes on, and whoever holds another goes over.
    let fooled = world.trust.merge(&rosters(&[&more(world, 1)[0]]), T0 + DAY);
    for side in [&trust, &split.at_other, &fooled.unwrap().unwrap()] {
        let after = side.merge(&next, T0 + 2 * DAY).unwrap().unwrap();
        assert_eq!((after.root.version(), after.roster.version()), (2, 3));
        assert!(stands(&after).is_empty());
        let again = Trust::from_bundle(&after.to_bundle(), None, T0 + 2 * DAY).unwrap();
        assert!(stands(&again).is_empty());
        assert_eq!(again.roster.digest(), after.roster.digest());
    }
    // A chain under the old root leads nowhere, however long.
    let after = trust.merge(&next, T0 + 2 * DAY).unwrap().unwrap();
    let mut chain = vec![
        world.founding.bundle.rosters[0].clone(),
        split.other.clone(),
    ];
    for _ in 0..5 {
        chain.push(world.sign(&World::after(chain.last().unwrap())));
    }
    let longer = rosters(&chain.iter().collect::<Vec<_>>());
    assert!(after.merge(&longer, T0 + 9 * DAY).unwrap().is_none());
    // Nor where no roster under the new root has come yet; what is held and what is evidence stays.
    let root = roots(&[&next.roots[1]]);
    let waits = trust.merge(&root, T0 + 2 * DAY).unwrap().unwrap();
    let sides = |t: &Trust| {
        t.conflicts()
            .iter()
            .map(|c| (c.held, c.other))
            .collect::<Vec<_>>()
    };
    let after = waits.merge(&longer, T0 + 9 * DAY).unwrap();
    assert_eq!(sides(&after.unwrap_or(waits.clone())), sides(&waits));
}

#[test]
fn a_roster_of_another_network_is_no_second_one() {
    let split = Split::new();
    let other = split.world.second(|m| m.network = "trial".into());
    let trust = split.world.trust.merge(&rosters(&[&split.one]), T0 + DAY);
    let merged = trust.unwrap().unwrap().merge(&rosters(&[&other]), T0 + DAY);
    assert!(matches!(merged, Err(TrustError::Rule { .. })), "{merged:?}");
}

#[test]
fn a_root_that_names_both_ends_it_on_either_side() {
    let split = Split::new();
    let fresh = fresh();
    let root = split.root(&[&split.one, &split.other], &fresh);
    let next = split.after(root, &fresh);
    for trust in [&split.at_one, &split.at_other] {
        let trust = trust.merge(&next, T0 + 2 * DAY).unwrap().unwrap();
        assert_eq!((trust.root.version(), trust.roster.version()), (2, 3));
        assert!(stands(&trust).is_empty());
        let again = Trust::from_bundle(&trust.to_bundle(), None, T0 + 2 * DAY).unwrap();
        for trust in [&trust, &again] {
            let [kept] = trust.conflicts() else {
                panic!("the evidence stays: {:?}", trust.conflicts());
            };
            assert_eq!(kept.held, digest(&split.one.bytes));
            assert_eq!(kept.signed, split.other);
        }
        assert_eq!(again.roster.digest(), trust.roster.digest());
        assert!(stands(&again).is_empty());
    }
    // Signed by fewer than the root's threshold, it ends nothing.
    let mut weak = split.root(&[&split.one, &split.other], &fresh);
    weak.signatures.truncate(3);
    let next = split.after(weak, &fresh);
    assert!(matches!(
        split.at_other.merge(&next, T0 + 2 * DAY),
        Err(TrustError::TooFewSigners { needed: 4, .. })
    ));
}

#[test]
fn who_is_new_on_the_other_side_waits_from_the_day_that_it_is_taken() {
    let split = Split::with(|m| {
        m.groups.push(v1::Group {
            code: "SEA".into(),
            members: vec!["BB".into()],
        });
    });
    let fresh = fresh();
    let root = split.root(&[&split.one, &split.other], &fresh);
    let next = split.after(root, &fresh);
    let adopted = T0 + 30 * DAY;
    for (side, shared) in [(&split.at_one, 2), (&split.at_other, 1)] {
        let mut before = side.clone();
        before.accept_newcomer(Some(code("SEA")), code("BB"), 2);
        let after = before.merge(&next, adopted).unwrap().unwrap();
        assert_eq!(
            (after.roster.version(), after.shared_with(&before)),
            (3, shared)
        );
        // Of one version and name, yet nobody here has waited for it or accepted it.
        let waits = after.waits_until(Some(code("SEA")), code("BB"), adopted);
        let expected = (shared == 1).then_some(adopted + NEWCOMER_WAIT_MS);
        assert_eq!(waits, expected);
        for party in ["JM", "BB"] {
            let key = |trust: &Trust| trust.seal_key(code(party), adopted).map(|k| k.kid());
            assert_eq!(key(&after), key(&before), "{party}");
        }
    }
}

#[test]
fn of_two_roots_of_one_version_both_are_kept_and_no_root_follows_but_one_that_names_them() {
    let world = World::new();
    let version = |n: u64, expires: u64, settled: Vec<v1::Settlement>| {
        let mut root = world.root();
        (root.version, root.settled_roots) = (n, settled);
        root.expires += expires;
        ceremony::sign_root(&root, &world.root_signers(&[3, 4, 5, 6])).unwrap()
    };
    let (one, other) = (version(2, 0, Vec::new()), version(2, 1, Vec::new()));
    let trust = world.trust.merge(&roots(&[&one]), T0).unwrap().unwrap();
    let trust = trust.merge(&roots(&[&other]), T0).unwrap().unwrap();
    let [conflict] = stands(&trust)[..] else {
        panic!("{:?}", trust.conflicts());
    };
    assert_eq!((conflict.of, conflict.version), (ConflictOf::Root, 2));
    let merge = |root: &v1::Signed| trust.merge(&roots(&[&one, root]), T0);
    assert!(matches!(
        merge(&version(3, 0, Vec::new())),
        Err(TrustError::Disputed { what: "root", .. })
    ));
    let mut digests = [digest(&one.bytes), digest(&other.bytes)];
    digests.sort_unstable();
    let settled = v1::Settlement {
        version: 2,
        digests: digests.iter().map(|d| d.to_bytes()).collect(),
    };
    let next = merge(&version(3, 0, vec![settled])).unwrap().unwrap();
    assert_eq!(next.root.version(), 3);
    assert!(stands(&next).is_empty());
}

#[test]
fn evidence_is_kept_and_keys_are_taken_whatever_stands_behind_it() {
    let split = Split::new();
    // The other root, and a roster that hangs on nothing held here.
    let mut root = split.world.root();
    root.expires += 1;
    let mut bundle = rosters(&[&split.world.second(|m| m.root_version = 9)]);
    bundle.roots =
        vec![ceremony::sign_root(&root, &split.world.root_signers(&[0, 1, 2, 3])).unwrap()];
    let trust = split.world.trust.merge(&bundle, T0).unwrap().unwrap();
    assert_eq!(stands(&trust).len(), 1);
    assert_eq!(trust.roster.version(), 1);
    assert_eq!(trust.to_bundle().rosters.len(), 1);
    // While rosters wait for a root, seal keys go on.
    let secret = abeng_keys::SealSecret::from_seed(&[9; 32]).unwrap();
    let org = &**split.world.keyring("JM").org_sign();
    let interval = (T0, T0 + 90 * DAY);
    let key = ceremony::sign_seal_key(code("JM"), 2, secret.public(), interval, org).unwrap();
    let third = split.world.sign(&World::after(&split.one));
    let mut bundle = rosters(&[&split.one, &third]);
    bundle.seal_keys = vec![key];
    let trust = split.at_one.merge(&bundle, T0 + 2 * DAY).unwrap().unwrap();
    assert_eq!(trust.roster.version(), 2);
    assert_eq!(
        trust.seal_key(code("JM"), T0 + 2 * DAY).unwrap().kid(),
        secret.kid()
    );
    assert!(Trust::from_bundle(&trust.to_bundle(), None, T0 + 2 * DAY).is_ok());
}

#[test]
fn a_settlement_that_names_one_digest_or_unsorted_ones_is_refused() {
    let world = World::new();
    let sign = |digests: Vec<Vec<u8>>| {
        let mut root = world.root();
        root.settled_rosters = vec![v1::Settlement {
            version: 2,
            digests: digests.into_iter().map(Bytes::from).collect(),
        }];
        let signed = ceremony::sign_root(&root, &world.root_signers(&[0, 1, 2, 3])).unwrap();
        abeng_roster::Root::first(&signed, T0)
    };
    assert!(sign(vec![vec![1; 32], vec![2; 32]]).is_ok());
    let bad = [
        vec![vec![1; 32]],
        vec![vec![2; 32], vec![1; 32]],
        vec![vec![1; 32], vec![1; 32]],
        vec![vec![1; 31], vec![2; 32]],
    ];
    for digests in bad {
        assert!(matches!(sign(digests), Err(TrustError::Rule { .. })));
    }
}

#[test]
fn a_first_root_that_its_own_signers_alone_signed_is_no_equivocation() {
    let world = World::new();
    // Of the same name or another, by keys that this network has never heard of.
    let foreign = |name: &str| {
        let mut request = request();
        request.network = NetworkCode::new(name).unwrap();
        found(request, &mut Counting(1 << 20)).unwrap().bundle
    };
    let same = world.trust.merge(&foreign("try-out"), T0);
    assert!(
        matches!(same, Err(TrustError::TooFewSigners { needed: 4, .. })),
        "{same:?}"
    );
    let other = world.trust.merge(&foreign("trial"), T0);
    assert!(
        matches!(other, Err(TrustError::OtherNetwork { .. })),
        "{other:?}"
    );
    // Nor as the evidence of somebody else.
    let bundle = v1::TrustBundle {
        other_roots: foreign("try-out").roots,
        ..Default::default()
    };
    assert!(world.trust.merge(&bundle, T0).is_err());
}

/// A roster that follows another one, under that root, by those signers.
fn next(
    after: &v1::Signed,
    root: u64,
    by: &[&DualSigner],
    edit: impl Fn(&mut v1::Roster),
) -> v1::Signed {
    let mut m = World::after(after);
    m.root_version = root;
    edit(&mut m);
    ceremony::sign_roster(&m, by).unwrap()
}

fn revokes(m: &mut v1::Roster) {
    m.revocations = vec![v1::Revocation {
        kid: vec![7; 32].into(),
        effective_at: T0,
        reason: "stolen".into(),
    }];
}

/// Merges what the list brings, if anything; never less than there was.
fn shown(trust: &Trust, list: &[&v1::Signed]) -> Trust {
    match trust.merge(&rosters(list), T0 + 20 * DAY) {
        Ok(Some(more)) => more,
        _ => trust.clone(),
    }
}

#[test]
fn no_fork_takes_the_place_of_what_has_gone_on_under_a_newer_root() {
    let split = Split::new();
    let (world, fresh) = (&split.world, fresh());
    let new = [&fresh[0], &fresh[1]];
    let old = world.roster_signers(&[0, 1]);
    let first = &world.founding.bundle.rosters[0];
    // Root 2 names the two second rosters, or has not heard of any; the third one revokes a key.
    for named in [&[&split.one, &split.other][..], &[]] {
        let root = split.root(named, &fresh);
        let third = next(&split.one, 2, &new, revokes);
        let side = [&split.at_one, &world.trust][usize::from(named.is_empty())];
        let mut bundle = rosters(&[first, &split.one, &third]);
        bundle.roots = vec![world.founding.bundle.roots[0].clone(), root];
        let held = side.merge(&bundle, T0 + 2 * DAY).unwrap().unwrap();
        assert_eq!(held.roster.version(), 3);
        // Both old and new signers carry the other second roster on, past ours.
        let third_b = next(&split.other, 1, &old, |_| {});
        let fourth_b = next(&third_b, 2, &new, |_| {});
        let fork = [first, &split.other, &third_b, &fourth_b];
        let after = shown(&held, &fork);
        assert_eq!(after.roster.digest(), digest(&third.bytes));
        // And under a root that comes later.
        let mut root = world.root();
        root.version = 3;
        let keys = fresh.iter().map(|s| s.dual_key("new", "GY"));
        root.roster_signers = keys.collect();
        let root = ceremony::sign_root(&root, &world.root_signers(&[0, 1, 2, 3])).unwrap();
        let later = after
            .merge(&roots(&[&root]), T0 + 3 * DAY)
            .unwrap()
            .unwrap();
        let fourth_b = next(&third_b, 3, &new, |_| {});
        let fork = [first, &split.other, &third_b, &fourth_b];
        assert_eq!(shown(&later, &fork).roster.digest(), digest(&third.bytes));
        let restarted = Trust::from_bundle(&later.to_bundle(), None, T0 + 9 * DAY).unwrap();
        assert_eq!(
            shown(&restarted, &fork).roster.digest(),
            digest(&third.bytes)
        );
    }
}

#[test]
fn signers_who_stay_are_not_replaced_by_a_new_root() {
    let split = Split::new();
    let world = &split.world;
    // A routine root: one roster signer of three is another.
    let mut root = world.root();
    root.version = 2;
    root.roster_signers[2] = fresh()[0].dual_key("new", "GY");
    let root = ceremony::sign_root(&root, &world.root_signers(&[0, 1, 2, 3])).unwrap();
    let stay = world.roster_signers(&[0, 1]);
    let third = next(&split.one, 2, &stay, |_| {});
    let first = &world.founding.bundle.rosters[0];
    let mut bundle = rosters(&[first, &split.one, &third]);
    bundle.roots = vec![world.founding.bundle.roots[0].clone(), root];
    let held = world.trust.merge(&bundle, T0 + 2 * DAY).unwrap().unwrap();
    assert_eq!(held.roster.version(), 3);
    // They sign another second one: they still sign, so it stops what follows.
    let told = held
        .merge(&rosters(&[&split.other]), T0 + 2 * DAY)
        .unwrap()
        .unwrap();
    assert_eq!(stands(&told).len(), 1);
    let fourth = next(&third, 2, &stay, |_| {});
    assert!(matches!(
        told.merge(&rosters(&[&fourth]), T0 + 3 * DAY),
        Err(TrustError::Disputed { version: 2, .. })
    ));
    // Where only one of those who signed it stays, nothing more can come of them.
    let by_one_left = world.roster_signers(&[1, 2]);
    let mut m = World::after(first);
    m.expires += 9;
    let other = ceremony::sign_roster(&m, &by_one_left).unwrap();
    let told = held
        .merge(&rosters(&[&other]), T0 + 2 * DAY)
        .unwrap()
        .unwrap();
    assert!(stands(&told).is_empty());
    assert!(
        told.merge(&rosters(&[&fourth]), T0 + 3 * DAY)
            .unwrap()
            .is_some()
    );
}

#[test]
fn evidence_never_keeps_a_roster_out() {
    let split = Split::new();
    let (world, fresh) = (&split.world, fresh());
    // Second rosters as long as one may be, whatever stands in them.
    let long = |i: u8| {
        world.second(|m| {
            m.expires += u64::from(i) + 1;
            m.revocations = vec![v1::Revocation {
                kid: vec![i; 32].into(),
                effective_at: T0,
                reason: "x".repeat(1_000_000),
            }];
        })
    };
    let next_ones = split.after(split.root(&[&split.one, &split.other], &fresh), &fresh);
    // Shown before the root that ends it, and after.
    let before = (0..10).fold(split.at_one.clone(), |trust, i| shown(&trust, &[&long(i)]));
    assert!(!stands(&before).is_empty());
    let after = before.merge(&next_ones, T0 + 20 * DAY).unwrap().unwrap();
    let after = (10..20).fold(after, |trust, i| shown(&trust, &[&long(i)]));
    assert_eq!(after.roster.version(), 3);
    assert!(after.to_bundle().encoded_len() < 3 << 20);
    let fourth = next(&next_ones.rosters[2], 2, &[&fresh[0], &fresh[1]], |_| {});
    assert_eq!(shown(&after, &[&fourth]).roster.version(), 4);
}

#[test]
fn whoever_catches_up_stops_where_the_evidence_says() {
    let split = Split::new();
    let third = split.world.sign(&World::after(&split.one));
    let mut bundle = rosters(&[&split.one, &third]);
    bundle.other_rosters = vec![split.other.clone()];
    let trust = split
        .world
        .trust
        .merge(&bundle, T0 + 2 * DAY)
        .unwrap()
        .unwrap();
    assert_eq!(trust.roster.digest(), digest(&split.one.bytes));
    assert_eq!(stands(&trust).len(), 1);
}
