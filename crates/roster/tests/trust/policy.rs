use crate::support::*;
use abeng_keys::Keyring;
use abeng_roster::{
    Cleared, NEWCOMER_WAIT_MS, NoticeFacts, Policy, Refusal, Roster, SealKeys, Tlp, Trust,
};
use abeng_wire::{PartyCode, v1};
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
    Policy::expand(trust, code("JM"), codes, T0)
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
        Policy::granted(&trust.roster, code(from), code(to), ty, Tlp(tlp as u32)).is_ok()
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
    let expand =
        |trust: &Trust, group: &str, now| Policy::expand(trust, code("JM"), &[group], now).unwrap();
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

    trust.accept_newcomer(code("GY"));
    assert_eq!(clear(&trust, adopted), Ok(()));
}
