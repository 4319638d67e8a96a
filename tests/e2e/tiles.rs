//! A log as tiles, checked by a program that shares nothing with Abeng but the specifications.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abeng_audit_log::{
    Batch, Checkpoint, Journal, JournalIdentity, LogOrigin, OpenOptions, Outside, RealDisk, Record,
    Step,
    export::{ExportOf, export_tiles},
};
use abeng_keys::{Entropy, Keyring};
use abeng_roster::{
    Trust,
    founding::{FoundingParty, FoundingRequest, found},
};
use abeng_wire::{Incarnation, PartyCode, v1};
use common::{Network, bytes::edit, command, notices::seizure, until};
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

const NOW: u64 = 1_790_000_000_000;

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/tiles.py")
}

fn others(tiles: &Path, vkey: &str) -> Output {
    let mut python = Command::new("python3");
    let python = python.arg(script()).arg(tiles).arg(vkey).output();
    python.expect("python3 (3.8 or newer, standard library) is needed for this test")
}

/// Both check the same directory, and must come to the same verdict.
#[track_caller]
fn both_say(holds: bool, tiles: &Path, vkey: &str) {
    let them = others(tiles, vkey);
    let said = String::from_utf8_lossy(&them.stderr);
    assert_eq!(them.status.success(), holds, "{said}");
    assert!(holds || said.starts_with("refused: "), "{said}");
    let mut us = command();
    us.args(["audit", "verify", "--json", "--vkey", vkey])
        .arg(tiles);
    let us = us.output().unwrap();
    let said = String::from_utf8_lossy(&us.stderr);
    assert_eq!(us.status.code(), Some(if holds { 0 } else { 6 }), "{said}");
}

/// One flipped bit in any of these files is refused by both.
fn every_flip_is_refused(tiles: &Path, vkey: &str, files: &[&str]) {
    for file in files {
        let path = tiles.join(file);
        let length = std::fs::metadata(&path).unwrap().len();
        for at in [0, length / 2, length - 1] {
            edit(&path, at, 1, |byte| byte[0] ^= 1);
            both_say(false, tiles, vkey);
            edit(&path, at, 1, |byte| byte[0] ^= 1);
        }
    }
    both_say(true, tiles, vkey);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_running_node_is_checked_by_others() {
    let network = Network::found(&["JM", "TT"]);
    let mut nodes = [network.node("JM"), network.node("TT")];
    for node in &mut nodes {
        node.spawn();
    }
    for node in &mut nodes {
        node.linked(1).await;
    }
    let [jm, tt] = &mut nodes;
    let tiles = network.scratch().join("tiles");
    let mut size = 0;
    for round in ["one", "two"] {
        jm.client.submit(&seizure(&["TT"], round)).await.unwrap();
        until("it is settled", async || jm.settled().await.then_some(())).await;
        // The recipient signs its log with its receipts; beside the running node.
        let exported = until("the checkpoint is durable", async || {
            let run = tt.run(&["audit", "export-tiles", "--json", tiles.to_str().unwrap()]);
            let value: serde_json::Value = serde_json::from_str(&run.out).ok()?;
            (value["leaves"].as_u64() > Some(size)).then_some(value)
        })
        .await;
        assert_eq!(exported["leaves_before"], size);
        size = exported["leaves"].as_u64().unwrap();
        let vkey = exported["vkey"].as_str().unwrap();
        both_say(true, &tiles, vkey);
        if round == "one" {
            let edge = format!("tile/0/000.p/{size}");
            let entries = format!("tile/entries/000.p/{size}");
            every_flip_is_refused(&tiles, vkey, &["checkpoint", &edge, &entries]);
        }
        // By the roster of the other node, which knows the key by itself.
        let run = jm.run(&["audit", "verify", tiles.to_str().unwrap()]);
        assert!(run.ok().contains("hold whole"));
    }
    let refused = jm.run(&["audit", "export-tiles", tiles.to_str().unwrap()]);
    refused.fails(2, &["the directory is of log"]);
}

/// Not random at all: the keys of a log that nobody relies on.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(37).wrapping_add(11);
            *byte = self.0;
        }
        self.0 = self.0.wrapping_add(1);
    }
}

/// A network of two with the keyring of JM.
fn founded() -> (Trust, Keyring) {
    let party = |text: &str| FoundingParty {
        code: PartyCode::new(text).unwrap(),
        name: text.into(),
        country: text.into(),
        kind: v1::PartyKind::Member,
        addresses: vec!["localhost:4600".into()],
        relay: false,
    };
    let parties = vec![party("JM"), party("TT")];
    let request = FoundingRequest::new("test".parse().unwrap(), parties, NOW);
    let mut founding = found(request, &mut Counting(1)).unwrap();
    let root = Some(founding.root_digest);
    let trust = Trust::from_bundle(&founding.bundle, root, NOW).unwrap();
    let of_jm = |k: &Keyring| k.party.as_str() == "JM";
    let at = founding.keyrings.iter().position(of_jm).unwrap();
    (trust, founding.keyrings.swap_remove(at))
}

fn steps(leaves: u64) -> Vec<Step<()>> {
    let step = |at| Step {
        facts: vec![Record::new(v1::Leaf {
            version: 1,
            kind: v1::LeafKind::Admin.into(),
            actor: "JM".into(),
            time: NOW + at,
            ..v1::Leaf::default()
        })],
        gated: vec![],
    };
    (0..leaves).map(step).collect()
}

/// A log of more than 65,536 leaves has tiles on three levels.
#[test]
fn a_log_with_tiles_on_three_levels_is_checked_by_others() {
    const BATCH: u64 = 3500;
    let scratch = tempfile::TempDir::new().unwrap();
    let disk = RealDisk::new(scratch.path().join("log"));
    let target = scratch.path().join("tiles");
    let (trust, keyring) = founded();
    let identity = JournalIdentity { key: [7; 32] };
    let first = Batch::from(steps(BATCH));
    let mut journal = Journal::create(disk, identity, OpenOptions::default(), first).unwrap();
    let origin = LogOrigin {
        network: trust.roster.network(),
        party: keyring.party,
        incarnation: Incarnation(7),
    };
    // Twice, so that most is there when the second level comes to its second tile.
    for size in [17 * BATCH, 20 * BATCH] {
        while journal.size() < size {
            (journal, _) = journal.append(steps(BATCH)).unwrap();
        }
        let key = keyring.log().as_ref();
        let head = journal.reader().head();
        let note = Checkpoint::sign(&origin.to_string(), head.size, head.root, key).unwrap();
        let said = Batch::<()> {
            outside: vec![Outside::OwnCheckpoint(note.note().clone())],
            ..Batch::default()
        };
        (journal, _) = journal.append(said).unwrap();
        let disk = RealDisk::new(scratch.path().join("log"));
        let tiles = RealDisk::new(&target);
        let of = ExportOf::Newest;
        let exported = export_tiles(&disk, &trust.roster, of, &tiles, |_| ()).unwrap();
        both_say(true, &target, &exported.key.to_string());
        if size == 20 * BATCH {
            assert_eq!((size, exported.before), (70_000, 59_500));
            // The tiles that the specification names for this very size.
            let files = [
                "checkpoint",
                "tile/2/000.p/1",
                "tile/1/001.p/17",
                "tile/0/273.p/112",
            ];
            let more = [
                "tile/1/000",
                "tile/0/200",
                "tile/entries/000",
                "tile/entries/273.p/112",
            ];
            let vkey = exported.key.to_string();
            for file in files.into_iter().chain(more) {
                let path = target.join(file);
                edit(&path, 9, 1, |byte| byte[0] ^= 1);
                both_say(false, &target, &vkey);
                edit(&path, 9, 1, |byte| byte[0] ^= 1);
            }
        }
    }
}
