//! A verdict for machines.

use super::time;
use abeng_evidence::{CheckpointProof, Doubt, Fact, PartyFacts, Verdict};
use abeng_notice::Notice;
use serde_json::{Value, json};

pub(super) fn verdict(verdict: &Verdict) -> Value {
    let facts = |facts: &[Fact]| -> Vec<Value> { facts.iter().map(|f| fact(f, verdict)).collect() };
    let party = |party: &PartyFacts| {
        json!({
            "party": party.party.as_str(),
            "name": party.name,
            "facts": facts(&party.facts),
        })
    };
    json!({
        "verified": true,
        "id": verdict.envelope_id.to_string(),
        "network": verdict.network.as_str(),
        "root": verdict.root.to_string(),
        "root_compared": verdict.pinned,
        "roster": {
            "version": verdict.newest_roster.0,
            "digest": verdict.newest_roster.1.to_string(),
        },
        "named_roster": {
            "version": verdict.named_roster.0,
            "digest": verdict.named_roster.1.to_string(),
        },
        "judged_by_roster": verdict.judged_by,
        "originator": party(&verdict.originator),
        "key": verdict.kid.to_string(),
        "incarnation": verdict.incarnation.to_string(),
        "created_at_claimed": time(verdict.created_at),
        "expires_at": time(verdict.expires_at),
        "precedence": verdict.precedence.as_str_name(),
        "attachments": verdict.attachments,
        "recipients": verdict.recipients.iter().map(party).collect::<Vec<_>>(),
        "relays": facts(&verdict.relays),
        "exported_by": verdict.maker.as_str(),
        "exported": fact(&verdict.exported, verdict),
        "checkpoints": verdict.checkpoints.iter().map(checkpoint).collect::<Vec<_>>(),
        "content": content(verdict),
        "not_proved": verdict.doubts.iter().map(|d| doubt(d, verdict)).collect::<Vec<_>>(),
    })
}

fn fact(fact: &Fact, verdict: &Verdict) -> Value {
    let log = verdict.checkpoints.get(fact.checkpoint);
    json!({
        "kind": fact.kind.as_str_name(),
        "by": fact.by.as_str(),
        "reason": (fact.reason != Default::default()).then(|| fact.reason.as_str_name()),
        "at_claimed": time(fact.claimed_at),
        "seen_by_quorum_at": fact.seen_by.map(time),
        "log": log.map(|log| log.origin.to_string()),
        "leaf": fact.index,
        "checkpoint": fact.checkpoint,
    })
}

fn checkpoint(proof: &CheckpointProof) -> Value {
    let by = proof.by.iter();
    json!({
        "log": proof.origin.to_string(),
        "size": proof.size,
        "root": proof.root,
        "roster_version": proof.judged_by,
        "continues_the_one_before": proof.continues,
        "witnesses": by.map(|by| json!({ "party": by.party.as_str(), "at": time(by.at) }))
            .collect::<Vec<_>>(),
        "witnesses_needed": proof.needed,
        "witnesses_of_the_log": proof.of,
        "witnessed_at": proof.witnessed_at.map(time),
    })
}

fn content(verdict: &Verdict) -> Value {
    let Some(bytes) = &verdict.content else {
        return Value::Null;
    };
    match Notice::parse(bytes.clone()) {
        Ok(notice) => json!({ "type": notice.ty(), "notice": notice.to_json() }),
        Err(e) => json!({
            "type": null,
            "not_a_notice": e.to_string(),
            "hex": data_encoding::HEXLOWER.encode(bytes),
        }),
    }
}

fn doubt(doubt: &Doubt, verdict: &Verdict) -> Value {
    let code = match doubt {
        Doubt::RootNotPinned { .. } => "root_not_compared",
        Doubt::NotWitnessed { .. } => "not_witnessed",
        Doubt::RosterNotHeld { .. } => "roster_not_held",
        Doubt::KeyRevoked { .. } => "key_revoked",
        Doubt::OlderRoster { .. } => "older_roster",
        Doubt::NotConnected { .. } => "not_connected",
        Doubt::NoOutcome { .. } => "no_outcome",
        Doubt::SecondOutcome { .. } => "second_outcome",
        Doubt::NotDisclosed => "content_not_disclosed",
    };
    json!({ "code": code, "text": super::tell::doubt(doubt, verdict) })
}
