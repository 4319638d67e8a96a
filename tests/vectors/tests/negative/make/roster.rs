use super::{Book, dual, encoding, wrong};
use crate::{
    file::Breaks::{self, Encoding, Place, Rule, Signature, Time},
    fixture::{DAY, NOW, Net},
};
use abeng_keys::{SignatureType, Signer};
use abeng_roster::{
    ceremony::{sign_override, sign_party, sign_roster},
    digest,
};
use abeng_wire::{encode, limits, prost::Message, v1};
use bytes::Bytes;

pub fn make(net: &Net, book: &mut Book) {
    book.begin("roster", &[]);
    let first = v1::Roster::decode(net.roster.bytes.clone()).unwrap();
    book.good(
        "good-first",
        "A first roster of four parties, signed by both roster signers.",
        &encode(&net.roster),
    );
    first_place(net, book, &first);
    spelling(net, book, &first);
    signatures(net, book, &first);
    lists(net, book, &first);

    book.begin("roster", &["roster-1"]);
    let next = after(&net.roster);
    book.good("good-next", "The roster after it.", &sign(net, &next));
    walk(net, book, &next);
    overrides(net, book, &next);

    // A roster that revokes a key and lets TT go, and what may follow it.
    let mut revokes = next.clone();
    revokes.revocations = vec![revocation(net, NOW + DAY)];
    edit_entry(net, &mut revokes, "TT", |p| {
        p.status = v1::PartyStatus::Left as i32
    });
    let revokes = sign_roster(&revokes, &net.roster_signers(&[0, 1])).unwrap();
    book.given.put("roster-2-revokes-a-key", &encode(&revokes));
    book.begin("roster", &["roster-1", "roster-2-revokes-a-key"]);
    let third = after(&revokes);
    book.good(
        "good-third",
        "The roster after one that revoked BB's org-sign key and let TT leave.",
        &sign(net, &third),
    );
    remembered(net, book, &third);
}

/// What the roster after that one begins as.
pub fn after(previous: &v1::Signed) -> v1::Roster {
    let mut m = v1::Roster::decode(previous.bytes.clone()).unwrap();
    m.version += 1;
    m.previous = digest(&previous.bytes).to_bytes();
    m.issued += 1;
    m
}

pub fn sign(net: &Net, m: &v1::Roster) -> Bytes {
    encode(&sign_roster(m, &net.roster_signers(&[0, 1])).unwrap())
}

/// The entry at that place, in the first roster as it is, in a later one as the next of its kind.
pub fn entry_at(m: &v1::Roster, at: usize) -> v1::Party {
    let mut entry = v1::Party::decode(m.parties[at].bytes.clone()).unwrap();
    entry.version += u64::from(m.version > 1);
    entry
}

/// Edits an entry, which its party signs anew with all of its keys.
pub fn edit_entry(net: &Net, m: &mut v1::Roster, party: &str, edit: impl FnOnce(&mut v1::Party)) {
    let at = place(m, party);
    let mut entry = entry_at(m, at);
    edit(&mut entry);
    m.parties[at] = sign_party(&entry, &net.signers(party)).unwrap();
}

pub fn place(m: &v1::Roster, party: &str) -> usize {
    let is = |s: &v1::Signed| v1::Party::decode(s.bytes.clone()).unwrap().code == party;
    m.parties.iter().position(is).unwrap()
}

fn revocation(net: &Net, effective_at: u64) -> v1::Revocation {
    v1::Revocation {
        kid: net.keys("BB").org_sign().verify_key().kid().to_bytes(),
        effective_at,
        reason: "The machine was stolen.".into(),
    }
}

struct Put<'a> {
    net: &'a Net,
    book: &'a mut Book,
    from: &'a v1::Roster,
}

impl Put<'_> {
    fn put(
        &mut self,
        name: &str,
        breaks: Breaks,
        what: &str,
        refused: &str,
        edit: impl FnOnce(&mut v1::Roster),
    ) {
        let mut m = self.from.clone();
        edit(&mut m);
        self.book
            .bad(name, wrong(breaks, what, refused), &sign(self.net, &m));
    }
}

fn first_place(net: &Net, book: &mut Book, first: &v1::Roster) {
    let over = wrong(Time, "It has ended when it comes.", "expired: roster 1");
    let expires = first.expires;
    book.bad_against("expired", over, &sign(net, first), |a| a.now = expires);
    let mut p = Put {
        net,
        book,
        from: first,
    };
    p.put(
        "other-network",
        Place,
        "It is of another network.",
        "other-network: roster 1",
        |m| m.network = "others".into(),
    );
    p.put(
        "network-in-capitals",
        Rule,
        "The network's code has capitals.",
        "bad-code: network code",
        |m| m.network = "VECTORS".into(),
    );
    p.put(
        "version-2-first",
        Place,
        "It is version 2, and nothing is held.",
        "not-next: roster 2 after 0",
        |m| m.version = 2,
    );
    p.put(
        "version-0",
        Place,
        "It is version 0.",
        "not-next: roster 0 after 0",
        |m| m.version = 0,
    );
    p.put(
        "first-names-one-before",
        Place,
        "The first roster names one before it.",
        "previous-digest: roster 1",
        |m| m.previous = vec![1; 32].into(),
    );
    p.put(
        "other-root-version",
        Place,
        "It is made under root 2, and root 1 is held.",
        "other-root-version: roster 1 under 2, not 1",
        |m| m.root_version = 2,
    );
    p.put(
        "ends-as-it-begins",
        Rule,
        "It expires when it is issued.",
        "rule: roster 1: it is issued before it expires",
        |m| m.expires = m.issued,
    );
}

fn spelling(net: &Net, book: &mut Book, first: &v1::Roster) {
    let bytes = encode(first);
    let spelt = [
        (
            "unknown-field",
            "It has a field that rosters do not have.",
            "not-canonical: roster",
            encoding::unknown_field(&bytes),
        ),
        (
            "fields-out-of-order",
            "The network stands behind all else.",
            "not-canonical: roster",
            encoding::first_field_last(&bytes),
        ),
        (
            "long-varint",
            "The length of the network's code takes two bytes where one is enough.",
            "not-canonical: roster",
            encoding::long_varint(&bytes),
        ),
        (
            "cut",
            "Its last byte is missing.",
            "undecodable: roster",
            encoding::cut(&bytes),
        ),
    ];
    for (name, what, refused, bytes) in spelt {
        let signed = dual(SignatureType::ROSTER, bytes, &net.roster_signers(&[0, 1]));
        book.bad(name, wrong(Encoding, what, refused), &encode(&signed));
    }
}

fn signatures(net: &Net, book: &mut Book, first: &v1::Roster) {
    let good = sign_roster(first, &net.roster_signers(&[0, 1])).unwrap();
    let few = |found| format!("too-few-signers: roster 1: {found} of 2 under root 1");
    let mut put = |name: &str, what: &str, refused: &str, with: &dyn Fn(&mut v1::Signed)| {
        let mut signed = good.clone();
        with(&mut signed);
        book.bad(name, wrong(Signature, what, refused), &encode(&signed));
    };
    put(
        "one-of-two",
        "One of two roster signers has signed.",
        &few(1),
        &|s| s.signatures.truncate(1),
    );
    put(
        "one-signer-twice",
        "One roster signer has signed twice and counts once.",
        &few(1),
        &|s| s.signatures[1] = s.signatures[0].clone(),
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
        "ml-dsa-half-of-other-bytes",
        "The second signature's ML-DSA half is over the bytes with one more.",
        &few(1),
        &|s| {
            let longer = [&s.bytes[..], &[0]].concat();
            let other = net.roster_signers(&[1])[0]
                .sign(SignatureType::ROSTER, &longer)
                .unwrap();
            s.signatures[1].ml_dsa = other.ml_dsa;
        },
    );
    put(
        "by-root-signers",
        "Two root signers have signed it.",
        &few(0),
        &|s| {
            *s = dual(
                SignatureType::ROSTER,
                s.bytes.clone(),
                &net.root_signers(&[0, 1]),
            );
        },
    );
    put(
        "by-a-former-candidate",
        "The second signer is one that the root does not list.",
        &few(1),
        &|s| {
            *s = dual(
                SignatureType::ROSTER,
                s.bytes.clone(),
                &net.roster_signers(&[0, 2]),
            );
        },
    );
    put(
        "signed-as-a-root",
        "Both roster signers have signed the bytes as a root's.",
        &few(0),
        &|s| {
            *s = dual(
                SignatureType::ROOT,
                s.bytes.clone(),
                &net.roster_signers(&[0, 1]),
            );
        },
    );
    put(
        "grant-added-after-signing",
        "A grant was added after it was signed.",
        &few(0),
        &|s| {
            let mut m = v1::Roster::decode(s.bytes.clone()).unwrap();
            let grant = m.grants[0].clone();
            m.grants.push(grant);
            s.bytes = encode(&m);
        },
    );
    put(
        "signatures-65",
        "It has 65 signatures: more than any statement needs.",
        "rule: a roster: at most 64 signatures",
        &|s| {
            s.signatures.resize(65, v1::Signature::default());
        },
    );
}

fn lists(net: &Net, book: &mut Book, first: &v1::Roster) {
    let mut p = Put {
        net,
        book,
        from: first,
    };
    p.put(
        "parties-unsorted",
        Rule,
        "JM stands before BB.",
        "rule: roster 1: parties are sorted by code and unique",
        |m| m.parties.swap(0, 1),
    );
    p.put(
        "party-twice",
        Rule,
        "BB stands there twice.",
        "rule: roster 1: parties are sorted by code and unique",
        |m| {
            let entry = m.parties[0].clone();
            m.parties.insert(0, entry);
        },
    );
    p.put(
        "witness-is-no-party",
        Rule,
        "JM's log is to be watched by GY, which is no party.",
        "rule: roster 1: witnesses are parties",
        |m| {
            edit_entry(net, m, "JM", |e| e.witnesses = vec!["GY".into()]);
        },
    );
    let group = |code: &str, members: &[&str]| v1::Group {
        code: code.into(),
        members: members.iter().map(|&c| c.into()).collect(),
    };
    p.put(
        "group-named-as-a-party",
        Rule,
        "A group is called JM, as a party is.",
        "rule: group JM: its code is no party's",
        |m| m.groups.push(group("JM", &["BB"])),
    );
    p.put(
        "group-of-strangers",
        Rule,
        "A group has a member that is no party.",
        "rule: group NORTH: members are parties, sorted, named once",
        |m| m.groups.push(group("NORTH", &["BB", "GY"])),
    );
    p.put(
        "group-unsorted",
        Rule,
        "A group's members are not sorted.",
        "rule: group NORTH: members are parties, sorted, named once",
        |m| m.groups.push(group("NORTH", &["JM", "BB"])),
    );
    p.put(
        "group-member-twice",
        Rule,
        "A group names one member twice.",
        "rule: group NORTH: members are parties, sorted, named once",
        |m| m.groups.push(group("NORTH", &["BB", "BB"])),
    );
    p.put(
        "groups-unsorted",
        Rule,
        "Group AAA stands behind group ALL.",
        "rule: group AAA: groups are sorted and unique",
        |m| m.groups.push(group("AAA", &["BB"])),
    );
    p.put(
        "group-code-of-one-letter",
        Rule,
        "A group's code has one letter.",
        "bad-code: party code",
        |m| m.groups.push(group("N", &["BB"])),
    );
    let grant = |from: &str, to: &str| v1::Grant {
        from: from.into(),
        to: to.into(),
        notice_types: vec!["SEIZURE".into()],
        highest_tlp: v1::Tlp::Red as u32,
    };
    p.put(
        "grant-to-a-stranger",
        Rule,
        "A grant is to GY, which is neither party nor group.",
        "rule: a grant for GY: it names a party, a group or *",
        |m| m.grants.push(grant("BB", "GY")),
    );
    p.put(
        "grant-without-a-label",
        Rule,
        "A grant has no highest TLP.",
        "rule: the grant BB to JM: the highest TLP is a known one",
        |m| {
            m.grants.push(v1::Grant {
                highest_tlp: 0,
                ..grant("BB", "JM")
            });
        },
    );
    p.put(
        "grant-above-red",
        Rule,
        "A grant's highest TLP is above RED.",
        "rule: the grant BB to JM: the highest TLP is a known one",
        |m| {
            m.grants.push(v1::Grant {
                highest_tlp: v1::Tlp::Red as u32 + 1,
                ..grant("BB", "JM")
            });
        },
    );
    p.put(
        "grant-type-in-small-letters",
        Rule,
        "A grant's notice type is in small letters.",
        "rule: the grant BB to JM: notice types are capital words",
        |m| {
            m.grants.push(v1::Grant {
                notice_types: vec!["seizure".into()],
                ..grant("BB", "JM")
            });
        },
    );
    let revoked = revocation(net, NOW);
    p.put(
        "revocation-twice",
        Rule,
        "One key is revoked twice.",
        "rule: a revocation: a key is revoked once",
        |m| {
            // A log key: the entry stands without it as well.
            let kid = net.keys("BB").log().verify_key().kid().to_bytes();
            m.revocations = vec![
                v1::Revocation {
                    kid,
                    ..revoked.clone()
                };
                2
            ];
        },
    );
    p.put(
        "revocation-short-kid",
        Rule,
        "A revocation names its key by 31 bytes.",
        "rule: a revocation: a kid has 32 bytes",
        |m| {
            m.revocations = vec![v1::Revocation {
                kid: vec![1; 31].into(),
                ..revoked.clone()
            }];
        },
    );
    p.put(
        "revocation-without-a-reason",
        Rule,
        "A revocation gives no reason.",
        "rule: a revocation: a reason of 1 to 500 bytes on one line",
        |m| {
            m.revocations = vec![v1::Revocation {
                kid: vec![1; 32].into(),
                reason: String::new(),
                ..revoked.clone()
            }];
        },
    );
    p.put(
        "revocation-reason-of-two-lines",
        Rule,
        "A revocation's reason has two lines.",
        "rule: a revocation: a reason of 1 to 500 bytes on one line",
        |m| {
            m.revocations = vec![v1::Revocation {
                kid: vec![1; 32].into(),
                reason: "stolen\nor lost".into(),
                ..revoked.clone()
            }];
        },
    );
    let suspension = |party: &str| v1::Suspension {
        party: party.into(),
        effective_at: NOW,
        reason: "At its own wish.".into(),
    };
    p.put(
        "suspension-of-an-active-party",
        Rule,
        "It says why JM is suspended, which is active.",
        "rule: the suspension of JM: it is of a party that is suspended or has left",
        |m| m.suspensions.push(suspension("JM")),
    );
    p.put(
        "suspensions-unsorted",
        Rule,
        "The suspension of TT stands before that of JM.",
        "rule: the suspension of JM: suspensions are sorted, one a party",
        |m| {
            for party in ["JM", "TT"] {
                edit_entry(net, m, party, |e| {
                    e.status = v1::PartyStatus::Suspended as i32
                });
            }
            m.suspensions = vec![suspension("TT"), suspension("JM")];
        },
    );
    p.put(
        "suspension-with-a-long-reason",
        Rule,
        "A suspension's reason has 501 bytes.",
        "rule: the suspension of JM: a reason of 1 to 500 bytes on one line",
        |m| {
            edit_entry(net, m, "JM", |e| {
                e.status = v1::PartyStatus::Suspended as i32
            });
            m.suspensions = vec![v1::Suspension {
                reason: "x".repeat(501),
                ..suspension("JM")
            }];
        },
    );
    p.put(
        "one-key-of-two-parties",
        Rule,
        "TT lists BB's log key as its own, and BB has signed TT's entry with it.",
        "key-twice: log of BB and log of TT",
        |m| {
            let at = place(m, "TT");
            let mut entry = entry_at(m, at);
            entry.keys[2].key = Bytes::copy_from_slice(net.keys("BB").log().verify_key().bytes());
            let [org, tls, _, witness] = net.signers("TT");
            m.parties[at] =
                sign_party(&entry, &[org, tls, &**net.keys("BB").log(), witness]).unwrap();
        },
    );
    p.put(
        "one-key-in-two-roles",
        Rule,
        "TT's witness key is its log key.",
        "key-twice: log of TT and witness of TT",
        |m| {
            edit_entry(net, m, "TT", |e| e.keys[3].key = e.keys[2].key.clone());
        },
    );
    p.put(
        "a-partys-key-is-the-roots",
        Rule,
        "TT's log key is a freshness signer's.",
        "key-twice: freshness signer of the root and log of TT",
        |m| {
            let at = place(m, "TT");
            let mut entry = entry_at(m, at);
            let fresh = net.founding.freshness_signers[0].ed25519();
            entry.keys[2].key = Bytes::copy_from_slice(fresh.verify_key().bytes());
            let [org, tls, _, witness] = net.signers("TT");
            m.parties[at] = sign_party(&entry, &[org, tls, fresh, witness]).unwrap();
        },
    );
}

fn walk(net: &Net, book: &mut Book, next: &v1::Roster) {
    let mut p = Put {
        net,
        book,
        from: next,
    };
    p.put(
        "version-skipped",
        Place,
        "It is version 3, and version 1 is held.",
        "not-next: roster 3 after 1",
        |m| m.version = 3,
    );
    p.put(
        "version-again",
        Place,
        "It is version 1 once more.",
        "not-next: roster 1 after 1",
        |m| m.version = 1,
    );
    p.put(
        "names-no-roster-before",
        Place,
        "It does not name the roster before it.",
        "previous-digest: roster 2",
        |m| m.previous.clear(),
    );
    p.put(
        "names-another-roster-before",
        Place,
        "It follows another roster 1 than the one held.",
        "previous-digest: roster 2",
        |m| m.previous = vec![1; 32].into(),
    );
    p.put(
        "previous-of-31-bytes",
        Place,
        "It names the roster before it by 31 bytes.",
        "previous-digest: roster 2",
        |m| m.previous = m.previous.slice(1..),
    );
    p.put(
        "issued-before-the-one-before",
        Place,
        "It is issued a day before roster 1.",
        "rule: roster 2: it is not older than the one before, nor under an older root",
        |m| m.issued = NOW - DAY,
    );
    p.put(
        "member-gone",
        Rule,
        "TT is no longer there, where it should stand as one that has left.",
        "rule: roster 2: a party that has left stays, with that status",
        |m| {
            for party in ["BB", "JM", "LC"] {
                edit_entry(net, m, party, |e| e.witnesses.retain(|w| w != "TT"));
            }
            m.parties.truncate(3);
            m.groups[0].members.truncate(3);
        },
    );
}

fn overrides(net: &Net, book: &mut Book, next: &v1::Roster) {
    let early = wrong(
        Time,
        "It is issued a millisecond further ahead than clocks may differ.",
        "from-the-future: a roster",
    );
    let before = next.issued - limits::CLOCK_AHEAD_MS - 1;
    book.bad_against("from-the-future", early, &sign(net, next), |a| {
        a.now = before
    });
    // BB loses its log key, and the old one cannot sign for the new.
    let lost = |m: &mut v1::Roster| {
        let before = digest(&m.parties[0].bytes);
        let mut entry = entry_at(m, 0);
        let new = net.founding.freshness_signers[2].ed25519();
        let new = abeng_keys::SoftSigner::from_seed(&digest(&new.seed()[..]).0).unwrap();
        entry.keys[2].key = Bytes::copy_from_slice(new.verify_key().bytes());
        let [org, tls, _, witness] = net.signers("BB");
        m.parties[0] = sign_party(&entry, &[org, tls, &new, witness]).unwrap();
        v1::Override {
            network: "vectors".into(),
            party: "BB".into(),
            before: before.to_bytes(),
            after: digest(&m.parties[0].bytes).to_bytes(),
            at: NOW,
            reason: "The machine was lost at sea.".into(),
        }
    };
    let new = net.founding.freshness_signers[2].ed25519();
    let new = abeng_keys::SoftSigner::from_seed(&digest(&new.seed()[..]).0).unwrap();
    book.given.put("ed-BB-log-new", new.verify_key().bytes());
    let words = |word: &v1::Override| sign_override(word, &net.root_signers(&[0, 1])).unwrap();
    let mut m = next.clone();
    m.overrides = vec![words(&lost(&mut m))];
    book.good(
        "good-override",
        "BB has a new log key by the root's override.",
        &sign(net, &m),
    );
    let mut put = |name: &str,
                   breaks,
                   what: &str,
                   refused: &str,
                   with: &dyn Fn(&mut v1::Roster, v1::Override)| {
        let mut m = next.clone();
        let word = lost(&mut m);
        with(&mut m, word);
        book.bad(name, wrong(breaks, what, refused), &sign(net, &m));
    };
    let fits =
        "rule: the override for BB: it names the entry before and this one, which brings a key";
    put(
        "override-missing",
        Signature,
        "BB's new log key stands by nobody's word: neither the old key's nor the root's.",
        "no-old-key: log of BB",
        &|_, _| (),
    );
    put(
        "override-by-one",
        Signature,
        "One of two root signers stands behind the override.",
        "too-few-signers: the override for BB: 1 of 2 under root 1",
        &|m, w| {
            m.overrides = vec![sign_override(&w, &net.root_signers(&[0])).unwrap()];
        },
    );
    put(
        "override-by-roster-signers",
        Signature,
        "Roster signers have signed the override.",
        "too-few-signers: the override for BB: 0 of 2 under root 1",
        &|m, w| {
            m.overrides = vec![sign_override(&w, &net.roster_signers(&[0, 1])).unwrap()];
        },
    );
    put(
        "override-of-another-network",
        Place,
        "The override is of another network.",
        "other-network: the override for BB",
        &|m, w| {
            m.overrides = vec![words(&v1::Override {
                network: "others".into(),
                ..w
            })];
        },
    );
    put(
        "override-of-another-entry-before",
        Place,
        "The override replaces another entry than the one held.",
        fits,
        &|m, w| {
            m.overrides = vec![words(&v1::Override {
                before: vec![1; 32].into(),
                ..w
            })];
        },
    );
    put(
        "override-of-another-entry-after",
        Place,
        "The override brings another entry than the one here.",
        fits,
        &|m, w| {
            m.overrides = vec![words(&v1::Override {
                after: vec![1; 32].into(),
                ..w
            })];
        },
    );
    put(
        "override-without-a-reason",
        Rule,
        "The override gives no reason.",
        "rule: the override for BB: a reason of 1 to 500 bytes on one line",
        &|m, w| {
            m.overrides = vec![words(&v1::Override {
                reason: String::new(),
                ..w
            })];
        },
    );
    put(
        "override-twice",
        Rule,
        "The override stands there twice.",
        "rule: roster 2: overrides are sorted, one a party",
        &|m, w| {
            m.overrides = vec![words(&w), words(&w)];
        },
    );
    put(
        "override-of-a-stranger",
        Rule,
        "A second override is of GY, which is no party.",
        "rule: roster 2: an override is of a party",
        &|m, w| {
            m.overrides = vec![
                words(&w),
                words(&v1::Override {
                    party: "GY".into(),
                    ..w
                }),
            ];
        },
    );
}

fn remembered(net: &Net, book: &mut Book, third: &v1::Roster) {
    let mut p = Put {
        net,
        book,
        from: third,
    };
    let stays = "rule: roster 3: a revocation stays, and its time becomes no later";
    p.put(
        "revocation-taken-back",
        Rule,
        "The revocation is left out: the key would be good again.",
        stays,
        |m| m.revocations.clear(),
    );
    p.put(
        "revocation-moved-to-later",
        Rule,
        "The revocation takes effect a millisecond later than was said.",
        stays,
        |m| m.revocations[0].effective_at += 1,
    );
    p.put(
        "key-taken-over-from-who-has-left",
        Rule,
        "LC lists the log key with which TT stood in rosters before.",
        "key-twice: log of TT and log of LC",
        |m| {
            // TT has left and lists no key any more.
            let (lc, tt) = (place(m, "LC"), place(m, "TT"));
            let mut left = entry_at(m, tt);
            left.keys.clear();
            m.parties[tt] = sign_party(&left, &net.signers("TT")).unwrap();
            let mut entry = entry_at(m, lc);
            let mut key = entry.keys[2].clone();
            key.key = Bytes::copy_from_slice(net.keys("TT").log().verify_key().bytes());
            entry.keys.push(key);
            let mut signers = net.signers("LC").to_vec();
            signers.push(&**net.keys("TT").log());
            m.parties[lc] = sign_party(&entry, &signers).unwrap();
        },
    );
}
