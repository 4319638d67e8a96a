use crate::support::*;
use abeng_keys::Role;
use abeng_roster::{Trust, TrustError, founding::*};
use abeng_wire::{Digest, Incarnation, encode, v1};
use prost::Message;

#[test]
fn a_founded_network_is_believed_from_its_bytes_alone() {
    let world = World::new();
    let bytes = encode(&world.founding.bundle);
    let bundle = v1::TrustBundle::decode(bytes).unwrap();
    let trust = Trust::from_bundle(&bundle, Some(world.founding.root_digest), T0).unwrap();
    assert_eq!(trust.check_time(T0), Ok(()));
    assert_eq!(trust.to_bundle(), bundle);
    assert!(trust.freshness.is_some());
    let codes: Vec<_> = trust.roster.parties().map(|p| p.code.to_string()).collect();
    assert_eq!(codes, ["BB", "JM", "LC", "TT"]);
    let jio: Vec<_> = trust.roster.coordination().map(|p| p.code).collect();
    assert_eq!(jio, [code("LC")]);
    for keyring in &world.founding.keyrings {
        let party = trust.roster.party(keyring.party).unwrap();
        let seal = trust.seal_keys.current(party.code, T0).unwrap();
        assert!(keyring.seal_secret(&seal.kid()).is_some());
        for (role, signer) in [
            (Role::OrgSign, keyring.org_sign()),
            (Role::NodeTls, keyring.node_tls()),
            (Role::Log, keyring.log()),
            (Role::Witness, keyring.witness()),
        ] {
            use abeng_keys::Signer;
            assert_eq!(party.active_key(role, T0), Some(signer.verify_key()));
        }
        assert_eq!(party.witnesses.len(), 3);
        assert!(party.relay == (party.code == code("LC")));
    }
    let origin = trust.roster.party(code("JM")).unwrap();
    assert_eq!(
        origin.log_origin(Incarnation(0xab)),
        "abeng/try-out/JM/00000000000000ab"
    );
}

#[test]
fn another_root_than_the_pinned_one_is_refused() {
    let bundle = World::new().founding.bundle;
    assert!(matches!(
        Trust::from_bundle(&bundle, Some(Digest([1; 32])), T0),
        Err(TrustError::OtherRoot { .. })
    ));
    assert!(Trust::from_bundle(&bundle, None, T0).is_ok());
    for empty in [
        v1::TrustBundle::default(),
        v1::TrustBundle {
            roots: bundle.roots.clone(),
            ..Default::default()
        },
    ] {
        assert!(matches!(
            Trust::from_bundle(&empty, None, T0),
            Err(TrustError::Missing { .. })
        ));
    }
}

#[test]
fn what_the_rules_refuse_cannot_be_founded() {
    type Edit = fn(&mut FoundingRequest);
    let edits: [Edit; 6] = [
        |r| r.parties.truncate(1),
        |r| r.parties[1].code = r.parties[0].code,
        |r| r.parties[0].country = "Trinidad".into(),
        |r| r.parties[0].addresses = vec!["no port".into()],
        |r| r.parties[0].name = "two\nlines".into(),
        |r| r.parties[0].code = code("ALL"),
    ];
    for (i, edit) in edits.into_iter().enumerate() {
        let mut request = request();
        edit(&mut request);
        assert!(found(request, &mut Counting(0)).is_err(), "edit {i}");
    }
}

#[test]
fn large_networks_and_pairs_are_founded() {
    let mut pair = request();
    pair.parties.truncate(2);
    let founding = found(pair, &mut Counting(0)).unwrap();
    let trust = Trust::from_bundle(&founding.bundle, None, T0).unwrap();
    assert_eq!(
        trust.roster.party(code("LC")).unwrap().witnesses,
        [code("TT")]
    );

    let mut large = request();
    for i in 0..20 {
        let mut party = large.parties[0].clone();
        party.code = code(&format!("X{i}"));
        large.parties.push(party);
    }
    let founding = found(large, &mut Counting(0)).unwrap();
    let trust = Trust::from_bundle(&founding.bundle, None, T0).unwrap();
    for party in trust.roster.parties() {
        assert_eq!(party.witnesses.len(), 5);
        let watches = |p: &&abeng_roster::Party| p.witnesses.contains(&party.code);
        assert_eq!(trust.roster.parties().filter(watches).count(), 5);
    }
}
