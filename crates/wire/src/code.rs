use std::{fmt, str::FromStr};

/// Why a text is not a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {what}: {rule}")]
pub struct BadCode {
    /// `party code` or `network code`.
    pub what: &'static str,
    /// The text, cut to 32 characters.
    pub found: String,
    /// The rule it breaks, in words.
    pub rule: &'static str,
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            // Zero-filled, so that comparing arrays is comparing codes as ASCII.
            text: [u8; 16],
        }

        impl $name {
            /// Checks a text against the rule.
            pub fn new(text: &str) -> Result<Self, BadCode> {
                let allowed: fn(u8) -> bool = $allowed;
                if !(2..=16).contains(&text.len()) || !text.bytes().all(allowed) {
                    let found = text.chars().take(32).collect();
                    return Err(BadCode { what: $what, found, rule: $rule });
                }
                let mut out = [0; 16];
                out[..text.len()].copy_from_slice(text.as_bytes());
                Ok(Self { text: out })
            }

            /// The code as text.
            pub fn as_str(&self) -> &str {
                let end = self.text.iter().position(|&b| b == 0).unwrap_or(16);
                std::str::from_utf8(&self.text[..end]).unwrap_or_default()
            }
        }

        impl FromStr for $name {
            type Err = BadCode;
            fn from_str(text: &str) -> Result<Self, BadCode> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

code!(
    /// The code of a party, `[A-Z0-9-]{2,16}`: ISO 3166-1 alpha-2 for countries.
    PartyCode,
    "party code",
    "2 to 16 of A-Z, 0-9 and -",
    |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'
);

code!(
    /// The code of a network, `[a-z0-9-]{2,16}`.
    NetworkCode,
    "network code",
    "2 to 16 of a-z, 0-9 and -",
    |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_to_their_rules_and_sort_as_text() {
        assert_eq!(PartyCode::new("JM").unwrap().to_string(), "JM");
        for bad in ["", "J", "jm", "J M", "ABCDEFGHIJKLMNOPQ", "JÉ"] {
            assert!(PartyCode::new(bad).is_err(), "{bad}");
        }
        assert!(PartyCode::new("JM").unwrap() < PartyCode::new("JM-2").unwrap());
        assert!(PartyCode::new("JM-2").unwrap() < PartyCode::new("TT").unwrap());
    }
}
