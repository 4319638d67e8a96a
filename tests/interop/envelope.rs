//! Whole envelopes, both ways.

use crate::{Python, said};
use abeng_keys::{Entropy, Keyring, Signer};
use abeng_roster::{
    NoticeFacts, Policy, Tlp, Trust,
    founding::{FoundingParty, FoundingRequest, found},
};
use abeng_seal::{Arrived, BoxCache, OpenedBoxes, SealInput, open, seal, verify};
use abeng_wire::{Incarnation, Kid, Mono, NetworkCode, Now, PartyCode, StreamSeq, v1};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use std::{fs, path::Path};

const NOW: u64 = 1_790_000_000_000;
const LIFE: Incarnation = Incarnation(NOW << 16 | 1);
const TO: [&str; 2] = ["LC", "TT"];
/// One byte, the edge of the smallest padding, and two chunks.
const LENGTHS: [usize; 3] = [1, 2040, 100_000];

/// Bytes that differ from call to call and from run to run not.
struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            let digest = ring::digest::digest(&ring::digest::SHA256, &self.0.to_be_bytes());
            chunk.copy_from_slice(&digest.as_ref()[..chunk.len()]);
        }
    }
}

struct Net {
    trust: Trust,
    keys: Vec<Keyring>,
}

fn code(text: &str) -> PartyCode {
    PartyCode::new(text).unwrap()
}

fn network() -> Net {
    let party = |c: &str| FoundingParty {
        code: code(c),
        name: format!("Customs of {c}"),
        country: c.into(),
        kind: v1::PartyKind::Member,
        addresses: vec!["127.0.0.1:7400".into()],
        relay: false,
    };
    let parties = ["JM", "LC", "TT"].map(party).into();
    let request = FoundingRequest::new(NetworkCode::new("interop").unwrap(), parties, NOW);
    let founding = found(request, &mut Counting(0)).unwrap();
    Net {
        trust: Trust::from_bundle(&founding.bundle, None, NOW).unwrap(),
        keys: founding.keyrings,
    }
}

impl Net {
    fn keys(&self, party: &str) -> &Keyring {
        let mut all = self.keys.iter();
        all.find(|k| k.party == code(party)).unwrap()
    }

    /// Everything that a second implementation is given.
    fn describe(&self) -> serde_json::Value {
        let sender = self.keys("JM").org_sign();
        let roster = self.trust.roster.reference();
        let recipient = |party: &&str| {
            let secret = self.keys(party).seal.newest().unwrap();
            serde_json::json!({
                "party": party,
                "seal_seed": HEXLOWER.encode(&secret.seed()[..]),
                "seal_public": HEXLOWER.encode(secret.public().bytes()),
            })
        };
        serde_json::json!({
            "now": NOW,
            "precedence": v1::Precedence::Priority as i32,
            "roster": { "version": roster.version, "digest": HEXLOWER.encode(&roster.digest) },
            "from": {
                "party": "JM",
                "incarnation": LIFE.0,
                "org_sign": HEXLOWER.encode(sender.verify_key().bytes()),
                "org_sign_seed": HEXLOWER.encode(&sender.seed()[..]),
            },
            "to": TO.iter().map(recipient).collect::<Vec<_>>(),
        })
    }

    fn seal(&self, notice: &[u8]) -> Bytes {
        let to = TO.map(code);
        let facts = NoticeFacts {
            ty: "SEIZURE",
            tlp: Tlp::RED,
        };
        let cleared = Policy::clear(&self.trust, code("JM"), &to, &facts, NOW).unwrap();
        let positions = to.map(|party| (party, StreamSeq::FIRST));
        let sealed = seal(
            SealInput {
                trust: &self.trust,
                cleared: &cleared,
                org_sign: self.keys("JM").org_sign().as_ref(),
                store: &self.keys("JM").store,
                incarnation: LIFE,
                created_at: NOW,
                expires_at: NOW + 86_400_000,
                precedence: v1::Precedence::Priority,
                positions: &positions,
                notice: &Bytes::copy_from_slice(notice),
                attachments: &[],
                boxes: &mut BoxCache::new(),
                now: Now {
                    mono: Mono(1),
                    wall: NOW,
                },
            },
            &mut Counting(1 << 32),
        );
        sealed.unwrap().envelope().clone()
    }

    /// The notice in a frame, as that party opens it.
    fn open(&self, frame: &Bytes, me: &str) -> Result<Bytes, String> {
        let arrived = Arrived::parse(frame).map_err(|e| e.to_string())?;
        let verified =
            verify(arrived, &self.trust, code(me), NOW + 1).map_err(|e| e.to_string())?;
        let secret = |kid: &Kid| self.keys(me).seal_secret(kid);
        let opened = open(&verified, &secret, code(me), &mut OpenedBoxes::default());
        Ok(opened.map_err(|e| e.to_string())?.notice().clone())
    }
}

/// How many comparisons were made.
pub fn run(python: &Python) -> u32 {
    let net = network();
    let mut passed = 0;
    for length in LENGTHS {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        let notice: Vec<u8> = (0..length).map(|i| (i * 7 % 251) as u8).collect();
        fs::write(file("notice.bin"), &notice).unwrap();
        fs::write(file("network.json"), net.describe().to_string()).unwrap();
        let ours = net.seal(&notice);
        fs::write(file("envelope.bin"), &ours).unwrap();
        println!(
            "{}",
            said("opening ours", &script(python, "open", dir.path()))
        );
        passed += 1;

        said("sealing theirs", &script(python, "seal", dir.path()));
        let theirs = Bytes::from(fs::read(file("theirs.bin")).unwrap());
        for me in TO {
            assert_eq!(net.open(&theirs, me).unwrap()[..], notice[..], "{me}");
            passed += 1;
        }
        println!(
            "opened theirs for {} recipients, {length} bytes each",
            TO.len()
        );

        // Neither side lets anything through that was changed on the way.
        for at in (0..ours.len()).step_by(ours.len() / 8) {
            let mut changed = ours.to_vec();
            changed[at] ^= 0x40;
            fs::write(file("envelope.bin"), &changed).unwrap();
            let output = script(python, "open", dir.path());
            let why = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "byte {at} of ours: accepted");
            assert!(why.starts_with("refused: "), "byte {at} of ours: {why}");
            passed += 1;
        }
        for at in (0..theirs.len()).step_by(theirs.len() / 64) {
            let mut changed = theirs.to_vec();
            changed[at] ^= 0x40;
            let changed = Bytes::from(changed);
            for me in TO {
                assert!(net.open(&changed, me).is_err(), "byte {at} of theirs: {me}");
            }
            passed += 1;
        }
    }
    passed
}

fn script(python: &Python, what: &str, dir: &Path) -> std::process::Output {
    let mut command = python.command("envelope.py");
    command.arg(what).arg(dir).output().unwrap()
}
