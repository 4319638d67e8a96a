//! Stable names of the reasons for which something is refused. A reason that is new here does not
//! compile until it has a name.

use abeng_audit_log::{ConsistencyError, NoteError, ReceiptError, merkle::ProofError};
use abeng_keys::BadKey;
use abeng_roster::TrustError;
use abeng_seal::{Broken, CarrierWhy, Misframed, OpenFault, OpenStep, OriginatorWhy, VerifyFault};
use abeng_wire::Malformed;

pub fn malformed(e: &Malformed) -> String {
    match e {
        Malformed::TooLong { what, .. } => format!("too-long: {what}"),
        Malformed::Undecodable { what, .. } => format!("undecodable: {what}"),
        Malformed::NotCanonical { what } => format!("not-canonical: {what}"),
    }
}

fn key(e: BadKey) -> String {
    match e {
        BadKey::Length {
            what,
            expected,
            found,
        } => format!("length: {what}, {found} bytes for {expected}"),
        BadKey::NotAPoint => "not-a-point".into(),
        BadKey::NotCanonical => "not-canonical".into(),
        BadKey::Weak => "small-order".into(),
        BadKey::Torsion => "torsion".into(),
        BadKey::NotReduced => "not-reduced".into(),
        BadKey::LowOrder => "low-order".into(),
    }
}

pub fn trust(e: &TrustError) -> String {
    use TrustError as E;
    match e {
        E::Malformed(e) => malformed(e),
        E::BadCode(e) => format!("bad-code: {}", e.what),
        E::BadKey { why, .. } => format!("bad-key: {}", key(*why)),
        E::Rule { what, rule } => format!("rule: {what}: {rule}"),
        E::Missing { what } => format!("missing: {what}"),
        E::OtherRoot { .. } => "other-root".into(),
        E::TooFewSigners {
            what,
            root,
            needed,
            found,
        } => {
            format!("too-few-signers: {what}: {found} of {needed} under root {root}")
        }
        E::NotNext { what, held, found } => format!("not-next: {what} {found} after {held}"),
        E::PreviousDigest { version } => format!("previous-digest: roster {version}"),
        E::OtherRootVersion {
            version,
            expected,
            found,
        } => {
            format!("other-root-version: roster {version} under {found}, not {expected}")
        }
        E::OtherNetwork { what, .. } => format!("other-network: {what}"),
        E::Expired { what, .. } => format!("expired: {what}"),
        E::FromTheFuture { what, .. } => format!("from-the-future: {what}"),
        E::Equivocation { what, version, .. } => format!("equivocation: {what} {version}"),
        E::Disputed { what, version } => format!("disputed: {what} {version}"),
        E::Waits { party, role, .. } => format!("waits: {} key of {party}", role.name()),
        E::KeyTwice { first, second, .. } => format!("key-twice: {first} and {second}"),
        E::NoPossession { party, role, .. } => format!("no-possession: {} of {party}", role.name()),
        E::NoOldKey { party, role } => format!("no-old-key: {} of {party}", role.name()),
        E::EntryNotNext { party, held, found } => {
            format!("not-next: entry of {party} {found} after {held}")
        }
        E::UnknownParty { party } => format!("unknown-party: {party}"),
        E::WrongSigner { what, .. } => format!("wrong-signer: {what}"),
        E::BadSignature { what } => format!("bad-signature: {what}"),
        E::WrongKid { party } => format!("wrong-kid: {party}"),
    }
}

fn frame(e: &Misframed) -> String {
    match e {
        Misframed::TooLong(_) => "too-long: envelope".into(),
        Misframed::Undecodable(_) => "undecodable: envelope".into(),
        Misframed::NotCanonical => "not-canonical: envelope".into(),
        Misframed::Size { part, length } => format!("size: {part} of {length}"),
    }
}

fn carrier(e: &CarrierWhy) -> String {
    use CarrierWhy as E;
    match e {
        E::Frame(e) => frame(e),
        E::Malformed(e) => malformed(e),
        E::Originator => "originator-code".into(),
        E::UnknownParty(party) => format!("unknown-party: {party}"),
        E::UnknownKey { party, .. } => format!("unknown-key: of {party}"),
        E::Signature => "bad-signature".into(),
        E::Clock { .. } => "made-in-the-future".into(),
        E::Doubt { .. } => "clock-in-doubt".into(),
        E::StanzaCount { found, expected } => format!("stanza-count: {found} for {expected}"),
        E::StanzaMissing => "stanza-missing".into(),
        E::StanzaHash(i) => format!("stanza-hash: {i}"),
        E::BodyHash => "body-hash".into(),
    }
}

fn broken(e: &Broken) -> String {
    match e {
        Broken::Encoding(what) => format!("not-canonical: {what}"),
        Broken::Version(version) => format!("version: {version}"),
        Broken::Length { field, length } => format!("length: {field} of {length}"),
        Broken::Incarnation => "no-incarnation".into(),
        Broken::Roster => "no-roster".into(),
        Broken::Precedence => "no-precedence".into(),
        Broken::Lifetime { .. } => "lifetime".into(),
        Broken::RecipientCount(count) => format!("recipient-count: {count}"),
        Broken::RecipientCode(i) => format!("recipient-code: {i}"),
        Broken::RecipientOrder(i) => format!("recipient-order: {i}"),
        Broken::OwnRecipient => "own-recipient".into(),
        Broken::StanzaHashes { hashes, recipients } => {
            format!("stanza-hashes: {hashes} for {recipients}")
        }
        Broken::Attachments => "attachments".into(),
    }
}

/// Whose fault it is comes first: a carrier's is never an outcome, an originator's is one.
pub fn verify(e: &VerifyFault) -> String {
    match e {
        VerifyFault::Carrier(fault) => {
            format!("{}: {}", fault.kind.as_str_name(), carrier(&fault.why))
        }
        VerifyFault::Originator(rejected) => {
            let why = match rejected.why() {
                OriginatorWhy::Broken(why) => broken(&why),
                OriginatorWhy::Expired(_) => "expired".into(),
            };
            format!("REFUSED {}: {why}", rejected.reason().as_str_name())
        }
    }
}

/// The outward reason, then the step, which stays at home.
pub fn open(e: &OpenFault) -> String {
    let step = match e.step {
        OpenStep::NotMine => "not-mine",
        OpenStep::KeyGone => "no-such-seal-key",
        OpenStep::Stanza => "stanza-size",
        OpenStep::LowOrder => "low-order-encapsulation",
        OpenStep::Box => "box",
        OpenStep::Slot => "slot",
        OpenStep::Seq => "stream-number-not-committed",
        OpenStep::Commit => "content-key-not-committed",
        OpenStep::Chunk => "chunk",
        OpenStep::Padding => "padding",
        OpenStep::OwnCopy => "own-copy",
        OpenStep::Header => "header",
    };
    format!("REFUSED {}: {step}", e.reason.as_str_name())
}

pub fn proof(e: ProofError) -> String {
    match e {
        ProofError::Beyond { index, size } => format!("proof: leaf {index} of {size}"),
        ProofError::Sizes { old, new } => format!("proof: sizes {old} to {new}"),
        ProofError::Length { found } => format!("proof: length {found}"),
        ProofError::Root => "proof: root".into(),
    }
}

pub fn note(e: &NoteError) -> String {
    match e {
        NoteError::Form { rule } => format!("form: {rule}"),
        NoteError::Origin { .. } => "other-log".into(),
        NoteError::UnknownLog { .. } => "unknown-log".into(),
        NoteError::Unsigned => "unsigned".into(),
        NoteError::BadSignature => "bad-signature".into(),
        NoteError::BadCosignature { party } => format!("bad-cosignature: {party}"),
    }
}

pub fn consistency(e: &ConsistencyError) -> String {
    match e {
        ConsistencyError::OtherLog => "other-log".into(),
        ConsistencyError::Contradiction { size } => format!("contradiction: {size}"),
        ConsistencyError::Proof(e) => proof(*e),
    }
}

pub fn receipt(e: &ReceiptError) -> String {
    match e {
        ReceiptError::Malformed(e) => malformed(e),
        ReceiptError::Note(e) => format!("checkpoint: {}", note(e)),
        ReceiptError::Proof(e) => proof(*e),
        ReceiptError::NotRelay { actor } => format!("not-a-relay: {actor}"),
        ReceiptError::Rule { rule } => format!("rule: {rule}"),
    }
}
