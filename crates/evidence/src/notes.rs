//! Checkpoints in a file: stricter than on a link, since each byte must count.

use crate::Why;
use abeng_audit_log::{Checkpoint, Cosignature, CosignedCheckpoint, LogOrigin, NoteError};
use abeng_roster::{Chain, Roster};
use bytes::Bytes;

/// A note by the newest roster of the chain that it holds under, and which that is.
pub(crate) fn judge<'a>(
    note: &Bytes,
    chain: &'a Chain,
) -> Result<(CosignedCheckpoint, &'a Roster), Why> {
    let mut why = None;
    for roster in chain.rosters() {
        match strict(note, roster) {
            Ok(cosigned) => return Ok((cosigned, roster)),
            Err(e) => why = why.or(Some(e)),
        }
    }
    Err(why.unwrap_or(Why::Rule("there is a roster to judge it by")))
}

/// A note whose first line is the log's, followed by one line of each witness in the order of
/// their times, and nothing else.
fn strict(note: &Bytes, roster: &Roster) -> Result<CosignedCheckpoint, Why> {
    let cosigned = CosignedCheckpoint::verify(note, roster)?;
    let origin = LogOrigin::parse(cosigned.checkpoint().origin())?;
    let witness = |party| format!("abeng/{}/{party}/witness", origin.network);
    let expected =
        std::iter::once(origin.to_string()).chain(cosigned.by().iter().map(|by| witness(by.party)));
    let (_, lines) = split(note).ok_or(NoteError::Unsigned)?;
    let found = lines.lines().map(name);
    if !found.eq(expected.map(Some)) {
        return Err(Why::Rule(
            "the lines under a checkpoint are the log's and then each witness's once, by their times; another is not looked at by anybody",
        ));
    }
    Ok(cosigned)
}

/// The checkpoint by the newest roster that its log's key holds under, whatever stands below.
pub(crate) fn newest<'a>(
    note: &Bytes,
    chain: &'a Chain,
) -> Result<(Checkpoint, &'a Roster), NoteError> {
    let mut why = NoteError::Unsigned;
    for (nth, roster) in chain.rosters().enumerate() {
        match Checkpoint::verify_by_roster(note, roster) {
            Ok(checkpoint) => return Ok((checkpoint, roster)),
            Err(e) if nth == 0 => why = e,
            Err(_) => {}
        }
    }
    Err(why)
}

/// The note with only those lines that [`judge`] lets stand under this roster.
pub(crate) fn tidy(note: &Bytes, roster: &Roster) -> Result<Bytes, NoteError> {
    let (text, lines) = split(note).ok_or(NoteError::Unsigned)?;
    let lines: Vec<&str> = lines.split_inclusive('\n').collect();
    let under = |line: &&str| {
        let alone = Bytes::from([text, line].concat());
        Checkpoint::verify_by_roster(&alone, roster)
    };
    let log = lines.iter().map(under).find_map(Result::ok);
    let log = log.ok_or(NoteError::Unsigned)?;
    let mut by: Vec<Cosignature> = lines
        .iter()
        .filter_map(|line| Cosignature::verify(line, &log, roster).ok())
        .collect();
    by.sort_by_key(|c| (c.time(), c.witness()));
    let mut tidy = log.note().to_vec();
    for (i, cosignature) in by.iter().enumerate() {
        let again = |other: &Cosignature| other.witness() == cosignature.witness();
        if !by.iter().take(i).any(again) {
            tidy.extend_from_slice(cosignature.line().as_bytes());
        }
    }
    Ok(tidy.into())
}

/// The text with the blank line, and the lines under it.
fn split(note: &Bytes) -> Option<(&str, &str)> {
    let note = std::str::from_utf8(note).ok()?;
    let end = note.rfind("\n\n")? + 2;
    Some(note.split_at(end))
}

fn name(line: &str) -> Option<String> {
    let (name, _) = line.strip_prefix("— ")?.split_once(' ')?;
    Some(name.to_owned())
}
