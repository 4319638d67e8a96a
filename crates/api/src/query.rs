//! Query strings of the client.

use std::fmt::{Display, Write};

/// A path with a query being built.
pub(crate) struct Target {
    text: String,
    separator: char,
}

impl Target {
    /// A path that needs no escaping.
    pub(crate) fn new(path: &str) -> Self {
        Self {
            text: path.to_owned(),
            separator: '?',
        }
    }

    /// Appends a segment to the path; before any pair.
    pub(crate) fn segment(mut self, segment: &str) -> Self {
        self.text.push('/');
        escape(&mut self.text, segment);
        self
    }

    /// Appends a pair where there is a value.
    pub(crate) fn pair(mut self, key: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.text.push(self.separator);
            self.separator = '&';
            self.text.push_str(key);
            self.text.push('=');
            escape(&mut self.text, &value.to_string());
        }
        self
    }

    /// Appends `key=true` where set.
    pub(crate) fn flag(self, key: &str, set: bool) -> Self {
        self.pair(key, set.then_some(true))
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }
}

/// Everything but the unreserved characters of RFC 3986 is percent-encoded.
fn escape(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_unreserved_is_escaped() {
        let target = Target::new("/v1/inbox")
            .segment("../a b")
            .pair("from", Some("É&x=1"))
            .pair("none", None::<u8>)
            .flag("unread", true);
        assert_eq!(
            target.into_string(),
            "/v1/inbox/..%2Fa%20b?from=%C3%89%26x%3D1&unread=true"
        );
    }
}
