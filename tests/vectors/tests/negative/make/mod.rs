//! Makes the vectors. Each begins as a good one and has one thing changed before it is signed, so
//! that nothing but that can refuse it. The reason is written here by hand, from the protocol.

mod body;
mod checkpoint;
mod encoding;
mod freshness;
mod header;
mod keys;
mod party;
mod receipt;
mod root;
mod roster;
mod stanza;

use crate::{
    file::{Against, Breaks, Given, Vector, Vectors},
    fixture::{NOW, Net, seed},
};
use abeng_keys::{DualSigner, SignatureType, Signer};
use abeng_wire::{encode, v1};
use bytes::Bytes;

pub fn all() -> (Given, Vectors) {
    let net = Net::new();
    let mut book = Book::new(&net);
    root::make(&net, &mut book);
    roster::make(&net, &mut book);
    party::make(&net, &mut book);
    freshness::make(&net, &mut book);
    header::make(&net, &mut book);
    stanza::make(&net, &mut book);
    body::make(&net, &mut book);
    receipt::make(&net, &mut book);
    checkpoint::make(&net, &mut book);
    (book.given, book.vectors)
}

/// What has been made so far.
pub struct Book {
    pub given: Given,
    vectors: Vectors,
    subject: &'static str,
    /// The good vector that the next ones are made from.
    repair: String,
    against: Against,
}

/// What is wrong, and the reason.
pub struct Wrong<'a> {
    pub breaks: Breaks,
    pub what: &'a str,
    pub refused: &'a str,
}

pub fn wrong<'a>(breaks: Breaks, what: &'a str, refused: &'a str) -> Wrong<'a> {
    Wrong {
        breaks,
        what,
        refused,
    }
}

impl Book {
    fn new(net: &Net) -> Self {
        let mut given = Given::default();
        given.put("root-1", &encode(&net.root));
        given.put("roster-1", &encode(&net.roster));
        let founding = &net.founding;
        let duals = [
            ("root", &founding.root_signers),
            ("roster", &founding.roster_signers),
            ("freshness", &founding.freshness_signers),
        ];
        for (role, signers) in duals {
            for (i, signer) in signers.iter().enumerate().take(4) {
                let key = signer.dual_key("", "");
                given.put(format!("key-{role}-{}", i + 1), &encode(&key));
                given.put(format!("part-ml-dsa-{role}-{}", i + 1), &key.ml_dsa);
            }
        }
        for keys in &founding.keyrings {
            let roles = ["org-sign", "node-tls", "log", "witness"];
            for (role, signer) in roles.iter().zip(net.signers(keys.party.as_str())) {
                let name = format!("ed-{}-{role}", keys.party);
                given.put(name, signer.verify_key().bytes());
            }
            let seal = keys.seal.newest().unwrap();
            given.put(format!("seal-{}", keys.party), &seal.seed()[..]);
        }
        Self {
            given,
            vectors: Vectors::default(),
            subject: "",
            repair: String::new(),
            against: Against::default(),
        }
    }

    /// What follows is of this, held against the first root and these rosters.
    pub fn begin(&mut self, subject: &'static str, rosters: &[&str]) {
        self.subject = subject;
        self.against = Against {
            now: NOW + 1,
            root: Some("root-1".into()),
            rosters: rosters.iter().map(|&r| r.into()).collect(),
            ..Against::default()
        };
    }

    pub fn against(&mut self) -> &mut Against {
        &mut self.against
    }

    /// A good one: what follows is made from it.
    pub fn good(&mut self, name: &str, what: &str, bytes: &[u8]) {
        self.repair = name.into();
        let vector = self.vector(what, bytes);
        self.put(name, vector);
    }

    pub fn bad(&mut self, name: &str, wrong: Wrong<'_>, bytes: &[u8]) {
        self.bad_against(name, wrong, bytes, |_| ());
    }

    /// One that is wrong for what it is held against.
    pub fn bad_against(
        &mut self,
        name: &str,
        wrong: Wrong<'_>,
        bytes: &[u8],
        with: impl FnOnce(&mut Against),
    ) {
        let mut vector = self.vector(wrong.what, bytes);
        vector.breaks = Some(wrong.breaks);
        vector.refused = Some(wrong.refused.into());
        vector.repair = Some(self.repair.clone());
        with(&mut vector.against);
        self.put(name, vector);
    }

    fn vector(&self, what: &str, bytes: &[u8]) -> Vector {
        let text = match self.subject {
            "checkpoint" => String::from_utf8(bytes.to_vec()).unwrap_or_default(),
            _ => String::new(),
        };
        let input = match text.is_empty() {
            true => self.given.pieces(bytes),
            false => Vec::new(),
        };
        Vector {
            what: what.into(),
            breaks: None,
            refused: None,
            repair: None,
            against: self.against.clone(),
            input,
            text,
        }
    }

    fn put(&mut self, name: &str, vector: Vector) {
        let name = format!("{}/{name}", self.subject);
        let before = self.vectors.0.insert(name.clone(), vector);
        assert!(before.is_none(), "{name} twice");
        seed(&name);
    }
}

/// Signs bytes, whatever they are, with both halves of each.
pub fn dual(kind: SignatureType, bytes: Bytes, signers: &[&DualSigner]) -> v1::Signed {
    let signatures = signers.iter().map(|s| s.sign(kind, &bytes).unwrap());
    v1::Signed {
        signatures: signatures.collect(),
        bytes,
    }
}

/// Signs bytes, whatever they are, with Ed25519 keys.
pub fn single(kind: SignatureType, bytes: Bytes, signers: &[&dyn Signer]) -> v1::Signed {
    let sign = |signer: &&dyn Signer| v1::Signature {
        kid: signer.verify_key().kid().to_bytes(),
        ed25519: Bytes::copy_from_slice(&signer.sign(kind, &bytes).unwrap()),
        ..Default::default()
    };
    v1::Signed {
        signatures: signers.iter().map(sign).collect(),
        bytes,
    }
}
