//! `abeng drill hurricane`: is this node ready for weeks without a cable?

use crate::{
    CliError, Exit, Paint, Ui,
    args::{Common, HurricaneArgs},
    connect,
    table::{Align, Table, wrap},
};
use abeng_api::{ClientError, DrillMark, DrillView};
use abeng_keys::{Keyring, KeyringError, Passphrase};
use abeng_node::{
    Config,
    drill::{Answer, Stick, offline, passphrase, stick, view},
    same_file_system,
};
use abeng_notice::printable;
use rustix::{
    fs::{Advice, OFlags, fadvise},
    io::Errno,
};
use std::{
    fs,
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Bytes of the file that a stick is tried with: an attachment's worth.
const TRIAL: usize = 8 << 20;
/// No disk has larger blocks.
const BLOCK: usize = 4096;
/// Its name.
const TRIAL_FILE: &str = "abeng-stick-trial.tmp";

pub(crate) fn hurricane(
    args: HurricaneArgs,
    common: &Common,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let (mut drill, data) = looked(common, ui)?;
    if let Some(dir) = &args.stick {
        let same = data.as_deref().map(|data| same_file_system(dir, data));
        drill.put(stick(&match same {
            Some(Ok(true)) => Stick::SameDisk,
            _ => try_stick(dir),
        }));
    }
    if args.passphrase {
        let data = data.ok_or_else(|| {
            CliError::usage("it is not known where the keys are").with_try("give --data DIR")
        })?;
        drill.put(passphrase(ask(&data)?));
    }
    ui.show(&drill, || render(&drill, ui))?;
    Ok(match drill.failed {
        0 => Exit::Ok.into(),
        _ => Exit::Unverified.into(),
    })
}

/// What the node says, or its data directory while it does not run.
fn looked(common: &Common, ui: &Ui) -> Result<(DrillView, Option<PathBuf>), CliError> {
    let client = connect::client(common);
    let asked = connect::block_on(async {
        let drill = match client.drill().await {
            Err(e @ ClientError::Api(_)) => return Err(e.into()),
            asked => asked,
        };
        let data = client.status().await.ok().map(|s| s.data_dir.into());
        Ok((drill, data))
    })?;
    let down = match asked {
        (Ok(drill), data) => return Ok((drill, data)),
        (Err(down), _) => down,
    };
    let Some(dir) = &common.data else {
        return Err(CliError::from(down)
            .with_try("start it; or give --data DIR, and what can be seen without it is shown"));
    };
    ui.remark("The node does not run: this is what its data directory says.");
    let config = Config::load(&dir.join("node.toml"))
        .map_err(|e| CliError::usage(e.to_string()).with_try(e.hint()))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_millis() as u64);
    let drill = view(config.party, now, &offline(&config));
    Ok((drill, Some(config.data)))
}

/// Writes a file to a stick, reads it back, and takes it away.
fn try_stick(dir: &Path) -> Stick {
    let path = dir.join(TRIAL_FILE);
    let tried = round_trip(&path);
    // A trial that is left behind harms nobody.
    let _ = fs::remove_file(&path);
    match tried {
        Ok((rate, ReadFrom::Stick)) => Stick::Good(rate),
        Ok((rate, ReadFrom::Unknown)) => Stick::FromMemory(rate),
        Err(e) => Stick::Bad(e.to_string()),
    }
}

/// Where bytes that were read back come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadFrom {
    /// Past the system's memory.
    Stick,
    /// Perhaps out of it: the file system knows no other way to read.
    Unknown,
}

/// Bytes a second, down to the stick itself, and where they were read back from.
fn round_trip(path: &Path) -> io::Result<(u64, ReadFrom)> {
    // Nothing that a controller could shorten.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let content: Vec<u8> = (0..TRIAL / 8).flat_map(|_| next()).collect();
    let begun = Instant::now();
    let mut file = fs::File::create(path)?;
    file.write_all(&content)?;
    file.sync_all()?;
    let spent = begun.elapsed().as_micros().max(1);
    // What is on the stick need not stay in memory. A system may leave it there all the same.
    let _ = fadvise(&file, 0, None, Advice::DontNeed);
    drop(file);
    let (back, from) = match read_direct(path) {
        Ok(back) => (back, ReadFrom::Stick),
        Err(e) if e.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
            (fs::read(path)?, ReadFrom::Unknown)
        }
        Err(e) => return Err(e),
    };
    if back != content {
        return Err(io::Error::other("what it gives back is not what it took"));
    }
    let rate = TRIAL as u128 * 1_000_000 / spent;
    Ok((u64::try_from(rate).unwrap_or(u64::MAX), from))
}

/// Reads a file of so many whole blocks past the page cache (`O_DIRECT`). EINVAL where its file
/// system does not know how.
fn read_direct(path: &Path) -> io::Result<Vec<u8>> {
    let direct = OFlags::DIRECT.bits() as i32;
    let mut file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(direct)
        .open(path)?;
    // The kernel writes straight into it, so it begins where a block may.
    let mut room = vec![0; TRIAL + BLOCK];
    let begin = room.as_ptr().align_offset(BLOCK);
    let (mut read, aligned) = (0, &mut room[begin..begin + TRIAL]);
    while read < TRIAL {
        match file.read(&mut aligned[read..])? {
            0 => break,
            n => read += n,
        }
    }
    Ok(aligned[..read].to_vec())
}

/// Asks for the passphrase of the keys, which must open them.
fn ask(data: &Path) -> Result<Answer, CliError> {
    let mut asked = false;
    let unlocked = Keyring::load(&data.join("keys"), || {
        asked = true;
        let typed = inquire::Password::new("Passphrase of the keys")
            .without_confirmation()
            .with_display_mode(inquire::PasswordDisplayMode::Hidden)
            .prompt()
            .map_err(|e| e.to_string())?;
        Passphrase::from_line(typed.as_bytes()).ok_or_else(|| "nothing was typed".to_owned())
    });
    answered(unlocked.map(|_| asked))
}

/// What a try to open the keys says; `Ok(true)`: they were opened with what was typed.
fn answered(opened: Result<bool, KeyringError>) -> Result<Answer, CliError> {
    match opened {
        Ok(true) => Ok(Answer::Right),
        Ok(false) => Ok(Answer::None),
        Err(KeyringError::WrongPassphrase { .. }) => Ok(Answer::Wrong),
        // The other items are looked at all the same.
        Err(KeyringError::NoPassphrase { .. }) => Ok(Answer::NotGiven),
        Err(e) => {
            Err(CliError::new(Exit::Internal, e.to_string()).with_try("run it as the node's user"))
        }
    }
}

fn render(drill: &DrillView, ui: &Ui) -> String {
    let mut table = Table::new([
        ("", Align::Left),
        ("CHECK", Align::Left),
        ("POINTS", Align::Right),
        ("FOUND", Align::Left),
    ]);
    for item in &drill.items {
        table.row([
            word(item.mark).to_owned(),
            item.name.clone(),
            format!("{}/{}", item.points, item.of),
            printable(&item.found),
        ]);
    }
    let mut out = table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line));
    let lacking = drill.items.iter().filter_map(|item| {
        let advice = item.advice.as_ref()?;
        Some((item, advice))
    });
    for (item, advice) in lacking {
        let paint = match item.mark {
            DrillMark::Fail => Paint::Bad,
            _ => Paint::Warn,
        };
        let line = format!("{}: {}", item.name, printable(advice));
        out.push_str(&format!("\n{}", ui.paint(paint, &wrap(&line, ui.width, 2))));
    }
    let (paint, verdict) = match (drill.failed, drill.score) {
        (0, 80..) => (Paint::Good, "ready for weeks without a cable"),
        (0, _) => (Paint::Warn, "it would do; the points that lack are above"),
        _ => (Paint::Bad, "not ready: mend what failed first"),
    };
    let line = format!("{} of 100 points: {verdict}", drill.score);
    out.push_str(&format!("\n\n{}\n", ui.paint(paint, &line)));
    out
}

fn word(mark: DrillMark) -> &'static str {
    match mark {
        DrillMark::Ok => "ok",
        DrillMark::Warn => "warn",
        DrillMark::Fail => "FAIL",
        DrillMark::Unchecked => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_node::drill::Facts;
    use abeng_notice::Lang;

    #[test]
    fn a_stick_is_tried_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let (Stick::Good(rate) | Stick::FromMemory(rate)) = try_stick(dir.path()) else {
            panic!("a directory that takes files");
        };
        assert!(rate > 0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(matches!(try_stick(&dir.path().join("none")), Stick::Bad(_)));
    }

    #[test]
    fn it_is_said_when_a_stick_may_not_have_been_read() {
        let good = stick(&Stick::Good(3_000_000));
        let memory = stick(&Stick::FromMemory(3_000_000));
        assert_eq!((good.mark, memory.mark), (DrillMark::Ok, DrillMark::Warn));
        assert!(memory.found.contains("memory") && !good.found.contains("memory"));
    }

    #[test]
    fn without_a_terminal_the_passphrase_is_not_looked_at_and_the_drill_goes_on() {
        let none = KeyringError::NoPassphrase {
            file: "keys/org-sign.key".into(),
            reason: "the input device is not a TTY".into(),
        };
        let answer = answered(Err(none)).unwrap();
        assert_eq!(answer, Answer::NotGiven);
        assert_eq!(passphrase(answer).mark, DrillMark::Unchecked);
    }

    #[test]
    fn what_is_read_past_memory_is_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let content: Vec<u8> = (0..TRIAL).map(|i| (i / 7) as u8).collect();
        fs::write(&path, &content).unwrap();
        match read_direct(&path) {
            Ok(back) => assert!(back == content),
            Err(e) => assert_eq!(e.raw_os_error(), Some(Errno::INVAL.raw_os_error())),
        }
    }

    #[test]
    fn a_drill_tells_what_lacks_and_what_to_do() {
        let party = abeng_wire::PartyCode::new("JM").unwrap();
        let facts = Facts {
            backup: Some(None),
            keys_encrypted: Some(true),
            ..Facts::default()
        };
        let drill = view(party, 1_790_000_000_000, &facts);
        let text = render(&drill, &plain(Lang::En));
        assert!(
            text.contains("FAIL") && text.contains("abeng backup"),
            "{text}"
        );
        assert!(text.contains("10 of 100 points: not ready"), "{text}");
        assert!(text.lines().all(|line| columns(line) <= 100), "{text}");
    }
}
