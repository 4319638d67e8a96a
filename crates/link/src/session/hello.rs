use super::Window;
use crate::{Greeting, PeerFault};
use abeng_keys::{SignError, SignatureType, Signer, VerifyKey};
use abeng_wire::{PartyCode, decode, encode, limits, v1};
use bytes::Bytes;

/// Protocol versions spoken here, newest first.
pub const VERSIONS: &[u32] = &[1];
/// Marks in one hello.
pub const MARKS: usize = 256;
/// Versions that a hello may list.
const LISTED_VERSIONS: usize = 16;

/// What a session starts from. All of it is known once TLS is done.
#[derive(Debug, Clone)]
pub struct Opening {
    /// This node's party.
    pub me: PartyCode,
    /// The party whose key the peer has proved to hold.
    pub peer: PartyCode,
    /// Which side of the connection this is.
    pub role: v1::Role,
    /// This process, 16 random bytes.
    pub boot_id: [u8; 16],
    /// TLS exporter of the connection: label `EXPORTER-abeng-1`, empty context.
    pub exporter: [u8; 32],
    /// The node-tls key that the peer used in TLS.
    pub peer_key: VerifyKey,
    /// What to say of ourselves.
    pub greeting: Greeting,
    /// Credit to give.
    pub window: Window,
}

/// Our hello, signed together with the exporter: it is worth nothing on another connection.
pub(super) fn sign(opening: &Opening, signer: &dyn Signer) -> Result<v1::SignedHello, SignError> {
    let greeting = &opening.greeting;
    let hello = encode(&v1::Hello {
        role: opening.role.into(),
        own: opening.me.to_string(),
        peer: opening.peer.to_string(),
        boot_id: Bytes::copy_from_slice(&opening.boot_id),
        incarnation: greeting.incarnation,
        roster: Some(greeting.roster.clone()),
        versions: VERSIONS.to_vec(),
        checkpoint: greeting.checkpoint.clone(),
        marks: greeting.marks.clone(),
        held: greeting.held.clone(),
        held_note: greeting.held_note.clone(),
    });
    let signature = signer.sign(SignatureType::HELLO, &bound(&hello, &opening.exporter))?;
    Ok(v1::SignedHello {
        hello,
        sig: Bytes::copy_from_slice(&signature),
    })
}

/// Checks a peer's hello: signature first, then every field against what TLS has proved.
pub(super) fn check(
    signed: &v1::SignedHello,
    me: PartyCode,
    peer: PartyCode,
    own_role: v1::Role,
    key: &VerifyKey,
    exporter: &[u8; 32],
) -> Result<v1::Hello, PeerFault> {
    key.verify(
        SignatureType::HELLO,
        &bound(&signed.hello, exporter),
        &signed.sig,
    )
    .map_err(|_| PeerFault::Signature)?;
    let hello: v1::Hello = decode("hello", &signed.hello, limits::HELLO)?;
    let theirs = match own_role {
        v1::Role::Dialler => v1::Role::Acceptor,
        _ => v1::Role::Dialler,
    };
    let roster_fits = hello.roster.as_ref().is_some_and(|r| r.digest.len() == 32);
    let held_fits = hello.held.as_ref().is_none_or(|h| h.root.len() == 32);
    for (field, fits) in [
        ("role", hello.role == i32::from(theirs)),
        ("own party", hello.own == peer.as_str()),
        ("peer party", hello.peer == me.as_str()),
        ("boot id", hello.boot_id.len() == 16),
        ("roster", roster_fits),
        ("versions", hello.versions.len() <= LISTED_VERSIONS),
        ("checkpoint", hello.checkpoint.len() <= limits::CHECKPOINT),
        ("marks", hello.marks.len() <= MARKS),
        ("held checkpoint", held_fits),
        ("held note", hello.held_note.len() <= limits::CHECKPOINT),
    ] {
        if !fits {
            return Err(PeerFault::Hello { field });
        }
    }
    if !hello.versions.iter().any(|v| VERSIONS.contains(v)) {
        return Err(PeerFault::Version {
            theirs: hello.versions,
            ours: VERSIONS,
        });
    }
    Ok(hello)
}

fn bound(hello: &[u8], exporter: &[u8; 32]) -> Vec<u8> {
    [hello, exporter].concat()
}
