//! What a start reads back from the view and the journal: the engine, what is known of the logs of
//! others, the proofs against them, how far witnesses are, the inbox in numbers.

use crate::{
    config::Config, node_error::NodeError, past, shared::InboxCounts, split::KeptProof,
    view::ReadyView, watch, witnessing::Witnessing,
};
use abeng_audit_log::{
    Checkpoint, Contradiction, CosignedCheckpoint, LogOrigin, Outside, Reader, RealDisk,
    logs::{Held, LogBook},
    merkle::Frontier,
    past::{OwnLog, Proved},
};
use abeng_queue::{
    Engine, EngineConfig, Resend,
    rows::{ContradictionRow, HeldRow, InboxRow},
};
use abeng_roster::Trust;
use abeng_wire::{Incarnation, LeafIndex, v1};
use std::sync::atomic::AtomicU64;

pub fn recover_engine(
    config: &Config,
    incarnation: Incarnation,
    trust: &Trust,
    size: u64,
    view: &ReadyView<RealDisk>,
) -> Result<Engine, NodeError> {
    let engine = EngineConfig {
        me: config.party,
        incarnation,
        roster: trust.roster.reference(),
        resend: Resend::default(),
        carry: config.relay,
    };
    let mut rows = Vec::new();
    for prefix in Engine::ROWS {
        rows.extend(view.rows(prefix)?);
    }
    Ok(Engine::recover(
        engine,
        LeafIndex(size),
        &mut rows.into_iter(),
    )?)
}

/// What is known of the logs of others: held with its range, witnessed, or seen under a receipt.
/// The signatures are verified again: the view is never believed on its own.
pub fn recover_logs(
    view: &ReadyView<RealDisk>,
    trust: &Trust,
    outside: &[Outside],
) -> Result<LogBook, NodeError> {
    let mut logs = LogBook::default();
    let verify = |note: &bytes::Bytes| {
        let checkpoint = Checkpoint::verify_by_roster(note, &trust.roster).ok()?;
        let origin = LogOrigin::parse(checkpoint.origin()).ok()?;
        Some((origin, checkpoint))
    };
    for said in outside {
        match said {
            Outside::HeldCheckpoint { note, peaks, .. } => {
                let Some((origin, checkpoint)) = verify(note) else {
                    continue;
                };
                let range = Frontier::from_peaks(checkpoint.size(), peaks);
                match range.filter(|range| range.root() == checkpoint.root()) {
                    Some(range) => _ = logs.hold(origin, Held { checkpoint, range }),
                    None => _ = logs.meet(origin, origin.party, &checkpoint),
                }
            }
            Outside::Witnessed { note, .. } => {
                if let Some((origin, checkpoint)) = verify(note) {
                    logs.meet(origin, origin.party, &checkpoint);
                }
            }
            Outside::OwnCheckpoint(_) | Outside::Cosigned(_) | Outside::Claim(_) => {}
        }
    }
    for (_, value) in view.rows(HeldRow::PREFIX)? {
        let row = HeldRow::decode(&value)?;
        if let Some((origin, checkpoint)) = verify(&row.checkpoint) {
            logs.meet(origin, origin.party, &checkpoint);
        }
    }
    Ok(logs)
}

/// Proofs kept here that a log contradicts itself.
pub fn kept_proofs(
    view: &ReadyView<RealDisk>,
    reader: &Reader<RealDisk>,
    trust: &Trust,
) -> Result<Vec<KeptProof>, NodeError> {
    let mut kept = Vec::new();
    for (_, value) in view.rows(ContradictionRow::PREFIX)? {
        let row = ContradictionRow::decode(&value)?;
        let record = reader.read(row.leaf)?.record;
        let part = record.proof().ok().flatten().and_then(|part| part.of);
        let Some(v1::proof_part::Of::Contradiction(said)) = part else {
            continue;
        };
        let bytes = abeng_wire::encode(&said);
        match Contradiction::verify(&bytes, &trust.roster) {
            Ok(proof) => kept.extend(KeptProof::new(&proof, record.leaf().message().time)),
            Err(why) => {
                tracing::warn!(leaf = %row.leaf, %why, "a contradiction is kept that this roster cannot judge")
            }
        }
    }
    Ok(kept)
}

pub fn recover_witnessing(
    reader: &Reader<RealDisk>,
    trust: &Trust,
    outside: &[Outside],
    now: u64,
) -> Result<Witnessing, NodeError> {
    let mut notes = outside.iter().filter_map(|said| match said {
        Outside::Cosigned(note) => Some(note),
        _ => None,
    });
    let cosigned = notes.find_map(|note| CosignedCheckpoint::verify(note, &trust.roster).ok());
    Ok(Witnessing::recover(cosigned, watch::worth(reader)?, now))
}

/// The own checkpoint that was signed last, as far as this log has it: what a hello shows before
/// anything newer is signed.
pub fn last_signed(
    reader: &Reader<RealDisk>,
    trust: &Trust,
    outside: &[Outside],
) -> Option<Checkpoint> {
    let mut notes = outside.iter().filter_map(|said| match said {
        Outside::OwnCheckpoint(note) => Some(note),
        _ => None,
    });
    let signed = notes.find_map(|note| Checkpoint::verify_by_roster(note, &trust.roster).ok())?;
    let known = signed.size() <= reader.size();
    let same = known && reader.root_at(signed.size()).ok() == Some(signed.root());
    same.then_some(signed)
}

/// What was proved about the own past by an earlier start.
pub fn own_past(
    reader: &Reader<RealDisk>,
    origin: &str,
    trust: &Trust,
    outside: &[Outside],
) -> Option<Proved> {
    let own = OwnLog {
        origin: LogOrigin::parse(origin).ok()?,
        size: reader.size(),
        root_at: &|size| reader.root_at(size).ok(),
    };
    past::recover(outside, &own, &trust.roster)
}

pub fn count_inbox(view: &ReadyView<RealDisk>) -> Result<InboxCounts, NodeError> {
    let (mut total, mut read) = (0, 0);
    for (_, value) in view.rows(InboxRow::PREFIX)? {
        total += 1;
        read += u64::from(InboxRow::decode(&value)?.first_read.is_some());
    }
    Ok(InboxCounts {
        total: AtomicU64::new(total),
        read: AtomicU64::new(read),
    })
}
