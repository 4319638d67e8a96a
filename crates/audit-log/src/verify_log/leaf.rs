//! What a leaf stands on: its proof and private parts.

use super::Check;
use crate::{
    ACCEPTANCE, ATTACHMENT, CLAIM, CONTRADICTION, Contradiction, ContradictionError, EQUIVOCATION,
    Expect, HOLD, NoteError, RELEASE, RETENTION, ReceiptError, Record, private_part_hash, receipt,
    record::sha256, scrub::SCRUB_TYPE, subject,
};
use abeng_keys::{Role, SignatureType};
use abeng_roster::{TrustError, verify_own_incarnation};
use abeng_wire::{Digest, EnvelopeId, Kid, PartyCode, decode, limits, pae, v1};
use v1::{LeafKind as Kind, proof_part::Of};

impl Check<'_> {
    pub(super) fn stands_on(&mut self, index: u64, record: &Record) -> Result<(), String> {
        let leaf = record.leaf().message();
        self.private(leaf, record)?;
        self.scrubs.seen(index, record);
        let proof = record.proof().map_err(|e| e.to_string())?;
        match proof.and_then(|p| p.of) {
            Some(Of::Submitted(p)) => self.envelope(leaf, &p.hdr, &p.sig)?,
            Some(Of::Received(p)) => {
                self.envelope(leaf, &p.hdr, &p.sig)?;
                if let Some(position) = p.position {
                    self.position(leaf, &position)?;
                }
            }
            Some(Of::Relayed(p)) => self.envelope(leaf, &p.hdr, &p.sig)?,
            Some(Of::Queued(position)) => self.position(leaf, &position)?,
            Some(Of::Receipt(receipt)) => self.receipt(leaf, &receipt)?,
            Some(Of::Statement(signed)) => self.statement(index, leaf, &signed)?,
            Some(Of::Void(void)) => {
                let bytes = abeng_wire::encode(&void);
                same_subject(leaf, SignatureType::VOID, &bytes)?;
            }
            Some(Of::Scrub(scrub)) => self.scrub(index, leaf, &scrub)?,
            Some(Of::Contradiction(said)) => self.contradiction(leaf, &said)?,
            Some(Of::Hold(hold)) => same_named(leaf, HOLD, &abeng_wire::encode(&hold))?,
            Some(Of::Retention(retention)) => {
                same_named(leaf, RETENTION, &abeng_wire::encode(&retention))?;
            }
            Some(Of::Claim(claim)) => same_named(leaf, CLAIM, &abeng_wire::encode(&claim))?,
            Some(Of::Attachment(file)) => {
                same_named(leaf, ATTACHMENT, &abeng_wire::encode(&file))?;
            }
            Some(Of::Adoption(adoption)) => self.adoption(leaf, &adoption)?,
            Some(Of::Acceptance(said)) => {
                same_named(leaf, ACCEPTANCE, &abeng_wire::encode(&said))?;
            }
            Some(Of::Equivocation(said)) => {
                same_named(leaf, EQUIVOCATION, &abeng_wire::encode(&said))?;
            }
            Some(Of::Release(said)) => same_named(leaf, RELEASE, &abeng_wire::encode(&said))?,
            None if needs_proof(leaf.kind()) => return Err("the leaf's proof is missing".into()),
            None => {}
        }
        let outcome = matches!(leaf.kind(), Kind::Delivered | Kind::Refused);
        let id = leaf.envelope_id.first_chunk::<16>();
        if outcome && id.is_some_and(|id| !self.ended.insert(*id)) {
            return Err("the envelope has a second final outcome".into());
        }
        Ok(())
    }

    fn private(&mut self, leaf: &v1::Leaf, record: &Record) -> Result<(), String> {
        let Some(private) = record.private().map_err(|e| e.to_string())? else {
            if !leaf.private_hash.is_empty() && !record.is_scrubbed() {
                return Err("the private part that the leaf commits to is missing".into());
            }
            return Ok(());
        };
        if private.salt.len() != 32 || private_part_hash(&private).0[..] != leaf.private_hash[..] {
            return Err("the private part is not the one that the leaf commits to".into());
        }
        self.report.commitments += 1;
        Ok(())
    }

    fn envelope(&mut self, leaf: &v1::Leaf, hdr: &[u8], sig: &[u8]) -> Result<(), String> {
        let signed = SignatureType::ENVELOPE.pae(hdr);
        if sha256(&signed).0[..] != leaf.envelope_id[..] {
            return Err("the HDR is not that of the leaf's envelope".into());
        }
        let hdr: v1::Hdr = read("HDR", hdr, limits::HDR)?;
        let pre: v1::Pre = read("PRE", &hdr.pre, limits::PRE)?;
        if pre.originator != leaf.originator {
            return Err("the HDR is another originator's than the leaf says".into());
        }
        let to =
            |r: &v1::PreRecipient| r.party == leaf.recipient && r.seq_commit == leaf.seq_commit;
        if !leaf.recipient.is_empty() && !pre.recipients.iter().any(to) {
            return Err("the HDR does not name the leaf's recipient with its seq_commit".into());
        }
        let party = PartyCode::new(&pre.originator).ok();
        let party = party.and_then(|code| self.trust.roster.party(code));
        let key = Kid::from_slice(&pre.org_sign_kid)
            .and_then(|kid| party.and_then(|party| party.key(Role::OrgSign, &kid)));
        let Some(key) = key else {
            self.report.unjudged += 1;
            return Ok(());
        };
        key.key
            .verify_message(&signed, sig)
            .map_err(|_| "the envelope's signature does not hold")?;
        self.report.signatures += 1;
        Ok(())
    }

    fn position(&mut self, leaf: &v1::Leaf, at: &v1::StreamPosition) -> Result<(), String> {
        let opened = [&at.blind[..], &at.stream_seq.to_be_bytes()].concat();
        let commit = sha256(&pae("abeng/1/seq", &opened));
        if at.stream_seq == 0 || at.blind.len() != 16 || commit.0[..] != leaf.seq_commit[..] {
            return Err("the stream number is not the one that the leaf commits to".into());
        }
        self.report.commitments += 1;
        Ok(())
    }

    fn scrub(&mut self, index: u64, leaf: &v1::Leaf, scrub: &v1::Scrub) -> Result<(), String> {
        if subject(SCRUB_TYPE, &abeng_wire::encode(scrub)).0[..] != leaf.subject[..] {
            return Err("the scrub is not the one that the leaf is about".into());
        }
        match leaf.kind() {
            Kind::ScrubBegun => self.scrubs.begun(index, leaf, scrub),
            Kind::Scrubbed => self.scrubs.done(leaf, scrub),
            _ => Ok(()),
        }
    }

    fn receipt(&mut self, leaf: &v1::Leaf, taken: &v1::Receipt) -> Result<(), String> {
        let code = |text: &str| PartyCode::new(text).map_err(|e| e.to_string());
        let expect = Expect {
            roster: &self.trust.roster,
            envelope_id: EnvelopeId::from_slice(&leaf.envelope_id).ok_or("no envelope is named")?,
            originator: code(&leaf.originator)?,
            recipient: code(&leaf.recipient)?,
            seq_commit: Digest::from_slice(&leaf.seq_commit).ok_or("no seq_commit is named")?,
        };
        match receipt::verify_alone(taken, &expect) {
            Ok(_) => self.report.receipts += 1,
            // Good when it was taken; this roster cannot say so any more.
            Err(
                ReceiptError::NotRelay { .. }
                | ReceiptError::Note(NoteError::UnknownLog { .. } | NoteError::Unsigned),
            ) => self.report.unjudged += 1,
            Err(e) => return Err(e.to_string()),
        }
        Ok(())
    }

    fn contradiction(&mut self, leaf: &v1::Leaf, said: &v1::Contradiction) -> Result<(), String> {
        let bytes = abeng_wire::encode(said);
        if subject(CONTRADICTION, &bytes).0[..] != leaf.subject[..] {
            return Err("the contradiction is not the one that the leaf is about".into());
        }
        match Contradiction::verify(&bytes, &self.trust.roster) {
            Ok(_) => self.report.contradictions += 1,
            // Good when it was kept; this roster cannot say so any more.
            Err(ContradictionError::Note(NoteError::UnknownLog { .. } | NoteError::Unsigned)) => {
                self.report.unjudged += 1;
            }
            Err(e) => return Err(e.to_string()),
        }
        Ok(())
    }

    fn statement(
        &mut self,
        index: u64,
        leaf: &v1::Leaf,
        signed: &v1::Signed,
    ) -> Result<(), String> {
        match leaf.kind() {
            Kind::Incarnation => {
                same_subject(leaf, SignatureType::INCARNATION, &signed.bytes)?;
                let opened = verify_own_incarnation(&self.trust.roster, signed);
                let opened = opened.map_err(|e: TrustError| e.to_string())?;
                if index == 0
                    && (opened.party != self.me.as_str() || opened.incarnation != leaf.incarnation)
                {
                    return Err("the statement in leaf 0 opens another incarnation".into());
                }
                self.report.signatures += 1;
                Ok(())
            }
            Kind::RosterAdopted => same_subject(leaf, SignatureType::ROSTER, &signed.bytes),
            Kind::Voided => self.void(leaf, signed),
            _ => Ok(()),
        }
    }

    /// The roster that was adopted is held here, or is kept as the other side of an equivocation.
    fn adoption(&mut self, leaf: &v1::Leaf, adoption: &v1::Adoption) -> Result<(), String> {
        let said = adoption.roster.as_ref();
        let (version, digest) = said.map_or((0, &[][..]), |r| (r.version, &r.digest[..]));
        if self.trust.roster_signed(version).is_none() {
            self.report.unjudged += 1;
            return Ok(());
        }
        match self.trust.either_roster(version, digest) {
            Some(roster) => same_subject(leaf, SignatureType::ROSTER, &roster.bytes),
            None => Err(format!(
                "it adopted another roster {version} than the one held"
            )),
        }
    }

    /// An originator's word on its stream to here.
    fn void(&mut self, leaf: &v1::Leaf, signed: &v1::Signed) -> Result<(), String> {
        same_subject(leaf, SignatureType::VOID, &signed.bytes)?;
        let void: v1::Void = read("void", &signed.bytes, limits::STATEMENT)?;
        if void.originator != leaf.originator || void.recipient != leaf.recipient {
            return Err("the void is of another stream than the leaf says".into());
        }
        let [signature] = &signed.signatures[..] else {
            return Err("the void bears another number of signatures than one".into());
        };
        let party = PartyCode::new(&void.originator).ok();
        let party = party.and_then(|code| self.trust.roster.party(code));
        let key = Kid::from_slice(&signature.kid)
            .and_then(|kid| party.and_then(|party| party.key(Role::OrgSign, &kid)));
        let Some(key) = key else {
            self.report.unjudged += 1;
            return Ok(());
        };
        key.key
            .verify(SignatureType::VOID, &signed.bytes, &signature.ed25519)
            .map_err(|_| "the void's signature does not hold")?;
        self.report.signatures += 1;
        Ok(())
    }
}

/// Kinds that are nothing without their proof.
fn needs_proof(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Incarnation
            | Kind::Submitted
            | Kind::Queued
            | Kind::Received
            | Kind::Relayed
            | Kind::ReceiptTaken
            | Kind::ScrubBegun
            | Kind::Scrubbed
            | Kind::Contradiction
    )
}

fn same_subject(leaf: &v1::Leaf, kind: SignatureType, bytes: &[u8]) -> Result<(), String> {
    same_named(leaf, kind.name(), bytes)
}

fn same_named(leaf: &v1::Leaf, kind: &str, bytes: &[u8]) -> Result<(), String> {
    if subject(kind, bytes).0[..] != leaf.subject[..] {
        return Err("the statement is not the one that the leaf is about".into());
    }
    Ok(())
}

fn read<M: abeng_wire::prost::Message + Default>(
    what: &'static str,
    bytes: &[u8],
    limit: usize,
) -> Result<M, String> {
    decode(what, &bytes::Bytes::copy_from_slice(bytes), limit).map_err(|e| e.to_string())
}
