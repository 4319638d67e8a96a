use super::{
    Book, encoding,
    root::flipped,
    roster::{after, sign},
    wrong,
};
use crate::{
    file::{
        About,
        Breaks::{self, Encoding, Limit, Place, Rule, Seal, Signature},
    },
    fixture::{DAY, LIFE, NOW, Net},
};
use abeng_audit_log::{
    Checkpoint,
    merkle::{consistency_proof, inclusion_proof, leaf_hash, node_hash, root_of},
};
use abeng_keys::Signer;
use abeng_roster::digest;
use abeng_wire::{LeafHash, encode, v1};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use std::convert::Infallible;

/// A log, as the hashes of its leaves.
pub struct Log(pub Vec<LeafHash>);

impl Log {
    fn of(leaves: &[Bytes]) -> Self {
        Self(leaves.iter().map(|l| leaf_hash(l)).collect())
    }

    fn node(&self, level: u32, index: u64) -> Result<LeafHash, Infallible> {
        Ok(match level {
            0 => self.0[usize::try_from(index).unwrap()],
            _ => node_hash(
                &self.node(level - 1, 2 * index)?,
                &self.node(level - 1, 2 * index + 1)?,
            ),
        })
    }

    pub fn root(&self, size: u64) -> LeafHash {
        root_of(size, &mut |l, i| self.node(l, i)).unwrap()
    }

    fn path(&self, index: u64, size: u64) -> Vec<Bytes> {
        let path = inclusion_proof(index, size, &mut |l, i| self.node(l, i)).unwrap();
        path.iter().map(LeafHash::to_bytes).collect()
    }

    pub fn growth(&self, old: u64, new: u64) -> Vec<LeafHash> {
        consistency_proof(old, new, &mut |l, i| self.node(l, i)).unwrap()
    }
}

pub fn origin(party: &str) -> String {
    format!("abeng/vectors/{party}/{LIFE}")
}

fn hash(of: &str) -> [u8; 32] {
    digest(of.as_bytes()).0
}

fn leaf(actor: &str, kind: v1::LeafKind) -> v1::Leaf {
    v1::Leaf {
        version: 1,
        kind: kind as i32,
        actor: actor.into(),
        incarnation: LIFE.0,
        time: NOW,
        roster: Some(v1::RosterRef {
            version: 1,
            digest: hash("a roster").to_vec().into(),
        }),
        ..Default::default()
    }
}

/// About the envelope from JM to TT.
fn about(actor: &str, kind: v1::LeafKind) -> v1::Leaf {
    v1::Leaf {
        envelope_id: hash("the envelope").to_vec().into(),
        originator: "JM".into(),
        recipient: "TT".into(),
        seq_commit: hash("the commitment").to_vec().into(),
        ..leaf(actor, kind)
    }
}

/// A receipt over the leaf at `index` of a log of `leaves`, under its party's checkpoint.
fn shown(
    net: &Net,
    party: &str,
    leaves: &[Bytes],
    index: u64,
    with_companion: bool,
) -> v1::Receipt {
    let (log, size) = (Log::of(leaves), leaves.len() as u64);
    let signer = net.keys(party).log();
    let checkpoint = Checkpoint::sign(&origin(party), size, log.root(size), &**signer).unwrap();
    let mut receipt = v1::Receipt {
        leaf: leaves[usize::try_from(index).unwrap()].clone(),
        index,
        proof: log.path(index, size),
        checkpoint: checkpoint.note().clone(),
        ..Default::default()
    };
    if with_companion {
        receipt.companion = leaves[usize::try_from(index).unwrap() - 1].clone();
        receipt.companion_proof = log.path(index - 1, size);
    }
    receipt
}

/// Started, Received, Delivered, and two that came since.
fn leaves(party: &str, received: &v1::Leaf, delivered: &v1::Leaf) -> Vec<Bytes> {
    let own = |kind| encode(&leaf(party, kind));
    vec![
        own(v1::LeafKind::Started),
        encode(received),
        encode(delivered),
        own(v1::LeafKind::Stopped),
        own(v1::LeafKind::Started),
    ]
}

pub fn make(net: &Net, book: &mut Book) {
    let revokes = {
        let mut m = after(&net.roster);
        m.revocations = vec![v1::Revocation {
            kid: net.keys("TT").log().verify_key().kid().to_bytes(),
            effective_at: NOW + 100 * DAY,
            reason: "The machine was stolen.".into(),
        }];
        sign(net, &m)
    };
    book.given.put("roster-2-revokes-TTs-log-key", &revokes);
    book.begin("receipt", &["roster-1"]);
    book.against().about = Some(About {
        envelope_id: HEXLOWER.encode(&hash("the envelope")),
        originator: "JM".into(),
        recipient: "TT".into(),
        seq_commit: HEXLOWER.encode(&hash("the commitment")),
    });
    let (received, delivered) = (
        about("TT", v1::LeafKind::Received),
        about("TT", v1::LeafKind::Delivered),
    );
    let good = shown(net, "TT", &leaves("TT", &received, &delivered), 2, true);
    book.good(
        "good-delivered",
        "TT's log says Received and Delivered.",
        &encode(&good),
    );
    said(net, book, &received, &delivered);
    spelling(net, book, &good);
    paths(net, book, &good);
    checkpoints(net, book, &good);
    swapped(book, &good);
    companions(net, book, &received, &delivered);
    let relayed = about("LC", v1::LeafKind::Relayed);
    let list = leaves("LC", &about("LC", v1::LeafKind::Received), &relayed);
    let good = shown(net, "LC", &list, 2, false);
    book.good(
        "good-relayed",
        "LC's log says that it carries the envelope to TT.",
        &encode(&good),
    );
    others(net, book);
}

/// What the leaf says: it is in the log, and is not about this.
fn said(net: &Net, book: &mut Book, received: &v1::Leaf, delivered: &v1::Leaf) {
    let mut put =
        |name: &str, breaks: Breaks, what: &str, refused: &str, with: &dyn Fn(&mut v1::Leaf)| {
            let mut delivered = delivered.clone();
            with(&mut delivered);
            let receipt = shown(net, "TT", &leaves("TT", received, &delivered), 2, true);
            book.bad(name, wrong(breaks, what, refused), &encode(&receipt));
        };
    let of_the_log = "rule: the leaf's actor and incarnation are those of the log";
    put(
        "leaf-of-version-2",
        Rule,
        "The leaf is of version 2.",
        "rule: the leaf's version is 1",
        &|l| l.version = 2,
    );
    put(
        "leaf-of-another-actor",
        Place,
        "The leaf in TT's log says that LC did it.",
        of_the_log,
        &|l| l.actor = "LC".into(),
    );
    put(
        "leaf-of-another-life",
        Place,
        "The leaf is of another life than its log.",
        of_the_log,
        &|l| l.incarnation += 1,
    );
    put(
        "leaf-about-another-envelope",
        Place,
        "The leaf names another envelope.",
        "rule: the leaf names the envelope",
        &|l| l.envelope_id = hash("another").to_vec().into(),
    );
    put(
        "leaf-about-no-envelope",
        Place,
        "The leaf names no envelope.",
        "rule: the leaf names the envelope",
        &|l| l.envelope_id.clear(),
    );
    put(
        "leaf-of-another-originator",
        Place,
        "The leaf names BB as the originator.",
        "rule: the leaf names the originator",
        &|l| l.originator = "BB".into(),
    );
    put(
        "leaf-of-another-recipient",
        Place,
        "The leaf names BB as the recipient.",
        "rule: the leaf names the recipient",
        &|l| l.recipient = "BB".into(),
    );
    put(
        "leaf-with-another-commitment",
        Place,
        "The leaf holds another recipient's commitment to a stream number.",
        "rule: the leaf holds the recipient's seq_commit",
        &|l| l.seq_commit = hash("another").to_vec().into(),
    );
    let kind = "rule: its leaf is of a kind that makes a receipt";
    put(
        "leaf-queued",
        Rule,
        "The leaf is one of an originator's: Queued.",
        kind,
        &|l| l.kind = v1::LeafKind::Queued as i32,
    );
    put(
        "leaf-receipt-taken",
        Rule,
        "The leaf is about a receipt that was taken.",
        kind,
        &|l| l.kind = v1::LeafKind::ReceiptTaken as i32,
    );
    put(
        "leaf-without-a-kind",
        Rule,
        "The leaf is of no kind.",
        kind,
        &|l| l.kind = 0,
    );
    put(
        "leaf-of-an-unknown-kind",
        Rule,
        "The leaf is of a kind that does not exist.",
        kind,
        &|l| l.kind = 99,
    );
}

fn spelling(net: &Net, book: &mut Book, good: &v1::Receipt) {
    let bytes = encode(good);
    for (name, what, refused, bytes) in [
        (
            "unknown-field",
            "The receipt has a field that receipts do not have.",
            "not-canonical: receipt",
            encoding::unknown_field(&bytes),
        ),
        (
            "fields-out-of-order",
            "The leaf stands behind all else.",
            "not-canonical: receipt",
            encoding::first_field_last(&bytes),
        ),
        (
            "cut",
            "Its last byte is missing.",
            "undecodable: receipt",
            encoding::cut(&bytes),
        ),
    ] {
        book.bad(name, wrong(Encoding, what, refused), &bytes);
    }
    let mut list = leaves(
        "TT",
        &about("TT", v1::LeafKind::Received),
        &about("TT", v1::LeafKind::Delivered),
    );
    let plain = list[2].clone();
    for (name, what, bytes) in [
        (
            "leaf-with-an-unknown-field",
            "The leaf, which is in the log so, has a field that leaves do not have.",
            encoding::unknown_field(&plain),
        ),
        (
            "leaf-out-of-order",
            "The leaf, which is in the log so, has its version last.",
            encoding::first_field_last(&plain),
        ),
    ] {
        list[2] = bytes;
        let receipt = shown(net, "TT", &list, 2, true);
        book.bad(
            name,
            wrong(Encoding, what, "not-canonical: leaf"),
            &encode(&receipt),
        );
    }
}

fn paths(net: &Net, book: &mut Book, good: &v1::Receipt) {
    let mut put =
        |name: &str, breaks: Breaks, what: &str, refused: &str, with: &dyn Fn(&mut v1::Receipt)| {
            let mut receipt = good.clone();
            with(&mut receipt);
            book.bad(name, wrong(breaks, what, refused), &encode(&receipt));
        };
    put(
        "index-one-less",
        Seal,
        "The path is that of leaf 2, shown for leaf 1.",
        "proof: root",
        &|r| r.index = 1,
    );
    put(
        "index-beyond-the-tree",
        Seal,
        "Leaf 5 of a tree of five.",
        "proof: leaf 5 of 5",
        &|r| r.index = 5,
    );
    put(
        "index-of-everything",
        Seal,
        "Leaf 2^64 - 1 of a tree of five.",
        "proof: leaf 18446744073709551615 of 5",
        &|r| r.index = u64::MAX,
    );
    put(
        "path-too-short",
        Seal,
        "The path's last hash is missing.",
        "proof: length 2",
        &|r| drop(r.proof.pop()),
    );
    put(
        "path-too-long",
        Seal,
        "A hash follows the path.",
        "proof: length 4",
        &|r| r.proof.push(vec![0; 32].into()),
    );
    put(
        "no-path",
        Seal,
        "There is no path.",
        "proof: length 0",
        &|r| r.proof.clear(),
    );
    put(
        "path-of-129-hashes",
        Limit,
        "The path has 129 hashes: more than any tree.",
        "proof: length 129",
        &|r| r.proof.resize(129, vec![0; 32].into()),
    );
    put(
        "path-with-a-short-hash",
        Seal,
        "A hash in the path has 31 bytes.",
        "proof: length 3",
        &|r| r.proof[1] = r.proof[1].slice(1..),
    );
    put(
        "path-changed",
        Seal,
        "One bit of a hash in the path is another.",
        "proof: root",
        &|r| r.proof[1] = flipped(&r.proof[1], 0),
    );
    put(
        "path-reversed",
        Seal,
        "The path is given from the root down.",
        "proof: root",
        &|r| r.proof.reverse(),
    );
    put(
        "leaf-changed",
        Seal,
        "The leaf says another time than the one in the log.",
        "proof: root",
        &|r| {
            r.leaf = encode(&v1::Leaf {
                time: NOW + 1,
                ..about("TT", v1::LeafKind::Delivered)
            });
        },
    );
    put(
        "refusal-made-a-delivery",
        Seal,
        "The log says Refused, the leaf shown says Delivered.",
        "proof: root",
        &|r| {
            let mut refused = about("TT", v1::LeafKind::Refused);
            refused.reason = v1::Reason::BadStanza as i32;
            let list = leaves("TT", &about("TT", v1::LeafKind::Received), &refused);
            let delivered = r.leaf.clone();
            *r = shown(net, "TT", &list, 2, true);
            r.leaf = delivered;
        },
    );
    put(
        "leaves-hashed-without-their-prefix",
        Seal,
        "The tree's leaves are hashed without the 0x00 before them: an inner node could be shown as a leaf.",
        "proof: root",
        &|r| {
            let list = leaves(
                "TT",
                &about("TT", v1::LeafKind::Received),
                &about("TT", v1::LeafKind::Delivered),
            );
            let log = Log(list.iter().map(|l| LeafHash(digest(l).0)).collect());
            let checkpoint =
                Checkpoint::sign(&origin("TT"), 5, log.root(5), &**net.keys("TT").log()).unwrap();
            r.checkpoint = checkpoint.note().clone();
            r.proof = log.path(2, 5);
            r.companion_proof = log.path(1, 5);
        },
    );
    put(
        "path-of-a-smaller-tree",
        Seal,
        "The path is that in the tree of three leaves, the checkpoint is of five.",
        "proof: length 1",
        &|r| {
            let list = leaves(
                "TT",
                &about("TT", v1::LeafKind::Received),
                &about("TT", v1::LeafKind::Delivered),
            );
            r.proof = Log::of(&list).path(2, 3);
        },
    );
}

fn checkpoints(net: &Net, book: &mut Book, good: &v1::Receipt) {
    let list = leaves(
        "TT",
        &about("TT", v1::LeafKind::Received),
        &about("TT", v1::LeafKind::Delivered),
    );
    let root = Log::of(&list).root(5);
    let by = |origin: &str, signer: &dyn Signer| {
        let checkpoint = Checkpoint::sign(origin, 5, root, signer).unwrap();
        checkpoint.note().clone()
    };
    let mut put = |name: &str, breaks: Breaks, what: &str, refused: &str, note: Bytes| {
        let receipt = v1::Receipt {
            checkpoint: note,
            ..good.clone()
        };
        book.bad(name, wrong(breaks, what, refused), &encode(&receipt));
    };
    let own = &**net.keys("TT").log();
    put(
        "no-checkpoint",
        Signature,
        "It has no checkpoint.",
        "checkpoint: form: a blank line ends its text",
        Bytes::new(),
    );
    put(
        "checkpoint-forged-by-the-originator",
        Signature,
        "JM has signed the checkpoint of TT's log.",
        "checkpoint: unsigned",
        by(&origin("TT"), &**net.keys("JM").log()),
    );
    put(
        "checkpoint-by-the-organisations-key",
        Signature,
        "TT's org-sign key has signed the checkpoint.",
        "checkpoint: unsigned",
        by(&origin("TT"), &**net.keys("TT").org_sign()),
    );
    let damaged = flipped_signature(&good.checkpoint);
    put(
        "checkpoint-with-a-damaged-signature",
        Signature,
        "One bit of the log's signature is another.",
        "checkpoint: bad-signature",
        damaged,
    );
    let larger = String::from_utf8(good.checkpoint.to_vec())
        .unwrap()
        .replace("\n5\n", "\n6\n");
    put(
        "checkpoint-enlarged",
        Signature,
        "The checkpoint's size was changed after it was signed.",
        "checkpoint: bad-signature",
        larger.into(),
    );
    put(
        "checkpoint-of-another-network",
        Place,
        "The log is one of another network.",
        "checkpoint: unknown-log",
        by(&format!("abeng/others/TT/{LIFE}"), own),
    );
    put(
        "checkpoint-of-an-unknown-party",
        Place,
        "The log is that of GY, which is no party.",
        "checkpoint: unknown-log",
        by(&format!("abeng/vectors/GY/{LIFE}"), own),
    );
    put(
        "checkpoint-of-another-life",
        Place,
        "The checkpoint is of another life of TT's log than the leaf.",
        "rule: the leaf's actor and incarnation are those of the log",
        by("abeng/vectors/TT/0000000000000001", own),
    );
    let other = Checkpoint::sign(&origin("TT"), 5, LeafHash(hash("another past")), own).unwrap();
    put(
        "checkpoint-of-another-past",
        Seal,
        "TT has signed another root for five leaves.",
        "proof: root",
        other.note().clone(),
    );
    let revoked = wrong(
        Place,
        "TT's log key is revoked by the roster here.",
        "checkpoint: unknown-log",
    );
    book.bad_against("log-key-revoked", revoked, &encode(good), |a| {
        a.rosters.push("roster-2-revokes-TTs-log-key".into());
    });
}

/// One bit of the only signature under a note.
pub fn flipped_signature(note: &Bytes) -> Bytes {
    let text = std::str::from_utf8(note).unwrap();
    let (head, line) = text.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = data_encoding::BASE64.decode(line.as_bytes()).unwrap();
    bytes[10] ^= 1;
    format!("{head} {}\n", data_encoding::BASE64.encode(&bytes)).into()
}

/// A good receipt, shown for something else.
fn swapped(book: &mut Book, good: &v1::Receipt) {
    let mut put = |name: &str, what: &str, refused: &str, with: &dyn Fn(&mut About)| {
        book.bad_against(name, wrong(Place, what, refused), &encode(good), |a| {
            with(a.about.as_mut().unwrap())
        });
    };
    put(
        "shown-for-another-envelope",
        "The receipt is a good one, for another envelope.",
        "rule: the leaf names the envelope",
        &|a| a.envelope_id = HEXLOWER.encode(&hash("another")),
    );
    put(
        "shown-for-another-recipient",
        "The receipt is TT's, shown for BB.",
        "rule: the leaf names the recipient",
        &|a| a.recipient = "BB".into(),
    );
    put(
        "shown-for-another-originator",
        "The receipt is for JM's envelope, shown for BB's.",
        "rule: the leaf names the originator",
        &|a| a.originator = "BB".into(),
    );
    put(
        "shown-for-another-number",
        "The receipt is for another stream number.",
        "rule: the leaf holds the recipient's seq_commit",
        &|a| a.seq_commit = HEXLOWER.encode(&hash("another")),
    );
}

fn companions(net: &Net, book: &mut Book, received: &v1::Leaf, delivered: &v1::Leaf) {
    let list = leaves("TT", received, delivered);
    let good = shown(net, "TT", &list, 2, true);
    let mut put = |name: &str, breaks: Breaks, what: &str, refused: &str, receipt: v1::Receipt| {
        book.bad(name, wrong(breaks, what, refused), &encode(&receipt));
    };
    put(
        "companion-of-another-envelope",
        Place,
        "The Received leaf before it is about another envelope.",
        "rule: the leaf names the envelope",
        {
            let other = v1::Leaf {
                envelope_id: hash("another").to_vec().into(),
                ..received.clone()
            };
            shown(net, "TT", &leaves("TT", &other, delivered), 2, true)
        },
    );
    put(
        "companion-of-another-kind",
        Rule,
        "The leaf before it says Read.",
        "rule: a companion is a Received leaf of the recipient",
        {
            let read = v1::Leaf {
                kind: v1::LeafKind::Read as i32,
                ..received.clone()
            };
            shown(net, "TT", &leaves("TT", &read, delivered), 2, true)
        },
    );
    put(
        "companion-without-its-path",
        Seal,
        "The companion has no path.",
        "proof: length 0",
        v1::Receipt {
            companion_proof: vec![],
            ..good.clone()
        },
    );
    put(
        "companion-that-is-not-in-the-log",
        Seal,
        "The companion is a leaf that the log does not hold.",
        "proof: root",
        v1::Receipt {
            companion: encode(&v1::Leaf {
                time: NOW + 1,
                ..received.clone()
            }),
            ..good.clone()
        },
    );
    put(
        "path-without-a-companion",
        Rule,
        "There is a path for a companion, and no companion.",
        "rule: a companion's proof comes with the companion",
        v1::Receipt {
            companion: Bytes::new(),
            ..good.clone()
        },
    );
    put(
        "companion-before-the-first-leaf",
        Rule,
        "The leaf is the log's first, and has a companion.",
        "rule: nothing comes before leaf 0",
        {
            let list = vec![encode(delivered), encode(received)];
            let mut receipt = shown(net, "TT", &list, 0, false);
            receipt.companion = list[1].clone();
            receipt.companion_proof = Log::of(&list).path(1, 2);
            receipt
        },
    );
}

/// Who says it.
fn others(net: &Net, book: &mut Book) {
    let mut put = |name: &str,
                   breaks: Breaks,
                   what: &str,
                   refused: &str,
                   party: &str,
                   kind,
                   with_companion| {
        let list = leaves(
            party,
            &about(party, v1::LeafKind::Received),
            &about(party, kind),
        );
        let receipt = shown(net, party, &list, 2, with_companion);
        book.bad(name, wrong(breaks, what, refused), &encode(&receipt));
    };
    use v1::LeafKind as Kind;
    let recipient = "rule: the actor is the recipient";
    put(
        "delivered-by-a-relay",
        Place,
        "LC's log says Delivered, of an envelope to TT.",
        recipient,
        "LC",
        Kind::Delivered,
        false,
    );
    put(
        "refused-by-the-originator",
        Place,
        "JM's own log says Refused, of its envelope to TT.",
        recipient,
        "JM",
        Kind::Refused,
        false,
    );
    put(
        "read-by-a-relay",
        Place,
        "LC's log says Read, of an envelope to TT.",
        recipient,
        "LC",
        Kind::Read,
        false,
    );
    put(
        "expired-at-a-relay",
        Place,
        "LC's log says Expired, which settles nothing elsewhere.",
        "rule: its leaf is of a kind that makes a receipt",
        "LC",
        Kind::Expired,
        false,
    );
    put(
        "relayed-by-a-member",
        Place,
        "BB's log says Relayed, and BB is no relay.",
        "not-a-relay: BB",
        "BB",
        Kind::Relayed,
        false,
    );
    put(
        "relayed-with-a-companion",
        Rule,
        "LC's log says Relayed, with a Received leaf before it.",
        "rule: a companion is a Received leaf of the recipient",
        "LC",
        Kind::Relayed,
        true,
    );
}
