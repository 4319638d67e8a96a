//! What the demonstration says to a person.

use super::{
    Outcome,
    fleet::Fleet,
    story::{CUT, PARTIES, Submitted, Times},
};
use crate::{Paint, Ui, table, track};
use abeng_api::{NetworkView, Timeline};
use std::{path::Path, time::Duration};

/// Speaks, or keeps quiet where a machine reads.
pub(super) struct Voice<'a> {
    ui: &'a Ui,
    quiet: bool,
}

impl<'a> Voice<'a> {
    pub(super) fn new(ui: &'a Ui, quiet: bool) -> Self {
        Self { ui, quiet }
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            self.ui.say(text);
        }
    }

    /// A step's heading and what happened, wrapped to the terminal.
    fn step(&self, heading: &str, text: &str) {
        let heading = self.ui.paint(Paint::Strong, heading);
        self.say(&format!(
            "{heading}\n  {}",
            table::wrap(text, self.ui.width, 2)
        ));
    }

    pub(super) fn opening(&self, dir: &Path) {
        let text = format!(
            "Five customs administrations, each with its own node: real processes on this machine, \
             in {}. Their keys rest there UNENCRYPTED: good for a demonstration, never for a \
             network that matters.",
            dir.display()
        );
        self.step("Abeng demonstration", &text);
    }

    pub(super) fn founded(&self, took: Duration) {
        let text = format!(
            "Root, roster and all members' keys, each statement signed by as many as it takes and \
             verified again: {}.",
            seconds(took)
        );
        self.step("Found a network", &text);
    }

    pub(super) fn started(&self, fleet: &Fleet, answering: Duration, linked: Duration) {
        let nodes = fleet
            .nodes
            .iter()
            .filter_map(|n| Some(format!("{} (process {})", n.code, n.pid().ok()?)));
        let text = format!(
            "{}. {} coordinates as Joint Intelligence Office. All answer after {}, each is linked \
             with all others after {}.",
            nodes.collect::<Vec<_>>().join(", "),
            PARTIES[0],
            seconds(answering),
            seconds(linked)
        );
        self.step("Start five nodes", &text);
    }

    pub(super) fn delivered(&self, sent: &[Submitted], took: Duration) {
        let heading = format!("Submit {} seizures, each to all the others", sent.len());
        self.step(
            &heading,
            &format!(
                "All delivered, and their receipts verified, {} after the first.",
                seconds(took)
            ),
        );
        self.list(sent);
    }

    fn list(&self, sent: &[Submitted]) {
        for one in sent {
            let line = format!(
                "  {}  {}  {}",
                &one.id[..one.id.len().min(12)],
                one.from,
                one.summary
            );
            self.say(&table::cut(&line, self.ui.line_width()));
        }
    }

    pub(super) fn waiting(&self, more: &[Submitted], overview: Option<&NetworkView>) {
        let seen = overview.map_or_else(String::new, |view| {
            let rows = view
                .parties
                .iter()
                .filter(|row| row.backlog.is_some_and(|b| b > 0));
            let rows = rows.map(|row| format!("{} at {}", row.backlog.unwrap_or(0), row.party));
            format!(
                " The Joint Intelligence Office sees what waits: {}.",
                rows.collect::<Vec<_>>().join(", ")
            )
        });
        let text =
            format!("Everybody else has them; for {CUT} they wait at their originators.{seen}");
        self.step(
            &format!("Kill {CUT} with SIGKILL and submit {} more", more.len()),
            &text,
        );
        self.list(more);
    }

    pub(super) fn returned(&self, times: &Times, before: usize, after: usize) {
        let text = format!(
            "It answers after {}; its inbox has grown from {before} to {after} notices, and the \
             receipts are back, after {}.",
            seconds(times.back),
            seconds(times.caught_up)
        );
        self.step(&format!("Bring {CUT} back"), &text);
    }

    pub(super) fn timeline(&self, timeline: &Timeline, of: &Submitted) {
        let heading = format!("What {} can prove of one that waited", of.from);
        self.say(&self.ui.paint(Paint::Strong, &heading));
        for line in track::render(timeline, self.ui)
            .lines()
            .filter(|l| !l.is_empty())
        {
            self.say(&format!("  {line}"));
        }
    }

    /// One screen: what was claimed, with what was counted.
    pub(super) fn proved(&self, outcome: &Outcome, times: &Times, kept: Option<&Path>) {
        let Outcome {
            nodes,
            submitted,
            expected,
            delivered,
            duplicates,
            lost,
            ..
        } = *outcome;
        let logs = &times.logs;
        let rows = [
            (
                delivered == expected && lost == 0,
                format!(
                    "{submitted} notices, {delivered} of {expected} deliveries in the inboxes, {lost} lost"
                ),
            ),
            (
                duplicates == 0,
                format!("{duplicates} delivered twice, by the inboxes and by the logs"),
            ),
            (
                outcome.nodes == PARTIES.len() && lost == 0 && outcome.faults.is_empty(),
                format!(
                    "{CUT} was killed without warning: nothing it had was lost, what came meanwhile \
                     waited and arrived {} after its restart",
                    seconds(times.caught_up)
                ),
            ),
            (
                outcome.receipts_verified == expected,
                format!(
                    "{} receipts verified: signed checkpoint, inclusion proof, and the right envelope",
                    outcome.receipts_verified
                ),
            ),
            (
                outcome.logs_verified == nodes,
                format!(
                    "{} of {nodes} audit logs verified from their files: {} leaves in {} batches, {} \
                     checkpoints, {} receipts, {} signatures, {} commitments",
                    outcome.logs_verified,
                    logs.leaves,
                    logs.batches,
                    logs.checkpoints,
                    logs.receipts,
                    logs.signatures,
                    logs.commitments
                ),
            ),
        ];
        let mut text = format!("\n{}\n", self.ui.paint(Paint::Strong, "What was proved"));
        for (holds, row) in rows {
            let (mark, paint) = if holds {
                ("✓", Paint::Good)
            } else {
                ("✗", Paint::Bad)
            };
            let row = table::wrap(&row, self.ui.width, 4);
            text.push_str(&format!("  {} {row}\n", self.ui.paint(paint, mark)));
        }
        text.push_str(&if outcome.holds() {
            format!("  All of it in {:.1} s.\n", outcome.seconds)
        } else {
            self.ui.paint(Paint::Bad, "  Not everything holds.") + "\n"
        });
        if let Some(dir) = kept {
            let home = dir.join("jm");
            text.push_str(&format!(
                "\nThe data directories are left. Look on:\n  abeng node run --config {}\n  abeng --data {} inbox list\n",
                home.join("node.toml").display(),
                home.display()
            ));
        }
        self.say(&text);
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}
