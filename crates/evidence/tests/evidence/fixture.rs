//! A founded network, an envelope from JM to BB and TT, and the logs of all three.

use abeng_audit_log::{
    Checkpoint,
    merkle::{leaf_hash, node_hash},
    subject,
};
use abeng_evidence::{EvidenceFile, export_subject};
use abeng_keys::{DualSigner, Entropy, Keyring, SignatureType, Signer};
use abeng_roster::{
    NoticeFacts, Policy, Tlp, Trust, digest,
    founding::{FoundingParty, FoundingRequest, found},
    sign_incarnation,
};
use abeng_seal::{BoxCache, SealInput, Sealed, own_content_key, seal};
use abeng_wire::{
    Digest, Incarnation, LeafHash, Mono, Now, PartyCode, StreamSeq, encode, pae_signature_type, v1,
};
use bytes::Bytes;
use data_encoding::BASE64;
use std::sync::OnceLock;
use v1::LeafKind as Kind;

pub const NOW: u64 = 1_767_225_600_000; // 2026-01-01
pub const LIFE: Incarnation = Incarnation(NOW << 16 | 1);
pub const NOTICE: &[u8] = b"forty kilograms in a reefer container";
/// Unix seconds at which the first witness signs; each later one signs a second later.
pub const SEEN: u64 = NOW / 1000 + 60;

/// Splitmix64: replays from its seed.
pub struct Seeded(pub u64);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

pub fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

pub struct Net {
    pub trust: Trust,
    pub bundle: v1::TrustBundle,
    pub root: Digest,
    pub keyrings: Vec<Keyring>,
    pub roster_signers: Vec<DualSigner>,
    /// From JM to BB and TT.
    pub sealed: Sealed,
    /// Also from JM, to BB and TT.
    pub another: Sealed,
}

/// BB, DM, JM, LC, TT: each log has the four others as witnesses; three make a quorum.
pub fn net() -> &'static Net {
    static NET: OnceLock<Net> = OnceLock::new();
    NET.get_or_init(|| Net::found("cclec", 42))
}

impl Net {
    pub fn found(network: &str, seed: u64) -> Self {
        let party = |c: &str| FoundingParty {
            code: code(c),
            name: format!("Customs of {c}"),
            country: c.into(),
            kind: match c {
                "LC" => v1::PartyKind::Coordination,
                _ => v1::PartyKind::Member,
            },
            addresses: vec!["127.0.0.1:4433".into()],
            relay: c == "LC",
        };
        let parties = ["JM", "TT", "BB", "LC", "DM"].map(party).into();
        let request = FoundingRequest::new(network.parse().unwrap(), parties, NOW);
        let founding = found(request, &mut Seeded(seed)).unwrap();
        let trust = Trust::from_bundle(&founding.bundle, None, NOW).unwrap();
        let seal = |nth| seal_one(&trust, &founding.keyrings, nth);
        Self {
            sealed: seal(1),
            another: seal(2),
            root: founding.root_digest,
            bundle: founding.bundle.clone(),
            trust: trust.clone(),
            keyrings: founding.keyrings,
            roster_signers: founding.roster_signers,
        }
    }

    pub fn keys(&self, party: &str) -> &Keyring {
        let mut all = self.keyrings.iter();
        all.find(|k| k.party == code(party)).unwrap()
    }

    /// The file that JM makes, cosigned and with its content.
    pub fn story(&self) -> Story<'_> {
        Story::of(self, &self.sealed)
    }
}

pub fn seal_one(trust: &Trust, keyrings: &[Keyring], nth: u64) -> Sealed {
    let facts = NoticeFacts {
        ty: "SEIZURE",
        tlp: Tlp::RED,
    };
    let to = [code("BB"), code("TT")];
    let cleared = Policy::clear(trust, code("JM"), &to, &facts, NOW).unwrap();
    let keys = keyrings.iter().find(|k| k.party == code("JM")).unwrap();
    let seq = StreamSeq::new(nth).unwrap();
    let input = SealInput {
        trust,
        cleared: &cleared,
        org_sign: keys.org_sign().as_ref(),
        store: &keys.store,
        incarnation: LIFE,
        created_at: NOW,
        expires_at: NOW + 86_400_000,
        precedence: v1::Precedence::Priority,
        positions: &to.map(|party| (party, seq)),
        notice: &Bytes::from_static(NOTICE),
        attachments: &[],
        boxes: &mut BoxCache::new(),
        now: Now {
            mono: Mono(1),
            wall: NOW,
        },
    };
    seal(input, &mut Seeded(nth << 32)).unwrap()
}

/// A log to be signed: all of its leaves, and those that the file shows.
#[derive(Clone)]
pub struct Log {
    pub party: &'static str,
    pub life: Incarnation,
    pub leaves: Vec<v1::Leaf>,
    pub show: Vec<usize>,
    /// Leaves that the checkpoint covers.
    pub size: usize,
    pub witnesses: Vec<&'static str>,
    /// Leaves of the checkpoint before, to show that this one continues it.
    pub continues: usize,
}

/// What the file is about, before it is signed.
#[derive(Clone)]
pub struct Story<'a> {
    pub net: &'a Net,
    pub sealed: &'a Sealed,
    pub jm: Log,
    pub bb: Log,
    pub tt: Log,
    /// More checkpoints, for what a file must not hold.
    pub more: Vec<Log>,
    pub disclose: bool,
}

impl<'a> Story<'a> {
    pub fn of(net: &'a Net, sealed: &'a Sealed) -> Self {
        let about = |actor: &str, kind| about(sealed, actor, kind);
        let log = |party, leaves: Vec<v1::Leaf>, show: Vec<usize>| Log {
            party,
            life: LIFE,
            size: leaves.len(),
            leaves,
            show,
            witnesses: vec![],
            continues: 0,
        };
        let refused = v1::Leaf {
            reason: v1::Reason::NotGranted.into(),
            ..to("BB", about("BB", Kind::Refused), sealed)
        };
        let bb = log(
            "BB",
            vec![filler("BB"), filler("BB"), refused.clone()],
            vec![2],
        );
        let delivered = to("TT", about("TT", Kind::Delivered), sealed);
        let received = to("TT", about("TT", Kind::Received), sealed);
        let tt = vec![filler("TT"), received, delivered.clone(), filler("TT")];
        let tt = log("TT", tt, vec![1, 2]);
        let taken = |party: &str, leaf: &v1::Leaf| v1::Leaf {
            subject: leaf_subject(leaf),
            reason: leaf.reason,
            ..to(party, about("JM", Kind::ReceiptTaken), sealed)
        };
        let mut jm = vec![
            opening(net, "JM").0,
            about("JM", Kind::Submitted),
            to("BB", about("JM", Kind::Queued), sealed),
            to("TT", about("JM", Kind::Queued), sealed),
            taken("TT", &delivered),
            taken("BB", &refused),
        ];
        jm.push(v1::Leaf {
            subject: export_subject(&sealed.id(), true).to_bytes(),
            ..about("JM", Kind::Exported)
        });
        let mut jm = log("JM", jm, (0..7).collect());
        jm.witnesses = vec!["BB", "TT", "LC"];
        Self {
            net,
            sealed,
            jm,
            bb,
            tt,
            more: vec![],
            disclose: true,
        }
    }

    /// The same without the content.
    pub fn undisclosed(mut self) -> Self {
        self.disclose = false;
        let subject = export_subject(&self.sealed.id(), false).to_bytes();
        self.jm.leaves.last_mut().unwrap().subject = subject;
        self
    }

    /// What the file holds.
    pub fn evidence(&self) -> v1::Evidence {
        let (net, sealed) = (self.net, self.sealed);
        let logs = [&self.bb, &self.jm].into_iter().chain(&self.more);
        let logs = logs.chain([&self.tt]).map(|log| log.proof(net)).collect();
        let key = own_content_key(
            sealed.hdr().bytes(),
            sealed.own_copy(),
            &net.keys("JM").store,
        );
        let shown = |bytes: Bytes| if self.disclose { bytes } else { Bytes::new() };
        v1::Evidence {
            version: 1,
            roots: net.bundle.roots.clone(),
            rosters: net.bundle.rosters.clone(),
            hdr: sealed.hdr().bytes().clone(),
            sig: sealed.sig().clone(),
            body: shown(sealed.body().clone()),
            content_key: shown(Bytes::copy_from_slice(key.unwrap().expose())),
            logs,
        }
    }

    /// The same through the builder, given in another order.
    pub fn build(&self) -> Vec<u8> {
        let (net, sealed) = (self.net, self.sealed);
        let receipts = [&self.tt, &self.bb].map(|log| as_receipt(log.proof(net)));
        let key = own_content_key(
            sealed.hdr().bytes(),
            sealed.own_copy(),
            &net.keys("JM").store,
        );
        let file = EvidenceFile {
            roots: net.bundle.roots.clone(),
            rosters: net.bundle.rosters.clone(),
            hdr: sealed.hdr().bytes().clone(),
            sig: sealed.sig().clone(),
            disclosed: self.disclose.then(|| (sealed.body().clone(), key.unwrap())),
            own: vec![self.jm.proof(net)],
            receipts: receipts.into(),
        };
        file.build().unwrap().to_vec()
    }
}

fn as_receipt(log: v1::LogProof) -> v1::Receipt {
    let mut leaves = log.leaves.into_iter().rev();
    let leaf = leaves.next().unwrap();
    let companion = leaves.next().unwrap_or_default();
    v1::Receipt {
        leaf: leaf.leaf,
        index: leaf.index,
        proof: leaf.path,
        checkpoint: log.checkpoint,
        companion: companion.leaf,
        companion_proof: companion.path,
    }
}

/// What the file's first line is.
pub const FIRST_LINE: &[u8] =
    b"Abeng evidence file 1: check it with `abeng evidence verify FILE`\n";

/// Puts a message into a file whose digest holds, whatever it says.
pub fn file(evidence: &v1::Evidence) -> Bytes {
    framed(&encode(evidence))
}

pub fn framed(message: &[u8]) -> Bytes {
    let text = [FIRST_LINE, message].concat();
    let end = digest(&text);
    [&text[..], &end.0].concat().into()
}

pub fn filler(actor: &str) -> v1::Leaf {
    v1::Leaf {
        version: 1,
        kind: Kind::Admin.into(),
        actor: actor.into(),
        incarnation: LIFE.0,
        time: NOW,
        roster: Some(net_reference()),
        ..Default::default()
    }
}

fn net_reference() -> v1::RosterRef {
    v1::RosterRef {
        version: 7,
        digest: vec![7; 32].into(),
    }
}

/// A leaf about the envelope.
pub fn about(sealed: &Sealed, actor: &str, kind: Kind) -> v1::Leaf {
    v1::Leaf {
        kind: kind.into(),
        roster: sealed.pre().message().roster.clone(),
        envelope_id: sealed.id().to_bytes(),
        originator: "JM".into(),
        ..filler(actor)
    }
}

/// A leaf about a recipient.
pub fn to(party: &str, leaf: v1::Leaf, sealed: &Sealed) -> v1::Leaf {
    let mut entries = sealed.pre().message().recipients.iter();
    let entry = entries.find(|r| r.party == party).unwrap();
    v1::Leaf {
        recipient: party.into(),
        seq_commit: entry.seq_commit.clone(),
        ..leaf
    }
}

pub fn leaf_subject(leaf: &v1::Leaf) -> Bytes {
    subject(&pae_signature_type("leaf.v1"), &encode(leaf)).to_bytes()
}

/// Leaf 0 with its statement.
pub fn opening(net: &Net, party: &str) -> (v1::Leaf, v1::Signed) {
    let statement = v1::Incarnation {
        party: party.into(),
        incarnation: LIFE.0,
        reason: "first".into(),
        ..Default::default()
    };
    let signed = sign_incarnation(&**net.keys(party).org_sign(), statement).unwrap();
    let about = subject(SignatureType::INCARNATION.name(), &signed.bytes);
    let leaf = v1::Leaf {
        kind: Kind::Incarnation.into(),
        subject: about.to_bytes(),
        ..filler(party)
    };
    (leaf, signed)
}

impl Log {
    pub fn proof(&self, net: &Net) -> v1::LogProof {
        let all: Vec<LeafHash> = self.leaves.iter().map(|l| leaf_hash(&encode(l))).collect();
        let tree = &all[..self.size];
        let root = root(tree);
        let origin = format!(
            "abeng/{}/{}/{}",
            net.trust.roster.network(),
            self.party,
            self.life
        );
        let key = net.keys(self.party).log();
        let checkpoint = Checkpoint::sign(&origin, self.size as u64, root, &**key).unwrap();
        let shown = self.show.iter().map(|&index| v1::LeafProof {
            leaf: encode(&self.leaves[index]),
            index: index as u64,
            path: bytes(path(index, tree)),
            statement: (index == 0 && self.leaves[0].kind() == Kind::Incarnation)
                .then(|| opening(net, self.party).1),
        });
        v1::LogProof {
            checkpoint: cosign(net, checkpoint.note(), &self.witnesses),
            consistency: match self.continues {
                0 => vec![],
                old => bytes(subproof(old, tree, true)),
            },
            leaves: shown.collect(),
        }
    }
}

/// Adds a line of each witness, written after C2SP tlog-cosignature and not with our own code.
pub fn cosign(net: &Net, note: &Bytes, witnesses: &[&str]) -> Bytes {
    let note = String::from_utf8(note.to_vec()).unwrap();
    let text = note.split_inclusive('\n').take(3).collect::<String>();
    let mut all = note;
    for (nth, party) in witnesses.iter().enumerate() {
        let signer = net.keys(party).witness();
        let name = format!("abeng/{}/{party}/witness", net.trust.roster.network());
        let time = SEEN + nth as u64;
        let signed = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = signer.sign_message(signed.as_bytes()).unwrap();
        let key = [name.as_bytes(), b"\n\x04", signer.verify_key().bytes()].concat();
        let bytes = [&digest(&key).0[..4], &time.to_be_bytes(), &signature].concat();
        all += &format!("— {name} {}\n", BASE64.encode(&bytes));
    }
    all.into()
}

pub fn bytes(hashes: Vec<LeafHash>) -> Vec<Bytes> {
    hashes.iter().map(LeafHash::to_bytes).collect()
}

/// RFC 6962 §2.1, word for word.
pub fn root(tree: &[LeafHash]) -> LeafHash {
    match tree {
        [leaf] => *leaf,
        _ => {
            let (left, right) = tree.split_at(split(tree.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

fn path(index: usize, tree: &[LeafHash]) -> Vec<LeafHash> {
    if tree.len() == 1 {
        return vec![];
    }
    let (left, right) = tree.split_at(split(tree.len()));
    let (mut path, other) = match index < left.len() {
        true => (path(index, left), right),
        false => (path(index - left.len(), right), left),
    };
    path.push(root(other));
    path
}

pub fn subproof(old: usize, tree: &[LeafHash], whole: bool) -> Vec<LeafHash> {
    if old == tree.len() {
        return if whole { vec![] } else { vec![root(tree)] };
    }
    let (left, right) = tree.split_at(split(tree.len()));
    let (mut proof, other) = match old <= left.len() {
        true => (subproof(old, left, whole), right),
        false => (subproof(old - left.len(), right, false), left),
    };
    proof.push(root(other));
    proof
}

fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}
