//! Receipts and checkpoints.

use super::{Keys, read, trust};
use crate::{
    file::{Against, Given},
    reason,
};
use abeng_audit_log::{Checkpoint, CosignedCheckpoint, Expect, hashes, receipt};
use abeng_roster::Roster;
use abeng_wire::{Digest, EnvelopeId, PartyCode, decode, limits, v1};
use bytes::Bytes;
use data_encoding::BASE64;

fn roster_of(against: &Against, given: &Given) -> Roster {
    let root = trust::root_of(against, given);
    trust::roster_of(&root, against, given).expect("a roster is held")
}

pub fn receipt(input: &Bytes, against: &Against, given: &Given) -> Result<(), String> {
    let roster = roster_of(against, given);
    let about = against.about.as_ref().expect("it is about something");
    let receipt: v1::Receipt =
        decode("receipt", input, limits::RECEIPT).map_err(|e| reason::malformed(&e))?;
    let expect = Expect {
        roster: &roster,
        envelope_id: EnvelopeId::from_hex(&about.envelope_id).unwrap(),
        originator: PartyCode::new(&about.originator).unwrap(),
        recipient: PartyCode::new(&about.recipient).unwrap(),
        seq_commit: Digest::from_hex(&about.seq_commit).unwrap(),
    };
    receipt::verify_alone(&receipt, &expect)
        .map(|_| ())
        .map_err(|e| reason::receipt(&e))
}

pub fn checkpoint(input: &Bytes, against: &Against, given: &Given) -> Result<(), String> {
    let roster = roster_of(against, given);
    let by_roster = |note| Checkpoint::verify_by_roster(note, &roster);
    match against.ask.as_deref() {
        Some("log") => by_roster(input).map(|_| ()).map_err(|e| reason::note(&e)),
        Some("cosigned") => CosignedCheckpoint::verify(input, &roster)
            .map(|_| ())
            .map_err(|e| reason::note(&e)),
        Some("after") => {
            let new = by_roster(input).map_err(|e| reason::note(&e))?;
            let held = against.held.as_deref().expect("a checkpoint is held");
            let held = by_roster(&given.bytes(held).into()).unwrap();
            let proof = against.proof.iter();
            let proof: Vec<_> = proof
                .map(|h| BASE64.decode(h.as_bytes()).unwrap().into())
                .collect();
            let proof = hashes(&proof).expect("hashes");
            new.consistent_with(&held, &proof)
                .map_err(|e| reason::consistency(&e))
        }
        other => panic!("nothing to ask: {other:?}"),
    }
}

/// The log's line under a note, where there is a note.
pub fn note_signatures(keys: &Keys, note: &[u8]) -> Result<(), String> {
    let Ok(note) = std::str::from_utf8(note) else {
        return Ok(());
    };
    let Some(end) = note.rfind("\n\n") else {
        return Ok(());
    };
    let (text, lines) = (&note[..=end], &note[end + 2..]);
    let name = text.lines().next().unwrap_or_default();
    for line in lines.lines() {
        let Some((by, bytes)) = line.strip_prefix("— ").and_then(|l| l.split_once(' ')) else {
            continue;
        };
        let bytes = BASE64.decode(bytes.as_bytes()).unwrap_or_default();
        if by == name && (bytes.len() != 68 || !keys.signed(text.as_bytes(), &bytes[4..])) {
            return Err("the log's line".into());
        }
    }
    Ok(())
}

pub fn receipt_signatures(keys: &Keys, input: &Bytes) -> Result<(), String> {
    match read::<v1::Receipt>(input) {
        Ok(receipt) => note_signatures(keys, &receipt.checkpoint),
        Err(_) => Ok(()),
    }
}
