//! A small network for tests: JM and TT, members, and LC, a coordination party and relay.

use crate::{
    Batch, Journal, JournalIdentity, LogOrigin, OpenOptions, Record, Step, sim::SimDisk, subject,
};
use abeng_keys::{Entropy, Keyring, SignatureType};
use abeng_roster::{
    Trust,
    founding::{FoundingParty, FoundingRequest, found},
    sign_incarnation,
};
use abeng_wire::{Digest, EnvelopeId, Incarnation, PartyCode, encode, pae, v1};
use std::sync::OnceLock;

pub(crate) const NOW: u64 = 1_790_000_000_000;
pub(crate) const INCARNATION: Incarnation = Incarnation(NOW << 16 | 7);

struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            let block = crate::record::sha256(&self.0.to_be_bytes());
            chunk.copy_from_slice(&block.0[..chunk.len()]);
        }
    }
}

pub(crate) struct Network {
    pub(crate) trust: Trust,
    keyrings: Vec<Keyring>,
}

pub(crate) fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

pub(crate) fn network() -> &'static Network {
    static NETWORK: OnceLock<Network> = OnceLock::new();
    NETWORK.get_or_init(|| {
        let party = |text: &str, kind, relay| FoundingParty {
            code: code(text),
            name: text.into(),
            country: text.into(),
            kind,
            addresses: vec!["localhost:4600".into()],
            relay,
        };
        let parties = vec![
            party("JM", v1::PartyKind::Member, false),
            party("LC", v1::PartyKind::Coordination, true),
            party("TT", v1::PartyKind::Member, false),
        ];
        let request = FoundingRequest::new("test".parse().unwrap(), parties, NOW);
        let founding = found(request, &mut Counting(0)).unwrap();
        let trust = Trust::from_bundle(&founding.bundle, Some(founding.root_digest), NOW).unwrap();
        Network {
            trust,
            keyrings: founding.keyrings,
        }
    })
}

impl Network {
    pub(crate) fn keys(&self, party: &str) -> &Keyring {
        let mut keyrings = self.keyrings.iter();
        keyrings.find(|k| k.party == code(party)).unwrap()
    }

    pub(crate) fn origin(&self, party: &str) -> String {
        let origin = LogOrigin {
            network: self.trust.roster.network(),
            party: code(party),
            incarnation: INCARNATION,
        };
        origin.to_string()
    }

    /// A journal of a party with its leaf 0.
    pub(crate) fn journal(&self, party: &str) -> (SimDisk, Journal<SimDisk>) {
        self.journal_of(party, INCARNATION, Incarnation(0))
    }

    /// A journal of a life of a party with its leaf 0.
    pub(crate) fn journal_of(
        &self,
        party: &str,
        life: Incarnation,
        previous: Incarnation,
    ) -> (SimDisk, Journal<SimDisk>) {
        let disk = SimDisk::new();
        let statement = v1::Incarnation {
            party: party.into(),
            incarnation: life.0,
            previous: previous.0,
            reason: "test".into(),
            ..Default::default()
        };
        let signed = sign_incarnation(&**self.keys(party).org_sign(), statement).unwrap();
        let about = subject(SignatureType::INCARNATION.name(), &signed.bytes);
        let leaf = v1::Leaf {
            subject: about.to_bytes(),
            incarnation: life.0,
            ..leaf(party, v1::LeafKind::Incarnation)
        };
        let proof = v1::ProofPart {
            of: Some(v1::proof_part::Of::Statement(signed)),
        };
        let first = Batch {
            steps: vec![Step {
                facts: vec![Record::new(leaf).with_proof(&proof)],
                gated: vec![],
            }],
            outside: vec![],
        };
        let options = OpenOptions {
            segment_bytes: 64 * 1024,
        };
        let identity = JournalIdentity { key: [3; 32] };
        let journal = Journal::create(disk.clone(), identity, options, first).unwrap();
        (disk, journal)
    }
}

/// A leaf of a party, about nothing.
pub(crate) fn leaf(actor: &str, kind: v1::LeafKind) -> v1::Leaf {
    v1::Leaf {
        version: 1,
        kind: kind.into(),
        actor: actor.into(),
        incarnation: INCARNATION.0,
        time: NOW,
        roster: Some(network().trust.roster.reference()),
        ..Default::default()
    }
}

/// An envelope from JM to TT, as far as logs know it.
pub(crate) struct Sent {
    pub(crate) id: EnvelopeId,
    pub(crate) commit: Digest,
    pub(crate) position: v1::StreamPosition,
    pub(crate) hdr: bytes::Bytes,
    pub(crate) sig: bytes::Bytes,
}

pub(crate) fn sent(seq: u64) -> Sent {
    let keys = network().keys("JM").org_sign();
    let opened = [&[5; 16][..], &seq.to_be_bytes()].concat();
    let commit = crate::record::sha256(&pae("abeng/1/seq", &opened));
    let pre = v1::Pre {
        version: 1,
        originator: "JM".into(),
        incarnation: INCARNATION.0,
        org_sign_kid: abeng_keys::Signer::verify_key(&**keys).kid().to_bytes(),
        created_at: NOW,
        recipients: vec![v1::PreRecipient {
            party: "TT".into(),
            seal_kid: vec![1; 32].into(),
            seq_commit: commit.to_bytes(),
        }],
        ..Default::default()
    };
    let hdr = encode(&v1::Hdr {
        pre: encode(&pre),
        trl: bytes::Bytes::from_static(b"trailer"),
    });
    let signed = SignatureType::ENVELOPE.pae(&hdr);
    let sig = abeng_keys::Signer::sign_message(&**keys, &signed).unwrap();
    Sent {
        id: EnvelopeId(crate::record::sha256(&signed).0),
        commit,
        position: v1::StreamPosition {
            stream_seq: seq,
            blind: vec![5; 16].into(),
        },
        hdr,
        sig: sig.to_vec().into(),
    }
}

impl Sent {
    /// A leaf about it.
    pub(crate) fn leaf(&self, actor: &str, kind: v1::LeafKind) -> v1::Leaf {
        v1::Leaf {
            envelope_id: self.id.to_bytes(),
            originator: "JM".into(),
            recipient: "TT".into(),
            seq_commit: self.commit.to_bytes(),
            ..leaf(actor, kind)
        }
    }

    /// Received and Delivered at TT.
    pub(crate) fn arrival(&self) -> Vec<Record> {
        let proof = v1::ProofPart {
            of: Some(v1::proof_part::Of::Received(v1::ReceivedProof {
                hdr: self.hdr.clone(),
                sig: self.sig.clone(),
                position: Some(self.position.clone()),
                ..v1::ReceivedProof::default()
            })),
        };
        vec![
            Record::new(self.leaf("TT", v1::LeafKind::Received)).with_proof(&proof),
            Record::new(self.leaf("TT", v1::LeafKind::Delivered)),
        ]
    }
}
