//! Leaves, proofs, checkpoints, and the disk they lie on.

use crate::world::{SEGMENT, origin, recipient, sender, world};
use abeng_audit_log::{
    Checkpoint, Contradiction, CosignedCheckpoint, Disk, Expect, Journal, LogOrigin, VerifierKey,
    merkle::{
        Frontier, leaf_hash, roots_from_consistency, verify_consistency, verify_inclusion,
        verify_witness_consistency,
    },
    receipt,
    sim::SimDisk,
};
use abeng_keys::Signer;
use abeng_wire::{LeafHash, LeafIndex, decode, encode, limits, v1};
use bytes::Bytes;
use data_encoding::BASE64;

fn expect() -> Expect<'static> {
    let world = world();
    let own = &world.sealed.pre().message().recipients[0].seq_commit;
    Expect {
        roster: &world.trust.roster,
        envelope_id: world.sealed.id(),
        originator: sender(),
        recipient: recipient(),
        seq_commit: abeng_wire::Digest::from_slice(own).unwrap(),
    }
}

/// A receipt from anyone. What is believed must be what the recipient's log says.
pub fn receipt_of(data: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(receipt) = decode::<v1::Receipt>("receipt", &bytes, limits::RECEIPT) else {
        return false;
    };
    let mut believed = false;
    for receipt in [receipt.clone(), with_checkpoint(receipt)] {
        if let Ok(proven) = receipt::verify_alone(&receipt, &expect()) {
            let leaf = &world().leaves[proven.index.0 as usize];
            assert_eq!(proven.leaf.bytes(), leaf, "a forged receipt");
            believed = true;
        }
    }
    believed
}

/// Behind a good checkpoint the proof is what decides.
fn with_checkpoint(receipt: v1::Receipt) -> v1::Receipt {
    v1::Receipt {
        checkpoint: world().checkpoint.note().clone(),
        ..receipt
    }
}

/// A signed note from anyone. What is believed must be the recipient's checkpoint.
pub fn checkpoint(data: &[u8]) -> bool {
    let mut believed = false;
    let (note, roster) = (Bytes::copy_from_slice(data), &world().trust.roster);
    if let Ok(checkpoint) = Checkpoint::verify_by_roster(&note, roster) {
        let (theirs, ours) = (&checkpoint, &world().checkpoint);
        assert_eq!((theirs.size(), theirs.root()), (ours.size(), ours.root()));
        believed = true;
    }
    let _ = CosignedCheckpoint::verify(&note, roster);
    let _ = Contradiction::verify(&note, roster);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = VerifierKey::parse(text);
        if let Ok(origin) = LogOrigin::parse(text) {
            assert_eq!(origin.to_string(), text, "two spellings of one origin");
        }
    }
    believed
}

/// A note as a log's key might sign it.
pub fn checkpoint_signed(data: &[u8]) -> bool {
    let note = world().checkpoint.note();
    let Some(at) = note.windows(2).position(|two| two == b"\n\n") else {
        return false;
    };
    let key = world().founding.keyrings[1].log();
    let Ok(signature) = key.sign_message(data) else {
        return false;
    };
    // The line's last 64 bytes are the signature; name and key id stay.
    let line = std::str::from_utf8(&note[at + 2..]).unwrap_or_default();
    let Some((name, code)) = line.trim_end().rsplit_once(' ') else {
        return false;
    };
    let Ok(mut raw) = BASE64.decode(code.as_bytes()) else {
        return false;
    };
    raw.truncate(raw.len().saturating_sub(64));
    raw.extend(signature);
    let mut signed = data.to_vec();
    signed.extend(format!("\n{name} {}\n", BASE64.encode(&raw)).bytes());
    let signed = Bytes::from(signed);
    let _ = CosignedCheckpoint::verify(&signed, &world().trust.roster);
    Checkpoint::verify_by_roster(&signed, &world().trust.roster).is_ok()
}

/// Proofs made of anything: none may be believed but the right one, and none may take long.
pub fn merkle(data: &[u8]) -> bool {
    let number = |at: usize| {
        let bytes = data.get(at..at + 8).unwrap_or_default();
        u64::from_be_bytes(bytes.try_into().unwrap_or_default())
    };
    let (a, b) = (number(0), number(8));
    let hashes = data.get(16..).unwrap_or_default().chunks_exact(32);
    let hashes: Vec<LeafHash> = hashes.filter_map(LeafHash::from_slice).collect();
    let hash = leaf_hash(data);
    let proven = verify_inclusion(&hash, a, b, &hashes, &hash);
    assert!(proven.is_err() || b == 1, "a leaf is not the root of many");
    let _ = verify_consistency((a, &hash), (b, &hash), &hashes);
    let _ = verify_witness_consistency((a, &hash), (b, &hash), &hashes);
    let walked = roots_from_consistency(a, b, &hashes).is_ok();
    if let Some(frontier) = Frontier::from_peaks(a, &hashes) {
        assert_eq!(frontier.size(), a);
        frontier.root();
        return true;
    }
    walked
}

/// A disk that changed in places, three bytes each: where and what. What is read back must be
/// what was written, from the start; anything else is refused (I10).
pub fn journal(data: &[u8]) -> bool {
    let disk = world().disk.copy();
    for patch in data.chunks_exact(3) {
        let at = usize::from(patch[0]) << 8 | usize::from(patch[1]);
        disk.corrupt(&first_segment(&disk), |content| {
            // Batches stand at the beginning of pages, of which the first five are used.
            if let Some(byte) = content.get_mut(at % (5 * 4096)) {
                *byte ^= patch[2];
            }
        });
    }
    open_and_compare(disk).is_some()
}

/// A segment that is anything at all.
pub fn journal_raw(data: &[u8]) -> bool {
    let disk = world().disk.copy();
    disk.corrupt(&first_segment(&disk), |content| {
        let length = content.len();
        *content = data.to_vec();
        content.resize(length, 0);
    });
    open_and_compare(disk).is_some()
}

/// Files of node hashes that are anything at all: they are made again from the journal.
pub fn tiles(data: &[u8]) -> bool {
    let disk = world().disk.copy();
    let names = disk.list("tiles").unwrap_or_default();
    let changed = names.iter().map(|name| {
        disk.corrupt(&format!("tiles/{name}"), |content| {
            *content = data.to_vec();
        })
    });
    assert!(
        changed.fold(false, |any, one| any | one),
        "no tile is a file"
    );
    let size = open_and_compare(disk);
    assert_eq!(
        size,
        Some(world().leaves.len() as u64),
        "nothing is lost by it"
    );
    true
}

/// The leaves that are found, where it opens.
fn open_and_compare(disk: SimDisk) -> Option<u64> {
    let (journal, _) = Journal::open(disk, SEGMENT).ok()?;
    let reader = journal.reader();
    for index in 0..reader.size() {
        let Ok(stored) = reader.read(LeafIndex(index)) else {
            continue;
        };
        let written = &world().leaves[index as usize];
        assert_eq!(stored.record.leaf().bytes(), written, "altered on the disk");
    }
    Some(reader.size())
}

fn first_segment(disk: &SimDisk) -> String {
    let names = disk.list("journal").unwrap_or_default();
    let name = names.into_iter().find(|n| n.ends_with(".seg"));
    format!("journal/{}", name.unwrap_or_default())
}

/// Receipts that are right.
pub fn receipts() -> Vec<Vec<u8>> {
    vec![encode(&world().receipt).to_vec()]
}

/// Notes that are right, and what is found in them.
pub fn notes() -> Vec<Vec<u8>> {
    let origin = origin(&world().trust);
    let key = VerifierKey::of(&world().checkpoint, &world().trust.roster);
    vec![
        world().checkpoint.note().to_vec(),
        origin.to_string().into_bytes(),
        key.map(|k| k.to_string()).unwrap_or_default().into_bytes(),
    ]
}

/// The text of a note.
pub fn texts() -> Vec<Vec<u8>> {
    let note = world().checkpoint.note();
    let end = note.windows(2).position(|two| two == b"\n\n");
    vec![note[..end.map_or(0, |at| at + 1)].to_vec()]
}

/// Proofs that are right.
pub fn proofs() -> Vec<Vec<u8>> {
    let mut data = [5_u64.to_be_bytes(), 9_u64.to_be_bytes()].concat();
    for hash in &world().receipt.proof {
        data.extend_from_slice(hash);
    }
    vec![data]
}

/// Where a disk may change.
pub fn patches() -> Vec<Vec<u8>> {
    vec![vec![], vec![0x10, 0x20, 1], vec![0x20, 0x40, 0x80, 0, 9, 1]]
}

/// The pages of a segment that are used.
pub fn segments() -> Vec<Vec<u8>> {
    let content = world().disk.content(&first_segment(&world().disk));
    vec![content.unwrap_or_default()[..5 * 4096].to_vec()]
}

/// Files of node hashes that are right.
pub fn tile_files() -> Vec<Vec<u8>> {
    let disk = &world().disk;
    let names = disk.list("tiles").unwrap_or_default();
    let files = names.iter().map(|n| disk.content(&format!("tiles/{n}")));
    files.flatten().chain([vec![]]).collect()
}
