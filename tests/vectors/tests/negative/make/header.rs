use super::{
    Book, encoding,
    freshness::with_order_added,
    root::flipped,
    roster::{after, edit_entry, sign},
    wrong,
};
use crate::{
    file::Breaks::{self, Encoding, Key, Limit, Place, Rule, Seal, Signature, Time},
    fixture::{DAY, NOW, Net, frame, seed},
    reference::{self, Faults},
};
use abeng_keys::{SignatureType, Signer};
use abeng_wire::{encode, limits, prost::Message, v1};
use bytes::Bytes;

/// From JM to BB and TT; all that are made under one name have the same nonce and keys.
pub fn envelope(net: &Net, name: &str, faults: &Faults) -> v1::Envelope {
    seed(name);
    reference::seal(net, "JM", &["BB", "TT"], b"A notice.", faults)
}

macro_rules! faults {
    ($knob:ident, $with:expr) => {
        Faults {
            $knob: Some(Box::new($with)),
            ..Faults::default()
        }
    };
}
pub(super) use faults;

pub fn make(net: &Net, book: &mut Book) {
    let suspends = {
        let mut m = after(&net.roster);
        edit_entry(net, &mut m, "JM", |p| {
            p.status = v1::PartyStatus::Suspended as i32
        });
        sign(net, &m)
    };
    book.given.put("roster-2-suspends-JM", &suspends);
    let revokes = {
        let mut m = after(&net.roster);
        m.revocations = vec![v1::Revocation {
            kid: net.keys("JM").org_sign().verify_key().kid().to_bytes(),
            effective_at: NOW + 100 * DAY,
            reason: "The token was lost.".into(),
        }];
        sign(net, &m)
    };
    book.given.put("roster-2-revokes-JMs-key", &revokes);

    book.begin("header", &["roster-1"]);
    book.against().me = Some("TT".into());
    let good = envelope(net, "header", &Faults::default());
    book.good(
        "good",
        "From JM to BB and TT, as TT gets it with both stanzas.",
        &frame(&good),
    );
    frames(book, &good);
    signed(net, book, &good);
    times(net, book, &good);
    let carried = |book: &mut Book, name: &str, what: &str, roster: &str, refused: &str| {
        book.bad_against(name, wrong(Place, what, refused), &frame(&good), |a| {
            a.rosters.push(roster.into());
        });
    };
    carried(
        book,
        "originator-suspended",
        "JM is suspended by the roster here.",
        "roster-2-suspends-JM",
        "FAULT_UNKNOWN_KEY: unknown-party: JM",
    );
    carried(
        book,
        "key-revoked-since",
        "JM's key is revoked by the roster here, from a time that is still to come.",
        "roster-2-revokes-JMs-key",
        "FAULT_UNKNOWN_KEY: unknown-key: of JM",
    );
    pre(net, book);
    trl(net, book);
}

fn frames(book: &mut Book, good: &v1::Envelope) {
    let mut put = |name: &str,
                   breaks: Breaks,
                   what: &str,
                   refused: &str,
                   with: &dyn Fn(&mut v1::Envelope)| {
        let mut envelope = good.clone();
        with(&mut envelope);
        book.bad(name, wrong(breaks, what, refused), &frame(&envelope));
    };
    put(
        "sig-of-63-bytes",
        Signature,
        "SIG has 63 bytes.",
        "FAULT_DAMAGED: size: SIG of 63",
        &|e| e.sig = e.sig.slice(1..),
    );
    put(
        "no-hdr",
        Signature,
        "There is no HDR.",
        "FAULT_DAMAGED: size: HDR of 0",
        &|e| e.hdr.clear(),
    );
    put(
        "no-body",
        Seal,
        "There is no BODY.",
        "FAULT_DAMAGED: size: BODY of 0",
        &|e| e.body.clear(),
    );
    put(
        "no-stanzas",
        Seal,
        "There is no stanza, not even a pruned one.",
        "FAULT_DAMAGED: size: stanzas of 0",
        &|e| e.stanzas.clear(),
    );
    put(
        "stanzas-65",
        Limit,
        "There are 65 stanzas: more than an envelope has recipients.",
        "FAULT_DAMAGED: size: stanzas of 65",
        &|e| e.stanzas.resize(65, Bytes::new()),
    );
    let bytes = frame(good);
    let spelt = [
        (
            "frame-with-an-unknown-field",
            "The frame has a field that envelopes do not have.",
            "FAULT_DAMAGED: not-canonical: envelope",
            encoding::unknown_field(&bytes),
        ),
        (
            "frame-out-of-order",
            "HDR stands behind BODY.",
            "FAULT_DAMAGED: not-canonical: envelope",
            encoding::first_field_last(&bytes),
        ),
        (
            "frame-with-a-long-length",
            "HDR's length takes a byte more than it needs.",
            "FAULT_DAMAGED: not-canonical: envelope",
            encoding::long_varint(&bytes),
        ),
        (
            "frame-cut",
            "The frame's last byte is missing.",
            "FAULT_DAMAGED: undecodable: envelope",
            encoding::cut(&bytes),
        ),
    ];
    for (name, what, refused, bytes) in spelt {
        book.bad(name, wrong(Encoding, what, refused), &bytes);
    }
}

fn signed(net: &Net, book: &mut Book, good: &v1::Envelope) {
    let mut put = |name: &str, what: &str, with: &dyn Fn(&mut v1::Envelope)| {
        let mut envelope = good.clone();
        with(&mut envelope);
        book.bad(
            name,
            wrong(Signature, what, "FAULT_DAMAGED: bad-signature"),
            &frame(&envelope),
        );
    };
    put("bit-of-sig-flipped", "One bit of SIG is another.", &|e| {
        e.sig = flipped(&e.sig, 5)
    });
    put(
        "s-not-reduced",
        "SIG's S has the group order added: the same equation, another spelling.",
        &|e| e.sig = with_order_added(&e.sig),
    );
    put(
        "signed-by-another-party",
        "SIG is BB's, while PRE names JM and its key.",
        &|e| net.sign("BB", e),
    );
    put("signed-by-the-node", "SIG is by JM's node-tls key.", &|e| {
        e.sig = net
            .keys("JM")
            .node_tls()
            .sign(SignatureType::ENVELOPE, &e.hdr)
            .unwrap()
            .to_vec()
            .into();
    });
    put(
        "signed-as-a-void",
        "JM has signed the bytes as a void's.",
        &|e| {
            e.sig = net
                .keys("JM")
                .org_sign()
                .sign(SignatureType::VOID, &e.hdr)
                .unwrap()
                .to_vec()
                .into();
        },
    );
    put(
        "signed-without-a-type",
        "JM has signed HDR itself, without the type before it.",
        &|e| {
            e.sig = net
                .keys("JM")
                .org_sign()
                .sign_message(&e.hdr)
                .unwrap()
                .to_vec()
                .into();
        },
    );
    put(
        "precedence-raised-on-the-way",
        "Somebody has made it FLASH on the way.",
        &|e| {
            edit_pre(e, |p| p.precedence = v1::Precedence::Flash as i32);
        },
    );
    put(
        "recipient-exchanged-on-the-way",
        "Somebody has put LC in TT's place on the way; TT still finds BB's.",
        &|e| {
            edit_pre(e, |p| p.recipients[0].party = "LC".into());
        },
    );
    put(
        "commit-exchanged-on-the-way",
        "Somebody has put another commitment into TRL on the way.",
        &|e| {
            let mut hdr = v1::Hdr::decode(e.hdr.clone()).unwrap();
            let mut trl = v1::Trl::decode(hdr.trl.clone()).unwrap();
            trl.commit = vec![1; 32].into();
            hdr.trl = encode(&trl);
            e.hdr = encode(&hdr);
        },
    );
}

fn edit_pre(e: &mut v1::Envelope, with: impl FnOnce(&mut v1::Pre)) {
    let mut hdr = v1::Hdr::decode(e.hdr.clone()).unwrap();
    let mut pre = v1::Pre::decode(hdr.pre.clone()).unwrap();
    with(&mut pre);
    hdr.pre = encode(&pre);
    e.hdr = encode(&hdr);
}

fn times(net: &Net, book: &mut Book, good: &v1::Envelope) {
    let at = |book: &mut Book, name: &str, what: &str, refused: &str, now: u64| {
        book.bad_against(name, wrong(Time, what, refused), &frame(good), |a| {
            a.now = now
        });
    };
    at(
        book,
        "made-in-the-future",
        "It was made more than five minutes ahead of the clock here.",
        "FAULT_CLOCK: made-in-the-future",
        NOW - limits::CLOCK_AHEAD_MS - 1,
    );
    at(
        book,
        "expired",
        "Its life is over by the clock here.",
        "REFUSED TIME_PASSED: expired",
        NOW + DAY,
    );
    let mut put = |name: &str, what: &str, days: u64, back: bool| {
        let shift = move |p: &mut v1::Pre| {
            let by = days * DAY;
            p.created_at = if back { NOW - by } else { NOW + by };
            p.expires_at = p.created_at + 90 * DAY;
        };
        let e = envelope(net, "header", &faults!(pre, shift));
        let now = if back { NOW } else { NOW + days * DAY };
        let wrong = wrong(Time, what, "FAULT_UNKNOWN_KEY: unknown-key: of JM");
        book.bad_against(name, wrong, &frame(&e), |a| a.now = now);
    };
    put(
        "made-before-its-key",
        "It says that it was made before its key began.",
        30,
        true,
    );
    put(
        "made-after-its-key",
        "It says that it was made after its key had ended.",
        6 * 365,
        false,
    );
}

fn pre(net: &Net, book: &mut Book) {
    let mut put =
        |name: &str, breaks: Breaks, what: &str, refused: &str, with: fn(&mut v1::Pre)| {
            let e = envelope(net, "header", &faults!(pre, with));
            book.bad(name, wrong(breaks, what, refused), &frame(&e));
        };
    put(
        "originator-in-small-letters",
        Rule,
        "The originator is no party code: nobody can say who signed.",
        "FAULT_DAMAGED: originator-code",
        |p| p.originator = "jm".into(),
    );
    put(
        "originator-unknown",
        Place,
        "The originator is no party of the roster.",
        "FAULT_UNKNOWN_KEY: unknown-party: GY",
        |p| p.originator = "GY".into(),
    );
    put(
        "originator-of-another-key",
        Place,
        "The originator is LC, the key is JM's.",
        "FAULT_UNKNOWN_KEY: unknown-key: of LC",
        |p| p.originator = "LC".into(),
    );
    put(
        "version-2",
        Rule,
        "PRE's version is 2: there is one.",
        "REFUSED NOT_CANONICAL: version: 2",
        |p| p.version = 2,
    );
    put(
        "version-0",
        Rule,
        "PRE has no version.",
        "REFUSED NOT_CANONICAL: version: 0",
        |p| p.version = 0,
    );
    put(
        "nonce-of-31-bytes",
        Rule,
        "The nonce has 31 bytes.",
        "REFUSED NOT_CANONICAL: length: nonce of 31",
        |p| p.nonce = p.nonce.slice(1..),
    );
    put(
        "no-incarnation",
        Rule,
        "It is of no life of the originator's log.",
        "REFUSED NOT_CANONICAL: no-incarnation",
        |p| p.incarnation = 0,
    );
    put(
        "no-roster",
        Rule,
        "PRE names no roster.",
        "REFUSED NOT_CANONICAL: no-roster",
        |p| p.roster = None,
    );
    put(
        "roster-version-0",
        Rule,
        "PRE names a roster of version 0.",
        "REFUSED NOT_CANONICAL: no-roster",
        |p| p.roster.as_mut().unwrap().version = 0,
    );
    put(
        "roster-digest-of-31-bytes",
        Rule,
        "The roster's digest has 31 bytes.",
        "REFUSED NOT_CANONICAL: length: roster digest of 31",
        |p| p.roster.as_mut().unwrap().digest = vec![1; 31].into(),
    );
    put(
        "no-precedence",
        Rule,
        "It has no precedence.",
        "REFUSED NOT_CANONICAL: no-precedence",
        |p| p.precedence = 0,
    );
    put(
        "unknown-precedence",
        Rule,
        "Its precedence does not exist.",
        "REFUSED NOT_CANONICAL: no-precedence",
        |p| p.precedence = 5,
    );
    put(
        "life-of-nothing",
        Rule,
        "It ends as it begins.",
        "REFUSED NOT_CANONICAL: lifetime",
        |p| p.expires_at = p.created_at,
    );
    put(
        "life-backwards",
        Rule,
        "It ends before it begins.",
        "REFUSED NOT_CANONICAL: lifetime",
        |p| p.expires_at = p.created_at - 1,
    );
    put(
        "life-of-more-than-90-days",
        Limit,
        "It lives a millisecond longer than 90 days.",
        "REFUSED NOT_CANONICAL: lifetime",
        |p| p.expires_at = p.created_at + limits::LIFETIME_MS + 1,
    );
    put(
        "recipients-unsorted",
        Rule,
        "AA stands behind BB.",
        "REFUSED NOT_CANONICAL: recipient-order: 1",
        |p| p.recipients[1].party = "AA".into(),
    );
    put(
        "recipient-twice",
        Rule,
        "BB is named twice.",
        "REFUSED NOT_CANONICAL: recipient-order: 1",
        |p| p.recipients[1].party = "BB".into(),
    );
    put(
        "recipient-is-the-originator",
        Rule,
        "The originator is among its own recipients.",
        "REFUSED NOT_CANONICAL: own-recipient",
        |p| p.recipients[0].party = "JM".into(),
    );
    put(
        "recipient-in-small-letters",
        Rule,
        "A recipient is no party code.",
        "REFUSED NOT_CANONICAL: recipient-code: 0",
        |p| p.recipients[0].party = "bb".into(),
    );
    put(
        "seal-kid-of-31-bytes",
        Rule,
        "A seal key is named by 31 bytes.",
        "REFUSED NOT_CANONICAL: length: seal kid of 31",
        |p| p.recipients[0].seal_kid = vec![1; 31].into(),
    );
    put(
        "seq-commit-of-31-bytes",
        Rule,
        "A commitment to a stream number has 31 bytes.",
        "REFUSED NOT_CANONICAL: length: seq_commit of 31",
        |p| p.recipients[0].seq_commit = vec![1; 31].into(),
    );
    // The keys that PRE may not name.
    for (name, what, kid) in [
        (
            "key-of-another-role",
            "PRE names JM's log key as the one that signed.",
            net.keys("JM").log().verify_key().kid(),
        ),
        (
            "key-of-another-party",
            "PRE names BB's org-sign key as the one that signed.",
            net.keys("BB").org_sign().verify_key().kid(),
        ),
    ] {
        let with = move |p: &mut v1::Pre| p.org_sign_kid = kid.to_bytes();
        let e = envelope(net, "header", &faults!(pre, with));
        book.bad(
            name,
            wrong(Key, what, "FAULT_UNKNOWN_KEY: unknown-key: of JM"),
            &frame(&e),
        );
    }
    let mut spelt = |name: &str, what: &str, refused: &str, faults: Faults| {
        let e = envelope(net, "header", &faults);
        book.bad(name, wrong(Encoding, what, refused), &frame(&e));
    };
    let unknown = |b: &mut Vec<u8>| b.extend([0xf8, 0x07, 1]);
    let twice = |b: &mut Vec<u8>| b.extend([0x08, 1]);
    let cut = |b: &mut Vec<u8>| b.truncate(b.len() - 1);
    spelt(
        "pre-with-an-unknown-field",
        "PRE has a field that PRE does not have.",
        "REFUSED NOT_CANONICAL: not-canonical: PRE",
        faults!(pre_bytes, unknown),
    );
    spelt(
        "pre-with-a-field-twice",
        "PRE says its version twice, and the same.",
        "REFUSED NOT_CANONICAL: not-canonical: PRE",
        faults!(pre_bytes, twice),
    );
    spelt(
        "pre-cut",
        "PRE's last byte is missing: nobody can say who signed.",
        "FAULT_DAMAGED: undecodable: PRE",
        faults!(pre_bytes, cut),
    );
    spelt(
        "trl-with-an-unknown-field",
        "TRL has a field that TRL does not have.",
        "REFUSED NOT_CANONICAL: not-canonical: TRL",
        faults!(trl_bytes, unknown),
    );
    spelt(
        "trl-cut",
        "TRL's last byte is missing, and JM has signed it so.",
        "REFUSED NOT_CANONICAL: not-canonical: TRL",
        faults!(trl_bytes, cut),
    );
    spelt(
        "hdr-with-an-unknown-field",
        "HDR has a field that HDR does not have.",
        "REFUSED NOT_CANONICAL: not-canonical: HDR",
        faults!(hdr_bytes, unknown),
    );
}

fn trl(net: &Net, book: &mut Book) {
    let mut put = |name: &str,
                   breaks: Breaks,
                   what: &str,
                   refused: &str,
                   with: &'static dyn Fn(&mut v1::Trl)| {
        let e = envelope(net, "header", &faults!(trl, with));
        book.bad(name, wrong(breaks, what, refused), &frame(&e));
    };
    put(
        "a-stanza-hash-too-few",
        Rule,
        "TRL has one stanza hash for two recipients.",
        "REFUSED NOT_CANONICAL: stanza-hashes: 1 for 2",
        &|t| t.stanza_hashes.truncate(1),
    );
    put(
        "a-stanza-hash-too-many",
        Rule,
        "TRL has three stanza hashes for two recipients.",
        "REFUSED NOT_CANONICAL: stanza-hashes: 3 for 2",
        &|t| t.stanza_hashes.push(vec![1; 32].into()),
    );
    put(
        "commit-of-31-bytes",
        Rule,
        "The commitment to the content key has 31 bytes.",
        "REFUSED NOT_CANONICAL: length: commit of 31",
        &|t| t.commit = t.commit.slice(1..),
    );
    put(
        "attachments-17",
        Limit,
        "Seventeen attachments.",
        "REFUSED NOT_CANONICAL: attachments",
        &|t| {
            t.attachments = (1..=17)
                .map(|i| v1::AttachmentRef {
                    root: vec![i; 32].into(),
                    length: 17,
                })
                .collect();
        },
    );
    put(
        "attachment-of-nothing",
        Rule,
        "An attachment has a tag and no byte.",
        "REFUSED NOT_CANONICAL: attachments",
        &|t| {
            t.attachments = vec![v1::AttachmentRef {
                root: vec![1; 32].into(),
                length: 16,
            }];
        },
    );
    put(
        "attachment-with-a-torn-tag",
        Rule,
        "An attachment's last chunk has a tag of 15 bytes.",
        "REFUSED NOT_CANONICAL: attachments",
        &|t| {
            t.attachments = vec![v1::AttachmentRef {
                root: vec![1; 32].into(),
                length: 65_552 + 15,
            }];
        },
    );
    put(
        "attachment-root-of-31-bytes",
        Rule,
        "An attachment's root has 31 bytes.",
        "REFUSED NOT_CANONICAL: length: attachment root of 31",
        &|t| {
            t.attachments = vec![v1::AttachmentRef {
                root: vec![1; 31].into(),
                length: 17,
            }];
        },
    );
    // A neighbour's stanza is not here, so that only the length of its hash can be looked at.
    let mut pruned = envelope(
        net,
        "header",
        &faults!(trl, |t: &mut v1::Trl| t.stanza_hashes[0] =
            t.stanza_hashes[0].slice(1..)),
    );
    pruned.stanzas[0].clear();
    book.bad(
        "stanza-hash-of-31-bytes",
        wrong(
            Rule,
            "The hash of BB's stanza, which is pruned, has 31 bytes.",
            "REFUSED NOT_CANONICAL: length: stanza hash of 31",
        ),
        &frame(&pruned),
    );
}
