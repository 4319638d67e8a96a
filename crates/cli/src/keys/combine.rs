//! `abeng keys combine`: typing shares in, line by line.

use crate::{
    CliError, Exit, Ui,
    args::KeysCombineArgs,
    ceremony::{ask_new, check_keys, new_from_file},
};
use abeng_keys::{
    BackupSecret, Combining, Keyring, Passphrase, Protection, SEALED, SHARE_LINES, SetId, Share,
    ShareError, paper_lines, read_line, sealed_for,
};
use abeng_node::{count::count, keys::read_sheet};
use std::{
    fs,
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use zeroize::Zeroizing;

/// Bytes of a typed line, and of a file with a sheet, at most.
const TYPED: u64 = 1024;
const SHEET: u64 = 64 * 1024;

pub(crate) fn run(args: KeysCombineArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    free(&args.out)?;
    let sealed = args.sealed.as_deref().map(sealed_file).transpose()?;
    let mut combining = match &sealed {
        Some((path, bytes)) => {
            let (party, kid) = sealed_for(bytes).map_err(|e| {
                unverified(format!("{}: {e}", path.display()))
                    .with_try("name the file keyring.sealed of a backup")
            })?;
            let set = SetId::of(&kid);
            ui.remark(&format!(
                "{} holds the keys of {party}, sealed to set {set}.",
                path.display()
            ));
            Combining::of(set)
        }
        None => Combining::default(),
    };
    let mut paper = Vec::new();
    for path in &args.shares {
        let (share, lines) = sheet(path)?;
        combining.add(share).map_err(|why| {
            let (what, try_this) = not_counted(&why, &combining);
            unverified(format!("{}: {what}", path.display())).with_try(try_this)
        })?;
        if paper.is_empty() {
            paper = lines;
        }
    }
    let mut typist = Typist {
        input: io::stdin().lock(),
        output: io::stderr().lock(),
    };
    typist.shares(&mut combining)?;
    let secret = BackupSecret::combine(&combining).map_err(|e| {
        unverified(e.to_string())
            .with_try("try another share in place of each in turn; sheets of one set bear the same set number")
    })?;
    let keyring = match sealed {
        Some((path, bytes)) => {
            { secret.open(&bytes) }.map_err(|e| unverified(format!("{}: {e}", path.display())))?
        }
        None => {
            if paper.is_empty() {
                paper = typist.paper()?;
            }
            let lines = paper.iter().map(|l| l.as_str());
            { secret.open_paper(lines) }.map_err(|e| unverified(format!("part B: {e}")))?
        }
    };
    drop(typist);
    let protection = Protection::Passphrase(new_passphrase(&args, ui)?);
    keep(&keyring, &args.out, &protection)?;
    let value = serde_json::json!({
        "party": keyring.party.to_string(),
        "seal_keys": keyring.seal.count(),
        "out": args.out,
    });
    ui.show(&value, || {
        format!(
            "The keys of {} are back, with {}: {}/keyring.age, under the new passphrase.\n\
             Go on with: abeng restore --data NEW --keys {} --trust BUNDLE --config NODE.TOML\n\
             These sheets have been seen together: once the node runs, make new ones with `abeng keys split`.",
            keyring.party,
            count(keyring.seal.count() as u64, "seal key", "seal keys"),
            args.out.display(),
            args.out.display(),
        )
    })?;
    Ok(Exit::Ok.into())
}

/// Why a share does not count, and what to do.
fn not_counted(why: &ShareError, combining: &Combining) -> (String, String) {
    let ShareError::OtherSet { expected, .. } = why else {
        let then = match why {
            ShareError::Repeated(_) => "take another sheet",
            _ => "read that sheet again from its first line, or take another",
        };
        return (why.to_string(), then.to_owned());
    };
    let (there, missing) = (combining.numbers(), combining.missing());
    let sheets = count(missing as u64, "more sheet", "more sheets");
    if there.is_empty() {
        return (
            format!("{why}, to which the keys are sealed"),
            format!(
                "take sheets of set {expected}, at least {sheets}: each has its set near the top"
            ),
        );
    }
    let numbers: Vec<String> = there.iter().map(u8::to_string).collect();
    let held = match &numbers[..] {
        [one] => format!("share {one} is"),
        all => format!("shares {} are", all.join(", ")),
    };
    (
        format!("{why}, of which {held} there"),
        format!(
            "take {sheets} of set {expected}: each has its set near the top; if those of that set are the wrong ones, begin again without them"
        ),
    )
}

fn unverified(message: String) -> CliError {
    CliError::new(Exit::Unverified, message)
}

/// Nothing is written over.
fn free(out: &Path) -> Result<(), CliError> {
    let held = ["keyring.age", "keyring.plain.toml"]
        .iter()
        .find(|name| out.join(name).exists());
    match held {
        Some(name) => Err(CliError::new(
            Exit::Refused,
            format!("{} holds keys already", out.join(name).display()),
        )
        .with_try("name a new directory")),
        None => check_keys(out),
    }
}

fn sealed_file(path: &Path) -> Result<(PathBuf, Vec<u8>), CliError> {
    let places = [
        path.to_owned(),
        path.join(SEALED),
        path.join("keys").join(SEALED),
    ];
    let path = places.iter().find(|p| p.is_file()).ok_or_else(|| {
        CliError::new(Exit::NotFound, format!("{} is not there", path.display()))
            .with_try("name keyring.sealed of a backup; where none is left, use --paper")
    })?;
    let bytes = read(path, SHEET)?;
    Ok((path.clone(), bytes.to_vec()))
}

fn sheet(path: &Path) -> Result<(Share, Vec<Zeroizing<String>>), CliError> {
    let bytes = read(path, SHEET)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| unverified(format!("{} is no text", path.display())))?;
    read_sheet(text).map_err(|e| {
        unverified(format!("{}: {e}", path.display())).with_try("compare it with the paper")
    })
}

fn read(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, CliError> {
    use std::io::Read;
    let mut out = Zeroizing::new(Vec::with_capacity(16 * 1024));
    fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut out))
        .map_err(|e| CliError::usage(format!("cannot read {}: {e}", path.display())))?;
    match out.len() as u64 > most {
        true => Err(CliError::usage(format!("{} is too long", path.display()))),
        false => Ok(out),
    }
}

fn new_passphrase(args: &KeysCombineArgs, ui: &Ui) -> Result<Passphrase, CliError> {
    if let Some(file) = &args.passphrase_file {
        return new_from_file(file);
    }
    if !ui.interactive {
        return Err(
            CliError::usage("there is nobody to ask for a new passphrase")
                .with_try("add --passphrase-file FILE"),
        );
    }
    ask_new("New passphrase of the keys")
}

fn keep(keyring: &Keyring, out: &Path, protection: &Protection) -> Result<(), CliError> {
    let saved = keyring.save(out, protection);
    saved
        .map_err(|e| CliError::internal(e.to_string()).with_try("check owner, mode and free space"))
}

/// Asks for lines and says at once what is wrong with one.
struct Typist<I, O> {
    input: I,
    output: O,
}

impl<I: BufRead, O: Write> Typist<I, O> {
    /// Shares until there are enough.
    fn shares(&mut self, combining: &mut Combining) -> Result<(), CliError> {
        while combining.missing() > 0 {
            self.tell(&format!(
                "\nA sheet's part A, {SHARE_LINES} lines; at least {} more {} needed.",
                combining.missing(),
                if combining.missing() == 1 {
                    "sheet is"
                } else {
                    "sheets are"
                }
            ));
            let lines = self.lines("share", SHARE_LINES)?;
            let share = Share::from_lines(lines.iter().map(|l| l.as_str()));
            match share.and_then(|share| {
                let number = share.number;
                combining.add(share).map(|missing| (number, missing))
            }) {
                Ok((number, missing)) => {
                    self.tell(&format!("Share {number} is right. {missing} to go."));
                }
                // The set that it is of decides: what follows may be the right one.
                Err(why) => {
                    let (what, try_this) = not_counted(&why, combining);
                    self.tell(&format!(
                        "What was typed does not count: {what}. Now: {try_this}."
                    ));
                }
            }
        }
        Ok(())
    }

    /// Part B, whose first line says how long it is.
    fn paper(&mut self) -> Result<Vec<Zeroizing<String>>, CliError> {
        self.tell("\nPart B of any sheet of the set: it says how many lines by its first.");
        let mut lines = self.lines("part B", 1)?;
        let first = lines.first().and_then(|line| read_line(1, line).ok());
        let all = first
            .and_then(|first| paper_lines(&first))
            .ok_or_else(|| unverified("this is no part B that this version knows".to_owned()))?;
        for number in 2..=usize::from(all) {
            lines.push(self.line("part B", number, all.into())?);
        }
        Ok(lines)
    }

    fn lines(&mut self, what: &str, count: usize) -> Result<Vec<Zeroizing<String>>, CliError> {
        (1..=count)
            .map(|number| self.line(what, number, count))
            .collect()
    }

    /// One line, asked for until its check characters fit.
    fn line(
        &mut self,
        what: &str,
        number: usize,
        of: usize,
    ) -> Result<Zeroizing<String>, CliError> {
        loop {
            let _ = write!(self.output, "{what}, line {number} of {of}: ");
            let _ = self.output.flush();
            let mut typed = Zeroizing::new(String::with_capacity(TYPED as usize));
            let read = io::Read::take(&mut self.input, TYPED).read_line(&mut typed)?;
            if read == 0 {
                return Err(CliError::usage("the shares end before there are enough")
                    .with_try("type them again, or name files with --share"));
            }
            if typed.trim().is_empty() {
                continue;
            }
            match read_line(number, &typed) {
                Ok(_) => return Ok(typed),
                Err(why) => self.tell(&format!("  Line {number}: {why}. Type it again.")),
            }
        }
    }

    fn tell(&mut self, text: &str) {
        // Where nobody reads it the work goes on.
        let _ = writeln!(self.output, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_keys::SystemEntropy;
    use std::io::Cursor;

    /// What is typed, and what the typist says to it.
    fn type_in(typed: &str, combining: &mut Combining) -> (Result<(), CliError>, String) {
        let mut typist = Typist {
            input: Cursor::new(typed.as_bytes().to_vec()),
            output: Vec::new(),
        };
        let done = typist.shares(combining);
        (done, String::from_utf8(typist.output).unwrap())
    }

    #[test]
    fn a_mistyped_line_is_named_at_once_and_asked_for_again() {
        let secret = BackupSecret::generate(&mut SystemEntropy);
        let shares = secret.split(2, 3, &mut SystemEntropy).unwrap();
        let lines = |nth: usize| shares[nth].lines();
        let mut wrong = lines(0)[1].to_string();
        let at = if wrong.starts_with('7') { "8" } else { "7" };
        wrong.replace_range(0..1, at);
        let mut typed = vec![lines(0)[0].to_lowercase(), String::new(), wrong];
        typed.extend(lines(0)[1..].iter().map(|l| l.replace(' ', "")));
        // The same sheet a second time, then another.
        typed.extend(lines(0).iter().map(|l| l.to_string()));
        typed.extend(lines(2).iter().map(|l| l.to_string()));
        let mut combining = Combining::of(secret.set());
        let (done, said) = type_in(&typed.join("\n"), &mut combining);
        done.unwrap();
        let named = "Line 2: something in it is mistyped: look at group 1 first. Type it again.";
        assert!(said.contains(named), "{said}");
        assert_eq!(said.matches("share, line 2 of 4").count(), 5, "{said}");
        assert!(said.contains("Share 1 is right. 1 to go."), "{said}");
        assert!(said.contains("share 1 is there already"), "{said}");
        assert!(said.contains("Share 3 is right. 0 to go."), "{said}");
        let again = BackupSecret::combine(&combining).unwrap();
        assert_eq!(again.set(), secret.set());
        assert!(!said.contains(lines(0)[0].as_str()), "nothing is said back");
    }

    #[test]
    fn a_sheet_of_another_set_does_not_count_and_an_end_is_told() {
        let secret = BackupSecret::generate(&mut SystemEntropy);
        let other = BackupSecret::generate(&mut SystemEntropy);
        let stranger = other.split(2, 2, &mut SystemEntropy).unwrap();
        let typed = stranger[0]
            .lines()
            .iter()
            .map(|l| l.to_string())
            .collect::<Vec<_>>();
        let mut combining = Combining::of(secret.set());
        let (done, said) = type_in(&typed.join("\n"), &mut combining);
        let why = format!(
            "share 1 is of set {}, not of set {}, to which the keys are sealed. Now: take sheets of set {}, at least 2 more sheets",
            other.set(),
            secret.set(),
            secret.set()
        );
        assert!(said.contains(&why), "{said}");
        assert!(
            done.unwrap_err()
                .message
                .contains("end before there are enough")
        );
        // Where some are there it is said which, and how many of their set are missing.
        let ours = secret.split(3, 5, &mut SystemEntropy).unwrap();
        for nth in [4, 1] {
            let lines = ours[nth].lines();
            let share = Share::from_lines(lines.iter().map(|l| l.as_str())).unwrap();
            combining.add(share).unwrap();
        }
        let (_, said) = type_in(&typed.join("\n"), &mut combining);
        let why = format!(
            "not of set {}, of which shares 5, 2 are there. Now: take 1 more sheet of set {}",
            secret.set(),
            secret.set()
        );
        assert!(said.contains(&why), "{said}");
    }
}
