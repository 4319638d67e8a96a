//! Envelopes that arrive: known? → verify → open → granted? → engine.
//!
//! Runs in the task that reads the link's stream, so that one peer's envelopes are checked in
//! order and a peer that sends too fast is simply not read.

use crate::{
    attachments, clock,
    shared::{Shared, lock},
};
use abeng_link::Link;
use abeng_notice::{Notice, retention::keep_here};
use abeng_queue::{Checked, Input, Refusable, Terms, rows::IdRow};
use abeng_roster::{NoticeFacts, Policy, Tlp, Trust};
use abeng_seal::{Arrived, Opened, VerifyFault, open, verify};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, StreamSeq, limits, v1};
use bytes::Bytes;
use std::sync::Arc;

/// The stream number and blind of an envelope that was opened.
type Position = Option<(StreamSeq, [u8; 16])>;

/// What became of a copy that arrived.
#[derive(Debug)]
pub enum Examined {
    /// The engine has it.
    Given,
    /// It has its outcome already, and whoever brought it gets the same receipt again.
    Known,
    /// For a fault that whoever carried it could have caused. Never an outcome.
    Dropped {
        /// What a link is told.
        kind: v1::FaultKind,
        /// Why, in words.
        why: String,
    },
}

impl Examined {
    /// For this fault.
    pub fn dropped(kind: v1::FaultKind, why: impl std::fmt::Display) -> Self {
        let why = why.to_string();
        Self::Dropped { kind, why }
    }
}

/// What an envelope takes on disk, within a few bytes.
pub fn size(arrived: &Arrived) -> usize {
    let stanzas: usize = arrived.stanzas().iter().map(Bytes::len).sum();
    arrived.hdr().bytes().len() + arrived.sig().len() + stanzas + arrived.body().len()
}

impl Shared {
    /// One envelope frame from a link.
    pub async fn arrive(self: &Arc<Self>, link: &Link, frame: Bytes) {
        self.metrics.arrived.inc();
        let from = link.peer();
        let arrived = match Arrived::parse(&frame) {
            Ok(arrived) => arrived,
            Err(fault) => return self.tell_fault(from, fault.id, fault.kind, &fault.why),
        };
        self.examine_and_tell(from, arrived).await;
    }

    /// The same, and the link is told where the copy is dropped.
    pub async fn examine_and_tell(&self, from: PartyCode, arrived: Arrived) {
        let about = (arrived.id(), self.to_carry(&arrived));
        if let Examined::Dropped { kind, why } = self.examine(from, arrived).await {
            self.tell_fault_about(from, about, kind, &why);
        }
    }

    /// Everything between parsing and the engine, under the roster and the view of this moment.
    pub async fn examine(&self, from: PartyCode, arrived: Arrived) -> Examined {
        let id = arrived.id();
        if let Some(recipient) = self.to_carry(&arrived) {
            return self.examine_carried(from, recipient, arrived).await;
        }
        // Whoever carries it could have brought it to the wrong door: never an outcome, no leaf.
        if arrived.originator() == self.me || arrived.entry(self.me).is_none() {
            return Examined::dropped(v1::FaultKind::FaultDamaged, "it is not for this party");
        }
        let looked = self.view.position();
        if self.answer_if_known(from, &id).await {
            if arrived.originator() != from {
                self.attachments.copy_from(from);
            }
            return Examined::Known;
        }
        let trust = self.trust();
        let checked = Checked {
            looked,
            roster_version: trust.roster.version(),
        };
        let size = size(&arrived);
        let input = match verify(arrived, &trust, self.me, clock::span()) {
            Ok(verified) => match self.open(verified) {
                Ok(opened) => {
                    let judged = self.judge(from, Box::new(opened), &trust, checked);
                    match judged.await {
                        Ok(input) => input,
                        Err(dropped) => return dropped,
                    }
                }
                Err((verified, reason)) => {
                    if reason == v1::Reason::KeyGone {
                        let originator = verified.arrived().originator();
                        lock(&self.key_gone).count(originator, clock::wall());
                    }
                    Input::Refuse {
                        from,
                        envelope: verified,
                        position: None,
                        reason,
                        checked,
                    }
                }
            },
            Err(VerifyFault::Originator(rejected)) => {
                let reason = rejected.reason();
                tracing::warn!(peer = %from, envelope = %id, why = %rejected.why(), "refused");
                Input::Refuse {
                    from,
                    envelope: Refusable::Rejected(rejected),
                    position: None,
                    reason,
                    checked,
                }
            }
            Err(VerifyFault::Carrier(fault)) => return Examined::dropped(fault.kind, fault.why),
        };
        // A refusal can wait for room too: it would fill the disk as a notice does.
        if matches!(input, Input::Refuse { .. })
            && let Err(dropped) = self.has_room(size)
        {
            return dropped;
        }
        self.core.give_from(from, input).await;
        Examined::Given
    }

    fn open(&self, verified: abeng_seal::Verified) -> Result<Opened, (Refusable, v1::Reason)> {
        let secrets = |kid: &abeng_wire::Kid| self.keyring.seal_secret(kid);
        let mut boxes = lock(&self.opened);
        match open(&verified, &secrets, self.me, &mut boxes) {
            Ok(opened) => Ok(opened),
            Err(fault) => {
                // The step stays here; outwards every failure of decryption looks the same.
                tracing::warn!(envelope = %verified.id(), step = %fault.step, "cannot be opened");
                Err((Refusable::Verified(Box::new(verified)), fault.reason))
            }
        }
    }

    /// Whether what was opened is a notice and may come from there. Dropped where that could not
    /// be found out.
    async fn judge(
        &self,
        from: PartyCode,
        opened: Box<Opened>,
        trust: &Trust,
        checked: Checked,
    ) -> Result<Input, Examined> {
        let judged = match Notice::parse(opened.notice().clone()) {
            Err(e) => {
                tracing::warn!(envelope = %opened.id(), error = %e, "holds no notice");
                Err(v1::Reason::BadNotice)
            }
            Ok(notice) if !attachments::agree(&notice, opened.verified().trl().message()) => {
                tracing::warn!(envelope = %opened.id(), "its attachments are not those that its originator signed");
                Err(v1::Reason::BadNotice)
            }
            Ok(notice) => {
                let (from, facts) = (opened.originator(), Self::facts(&notice));
                match Policy::may_receive(trust, from, self.me, &facts, clock::waits()) {
                    Ok(()) => {
                        // What takes back makes room; it always comes in.
                        if notice.recalls().is_none() {
                            self.has_room(size(opened.verified()))?;
                        }
                        self.count(notice.ty(), 0, 1);
                        Ok(Terms {
                            keep_until: keep_here(notice.keep_until(), clock::wall()),
                            recalls: notice.recalls(),
                            supersedes: notice.supersedes(),
                            anew_of: None,
                        })
                    }
                    // It stays with its originator, unread here, until the wait is over.
                    Err(refusal) if refusal.waits() => {
                        self.held_off(from);
                        return Err(Examined::dropped(v1::FaultKind::FaultBusy, refusal));
                    }
                    Err(refusal) => {
                        tracing::warn!(envelope = %opened.id(), %refusal, "not granted");
                        Err(v1::Reason::NotGranted)
                    }
                }
            }
        };
        match judged {
            Ok(terms) => {
                let Some(target) = self.target_of(&terms).await else {
                    let why = "what it takes back cannot be looked up";
                    return Err(Examined::dropped(v1::FaultKind::FaultBusy, why));
                };
                Ok(Input::Opened {
                    from,
                    opened,
                    terms,
                    target,
                    checked,
                })
            }
            Err(reason) => {
                let position: Position = Some((opened.stream_seq(), *opened.blind()));
                let envelope = Refusable::Verified(Box::new(opened.verified().clone()));
                Ok(Input::Refuse {
                    from,
                    envelope,
                    position,
                    reason,
                    checked,
                })
            }
        }
    }

    /// Whether there is room to keep an envelope of so many bytes. Where there is none whoever
    /// brought it keeps its copy.
    pub fn has_room(&self, size: usize) -> Result<(), Examined> {
        let admitted = self.quota.admit(size as u64);
        admitted.map_err(|none| Examined::dropped(v1::FaultKind::FaultQuota, none))
    }

    /// Answers a copy of what has its outcome already.
    async fn answer_if_known(&self, from: PartyCode, id: &EnvelopeId) -> bool {
        match self.outcome_of(id).await {
            Some(outcome) => {
                self.metrics.duplicates.inc();
                let known = Input::Duplicate { from, outcome };
                self.core.give_from(from, known).await;
                true
            }
            None => false,
        }
    }

    async fn outcome_of(&self, id: &EnvelopeId) -> Option<LeafIndex> {
        let row = self.view.get(&IdRow::key(id)).await.ok().flatten()?;
        match IdRow::decode(&row).ok()? {
            IdRow::Held { outcome, .. } => Some(outcome),
            _ => None,
        }
    }

    /// The look-up or the roster was too old: everything again.
    pub async fn check_again(self: Arc<Self>, from: PartyCode, opened: Box<Opened>) {
        let looked = self.view.position();
        if self.answer_if_known(from, &opened.id()).await {
            return;
        }
        let trust = self.trust();
        let checked = Checked {
            looked,
            roster_version: trust.roster.version(),
        };
        let id = opened.id();
        let input = match opened.verified().recheck(&trust) {
            Ok(_) => match self.judge(from, opened, &trust, checked).await {
                Ok(input) => input,
                Err(Examined::Dropped { kind, why }) => {
                    return self.tell_fault(from, Some(id), kind, &why);
                }
                Err(_) => return,
            },
            Err(fault) => return self.tell_fault(from, fault.id, fault.kind, &fault.why),
        };
        self.core.give(input).await;
    }

    /// What was to be refused is judged anew from the beginning: under a newer roster it may be good.
    pub async fn refuse_again(self: Arc<Self>, from: PartyCode, envelope: Refusable) {
        self.examine_and_tell(from, envelope.arrived().clone())
            .await;
    }

    /// Tells a peer that its copy was dropped. Never an outcome.
    pub fn tell_fault(
        &self,
        peer: PartyCode,
        id: Option<EnvelopeId>,
        kind: v1::FaultKind,
        why: &dyn std::fmt::Display,
    ) {
        match id {
            Some(id) => self.tell_fault_about(peer, (id, None), kind, why),
            // Nobody can say which copy it was.
            None => {
                tracing::warn!(%peer, %why, "dropped a copy; it stays with the sender");
                self.count_fault(kind);
            }
        }
    }

    /// Remembers that a newcomer has something for this party, for `status`.
    fn held_off(&self, from: PartyCode) {
        let mut held = lock(&self.held_off);
        if held.len() < limits::PARTIES || held.contains_key(&from) {
            held.insert(from, clock::mono());
        }
    }

    /// Whether a notice may go to these recipients.
    pub fn facts<'a>(notice: &'a Notice) -> NoticeFacts<'a> {
        NoticeFacts {
            ty: notice.ty(),
            tlp: Tlp(notice.tlp().number()),
        }
    }
}
