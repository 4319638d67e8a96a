use age::secrecy::{ExposeSecret, SecretString};
use std::fmt;
use zeroize::Zeroizing;

/// Characters of a passphrase for keys that are made now, without spaces before and behind, at least.
const LEAST: usize = 12;

/// A passphrase is too short for new keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a passphrase for new keys has at least {LEAST} characters, and this one is shorter")]
pub struct ShortPassphrase;

/// A passphrase: wiped when dropped, never shown.
#[derive(Clone)]
pub struct Passphrase {
    text: SecretString,
    work: Option<u8>,
}

impl Passphrase {
    /// Takes the text as typed, without a line's end.
    pub fn new(text: String) -> Self {
        Self {
            text: SecretString::from(text),
            work: None,
        }
    }

    /// Reads the first line of a file's content, as `--passphrase-file` gives it.
    pub fn from_line(content: &[u8]) -> Option<Self> {
        let line = content.split(|&b| b == b'\n').next()?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).ok()?;
        (!text.is_empty()).then(|| Self::new(text.to_owned()))
    }

    /// Refuses one that is too short for keys that are made now. What rests already is opened with
    /// whatever it rests under.
    pub fn check_new(&self) -> Result<(), ShortPassphrase> {
        match self.text.expose_secret().trim().chars().count() {
            0..LEAST => Err(ShortPassphrase),
            _ => Ok(()),
        }
    }

    /// Sets scrypt's cost for saving to 2^`log_n` (1 to 22) instead of about one second on this
    /// machine. For tests, and for machines much slower than the one that writes the file.
    #[must_use]
    pub fn with_work_factor(mut self, log_n: u8) -> Self {
        self.work = Some(log_n.clamp(1, MAX_WORK_FACTOR));
        self
    }

    /// The text itself, for a token's PIN.
    #[cfg(feature = "pkcs11")]
    pub(crate) fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    pub(crate) fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, age::EncryptError> {
        let mut recipient = age::scrypt::Recipient::new(self.text.clone());
        if let Some(log_n) = self.work {
            recipient.set_work_factor(log_n);
        }
        age::encrypt(&recipient, plain)
    }

    pub(crate) fn decrypt(&self, file: &[u8]) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
        let mut identity = age::scrypt::Identity::new(self.text.clone());
        // The file is our own; a slow machine must still open what a fast one wrote.
        identity.set_max_work_factor(MAX_WORK_FACTOR);
        age::decrypt(&identity, file).map(Zeroizing::new)
    }
}

/// 2^22: 4 GiB of memory would already be refused by most machines we know of.
const MAX_WORK_FACTOR: u8 = 22;

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.text.expose_secret() == other.text.expose_secret()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_without_its_end() {
        for content in [&b"ab c\n"[..], b"ab c\r\nmore", b"ab c"] {
            assert_eq!(
                Passphrase::from_line(content),
                Some(Passphrase::new("ab c".into()))
            );
        }
        assert_eq!(Passphrase::from_line(b"\nsecond"), None);
        assert_eq!(Passphrase::from_line(&[0xff, b'\n']), None);
    }

    #[test]
    fn a_short_one_is_none_for_new_keys() {
        let fit = |text: &str| Passphrase::new(text.into()).check_new();
        for short in [
            "",
            "elevenchars",
            "   elevenchars   ",
            "éééééééé",
            "            ",
        ] {
            assert_eq!(fit(short), Err(ShortPassphrase), "{short:?}");
        }
        for long in ["twelve chars", "éééééééééééé", "correct horse battery"] {
            assert_eq!(fit(long), Ok(()), "{long:?}");
        }
        assert!(!ShortPassphrase.to_string().contains("eleven"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert!(!format!("{:?}", Passphrase::new("hunter2".into())).contains("hunter"));
    }
}
