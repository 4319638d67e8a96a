//! One witness's word for a checkpoint: C2SP tlog-cosignature.

use super::{
    Checkpoint, LogOrigin, NoteError,
    note::{self, Kind, Note},
};
use abeng_keys::{Role, SignError, Signer};
use abeng_roster::{PartyKey, Roster};
use abeng_wire::{NetworkCode, PartyCode};

/// Key ID, time and signature.
const BYTES: usize = 4 + 8 + 64;

/// A line under a checkpoint by a witness of its log, which holds. There is no other way to have
/// one but to be that witness: see [`crate::Witness`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    witness: PartyCode,
    time: u64,
    line: String,
}

impl Cosignature {
    /// Signs a checkpoint's text as the witness `me`. The time is in Unix seconds and not 0. Only
    /// for what a witness has made durable.
    pub(crate) fn sign(
        text: &str,
        (network, me): (NetworkCode, PartyCode),
        time: u64,
        signer: &dyn Signer,
    ) -> Result<Self, SignError> {
        let name = key_name(network, me);
        let signature = signer.sign_message(message(time, text).as_bytes())?;
        let bytes = [&time.to_be_bytes()[..], &signature].concat();
        let line = note::signature_line(&name, Kind::Witness, signer.verify_key(), &bytes);
        Ok(Self {
            witness: me,
            time,
            line,
        })
    }

    /// Verifies one line, with its newline, under a checkpoint: by a witness that the roster
    /// gives to the checkpoint's log.
    pub fn verify(line: &str, checkpoint: &Checkpoint, roster: &Roster) -> Result<Self, NoteError> {
        let form = || NoteError::Form {
            rule: "a cosignature is one line `— name base64`",
        };
        let bare = line.strip_suffix('\n').ok_or_else(form)?;
        let (name, bytes) = note::signature(bare).ok_or_else(form)?;
        let origin = LogOrigin::parse(checkpoint.origin())?;
        let found = judge(roster, &origin, checkpoint.text(), name, &bytes)?;
        let (witness, time) = found.ok_or(NoteError::Unsigned)?;
        Ok(Self {
            witness,
            time,
            line: line.to_owned(),
        })
    }

    /// Who says so.
    pub fn witness(&self) -> PartyCode {
        self.witness
    }

    /// When it was signed, in Unix seconds, as the witness says.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// The line with its newline.
    pub fn line(&self) -> &str {
        &self.line
    }
}

/// The lines of a note that are by witnesses of its log, each with its time in Unix seconds. A
/// line of a witness that does not hold refuses all.
pub(super) fn witnesses_of(
    note: &Note<'_>,
    roster: &Roster,
    origin: &LogOrigin,
) -> Result<Vec<(PartyCode, u64)>, NoteError> {
    let mut found = Vec::new();
    for (name, bytes) in &note.signatures {
        found.extend(judge(roster, origin, note.text, name, bytes)?);
    }
    Ok(found)
}

/// What a line under a checkpoint's text is worth: nothing where its name or key is not that of a
/// witness of the log.
fn judge(
    roster: &Roster,
    origin: &LogOrigin,
    text: &str,
    name: &str,
    bytes: &[u8],
) -> Result<Option<(PartyCode, u64)>, NoteError> {
    let log = roster
        .party(origin.party)
        .filter(|_| roster.network() == origin.network);
    let mut witnesses = log.into_iter().flat_map(|log| &log.witnesses);
    let Some(&party) = witnesses.find(|w| key_name(origin.network, **w) == name) else {
        return Ok(None);
    };
    let Some((id, rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let keys = roster
        .party(party)
        .into_iter()
        .flat_map(|p| p.keys(Role::Witness));
    let mut believed = None;
    for key in keys.filter(|key| note::key_id(name, Kind::Witness, &key.key) == *id) {
        let time = holds(key, text, rest).ok_or(NoteError::BadCosignature { party })?;
        // A key that was not for that time, or is revoked, says nothing; it does not harm either.
        if key.revoked_at.is_none() && in_its_time(key, time) {
            believed = Some((party, time));
        }
    }
    Ok(believed)
}

/// The time of a cosignature that holds.
fn holds(key: &PartyKey, text: &str, bytes: &[u8]) -> Option<u64> {
    let (time, signature) = bytes.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    if time == 0 || bytes.len() != BYTES - 4 {
        return None;
    }
    let signed = message(time, text);
    key.key.verify_message(signed.as_bytes(), signature).ok()?;
    Some(time)
}

/// Whether the key was for that second, in part at least.
fn in_its_time(key: &PartyKey, time: u64) -> bool {
    let begin = time.saturating_mul(1000);
    key.not_before < begin.saturating_add(1000) && begin < key.not_after
}

/// The name of a witness's key: `abeng/<network>/<party>/witness`.
fn key_name(network: NetworkCode, party: PartyCode) -> String {
    format!("abeng/{network}/{party}/witness")
}

/// What a witness signs.
fn message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}
