//! What was done, where a leaf's kind alone does not say it.

use crate::clock;
use abeng_audit_log::Stored;
use abeng_evidence::export_subject;
use abeng_wire::{EnvelopeId, SignedBytes, limits, v1};
use v1::proof_part::Of;

/// In a few words, from the leaf's permanent parts.
pub fn of(stored: &Stored) -> Option<String> {
    let leaf = stored.record.leaf().message();
    if leaf.kind() == v1::LeafKind::Exported {
        return exported(leaf).map(str::to_owned);
    }
    match stored.record.proof().ok()??.of? {
        Of::Receipt(receipt) => {
            let theirs = SignedBytes::<v1::Leaf>::parse("leaf", receipt.leaf, limits::LEAF).ok()?;
            Some(theirs.message().kind().as_str_name().to_owned())
        }
        Of::Hold(hold) => Some(format!("{}: {}", hold.act().as_str_name(), hold.reason)),
        Of::Retention(said) => {
            let until = clock::rfc3339(said.keep_until);
            Some(format!("kept until {until}: {}", said.reason))
        }
        Of::Release(said) => Some(release(&said)),
        Of::Scrub(scrub) => {
            let why = scrub.why().as_str_name().trim_start_matches("SCRUB_WHY_");
            Some(format!("{why}, {} records", scrub.indexes.len()))
        }
        _ => None,
    }
}

/// What became of a submission that a second person must release.
fn release(said: &v1::Release) -> String {
    let id: String = said.held_id.iter().map(|b| format!("{b:02x}")).collect();
    let act = format!("{} {id}", said.act().as_str_name());
    match (EnvelopeId::from_slice(&said.envelope_id), &*said.reason) {
        (Some(envelope), _) => format!("{act}: {envelope:.12}"),
        (None, "") => act,
        (None, reason) => format!("{act}: {reason}"),
    }
}

/// The leaf names only the digest of what it is about; of that there are two.
fn exported(leaf: &v1::Leaf) -> Option<&'static str> {
    let id = EnvelopeId::from_slice(&leaf.envelope_id)?;
    let is = |content| leaf.subject == export_subject(&id, content).0[..];
    match (is(true), is(false)) {
        (true, _) => Some("with content"),
        (_, true) => Some("without content"),
        _ => None,
    }
}
