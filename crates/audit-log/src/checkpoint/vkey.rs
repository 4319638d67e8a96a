use super::{
    Checkpoint, LogOrigin, log_keys,
    note::{Kind, key_id},
};
use abeng_keys::VerifyKey;
use abeng_roster::Roster;
use data_encoding::{BASE64, HEXLOWER};
use std::fmt;

/// A log's key as one line of text that tools for signed notes take:
/// `<name>+<key ID in hex>+<base64 of the type and the key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyKey,
}

impl VerifierKey {
    /// A log's key.
    pub fn new(origin: &LogOrigin, key: VerifyKey) -> Self {
        let name = origin.to_string();
        Self { name, key }
    }

    /// The key of the roster that a checkpoint holds by; `None` where there is none.
    pub fn of(checkpoint: &Checkpoint, roster: &Roster) -> Option<Self> {
        let origin = LogOrigin::parse(checkpoint.origin()).ok()?;
        let mut keys = log_keys(roster, &origin).into_iter();
        let signs = |key: &&VerifyKey| {
            Checkpoint::verify(checkpoint.note(), checkpoint.origin(), key).is_ok()
        };
        let key = keys.find(signs)?;
        Some(Self::new(&origin, key.clone()))
    }

    /// Reads a line. `None` where it is none, its ID is not its key's, or its key is not one for
    /// plain Ed25519 signatures of a log.
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.trim().splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = BASE64.decode(key.as_bytes()).ok()?;
        let (kind, key) = key.split_first()?;
        let key = VerifyKey::admit(key).ok()?;
        let named = !name.is_empty() && !name.contains(char::is_whitespace);
        let ours =
            *kind == Kind::Log as u8 && HEXLOWER.encode(&key_id(name, Kind::Log, &key)) == id;
        (named && ours).then(|| Self {
            name: name.to_owned(),
            key,
        })
    }

    /// The key's name, which is the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &VerifyKey {
        &self.key
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = HEXLOWER.encode(&key_id(&self.name, Kind::Log, &self.key));
        let key = [&[Kind::Log as u8][..], self.key.bytes()].concat();
        write!(f, "{}+{id}+{}", self.name, BASE64.encode(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Go package `note`, whose lines others read.
    const LINE: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn a_line_of_others_is_read_and_written_the_same() {
        let key = VerifierKey::parse(LINE).unwrap();
        assert_eq!(key.name(), "PeterNeumann");
        assert_eq!(key.to_string(), LINE);
    }

    #[test]
    fn what_is_no_line_of_a_log_is_refused() {
        for wrong in [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a3",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        ] {
            assert_eq!(VerifierKey::parse(wrong), None, "{wrong}");
        }
    }
}
