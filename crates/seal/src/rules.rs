//! What PRE and TRL must be, whoever made them. Applied by the originator before it signs and by
//! everybody else after SIG holds.

use crate::attachment::attached_len;
use abeng_wire::{Incarnation, Millis, PartyCode, limits, v1};

/// The rule of PROTOCOL.md "Envelope" that a signed HDR breaks. The originator's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// HDR, PRE or TRL is not in the one canonical encoding, or TRL cannot be decoded.
    #[error("{0} is not in its canonical encoding")]
    Encoding(&'static str),
    /// Another version than 1.
    #[error("version {0}")]
    Version(u32),
    /// A field with another length than it must have.
    #[error("{field} has {length} bytes")]
    Length {
        /// Which field.
        field: &'static str,
        /// Its length.
        length: usize,
    },
    /// Incarnation 0 is none.
    #[error("no incarnation")]
    Incarnation,
    /// A roster version of 0 is none.
    #[error("no roster version")]
    Roster,
    /// Not one of the four.
    #[error("no precedence")]
    Precedence,
    /// Not 0 < expires_at − created_at ≤ 90 days.
    #[error("a life from {created_at} to {expires_at}")]
    Lifetime {
        /// Its beginning.
        created_at: Millis,
        /// Its end.
        expires_at: Millis,
    },
    /// No recipient, or more than the limit.
    #[error("{0} recipients")]
    RecipientCount(usize),
    /// A recipient that is no party code.
    #[error("recipient {0} is not a party code")]
    RecipientCode(usize),
    /// Recipients not sorted by code, or one twice.
    #[error("recipient {0} is out of order or named twice")]
    RecipientOrder(usize),
    /// The originator among its own recipients.
    #[error("the originator is among the recipients")]
    OwnRecipient,
    /// Not one stanza hash for each recipient.
    #[error("{hashes} stanza hashes for {recipients} recipients")]
    StanzaHashes {
        /// Hashes in TRL.
        hashes: usize,
        /// Recipients in PRE.
        recipients: usize,
    },
    /// More attachments than the limit, or one of an impossible size.
    #[error("its attachments")]
    Attachments,
}

fn length(field: &'static str, bytes: &[u8], expected: usize) -> Result<(), Broken> {
    let length = bytes.len();
    (length == expected)
        .then_some(())
        .ok_or(Broken::Length { field, length })
}

/// 0 < expires_at − created_at ≤ 90 days.
pub(crate) fn lifetime(created_at: Millis, expires_at: Millis) -> Result<(), Broken> {
    match expires_at.checked_sub(created_at) {
        Some(1..=limits::LIFETIME_MS) => Ok(()),
        _ => Err(Broken::Lifetime {
            created_at,
            expires_at,
        }),
    }
}

/// The recipients' number and order.
pub(crate) fn recipients(
    originator: PartyCode,
    recipients: impl ExactSizeIterator<Item = Option<PartyCode>>,
) -> Result<(), Broken> {
    if !(1..=limits::RECIPIENTS).contains(&recipients.len()) {
        return Err(Broken::RecipientCount(recipients.len()));
    }
    let mut before = None;
    for (i, code) in recipients.enumerate() {
        let code = code.ok_or(Broken::RecipientCode(i))?;
        if code == originator {
            return Err(Broken::OwnRecipient);
        }
        if before.is_some_and(|b| b >= code) {
            return Err(Broken::RecipientOrder(i));
        }
        before = Some(code);
    }
    Ok(())
}

/// Every rule for PRE.
pub(crate) fn pre(pre: &v1::Pre, originator: PartyCode) -> Result<(), Broken> {
    if pre.version != 1 {
        return Err(Broken::Version(pre.version));
    }
    length("nonce", &pre.nonce, 32)?;
    length("org-sign kid", &pre.org_sign_kid, 32)?;
    if Incarnation(pre.incarnation) == Incarnation::default() {
        return Err(Broken::Incarnation);
    }
    let roster = pre.roster.as_ref().ok_or(Broken::Roster)?;
    length("roster digest", &roster.digest, 32)?;
    if roster.version == 0 {
        return Err(Broken::Roster);
    }
    precedence(pre.precedence)?;
    lifetime(pre.created_at, pre.expires_at)?;
    let codes = pre.recipients.iter().map(|r| PartyCode::new(&r.party).ok());
    recipients(originator, codes)?;
    for recipient in &pre.recipients {
        length("seal kid", &recipient.seal_kid, 32)?;
        length("seq_commit", &recipient.seq_commit, 32)?;
    }
    Ok(())
}

/// One of the four.
pub(crate) fn precedence(value: i32) -> Result<(), Broken> {
    match v1::Precedence::try_from(value) {
        Ok(v1::Precedence::Unspecified) | Err(_) => Err(Broken::Precedence),
        Ok(_) => Ok(()),
    }
}

/// Every rule for TRL.
pub(crate) fn trl(trl: &v1::Trl, recipients: usize) -> Result<(), Broken> {
    if trl.stanza_hashes.len() != recipients {
        return Err(Broken::StanzaHashes {
            hashes: trl.stanza_hashes.len(),
            recipients,
        });
    }
    for hash in &trl.stanza_hashes {
        length("stanza hash", hash, 32)?;
    }
    length("body hash", &trl.body_hash, 32)?;
    length("commit", &trl.commit, 32)?;
    if trl.attachments.len() > limits::ATTACHMENTS {
        return Err(Broken::Attachments);
    }
    for attachment in &trl.attachments {
        length("attachment root", &attachment.root, 32)?;
        if attached_len(attachment.length).is_none() {
            return Err(Broken::Attachments);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_more_than_nothing_and_at_most_90_days() {
        let now = 1_700_000_000_000;
        assert_eq!(lifetime(now, now + 1), Ok(()));
        assert_eq!(lifetime(now, now + limits::LIFETIME_MS), Ok(()));
        for bad in [now, now - 1, now + limits::LIFETIME_MS + 1, 0, u64::MAX] {
            assert!(lifetime(now, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn recipients_are_sorted_unique_and_others() {
        let code = |c: &str| PartyCode::new(c).ok();
        let check = |codes: &[&str]| {
            let codes: Vec<_> = codes.iter().map(|c| code(c)).collect();
            recipients(code("LC").unwrap(), codes.into_iter())
        };
        assert_eq!(check(&["BB", "JM", "TT"]), Ok(()));
        assert_eq!(check(&[]), Err(Broken::RecipientCount(0)));
        assert_eq!(check(&["BB", "BB"]), Err(Broken::RecipientOrder(1)));
        assert_eq!(check(&["JM", "BB"]), Err(Broken::RecipientOrder(1)));
        assert_eq!(check(&["BB", "LC"]), Err(Broken::OwnRecipient));
        assert_eq!(check(&["BB", "jm"]), Err(Broken::RecipientCode(1)));
        let many: Vec<String> = (10..75).map(|i| format!("A{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(check(&many), Err(Broken::RecipientCount(65)));
        assert_eq!(check(&many[1..]), Ok(()));
    }
}
