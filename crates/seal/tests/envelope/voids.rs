use crate::fixture::{LIFE, NOW, net};
use abeng_seal::{StreamFault, sign_void, verify_void};
use abeng_wire::v1;

fn void() -> v1::Void {
    v1::Void {
        originator: "JM".into(),
        incarnation: LIFE.0,
        recipient: "TT".into(),
        first: 3,
        last: 5,
        reason: v1::VoidReason::VoidLost.into(),
        envelope_id: Default::default(),
    }
}

fn check(signer: &str, void: &v1::Void) -> Result<(), StreamFault> {
    let signed = sign_void(net().keys(signer).org_sign().as_ref(), void).unwrap();
    let verified = verify_void(&net().trust.roster, &signed)?;
    assert_eq!(verified.message(), void);
    Ok(())
}

#[test]
fn a_void_holds_for_its_originator_alone() {
    assert_eq!(check("JM", &void()), Ok(()));
    assert_eq!(check("DM", &void()), Err(StreamFault::UnknownKey));
    let stranger = v1::Void {
        originator: "GY".into(),
        ..void()
    };
    assert_eq!(check("JM", &stranger), Err(StreamFault::UnknownKey));
    let named = v1::Void {
        last: 3,
        envelope_id: vec![1; 32].into(),
        ..void()
    };
    assert_eq!(check("JM", &named), Ok(()));
}

#[test]
fn what_is_signed_and_makes_no_sense() {
    let id = || vec![1; 32].into();
    for bad in [
        v1::Void { first: 0, ..void() },
        v1::Void { last: 2, ..void() },
        v1::Void {
            incarnation: 0,
            ..void()
        },
        v1::Void {
            reason: 0,
            ..void()
        },
        v1::Void {
            reason: 5,
            ..void()
        },
        v1::Void {
            recipient: "JM".into(),
            ..void()
        },
        v1::Void {
            recipient: "tt".into(),
            ..void()
        },
        v1::Void {
            envelope_id: id(),
            ..void()
        },
        v1::Void {
            last: 3,
            envelope_id: vec![1; 31].into(),
            ..void()
        },
        v1::Void {
            last: 3,
            envelope_id: id(),
            reason: v1::VoidReason::VoidFailed.into(),
            ..void()
        },
    ] {
        assert!(
            matches!(check("JM", &bad), Err(StreamFault::Senseless(_))),
            "{bad:?}"
        );
    }
}

#[test]
fn a_void_that_was_touched() {
    let net = net();
    let signed = sign_void(net.keys("JM").org_sign().as_ref(), &void()).unwrap();
    let check = |with: &dyn Fn(&mut v1::Signed)| {
        let mut touched = signed.clone();
        with(&mut touched);
        verify_void(&net.trust.roster, &touched).unwrap_err()
    };
    let longer = v1::Void { last: 9, ..void() };
    assert_eq!(
        check(&|s| s.bytes = abeng_wire::encode(&longer)),
        StreamFault::Signature
    );
    assert_eq!(
        check(&|s| s.signatures[0].ed25519.clear()),
        StreamFault::Signature
    );
    assert_eq!(check(&|s| s.signatures.clear()), StreamFault::Signatures);
    assert_eq!(
        check(&|s| s.signatures.push(s.signatures[0].clone())),
        StreamFault::Signatures
    );
    assert_eq!(
        check(&|s| s.signatures[0].ml_dsa = vec![1].into()),
        StreamFault::Signatures
    );
    assert_eq!(
        check(&|s| s.signatures[0].kid.clear()),
        StreamFault::UnknownKey
    );
    let unknown = |s: &mut v1::Signed| s.bytes = [&s.bytes[..], &[0x78, 1]].concat().into();
    assert!(matches!(check(&unknown), StreamFault::Malformed(_)));
}

#[test]
fn a_void_under_a_revoked_key() {
    use abeng_keys::Signer;
    let net = net();
    let org_sign = net.keys("JM").org_sign();
    let signed = sign_void(org_sign.as_ref(), &void()).unwrap();
    let revoked = net.next_roster(|roster| {
        roster.revocations.push(v1::Revocation {
            kid: org_sign.verify_key().kid().to_bytes(),
            effective_at: NOW,
            reason: "stolen".into(),
        });
    });
    assert_eq!(
        verify_void(&revoked.roster, &signed),
        Err(StreamFault::UnknownKey)
    );
}
