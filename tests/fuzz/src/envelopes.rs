//! What a notice travels in, and what it says.

use crate::world::{NOW, recipient, sender, world};
use abeng_keys::{SignatureType, Signer};
use abeng_notice::{CheckContext, Draft, Lang, Notice};
use abeng_seal::{Arrived, OpenedBoxes, VerifyFault, open, verify};
use abeng_wire::{SignedBytes, encode, limits, v1};
use bytes::Bytes;

/// The frame of an envelope, from anyone. What is accepted must open to what was sealed (I3, I4).
pub fn envelope(data: &[u8]) -> bool {
    let opened = arrive(Bytes::copy_from_slice(data));
    let right = |opened: &Bytes| opened == world().notice.bytes();
    assert!(opened.iter().all(right), "I3");
    opened.is_some()
}

/// A header as its originator might sign it: whatever it says, it is accepted or refused.
pub fn envelope_signed(data: &[u8]) -> bool {
    let sealed = &world().sealed;
    let hdr = Bytes::copy_from_slice(data);
    let key = world().founding.keyrings[0].org_sign();
    let Ok(sig) = key.sign(SignatureType::ENVELOPE, &hdr) else {
        return false;
    };
    let envelope = v1::Envelope {
        hdr,
        sig: Bytes::copy_from_slice(&sig),
        stanzas: sealed.stanzas().to_vec(),
        body: sealed.body().clone(),
    };
    arrive(encode(&envelope)).is_some()
}

/// As a node takes an envelope; its notice where it can be opened.
fn arrive(frame: Bytes) -> Option<Bytes> {
    let arrived = Arrived::parse(&frame).ok()?;
    let verified = match verify(arrived, &world().trust, recipient(), NOW) {
        Ok(verified) => verified,
        Err(VerifyFault::Carrier(_)) => return None,
        // Whose fault it is was said under a good signature.
        Err(VerifyFault::Originator(rejected)) => {
            assert_eq!(rejected.arrived().originator(), sender(), "I4");
            return None;
        }
    };
    let keys = &world().founding.keyrings[1];
    let secrets = |kid: &_| keys.seal_secret(kid);
    let opened = open(&verified, &secrets, recipient(), &mut OpenedBoxes::new(16)).ok()?;
    Some(Bytes::copy_from_slice(opened.notice()))
}

/// The content of an envelope. What is taken is shown in every language.
pub fn notice(data: &[u8]) -> bool {
    let Ok(notice) = Notice::parse(Bytes::copy_from_slice(data)) else {
        return false;
    };
    assert_eq!(notice.bytes(), data, "what was signed is kept as it came");
    for lang in ["en", "es", "fr", "nl"].into_iter().filter_map(Lang::parse) {
        let control = |c: char| c.is_control() && c != '\n';
        let summary = notice.summary(lang);
        assert!(!summary.contains(control), "{summary:?}");
        notice.describe(lang);
    }
    notice.to_json();
    notice.doubts();
    notice.handling();
    notice.attachments();
    true
}

/// What an officer hands in. What passes the checks is a notice that a recipient takes.
pub fn draft(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let drafts = [
        Draft::from_toml(text),
        Draft::from_json(text),
        Draft::from_text(text),
    ];
    let mut passed = false;
    for draft in drafts.into_iter().flatten() {
        let _ = draft.wishes(NOW);
        let Ok(checked) = Notice::check(draft, &CheckContext::new(NOW, sender())) else {
            continue;
        };
        let bytes = checked.notice.bytes().clone();
        assert!(Notice::parse(bytes).is_ok(), "made here and refused there");
        passed = true;
    }
    passed
}

/// The parts of an envelope that are in one canonical encoding or refused.
pub fn canonical(data: &[u8]) -> bool {
    fn one<M>(data: &[u8]) -> bool
    where
        M: abeng_wire::prost::Message + Default + PartialEq,
    {
        let bytes = Bytes::copy_from_slice(data);
        let parsed = SignedBytes::<M>::parse("part", bytes, limits::ENVELOPE);
        let one = |parsed: &SignedBytes<M>| encode(parsed.message()) == data;
        assert!(parsed.iter().all(one), "two encodings");
        parsed.is_ok()
    }
    let kinds = [
        one::<v1::Pre>(data),
        one::<v1::Hdr>(data),
        one::<v1::Trl>(data),
        one::<v1::Leaf>(data),
        one::<v1::ProofPart>(data),
        one::<v1::PrivatePart>(data),
        one::<v1::Party>(data),
        one::<v1::Roster>(data),
        one::<v1::Root>(data),
    ];
    kinds.contains(&true)
}

/// Inputs that are right.
pub fn frames() -> Vec<Vec<u8>> {
    vec![world().sealed.envelope().to_vec()]
}

/// Headers that are right.
pub fn headers() -> Vec<Vec<u8>> {
    vec![world().sealed.hdr().bytes().to_vec()]
}

/// Notices that are right.
pub fn notices() -> Vec<Vec<u8>> {
    let checked = abeng_notice::samples().into_iter().filter_map(|sample| {
        let context = CheckContext::new(NOW, sample.administration);
        Some(Notice::check(sample.draft, &context).ok()?.notice)
    });
    checked.take(4).map(|n| n.bytes().to_vec()).collect()
}

/// Parts that are right.
pub fn parts() -> Vec<Vec<u8>> {
    let (sealed, bundle) = (&world().sealed, &world().founding.bundle);
    vec![
        sealed.pre().bytes().to_vec(),
        sealed.hdr().bytes().to_vec(),
        sealed.trl().bytes().to_vec(),
        world().leaves[2].to_vec(),
        bundle.roots[0].bytes.to_vec(),
        bundle.rosters[0].bytes.to_vec(),
    ]
}
