//! Attachments: files beside notices, from an officer's disk here to an officer's disk there.

use abeng_notice::{Attachment, Notice};
use abeng_seal::{AttachmentRef, attached_len};
use abeng_wire::v1;

/// Whether a notice and its TRL name the same files, in the same order: whoever carries the
/// envelope knows what belongs to it, and whoever opens it gets the keys to exactly that.
pub fn agree(notice: &Notice, trl: &v1::Trl) -> bool {
    let files = notice.attachments();
    let same = |(file, named): (&Attachment, &v1::AttachmentRef)| {
        let fits = attached_len(file.cipher_length) == Some(file.length);
        fits && ref_of(file).to_wire() == *named
    };
    files.len() == trl.attachments.len() && files.iter().zip(&trl.attachments).all(same)
}

/// How TRL names a file of a notice.
pub fn ref_of(file: &Attachment) -> AttachmentRef {
    AttachmentRef {
        root: file.root,
        length: file.cipher_length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abeng_notice::{CheckContext, Draft};
    use abeng_seal::attachment_len;
    use abeng_wire::PartyCode;

    fn file(name: &str, length: u64) -> Attachment {
        Attachment {
            name: name.into(),
            media_type: "image/jpeg".into(),
            length,
            root: [length as u8; 32],
            cipher_length: attachment_len(length).unwrap(),
            key: [7; 32],
        }
    }

    fn notice(files: &[Attachment]) -> Notice {
        let sample = abeng_notice::samples().remove(0);
        let names: Vec<String> = files.iter().map(|f| f.name.clone()).collect();
        let me = PartyCode::new(sample.administration.as_str()).unwrap();
        let context = CheckContext {
            attachments: names.iter().cloned().zip(files.iter().cloned()).collect(),
            ..CheckContext::new(1_760_000_000_000, me)
        };
        let draft = Draft {
            attach: names,
            ..sample.draft
        };
        Notice::check(draft, &context).unwrap().notice
    }

    #[test]
    fn the_lists_must_be_the_same() {
        let files = [file("a.jpg", 1), file("b.jpg", 70_000)];
        let wire: Vec<v1::AttachmentRef> = files.iter().map(|f| ref_of(f).to_wire()).collect();
        let trl = |attachments: &[v1::AttachmentRef]| v1::Trl {
            attachments: attachments.to_vec(),
            ..Default::default()
        };
        let both = notice(&files);
        assert!(agree(&both, &trl(&wire)));
        assert!(agree(&notice(&[]), &trl(&[])));
        assert!(!agree(&both, &trl(&wire[..1])));
        assert!(!agree(&both, &trl(&[])));
        assert!(!agree(&notice(&[]), &trl(&wire)));
        assert!(!agree(&both, &trl(&[wire[1].clone(), wire[0].clone()])));
        let mut other = wire.clone();
        other[0].length += 1;
        assert!(!agree(&both, &trl(&other)));
        let mut other = wire;
        other[1].root = vec![9; 32].into();
        assert!(!agree(&both, &trl(&other)));
    }

    #[test]
    fn a_length_that_the_ciphertext_does_not_have_is_refused() {
        let odd = Attachment {
            length: 2,
            ..file("a.jpg", 1)
        };
        let trl = v1::Trl {
            attachments: vec![ref_of(&odd).to_wire()],
            ..Default::default()
        };
        assert!(!agree(&notice(&[odd]), &trl));
    }
}
