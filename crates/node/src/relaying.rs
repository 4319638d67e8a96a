//! A relay's work: carrying envelopes between two parties that are not linked, and bringing back
//! what the recipient says. It opens nothing and prunes nothing that it was not sent: an
//! originator sends it the stanza of one recipient.

mod back;
mod reach;
mod view;
mod words;

pub use reach::{Reaching, work};

use crate::{
    clock,
    inbound::{Examined, size},
    shared::Shared,
};
use abeng_audit_log::ReadError;
use abeng_queue::{Checked, Input, Place, rows::CarriedIdRow};
use abeng_roster::Roster;
use abeng_seal::{Arrived, Verified, VerifyFault, verify};
use abeng_wire::{EnvelopeId, LeafIndex, PartyCode, encode, v1};
use bytes::Bytes;
use std::sync::Arc;

/// Whether a party may relay, by the roster.
pub fn is_relay(roster: &Roster, party: PartyCode) -> bool {
    roster
        .party(party)
        .is_some_and(|party| party.relay && party.is_active())
}

impl Shared {
    /// For whom an envelope that is not for this party is to be carried: this party is a relay,
    /// and the stanza of exactly one other recipient came along.
    pub fn to_carry(&self, arrived: &Arrived) -> Option<PartyCode> {
        if arrived.originator() == self.me || !is_relay(&self.trust().roster, self.me) {
            return None;
        }
        let here = |stanza: &&Bytes| !stanza.is_empty();
        if arrived.stanzas().iter().filter(here).count() != 1 {
            return None;
        }
        let carries = |party: &&PartyCode| arrived.carries(**party);
        let recipient = arrived.recipients().iter().find(carries)?;
        (*recipient != self.me).then_some(*recipient)
    }

    /// Everything between parsing and the engine, for an envelope that is to be carried. Whatever
    /// is wrong with it, the outcome is the recipient's to give: here it is only a dropped copy.
    pub async fn examine_carried(
        &self,
        from: PartyCode,
        recipient: PartyCode,
        arrived: Arrived,
    ) -> Examined {
        let id = arrived.id();
        let looked = self.view.position();
        if arrived.originator() == from && self.answer_if_carried(from, &id, recipient).await {
            return Examined::Known;
        }
        let trust = self.trust();
        let checked = Checked {
            looked,
            roster_version: trust.roster.version(),
        };
        let size = size(&arrived);
        let verified = match self.verify_carried(from, recipient, arrived) {
            Ok(verified) => Box::new(verified),
            Err(dropped) => return dropped,
        };
        if let Err(dropped) = self.has_room(size) {
            return dropped;
        }
        let carry = Input::Carry {
            from,
            recipient,
            verified,
            checked,
        };
        self.core.give_from(from, carry).await;
        Examined::Given
    }

    fn verify_carried(
        &self,
        from: PartyCode,
        recipient: PartyCode,
        arrived: Arrived,
    ) -> Result<Verified, Examined> {
        if arrived.originator() != from {
            let why = "a relay takes an envelope only from its originator";
            return Err(Examined::dropped(v1::FaultKind::FaultDamaged, why));
        }
        let trust = self.trust();
        if !trust.roster.party(recipient).is_some_and(|p| p.is_active()) {
            let why = format!("{recipient} is not an active party of the roster here");
            return Err(Examined::dropped(v1::FaultKind::FaultUnknownKey, why));
        }
        // As the recipient will: with its own stanza, and no word about any other.
        match verify(arrived, &trust, recipient, clock::span()) {
            Ok(verified) => Ok(verified),
            Err(VerifyFault::Carrier(fault)) => Err(Examined::dropped(fault.kind, fault.why)),
            Err(VerifyFault::Originator(rejected)) => {
                let kind = match rejected.reason() {
                    v1::Reason::TimePassed => v1::FaultKind::FaultClock,
                    _ => v1::FaultKind::FaultDamaged,
                };
                Err(Examined::dropped(kind, rejected.why()))
            }
        }
    }

    /// Answers a copy of what is or was carried here.
    async fn answer_if_carried(
        &self,
        from: PartyCode,
        id: &EnvelopeId,
        recipient: PartyCode,
    ) -> bool {
        let Some(row) = self.carried_row(id, recipient).await else {
            return false;
        };
        self.metrics.duplicates.inc();
        let outcome = row.answer();
        self.core
            .give_from(from, Input::Duplicate { from, outcome })
            .await;
        true
    }

    /// What is known of an envelope that is or was carried here.
    pub async fn carried_row(&self, id: &EnvelopeId, recipient: PartyCode) -> Option<CarriedIdRow> {
        let key = CarriedIdRow::key(id, recipient);
        let row = self.view.get(&key).await.ok().flatten()?;
        CarriedIdRow::decode(&row).ok()
    }

    /// Where what is carried for a recipient waits, or did.
    pub async fn carried_place(&self, id: &EnvelopeId, recipient: PartyCode) -> Option<Place> {
        let row = self.carried_row(id, recipient).await?;
        Some(Place::carried(recipient, row.precedence, row.relayed))
    }

    /// The look-up or the roster was too old: everything again.
    pub async fn carry_again(
        self: Arc<Self>,
        from: PartyCode,
        recipient: PartyCode,
        verified: Box<Verified>,
    ) {
        let about = (verified.id(), Some(recipient));
        let arrived: Arrived = (**verified).clone();
        let examined = self.examine_carried(from, recipient, arrived).await;
        if let Examined::Dropped { kind, why } = examined {
            self.tell_fault_about(from, about, kind, &why);
        }
    }

    /// An envelope as it goes to one recipient, from the record at its Submitted or Relayed leaf;
    /// empty where its content is gone.
    pub fn frame_of(&self, leaf: LeafIndex, recipient: PartyCode) -> Result<Bytes, ReadError> {
        if let Some(sent) = self.recent.at(leaf) {
            return Ok(sent.frame_for(recipient));
        }
        let record = self.reader.read(leaf)?.record;
        if record.leaf().message().kind() != v1::LeafKind::Relayed {
            let sent = self.load_sent(leaf)?;
            return Ok(match sent.frame.is_empty() {
                true => Bytes::new(),
                false => sent.frame_for(recipient),
            });
        }
        let damaged = |what: &str| ReadError::Damaged {
            file: "journal".to_owned(),
            offset: 0,
            what: format!("leaf {leaf} {what}"),
        };
        let proof = record.proof().map_err(|e| damaged(&e.to_string()))?;
        let Some(v1::proof_part::Of::Relayed(proof)) = proof.and_then(|p| p.of) else {
            return Err(damaged("is not of an envelope that is carried"));
        };
        let body = record.body().map_err(|e| damaged(&e.to_string()))?;
        Ok(body.map_or(Bytes::new(), |body| {
            encode(&v1::Envelope {
                hdr: proof.hdr,
                sig: proof.sig,
                stanzas: body.stanzas,
                body: body.body,
            })
        }))
    }

    /// Counts a copy that was dropped.
    pub fn count_fault(&self, kind: v1::FaultKind) {
        let name = kind.as_str_name().trim_start_matches("FAULT_");
        let kind = name.to_lowercase();
        let label = crate::metrics::Kind { kind };
        self.metrics.faults.get_or_create(&label).inc();
    }

    /// Tells a peer that its copy was dropped, and for whom it was.
    pub fn tell_fault_about(
        &self,
        peer: PartyCode,
        (id, recipient): (EnvelopeId, Option<PartyCode>),
        kind: v1::FaultKind,
        why: &dyn std::fmt::Display,
    ) {
        tracing::warn!(%peer, envelope = %id, %why, "dropped a copy; it stays with the sender");
        self.count_fault(kind);
        if let Some(link) = self.links.link(peer) {
            link.control(v1::control::Frame::Fault(v1::Fault {
                envelope_id: id.to_bytes(),
                kind: kind.into(),
                recipient: recipient.map(|r| r.to_string()).unwrap_or_default(),
            }));
        }
    }
}
