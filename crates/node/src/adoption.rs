//! Taking newer trust data: verified, on disk, in the log, and only then in force and told on.
//!
//! Whoever brings it, a link, a courier file or the operator, it goes the same way: it proves
//! itself or is refused.

mod disputes;
mod news;
mod pace;
mod recover;
mod spread;

pub use disputes::Dispute;
pub use news::News;
pub use pace::SealKeyPace;
pub use recover::recover;
pub use spread::{Untold, pass_on};

use crate::{
    clock,
    desk::Ended,
    shared::{Shared, lock},
};
use abeng_audit_log::subject;
use abeng_keys::SignatureType;
use abeng_queue::{Input, PrivateInput};
use abeng_roster::{Conflict, Trust, TrustError};
use abeng_wire::{Millis, v1};
use std::{io, sync::Arc};

/// What was newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The roster in force before, and now.
    pub roster: (u64, u64),
    /// The root in force before, and now.
    pub root: (u64, u64),
    /// Whether a newer freshness statement came.
    pub freshness: bool,
    /// Newer seal keys.
    pub seal_keys: usize,
}

/// Why trust data is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It does not hold: the fault of whoever made or carried it.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It cannot be kept, so it is not in force.
    #[error("newer trust data cannot be kept, and is not in force: {0}")]
    Keep(#[from] io::Error),
    /// The node ends; the next start takes it up.
    #[error("the node is stopping; what was kept is taken up at its next start")]
    Stopping,
}

impl Shared {
    /// Trust data from a peer. Blocks until what is newer is durable and in force.
    pub fn merge_trust(&self, bundle: &v1::TrustBundle) {
        match self.adopt(bundle, None) {
            Ok(_) => {}
            Err(why @ NotTaken::Trust(_)) => tracing::warn!(%why, "trust data refused"),
            Err(why) => tracing::error!(%why, "trust data is not taken"),
        }
    }

    /// Takes what is newer in a bundle; `None` where nothing is. `by` is the person who brought it.
    /// Blocks until it is durable and in force.
    pub fn adopt(
        &self,
        bundle: &v1::TrustBundle,
        by: Option<PrivateInput>,
    ) -> Result<Option<Taken>, NotTaken> {
        let mut pace = lock(&self.adopting);
        let before = self.trust();
        let (time, mono) = (clock::believed(), clock::mono());
        let bounded = match by {
            None => pace.bound(bundle, mono),
            Some(_) => None,
        };
        if bounded.is_some() {
            tracing::info!("seal keys of a party that changes them too often are left out");
        }
        let bundle = bounded.as_ref().unwrap_or(bundle);
        let mut next = match before.merge(bundle, time.now) {
            Ok(Some(next)) => next,
            Ok(None) => return undisputed(&before, bundle).map(|()| None),
            Err(why) => {
                self.keep_dispute(&why, bundle);
                return Err(why.into());
            }
        };
        if by.is_none() {
            let changed = spread::changed_keys(&before, &next);
            for party in changed.into_iter().filter(|party| *party != self.me) {
                pace.count(party, mono);
            }
        }
        self.layout.write_trust(&next.to_bundle())?;
        let roster = (before.roster.version(), next.roster.version());
        let is_new = roster.0 != roster.1;
        if is_new {
            // However wrong the clock may be, nobody waits less than the full time.
            let shared = next.shared_with(&before);
            self.journal_adoption(shared, &next, time.latest, by)
                .ok_or(NotTaken::Stopping)?;
            for version in shared + 1..=roster.1 {
                next.note_adoption(version, time.latest);
            }
        }
        let taken = Taken {
            roster,
            root: (before.root.version(), next.root.version()),
            freshness: fresh_at(&next) > fresh_at(&before),
            seal_keys: spread::newer_keys(&before, &next).count(),
        };
        self.metrics.roster_version.set(roster.1 as i64);
        let next = Arc::new(next);
        self.trust.store(next.clone());
        if is_new {
            let reference = next.roster.reference();
            self.core.give_blocking(Input::RosterAdopted { reference });
            self.tell_news(&next, next.shared_with(&before));
        }
        self.reaching.changed();
        let endpoint = lock(&self.endpoint).clone();
        if let Some(endpoint) = endpoint {
            endpoint.trust_changed();
        }
        self.untold.since(before.clone());
        crate::copied_keys::tell(&before, &next);
        self.keep_conflicts(&before, &next);
        self.keep_second_keys(&next, bundle, time.now);
        undisputed(&next, bundle)?;
        Ok(Some(taken))
    }

    /// Keeps the evidence of a second seal key of one sequence that came with what was newer.
    fn keep_second_keys(&self, next: &Trust, bundle: &v1::TrustBundle, now: Millis) {
        let seal_keys = v1::TrustBundle {
            seal_keys: bundle.seal_keys.clone(),
            ..Default::default()
        };
        if let Err(why) = next.merge(&seal_keys, now) {
            self.keep_dispute(&why, bundle);
        }
    }

    /// The leaf about an adoption, durable. `None` where the node stops.
    fn journal_adoption(
        &self,
        from: u64,
        next: &Trust,
        at: Millis,
        by: Option<PrivateInput>,
    ) -> Option<()> {
        let place = self.desk.open();
        self.core
            .give_blocking(adoption(from, next, at, (by, Some(place.ticket))));
        match place.ended.blocking_recv() {
            Ok(Ended::Noted { .. }) => Some(()),
            _ => None,
        }
    }
}

/// The input that writes down an adoption.
fn adoption(
    from: u64,
    next: &Trust,
    at: Millis,
    (private, tell): (Option<PrivateInput>, Option<abeng_queue::Ticket>),
) -> Input {
    let leaf = v1::Leaf {
        kind: v1::LeafKind::RosterAdopted.into(),
        subject: subject(SignatureType::ROSTER.name(), &next.roster.signed().bytes).to_bytes(),
        ..Default::default()
    };
    let said = v1::Adoption {
        from,
        roster: Some(next.roster.reference()),
        at,
    };
    Input::Note {
        leaf: Box::new(leaf),
        proof: Some(v1::ProofPart {
            of: Some(v1::proof_part::Of::Adoption(said)),
        }),
        private,
        tell,
        receipt_to: None,
    }
}

/// Says so where a bundle brings the other side of an equivocation that nobody has settled,
/// whatever else of it was taken.
fn undisputed(trust: &Trust, bundle: &v1::TrustBundle) -> Result<(), NotTaken> {
    let brought = |c: &Conflict| {
        let mut all = bundle.rosters.iter().chain(&bundle.roots);
        all.any(|signed| signed.bytes == c.signed.bytes)
    };
    let mut open = trust.conflicts().iter().filter(|c| !trust.is_settled(c));
    match open.find(|c| brought(c)) {
        Some(c) => Err(NotTaken::Trust(TrustError::Equivocation {
            what: c.of.name().to_owned(),
            version: c.version,
            held: c.held,
            other: c.other,
        })),
        None => Ok(()),
    }
}

fn fresh_at(trust: &Trust) -> Millis {
    trust.freshness.as_ref().map_or(0, |f| f.at())
}
