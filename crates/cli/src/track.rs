//! `abeng track`.

use crate::{
    CliError, Exit, Paint, Ui,
    args::Common,
    connect,
    inbox::short_id,
    table::{columns, wrap},
    texts::{Files, fill},
    when,
};
use abeng_api::{DeliveryState, RecipientTimeline, StepKind, StepWitness, Timeline, TimelineStep};
use abeng_notice::printable;
use std::process::ExitCode;

pub(crate) fn run(id: &str, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let client = connect::client(common);
    connect::block_on(async {
        let timeline = client.track(id, ui.lang.tag()).await?;
        ui.show(&timeline, || render(&timeline, ui))?;
        let proved = timeline
            .recipients
            .iter()
            .flat_map(|r| &r.steps)
            .all(|s| s.checked);
        Ok(if proved { Exit::Ok } else { Exit::Unverified }.into())
    })
}

/// The timeline of a notice for a person.
pub(crate) fn render(timeline: &Timeline, ui: &Ui) -> String {
    let texts = ui.texts();
    let title = format!(
        "{}  {}  {}  {}",
        short_id(&timeline.id),
        timeline.ty,
        timeline.precedence,
        printable(&timeline.summary)
    );
    let submitted = fill(
        texts.track.submitted,
        &[
            ("at", &ui.full_time(&timeline.created_at)),
            ("until", &ui.full_time(&timeline.expires_at)),
        ],
    );
    let mut out = format!(
        "{}\n{}\n",
        ui.paint(Paint::Strong, &wrap(&title, ui.width, 2)),
        wrap(&submitted, ui.width, 0)
    );
    for recipient in &timeline.recipients {
        out.push('\n');
        out.push_str(&heading(recipient, ui));
        // Days are written where they change, so that a line stays short.
        let mut day = "";
        for step in &recipient.steps {
            let this = step.at.get(..10).unwrap_or_default();
            if this != day {
                out.push_str(&format!("  {}\n", ui.paint(Paint::Faint, &printable(this))));
                day = this;
            }
            out.push_str(&line(step, recipient, ui));
        }
    }
    out
}

fn heading(recipient: &RecipientTimeline, ui: &Ui) -> String {
    let texts = ui.texts();
    let paint = match recipient.state {
        DeliveryState::Delivered | DeliveryState::Recalled => Paint::Good,
        DeliveryState::Queued | DeliveryState::Forwarded => Paint::Warn,
        DeliveryState::Refused | DeliveryState::Expired | DeliveryState::Voided => Paint::Bad,
    };
    let who = format!("{}  {}: ", recipient.party, printable(&recipient.name));
    let mut out = ui.paint(Paint::Strong, &who);
    out.push_str(&ui.paint(paint, texts.state(recipient.state)));
    if let Some(since) = &recipient.offline_since {
        let offline = fill(texts.track.offline, &[("since", &ui.full_time(since))]);
        out.push_str(&format!(" ({offline})"));
    }
    if recipient.late {
        out.push_str(&format!("  {}", ui.paint(Paint::Bad, texts.track.late)));
    }
    out.push('\n');
    if let Some(files) = recipient.files {
        let (arrived, of) = (files.arrived.to_string(), u64::from(files.of));
        let of = ui.texts().count(&Files::of(ui.lang).all, of);
        let values = [("arrived", &*arrived), ("of", &*of)];
        let said = fill(Files::of(ui.lang).arrived, &values);
        let paint = if files.arrived == files.of {
            Paint::Good
        } else {
            Paint::Warn
        };
        out.push_str(&format!("  {}\n", ui.paint(paint, &said)));
    }
    out
}

fn line(step: &TimelineStep, recipient: &RecipientTimeline, ui: &Ui) -> String {
    let texts = ui.texts();
    let wide = columns_of_steps(ui);
    let word = texts.step(step.what);
    let pad = " ".repeat(wide.saturating_sub(columns(word)));
    let leaf = step.leaf.to_string();
    let leaf = fill(texts.track.leaf, &[("party", &step.by), ("leaf", &leaf)]);
    let (mark, paint, said) = if step.checked {
        ("✓", Paint::Good, texts.track.checked)
    } else {
        ("✗", Paint::Bad, texts.track.unchecked)
    };
    let witness = step.witness.as_ref().map(|seen| witnessed(seen, ui));
    let witness = witness.map_or(String::new(), |seen| format!("; {seen}"));
    let proof = proof(step, recipient, ui);
    let why = step
        .reason
        .as_deref()
        .map(|reason| match &recipient.sealed_anew {
            Some(id) if reason == "KEY_GONE" => texts.sealed_anew(id),
            _ => texts.reason(reason).to_owned(),
        });
    let why = why.map_or(String::new(), |why| format!("{why}; "));
    let text = printable(&format!("{why}{leaf}: {proof}; {said}{witness}"));
    format!(
        "  {}  {word}{pad}  {} {}\n",
        when::clock(&step.at),
        ui.paint(paint, mark),
        wrap(&text, ui.width, wide + 20)
    )
}

fn witnessed(seen: &StepWitness, ui: &Ui) -> String {
    let t = &ui.texts().track;
    match &seen.by {
        Some(at) => fill(t.witnessed, &[("at", &ui.full_time(at))]),
        None => t.unwitnessed.to_owned(),
    }
}

/// The proof in the reader's language where the node gave its numbers; a proof that does not
/// hold is told as the node told it.
fn proof(step: &TimelineStep, recipient: &RecipientTimeline, ui: &Ui) -> String {
    let t = &ui.texts().track;
    let Some(proof) = step.proof.as_ref().filter(|_| step.checked) else {
        return step.how.clone();
    };
    let counts = &ui.texts().counts;
    let hashes = ui.texts().count(&counts.hashes, u64::from(proof.hashes));
    let leaves = ui.texts().count(&counts.leaves, proof.checkpoint_size);
    let values = [
        ("hashes", &*hashes),
        ("size", &*proof.checkpoint_size.to_string()),
        ("leaves", &*leaves),
        ("party", &*proof.signed_by),
    ];
    let own = recipient.steps.first().is_some_and(|first| {
        first.what == StepKind::Submitted && first.log_origin == step.log_origin
    });
    fill(if own { t.proof_own } else { t.proof }, &values)
}

fn columns_of_steps(ui: &Ui) -> usize {
    use StepKind::{
        Delivered, Expired, Queued, Read, Recalled, Receipt, Received, Refused, Relayed, Submitted,
        Voided,
    };
    let kinds = [
        Submitted, Queued, Received, Delivered, Read, Refused, Expired, Receipt, Voided, Recalled,
        Relayed,
    ];
    let words = kinds.map(|kind| columns(ui.texts().step(kind)));
    words.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::plain;
    use abeng_api::ProofView;
    use abeng_notice::Lang;

    fn step(what: StepKind, by: &str, at: &str, checked: bool) -> TimelineStep {
        TimelineStep {
            reason: None,
            at: at.into(),
            what,
            by: by.into(),
            log_origin: format!("abeng/trial/{by}/0"),
            leaf: 12,
            tree_size: 1204,
            checked,
            how: "NOT PROVED: the path leads elsewhere".into(),
            proof: Some(ProofView {
                hashes: 11,
                checkpoint_size: 1204,
                signed_by: by.into(),
            }),
            witness: (by == "JM").then(|| StepWitness {
                by: (what == StepKind::Submitted).then(|| "2026-11-24T06:06:00Z".to_owned()),
            }),
        }
    }

    fn timeline() -> Timeline {
        let submitted = step(StepKind::Submitted, "JM", "2026-11-24T06:05:16.001Z", true);
        Timeline {
            id: "3f9a1c02b7de".to_owned() + &"0".repeat(52),
            ty: "SEIZURE".into(),
            summary: "139.4 kg cocaine, JMKIN, sea".into(),
            created_at: "2026-11-24T06:05:16Z".into(),
            expires_at: "2026-12-24T06:05:16Z".into(),
            precedence: "FLASH".into(),
            recipients: vec![
                RecipientTimeline {
                    party: "BB".into(),
                    name: "Barbados".into(),
                    state: DeliveryState::Queued,
                    offline_since: Some("2026-11-24T05:00:00Z".into()),
                    late: false,
                    sealed_anew: None,
                    files: None,
                    steps: vec![submitted.clone()],
                },
                RecipientTimeline {
                    party: "TT".into(),
                    name: "Trinidad and Tobago".into(),
                    state: DeliveryState::Delivered,
                    offline_since: None,
                    late: false,
                    sealed_anew: None,
                    files: Some(abeng_api::FilesThere { arrived: 1, of: 2 }),
                    steps: vec![
                        submitted,
                        step(StepKind::Delivered, "TT", "2026-11-25T00:00:01.5Z", true),
                        step(StepKind::Receipt, "JM", "2026-11-25T00:00:01.6Z", false),
                    ],
                },
            ],
        }
    }

    #[test]
    fn a_timeline_tells_each_step_with_its_proof() {
        insta::assert_snapshot!(render(&timeline(), &plain(Lang::En)));
    }

    #[test]
    fn a_refusal_says_why_in_the_readers_language() {
        let mut refused = step(StepKind::Refused, "TT", "2026-11-25T00:00:01.5Z", true);
        let told =
            |refused: &TimelineStep, lang| line(refused, &timeline().recipients[1], &plain(lang));
        refused.reason = Some("HOLD".into());
        assert!(told(&refused, Lang::En).contains("legal hold there"));
        assert!(told(&refused, Lang::Fr).contains("gelé"));
        refused.reason = Some("KEY_GONE".into());
        assert!(told(&refused, Lang::En).contains("had lost the key"));
        assert!(told(&refused, Lang::Nl).contains("sleutel kwijt"));
        let anew = RecipientTimeline {
            sealed_anew: Some("ab12".repeat(16)),
            ..timeline().recipients[1].clone()
        };
        let said = line(&refused, &anew, &plain(Lang::Es));
        assert!(
            said.contains("sellado de nuevo como ab12ab12ab12"),
            "{said}"
        );
        refused.reason = Some("NOT_GRANTED".into());
        assert!(told(&refused, Lang::Nl).contains("NOT_GRANTED"));
    }

    #[test]
    fn a_timeline_fits_eighty_columns_in_every_language() {
        for lang in Lang::ALL {
            let text = render(&timeline(), &plain(lang));
            assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
            assert!(!text.contains('?'), "{text}");
        }
    }
}
