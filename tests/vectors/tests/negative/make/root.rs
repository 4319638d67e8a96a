use super::{Book, dual, encoding, keys::bad_ed25519, wrong};
use crate::{
    file::Breaks::{Encoding, Key, Limit, Place, Rule, Signature, Time},
    fixture::{DAY, Net},
};
use abeng_keys::{SignatureType, Signer, SoftSigner};
use abeng_roster::ceremony::sign_root;
use abeng_wire::{encode, prost::Message, v1};
use bytes::Bytes;

type Edit = Box<dyn Fn(&mut v1::Root)>;

fn edit(with: impl Fn(&mut v1::Root) + 'static) -> Edit {
    Box::new(with)
}

pub fn make(net: &Net, book: &mut Book) {
    book.begin("root", &[]);
    book.against().root = None;
    let first = v1::Root::decode(net.root.bytes.clone()).unwrap();
    let sign = |m: &v1::Root, who: &[usize]| encode(&sign_root(m, &net.root_signers(who)).unwrap());
    book.good(
        "good-first",
        "A first root, signed by both of its signers.",
        &sign(&first, &[0, 1]),
    );
    rules(net, book, &first);
    spelling(net, book, &first);
    signatures(net, book, &first);

    book.against().root = Some("root-1".into());
    let mut next = first.clone();
    next.version = 2;
    next.expires += DAY;
    book.good(
        "good-next",
        "The root after it, by the thresholds of both.",
        &sign(&next, &[0, 1]),
    );
    walk(net, book, &next);
}

fn rules(net: &Net, book: &mut Book, first: &v1::Root) {
    let third = net.founding.root_signers[2].dual_key("root signer 3", "LC");
    let also_third = third.clone();
    let roster_third = net.founding.roster_signers[2].dual_key("roster signer 3", "LC");
    let of_signer = first.signers[0].clone();
    let (one, two) = (Bytes::from(vec![1; 32]), Bytes::from(vec![2; 32]));
    let settle = |digests: Vec<Bytes>| v1::Settlement {
        version: 1,
        digests,
    };
    let many: Vec<Bytes> = (1..=9).map(|i| vec![i; 32].into()).collect();
    let settlements = [
        (
            "settlement-of-one",
            "A settlement names one digest: nothing to settle.",
            vec![settle(vec![one.clone()])],
            "rule: root 1: a settlement names 2 to 8 digests, sorted",
        ),
        (
            "settlement-of-nine",
            "A settlement names nine digests.",
            vec![settle(many)],
            "rule: root 1: a settlement names 2 to 8 digests, sorted",
        ),
        (
            "settlement-unsorted",
            "A settlement's digests are not sorted.",
            vec![settle(vec![two.clone(), one.clone()])],
            "rule: root 1: a settlement names 2 to 8 digests, sorted",
        ),
        (
            "settlement-twice-the-same",
            "A settlement names one digest twice.",
            vec![settle(vec![one.clone(), one.clone()])],
            "rule: root 1: a settlement names 2 to 8 digests, sorted",
        ),
        (
            "settlement-short-digest",
            "A digest in a settlement has 31 bytes.",
            vec![settle(vec![one.slice(1..), two.clone()])],
            "rule: root 1: a digest has 32 bytes",
        ),
        (
            "settlements-17",
            "Seventeen settlements of rosters.",
            vec![settle(vec![one.clone(), two.clone()]); 17],
            "rule: root 1: at most 16 settlements of a kind",
        ),
    ];
    for (name, what, list, refused) in settlements {
        let mut m = first.clone();
        m.settled_rosters = list;
        let bytes = sign_root(&m, &net.root_signers(&[0, 1])).unwrap();
        let breaks = if name == "settlements-17" {
            Limit
        } else {
            Rule
        };
        book.bad(name, wrong(breaks, what, refused), &encode(&bytes));
    }
    let all: Vec<(&str, _, &str, &str, Edit)> = vec![
        (
            "version-0",
            Rule,
            "Its version is 0.",
            "rule: root 0: versions begin at 1",
            edit(|m| m.version = 0),
        ),
        (
            "threshold-of-half",
            Rule,
            "The threshold is half of the signers, so that two sets could each make a root.",
            "rule: root 1: the threshold is more than half of the signers",
            edit(|m| m.threshold = 1),
        ),
        (
            "threshold-beyond",
            Rule,
            "The threshold is more than there are signers.",
            "rule: root 1: the threshold is more than half of the signers",
            edit(|m| m.threshold = 3),
        ),
        (
            "roster-threshold-of-half",
            Rule,
            "The roster threshold is half of the roster signers.",
            "rule: root 1: the roster threshold is more than half of the roster signers",
            edit(|m| m.roster_threshold = 1),
        ),
        (
            "roster-threshold-beyond",
            Rule,
            "The roster threshold is more than there are roster signers.",
            "rule: root 1: the roster threshold is more than half of the roster signers",
            edit(|m| m.roster_threshold = 3),
        ),
        (
            "no-roster-signers",
            Rule,
            "Nobody signs rosters, and nobody needs to.",
            "rule: root 1: the roster threshold is more than half of the roster signers",
            edit(|m| {
                m.roster_signers.clear();
                m.roster_threshold = 0;
            }),
        ),
        (
            "two-freshness-signers",
            Rule,
            "Two freshness signers, where three is the least.",
            "rule: root 1: at least three freshness signers",
            edit(|m| m.freshness_signers.truncate(2)),
        ),
        (
            "freshness-signers-33",
            Limit,
            "Thirty-three freshness signers.",
            "rule: root 1: at most 32 signers in a list",
            edit(|m| m.freshness_signers = (0..33).map(of_seed).collect()),
        ),
        (
            "network-in-capitals",
            Rule,
            "The network's code has capitals.",
            "bad-code: network code",
            edit(|m| m.network = "Vectors".into()),
        ),
        (
            "signer-twice",
            Rule,
            "One signer stands twice among the signers, and would count as two.",
            "key-twice: signer and signer",
            edit(|m| {
                let s = m.signers[1].clone();
                m.signers.push(s);
            }),
        ),
        (
            "roster-signer-is-signer",
            Rule,
            "A root signer's pair signs rosters too.",
            "key-twice: signer and roster signer",
            {
                let key = of_signer.clone();
                edit(move |m| m.roster_signers.push(key.clone()))
            },
        ),
        (
            "ml-dsa-half-shared",
            Rule,
            "Two roster signers have Ed25519 keys of their own and one ML-DSA key.",
            "key-twice: roster signer and roster signer",
            {
                let key = roster_third.clone();
                edit(move |m| {
                    let mut k = key.clone();
                    k.ml_dsa = m.roster_signers[0].ml_dsa.clone();
                    m.roster_signers.push(k);
                })
            },
        ),
        (
            "freshness-signer-is-signer",
            Rule,
            "A root signer's Ed25519 half signs freshness too.",
            "key-twice: signer and freshness signer",
            {
                let key = of_signer.ed25519.clone();
                edit(move |m| m.freshness_signers[2].ed25519 = key.clone())
            },
        ),
        (
            "ml-dsa-half-short",
            Key,
            "A roster signer's ML-DSA key has 1,951 bytes.",
            "bad-key: length: ML-DSA-65, 1951 bytes for 1952",
            {
                let key = third.clone();
                edit(move |m| {
                    let mut k = key.clone();
                    k.ml_dsa = k.ml_dsa.slice(1..);
                    m.roster_signers.push(k);
                })
            },
        ),
        (
            "ml-dsa-half-missing",
            Key,
            "A roster signer has no ML-DSA key: a classical signer alone.",
            "bad-key: length: ML-DSA-65, 0 bytes for 1952",
            {
                let key = also_third.clone();
                edit(move |m| {
                    let mut k = key.clone();
                    k.ml_dsa.clear();
                    m.roster_signers.push(k);
                })
            },
        ),
    ];
    for (name, breaks, what, refused, with) in all {
        let mut m = first.clone();
        with(&mut m);
        let bytes = sign_root(&m, &net.root_signers(&[0, 1])).unwrap();
        book.bad(name, wrong(breaks, what, refused), &encode(&bytes));
    }
    for (name, what, why, key) in bad_ed25519() {
        let mut m = first.clone();
        m.freshness_signers[1].ed25519 = key.into();
        let bytes = sign_root(&m, &net.root_signers(&[0, 1])).unwrap();
        let (what, refused) = (
            format!("A freshness signer's key {what}."),
            format!("bad-key: {why}"),
        );
        book.bad(
            &format!("key-{name}"),
            wrong(Key, &what, &refused),
            &encode(&bytes),
        );
    }
    let good = sign_root(first, &net.root_signers(&[0, 1])).unwrap();
    let over = wrong(Time, "It has ended when it comes.", "expired: root 1");
    let expires = first.expires;
    book.bad_against("expired", over, &encode(&good), |a| a.now = expires);
}

fn spelling(net: &Net, book: &mut Book, first: &v1::Root) {
    let bytes = encode(first);
    let spelt: [(&str, &str, &str, Bytes); 5] = [
        (
            "unknown-field",
            "It has a field that roots do not have.",
            "not-canonical: root",
            encoding::unknown_field(&bytes),
        ),
        (
            "fields-out-of-order",
            "Its version stands behind the other fields.",
            "not-canonical: root",
            encoding::first_field_last(&bytes),
        ),
        (
            "long-varint",
            "Its version is a varint of two bytes where one is enough.",
            "not-canonical: root",
            encoding::long_varint(&bytes),
        ),
        (
            "default-written-out",
            "Its expiry is said once more, as 0.",
            "not-canonical: root",
            encoding::written_default(&bytes, 2),
        ),
        (
            "cut",
            "Its last byte is missing.",
            "undecodable: root",
            encoding::cut(&bytes),
        ),
    ];
    for (name, what, refused, bytes) in spelt {
        let signed = dual(SignatureType::ROOT, bytes, &net.root_signers(&[0, 1]));
        book.bad(name, wrong(Encoding, what, refused), &encode(&signed));
    }
}

fn signatures(net: &Net, book: &mut Book, first: &v1::Root) {
    let good = sign_root(first, &net.root_signers(&[0, 1])).unwrap();
    let few = |found| format!("too-few-signers: root 1: {found} of 2 under root 1");
    let mut put = |name: &str, what: &str, refused: &str, with: &dyn Fn(&mut v1::Signed)| {
        let mut signed = good.clone();
        with(&mut signed);
        book.bad(name, wrong(Signature, what, refused), &encode(&signed));
    };
    put(
        "one-of-two",
        "One of two signers has signed.",
        &few(1),
        &|s| s.signatures.truncate(1),
    );
    put(
        "one-signer-twice",
        "One signer has signed twice and counts once.",
        &few(1),
        &|s| {
            s.signatures[1] = s.signatures[0].clone();
        },
    );
    put(
        "ed25519-half-alone",
        "The second signature has no ML-DSA half.",
        &few(1),
        &|s| {
            s.signatures[1].ml_dsa.clear();
            s.signatures[1].ml_dsa_kid.clear();
        },
    );
    put(
        "ml-dsa-half-alone",
        "The second signature has no Ed25519 half.",
        &few(1),
        &|s| s.signatures[1].ed25519.clear(),
    );
    put(
        "ml-dsa-halves-exchanged",
        "Each signature has the ML-DSA half of the other's signer.",
        &few(0),
        &|s| {
            let other = s.signatures[0].ml_dsa.clone();
            s.signatures[0].ml_dsa = s.signatures[1].ml_dsa.clone();
            s.signatures[1].ml_dsa = other;
        },
    );
    put(
        "ml-dsa-kid-of-another",
        "A signature names the other signer's ML-DSA key.",
        &few(1),
        &|s| {
            s.signatures[1].ml_dsa_kid = s.signatures[0].ml_dsa_kid.clone();
        },
    );
    put(
        "ed25519-bit-flipped",
        "One bit of one Ed25519 half is another.",
        &few(1),
        &|s| {
            s.signatures[1].ed25519 = flipped(&s.signatures[1].ed25519, 40);
        },
    );
    put(
        "ml-dsa-bit-flipped",
        "One bit of one ML-DSA half is another.",
        &few(1),
        &|s| {
            s.signatures[1].ml_dsa = flipped(&s.signatures[1].ml_dsa, 100);
        },
    );
    put(
        "signed-by-a-stranger",
        "The second signer is none of this root.",
        &few(1),
        &|s| {
            s.signatures[1] = net.root_signers(&[2])[0]
                .sign(SignatureType::ROOT, &s.bytes)
                .unwrap();
        },
    );
    put(
        "signed-as-a-roster",
        "The second signer has signed the bytes as a roster's.",
        &few(1),
        &|s| {
            s.signatures[1] = net.root_signers(&[1])[0]
                .sign(SignatureType::ROSTER, &s.bytes)
                .unwrap();
        },
    );
    put(
        "bytes-changed-after-signing",
        "It expires a day later than was signed.",
        &few(0),
        &|s| {
            let mut m = v1::Root::decode(s.bytes.clone()).unwrap();
            m.expires += DAY;
            s.bytes = encode(&m);
        },
    );
    let mut signed = good;
    signed.signatures.resize(65, v1::Signature::default());
    let many = wrong(
        Signature,
        "It has 65 signatures: more than any statement needs.",
        "rule: a root: at most 64 signatures",
    );
    book.bad("signatures-65", many, &encode(&signed));
}

fn walk(net: &Net, book: &mut Book, next: &v1::Root) {
    let mut put = |name: &str,
                   breaks,
                   what: &str,
                   refused: &str,
                   who: &[usize],
                   with: &dyn Fn(&mut v1::Root)| {
        let mut m = next.clone();
        with(&mut m);
        let signed = sign_root(&m, &net.root_signers(who)).unwrap();
        book.bad(name, wrong(breaks, what, refused), &encode(&signed));
    };
    put(
        "version-skipped",
        Place,
        "It is version 3, and version 1 is held.",
        "not-next: root 3 after 1",
        &[0, 1],
        &|m| m.version = 3,
    );
    put(
        "version-again",
        Place,
        "It is version 1 once more.",
        "not-next: root 1 after 1",
        &[0, 1],
        &|m| m.version = 1,
    );
    put(
        "other-network",
        Place,
        "It is the next root of another network.",
        "other-network: root 2",
        &[0, 1],
        &|m| m.network = "others".into(),
    );
    let new: Vec<_> = net
        .root_signers(&[2, 3])
        .iter()
        .map(|s| s.dual_key("new", "TT"))
        .collect();
    put(
        "new-signers-not-signed-by-the-old",
        Signature,
        "Its signers are two others, who alone have signed.",
        "too-few-signers: root 2: 0 of 2 under root 1",
        &[2, 3],
        &|m| m.signers = new.clone(),
    );
    put(
        "new-signers-have-not-signed",
        Signature,
        "Its signers are two others; only the old ones have signed.",
        "too-few-signers: root 2: 0 of 2 under root 2",
        &[0, 1],
        &|m| m.signers = new.clone(),
    );
    put(
        "one-of-the-old",
        Signature,
        "One of the old signers and both of the new have signed.",
        "too-few-signers: root 2: 1 of 2 under root 1",
        &[0, 2, 3],
        &|m| m.signers = new.clone(),
    );
    let retired = net.root_signers(&[1])[0].dual_key("retired", "JM");
    put(
        "old-signer-in-another-role",
        Rule,
        "A signer of root 1 has become a freshness signer.",
        "key-twice: signer and freshness signer",
        &[0, 1, 2],
        &|m| {
            m.signers[1] = new[0].clone();
            m.freshness_signers[2].ed25519 = retired.ed25519.clone();
        },
    );
}

/// A freshness signer whose seed is this byte, 32 times.
fn of_seed(byte: u8) -> v1::DualKey {
    let signer = SoftSigner::from_seed(&[byte; 32]).unwrap();
    v1::DualKey {
        ed25519: Bytes::copy_from_slice(signer.verify_key().bytes()),
        ..Default::default()
    }
}

/// One bit of one byte.
pub fn flipped(bytes: &Bytes, at: usize) -> Bytes {
    let mut out = bytes.to_vec();
    out[at] ^= 1;
    out.into()
}
