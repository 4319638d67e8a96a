//! What was given on the command line, as a request.

use crate::{
    CliError, Ui,
    args::SeizureArgs,
    texts::{Errors, fill},
};
use abeng_api::SubmitRequest;
use abeng_notice::{Draft, DraftError, Lang, ShortSeizure};
use abeng_wire::limits;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// A draft, and the file's name and TOML text where it came from one.
pub(crate) struct Input {
    pub(super) draft: Draft,
    pub(super) source: Option<(String, String)>,
}

impl Input {
    /// Reads the file, or takes the short form.
    pub(super) fn read(args: &SeizureArgs, ui: &Ui) -> Result<Self, CliError> {
        let Some(path) = &args.file else {
            above_zero(args, ui)?;
            return Ok(Self {
                draft: short(args),
                source: None,
            });
        };
        let name = if path.as_os_str() == "-" {
            "<stdin>".to_owned()
        } else {
            path.display().to_string()
        };
        let text = read(path, &name, ui)?;
        let draft =
            Draft::from_text(&text).map_err(|e| malformed(&name, &text, &e, ui.error_lang()))?;
        let source = (!text.trim_start().starts_with('{')).then_some((name, text));
        Ok(Self { draft, source })
    }

    /// The request. Options win over the same words in the file.
    pub(super) fn request(&self, args: &SeizureArgs, ui: &Ui) -> Result<SubmitRequest, CliError> {
        if args.to.is_empty() && self.draft.to.is_empty() {
            let words = Errors::of(ui.error_lang());
            return Err(CliError::usage(words.nobody_named).with_try(words.name_them));
        }
        let notice = serde_json::to_value(&self.draft)
            .map_err(|e| CliError::internal(format!("the draft cannot be written: {e}")))?;
        Ok(SubmitRequest {
            to: args
                .to
                .iter()
                .map(|code| code.trim().to_ascii_uppercase())
                .collect(),
            precedence: args.precedence.as_ref().map(|p| p.to_ascii_uppercase()),
            expires_in_hours: args.expires_in,
            officer: args.officer.clone(),
            dry_run: args.dry_run,
            lang: Some(ui.lang.tag().to_owned()),
            notice,
        })
    }
}

/// The node would say that it cannot read a number below 0; what is meant is plainer.
fn above_zero(args: &SeizureArgs, ui: &Ui) -> Result<(), CliError> {
    let given = args.short.quantity.as_deref().unwrap_or_default().trim();
    let number: Option<f64> = given.replace(',', ".").parse().ok();
    if number.is_none_or(|number| number > 0.0) {
        return Ok(());
    }
    let words = Errors::of(ui.error_lang());
    let told = fill(words.quantity, &[("given", given)]);
    Err(CliError::usage(told).with_try(words.quantity_form))
}

fn short(args: &SeizureArgs) -> Draft {
    let s = args.short.clone();
    let mut draft = Draft::seizure_short(ShortSeizure {
        when: s.when.unwrap_or_default(),
        place: s.place.unwrap_or_default(),
        hs: s.hs,
        drug: s.drug,
        arms: s.arms,
        description: s.description,
        quantity: s.quantity,
        unit: s.unit,
        packages: s.packages,
        mode: s.mode.unwrap_or_default(),
        from: s.route_from.unwrap_or_default(),
        to: s.route_to.unwrap_or_default(),
    });
    draft.tlp = s.tlp;
    draft.remarks = s.remarks;
    draft.exercise = s.exercise;
    draft
}

fn read(path: &Path, name: &str, ui: &Ui) -> Result<String, CliError> {
    let limit = limits::API_REQUEST as u64;
    let mut bytes = Vec::new();
    let result = if path.as_os_str() == "-" {
        io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
    };
    result.map_err(|e| {
        let texts = ui.texts();
        let unreadable = texts.unreadable(Path::new(name), &e);
        unreadable.with_try(texts.reading.name_another)
    })?;
    let words = Errors::of(ui.error_lang());
    if bytes.len() as u64 > limit {
        let values = [("file", name), ("size", &*ui.bytes(limit))];
        return Err(CliError::usage(fill(words.too_large, &values)).with_try(words.shorten));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to().to_string();
        let values = [("file", name), ("at", &*at)];
        CliError::usage(fill(words.not_utf8, &values)).with_try(words.save_utf8)
    })
}

/// The error with its line, and a mark below the place.
fn malformed(name: &str, text: &str, error: &DraftError, lang: Lang) -> CliError {
    let (line, column) = (error.line, error.column);
    let mut message = format!("{name}:{line}:{column}: {}", error.text(lang));
    if let Some(found) = text.lines().nth(line.saturating_sub(1)) {
        // A long line is shown around the place.
        let skip = column.saturating_sub(60);
        let shown: String = found.chars().skip(skip).take(72).collect();
        let shown = shown.replace('\t', " ");
        let before = " ".repeat(column.saturating_sub(1 + skip));
        message.push_str(&format!("\n  {shown}\n  {before}^"));
    }
    let (made, words) = (CliError::usage(message), Errors::of(lang));
    match &error.suggestion {
        Some(key) => made.with_try(fill(words.write_key, &[("key", key)])),
        None => made.with_try(words.correct_line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::ShortArgs, ui::plain};

    fn failed(text: &str) -> CliError {
        let error = Draft::from_text(text).unwrap_err();
        malformed("x.toml", text, &error, Lang::En)
    }

    #[test]
    fn a_malformed_file_is_told_with_line_column_and_mark() {
        let error = failed("type = \"SEIZURE\"\ndate = = 3\n");
        assert!(error.message.starts_with("x.toml:2:8: "), "{error}");
        assert!(
            error.message.ends_with("\n  date = = 3\n         ^"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_key_is_told_with_the_one_that_was_meant() {
        let error = failed("type = \"SEIZURE\"\nremark = \"x\"\n");
        assert!(error.message.starts_with("x.toml:2:1: "), "{error}");
        assert_eq!(error.try_this.as_deref(), Some("write `remarks`"));
    }

    #[test]
    fn a_quantity_is_above_zero() {
        for (given, good) in [("-1", false), ("0", false), ("-0,5", false), ("0.5", true)] {
            let args = SeizureArgs {
                short: ShortArgs {
                    quantity: Some(given.into()),
                    ..ShortArgs::default()
                },
                ..SeizureArgs::default()
            };
            for lang in Lang::ALL {
                let read = Input::read(&args, &plain(lang)).map(drop);
                assert_eq!(read.is_ok(), good, "{given}");
            }
        }
    }

    #[test]
    fn options_become_the_request_and_a_notice_needs_a_recipient() {
        let mut args = SeizureArgs {
            short: ShortArgs {
                when: Some("2026-11-24".into()),
                drug: Some("cocaine".into()),
                exercise: true,
                ..ShortArgs::default()
            },
            ..SeizureArgs::default()
        };
        let ui = plain(Lang::Fr);
        let input = Input::read(&args, &ui).unwrap();
        assert_eq!(
            input.request(&args, &ui).unwrap_err().exit,
            crate::Exit::Usage
        );
        args.to = vec!["tt".into(), " BB".into()];
        args.expires_in = Some(72);
        let request = input.request(&args, &ui).unwrap();
        assert_eq!(request.to, ["TT", "BB"]);
        assert_eq!(request.lang.as_deref(), Some("fr"));
        assert_eq!(request.expires_in_hours, Some(72));
        let again = Draft::from_json(&request.notice.to_string()).unwrap();
        assert_eq!(again, input.draft);
        assert!(again.exercise);
        assert_eq!(again.goods[0].drug.as_deref(), Some("cocaine"));
    }
}
