//! From what holds to the verdict, and what the verdict leaves open.

use crate::{
    CheckpointProof, Doubt, Fact, PartyFacts, Verdict,
    logs::{Logs, Proved},
};
use abeng_roster::{Chain, Roster};
use abeng_seal::SignedHeader;
use abeng_wire::{Digest, Incarnation, PartyCode, v1};
use bytes::Bytes;
use v1::LeafKind as Kind;

/// Everything that holds.
pub(crate) struct Proven<'a> {
    pub(crate) chain: &'a Chain,
    /// Whether the reader named the root.
    pub(crate) pinned: bool,
    pub(crate) header: &'a SignedHeader,
    /// The roster that the header was judged by.
    pub(crate) roster: &'a Roster,
    pub(crate) logs: Logs,
    pub(crate) exported: Fact,
    pub(crate) content: Option<Bytes>,
}

pub(crate) fn conclude(proven: Proven<'_>) -> Verdict {
    let doubts = proven.doubts();
    let (chain, header) = (proven.chain, proven.header);
    let (pre, newest) = (header.pre(), chain.newest());
    let named = pre.roster.clone().unwrap_or_default();
    let originator = header.originator();
    Verdict {
        network: newest.network(),
        root: chain.founding(),
        pinned: proven.pinned,
        newest_root: chain.newest_root().version(),
        newest_roster: (newest.version(), newest.digest()),
        named_roster: (
            named.version,
            Digest::from_slice(&named.digest).unwrap_or_default(),
        ),
        judged_by: proven.roster.version(),
        envelope_id: header.id(),
        originator: proven.party(originator, |p| {
            p.recipient.is_none() && p.fact.by == originator
        }),
        kid: header.kid(),
        incarnation: Incarnation(pre.incarnation),
        created_at: pre.created_at,
        expires_at: pre.expires_at,
        precedence: pre.precedence(),
        attachments: header.trl().attachments.len(),
        recipients: proven
            .recipients()
            .map(|code| proven.party(code, |p| p.recipient == Some(code)))
            .collect(),
        relays: proven.facts(|p| p.fact.kind == Kind::Relayed),
        maker: proven.exported.by,
        exported: proven.exported,
        checkpoints: proven.logs.checkpoints,
        content: proven.content,
        doubts,
    }
}

impl Proven<'_> {
    fn recipients(&self) -> impl Iterator<Item = PartyCode> {
        let entries = self.header.pre().recipients.iter();
        entries.filter_map(|entry| PartyCode::new(&entry.party).ok())
    }

    fn party(&self, party: PartyCode, about: impl Fn(&Proved) -> bool) -> PartyFacts {
        let known = self.chain.newest().party(party);
        let apart = |p: &Proved| matches!(p.fact.kind, Kind::Exported | Kind::Relayed);
        PartyFacts {
            party,
            name: known.map(|p| p.name.clone()).unwrap_or_default(),
            facts: self.facts(|p| !apart(p) && about(p)),
        }
    }

    fn facts(&self, which: impl Fn(&Proved) -> bool) -> Vec<Fact> {
        let leaves = self.logs.leaves.iter().filter(|p| which(p));
        leaves.map(|p| p.fact.clone()).collect()
    }

    fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        if !self.pinned {
            let root = self.chain.founding();
            doubts.push(Doubt::RootNotPinned { root });
        }
        let named = self.header.pre().roster.as_ref().map_or(0, |r| r.version);
        if self.chain.roster(named).is_none() {
            doubts.push(Doubt::RosterNotHeld { version: named });
        }
        if let Some(effective_at) = self.chain.newest().revoked_at(&self.header.kid()) {
            doubts.push(Doubt::KeyRevoked { effective_at });
        }
        self.doubts_of_checkpoints(&mut doubts);
        for party in self.recipients() {
            self.doubts_of_recipient(party, &mut doubts);
        }
        if self.content.is_none() {
            doubts.push(Doubt::NotDisclosed);
        }
        doubts
    }

    fn doubts_of_checkpoints(&self, doubts: &mut Vec<Doubt>) {
        let mut before: Option<&CheckpointProof> = None;
        for (checkpoint, proof) in self.logs.checkpoints.iter().enumerate() {
            // The export says nothing of the notice, and is always too new.
            let mut leaves = self.logs.leaves.iter();
            let about =
                |p: &Proved| p.fact.checkpoint == checkpoint && p.fact.kind != Kind::Exported;
            let mut later = self.logs.checkpoints[checkpoint + 1..].iter();
            let covered = proof.witnessed_at.is_some()
                || later
                    .by_ref()
                    .take_while(|p| p.continues)
                    .any(|p| p.witnessed_at.is_some());
            if !covered && leaves.any(about) {
                doubts.push(Doubt::NotWitnessed { checkpoint });
            }
            if proof.judged_by < self.chain.newest().version() {
                doubts.push(Doubt::OlderRoster { checkpoint });
            }
            if before.is_some_and(|b| b.origin == proof.origin) && !proof.continues {
                doubts.push(Doubt::NotConnected { checkpoint });
            }
            before = Some(proof);
        }
    }

    fn doubts_of_recipient(&self, party: PartyCode, doubts: &mut Vec<Doubt>) {
        let leaves = self.logs.leaves.iter();
        let about = leaves.filter(|p| p.recipient == Some(party) && is_final(p.fact.kind));
        let mut by: Vec<PartyCode> = about.map(|p| p.fact.by).collect();
        if !by.contains(&party) {
            doubts.push(Doubt::NoOutcome { party });
        }
        by.sort_unstable();
        by.dedup_by(|b, a| {
            let second = a == b;
            if second {
                doubts.push(Doubt::SecondOutcome { party: *a });
            }
            second
        });
    }
}

fn is_final(kind: Kind) -> bool {
    matches!(kind, Kind::Delivered | Kind::Refused | Kind::Expired)
}
