//! Claims about the own past. A node that runs on an older copy of its data, twice at once, or in a
//! life that a newer one has closed, is told so by its peers. Their word counts only with proof by
//! this party's own keys: a checkpoint that this log does not hold, or an envelope of this life
//! that it does not know. Then nothing is submitted any more until the operator opens a new
//! incarnation. Receiving, delivering and relaying go on with whoever keeps a link; a peer that
//! knows of a newer life, or holds proof of two pasts, closes it ([`meanwhile`]).

use crate::{
    newer::NewerLife,
    receipts::verify_checkpoint,
    shared::{Shared, lock},
};
use abeng_api::{ApiError, Cause, CauseView, ErrorCode, Warned, Warning};
use abeng_audit_log::{
    CLAIM, Checkpoint, Contradiction, LogOrigin, Outside,
    past::{self, OwnLog, Proved},
    subject,
};
use abeng_link::Link;
use abeng_queue::{Input, rows::IdRow};
use abeng_roster::Roster;
use abeng_seal::SignedHeader;
use abeng_wire::{EnvelopeId, Incarnation, PartyCode, limits, v1};
use bytes::Bytes;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// What begins every word about it, so that a reader finds the one that matters.
pub const SUBMITS_NOTHING: &str = "THIS NODE SUBMITS NOTHING";

/// What the operator can do about it: which copy to switch off comes first.
pub fn way_forward(proved: &Proved) -> &'static str {
    match proved {
        Proved::NewerLife { .. } => {
            "Usually this copy is the one to switch off: stop this node for good and work with the other. Only where this one is to be kept: switch the other off for good, stop this node, run `abeng node new-incarnation --although-newer --reason TEXT`, and start it; what only the other one had then comes back only as far as peers still hold it (docs/operations.md, When a node is lost)"
        }
        _ => {
            "Find out whether another copy of this node runs. If one does, keep the one that did more, usually not this one, and switch the other off for good. If this one is kept: stop it, run `abeng node new-incarnation --reason TEXT`, and start it (docs/operations.md, When a node is lost)"
        }
    }
}

/// What a peer is told whose log contradicts itself.
pub const CONTRADICTED: &str = "your log contradicts itself";
/// How long a link that is refused stays open, so that the peer sees why. Nothing from it counts.
const REFUSED_STAYS: Duration = Duration::from_secs(3);
/// What a peer is told that runs in a life which a newer one has closed.
const OUTLIVED: &str = "a newer life of your log is known";

fn proved_cause(proved: &Proved) -> CauseView {
    match proved {
        Proved::Longer { theirs, ours } => CauseView::new(
            Cause::PastOlder,
            [("theirs", theirs.to_string()), ("ours", ours.to_string())],
        ),
        Proved::OtherPast { size } => {
            CauseView::new(Cause::PastTwice, [("size", size.to_string())])
        }
        Proved::NewerLife { life } => {
            CauseView::new(Cause::PastNewer, [("life", life.to_string())])
        }
        Proved::UnknownEnvelope { id } => {
            CauseView::new(Cause::PastUnknown, [("id", id.to_string())])
        }
        Proved::Before => CauseView::new(Cause::PastBefore, []),
    }
}

/// What peers do meanwhile, and what goes on: said where a link is missed.
pub fn meanwhile(proved: &Proved) -> &'static str {
    match proved {
        Proved::NewerLife { .. } => {
            "Peers that know of the newer life close their links at once: nothing comes from them, nor goes to them. From others it goes on receiving; what it delivers gets its receipts in a new life."
        }
        Proved::OtherPast { .. } => {
            "Peers that hold both pasts close their links until their operators decide. From others it goes on receiving; what it delivers gets its receipts in a new life."
        }
        Proved::Longer { .. } | Proved::UnknownEnvelope { .. } | Proved::Before => {
            "It goes on receiving from peers that keep their links; what it delivers gets its receipts in a new life."
        }
    }
}

/// Which envelope an HDR with SIG is, if it is of this party in this life.
pub fn own_envelope(
    hdr: &Bytes,
    sig: &[u8],
    own: (PartyCode, Incarnation),
    roster: &Roster,
) -> Option<EnvelopeId> {
    if hdr.len() > limits::HDR {
        return None;
    }
    let header = SignedHeader::verify(hdr, sig, roster).ok()?;
    let of = (header.originator(), Incarnation(header.pre().incarnation));
    (of == own).then(|| header.id())
}

impl Shared {
    /// Why this node submits nothing any more; `None` where it does.
    pub fn stopped_submitting(&self) -> Option<Proved> {
        lock(&self.past).as_ref().copied()
    }

    /// The newer life of this log that is known, with who showed it.
    pub fn newer_life(&self) -> Option<NewerLife> {
        match self.stopped_submitting()? {
            Proved::NewerLife { life } => {
                let newer = *lock(&self.newer);
                let newer = newer.filter(|newer| newer.life == life);
                Some(newer.unwrap_or(NewerLife { life, shown: None }))
            }
            _ => None,
        }
    }

    /// Why this node submits nothing, what goes on meanwhile, and what to do; `None` where it
    /// submits.
    pub fn stopped_told(&self) -> Option<String> {
        let proved = self.stopped_submitting()?;
        let why = match self.newer_life() {
            Some(newer) => format!("it runs on an old copy of its data; {newer}"),
            None => proved.to_string(),
        };
        let (meanwhile, way) = (meanwhile(&proved), way_forward(&proved));
        Some(format!("{SUBMITS_NOTHING}: {why}. {meanwhile} {way}"))
    }

    /// Refuses a submission where the past is in doubt by proof, or nobody would believe the key.
    pub fn may_submit(&self) -> Result<(), ApiError> {
        match self.stopped_submitting() {
            None => self.key_serves(),
            Some(proved) => Err(ApiError::new(
                ErrorCode::OldCopy,
                format!("this node submits nothing: {proved}"),
            )
            .with_try(way_forward(&proved))
            .by(proved_cause(&proved))),
        }
    }

    /// A `Claim` frame.
    pub async fn take_claim(self: &Arc<Self>, from: PartyCode, claim: v1::Claim) {
        if !claim.note.is_empty() {
            return self.meet_note(from, &claim.note).await;
        }
        let trust = self.trust();
        let own = (self.me, self.incarnation);
        let Some(id) = own_envelope(&claim.hdr, &claim.sig, own, &trust.roster) else {
            return tracing::warn!(%from, "a claim about this node's past without proof; ignored");
        };
        match self.knows_sent(&id).await {
            Some(false) => {
                let proved = Proved::UnknownEnvelope { id };
                self.stop_submitting(from, proved, claim);
            }
            Some(true) => tracing::debug!(%from, envelope = %id, "an envelope that is known here"),
            None => tracing::warn!(%from, "a claim cannot be looked up now"),
        }
    }

    /// Somebody shows a checkpoint of this party's log, signed by its log key.
    pub fn meet_own(self: &Arc<Self>, from: PartyCode, origin: LogOrigin, shown: &Checkpoint) {
        if let Some(proved) = self.judge_own(origin, shown) {
            let claim = v1::Claim {
                note: shown.note().clone(),
                ..Default::default()
            };
            self.stop_submitting(from, proved, claim);
        }
    }

    /// What a peer's hello shows of this log, looked at before anything else of that session: until
    /// a peer has shown what it knows, this process signs no checkpoint of its own accord.
    pub fn greeted(self: &Arc<Self>, from: PartyCode, note: &bytes::Bytes) {
        if let Ok((party, shown)) = verify_checkpoint(&self.trust().roster, note)
            && party == self.me
            && let Ok(origin) = LogOrigin::parse(shown.origin())
        {
            self.meet_own(from, origin, &shown);
        }
        self.met_peer.store(true, Ordering::Relaxed);
    }

    fn judge_own(&self, origin: LogOrigin, shown: &Checkpoint) -> Option<Proved> {
        let log = OwnLog {
            origin: LogOrigin::parse(&self.origin).ok()?,
            size: self.reader.size(),
            root_at: &|size| self.reader.root_at(size).ok(),
        };
        log.judge(origin, shown.size(), shown.root())
    }

    /// Whether an envelope was sent from here; `None` where that cannot be found out.
    async fn knows_sent(&self, id: &EnvelopeId) -> Option<bool> {
        let row = self.view.get(&IdRow::key(id)).await.ok()?;
        match row {
            None => Some(false),
            Some(row) => Some(matches!(IdRow::decode(&row).ok()?, IdRow::Sent { .. })),
        }
    }

    /// From here on nothing is submitted, also after a restart. Told once.
    fn stop_submitting(self: &Arc<Self>, from: PartyCode, proved: Proved, claim: v1::Claim) {
        {
            let mut past = lock(&self.past);
            if past.is_some_and(|known| !says_more(&known, &proved)) {
                return;
            }
            *past = Some(proved);
        }
        self.metrics.submitting_stopped.set(1);
        if let Proved::NewerLife { life } = proved {
            let shown = Some((from, crate::clock::wall()));
            let newer = NewerLife { life, shown };
            *lock(&self.newer) = Some(newer);
            if let Err(e) = newer.keep(&self.layout) {
                tracing::warn!(error = %e, "who showed the newer life cannot be kept");
            }
        }
        if let Some(told) = self.stopped_told() {
            tracing::error!(%from, "{told}");
        }
        let leaf = v1::Leaf {
            kind: v1::LeafKind::Admin.into(),
            reason: v1::Reason::PastProven.into(),
            subject: subject(CLAIM, &abeng_wire::encode(&claim)).to_bytes(),
            ..Default::default()
        };
        let part = v1::ProofPart {
            of: Some(v1::proof_part::Of::Claim(claim.clone())),
        };
        let note = Input::Note {
            leaf: Box::new(leaf),
            proof: Some(part),
            private: None,
            tell: None,
            receipt_to: None,
        };
        let core = self.core.clone();
        // Where the process ends first, the next start is shown the same.
        tokio::spawn(async move {
            core.keep_now(Outside::Claim(claim)).await;
            core.give(note).await;
        });
    }

    /// Shows the party at the other end the newest checkpoint of its log that is known here.
    pub fn claim_to(&self, link: &Link) {
        let newest = lock(&self.logs).newest(link.peer()).cloned();
        if let Some(newest) = newest {
            claim(link, newest.note());
        }
    }

    /// Keeps what a peer showed of its log where nothing else of it is held: to show it to an older
    /// copy of that log, also after a restart here.
    pub fn remember_newest(&self, peer: PartyCode) {
        if let Some(newest) = lock(&self.logs).remember(peer) {
            self.core.keep(Outside::HeldCheckpoint {
                origin: newest.origin().to_owned(),
                note: newest.note().clone(),
                peaks: Vec::new(),
            });
        }
    }

    /// A link whose peer turns out to be in a life that is over: shown the newer one, then closed.
    pub fn refuse_outlived(self: &Arc<Self>, link: Link) {
        close_soon(link.clone(), self.show_newer(&link));
    }

    /// Shows a peer in a life that is over the newer one, and says why it gets no link. Its people may
    /// not look at that machine any more, so those here hear of it.
    pub fn show_newer(&self, link: &Link) -> &'static str {
        let (peer, life) = (link.peer(), Incarnation(link.hello().incarnation));
        let newer = lock(&self.logs).life(peer).unwrap_or(life);
        let now = crate::clock::wall();
        match lock(&self.stale).seen(peer, (life, newer), now) {
            true => {
                tracing::warn!(%peer, %life, %newer, from = %link.remote_addr(), "an old copy of this party's node is refused: it runs in a life of its log that a newer one has closed. Tell its people, by another way, to switch it off")
            }
            false => tracing::debug!(%peer, %life, "the old copy is refused again"),
        }
        self.claim_to(link);
        OUTLIVED
    }

    /// A link of a party whose log contradicts itself: whichever past it goes on from, it is shown
    /// the other, then closed.
    pub fn refuse_contradicted(self: &Arc<Self>, link: Link) {
        close_soon(link.clone(), self.show_contradictions(&link));
    }

    /// Shows a peer the two pasts of its log, and says why it gets no link.
    pub fn show_contradictions(&self, link: &Link) -> &'static str {
        let kept = lock(&self.contradictions).clone();
        for proof in kept.iter().filter(|proof| proof.party == link.peer()) {
            if let Ok(proof) = Contradiction::verify(&proof.bytes, &self.trust().roster) {
                claim(link, proof.first().note());
                claim(link, proof.second().note());
            }
        }
        CONTRADICTED
    }

    /// A checkpoint proves that a newer life of another's log has begun: its origin before is closed,
    /// and people hear of it.
    pub fn met_new_life(self: &Arc<Self>, origin: LogOrigin) {
        let (party, life) = (origin.party, origin.incarnation);
        // An older copy that is linked learns of it at once.
        if let Some(old) = self.links.link(party).filter(|link| self.outlived(link)) {
            self.refuse_outlived(old);
        }
        self.metrics.new_lives.inc();
        lock(&self.new_lives).insert(party, (life, crate::clock::wall()));
        tracing::warn!(%party, %life, "this party has begun a new life of its log: its machine was lost or replaced. If its people know of nothing, its keys are in other hands");
    }

    /// What `status` says of newer lives of others.
    pub fn new_lives_told(&self) -> Vec<Warning> {
        let lives = lock(&self.new_lives);
        let told = lives.iter().map(|(party, (_, at))| {
            let at = crate::clock::rfc3339(*at);
            let told = Warning::from(format!(
                "{party} began a new life of its log (seen here {at}): ask there, by another way, whether its machine was lost or replaced"
            ));
            told.because(Warned::NewLife, [("party", party.to_string()), ("at", at)])
        });
        told.collect()
    }

    /// Whether this log's checkpoints may go out. One whose past is in doubt by proof signs nothing
    /// new: that would be a second past, held against it for good. What it delivers gets its
    /// receipts in the next life.
    pub fn shows_its_log(&self) -> bool {
        self.stopped_submitting().is_none()
    }

    /// The same of its own accord, at the beat of witnessing: not before a peer was met.
    pub fn aims(&self) -> bool {
        self.shows_its_log() && self.met_peer.load(Ordering::Relaxed)
    }

    /// Whether the peer of a link is in a life that a newer one of its log has closed, by a
    /// checkpoint known here.
    pub fn outlived(&self, link: &Link) -> bool {
        self.is_over(link.peer(), Incarnation(link.hello().incarnation))
    }

    /// Whether a newer life of a party's log has closed this one, by a checkpoint known here.
    pub fn is_over(&self, party: PartyCode, life: Incarnation) -> bool {
        let newest = lock(&self.logs).life(party);
        newest.is_some_and(|newest| newest > life)
    }
}

/// Whether something newly proved says more than what is known: a newer life, the newest of them,
/// says which copy to switch off.
fn says_more(known: &Proved, proved: &Proved) -> bool {
    match (known, proved) {
        (Proved::NewerLife { life: known }, Proved::NewerLife { life }) => life > known,
        (_, Proved::NewerLife { .. }) => true,
        _ => false,
    }
}

/// Shows the party at the other end a checkpoint of its log.
pub fn claim(link: &Link, note: &Bytes) {
    link.control(v1::control::Frame::Claim(v1::Claim {
        note: note.clone(),
        ..Default::default()
    }));
}

/// Closes a link once the peer has had time to read why.
fn close_soon(link: Link, why: &'static str) {
    tokio::spawn(async move {
        tokio::time::sleep(REFUSED_STAYS).await;
        link.close(why);
    });
}

/// What a claim that an earlier start has kept proves still.
pub fn recover(outside: &[Outside], own: &OwnLog<'_>, roster: &Roster) -> Option<Proved> {
    let of = (own.origin.party, own.origin.incarnation);
    past::recover(outside, own, roster, |claim| {
        own_envelope(&claim.hdr, &claim.sig, of, roster)
    })
}
