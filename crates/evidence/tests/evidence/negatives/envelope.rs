use super::*;

#[test]
fn another_envelopes_signature() {
    let other = net().another.sig().clone();
    made(|e| e.sig = other, Part::Sig, "signature does not hold");
}

#[test]
fn a_signature_by_another_party() {
    let signer = net().keys("TT").org_sign();
    made(
        |e| {
            let sig = signer.sign(SignatureType::ENVELOPE, &e.hdr).unwrap();
            e.sig = Bytes::copy_from_slice(&sig);
        },
        Part::Sig,
        "signature does not hold",
    );
}

#[test]
fn a_signature_that_is_short() {
    made(|e| e.sig = e.sig.slice(..63), Part::Sig, "does not hold");
}

#[test]
fn another_envelopes_header_with_its_own_signature() {
    let other = &net().another;
    made(
        |e| {
            e.hdr = other.hdr().bytes().clone();
            e.sig = other.sig().clone();
            (e.body, e.content_key) = Default::default();
        },
        leaf(0, 0),
        "names the envelope",
    );
}

/// Signed again by JM, so that what is wrong is in HDR itself.
fn resigned(change: impl FnOnce(&mut v1::Pre)) -> impl FnOnce(&mut v1::Evidence) {
    let signer = net().keys("JM").org_sign();
    move |e| {
        let mut hdr: v1::Hdr = decode("HDR", &e.hdr, limits::HDR).unwrap();
        let mut pre: v1::Pre = decode("PRE", &hdr.pre, limits::PRE).unwrap();
        change(&mut pre);
        hdr.pre = encode(&pre);
        e.hdr = encode(&hdr);
        let sig = signer.sign(SignatureType::ENVELOPE, &e.hdr).unwrap();
        e.sig = Bytes::copy_from_slice(&sig);
    }
}

#[test]
fn a_party_that_no_roster_knows() {
    let change = resigned(|pre| pre.originator = "XX".into());
    made(change, Part::Hdr, "does not know the originator `XX`");
}

#[test]
fn a_key_that_is_not_the_originators() {
    let kid = net().keys("TT").org_sign().verify_key().kid();
    let change = resigned(move |pre| pre.org_sign_kid = kid.to_bytes());
    made(change, Part::Hdr, "had no org-sign key");
}

#[test]
fn a_key_before_its_time() {
    let change = resigned(|pre| (pre.created_at, pre.expires_at) = (1000, 2000));
    made(change, Part::Hdr, "had no org-sign key");
}

#[test]
fn recipients_out_of_order() {
    let change = resigned(|pre| pre.recipients.reverse());
    made(change, Part::Hdr, "out of order");
}

#[test]
fn a_roster_named_by_another_digest() {
    let change = resigned(|pre| pre.roster.as_mut().unwrap().digest = vec![1; 32].into());
    made(change, Part::Hdr, "the roster that is named");
}

#[test]
fn a_content_key_that_does_not_commit() {
    let change = |e: &mut v1::Evidence| e.content_key = vec![1; 32].into();
    made(change, Part::ContentKey, "not the one committed to");
}

#[test]
fn a_content_key_of_31_bytes() {
    let change = |e: &mut v1::Evidence| e.content_key = e.content_key.slice(..31);
    made(change, Part::ContentKey, "32 bytes");
}

#[test]
fn the_body_of_another_envelope() {
    let other = net().another.body().clone();
    made(|e| e.body = other, Part::Body, "not the one whose hash");
}

#[test]
fn a_body_without_its_key() {
    let change = |e: &mut v1::Evidence| e.content_key = Bytes::new();
    made(change, Part::Body, "comes with the key");
}

#[test]
fn a_key_without_its_body() {
    made(
        |e| e.body = Bytes::new(),
        Part::ContentKey,
        "comes with the body",
    );
}

#[test]
fn content_that_the_export_did_not_tell_of() {
    told(
        |story| story.jm.leaves[6] = net().story().undisclosed().jm.leaves[6].clone(),
        leaf(JM, 6),
        "whether it discloses the content",
    );
}

#[test]
fn content_taken_out_after_the_export() {
    let change = |e: &mut v1::Evidence| (e.body, e.content_key) = Default::default();
    made(change, leaf(JM, 6), "whether it discloses the content");
}
