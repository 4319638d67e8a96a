use super::{Book, encoding, root::flipped, single, wrong};
use crate::{
    file::Breaks::{Encoding, Rule, Signature, Time},
    fixture::{DAY, NOW, Net},
};
use abeng_keys::{SignatureType, Signer};
use abeng_wire::{encode, limits, v1};
use bytes::Bytes;

const WHAT: &str = "a freshness statement";

pub fn make(net: &Net, book: &mut Book) {
    book.begin("freshness", &[]);
    let signers = &net.founding.freshness_signers;
    let sign =
        |bytes: Bytes, signer: &dyn Signer| single(SignatureType::FRESHNESS, bytes, &[signer]);
    let good = v1::Freshness {
        roster: Some(net.trust.roster.reference()),
        at: NOW,
        expires: NOW + 2 * DAY,
    };
    let by_first = |m: &v1::Freshness| sign(encode(m), signers[0].ed25519());
    book.good(
        "good",
        "Roster 1 is the newest, says the first freshness signer.",
        &encode(&by_first(&good)),
    );

    let mut put =
        |name: &str, breaks, what: &str, refused: String, with: &dyn Fn(&mut v1::Freshness)| {
            let mut m = good.clone();
            with(&mut m);
            book.bad(name, wrong(breaks, what, &refused), &encode(&by_first(&m)));
        };
    let rule = |rule: &str| format!("rule: {WHAT}: {rule}");
    put(
        "no-roster",
        Rule,
        "It names no roster.",
        rule("it names a roster"),
        &|m| m.roster = None,
    );
    put(
        "short-digest",
        Rule,
        "The roster's digest has 31 bytes.",
        rule("a digest has 32 bytes"),
        &|m| {
            m.roster.as_mut().unwrap().digest = vec![1; 31].into();
        },
    );
    put(
        "ends-as-it-begins",
        Rule,
        "It ends when it begins.",
        rule("it begins before it ends"),
        &|m| m.expires = m.at,
    );
    put(
        "ends-before-it-begins",
        Rule,
        "It ends a day before it begins.",
        rule("it begins before it ends"),
        &|m| m.expires = m.at - DAY,
    );
    put(
        "from-the-future",
        Time,
        "It is dated further ahead than clocks may differ: the roster would look young for long.",
        format!("from-the-future: {WHAT}"),
        &|m| m.at = NOW + 2 + limits::CLOCK_AHEAD_MS,
    );

    let bytes = encode(&good);
    let spelt = [
        (
            "unknown-field",
            "It has a field that freshness statements do not have.",
            "not-canonical: freshness",
            encoding::unknown_field(&bytes),
        ),
        (
            "fields-out-of-order",
            "The roster stands behind the times.",
            "not-canonical: freshness",
            encoding::first_field_last(&bytes),
        ),
        (
            "time-said-twice",
            "Its time is said once more, as 0.",
            "not-canonical: freshness",
            encoding::written_default(&bytes, 2),
        ),
        (
            "cut",
            "Its last byte is missing.",
            "undecodable: freshness",
            encoding::cut(&bytes),
        ),
    ];
    for (name, what, refused, bytes) in spelt {
        book.bad(
            name,
            wrong(Encoding, what, refused),
            &encode(&sign(bytes, signers[0].ed25519())),
        );
    }

    let signed = by_first(&good);
    let mut put = |name: &str, what: &str, refused: &str, with: &dyn Fn(&mut v1::Signed)| {
        let mut signed = signed.clone();
        with(&mut signed);
        book.bad(name, wrong(Signature, what, refused), &encode(&signed));
    };
    let (stranger, one) = (
        "wrong-signer: a freshness statement",
        "rule: a freshness statement: exactly one signature",
    );
    let bad = "bad-signature: a freshness statement";
    put("unsigned", "Nobody has signed it.", one, &|s| {
        s.signatures.clear()
    });
    put(
        "signed-by-two",
        "Two freshness signers have signed it.",
        one,
        &|s| {
            let second = sign(s.bytes.clone(), signers[1].ed25519());
            s.signatures.extend(second.signatures);
        },
    );
    put(
        "by-a-roster-signer",
        "A roster signer has signed it with its Ed25519 half.",
        stranger,
        &|s| {
            *s = sign(s.bytes.clone(), net.roster_signers(&[0])[0].ed25519());
        },
    );
    put(
        "by-a-party",
        "A party has signed it with its org-sign key.",
        stranger,
        &|s| {
            *s = sign(s.bytes.clone(), &**net.keys("JM").org_sign());
        },
    );
    put(
        "short-kid",
        "The signature names its key by 31 bytes.",
        stranger,
        &|s| {
            s.signatures[0].kid = s.signatures[0].kid.slice(1..);
        },
    );
    put(
        "by-another-signer-than-named",
        "The signature names the first signer and is the second's.",
        bad,
        &|s| {
            s.signatures[0].ed25519 = sign(s.bytes.clone(), signers[1].ed25519()).signatures[0]
                .ed25519
                .clone();
        },
    );
    put(
        "signed-as-a-roster",
        "The first signer has signed the bytes as a roster's.",
        bad,
        &|s| {
            *s = single(
                SignatureType::ROSTER,
                s.bytes.clone(),
                &[signers[0].ed25519()],
            );
        },
    );
    put(
        "bit-flipped",
        "One bit of the signature is another.",
        bad,
        &|s| {
            s.signatures[0].ed25519 = flipped(&s.signatures[0].ed25519, 3);
        },
    );
    put(
        "s-not-reduced",
        "The signature's S has the group order added: the same equation, another spelling.",
        bad,
        &|s| {
            s.signatures[0].ed25519 = with_order_added(&s.signatures[0].ed25519);
        },
    );
    put(
        "later-than-signed",
        "It says a later time than was signed.",
        bad,
        &|s| {
            s.bytes = encode(&v1::Freshness {
                at: NOW + 1,
                ..good.clone()
            });
        },
    );
}

/// S + ℓ in place of S (RFC 8032 wants S < ℓ).
pub fn with_order_added(signature: &Bytes) -> Bytes {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut out = signature.to_vec();
    let mut carry = 0;
    for (byte, add) in out[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    out.into()
}
