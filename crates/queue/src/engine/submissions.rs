//! From a cleared notice to the queue: numbers, tickets, Submitted and Queued.

use super::Engine;
use crate::{
    Free, Gated, Plan, PrivateInput, Terms, Ticket,
    lane::{self, Entry},
    rows::{QueueRow, frame_size},
};
use abeng_audit_log::{Record, subject};
use abeng_seal::Sealed;
use abeng_wire::{EnvelopeId, Now, PartyCode, StreamSeq, encode, pae_signature_type, v1};
use bytes::Bytes;
use std::collections::BTreeSet;

/// The most that one step holds of what waited for a slow seal, in bytes as they are journalled;
/// one submission may be above it.
pub(super) const STEP_BYTES: usize = 8 << 20;
/// What is counted for a leaf with its proof.
const LEAF_BYTES: usize = 1024;

/// A submission that has numbers and is not journalled.
#[derive(Debug)]
pub(super) struct Pending {
    ticket: Ticket,
    positions: Vec<(PartyCode, StreamSeq)>,
    state: State,
}

#[derive(Debug)]
enum State {
    Sealing,
    Sealed(Box<Sealed>, PrivateInput, u64, Box<Terms>),
    Failed,
}

impl Pending {
    /// Bytes in the journal, about.
    fn size(&self) -> usize {
        let leaves = LEAF_BYTES * (1 + self.positions.len());
        match &self.state {
            State::Sealed(sealed, ..) => {
                let stanzas: usize = sealed.stanzas().iter().map(Bytes::len).sum();
                leaves + sealed.hdr().bytes().len() + stanzas + sealed.body().len()
            }
            State::Sealing | State::Failed => leaves,
        }
    }
}

impl Engine {
    pub(super) fn reserve(
        &mut self,
        ticket: Ticket,
        mut recipients: Vec<PartyCode>,
        plan: &mut Plan,
    ) {
        let before = self.pending.back().map(|last| last.ticket);
        assert!(before < Some(ticket), "tickets are reserved in order");
        recipients.sort_unstable();
        recipients.dedup();
        let mut number = |recipient| {
            let next = self.streams.entry(recipient).or_insert(StreamSeq::FIRST);
            let seq = *next;
            *next = seq.next();
            (recipient, seq)
        };
        let positions: Vec<_> = recipients.into_iter().map(&mut number).collect();
        self.pending.push_back(Pending {
            ticket,
            positions: positions.clone(),
            state: State::Sealing,
        });
        plan.free.push(Free::SealNow { ticket, positions });
    }

    pub(super) fn sealed(
        &mut self,
        now: Now,
        ticket: Ticket,
        (sealed, private, cleared_under, terms): (Box<Sealed>, PrivateInput, u64, Terms),
        plan: &mut Plan,
    ) {
        if let Some(pending) = self.sealing(ticket) {
            let numbers = sealed.blinds().iter().map(|&(party, seq, _)| (party, seq));
            assert!(
                numbers.eq(pending.positions.iter().copied()),
                "I5: an envelope has exactly the numbers that were reserved for it"
            );
            pending.state = State::Sealed(sealed, private, cleared_under, Box::new(terms));
            self.drain(now, plan);
        }
    }

    pub(super) fn seal_failed(&mut self, now: Now, ticket: Ticket, plan: &mut Plan) {
        if let Some(pending) = self.sealing(ticket) {
            pending.state = State::Failed;
            self.drain(now, plan);
        }
    }

    /// The pending submission of a ticket, if it is still being sealed.
    fn sealing(&mut self, ticket: Ticket) -> Option<&mut Pending> {
        let at = self.pending.binary_search_by_key(&ticket, |p| p.ticket);
        let pending = self.pending.get_mut(at.ok()?)?;
        matches!(pending.state, State::Sealing).then_some(pending)
    }

    /// Whether more is ready than one step may hold: [`Input::Tick`](crate::Input::Tick) is to be
    /// given at once.
    pub fn has_more(&self) -> bool {
        let first = self.pending.front();
        first.is_some_and(|first| !matches!(first.state, State::Sealing))
    }

    /// Journals what is ready, in ticket order, as far as one step may hold it; then the links are
    /// looked at once, so that what is urgent among it goes first.
    pub(super) fn drain(&mut self, now: Now, plan: &mut Plan) {
        let mut queued_for = BTreeSet::new();
        self.journal_ready(now, &mut queued_for, plan);
        for recipient in queued_for {
            self.forward(now, recipient, plan);
        }
    }

    fn journal_ready(&mut self, now: Now, queued_for: &mut BTreeSet<PartyCode>, plan: &mut Plan) {
        let mut bytes = 0;
        while let Some(first) = self.pending.front_mut() {
            let size = first.size();
            if bytes > 0 && bytes + size > STEP_BYTES {
                return;
            }
            bytes += size;
            match std::mem::replace(&mut first.state, State::Sealing) {
                State::Sealing => return,
                State::Sealed(sealed, private, under, terms)
                    if under < self.config.roster.version =>
                {
                    // Stays in its place; the answer comes as `Sealed` or `SealFailed`.
                    plan.free.push(Free::ClearAgain {
                        ticket: first.ticket,
                        sealed,
                        private,
                        terms: *terms,
                    });
                    return;
                }
                State::Sealed(sealed, private, _, terms) => {
                    let ticket = first.ticket;
                    self.pending.pop_front();
                    queued_for.extend(sealed.recipients());
                    self.submit(now, ticket, (&sealed, private, *terms), plan);
                }
                State::Failed => {
                    if let Some(pending) = self.pending.pop_front() {
                        self.void(now, pending, plan);
                    }
                }
            }
        }
    }

    fn submit(
        &mut self,
        now: Now,
        ticket: Ticket,
        (sealed, private, terms): (&Sealed, PrivateInput, Terms),
        plan: &mut Plan,
    ) {
        let envelope_id = sealed.id();
        let leaf = |kind| v1::Leaf {
            envelope_id: envelope_id.to_bytes(),
            originator: self.config.me.to_string(),
            ..self.leaf(now, kind)
        };
        let queued_leaf = leaf(v1::LeafKind::Queued);
        let record = Record::new(leaf(v1::LeafKind::Submitted))
            .with_proof(&proof(v1::proof_part::Of::Submitted(v1::SubmittedProof {
                hdr: sealed.hdr().bytes().clone(),
                sig: sealed.sig().clone(),
                keep_until: terms.keep_until,
                recalls: recalls(&terms),
                supersedes: id_bytes(terms.supersedes),
                anew_of: id_bytes(terms.anew_of),
            })))
            .with_body(&v1::BodyPart {
                stanzas: sealed.stanzas().to_vec(),
                body: sealed.body().clone(),
            });
        let record = private.add_to(record, sealed.own_copy().clone());
        let submitted = self.fact(plan, record);
        plan.step.gated.push(Gated::Submitted {
            ticket,
            envelope_id,
            submitted,
        });

        let body = sealed.body().len() as u64;
        let size = frame_size(sealed.hdr().bytes().len(), body, sealed.recipients().len());
        let entries = &sealed.pre().message().recipients;
        for (&(recipient, seq, blind), entry) in sealed.blinds().iter().zip(entries) {
            let record = Record::new(v1::Leaf {
                recipient: recipient.to_string(),
                seq_commit: entry.seq_commit.clone(),
                ..queued_leaf.clone()
            })
            .with_proof(&proof(v1::proof_part::Of::Queued(position(seq, &blind))));
            let queued = self.fact(plan, record);
            let row = QueueRow {
                submitted,
                queued,
                seq,
                life: self.config.incarnation,
                created_at: sealed.created_at(),
                expires_at: sealed.expires_at(),
                size,
            };
            let entry = Entry::from(&row).waiting_since(now.mono);
            let lane = self.lanes.entry(recipient).or_default();
            let key = lane::key(sealed.precedence(), seq);
            lane.push(key, entry);
            self.wait_for_one(now, recipient, key);
        }
    }

    /// Closes the numbers of an envelope that will never exist.
    fn void(&mut self, now: Now, pending: Pending, plan: &mut Plan) {
        let originator = self.config.me.to_string();
        for (recipient, seq) in pending.positions {
            let void = v1::Void {
                originator: originator.clone(),
                incarnation: self.config.incarnation.0,
                recipient: recipient.to_string(),
                first: seq.get(),
                last: seq.get(),
                reason: v1::VoidReason::VoidFailed.into(),
                envelope_id: Bytes::new(),
            };
            let about = subject(&pae_signature_type("void.v1"), &encode(&void));
            let leaf = v1::Leaf {
                originator: originator.clone(),
                recipient: recipient.to_string(),
                reason: v1::Reason::SealFailed.into(),
                subject: about.to_bytes(),
                ..self.leaf(now, v1::LeafKind::Voided)
            };
            let record = Record::new(leaf).with_proof(&proof(v1::proof_part::Of::Void(void)));
            self.fact(plan, record);
            plan.step.gated.push(Gated::Void {
                recipient,
                via: self.way_around(now, recipient),
                seq,
                reason: v1::VoidReason::VoidFailed,
                envelope_id: None,
            });
        }
        plan.step.gated.push(Gated::Failed {
            ticket: pending.ticket,
        });
    }
}

/// The recalled notice as proof parts hold it.
pub(super) fn recalls(terms: &Terms) -> Bytes {
    id_bytes(terms.recalls)
}

fn id_bytes(id: Option<EnvelopeId>) -> Bytes {
    id.map(|id| id.to_bytes()).unwrap_or_default()
}

pub(super) fn proof(of: v1::proof_part::Of) -> v1::ProofPart {
    v1::ProofPart { of: Some(of) }
}

pub(super) fn position(seq: StreamSeq, blind: &[u8; 16]) -> v1::StreamPosition {
    v1::StreamPosition {
        stream_seq: seq.get(),
        blind: Bytes::copy_from_slice(blind),
    }
}
