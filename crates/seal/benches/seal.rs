//! What an envelope costs: sealing, verifying and opening a notice of 2 KiB for one recipient,
//! with BOX cached and not, and the two primitives that dominate.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use abeng_keys::{Keyring, SignatureType, Signer, SystemEntropy};
use abeng_roster::{
    NoticeFacts, Policy, Tlp, Trust,
    founding::{FoundingParty, FoundingRequest, found},
};
use abeng_seal::{Arrived, BoxCache, OpenedBoxes, SealInput, Sealed, open, seal, verify};
use abeng_wire::{Incarnation, Kid, NetworkCode, Now, PartyCode, StreamSeq, v1};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const NOW: u64 = 1_767_225_600_000;
const NOTICE: usize = 2048;

struct Net {
    trust: Trust,
    keyrings: Vec<Keyring>,
    entropy: SystemEntropy,
}

impl Net {
    fn found() -> Self {
        let mut entropy = SystemEntropy;
        let party = |code: &str| FoundingParty {
            code: PartyCode::new(code).unwrap(),
            name: code.into(),
            country: code.into(),
            kind: v1::PartyKind::Member,
            addresses: vec!["127.0.0.1:4433".into()],
            relay: false,
        };
        let network = NetworkCode::new("bench").unwrap();
        let parties = vec![party("JM"), party("TT")];
        let founding = found(FoundingRequest::new(network, parties, NOW), &mut entropy).unwrap();
        Self {
            trust: Trust::from_bundle(&founding.bundle, None, NOW).unwrap(),
            keyrings: founding.keyrings,
            entropy,
        }
    }

    fn seal(&mut self, notice: &Bytes, boxes: &mut BoxCache) -> Sealed {
        let (from, to) = (self.keyrings[0].party, self.keyrings[1].party);
        let facts = NoticeFacts {
            ty: "SEIZURE",
            tlp: Tlp::RED,
        };
        let cleared = Policy::clear(&self.trust, from, &[to], &facts, NOW).unwrap();
        let input = SealInput {
            trust: &self.trust,
            cleared: &cleared,
            org_sign: self.keyrings[0].org_sign().as_ref(),
            store: &self.keyrings[0].store,
            incarnation: Incarnation(NOW << 16),
            created_at: NOW,
            expires_at: NOW + 86_400_000,
            precedence: v1::Precedence::Routine,
            positions: &[(to, StreamSeq::FIRST)],
            notice,
            attachments: &[],
            boxes,
            now: Now {
                wall: NOW,
                ..Now::default()
            },
        };
        seal(input, &mut self.entropy).unwrap()
    }
}

fn envelope(c: &mut Criterion) {
    let mut net = Net::found();
    let notice = Bytes::from(vec![0x5a; NOTICE]);
    let mut boxes = BoxCache::new();
    c.bench_function("seal 2 KiB, BOX sent again", |b| {
        b.iter(|| black_box(net.seal(&notice, &mut boxes)));
    });
    c.bench_function("seal 2 KiB, new BOX", |b| {
        b.iter(|| black_box(net.seal(&notice, &mut BoxCache::new())));
    });

    let frame = net.seal(&notice, &mut boxes).envelope().clone();
    let me = net.keyrings[1].party;
    let (trust, keys) = (&net.trust, &net.keyrings[1]);
    let secrets = |kid: &Kid| keys.seal_secret(kid);
    let receive = |frame: Bytes, opened: &mut OpenedBoxes| {
        let arrived = Arrived::parse(&frame).unwrap();
        let verified = verify(arrived, trust, me, NOW).unwrap();
        open(&verified, &secrets, me, opened).unwrap()
    };
    c.bench_function("parse 2 KiB", |b| {
        b.iter(|| black_box(Arrived::parse(&frame).unwrap()));
    });
    let mut opened = OpenedBoxes::default();
    c.bench_function("parse, verify, open 2 KiB, BOX known", |b| {
        b.iter(|| black_box(receive(frame.clone(), &mut opened)));
    });
    c.bench_function("parse, verify, open 2 KiB, BOX new", |b| {
        b.iter_batched(
            || OpenedBoxes::new(1),
            |mut fresh| black_box(receive(frame.clone(), &mut fresh)),
            BatchSize::SmallInput,
        );
    });
}

fn primitives(c: &mut Criterion) {
    let net = Net::found();
    let signer = net.keyrings[0].org_sign();
    let hdr = vec![7; 320];
    let sig = signer.sign(SignatureType::ENVELOPE, &hdr).unwrap();
    c.bench_function("Ed25519 sign 320 B", |b| {
        b.iter(|| black_box(signer.sign(SignatureType::ENVELOPE, &hdr).unwrap()));
    });
    c.bench_function("Ed25519 strict verify 320 B", |b| {
        let key = signer.verify_key();
        b.iter(|| black_box(key.verify(SignatureType::ENVELOPE, &hdr, &sig)));
    });
}

criterion_group!(benches, envelope, primitives);
criterion_main!(benches);
