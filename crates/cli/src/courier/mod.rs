//! `abeng courier`: what a link would carry, in a file.

mod contents;
mod export;
mod import;
mod show;

use crate::{
    CliError, Ui,
    args::{Common, CourierCommand},
    texts::{Places, fill},
};
use abeng_notice::printable;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fs::{self, File},
    io,
    path::Path,
    process::ExitCode,
    time::Duration,
};

pub(crate) fn run(command: CourierCommand, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    match command {
        CourierCommand::Export(args) => export::export(&args, common, ui),
        CourierCommand::Import { file } => import::import(&file, common, ui),
        CourierCommand::Show { file, limit } => show::show(&file, limit as usize, ui),
    }
}

/// `500M`, `4G`, `1048576`: bytes, in powers of 1024.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let none = || "a size is a number of bytes, or one with K, M or G behind it".to_owned();
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return Err(none()),
    };
    let number: u64 = digits.trim().parse().map_err(|_| none())?;
    number
        .checked_mul(unit)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(none)
}

/// Bytes that move, on a terminal only.
fn progress(total: Option<u64>, ui: &Ui) -> ProgressBar {
    if !ui.interactive || ui.json {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{bar:30} {bytes} of {total_bytes} ({bytes_per_sec}, {eta})",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {bytes} ({bytes_per_sec})",
        ),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Opens a courier file, with how long it is. It is looked at first: a directory can be opened and
/// not read, and a pipe is not even opened before somebody writes into it.
fn open(path: &Path, ui: &Ui) -> Result<(File, u64), CliError> {
    let unreadable = |e| unreadable(path, &e, ui);
    let there = fs::metadata(path).map_err(unreadable)?;
    if !there.is_file() {
        let places = Places::of(ui.lang);
        let text = match there.is_dir() {
            true => places.directory,
            false => places.not_read,
        };
        let shown = printable(&path.display().to_string());
        let told = fill(text, &[("file", &shown)]);
        return Err(CliError::usage(told).with_try(ui.texts().reading.stick));
    }
    let file = File::open(path).map_err(unreadable)?;
    Ok((file, there.len()))
}

fn unreadable(file: &Path, e: &io::Error, ui: &Ui) -> CliError {
    let texts = ui.texts();
    texts.unreadable(file, e).with_try(texts.reading.stick)
}

#[cfg(test)]
mod tests {
    use super::{open, size, unreadable};
    use crate::ui::plain;
    use abeng_notice::Lang;
    use std::{io, path::Path};

    #[test]
    fn a_file_that_is_not_there_is_told_in_the_reader_s_language() {
        let absent = io::Error::from(io::ErrorKind::NotFound);
        for (lang, said) in [
            (Lang::En, "cannot read x: there is no such file"),
            (Lang::Es, "no se puede leer x: no existe ese archivo"),
            (Lang::Fr, "impossible de lire x : ce fichier n'existe pas"),
            (Lang::Nl, "kan x niet lezen: dat bestand is er niet"),
        ] {
            let error = unreadable(Path::new("x"), &absent, &plain(lang));
            assert_eq!(error.message, said);
            assert!(error.try_this.is_some_and(|hint| hint.contains("`ls`")));
        }
    }

    #[test]
    fn a_directory_is_no_courier_file() {
        let dir = tempfile::tempdir().unwrap();
        for (lang, word) in [
            (Lang::En, "directory"),
            (Lang::Es, "directorio"),
            (Lang::Fr, "répertoire"),
            (Lang::Nl, "map"),
        ] {
            let error = open(dir.path(), &plain(lang)).unwrap_err();
            assert!(error.message.contains(word), "{error}");
            assert_eq!(error.exit, crate::Exit::Usage);
        }
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        for (lang, word) in [
            (Lang::En, "a pipe"),
            (Lang::Es, "una tubería"),
            (Lang::Fr, "un tube"),
            (Lang::Nl, "een pijp"),
        ] {
            let error = open(&pipe, &plain(lang)).unwrap_err();
            assert!(error.message.contains(word), "{error}");
            assert_eq!(error.exit, crate::Exit::Usage);
        }
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        let read = |text| size(text).ok();
        assert_eq!(read("1048576"), Some(1 << 20));
        assert_eq!(read("500M"), Some(500 << 20));
        assert_eq!(read(" 4 GiB "), Some(4 << 30));
        assert_eq!(read("64k"), Some(64 << 10));
        for wrong in ["", "0", "M", "-1", "1.5G", "4T", "99999999999G"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
