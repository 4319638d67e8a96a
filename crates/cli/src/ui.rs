//! What goes to the terminal, and how.

use crate::{
    CliError, Exit,
    texts::{Errors, Texts, told_cause},
    when,
};
use abeng_api::{CauseView, FlawSeverity};
use abeng_notice::{Lang, printable, size};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// How a command speaks: to a person or to a machine, in which language and colours.
#[derive(Debug, Clone)]
pub struct Ui {
    /// One JSON value on standard output in place of text.
    pub json: bool,
    /// The reader's language.
    pub lang: Lang,
    /// Colours on standard output.
    pub colour: bool,
    /// Standard input and standard error are a terminal: questions and progress make sense.
    pub interactive: bool,
    /// Columns of the terminal, 80 where not known.
    pub width: usize,
    /// Standard output is no terminal: nothing is cut to a width, for whoever reads it has none.
    pub whole: bool,
}

/// A meaning that a colour may carry. Never the only carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// A heading.
    Strong,
    /// All well.
    Good,
    /// Look at this.
    Warn,
    /// Failed.
    Bad,
    /// Of little interest.
    Faint,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Ui {
    /// From the command line and the environment.
    pub fn new(json: bool, lang: Option<Lang>, colour: Colour) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => io::stdout().is_terminal() && !set("NO_COLOR"),
        };
        let width = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        Self {
            json,
            lang: lang.unwrap_or_else(lang_from_env),
            colour,
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            width: width.unwrap_or(80).clamp(40, 400),
            whole: !io::stdout().is_terminal(),
        }
    }

    /// The texts in the reader's language.
    pub fn texts(&self) -> &'static Texts {
        Texts::of(self.lang)
    }

    /// The width that lines are cut to.
    pub(crate) fn line_width(&self) -> usize {
        if self.whole { usize::MAX } else { self.width }
    }

    /// The text in a colour, where there are colours.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Strong => "1",
            Paint::Good => "32",
            Paint::Warn => "33",
            Paint::Bad => "31",
            Paint::Faint => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Writes text for a person to standard output. A closed pipe ends the process quietly.
    pub fn say(&self, text: &str) {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| {
            if text.ends_with('\n') {
                Ok(())
            } else {
                out.write_all(b"\n")
            }
        });
        leave_on_closed_pipe(written.and_then(|()| out.flush()));
    }

    /// Writes a value for a machine to standard output: one line.
    pub fn give<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(value)
            .map_err(|e| CliError::internal(format!("the answer cannot be written: {e}")))?;
        line.push(b'\n');
        let mut out = io::stdout().lock();
        leave_on_closed_pipe(out.write_all(&line).and_then(|()| out.flush()));
        Ok(())
    }

    /// Either, as asked: `value` as JSON, or what `text` makes.
    pub fn show<T: Serialize + ?Sized>(
        &self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.json {
            self.give(value)
        } else {
            self.say(&text());
            Ok(())
        }
    }

    /// Writes a remark to standard error. Nothing with `--json`.
    pub fn remark(&self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Tells a failure: on standard error for a person, on standard output for a machine.
    pub fn fail(&self, error: &CliError) {
        if self.json {
            #[derive(Serialize)]
            struct Body<'a> {
                error: Failure<'a>,
            }
            #[derive(Serialize)]
            struct Failure<'a> {
                code: &'a str,
                message: &'a str,
                #[serde(rename = "try")]
                try_this: Option<&'a str>,
                #[serde(skip_serializing_if = "<[_]>::is_empty")]
                flaws: &'a [abeng_api::FlawView],
                #[serde(skip_serializing_if = "Option::is_none")]
                cause: Option<&'a CauseView>,
            }
            let _ = self.give(&Body {
                error: Failure {
                    code: error.code,
                    message: &error.message,
                    try_this: error.try_this.as_deref(),
                    flaws: &error.flaws,
                    cause: error.cause.as_deref(),
                },
            });
            return;
        }
        let _ = io::stderr()
            .lock()
            .write_all(self.failure(error).as_bytes());
    }

    /// A failure for a person, in the reader's language where the node said by name what failed.
    fn failure(&self, error: &CliError) -> String {
        let words = Errors::of(self.lang);
        let told = error
            .cause
            .as_ref()
            .and_then(|cause| told_cause(cause, self));
        let (message, hint) = match &told {
            Some((message, hint)) => (message.as_str(), hint.as_deref()),
            None => (error.message.as_str(), error.try_this.as_deref()),
        };
        let mut text = format!("{} {}\n", words.error, multiline(message));
        // What stops the notice first; a doubt alone would not.
        let (errors, doubts): (Vec<_>, Vec<_>) = error
            .flaws
            .iter()
            .partition(|flaw| flaw.severity == FlawSeverity::Error);
        for flaw in errors {
            let told = flaw
                .cause
                .as_ref()
                .and_then(|cause| told_cause(cause, self));
            let told = told.map_or_else(|| flaw.text.clone(), |(text, _)| text);
            text.push_str(&format!("  - {}\n", printable(&told)));
        }
        for flaw in doubts {
            let doubt = self.texts().submit.doubt;
            text.push_str(&format!("  - {doubt}: {}\n", printable(&flaw.text)));
        }
        if let Some(hint) = hint {
            text.push_str(&format!("  {} {}\n", words.hint, multiline(hint)));
        }
        text
    }

    /// The language in which failures are told: English for programs.
    pub fn error_lang(&self) -> Lang {
        match self.json {
            true => Lang::En,
            false => self.lang,
        }
    }

    /// A size in the reader's language: `4.2 MiB`, `4,2 MiB`.
    pub fn bytes(&self, count: u64) -> String {
        size(count, self.lang)
    }

    /// A number with a point, as the reader's language writes it.
    pub fn decimal(&self, number: &str) -> String {
        match self.lang {
            Lang::En => number.to_owned(),
            Lang::Es | Lang::Fr | Lang::Nl => number.replace('.', ","),
        }
    }

    /// A moment for a table: `24 Nov 06:05` (UTC).
    pub fn short_time(&self, rfc3339: &str) -> String {
        when::short(rfc3339, self.texts())
    }

    /// A moment in full: `24 Nov 2026 06:05:16Z`.
    pub fn full_time(&self, rfc3339: &str) -> String {
        when::full(rfc3339, self.texts())
    }
}

/// Keeps our own line breaks and makes the rest harmless.
fn multiline(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n  ")
}

fn leave_on_closed_pipe(result: io::Result<()>) {
    match result {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => std::process::exit(Exit::Ok as i32),
        Err(e) => {
            let _ = writeln!(io::stderr().lock(), "error: cannot write the answer: {e}");
            std::process::exit(Exit::Internal as i32);
        }
        Ok(()) => {}
    }
}

/// As POSIX looks for the language of messages.
fn lang_from_env() -> Lang {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .map_or(Lang::En, |value| Lang::from_locale(&value))
}

#[cfg(test)]
pub(crate) fn plain(lang: Lang) -> Ui {
    Ui {
        json: false,
        lang,
        colour: false,
        interactive: false,
        width: 80,
        whole: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_an_addition_never_the_message() {
        let mut ui = plain(Lang::En);
        assert_eq!(ui.paint(Paint::Bad, "refused"), "refused");
        ui.colour = true;
        assert_eq!(ui.paint(Paint::Bad, "refused"), "\x1b[31mrefused\x1b[0m");
    }

    #[test]
    fn a_failure_at_the_node_is_told_in_the_reader_s_language() {
        let error =
            abeng_api::ApiError::not_found("no notice here has an id that begins with ab12")
                .with_try("look")
                .because(abeng_api::Cause::UnknownId, [("digits", "ab12".to_owned())]);
        let error = CliError::from(error);
        let told = Lang::ALL.map(|lang| plain(lang).failure(&error));
        assert_eq!(
            told[0],
            "error: no notice here has an id that begins with ab12\n  try: look\n"
        );
        assert!(told[1].starts_with("error: ningún aviso") && told[1].contains("pruebe: "));
        assert!(told[2].starts_with("erreur : aucun avis") && told[2].contains("essayez : "));
        assert!(told[3].starts_with("fout: geen melding") && told[3].contains("probeer: "));
        assert!(told.iter().all(|told| told.contains("ab12")));
    }

    #[test]
    fn a_reason_and_what_it_is_a_reason_for_are_told_in_one_language() {
        use abeng_api::{ApiError, Cause, CauseView};
        let why = CauseView::new(Cause::ReleaseFile, [("name", "a.jpg".to_owned())]);
        let error = ApiError::invalid("not released, it goes on waiting: its file a.jpg is gone")
            .with_try("deny it")
            .by(why.after(Cause::StillWaits));
        let error = CliError::from(error);
        let told = plain(Lang::Es).failure(&error);
        assert!(
            told.starts_with("error: no se autorizó, sigue esperando: su archivo a.jpg ya no"),
            "{told}"
        );
        // Half of it in another language would not do.
        let mut newer = error;
        newer.cause.as_mut().unwrap().first = Some("of_a_newer_node".into());
        let told = plain(Lang::Es).failure(&newer);
        assert!(told.contains("pruebe: deny it") && !told.contains("archivo"));
    }

    #[test]
    fn a_message_cannot_move_the_cursor() {
        assert_eq!(multiline("a\x1b[2J\nb"), "a\u{fffd}[2J\n  b");
    }
}
