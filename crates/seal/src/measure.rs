//! How long an envelope will be, before anything is made.

use crate::{attachment::AttachmentRef, body::body_len};
use abeng_roster::{Cleared, Trust};
use abeng_wire::prost::Message;
use abeng_wire::{Digest, Incarnation, Kid, Millis, PartyCode, encode, limits, v1};
use bytes::Bytes;

/// What an envelope's length depends on.
pub struct MeasureInput<'a> {
    /// The roster that it will name.
    pub trust: &'a Trust,
    /// From whom, to whom.
    pub cleared: &'a Cleared,
    /// The originator's.
    pub incarnation: Incarnation,
    /// Unix milliseconds.
    pub created_at: Millis,
    /// Unix milliseconds.
    pub expires_at: Millis,
    /// How urgent.
    pub precedence: v1::Precedence,
    /// Bytes of the encoded notice.
    pub notice: usize,
    /// Its attachments.
    pub attachments: &'a [AttachmentRef],
}

/// Lengths of the encoded [`v1::Envelope`], in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// With every stanza, as it is journalled here.
    pub whole: usize,
    /// As it travels to each recipient, with its stanza alone.
    pub to: Vec<(PartyCode, usize)>,
}

/// The lengths that [`seal`](crate::seal) will give. Nothing is encrypted, signed or numbered.
pub fn measure(input: &MeasureInput<'_>) -> Measured {
    let zeros = |n: usize| Bytes::from(vec![0; n]);
    let recipients = input.cleared.to();
    let entry = |party: &PartyCode| v1::PreRecipient {
        party: party.to_string(),
        seal_kid: zeros(size_of::<Kid>()),
        seq_commit: zeros(size_of::<Digest>()),
    };
    let pre = encode(&v1::Pre {
        version: 1,
        nonce: zeros(32),
        originator: input.cleared.from().to_string(),
        incarnation: input.incarnation.0,
        org_sign_kid: zeros(size_of::<Kid>()),
        created_at: input.created_at,
        expires_at: input.expires_at,
        roster: Some(input.trust.roster.reference()),
        precedence: input.precedence.into(),
        recipients: recipients.iter().map(entry).collect(),
    });
    let body = body_len(input.notice);
    let trl = encode(&v1::Trl {
        stanza_hashes: recipients.iter().map(|_| zeros(32)).collect(),
        body_length: body as u64,
        body_hash: zeros(32),
        commit: zeros(32),
        attachments: input
            .attachments
            .iter()
            .map(AttachmentRef::to_wire)
            .collect(),
    });
    let envelope = |stanza: &dyn Fn(usize) -> usize| {
        let envelope = v1::Envelope {
            hdr: encode(&v1::Hdr {
                pre: pre.clone(),
                trl: trl.clone(),
            }),
            sig: zeros(64),
            stanzas: (0..recipients.len()).map(|i| zeros(stanza(i))).collect(),
            body: zeros(body),
        };
        envelope.encoded_len()
    };
    let to = recipients.iter().enumerate().map(|(mine, party)| {
        let pruned = |i| if i == mine { limits::STANZA } else { 0 };
        (*party, envelope(&pruned))
    });
    Measured {
        whole: envelope(&|_| limits::STANZA),
        to: to.collect(),
    }
}
