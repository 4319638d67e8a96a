//! What officers read, in the four languages of the network. A struct, so that the compiler sees
//! to it that no language lacks a text. `{…}` are places that [`fill`] fills.

#[path = "text/causes.rs"]
mod causes;
#[path = "text/courier.rs"]
mod courier;
#[path = "text/en.rs"]
mod en;
#[path = "text/errors.rs"]
mod errors;
#[path = "text/es.rs"]
mod es;
#[path = "text/files.rs"]
mod files;
#[path = "text/form.rs"]
mod form;
#[path = "text/fr.rs"]
mod fr;
#[path = "text/groups.rs"]
mod groups;
#[path = "text/nl.rs"]
mod nl;
#[path = "text/old_copy.rs"]
pub(crate) mod old_copy;
#[path = "text/places.rs"]
mod places;
#[path = "text/release.rs"]
mod release;
#[path = "text/usage.rs"]
pub(crate) mod usage;
#[path = "text/warnings.rs"]
mod warnings;

pub(crate) use causes::told as told_cause;
pub(crate) use courier::Courier;
pub(crate) use errors::Errors;
pub(crate) use files::Files;
pub(crate) use form::{Form, yes};
pub(crate) use groups::Groups;
pub(crate) use places::Places;
pub(crate) use release::Release;
pub(crate) use warnings::told as told_warnings;

use courier::{Faults, Kinds};

use crate::CliError;
use abeng_api::{DeliveryState, StepKind};
use abeng_notice::{Lang, printable};
use std::{io, path::Path};

/// The texts of one language.
#[derive(Debug)]
pub struct Texts {
    /// Whether none of something takes the form for one: French says `0 fichier`.
    pub(crate) zero_is_one: bool,
    pub(crate) counts: Counts,
    pub(crate) months: [&'static str; 12],
    pub(crate) columns: Columns,
    pub(crate) states: States,
    pub(crate) steps: Steps,
    pub(crate) submit: Submit,
    pub(crate) form: Form,
    pub(crate) inbox: Inbox,
    pub(crate) track: Track,
    pub(crate) keep: Keep,
    pub(crate) cost: Cost,
    pub(crate) gaps: Gaps,
    pub(crate) courier: Courier,
    pub(crate) reading: Reading,
}

/// A count with its noun, by number. Both have `{count}`.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) one: &'static str,
    pub(crate) many: &'static str,
}

/// What is counted in more than one place.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) notices: Counted,
    pub(crate) receipts: Counted,
    pub(crate) hashes: Counted,
    pub(crate) leaves: Counted,
}

/// Headings of tables: upper case, short.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) id: &'static str,
    pub(crate) received: &'static str,
    pub(crate) sent: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) precedence: &'static str,
    pub(crate) matter: &'static str,
}

/// Where a notice stands.
#[derive(Debug)]
pub(crate) struct States {
    queued: &'static str,
    forwarded: &'static str,
    delivered: &'static str,
    refused: &'static str,
    expired: &'static str,
    voided: &'static str,
    recalled: &'static str,
}

/// Steps of a timeline.
#[derive(Debug)]
pub(crate) struct Steps {
    submitted: &'static str,
    queued: &'static str,
    received: &'static str,
    delivered: &'static str,
    read: &'static str,
    refused: &'static str,
    expired: &'static str,
    receipt: &'static str,
    voided: &'static str,
    recalled: &'static str,
    relayed: &'static str,
    on_hold: &'static str,
    recalled_before: &'static str,
    key_gone: &'static str,
    sealed_anew: &'static str,
}

/// After a submission.
#[derive(Debug)]
pub(crate) struct Submit {
    /// `{type}`, `{to}`.
    pub(crate) accepted: &'static str,
    pub(crate) dry_run: &'static str,
    /// `{id}`.
    pub(crate) id: &'static str,
    /// `{precedence}`, `{until}`.
    pub(crate) tried_until: &'static str,
    pub(crate) doubts: &'static str,
    /// Before a doubt beside what stops the notice.
    pub(crate) doubt: &'static str,
    pub(crate) flaws: &'static str,
    /// `{id}`.
    pub(crate) follow: &'static str,
    pub(crate) correct: &'static str,
    pub(crate) not_allowed: &'static str,
    pub(crate) ask: &'static str,
}

/// What a notice costs.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) path: &'static str,
    pub(crate) envelope: &'static str,
    pub(crate) out: &'static str,
    pub(crate) back: &'static str,
    pub(crate) time: &'static str,
    pub(crate) share: &'static str,
    pub(crate) no_link: &'static str,
    cable: &'static str,
    satellite: &'static str,
    metered: &'static str,
    pub(crate) files: Counted,
    /// `{files}`, `{size}`.
    pub(crate) behind: &'static str,
    /// `{to}`.
    pub(crate) on_request: &'static str,
    /// `{rates}`.
    pub(crate) rates: &'static str,
    pub(crate) rate_usual: &'static str,
    pub(crate) rate_measured: &'static str,
    pub(crate) rate_configured: &'static str,
    /// `{rate}`.
    pub(crate) rate_configured_beside: &'static str,
    /// `{to}`.
    pub(crate) waits: &'static str,
    /// `{spent}`, `{budget}`, `{flash}`, `{until}`.
    pub(crate) today: &'static str,
    /// `{spent}`.
    pub(crate) no_budget: &'static str,
    pub(crate) nothing_sent: &'static str,
}

impl Cost {
    /// The kind of a path; one that is not known is shown as the node names it.
    pub(crate) fn profile<'a>(&self, name: &'a str) -> &'a str {
        match name {
            "cable" => self.cable,
            "satellite" => self.satellite,
            "metered" => self.metered,
            other => other,
        }
    }
}

/// The inbox and what was sent.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) empty: &'static str,
    pub(crate) none_sent: &'static str,
    pub(crate) exercise: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) received: &'static str,
    pub(crate) doubts: &'static str,
    /// `{leaf}`.
    pub(crate) reading_logged: &'static str,
    pub(crate) watching: &'static str,
}

/// Timelines.
#[derive(Debug)]
pub(crate) struct Track {
    /// `{at}`, `{until}`.
    pub(crate) submitted: &'static str,
    /// `{since}`.
    pub(crate) offline: &'static str,
    pub(crate) late: &'static str,
    /// `{party}`, `{leaf}`.
    pub(crate) leaf: &'static str,
    /// `{hashes}`, `{size}`, `{party}`.
    pub(crate) proof: &'static str,
    /// `{hashes}`, `{leaves}`.
    pub(crate) proof_own: &'static str,
    /// `{at}`.
    pub(crate) witnessed: &'static str,
    pub(crate) unwitnessed: &'static str,
    pub(crate) checked: &'static str,
    pub(crate) unchecked: &'static str,
}

/// What is taken back, held, or due.
#[derive(Debug)]
pub(crate) struct Keep {
    /// `{matter}`, `{to}`.
    pub(crate) ask_recall: &'static str,
    pub(crate) not_recalled: &'static str,
    /// `{id}`, `{leaf}`.
    pub(crate) held: &'static str,
    /// After either, where it was taken back before.
    pub(crate) recall_stands: &'static str,
    /// `{id}`, `{leaf}`, `{due}`.
    pub(crate) lifted: &'static str,
    /// `{id}`, `{leaf}`, `{due}`.
    pub(crate) extended: &'static str,
    pub(crate) none_due: &'static str,
    pub(crate) none_held: &'static str,
    pub(crate) column_due: &'static str,
    pub(crate) column_held: &'static str,
    pub(crate) column_reason: &'static str,
}

/// What was sent here and has not come.
#[derive(Debug)]
pub(crate) struct Gaps {
    pub(crate) nothing: &'static str,
    pub(crate) missing: &'static str,
    pub(crate) numbers: &'static str,
    /// Of a log: one of several.
    pub(crate) life: &'static str,
    pub(crate) since: &'static str,
    pub(crate) asked: &'static str,
    pub(crate) last_asked: &'static str,
    pub(crate) link: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
}

/// A file that cannot be read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// `{file}`, `{why}`.
    pub(crate) cannot: &'static str,
    pub(crate) absent: &'static str,
    pub(crate) forbidden: &'static str,
    pub(crate) directory: &'static str,
    pub(crate) stick: &'static str,
    pub(crate) name_another: &'static str,
}

impl Texts {
    /// The texts of a language.
    pub fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::En => &en::TEXTS,
            Lang::Es => &es::TEXTS,
            Lang::Fr => &fr::TEXTS,
            Lang::Nl => &nl::TEXTS,
        }
    }

    /// So many of something: `1 notice`, `2 notices`.
    pub(crate) fn count(&self, of: &Counted, count: u64) -> String {
        fill(self.form(of, count), &[("count", &count.to_string())])
    }

    /// The form for so many, not filled in.
    pub(crate) fn form(&self, of: &Counted, count: u64) -> &'static str {
        let one = count == 1 || (count == 0 && self.zero_is_one);
        if one { of.one } else { of.many }
    }

    /// Why a file cannot be read; what is rare is told as the system tells it.
    pub(crate) fn unreadable(&self, file: &Path, e: &io::Error) -> CliError {
        let why = match e.kind() {
            io::ErrorKind::PermissionDenied => self.reading.forbidden.to_owned(),
            _ => self.why(e),
        };
        let file = printable(&file.display().to_string());
        CliError::usage(fill(self.reading.cannot, &[("file", &file), ("why", &why)]))
    }

    fn why(&self, e: &io::Error) -> String {
        match e.kind() {
            io::ErrorKind::NotFound => self.reading.absent.to_owned(),
            io::ErrorKind::IsADirectory => self.reading.directory.to_owned(),
            _ => e.to_string(),
        }
    }

    /// Where a notice stands, in words.
    pub(crate) fn state(&self, state: DeliveryState) -> &'static str {
        let s = &self.states;
        match state {
            DeliveryState::Queued => s.queued,
            DeliveryState::Forwarded => s.forwarded,
            DeliveryState::Delivered => s.delivered,
            DeliveryState::Refused => s.refused,
            DeliveryState::Expired => s.expired,
            DeliveryState::Voided => s.voided,
            DeliveryState::Recalled => s.recalled,
        }
    }

    /// What became of what was refused for a lost key.
    pub(crate) fn sealed_anew(&self, id: &str) -> String {
        let short: String = id.chars().take(12).collect();
        fill(self.steps.sealed_anew, &[("id", &short)])
    }

    /// Why something was refused: in words where officers meet it, else as the log has it.
    pub(crate) fn reason<'a>(&self, code: &'a str) -> &'a str {
        match code {
            "HOLD" => self.steps.on_hold,
            "RECALLED_BY_ORIGINATOR" => self.steps.recalled_before,
            "KEY_GONE" => self.steps.key_gone,
            other => other,
        }
    }

    /// A step, in words.
    pub(crate) fn step(&self, step: StepKind) -> &'static str {
        let s = &self.steps;
        match step {
            StepKind::Submitted => s.submitted,
            StepKind::Queued => s.queued,
            StepKind::Received => s.received,
            StepKind::Delivered => s.delivered,
            StepKind::Read => s.read,
            StepKind::Refused => s.refused,
            StepKind::Expired => s.expired,
            StepKind::Receipt => s.receipt,
            StepKind::Voided => s.voided,
            StepKind::Recalled => s.recalled,
            StepKind::Relayed => s.relayed,
        }
    }
}

/// Puts values into the places of a text.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        let value = values.iter().find(|(n, _)| *n == name);
        out.push_str(value.map_or("?", |(_, v)| v));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{form::yes, *};
    use std::collections::BTreeSet;

    /// The string literals of a language's file, in order.
    fn literals(source: &str) -> Vec<&str> {
        source.split('"').skip(1).step_by(2).collect()
    }

    fn places(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1);
        parts
            .filter_map(|p| p.split_once('}'))
            .map(|p| p.0)
            .collect()
    }

    #[test]
    fn every_language_has_the_same_places_and_its_own_words() {
        let en = literals(include_str!("text/en.rs"));
        for (name, source) in [
            ("es", include_str!("text/es.rs")),
            ("fr", include_str!("text/fr.rs")),
            ("nl", include_str!("text/nl.rs")),
        ] {
            let other = literals(source);
            assert_eq!(en.len(), other.len(), "{name}");
            for (one, two) in en.iter().zip(&other) {
                assert_eq!(places(one), places(two), "{name}: {two}");
                assert!(!two.is_empty());
                assert!(
                    one != two || one.len() < 14,
                    "{name}: {two} is not translated"
                );
            }
        }
    }

    #[test]
    fn a_count_takes_the_form_of_its_number() {
        for (lang, none, one, two) in [
            (Lang::En, "0 files", "1 file", "2 files"),
            (Lang::Es, "0 archivos", "1 archivo", "2 archivos"),
            (Lang::Fr, "0 fichier", "1 fichier", "2 fichiers"),
            (Lang::Nl, "0 bestanden", "1 bestand", "2 bestanden"),
        ] {
            let t = Texts::of(lang);
            let said = [0, 1, 2].map(|n| t.count(&t.cost.files, n));
            assert_eq!(said, [none, one, two]);
        }
    }

    #[test]
    fn yes_and_no_are_understood_in_every_language() {
        for lang in Lang::ALL {
            let form = &Texts::of(lang).form;
            assert_eq!(yes(form.yes), Ok(true));
            assert_eq!(yes(form.no), Ok(false));
            let first = |word: &str| word.chars().take(1).collect::<String>();
            assert_eq!(yes(&first(form.yes)), Ok(true));
            assert_eq!(yes(&first(form.no)), Ok(false));
        }
        assert_eq!(yes("perhaps"), Err(()));
    }

    #[test]
    fn places_are_filled_and_values_are_not_looked_into() {
        assert_eq!(
            fill("{a} and {b}", &[("a", "{b}"), ("b", "2")]),
            "{b} and 2"
        );
        assert_eq!(fill("no {x", &[]), "no x");
    }
}
