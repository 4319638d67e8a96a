//! A verdict for people.

use super::time;
use crate::{Paint, Ui, inbox::pairs, table::wrap};
use abeng_evidence::{CheckpointProof, Doubt, Fact, PartyFacts, Verdict};
use abeng_node::count::count;
use abeng_notice::{Notice, printable};
use abeng_wire::v1::{LeafKind, Reason};
use std::path::Path;

/// Everything that a file proves, and what it does not.
pub(super) fn verdict(verdict: &Verdict, ui: &Ui) -> String {
    let head = format!("Verified: evidence about notice {}", verdict.envelope_id);
    let mut out = format!("{}\n\n", ui.paint(Paint::Good, &wrap(&head, ui.width, 2)));
    out.push_str(&sending(verdict, ui));
    out.push_str(&party(&verdict.originator, "sent", verdict, ui));
    for recipient in &verdict.recipients {
        out.push_str(&party(recipient, state(recipient), verdict, ui));
    }
    if !verdict.relays.is_empty() {
        out.push_str(&format!("\n{}\n", ui.paint(Paint::Strong, "Relays")));
        out.push_str(&facts(&verdict.relays, verdict, ui));
    }
    out.push_str(&checkpoints(verdict, ui));
    out.push_str(&content(verdict, ui));
    out.push_str(&doubts(verdict, ui));
    out
}

/// After an export.
pub(super) fn exported(verdict: &Verdict, out: &Path, bytes: usize, ui: &Ui) -> String {
    let what = match verdict.content {
        Some(_) => "It discloses what the notice says: whoever has it can read it.",
        None => "It does not disclose what the notice says.",
    };
    let text = format!(
        "Wrote {} ({bytes} bytes): evidence about notice {}. {what} Leaf {} of the audit log of {} \
         says that it was exported. Check it anywhere with: abeng evidence verify {}",
        out.display(),
        verdict.envelope_id,
        verdict.exported.index,
        verdict.maker,
        out.display(),
    );
    wrap(&printable(&text), ui.width, 0)
}

fn sending(verdict: &Verdict, ui: &Ui) -> String {
    let to: Vec<&str> = verdict
        .recipients
        .iter()
        .map(|r| r.party.as_str())
        .collect();
    let compared = match verdict.pinned {
        true => "the one you named",
        false => "NOT compared with anything",
    };
    let mut lines = vec![
        (
            "sent by",
            format!("{}, {}", verdict.originator.party, verdict.originator.name),
        ),
        ("signed with", format!("org-sign key {}", verdict.kid)),
        ("for", to.join(", ")),
        (
            "made",
            format!(
                "{}, as {} says",
                ui.full_time(&time(verdict.created_at)),
                verdict.originator.party
            ),
        ),
        ("to deliver until", ui.full_time(&time(verdict.expires_at))),
        ("precedence", verdict.precedence.as_str_name().to_owned()),
        (
            "roster",
            format!(
                "{} of network {}; judged by {}",
                verdict.named_roster.0, verdict.network, verdict.judged_by
            ),
        ),
        ("root", format!("{}, {compared}", verdict.root)),
        (
            "exported by",
            format!(
                "{}, {}, as leaf {} of its log says",
                verdict.maker,
                ui.full_time(&time(verdict.exported.claimed_at)),
                verdict.exported.index
            ),
        ),
    ];
    if verdict.attachments > 0 {
        let attachments = format!("{}, not in this file", verdict.attachments);
        lines.push(("attachments", attachments));
    }
    pairs(&lines, ui)
}

fn party(party: &PartyFacts, state: &str, verdict: &Verdict, ui: &Ui) -> String {
    let name = printable(&party.name);
    let head = format!("{}  {name}: {state}", party.party);
    let mut out = format!("\n{}\n", ui.paint(Paint::Strong, &head));
    out.push_str(&facts(&party.facts, verdict, ui));
    out
}

/// The last word of a recipient's own log.
fn state(recipient: &PartyFacts) -> &'static str {
    let own = recipient.facts.iter().filter(|f| f.by == recipient.party);
    match own.map(|f| f.kind).next_back() {
        Some(LeafKind::Delivered) => "delivered",
        Some(LeafKind::Refused) => "refused",
        Some(LeafKind::Expired) => "expired",
        Some(LeafKind::Read) => "delivered and opened",
        Some(LeafKind::Acted) => "delivered and acted on",
        Some(LeafKind::Recalled) => "recalled: its content was deleted there",
        Some(LeafKind::Received) => "received, no outcome",
        _ => "nothing proved by its own log",
    }
}

fn facts(facts: &[Fact], verdict: &Verdict, ui: &Ui) -> String {
    let mut out = String::new();
    for fact in facts {
        let when = match fact.seen_by {
            Some(at) => format!(
                "by {} (a quorum of witnesses), at {} as {} says",
                ui.full_time(&time(at)),
                ui.full_time(&time(fact.claimed_at)),
                fact.by
            ),
            None => format!(
                "at {} as {} says",
                ui.full_time(&time(fact.claimed_at)),
                fact.by
            ),
        };
        let size = verdict
            .checkpoints
            .get(fact.checkpoint)
            .map_or(0, |c| c.size);
        let why = match fact.reason {
            Reason::Unspecified => String::new(),
            reason => format!(" ({})", reason.as_str_name()),
        };
        let line = format!(
            "{}{why}: {when}; leaf {} of {size} in the log of {}, checkpoint {}",
            kind(fact.kind),
            fact.index,
            fact.by,
            fact.checkpoint + 1
        );
        out.push_str(&format!("  {}\n", wrap(&line, ui.width, 4)));
    }
    out
}

fn kind(kind: LeafKind) -> &'static str {
    match kind {
        LeafKind::Incarnation => "opened its log",
        LeafKind::Submitted => "submitted",
        LeafKind::Queued => "queued",
        LeafKind::Received => "received",
        LeafKind::Relayed => "relayed",
        LeafKind::Delivered => "delivered",
        LeafKind::Refused => "refused",
        LeafKind::Expired => "expired",
        LeafKind::ReceiptTaken => "receipt taken",
        LeafKind::Read => "opened by an officer",
        LeafKind::Acted => "acted on",
        LeafKind::Recalled => "recalled",
        LeafKind::Voided => "voided",
        LeafKind::Exported => "exported",
        other => other.as_str_name(),
    }
}

fn checkpoints(verdict: &Verdict, ui: &Ui) -> String {
    let mut out = format!("\n{}\n", ui.paint(Paint::Strong, "Checkpoints"));
    for (nth, proof) in verdict.checkpoints.iter().enumerate() {
        let line = format!(
            "{}  {}, {}, signed by {} (roster {}); {}",
            nth + 1,
            proof.origin,
            count(proof.size, "leaf", "leaves"),
            proof.origin.party,
            proof.judged_by,
            witnesses(proof, ui)
        );
        out.push_str(&format!("  {}\n", wrap(&line, ui.width, 5)));
    }
    out
}

fn witnesses(proof: &CheckpointProof, ui: &Ui) -> String {
    let Some(needed) = proof.needed else {
        return "this log has no witnesses".to_owned();
    };
    let by = proof
        .by
        .iter()
        .map(|by| format!("{} {}", by.party, ui.full_time(&time(by.at))));
    let by: Vec<String> = by.collect();
    let quorum = match proof.witnessed_at {
        Some(_) => "a quorum",
        None => "no quorum",
    };
    let named = match by.is_empty() {
        true => String::new(),
        false => format!(": {}", by.join(", ")),
    };
    format!(
        "co-signed by {} of {}, {needed} needed, {quorum}{named}",
        proof.by.len(),
        count(proof.of as u64, "witness", "witnesses")
    )
}

fn content(verdict: &Verdict, ui: &Ui) -> String {
    let Some(bytes) = &verdict.content else {
        return String::new();
    };
    let mut out = format!("\n{}\n", ui.paint(Paint::Strong, "Content"));
    match Notice::parse(bytes.clone()) {
        Ok(notice) => {
            let lines = notice.describe(ui.lang);
            let lines: Vec<(&str, String)> = lines
                .iter()
                .map(|line| (&*line.label, line.value.clone()))
                .collect();
            out.push_str(&pairs(&lines, ui));
        }
        Err(e) => {
            let text = format!("{} bytes that are no notice: {e}", bytes.len());
            out.push_str(&format!("  {}\n", wrap(&printable(&text), ui.width, 2)));
        }
    }
    out
}

fn doubts(verdict: &Verdict, ui: &Ui) -> String {
    if verdict.doubts.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", ui.paint(Paint::Warn, "Not proved"));
    let unwitnessed = |one: &&Doubt| matches!(one, Doubt::NotWitnessed { .. });
    let (unseen, others): (Vec<&Doubt>, Vec<&Doubt>) = verdict.doubts.iter().partition(unwitnessed);
    let mut texts: Vec<String> = others.iter().map(|one| doubt(one, verdict)).collect();
    texts.extend(not_witnessed(&unseen));
    for text in texts {
        out.push_str(&format!("  - {}\n", wrap(&printable(&text), ui.width, 4)));
    }
    out
}

/// All checkpoints without a quorum in one sentence.
fn not_witnessed(doubts: &[&Doubt]) -> Option<String> {
    let numbers = doubts.iter().filter_map(|one| match one {
        Doubt::NotWitnessed { checkpoint } => Some((checkpoint + 1).to_string()),
        _ => None,
    });
    let numbers: Vec<String> = numbers.collect();
    (!numbers.is_empty()).then(|| {
        format!(
            "What stands under checkpoint {} alone: no quorum of witnesses has signed it, so a \
             time without a quorum is its party's claim, and that party could still show another \
             log to others.",
            numbers.join(", ")
        )
    })
}

/// What is not proved, in one or two sentences.
pub(super) fn doubt(doubt: &Doubt, verdict: &Verdict) -> String {
    let log = |nth: usize| {
        let proof = verdict.checkpoints.get(nth);
        proof.map_or_else(String::new, |p| p.origin.party.to_string())
    };
    match *doubt {
        Doubt::RootNotPinned { root } => format!(
            "That this is your network: compare the root digest {root} with your founding record, \
             or give it with --root HEX."
        ),
        Doubt::NotWitnessed { checkpoint } => format!(
            "What stands under checkpoint {} of {} alone: no quorum of witnesses has signed it, so \
             a time without a quorum is that party's claim, and it could still show another log \
             to others.",
            checkpoint + 1,
            log(checkpoint)
        ),
        Doubt::RosterNotHeld { version } => format!(
            "That roster {version}, which the envelope names, was the one in force: this file holds \
             rosters up to {}.",
            verdict.newest_roster.0
        ),
        Doubt::KeyRevoked { effective_at } => format!(
            "That {} itself signed: its key is revoked with effect from {}. What a quorum of \
             witnesses saw before that time stands.",
            verdict.originator.party,
            time(effective_at)
        ),
        Doubt::OlderRoster { checkpoint } => format!(
            "That the keys under checkpoint {} still count: they do in an older roster only.",
            checkpoint + 1
        ),
        Doubt::NotConnected { checkpoint } => format!(
            "That checkpoint {} of {} continues the one before it: no path between them is \
             in the file.",
            checkpoint + 1,
            log(checkpoint)
        ),
        Doubt::NoOutcome { party } => format!(
            "What became of it at {party}: no outcome from its log is in the file, and that \
             proves nothing, since a receipt can be withheld."
        ),
        Doubt::SecondOutcome { party } => format!(
            "What became of it: the log of {party} holds two final outcomes for one recipient, \
             which only a faulty or dishonest node writes."
        ),
        Doubt::NotDisclosed => "What the notice says: its content is not disclosed.".to_owned(),
    }
}
