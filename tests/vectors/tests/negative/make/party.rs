use super::{
    Book, encoding,
    keys::bad_ed25519,
    root::flipped,
    roster::{after, entry_at, place, sign},
    single, wrong,
};
use crate::{
    file::Breaks::{Encoding, Key, Limit, Rule, Signature},
    fixture::{DAY, NOW, Net},
};
use abeng_keys::{SignatureType, Signer, SoftSigner};
use abeng_roster::{
    ceremony::{sign_party, sign_roster},
    digest,
};
use abeng_wire::{encode, prost::Message, v1};
use bytes::Bytes;

pub fn make(net: &Net, book: &mut Book) {
    book.begin("party", &[]);
    let first = v1::Roster::decode(net.roster.bytes.clone()).unwrap();
    book.good(
        "good-first",
        "A roster in which JM has proved that it holds each of its keys.",
        &encode(&net.roster),
    );
    texts(net, book, &first);
    keys(net, book, &first);
    spelling(net, book, &first);
    possession(net, book, &first);
    book.begin("party", &["roster-1"]);
    changes(net, book, &after(&net.roster));
    revoked(net, book);
}

fn entry(m: &v1::Roster, party: &str) -> v1::Party {
    entry_at(m, place(m, party))
}

/// The roster with this as JM's entry, signed by the Secretariat.
fn with(net: &Net, from: &v1::Roster, entry: v1::Signed) -> Bytes {
    let mut m = from.clone();
    let at = place(&m, "JM");
    m.parties[at] = entry;
    sign(net, &m)
}

fn texts(net: &Net, book: &mut Book, first: &v1::Roster) {
    let mut put = |name: &str, breaks, what: &str, refused: &str, edit: &dyn Fn(&mut v1::Party)| {
        let mut jm = entry(first, "JM");
        edit(&mut jm);
        let signed = sign_party(&jm, &net.signers("JM")).unwrap();
        book.bad(
            name,
            wrong(breaks, what, refused),
            &with(net, first, signed),
        );
    };
    let rule = |rule: &str| format!("rule: the entry of JM: {rule}");
    let named = rule("a name of 1 to 200 bytes on one line");
    put(
        "code-in-small-letters",
        Rule,
        "The party's code is in small letters.",
        "bad-code: party code",
        &|p| p.code = "jm".into(),
    );
    put("no-name", Rule, "The party has no name.", &named, &|p| {
        p.name.clear()
    });
    put(
        "long-name",
        Limit,
        "The name has 201 bytes.",
        &named,
        &|p| p.name = "x".repeat(201),
    );
    put(
        "name-that-commands-a-terminal",
        Rule,
        "The name holds a control character.",
        &named,
        &|p| p.name = "Customs\u{1b}[2J".into(),
    );
    put(
        "country-of-three-letters",
        Rule,
        "The country is one of three letters.",
        &rule("the country is an ISO 3166-1 alpha-2 code"),
        &|p| p.country = "JAM".into(),
    );
    put(
        "country-in-small-letters",
        Rule,
        "The country is in small letters.",
        &rule("the country is an ISO 3166-1 alpha-2 code"),
        &|p| p.country = "jm".into(),
    );
    put(
        "no-kind",
        Rule,
        "It does not say of which kind the party is.",
        &rule("kind and status are known ones"),
        &|p| p.kind = 0,
    );
    put(
        "unknown-kind",
        Rule,
        "The party is of a kind that does not exist.",
        &rule("kind and status are known ones"),
        &|p| p.kind = 9,
    );
    put(
        "no-status",
        Rule,
        "It does not say whether the party is active.",
        &rule("kind and status are known ones"),
        &|p| p.status = 0,
    );
    put(
        "addresses-9",
        Limit,
        "The party has nine addresses.",
        &rule("at most 8 addresses"),
        &|p| p.addresses = vec!["192.0.2.1:7464".into(); 9],
    );
    put(
        "address-without-a-port",
        Rule,
        "An address has no port.",
        &rule("addresses are host:port"),
        &|p| p.addresses = vec!["192.0.2.1".into()],
    );
    put(
        "address-with-port-0",
        Rule,
        "An address has port 0.",
        &rule("addresses are host:port"),
        &|p| p.addresses = vec!["node.example.org:0".into()],
    );
    put(
        "address-with-a-path",
        Rule,
        "An address is a URL.",
        &rule("addresses are host:port"),
        &|p| p.addresses = vec!["https://node.example.org/:7464".into()],
    );
    let origin = rule("the log origin is abeng/<network>/<party>/");
    put(
        "log-origin-of-another-party",
        Rule,
        "Its logs would be TT's.",
        &origin,
        &|p| p.log_origin = "abeng/vectors/TT/".into(),
    );
    put(
        "log-origin-of-another-network",
        Rule,
        "Its logs would be another network's.",
        &origin,
        &|p| p.log_origin = "abeng/others/JM/".into(),
    );
    put(
        "log-origin-without-a-slash",
        Rule,
        "Its logs' origins would run together with another party's, JM-2.",
        &origin,
        &|p| p.log_origin = "abeng/vectors/JM".into(),
    );
    let witnesses = rule("witnesses are sorted, named once, and others");
    put(
        "witness-of-itself",
        Rule,
        "It watches its own log.",
        &witnesses,
        &|p| p.witnesses = vec!["BB".into(), "JM".into()],
    );
    put(
        "witness-twice",
        Rule,
        "One witness stands there twice, and would count twice.",
        &witnesses,
        &|p| p.witnesses = vec!["BB".into(), "BB".into()],
    );
    put(
        "witnesses-unsorted",
        Rule,
        "Its witnesses are not sorted.",
        &witnesses,
        &|p| p.witnesses = vec!["TT".into(), "BB".into()],
    );
    let each = rule("one key of each role at least");
    put(
        "no-witness-key",
        Rule,
        "It has no witness key.",
        &each,
        &|p| p.keys.truncate(3),
    );
    put(
        "no-org-sign-key",
        Rule,
        "It has no org-sign key.",
        &each,
        &|p| drop(p.keys.remove(0)),
    );
    put(
        "key-without-a-role",
        Rule,
        "A key has no role.",
        &rule("the role of a key is a known one"),
        &|p| {
            let key = v1::PartyKey {
                role: 0,
                ..p.keys[0].clone()
            };
            p.keys.push(key);
        },
    );
    put(
        "key-of-an-unknown-role",
        Rule,
        "A key has a role that does not exist.",
        &rule("the role of a key is a known one"),
        &|p| {
            let key = v1::PartyKey {
                role: 9,
                ..p.keys[0].clone()
            };
            p.keys.push(key);
        },
    );
    put(
        "first-entry-of-version-2",
        Rule,
        "JM comes to the network with an entry of version 2.",
        "not-next: entry of JM 2 after 0",
        &|p| p.version = 2,
    );
    put(
        "key-that-ends-as-it-begins",
        Rule,
        "The log key is good for no time at all.",
        &rule("a key begins before it ends"),
        &|p| p.keys[2].not_after = p.keys[2].not_before,
    );
}

fn keys(net: &Net, book: &mut Book, first: &v1::Roster) {
    for (name, what, why, key) in bad_ed25519() {
        let mut jm = entry(first, "JM");
        jm.keys.push(v1::PartyKey {
            key: key.into(),
            ..jm.keys[2].clone()
        });
        let signed = sign_party(&jm, &net.signers("JM")).unwrap();
        let (what, refused) = (
            format!("A second log key {what}."),
            format!("bad-key: {why}"),
        );
        book.bad(
            &format!("key-{name}"),
            wrong(Key, &what, &refused),
            &with(net, first, signed),
        );
    }
    // Each with its possession: the number alone is wrong.
    let mut jm = entry(first, "JM");
    let more: Vec<_> = (1..30)
        .map(|i| SoftSigner::from_seed(&digest(&[i]).0).unwrap())
        .collect();
    let mut signers = net.signers("JM").to_vec();
    for key in &more {
        jm.keys.push(v1::PartyKey {
            key: Bytes::copy_from_slice(key.verify_key().bytes()),
            ..jm.keys[3].clone()
        });
        signers.push(key);
    }
    assert_eq!(jm.keys.len(), 33);
    for (i, key) in more.iter().enumerate() {
        book.given
            .put(format!("ed-JM-more-{}", i + 1), key.verify_key().bytes());
    }
    let signed = sign_party(&jm, &signers).unwrap();
    let many = wrong(
        Limit,
        "It has 33 keys.",
        "rule: the entry of JM: at most 32 keys",
    );
    book.bad("keys-33", many, &with(net, first, signed));
}

fn spelling(net: &Net, book: &mut Book, first: &v1::Roster) {
    let bytes = encode(&entry(first, "JM"));
    let spelt = [
        (
            "unknown-field",
            "The entry has a field that entries do not have.",
            "not-canonical: party",
            encoding::unknown_field(&bytes),
        ),
        (
            "fields-out-of-order",
            "The code stands behind all else.",
            "not-canonical: party",
            encoding::first_field_last(&bytes),
        ),
        (
            "relay-said-to-be-false",
            "That it is no relay is written out.",
            "not-canonical: party",
            encoding::written_default(&bytes, 10),
        ),
        (
            "cut",
            "Its last byte is missing.",
            "undecodable: party",
            encoding::cut(&bytes),
        ),
    ];
    for (name, what, refused, bytes) in spelt {
        let signed = single(SignatureType::PARTY, bytes, &net.signers("JM"));
        let mut m = first.clone();
        m.parties[1] = signed;
        book.bad(name, wrong(Encoding, what, refused), &sign(net, &m));
    }
}

fn possession(net: &Net, book: &mut Book, first: &v1::Roster) {
    let good = sign_party(&entry(first, "JM"), &net.signers("JM")).unwrap();
    let mut put = |name: &str, what: &str, refused: &str, edit: &dyn Fn(&mut v1::Signed)| {
        let mut signed = good.clone();
        edit(&mut signed);
        book.bad(
            name,
            wrong(Signature, what, refused),
            &with(net, first, signed),
        );
    };
    put(
        "unsigned",
        "JM has signed nothing: the Secretariat alone brings it.",
        "no-possession: org-sign of JM",
        &|s| s.signatures.clear(),
    );
    put(
        "no-possession-of-a-log-key",
        "JM has not signed with its log key.",
        "no-possession: log of JM",
        &|s| drop(s.signatures.remove(2)),
    );
    put(
        "possession-by-another-key",
        "The signature of the witness key is the log key's.",
        "no-possession: witness of JM",
        &|s| {
            s.signatures[3].ed25519 = s.signatures[2].ed25519.clone();
        },
    );
    put(
        "possession-signed-as-a-seal-key",
        "The org-sign key has signed the bytes as a seal key's.",
        "no-possession: org-sign of JM",
        &|s| {
            s.signatures[0] = single(
                SignatureType::SEAL_KEY,
                s.bytes.clone(),
                &net.signers("JM")[..1],
            )
            .signatures[0]
                .clone();
        },
    );
    put(
        "possession-with-a-flipped-bit",
        "One bit of the node-tls key's signature is another.",
        "no-possession: node-tls of JM",
        &|s| {
            s.signatures[1].ed25519 = flipped(&s.signatures[1].ed25519, 9);
        },
    );
    put(
        "address-changed-after-signing",
        "Another address stands there than JM signed.",
        "no-possession: org-sign of JM",
        &|s| {
            let mut m = v1::Party::decode(s.bytes.clone()).unwrap();
            m.addresses = vec!["198.51.100.7:7464".into()];
            s.bytes = encode(&m);
        },
    );
    put(
        "signatures-65",
        "The entry has 65 signatures.",
        "rule: a party's entry: at most 64 signatures",
        &|s| s.signatures.resize(65, v1::Signature::default()),
    );
}

fn changes(net: &Net, book: &mut Book, next: &v1::Roster) {
    let [org, tls, log, witness] = net.signers("JM");
    let new = SoftSigner::from_seed(&digest(b"JM's new key").0).unwrap();
    book.given.put("ed-JM-new", new.verify_key().bytes());
    let rotated = |role: usize| {
        let mut jm = entry(next, "JM");
        let key = Bytes::copy_from_slice(new.verify_key().bytes());
        jm.keys.push(v1::PartyKey {
            key,
            not_before: NOW + DAY,
            ..jm.keys[role].clone()
        });
        jm
    };
    let mut moved = entry(next, "JM");
    moved.addresses = vec!["198.51.100.7:7464".into()];
    let signed = |jm: &v1::Party, by: &[&dyn Signer]| with(net, next, sign_party(jm, by).unwrap());

    book.good(
        "good-moved",
        "JM has another address, by the word of its org-sign key.",
        &signed(&moved, &[org]),
    );
    let uncounted = v1::Party {
        version: 0,
        ..moved.clone()
    };
    book.bad(
        "entry-that-counts-no-longer",
        wrong(
            Rule,
            "JM has another address, and the entry has no version any more.",
            "not-next: entry of JM 0 after 1",
        ),
        &signed(&uncounted, &[org]),
    );
    for (name, what, version) in [
        (
            "entry-that-does-not-count-on",
            "JM has another address, and the entry has the version that it had.",
            1,
        ),
        (
            "entry-that-skips-a-version",
            "JM has another address, and one version of the entry is left out.",
            3,
        ),
    ] {
        let jm = v1::Party {
            version,
            ..moved.clone()
        };
        let refused = format!("not-next: entry of JM {version} after 1");
        book.bad(name, wrong(Rule, what, &refused), &signed(&jm, &[org]));
    }
    let mut alone = moved.clone();
    alone.witnesses.clear();
    book.bad(
        "three-witnesses-at-a-time",
        wrong(
            Rule,
            "Three co-sign JM's log no longer.",
            "rule: the entry of JM: at most two of its witnesses change at a time",
        ),
        &signed(&alone, &[org]),
    );
    let mut put = |name: &str, what: &str, refused: &str, bytes: Bytes| {
        book.bad(name, wrong(Signature, what, refused), &bytes)
    };
    put(
        "moved-without-org-sign",
        "The address changed without any signature of JM's.",
        "no-old-key: org-sign of JM",
        signed(&moved, &[]),
    );
    put(
        "moved-by-its-node-alone",
        "The address changed by the word of the node-tls key alone.",
        "no-old-key: org-sign of JM",
        signed(&moved, &[tls]),
    );
    let other = &**net.keys("TT").org_sign();
    put(
        "moved-by-another-party",
        "The address changed by TT's word.",
        "no-old-key: org-sign of JM",
        signed(&moved, &[other]),
    );

    book.good(
        "good-rotated-node-tls",
        "JM has a new node-tls key, which it holds, by its old one and its org-sign key.",
        &signed(&rotated(1), &[org, tls, &new]),
    );
    let mut put = |name: &str, what: &str, refused: &str, bytes: Bytes| {
        book.bad(name, wrong(Signature, what, refused), &bytes)
    };
    put(
        "rotated-without-the-old-key",
        "A new node-tls key, and the old one has not signed.",
        "no-old-key: node-tls of JM",
        signed(&rotated(1), &[org, &new]),
    );
    put(
        "rotated-without-org-sign",
        "A new node-tls key, and the organisation has not signed.",
        "no-old-key: org-sign of JM",
        signed(&rotated(1), &[tls, &new]),
    );
    put(
        "rotated-without-possession",
        "A new node-tls key that JM has not shown to hold.",
        "no-possession: node-tls of JM",
        signed(&rotated(1), &[org, tls]),
    );
    put(
        "rotated-by-the-key-of-another-role",
        "A new node-tls key by the word of the log and witness keys.",
        "no-old-key: node-tls of JM",
        signed(&rotated(1), &[org, log, witness, &new]),
    );

    book.good(
        "good-rotated-org-sign",
        "JM has a new org-sign key by its old one.",
        &signed(&rotated(0), &[org, &new]),
    );
    book.bad(
        "org-sign-by-itself",
        wrong(
            Signature,
            "A new org-sign key that only itself speaks for.",
            "no-old-key: org-sign of JM",
        ),
        &signed(&rotated(0), &[&new]),
    );

    let mut suspended = entry(next, "JM");
    suspended.status = v1::PartyStatus::Suspended as i32;
    let bytes = |jm: &v1::Party| {
        // The party need not sign that.
        let was = sign_party(&entry(next, "JM"), &net.signers("JM")).unwrap();
        with(
            net,
            next,
            v1::Signed {
                bytes: encode(jm),
                signatures: was.signatures,
            },
        )
    };
    book.good(
        "good-suspended",
        "The Secretariat suspends JM, without JM's hand.",
        &bytes(&suspended),
    );
    let mut same = suspended.clone();
    same.version -= 1;
    book.bad(
        "suspended-and-not-counted",
        wrong(
            Signature,
            "The Secretariat suspends JM, and the entry has the version that it had: the one before would follow it.",
            "not-next: entry of JM 1 after 1",
        ),
        &bytes(&same),
    );
    suspended.addresses.clear();
    book.bad(
        "suspended-and-changed",
        wrong(
            Signature,
            "The Secretariat suspends JM and takes its address out.",
            "no-old-key: org-sign of JM",
        ),
        &bytes(&suspended),
    );
}

/// Keys that were good once speak for no new ones.
fn revoked(net: &Net, book: &mut Book) {
    let [org, tls, _, _] = net.signers("JM");
    let new = SoftSigner::from_seed(&digest(b"JM's new key").0).unwrap();
    let mut m = after(&net.roster);
    let at = place(&m, "JM");
    let mut jm = entry(&m, "JM");
    let key = Bytes::copy_from_slice(new.verify_key().bytes());
    jm.keys.push(v1::PartyKey {
        key,
        not_before: NOW + DAY,
        ..jm.keys[1].clone()
    });
    m.parties[at] = sign_party(&jm, &[org, tls, &new]).unwrap();
    book.good(
        "good-rotated",
        "JM has a new node-tls key by its old one.",
        &sign(net, &m),
    );
    let revocation = |key: &dyn Signer| v1::Revocation {
        kid: key.verify_key().kid().to_bytes(),
        effective_at: NOW + 100 * DAY,
        reason: "The machine was stolen.".into(),
    };
    let mut revokes = m.clone();
    revokes.revocations = vec![revocation(tls)];
    book.bad(
        "rotated-by-a-revoked-key",
        wrong(
            Signature,
            "A new node-tls key by the word of one that the same roster revokes, later than now.",
            "no-old-key: node-tls of JM",
        ),
        &sign(net, &revokes),
    );
    revokes.revocations = vec![revocation(org)];
    book.bad(
        "changed-by-a-revoked-key",
        wrong(
            Signature,
            "The entry changed by the word of an org-sign key that the same roster revokes.",
            "no-old-key: org-sign of JM",
        ),
        &sign(net, &revokes),
    );
    // Long after the keys ended: the roster is issued then.
    let mut late = m;
    late.issued = jm.keys[1].not_after + DAY;
    late.expires = late.issued + DAY;
    let now = late.issued;
    let signed = sign_roster(&late, &net.roster_signers(&[0, 1])).unwrap();
    book.bad_against(
        "changed-by-keys-that-have-ended",
        wrong(
            Signature,
            "The entry changed by the word of keys that had ended when the roster was issued.",
            "no-old-key: org-sign of JM",
        ),
        &encode(&signed),
        |a| a.now = now,
    );
}
