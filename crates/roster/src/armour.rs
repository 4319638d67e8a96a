//! What ceremonies hand on, as text: it survives mail programs, sticks and being pasted, and shows
//! by itself whether it arrived whole. Nothing is believed because of it.

use crate::digest;
use abeng_wire::{Digest, Malformed, decode, encode, limits, pae, v1};
use data_encoding::BASE64;

/// The line before.
pub const BEGIN: &str = "-----BEGIN ABENG CEREMONY FILE-----";
/// The line behind.
pub const END: &str = "-----END ABENG CEREMONY FILE-----";
/// Columns of the text between, as RFC 7468 has them.
const COLUMNS: usize = 64;
/// What the hash at the end is over.
const LABEL: &str = "abeng/1/ceremony";
/// Bytes of that hash.
const HASH: usize = 32;

/// Why a text is no ceremony file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmourError {
    /// Longer than any.
    #[error("it is longer than any ceremony file")]
    TooLong,
    /// No such lines.
    #[error("it has no lines `{BEGIN}` and `{END}`")]
    NoLines,
    /// Two in one text.
    #[error("it holds two ceremony files: keep each in a file of its own")]
    Two,
    /// Cut, or changed.
    #[error("it was cut or changed on its way: have it sent again, as an attachment")]
    Damaged,
    /// Whole, and not what we write.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Writes a file: base64 (RFC 4648) of the message and of SHA-256 over it, between two lines.
pub fn write(file: &v1::CeremonyFile) -> String {
    let mut bytes = encode(file).to_vec();
    bytes.extend_from_slice(&hash(&bytes).0);
    let text = BASE64.encode(&bytes);
    let mut out = String::with_capacity(text.len() + text.len() / COLUMNS + 128);
    out.push_str(BEGIN);
    for (i, c) in text.chars().enumerate() {
        if i % COLUMNS == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out.push('\n');
    out.push_str(END);
    out.push('\n');
    out
}

/// Reads a file. What stands before and behind the two lines, white space, empty lines, and the `>` that
/// mail programs quote with do not count.
pub fn read(text: &str) -> Result<v1::CeremonyFile, ArmourError> {
    if text.len() > limits::CEREMONY_TEXT {
        return Err(ArmourError::TooLong);
    }
    let lines = || text.lines().map(unquoted);
    if lines().filter(|&line| line == BEGIN).count() > 1 {
        return Err(ArmourError::Two);
    }
    match (lines().any(|l| l == BEGIN), lines().any(|l| l == END)) {
        (true, true) => {}
        (false, false) => return Err(ArmourError::NoLines),
        (true, false) | (false, true) => return Err(ArmourError::Damaged),
    }
    let between = lines().skip_while(|&line| line != BEGIN).skip(1);
    let base64: String = between.take_while(|&line| line != END).collect();
    let bytes = BASE64
        .decode(base64.as_bytes())
        .map_err(|_| ArmourError::Damaged)?;
    let at = bytes.len().checked_sub(HASH).ok_or(ArmourError::Damaged)?;
    let (message, end) = bytes.split_at(at);
    if end != hash(message).0 {
        return Err(ArmourError::Damaged);
    }
    let message = bytes::Bytes::copy_from_slice(message);
    Ok(decode("ceremony file", &message, limits::CEREMONY)?)
}

/// A line without what mail programs put before it, or an editor at the beginning of a text. None of
/// it can be part of ours.
fn unquoted(line: &str) -> &str {
    let put = |c: char| c == '>' || c == '\u{feff}' || c.is_whitespace();
    line.trim_start_matches(put).trim_end()
}

/// Forty digits in eight groups that stand for signed bytes, to be read aloud: each group is four
/// bytes of their SHA-256, big-endian, modulo 100,000.
pub fn fingerprint(digest: Digest) -> String {
    let (words, _) = digest.0.as_chunks::<4>();
    let groups = words.iter().map(|w| u32::from_be_bytes(*w) % 100_000);
    let groups: Vec<_> = groups.map(|g| format!("{g:05}")).collect();
    groups.join(" ")
}

fn hash(message: &[u8]) -> Digest {
    digest(&pae(LABEL, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file() -> v1::CeremonyFile {
        v1::CeremonyFile {
            network: "carib".into(),
            what: Some(v1::ceremony_file::What::Roster(v1::Signed {
                bytes: bytes::Bytes::from(vec![7; 300]),
                signatures: Vec::new(),
            })),
        }
    }

    proptest! {
        #[test]
        fn it_goes_there_and_back_and_no_other_text_is_one(
            bytes in proptest::collection::vec(any::<u8>(), 0..400),
            at in any::<proptest::sample::Index>(),
            text in any::<String>(),
        ) {
            let mut file = file();
            if let Some(v1::ceremony_file::What::Roster(signed)) = &mut file.what {
                signed.bytes = bytes.into();
            }
            let mut written = write(&file);
            prop_assert_eq!(read(&written), Ok(file));
            // The lines around it are ASCII and so is what is between.
            let inside = BEGIN.len() + 1..written.len() - END.len() - 2;
            let at = inside.start + at.index(inside.len());
            if written.as_bytes()[at] != b'\n' {
                let other = if written.as_bytes()[at] == b'A' { "B" } else { "A" };
                written.replace_range(at..=at, other);
                prop_assert!(read(&written).is_err());
            }
            prop_assert!(read(&text).is_err());
            let inside = format!("{BEGIN}\n{text}\n{END}");
            prop_assert!(read(&inside).is_err());
        }
    }

    #[test]
    fn what_a_mail_program_does_to_it_does_no_harm() {
        let text = write(&file());
        assert!(text.lines().all(|line| line.len() <= COLUMNS));
        let mailed = format!(
            "Dear colleague,\r\n\r\n{}\r\n-- \r\nThe Secretariat\r\n",
            text.replace('\n', " \r\n\r\n")
        );
        for text in [&text, &mailed] {
            assert_eq!(read(text), Ok(file()));
        }
        for (before, end) in [
            ("> ", "\n"),
            (">", "\r\n"),
            ("> > ", "\r\n"),
            (">>", "\n"),
            ("    ", "\r\n"),
            (" \t> ", "\n"),
            ("\u{a0}>\u{a0}", "\n"),
        ] {
            let quoted: String = text.lines().map(|l| format!("{before}{l}{end}")).collect();
            let quoted = format!(
                "\u{feff}On Monday JM wrote:{end}{before}{end}{quoted}{before}{end}Thanks{end}"
            );
            assert_eq!(read(&quoted), Ok(file()), "{quoted:?}");
            assert_eq!(read(&format!("{quoted}{quoted}")), Err(ArmourError::Two));
        }
        assert_eq!(read(&format!("\u{feff}{text}")), Ok(file()));
    }

    #[test]
    fn what_is_cut_changed_or_doubled_is_refused() {
        let text = write(&file());
        let damaged = |text: &str| assert_eq!(read(text), Err(ArmourError::Damaged), "{text}");
        let lines: Vec<_> = text.lines().collect();
        for gone in 0..lines.len() {
            let mut lines = lines.clone();
            lines.remove(gone);
            damaged(&lines.join("\n"));
        }
        let middle = lines[2].replacen(lines[2].get(..1).unwrap(), "/", 1);
        damaged(&text.replace(lines[2], &middle));
        damaged(&format!("{BEGIN}\n{END}\n"));
        assert_eq!(read("hello"), Err(ArmourError::NoLines));
        damaged(lines[0]);
        assert_eq!(read(&format!("{text}{text}")), Err(ArmourError::Two));
        assert_eq!(
            read(&"x".repeat(limits::CEREMONY_TEXT + 1)),
            Err(ArmourError::TooLong)
        );
    }

    #[test]
    fn the_text_of_a_file_is_pinned() {
        let text = write(&v1::CeremonyFile {
            network: "carib".into(),
            what: None,
        });
        assert_eq!(
            text,
            format!("{BEGIN}\nCgVjYXJpYiyFzSfyHtmmY5WxqgExXcP8NPq8WPnQJFk3XgnYVPQL\n{END}\n")
        );
    }

    #[test]
    fn a_fingerprint_is_eight_groups_of_five_digits() {
        let mut digest = Digest::default();
        digest.0[3] = 9;
        digest.0[31] = 7;
        assert_eq!(
            fingerprint(digest),
            "00009 00000 00000 00000 00000 00000 00000 00007"
        );
    }
}
