//! What an import answers.

use abeng_api::{CourierReport, CourierTally, CourierTrouble};
use abeng_wire::EnvelopeId;

/// Of so many things it is said what was wrong; of the others only how many there were.
const TROUBLES: usize = 100;

/// The kinds of things that a file brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Envelope,
    Receipt,
    Checkpoint,
    Trust,
    Want,
    Void,
    Attachment,
}

/// A report in the making.
#[derive(Debug, Default)]
pub struct Tally {
    pub report: CourierReport,
}

impl Tally {
    pub fn taken(&mut self, what: What) {
        self.of(what).taken += 1;
    }

    pub fn known(&mut self, what: What) {
        self.of(what).known += 1;
    }

    pub fn refused(&mut self, what: What, id: Option<EnvelopeId>, why: impl ToString) {
        self.of(what).refused += 1;
        self.trouble(name(what), id, why);
    }

    pub fn fault(&mut self, what: What, id: Option<EnvelopeId>, why: impl ToString) {
        self.of(what).faults += 1;
        self.trouble(name(what), id, why);
    }

    pub fn damaged(&mut self, why: impl ToString) {
        self.report.damaged += 1;
        self.trouble("frame", None, why);
    }

    fn trouble(&mut self, what: &str, id: Option<EnvelopeId>, why: impl ToString) {
        if self.report.troubles.len() < TROUBLES {
            self.report.troubles.push(CourierTrouble {
                what: what.to_owned(),
                id: id.map(|id| id.to_string()),
                why: why.to_string(),
            });
        }
    }

    fn of(&mut self, what: What) -> &mut CourierTally {
        match what {
            What::Envelope => &mut self.report.envelopes,
            What::Receipt => &mut self.report.receipts,
            What::Checkpoint => &mut self.report.checkpoints,
            What::Trust => &mut self.report.trust,
            What::Want => &mut self.report.wants,
            What::Void => &mut self.report.voids,
            What::Attachment => &mut self.report.attachments,
        }
    }
}

fn name(what: What) -> &'static str {
    match what {
        What::Envelope => "envelope",
        What::Receipt => "receipt",
        What::Checkpoint => "checkpoint",
        What::Trust => "trust",
        What::Want => "want",
        What::Void => "void",
        What::Attachment => "attachment",
    }
}
