//! What a start reads back: when each roster was adopted, who was accepted, what was seen.

use super::{
    Dispute, News, adoption,
    disputes::{self, leaf_about},
};
use crate::{clock, node_error::NodeError, view::ReadyView};
use abeng_audit_log::{Reader, RealDisk};
use abeng_queue::{Input, rows::TrustRow};
use abeng_roster::{Conflict, ConflictOf, Trust, digest};
use abeng_wire::{LeafIndex, PartyCode, v1};
use v1::proof_part::Of;

/// What the log says of the rosters.
pub struct Adoptions {
    /// What nobody here has seen yet.
    pub news: News,
    /// Equivocations.
    pub disputes: Vec<Dispute>,
    /// The leaves to write where trust data was put in place by hand, or a crash came before them.
    pub missing: Vec<Input>,
}

/// Brings `trust` to what the log says: waiting times begin at the adoption here, and end before
/// their time only for those who were accepted here.
pub fn recover(
    view: &ReadyView<RealDisk>,
    reader: &Reader<RealDisk>,
    trust: &mut Trust,
) -> Result<Adoptions, NodeError> {
    let mut newest: Option<v1::RosterRef> = None;
    let mut seen: Option<u64> = None;
    for (_, value) in view.rows(TrustRow::PREFIX)? {
        let row = TrustRow::decode(&value)?;
        let record = reader.read(row.leaf)?.record;
        match record.proof().ok().flatten().and_then(|part| part.of) {
            Some(Of::Adoption(said)) => {
                let roster = said.roster.unwrap_or_default();
                // Said again after a crash: the first time counts.
                if newest.as_ref().is_some_and(|n| n.version >= roster.version) {
                    continue;
                }
                // After a settled equivocation what is held stands on the other side.
                trust.forget_after(said.from);
                for version in said.from + 1..=roster.version {
                    trust.note_adoption(version, said.at);
                }
                seen = Some(seen.map_or(said.from, |seen| seen.min(said.from)));
                newest = Some(roster);
            }
            Some(Of::Acceptance(said)) => {
                for place in &said.places {
                    let group = PartyCode::new(&place.group).ok();
                    if let Ok(party) = PartyCode::new(&place.party) {
                        trust.accept_newcomer(group, party, place.since);
                    }
                }
                seen = seen.max(Some(said.version));
            }
            _ => {}
        }
    }
    let known = last_known(reader, newest)?;
    let in_force = trust.roster.reference();
    if in_force.version < known.version {
        return Err(NodeError::OlderRoster {
            held: in_force.version,
            adopted: known.version,
        });
    }
    if in_force.version == known.version && in_force.digest != known.digest {
        return Err(NodeError::OtherRoster {
            version: known.version,
        });
    }
    let adopted = (in_force.version > known.version).then(|| {
        let at = clock::believed().latest;
        let shared = shared(trust, &known);
        trust.forget_after(shared);
        for version in shared + 1..=in_force.version {
            trust.note_adoption(version, at);
        }
        seen = Some(seen.map_or(shared, |seen| seen.min(shared)));
        adoption(shared, trust, at, (None, None))
    });
    let news = News::of(trust, seen.unwrap_or(in_force.version));
    let mut missing = Vec::from_iter(adopted);
    let mut disputes = disputes::kept(view, reader)?;
    for dispute in trust.conflicts().iter().map(Dispute::of) {
        if !dispute.is_among(&disputes, trust) && dispute.has_room(&disputes, trust) {
            tracing::error!("{}", dispute.told());
            missing.push(leaf_about(&dispute));
            disputes.push(dispute);
        }
    }
    Ok(Adoptions {
        news,
        disputes,
        missing,
    })
}

/// The last version that the rosters put in place share with the one that the log knows: that one,
/// unless they are the other side of an equivocation.
fn shared(trust: &Trust, known: &v1::RosterRef) -> u64 {
    let held = trust.roster_signed(known.version);
    let same = held.is_none_or(|signed| digest(&signed.bytes).to_bytes() == known.digest);
    let of_rosters = |c: &&Conflict| c.of == ConflictOf::Roster;
    let first = trust
        .conflicts()
        .iter()
        .filter(of_rosters)
        .map(|c| c.version);
    match (same, first.min()) {
        (true, _) => known.version,
        (false, first) => first.unwrap_or(1).min(known.version).saturating_sub(1),
    }
}

/// The newest roster that this log speaks of: the last leaf is made under the one in force.
fn last_known(
    reader: &Reader<RealDisk>,
    adopted: Option<v1::RosterRef>,
) -> Result<v1::RosterRef, NodeError> {
    let last = reader.size().checked_sub(1).map(LeafIndex);
    let last = last.map(|last| reader.read(last)).transpose()?;
    let under = last.and_then(|stored| stored.record.leaf().message().roster.clone());
    let (under, adopted) = (under.unwrap_or_default(), adopted.unwrap_or_default());
    Ok(match adopted.version > under.version {
        true => adopted,
        false => under,
    })
}
