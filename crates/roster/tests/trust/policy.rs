use crate::support::*;
use abeng_keys::{Keyring, Signer, SoftSigner};
use abeng_roster::{
    Cleared, GroupExpansion, LeftOut, NEWCOMER_WAIT_MS, Newcomer, NoticeFacts, Policy, Refusal,
    Roster, SealKeys, Tlp, Trust,
};
use abeng_wire::{Clock, PartyCode, v1};
use std::sync::Arc;

const SEIZURE: NoticeFacts<'static> = NoticeFacts {
    ty: "SEIZURE",
    tlp: Tlp::RED,
};

fn clear(trust: &Trust, to: &[&str]) -> Result<Cleared, Vec<Refusal>> {
    let to: Vec<_> = to.iter().map(|c| code(c)).collect();
    Policy::clear(trust, code("JM"), &to, &SEIZURE, T0)
}

fn expand(trust: &Trust, codes: &[&str]) -> Result<Vec<PartyCode>, Refusal> {
    Policy::expand(trust, code("JM"), codes, T0).map(|expanded| expanded.to)
}

/// The same network under another version of the roster.
fn with(world: &World, edit: impl FnOnce(&mut v1::Roster)) -> Trust {
    let mut trust = world.trust.clone();
    let roster = Roster::adopt(&trust.root, Some(&trust.roster), &world.second(edit), T0);
    trust.roster = Arc::new(roster.unwrap());
    trust
}

#[test]
fn a_cleared_way_is_sorted_and_names_its_roster() {
    let trust = World::new().trust;
    let cleared = clear(&trust, &["TT", "BB"]).unwrap();
    assert_eq!(cleared.from(), code("JM"));
    assert_eq!(cleared.to(), [code("BB"), code("TT")]);
    assert_eq!(cleared.roster_version(), 1);
    assert_eq!(cleared.roster_digest(), trust.roster.digest());
}

#[test]
fn all_that_stands_against_it_is_said_at_once() {
    let trust = World::new().trust;
    assert_eq!(clear(&trust, &[]), Err(vec![Refusal::Nobody]));
    assert_eq!(
        clear(&trust, &["TT", "ZZ", "BB", "TT", "JM", "TT"]),
        Err(vec![
            Refusal::RepeatedRecipient { code: code("TT") },
            Refusal::Yourself { code: code("JM") },
            Refusal::UnknownRecipient {
                code: "ZZ".into(),
                did_you_mean: None
            },
        ])
    );
    let crowd: Vec<_> = (0..65).map(|i| format!("X{i}")).collect();
    let crowd: Vec<_> = crowd.iter().map(String::as_str).collect();
    let refusals = clear(&trust, &crowd).unwrap_err();
    assert!(refusals.contains(&Refusal::TooMany {
        found: 65,
        limit: 64
    }));
}

#[test]
fn an_unknown_recipient_is_answered_with_the_nearest() {
    let trust = World::new().trust;
    for (typed, meant) in [
        ("tt", Some("TT")),
        (" bb ", Some("BB")),
        ("TR", Some("TT")),
        ("barbados", Some("BB")),
        ("ALLL", Some("ALL")),
        ("QQ", None),
        ("", None),
    ] {
        assert_eq!(
            expand(&trust, &[typed]),
            Err(Refusal::UnknownRecipient {
                code: typed.into(),
                did_you_mean: meant.map(Into::into)
            })
        );
    }
    let text = expand(&trust, &["tt"]).unwrap_err().to_string();
    assert!(text.contains("did you mean TT?"), "{text}");
}

#[test]
fn groups_leave_out_the_originator_and_names_count_once() {
    let world = World::new();
    let trust = &world.trust;
    let others = [code("BB"), code("LC"), code("TT")];
    assert_eq!(expand(trust, &["ALL"]).unwrap(), others);
    assert_eq!(expand(trust, &["TT", "ALL"]).unwrap(), others);
    assert_eq!(
        expand(trust, &["JM"]).unwrap(),
        [code("JM")],
        "clear says Yourself"
    );
    assert_eq!(
        expand(trust, &["TT", "BB", "TT"]),
        Err(Refusal::RepeatedRecipient { code: code("TT") })
    );
    let suspended = with(&world, |m| {
        edit_party(m, "BB", &[], |p| {
            p.status = v1::PartyStatus::Suspended as i32
        });
    });
    assert_eq!(
        expand(&suspended, &["ALL"]).unwrap(),
        [code("LC"), code("TT")]
    );
    let refusals = clear(&suspended, &["BB"]).unwrap_err();
    assert!(matches!(refusals[..], [Refusal::Inactive { .. }]));
    assert!(
        refusals[0]
            .to_string()
            .contains("Joint Intelligence Office (LC)")
    );
}

#[test]
fn grants_bind_by_direction_type_and_label() {
    let world = World::new();
    let trust = with(&world, |m| {
        m.groups = vec![v1::Group {
            code: "EAST".into(),
            members: vec!["BB".into(), "TT".into()],
        }];
        let grant = |from: &str, to: &str, types: &[&str], tlp: v1::Tlp| v1::Grant {
            from: from.into(),
            to: to.into(),
            notice_types: types.iter().map(|&t| t.into()).collect(),
            highest_tlp: tlp as u32,
        };
        m.grants = vec![
            grant("JM", "EAST", &["SEIZURE", "WARNING"], v1::Tlp::Amber),
            grant("JM", "TT", &["SEIZURE"], v1::Tlp::AmberStrict),
            grant("*", "LC", &[], v1::Tlp::Red),
        ];
    });
    let granted = |from: &str, to: &str, ty: &str, tlp: v1::Tlp| {
        let notice = NoticeFacts {
            ty,
            tlp: Tlp(tlp as u32),
        };
        Policy::may_receive(&trust, code(from), code(to), &notice, T0).is_ok()
    };
    assert!(granted("JM", "BB", "SEIZURE", v1::Tlp::Amber));
    assert!(granted("JM", "BB", "WARNING", v1::Tlp::Clear));
    assert!(granted("JM", "TT", "SEIZURE", v1::Tlp::AmberStrict));
    assert!(granted("BB", "LC", "REQUEST", v1::Tlp::Red));
    assert!(
        !granted("JM", "BB", "SEIZURE", v1::Tlp::AmberStrict),
        "label"
    );
    assert!(
        !granted("JM", "TT", "WARNING", v1::Tlp::AmberStrict),
        "type and label"
    );
    assert!(!granted("JM", "BB", "REQUEST", v1::Tlp::Clear), "type");
    assert!(!granted("TT", "JM", "SEIZURE", v1::Tlp::Clear), "direction");
    assert!(!granted("ZZ", "LC", "SEIZURE", v1::Tlp::Clear), "no party");
    assert!(
        !granted("JM", "BB", "SEIZURE", v1::Tlp::Unspecified),
        "no label"
    );

    let refusals = clear(&trust, &["BB", "LC"]).unwrap_err();
    let text = refusals[0].to_string();
    for part in [
        "TLP:RED",
        "grants reach up to TLP:AMBER;",
        "ask Joint Intelligence Office (LC)",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(refusals.len(), 1);
}

#[test]
fn without_a_seal_key_nothing_can_be_sealed() {
    let mut trust = World::new().trust;
    trust.seal_keys = SealKeys::default();
    assert_eq!(
        clear(&trust, &["TT"]),
        Err(vec![Refusal::NoSealKey { code: code("TT") }])
    );
}

#[test]
fn the_secretariat_cannot_slip_in_a_reader() {
    let world = World::new();
    let keyring = Keyring::generate(code("GY"), &mut Counting(70_000));
    let seal = abeng_roster::ceremony::sign_seal_key(
        code("GY"),
        1,
        keyring.seal.newest().unwrap().public(),
        (T0, T0 + 90 * DAY),
        &**keyring.org_sign(),
    );
    let bundle = v1::TrustBundle {
        rosters: vec![world.second(|m| {
            m.parties.insert(1, new_party("GY", &keyring));
            m.groups[0].members.insert(1, "GY".into());
            m.groups.push(v1::Group {
                code: "SEA".into(),
                members: vec!["BB".into()],
            });
        })],
        seal_keys: vec![seal.unwrap()],
        ..Default::default()
    };
    let adopted = T0 + DAY;
    let mut trust = world.trust.merge(&bundle, adopted).unwrap().unwrap();
    let others = [code("BB"), code("LC"), code("TT")];
    let expand = |trust: &Trust, group: &str, now| {
        Policy::expand(trust, code("JM"), &[group], now).unwrap().to
    };
    let clear = |trust: &Trust, now| {
        Policy::clear(trust, code("JM"), &[code("GY")], &SEIZURE, now).map(|_| ())
    };
    let until = adopted + NEWCOMER_WAIT_MS;
    assert_eq!(expand(&trust, "ALL", until - 1), others);
    assert_eq!(expand(&trust, "SEA", until - 1), [], "new to the group");
    assert_eq!(
        clear(&trust, until - 1),
        Err(vec![Refusal::Newcomer {
            code: code("GY"),
            until
        }])
    );
    assert_eq!(clear(&trust, until), Ok(()));
    assert_eq!(expand(&trust, "ALL", until).len(), 4);
    assert_eq!(expand(&trust, "SEA", until), [code("BB")]);

    // A restart forgets nothing that the journal remembers.
    let mut again = Trust::from_bundle(&trust.to_bundle(), None, adopted).unwrap();
    again.note_adoption(2, adopted);
    assert_eq!(expand(&again, "ALL", until - 1), others);

    trust.accept_newcomer(None, code("GY"), 2);
    assert_eq!(clear(&trust, adopted), Ok(()));
}

/// JM may send to the group SEA, in which BB is new since roster 2; roster 1 had TT alone in it.
fn new_in_a_group(world: &World) -> (Trust, v1::Signed) {
    let sea = |members: &[&str]| v1::Group {
        code: "SEA".into(),
        members: members.iter().map(|&m| m.into()).collect(),
    };
    let grant = v1::Grant {
        from: "JM".into(),
        to: "SEA".into(),
        notice_types: vec!["SEIZURE".into()],
        highest_tlp: v1::Tlp::Red as u32,
    };
    let second = world.second(|m| {
        m.groups.push(sea(&["TT"]));
        m.grants = vec![grant];
    });
    let mut third = World::after(&second);
    third.groups.last_mut().unwrap().members = vec!["BB".into(), "TT".into()];
    let third = world.sign(&third);
    let mut bundle = world.founding.bundle.clone();
    bundle.rosters.extend([second, third.clone()]);
    let mut trust = Trust::from_bundle(&bundle, None, T0).unwrap();
    trust.note_adoption(3, T0);
    (trust, third)
}

#[test]
fn a_grant_of_a_group_is_nothing_to_whoever_waits_in_it() {
    let world = World::new();
    let (mut trust, third) = new_in_a_group(&world);
    let until = T0 + NEWCOMER_WAIT_MS;
    let waits = Refusal::NewInGroup {
        code: code("BB"),
        group: code("SEA"),
        until,
    };
    let clear = |trust: &Trust, clock: Clock| {
        Policy::clear(trust, code("JM"), &[code("BB")], &SEIZURE, clock).map(|_| ())
    };
    assert_eq!(clear(&trust, T0.into()), Err(vec![waits.clone()]));
    assert!(waits.waits() && waits.to_string().contains("roster accept --group SEA"));
    assert_eq!(clear(&trust, until.into()), Ok(()));
    // What only a doubtful clock says is over is not over.
    let doubtful = Clock {
        earliest: until - 1,
        now: until + DAY,
    };
    assert_eq!(clear(&trust, doubtful), Err(vec![waits]));
    let accepted = {
        let mut trust = trust.clone();
        trust.accept_newcomer(Some(code("SEA")), code("BB"), 3);
        trust
    };
    assert_eq!(clear(&accepted, T0.into()), Ok(()));
    // Whoever leaves and comes back waits again, accepted or not.
    let mut fourth = World::after(&third);
    fourth.groups.last_mut().unwrap().members = vec!["TT".into()];
    let fourth = world.sign(&fourth);
    let mut fifth = World::after(&fourth);
    fifth.groups.last_mut().unwrap().members = vec!["BB".into(), "TT".into()];
    let rosters = vec![fourth, world.sign(&fifth)];
    let bundle = v1::TrustBundle {
        rosters,
        ..Default::default()
    };
    let back = accepted.merge(&bundle, T0 + 4 * DAY).unwrap().unwrap();
    let until = T0 + 4 * DAY + NEWCOMER_WAIT_MS;
    assert_eq!(
        back.newcomers(T0 + 4 * DAY),
        [Newcomer {
            group: Some(code("SEA")),
            party: code("BB"),
            since: 5,
            until
        }]
    );
    trust.note_adoption(3, 0);
    assert_eq!(trust.newcomers(T0), []);
}

#[test]
fn what_comes_from_a_newcomer_waits_and_a_recall_does_not() {
    let world = World::new();
    let keyring = Keyring::generate(code("GY"), &mut Counting(70_000));
    let bundle = v1::TrustBundle {
        rosters: vec![world.second(|m| m.parties.insert(1, new_party("GY", &keyring)))],
        ..Default::default()
    };
    let trust = world.trust.merge(&bundle, T0 + DAY).unwrap().unwrap();
    let take = |ty: &'static str, from: &str| {
        let notice = NoticeFacts { ty, tlp: Tlp::RED };
        Policy::may_receive(&trust, code(from), code("JM"), &notice, T0 + DAY)
    };
    let refusal = take("SEIZURE", "GY").unwrap_err();
    assert!(refusal.waits(), "{refusal}");
    assert_eq!(take("RECALL", "GY"), Ok(()));
    assert_eq!(take("SEIZURE", "TT"), Ok(()));
}

#[test]
fn an_expansion_says_who_is_left_out_and_why() {
    let world = World::new();
    let (trust, _) = new_in_a_group(&world);
    let expanded = Policy::expand(&trust, code("TT"), &["SEA"], T0).unwrap();
    assert_eq!(expanded.to, []);
    assert_eq!(
        expanded.groups,
        [GroupExpansion {
            group: code("SEA"),
            members: vec![],
            left_out: vec![
                (
                    code("BB"),
                    LeftOut::Waits {
                        to_network: false,
                        until: T0 + NEWCOMER_WAIT_MS
                    }
                ),
                (code("TT"), LeftOut::Yourself),
            ],
        }]
    );
}

#[test]
fn a_policy_is_explained_by_its_grants_and_by_what_stands_against_it() {
    let world = World::new();
    let (trust, _) = new_in_a_group(&world);
    let explain = |to: &str, ty: &'static str, tlp: Tlp, now: u64| {
        let notice = NoticeFacts { ty, tlp };
        let explained = Policy::explain(&trust, (code("JM"), code(to)), &notice, now);
        let grants = explained.grants.into_iter();
        let grants: Vec<_> = grants.map(|g| (g.grant, g.allows)).collect();
        (grants, explained.refusal.map(|r| r.to_string()))
    };
    let grant = "JM to SEA: SEIZURE up to TLP:RED".to_owned();
    let (grants, refusal) = explain("TT", "SEIZURE", Tlp::RED, T0);
    assert_eq!((grants, refusal), (vec![(grant.clone(), true)], None));
    let (grants, refusal) = explain("BB", "SEIZURE", Tlp::RED, T0);
    assert_eq!(grants, [(grant, false)]);
    assert!(refusal.unwrap().contains("new to the group SEA"));
    let (grants, refusal) = explain("TT", "LOOKOUT", Tlp::RED, T0);
    assert_eq!(grants, []);
    let refusal = refusal.unwrap();
    assert!(
        refusal.contains("no grant of roster 3") && refusal.contains("ask Joint"),
        "{refusal}"
    );
    assert_eq!(
        Policy::gains(&trust, Some(code("SEA")), code("BB")).len(),
        1
    );
}

#[test]
fn changes_are_told_in_words() {
    let world = World::new();
    let keyring = Keyring::generate(code("GY"), &mut Counting(70_000));
    let tls = SoftSigner::from_seed(&[9; 32]).unwrap();
    let bb = world.keyring("BB");
    let second = world.second(|m| {
        m.parties.insert(1, new_party("GY", &keyring));
        m.groups[0].members.insert(1, "GY".into());
        edit_party(m, "TT", &[], |p| {
            p.status = v1::PartyStatus::Suspended as i32
        });
        let signers: [&dyn Signer; 3] = [&**bb.org_sign(), &**bb.node_tls(), &tls];
        edit_party(m, "BB", &signers, |p| {
            p.keys.push(key(v1::KeyRole::NodeTls, &tls));
        });
        m.grants[0].highest_tlp = v1::Tlp::Amber as u32;
    });
    let bundle = v1::TrustBundle {
        rosters: vec![second],
        ..Default::default()
    };
    let trust = world.trust.merge(&bundle, T0 + DAY).unwrap().unwrap();
    let told: Vec<_> = trust.changes_since(1).unwrap();
    let told: Vec<_> = told.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "node-tls keys of BB: 1 new",
            "new member GY (Newcomer)",
            "TT is suspended",
            "GY joins the group ALL",
            "new grant * to *: every type up to TLP:AMBER",
            "no longer granted * to *: every type up to TLP:RED",
        ]
    );
    assert!(trust.changes_since(2).unwrap().is_empty());
    assert!(trust.changes_since(9).is_err());
}
