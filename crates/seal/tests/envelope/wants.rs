use crate::fixture::{LIFE, net};
use abeng_seal::{StreamFault, sign_void, sign_want, verify_want};
use abeng_wire::{limits, v1};

fn want() -> v1::Want {
    v1::Want {
        originator: "JM".into(),
        incarnation: LIFE.0,
        first: 3,
        last: 5,
        byte_budget: 1000,
        recipient: "TT".into(),
    }
}

fn check(signer: &str, want: &v1::Want) -> Result<(), StreamFault> {
    let signed = sign_want(net().keys(signer).org_sign().as_ref(), want).unwrap();
    let verified = verify_want(&net().trust.roster, &signed)?;
    assert_eq!(verified.message(), want);
    Ok(())
}

#[test]
fn a_want_holds_for_its_recipient_alone() {
    assert_eq!(check("TT", &want()), Ok(()));
    for other in ["JM", "DM"] {
        assert_eq!(check(other, &want()), Err(StreamFault::UnknownKey));
    }
    // A key of the right party under another type: a void says nothing of what is missing.
    let void = v1::Void {
        originator: "TT".into(),
        incarnation: LIFE.0,
        recipient: "JM".into(),
        first: 3,
        last: 5,
        reason: v1::VoidReason::VoidLost.into(),
        ..Default::default()
    };
    let mut signed = sign_void(net().keys("TT").org_sign().as_ref(), &void).unwrap();
    signed.bytes = abeng_wire::encode(&want());
    let touched = verify_want(&net().trust.roster, &signed);
    assert_eq!(touched.unwrap_err(), StreamFault::Signature);
}

#[test]
fn what_asks_for_too_much_or_for_nothing_makes_no_sense() {
    let most = v1::Want {
        last: 2 + limits::WANT_NUMBERS,
        ..want()
    };
    assert_eq!(check("TT", &most), Ok(()));
    for bad in [
        v1::Want {
            last: 3 + limits::WANT_NUMBERS,
            ..want()
        },
        v1::Want {
            first: 0,
            last: u64::MAX,
            ..want()
        },
        v1::Want { first: 6, ..want() },
        v1::Want {
            incarnation: 0,
            ..want()
        },
        v1::Want {
            originator: "TT".into(),
            ..want()
        },
        v1::Want {
            originator: "tt".into(),
            ..want()
        },
    ] {
        let refused = check("TT", &bad);
        assert!(
            matches!(refused, Err(StreamFault::Senseless(_))),
            "{bad:?}: {refused:?}"
        );
    }
    // One without a recipient is nobody's word.
    let unnamed = v1::Want {
        recipient: String::new(),
        ..want()
    };
    assert_eq!(check("TT", &unnamed), Err(StreamFault::UnknownKey));
}

#[test]
fn the_bytes_that_are_signed() {
    // proto3, fields ascending: what a second implementation must sign.
    let pinned = v1::Want {
        incarnation: 7,
        ..want()
    };
    let bytes = abeng_wire::encode(&pinned);
    assert_eq!(
        bytes[..],
        *b"\x0a\x02JM\x10\x07\x18\x03\x20\x05\x28\xe8\x07\x32\x02TT"
    );
    let name = abeng_keys::SignatureType::WANT.name();
    assert_eq!(name, "application/vnd.abeng.want.v1");
}
