//! How messages that hold a key are shown: without it.

use crate::v1;
use std::fmt;

impl fmt::Debug for v1::Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("name", &self.name)
            .field("media_type", &self.media_type)
            .field("length", &self.length)
            .field("root", &self.root)
            .field("cipher_length", &self.cipher_length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn the_key_of_an_attachment_is_not_shown() {
        let attachment = v1::Attachment {
            name: "x.jpg".into(),
            key: Bytes::from_static(b"never to be seen in any log at al"),
            ..Default::default()
        };
        let notice = v1::Notice {
            attachments: vec![attachment],
            ..Default::default()
        };
        let shown = format!("{notice:?}");
        assert!(shown.contains("x.jpg"), "{shown}");
        assert!(!shown.contains("never"), "{shown}");
    }
}
