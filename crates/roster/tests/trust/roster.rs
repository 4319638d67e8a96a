use crate::support::*;
use abeng_keys::{Keyring, Role, Signer, SoftSigner};
use abeng_roster::{Roster, TrustError, ceremony};
use abeng_wire::{prost::Message, v1};
use bytes::Bytes;

fn adopt(world: &World, signed: &v1::Signed) -> Result<Roster, TrustError> {
    Roster::adopt(
        &world.trust.root,
        Some(&world.trust.roster),
        signed,
        T0 + DAY,
    )
}

fn second(world: &World, edit: impl FnOnce(&mut v1::Roster)) -> Result<Roster, TrustError> {
    adopt(world, &world.second(edit))
}

#[test]
fn a_roster_needs_two_of_three_distinct_signers() {
    let world = World::new();
    let sign = |which: &[usize]| {
        let signed = ceremony::sign_roster(&world.roster(), &world.roster_signers(which)).unwrap();
        Roster::adopt(&world.trust.root, None, &signed, T0).map(|r| r.version())
    };
    assert_eq!(sign(&[0, 2]), Ok(1));
    for which in [&[1][..], &[1, 1], &[]] {
        assert!(matches!(
            sign(which),
            Err(TrustError::TooFewSigners { needed: 2, .. })
        ));
    }
    // The signers of the root are not those of the roster.
    let signed =
        ceremony::sign_roster(&world.roster(), &world.root_signers(&[0, 1, 2, 3])).unwrap();
    assert!(matches!(
        Roster::adopt(&world.trust.root, None, &signed, T0),
        Err(TrustError::TooFewSigners { found: 0, .. })
    ));
    // A signature half missing.
    let mut half = world.founding.bundle.rosters[0].clone();
    half.signatures[1].ml_dsa = Bytes::new();
    assert!(matches!(
        Roster::adopt(&world.trust.root, None, &half, T0),
        Err(TrustError::TooFewSigners { found: 1, .. })
    ));
}

#[test]
fn rosters_are_walked_one_by_one() {
    let world = World::new();
    assert_eq!(second(&world, |_| {}).unwrap().version(), 2);
    for version in [0, 1, 3] {
        assert!(matches!(
            second(&world, |m| m.version = version),
            Err(TrustError::NotNext { held: 1, .. })
        ));
    }
    let wrong = [
        Bytes::new(),
        Bytes::from(vec![1; 32]),
        Bytes::from(vec![1; 31]),
    ];
    for previous in wrong {
        assert_eq!(
            second(&world, |m| m.previous = previous).unwrap_err(),
            TrustError::PreviousDigest { version: 2 }
        );
    }
    // Version 1 names nothing before it.
    let mut first = world.roster();
    first.previous = Bytes::from(vec![1; 32]);
    assert_eq!(
        Roster::adopt(&world.trust.root, None, &world.sign(&first), T0).unwrap_err(),
        TrustError::PreviousDigest { version: 1 }
    );
    assert!(matches!(
        second(&world, |m| m.root_version = 2),
        Err(TrustError::OtherRootVersion { found: 2, .. })
    ));
    assert!(matches!(
        second(&world, |m| m.network = "other".into()),
        Err(TrustError::OtherNetwork { .. })
    ));
    assert!(matches!(
        second(&world, |m| m.issued = T0 - 1),
        Err(TrustError::Rule { .. })
    ));
}

#[test]
fn an_expired_roster_is_refused_and_says_so() {
    let world = World::new();
    assert!(matches!(
        second(&world, |m| m.expires = T0 + 1000),
        Err(TrustError::Rule { .. }) // issued when it expires
    ));
    let expired = world.second(|m| m.expires = m.issued + 1);
    let late = |now| Roster::adopt(&world.trust.root, Some(&world.trust.roster), &expired, now);
    assert!(late(T0 + 1000).is_ok());
    assert!(matches!(late(T0 + 1001), Err(TrustError::Expired { .. })));
    let end = world.trust.roster.expires();
    assert!(world.trust.check_time(end - 1).is_ok());
    let text = world.trust.check_time(end).unwrap_err().to_string();
    assert!(text.starts_with("roster 1 expired"), "{text}");
}

#[test]
fn a_party_proves_that_it_holds_each_of_its_keys() {
    let world = World::new();
    let fresh = Keyring::generate(code("GY"), &mut Counting(70_000));
    let join = |drop: Option<usize>| {
        second(&world, |m| {
            let mut entry = new_party("GY", &fresh);
            if let Some(i) = drop {
                entry.signatures.remove(i);
            }
            m.parties.insert(1, entry);
        })
    };
    assert!(join(None).is_ok());
    let roles = [Role::OrgSign, Role::NodeTls, Role::Log, Role::Witness];
    for (i, role) in roles.into_iter().enumerate() {
        assert!(
            matches!(join(Some(i)), Err(TrustError::NoPossession { role: r, .. }) if r == role)
        );
    }
    // Somebody else's signature under the key's name.
    let forged = second(&world, |m| {
        let mut entry = new_party("GY", &fresh);
        entry.signatures[2].ed25519 = entry.signatures[1].ed25519.clone();
        m.parties.insert(1, entry);
    });
    assert!(matches!(
        forged,
        Err(TrustError::NoPossession {
            role: Role::Log,
            ..
        })
    ));
}

#[test]
fn a_changed_key_needs_the_old_key_of_its_role_and_the_organisation() {
    let world = World::new();
    let jm = world.keyring("JM");
    let fresh = SoftSigner::from_seed(&[5; 32]).unwrap();
    let rotate = |signers: &[&dyn Signer]| {
        second(&world, |m| {
            edit_party(m, "JM", signers, |p| {
                p.keys.push(key(v1::KeyRole::NodeTls, &fresh));
            });
        })
    };
    let (org, tls) = (&**jm.org_sign(), &**jm.node_tls());
    let roster = rotate(&[org, tls, &fresh]).unwrap();
    let party = roster.party(code("JM")).unwrap();
    assert_eq!(party.keys(Role::NodeTls).count(), 2);
    assert_eq!(
        party.active_key(Role::NodeTls, T0 + DAY),
        Some(fresh.verify_key()),
        "the key that began last"
    );
    let no_old = |role| TrustError::NoOldKey {
        party: code("JM"),
        role,
    };
    assert_eq!(rotate(&[org, &fresh]).unwrap_err(), no_old(Role::NodeTls));
    assert_eq!(rotate(&[tls, &fresh]).unwrap_err(), no_old(Role::OrgSign));
    assert!(matches!(
        rotate(&[org, tls]),
        Err(TrustError::NoPossession { .. })
    ));

    // The organisation's own key replaced by the Secretariat's.
    let stolen = second(&world, |m| {
        edit_party(m, "JM", &[&fresh, tls], |p| {
            p.keys[0] = key(v1::KeyRole::OrgSign, &fresh);
        });
    });
    assert_eq!(stolen.unwrap_err(), no_old(Role::OrgSign));
    let given = second(&world, |m| {
        edit_party(m, "JM", &[&fresh, org], |p| {
            p.keys[0] = key(v1::KeyRole::OrgSign, &fresh);
        });
    });
    assert!(given.is_ok());
    // Another party's address changed behind its back.
    let moved = second(&world, |m| {
        edit_party(m, "JM", &[tls], |p| p.addresses.clear());
    });
    assert_eq!(moved.unwrap_err(), no_old(Role::OrgSign));
}

#[test]
fn a_revoked_or_retired_key_hands_over_to_nobody() {
    let world = World::new();
    let jm = world.keyring("JM");
    let fresh = SoftSigner::from_seed(&[5; 32]).unwrap();
    let (org, tls) = (&**jm.org_sign(), &**jm.node_tls());
    let add = |m: &mut v1::Roster| {
        edit_party(m, "JM", &[org, tls, &fresh], |p| {
            p.keys.push(key(v1::KeyRole::NodeTls, &fresh));
        });
    };
    let revoked = second(&world, |m| {
        add(m);
        m.revocations.push(v1::Revocation {
            kid: tls.verify_key().kid().to_bytes(),
            effective_at: T0,
            reason: "stolen".into(),
        });
    });
    assert!(matches!(
        revoked,
        Err(TrustError::NoOldKey {
            role: Role::NodeTls,
            ..
        })
    ));
    // Six years on every key of the founding is past its time.
    let retired = world.second(|m| {
        add(m);
        m.issued = T0 + 6 * 365 * DAY;
        m.expires = m.issued + DAY;
    });
    assert!(matches!(
        adopt(&world, &retired),
        Err(TrustError::NoOldKey { .. })
    ));
}

#[test]
fn the_secretariat_can_suspend_but_not_bring_back() {
    let world = World::new();
    let suspend = |m: &mut v1::Roster| {
        edit_party(m, "JM", &[], |p| {
            p.status = v1::PartyStatus::Suspended as i32;
        });
    };
    let suspended = world.second(suspend);
    let roster = adopt(&world, &suspended).unwrap();
    assert!(!roster.party(code("JM")).unwrap().is_active());
    let tls = *world.keyring("JM").node_tls().verify_key().bytes();
    assert!(roster.party_by_tls_key(&tls, T0 + DAY).is_none());

    let and_more = second(&world, |m| {
        suspend(m);
        edit_party(m, "JM", &[], |p| {
            p.relay = true;
            p.version -= 1;
        });
    });
    assert!(matches!(and_more, Err(TrustError::NoOldKey { .. })));

    let back = |signers: &[&dyn Signer]| {
        let mut m = World::after(&suspended);
        edit_party(&mut m, "JM", signers, |p| {
            p.status = v1::PartyStatus::Active as i32;
        });
        Roster::adopt(&world.trust.root, Some(&roster), &world.sign(&m), T0 + DAY)
    };
    assert!(matches!(back(&[]), Err(TrustError::NoOldKey { .. })));
    assert!(back(&[&**world.keyring("JM").org_sign()]).is_ok());
}

#[test]
fn an_entry_that_was_signed_for_another_moment_does_not_come_back() {
    let world = World::new();
    let org = world.keyring("JM");
    let org: &[&dyn Signer] = &[&**org.org_sign()];
    let entry = |signed: &v1::Signed| {
        let m = v1::Roster::decode(signed.bytes.clone()).unwrap();
        m.parties[position(&m, "JM")].clone()
    };
    let replayed = |held: &[&v1::Signed], old: v1::Signed| {
        let mut before = None;
        for signed in held {
            let next = Roster::adopt(&world.trust.root, before.as_ref(), signed, T0 + DAY).unwrap();
            before = Some(next);
        }
        let mut m = World::after(held[held.len() - 1]);
        let at = position(&m, "JM");
        m.parties[at] = old;
        Roster::adopt(
            &world.trust.root,
            before.as_ref(),
            &world.sign(&m),
            T0 + DAY,
        )
    };
    let not_next = |held, found| TrustError::EntryNotNext {
        party: code("JM"),
        held,
        found,
    };
    let first = &world.founding.bundle.rosters[0];
    // Its address as it was, by JM's own word of then.
    let moved = world.second(|m| edit_party(m, "JM", org, |p| p.addresses.clear()));
    let back = replayed(&[first, &moved], entry(first));
    assert_eq!(back.unwrap_err(), not_next(2, 1));
    // Suspended, and back by what JM signed before, be it in force then or still on its way.
    let suspended = world.second(|m| {
        edit_party(m, "JM", &[], |p| {
            p.status = v1::PartyStatus::Suspended as i32
        });
    });
    let back = replayed(&[first, &suspended], entry(first));
    assert_eq!(back.unwrap_err(), not_next(2, 1));
    let back = replayed(&[first, &suspended], entry(&moved));
    assert_eq!(back.unwrap_err(), not_next(2, 2));
}

#[test]
fn no_entry_can_count_so_far_that_nothing_follows_it() {
    let world = World::new();
    let org = world.keyring("JM");
    for version in [0, 1, 3, u64::MAX] {
        let far = second(&world, |m| {
            edit_party(m, "JM", &[&**org.org_sign()], |p| {
                p.addresses.clear();
                p.version = version;
            });
        });
        let refused = TrustError::EntryNotNext {
            party: code("JM"),
            held: 1,
            found: version,
        };
        assert_eq!(far.unwrap_err(), refused);
    }
}

#[test]
fn one_key_never_stands_in_two_places() {
    let world = World::new();
    let (jm, tt) = (world.keyring("JM"), world.keyring("TT"));
    let signers: [&dyn Signer; 6] = [
        &**jm.org_sign(),
        &**jm.node_tls(),
        &**jm.log(),
        &**jm.witness(),
        &**tt.org_sign(),
        &**tt.log(),
    ];
    let add = |role, signer: &dyn Signer| {
        second(&world, |m| {
            edit_party(m, "JM", &signers, |p| p.keys.push(key(role, signer)));
        })
    };
    let root_half = world.founding.root_signers[0].ed25519();
    let mut with_root = signers.to_vec();
    with_root.push(root_half);
    let root_key = second(&world, |m| {
        edit_party(m, "JM", &with_root, |p| {
            p.keys.push(key(v1::KeyRole::Log, root_half));
        });
    });
    for twice in [
        add(v1::KeyRole::Log, &**jm.org_sign()), // two roles
        add(v1::KeyRole::Log, &**jm.log()),      // twice in one role
        add(v1::KeyRole::Log, &**tt.log()),      // two parties
        root_key,                                // a root signer's
    ] {
        assert!(
            matches!(twice, Err(TrustError::KeyTwice { .. })),
            "{twice:?}"
        );
    }
    // A key that leaves one place may not turn up in another at once.
    let moved = second(&world, |m| {
        edit_party(m, "JM", &signers, |p| {
            let fresh = SoftSigner::from_seed(&[5; 32]).unwrap();
            p.keys[2] = key(v1::KeyRole::Log, &**jm.witness());
            p.keys[3] = key(v1::KeyRole::Witness, &fresh);
        });
        let at = position(m, "JM");
        let fresh = SoftSigner::from_seed(&[5; 32]).unwrap();
        let again = ceremony::sign_party(
            &prost::Message::decode(m.parties[at].bytes.clone()).unwrap(),
            &[&signers[..], &[&fresh]].concat(),
        );
        m.parties[at] = again.unwrap();
    });
    assert!(
        matches!(moved, Err(TrustError::KeyTwice { .. })),
        "{moved:?}"
    );
}

#[test]
fn an_entry_that_breaks_a_rule_is_refused_whoever_signs() {
    let world = World::new();
    let jm = world.keyring("JM");
    let signers: [&dyn Signer; 4] = [
        &**jm.org_sign(),
        &**jm.node_tls(),
        &**jm.log(),
        &**jm.witness(),
    ];
    let edits: [fn(&mut v1::Party); 13] = [
        |p| p.log_origin = "abeng/try-out/TT/".into(),
        |p| p.log_origin = "abeng/try-out/JM".into(),
        |p| p.name.clear(),
        |p| p.country = "jm".into(),
        |p| p.kind = 9,
        |p| p.status = 0,
        |p| p.addresses = vec!["example.org:0".into()],
        |p| p.addresses = vec!["a:1".into(); 9],
        |p| p.witnesses.reverse(),
        |p| p.witnesses = vec!["JM".into()],
        |p| p.keys[0].role = 0,
        |p| p.keys[0].not_before = p.keys[0].not_after,
        |p| p.keys.retain(|k| k.role() != v1::KeyRole::Witness),
    ];
    for (i, edit) in edits.into_iter().enumerate() {
        let result = second(&world, |m| edit_party(m, "JM", &signers, edit));
        assert!(
            matches!(result, Err(TrustError::Rule { .. })),
            "{i}: {result:?}"
        );
    }
    let stranger = second(&world, |m| {
        edit_party(m, "JM", &signers, |p| p.witnesses = vec!["ZZ".into()]);
    });
    assert!(matches!(stranger, Err(TrustError::Rule { .. })));
}

#[test]
fn a_roster_that_breaks_a_rule_is_refused_whoever_signs() {
    let world = World::new();
    let edits: [fn(&mut v1::Roster); 12] = [
        |m| m.parties.reverse(),
        |m| {
            // Gone, to come back one version later with other keys.
            m.parties.remove(1);
            m.groups.clear();
            for party in ["BB", "LC", "TT"] {
                let world = World::new();
                let signer = &**world.keyring(party).org_sign();
                edit_party(m, party, &[signer], |p| p.witnesses.clear());
            }
        },
        |m| m.parties.push(m.parties[3].clone()),
        |m| m.groups.push(m.groups[0].clone()),
        |m| m.groups[0].code = "JM".into(),
        |m| m.groups[0].members.push("ZZ".into()),
        |m| m.groups[0].members.reverse(),
        |m| m.grants[0].from = "NOBODY".into(),
        |m| m.grants[0].highest_tlp = 0,
        |m| m.grants[0].highest_tlp = 6,
        |m| m.grants[0].notice_types = vec!["seizure".into()],
        |m| {
            m.revocations = vec![v1::Revocation {
                kid: Bytes::from(vec![1; 31]),
                ..Default::default()
            }];
        },
    ];
    for (i, edit) in edits.into_iter().enumerate() {
        let result = second(&world, edit);
        assert!(
            matches!(result, Err(TrustError::Rule { .. })),
            "{i}: {result:?}"
        );
    }
}

#[test]
fn a_tls_key_leads_to_its_active_party_while_it_is_good() {
    let world = World::new();
    let roster = &world.trust.roster;
    let jm = world.keyring("JM");
    let bytes = *jm.node_tls().verify_key().bytes();
    let (party, key) = roster.party_by_tls_key(&bytes, T0).unwrap();
    assert_eq!(party.code, code("JM"));
    assert_eq!(key.key.bytes(), &bytes);
    assert!(roster.party_by_tls_key(&bytes, key.not_after).is_none());
    assert!(
        roster
            .party_by_tls_key(&bytes, key.not_before - 1)
            .is_none()
    );
    let log = jm.log().verify_key().bytes();
    assert!(
        roster.party_by_tls_key(log, T0).is_none(),
        "a log key is none"
    );

    let revoked = second(&world, |m| {
        m.revocations.push(v1::Revocation {
            kid: key.key.kid().to_bytes(),
            effective_at: T0,
            reason: "stolen".into(),
        });
    })
    .unwrap();
    assert!(revoked.party_by_tls_key(&bytes, T0).is_none());
    let party = revoked.party(code("JM")).unwrap();
    assert!(party.active_key(Role::NodeTls, T0).is_none());
    let key = party.key(Role::NodeTls, &key.key.kid()).unwrap();
    assert_eq!(key.revoked_at, Some(T0));
}

#[test]
fn a_revocation_cannot_be_taken_back_by_silence_or_moved_to_later() {
    let world = World::new();
    let kid = world.keyring("JM").log().verify_key().kid().to_bytes();
    let revoke = |effective_at| v1::Revocation {
        kid: kid.clone(),
        effective_at,
        reason: "stolen".into(),
    };
    let signed = world.second(|m| m.revocations = vec![revoke(T0)]);
    let revoked = adopt(&world, &signed).unwrap();
    let third = |revocations| {
        let mut m = World::after(&signed);
        m.revocations = revocations;
        let signed = world.sign(&m);
        Roster::adopt(&world.trust.root, Some(&revoked), &signed, T0 + DAY)
    };
    assert!(third(vec![revoke(T0)]).is_ok());
    assert!(
        third(vec![revoke(T0 - DAY)]).is_ok(),
        "it was found out later"
    );
    for back in [vec![], vec![revoke(T0 + 1)]] {
        assert!(matches!(third(back), Err(TrustError::Rule { .. })));
    }
    let unsaid = second(&world, |m| {
        m.revocations = vec![v1::Revocation {
            reason: String::new(),
            ..revoke(T0)
        }];
    });
    assert!(matches!(unsaid, Err(TrustError::Rule { .. })));
}

#[test]
fn a_key_that_left_long_ago_does_not_turn_up_in_another_place() {
    let world = World::new();
    let jm = world.keyring("JM");
    let fresh = SoftSigner::from_seed(&[5; 32]).unwrap();
    let old: [&dyn Signer; 2] = [&**jm.org_sign(), &**jm.log()];
    let second = world.second(|m| {
        edit_party(m, "JM", &[old[0], old[1], &fresh], |p| {
            p.keys[2] = key(v1::KeyRole::Log, &fresh);
        });
    });
    let without = adopt(&world, &second).unwrap();
    let third = world.sign(&World::after(&second));
    let root = &world.trust.root;
    let without = Roster::adopt(root, Some(&without), &third, T0 + DAY).unwrap();
    let mut m = World::after(&third);
    let tt = world.keyring("TT");
    let signers: [&dyn Signer; 3] = [&**tt.org_sign(), &**tt.log(), &**jm.log()];
    edit_party(&mut m, "TT", &signers, |p| {
        p.keys.push(key(v1::KeyRole::Log, &**jm.log()));
    });
    let result = Roster::adopt(root, Some(&without), &world.sign(&m), T0 + DAY);
    assert!(
        matches!(result, Err(TrustError::KeyTwice { .. })),
        "{result:?}"
    );
}

#[test]
fn a_suspension_says_why_and_only_of_whom_it_is_true() {
    let world = World::new();
    let why = |party: &str, reason: &str| v1::Suspension {
        party: party.into(),
        effective_at: T0,
        reason: reason.into(),
    };
    let suspend = |list: Vec<v1::Suspension>| {
        second(&world, |m| {
            edit_party(m, "JM", &[], |p| {
                p.status = v1::PartyStatus::Suspended as i32;
            });
            m.suspensions = list;
        })
    };
    let roster = suspend(vec![why("JM", "no contact since the storm")]).unwrap();
    let said = roster.suspension(code("JM")).unwrap();
    assert_eq!(
        (said.effective_at, &*said.reason),
        (T0, "no contact since the storm")
    );
    for list in [
        vec![why("TT", "it is active")],
        vec![why("ZZ", "unknown")],
        vec![why("JM", "")],
        vec![why("JM", "a"), why("JM", "b")],
    ] {
        assert!(matches!(suspend(list), Err(TrustError::Rule { .. })));
    }
}

#[test]
fn two_witnesses_come_and_two_go_at_a_time() {
    let changed = |then: &str, now: &str| {
        let list = |codes: &str| codes.chars().collect::<Vec<_>>();
        abeng_roster::check_witness_change(&list(then), &list(now)).is_ok()
    };
    assert!(changed("abc", "abc") && changed("abc", "ade") && changed("a", "abc"));
    assert!(changed("abc", "a") && changed("abcde", "cdefg"));
    for (then, now) in [("a", "abcd"), ("abcd", "a"), ("abc", "def")] {
        assert!(!changed(then, now), "{then} {now}");
    }
}

#[test]
fn an_entry_of_before_there_were_versions_stands_and_counts_from_its_next_change() {
    let world = World::new();
    let fresh = Keyring::generate(code("GY"), &mut Counting(70_000));
    let all: [&dyn Signer; 4] = [
        &**fresh.org_sign(),
        &**fresh.node_tls(),
        &**fresh.log(),
        &**fresh.witness(),
    ];
    // As somebody joined then, and moved.
    let entry = |version: u64, address: &str| {
        let signed = new_party("GY", &fresh);
        let mut m = v1::Party::decode(signed.bytes).unwrap();
        (m.version, m.addresses) = (version, vec![address.into()]);
        ceremony::sign_party(&m, &all).unwrap()
    };
    let joined = world.second(|m| m.parties.insert(1, entry(0, "192.0.2.7:7464")));
    let roster = adopt(&world, &joined).unwrap();
    let next = |version| {
        let mut m = World::after(&joined);
        m.parties[1] = entry(version, "192.0.2.8:7464");
        Roster::adopt(&world.trust.root, Some(&roster), &world.sign(&m), T0 + DAY)
    };
    assert!(next(0).is_ok() && next(1).is_ok());
    assert!(matches!(
        next(2),
        Err(TrustError::EntryNotNext {
            held: 0,
            found: 2,
            ..
        })
    ));
}
