//! The files of a notice: what it says of each, and what a name may be.

use crate::show::is_unprintable;
use abeng_wire::{Hash32, limits, v1};
use bytes::Bytes;
use std::collections::BTreeSet;

/// Bytes of a file's name.
const NAME: usize = 255;
/// Characters of a media type (RFC 6838: 127 for each half; what is in use is far shorter).
const MEDIA_TYPE: usize = 127;

/// A file of a notice.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// A base name, unique in its notice, that any file system takes.
    pub name: String,
    /// `image/jpeg`.
    pub media_type: String,
    /// Bytes of the file.
    pub length: u64,
    /// Root over the pieces of the ciphertext.
    pub root: Hash32,
    /// Bytes of the ciphertext.
    pub cipher_length: u64,
    /// Opens the ciphertext. Secret.
    pub key: [u8; 32],
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attachment({:?}, {} bytes)", self.name, self.length)
    }
}

impl Attachment {
    /// Whether a file may be called that: 1 to 255 bytes, no path, nothing unprintable, nothing
    /// that hides a file or that another system does not allow.
    pub fn is_name(name: &str) -> bool {
        let odd = |c: char| is_unprintable(c) || "/\\:*?\"<>|".contains(c);
        (1..=NAME).contains(&name.len())
            && !name.starts_with(['.', ' ', '-'])
            && !name.ends_with(['.', ' '])
            && !name.contains(odd)
    }

    pub(crate) fn to_wire(&self) -> v1::Attachment {
        v1::Attachment {
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            length: self.length,
            root: Bytes::copy_from_slice(&self.root),
            cipher_length: self.cipher_length,
            key: Bytes::copy_from_slice(&self.key),
        }
    }

    fn from_wire(wire: &v1::Attachment) -> Option<Self> {
        let fits = Self::is_name(&wire.name)
            && is_media_type(&wire.media_type)
            && (1..wire.cipher_length).contains(&wire.length)
            && wire.cipher_length <= limits::ATTACHMENT;
        fits.then_some(())?;
        Some(Self {
            name: wire.name.clone(),
            media_type: wire.media_type.clone(),
            length: wire.length,
            root: wire.root[..].try_into().ok()?,
            cipher_length: wire.cipher_length,
            key: wire.key[..].try_into().ok()?,
        })
    }

    /// All of a notice, or `None` where one of them is none.
    pub(crate) fn all(notice: &v1::Notice) -> Option<Vec<Self>> {
        let list = &notice.attachments;
        let names: BTreeSet<&str> = list.iter().map(|a| a.name.as_str()).collect();
        let fits = list.len() <= limits::ATTACHMENTS && names.len() == list.len();
        fits.then_some(())?;
        list.iter().map(Self::from_wire).collect()
    }
}

/// `type/subtype` in the characters of RFC 6838.
fn is_media_type(text: &str) -> bool {
    let part = |p: &str| {
        let good = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
        !p.is_empty() && p.bytes().all(good)
    };
    let halves = text.split_once('/');
    text.len() <= MEDIA_TYPE && halves.is_some_and(|(a, b)| part(a) && part(b))
}

/// The media type that a file's name suggests. Nobody relies on it: it tells people what to expect.
pub fn media_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "tif" | "tiff" => "image/tiff",
        "dcm" => "application/dicom",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "zip" => "application/zip",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attachment(name: &str) -> Attachment {
        Attachment {
            name: name.into(),
            media_type: media_type(name).into(),
            length: 1,
            root: [1; 32],
            cipher_length: 17,
            key: [0xab; 32],
        }
    }

    fn with(change: impl FnOnce(&mut v1::Attachment)) -> v1::Notice {
        let mut wire = attachment("x-ray 7.jpg").to_wire();
        change(&mut wire);
        v1::Notice {
            attachments: vec![attachment("é.pdf").to_wire(), wire],
            ..Default::default()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let both = Attachment::all(&with(|_| {})).unwrap();
        assert_eq!(both, [attachment("é.pdf"), attachment("x-ray 7.jpg")]);
    }

    #[test]
    fn what_is_no_attachment_is_refused() {
        let longest = "n".repeat(255);
        assert!(Attachment::all(&with(|a| a.name = longest.clone())).is_some());
        for name in [
            "",
            ".",
            "..",
            ".ssh",
            "-rf",
            "a/b",
            "../x",
            "C:x",
            "a\\b",
            "x\n.jpg",
            "x\u{202e}gpj",
            " x",
            "x ",
            "x.",
            "a\0",
            "é.pdf",
            &format!("{longest}n"),
        ] {
            let notice = with(|a| a.name = name.to_owned());
            assert_eq!(Attachment::all(&notice), None, "{name:?}");
        }
        for ty in [
            "",
            "image",
            "image/",
            "/jpeg",
            "image/jp eg",
            "a/b/c",
            "a/b\n",
        ] {
            let notice = with(|a| a.media_type = ty.to_owned());
            assert_eq!(Attachment::all(&notice), None, "{ty:?}");
        }
        let changes: [fn(&mut v1::Attachment); 6] = [
            |a| a.length = 0,
            |a| a.length = 17,
            |a| a.cipher_length = limits::ATTACHMENT + 1,
            |a| a.root = Bytes::from_static(&[0; 31]),
            |a| a.key = Bytes::from_static(&[0; 33]),
            |a| a.key = Bytes::new(),
        ];
        for (i, change) in changes.into_iter().enumerate() {
            assert_eq!(Attachment::all(&with(change)), None, "{i}");
        }
        let mut many = with(|_| {});
        let name = |i: usize| attachment(&format!("{i}.jpg")).to_wire();
        many.attachments = (0..limits::ATTACHMENTS).map(name).collect();
        assert!(Attachment::all(&many).is_some());
        many.attachments.push(name(limits::ATTACHMENTS));
        assert_eq!(Attachment::all(&many), None);
    }

    #[test]
    fn no_key_is_shown() {
        let shown = format!("{:?}", attachment("x.jpg"));
        assert!(!shown.contains("171") && !shown.contains("ab, "), "{shown}");
    }

    proptest! {
        /// Whatever a name may be, it stays in the directory that it is written to.
        #[test]
        fn a_name_is_no_path(name in "\\PC{1,20}") {
            if Attachment::is_name(&name) {
                let path = std::path::Path::new("dir").join(&name);
                prop_assert_eq!(path.parent(), Some(std::path::Path::new("dir")));
                prop_assert_eq!(path.file_name().unwrap().to_str(), Some(name.as_str()));
            }
        }
    }
}
