//! `abeng party suspend` and `abeng party revoke`: what the Secretariat does without the party's
//! hand, with a reason and a time.

use super::{Held, draft::Next, file, now, words};
use crate::{
    CliError, Exit, Ui,
    args::{PartyRevokeArgs, PartySuspendArgs},
};
use abeng_keys::{Alg, kid};
use abeng_notice::printable;
use abeng_wire::{Kid, encode, v1};
use std::{collections::BTreeSet, process::ExitCode};

pub(super) fn suspend(args: &PartySuspendArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let code = words::code(&args.code)?.to_string();
    let effective_at = words::moment(args.at.as_deref(), now())?;
    let held = Held::load(&args.next.held.trust, args.next.held.first.root.as_deref())?;
    let mut next = Next::after(&held, &args.next)?;
    let mut party = next.entry(&code)?;
    let status = match args.left {
        true => v1::PartyStatus::Left,
        false => v1::PartyStatus::Suspended,
    };
    if party.status() == status {
        return Err(CliError::new(
            Exit::Refused,
            format!("{code} {} already", words::stands(status)),
        ));
    }
    party.status = status as i32;
    party.version += 1;
    next.enter(v1::Signed {
        bytes: encode(&party),
        signatures: Vec::new(),
    })?;
    next.message.suspensions.retain(|s| s.party != code);
    next.message.suspensions.push(v1::Suspension {
        party: code,
        effective_at,
        reason: args.reason.clone(),
    });
    next.finish(&args.next.out, ui)
}

pub(super) fn revoke(args: &PartyRevokeArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let code = words::code(&args.code)?.to_string();
    let effective_at = words::moment(args.at.as_deref(), now())?;
    let held = Held::load(&args.next.held.trust, args.next.held.first.root.as_deref())?;
    let mut next = Next::after(&held, &args.next)?;
    let party = next.entry(&code)?;
    let known = known(&held, &party)?;
    let mut meant = BTreeSet::new();
    for text in &args.kids {
        meant.insert(one(&known, text)?);
    }
    if args.replaced {
        meant.extend(replaced(&party));
    }
    let revoked = |k: &Kid| {
        next.message
            .revocations
            .iter()
            .any(|r| r.kid[..] == k.0[..])
    };
    meant.retain(|k| !revoked(k));
    if meant.is_empty() {
        return Err(CliError::new(
            Exit::NotFound,
            format!("{code} has no such key that is not revoked yet"),
        )
        .with_try("`abeng roster show` lists keys"));
    }
    next.message
        .revocations
        .extend(meant.iter().map(|kid| v1::Revocation {
            kid: kid.to_bytes(),
            effective_at,
            reason: args.reason.clone(),
        }));
    next.finish(&args.next.out, ui)
}

/// Every key of the party: those of its entry, and its seal keys held.
fn known(held: &Held, party: &v1::Party) -> Result<Vec<Kid>, CliError> {
    let mut out: Vec<Kid> = party.keys.iter().map(id).collect();
    for signed in &held.bundle.seal_keys {
        let key: v1::SealKey = file::decode(&signed.bytes)?;
        if key.party == party.code {
            out.push(kid(Alg::XWing, &key.key));
        }
    }
    Ok(out)
}

fn one(known: &[Kid], text: &str) -> Result<Kid, CliError> {
    let wanted = text.to_ascii_lowercase();
    let fits = known.iter().filter(|k| k.to_string().starts_with(&wanted));
    let fits: Vec<_> = fits.collect();
    match &fits[..] {
        [kid] if wanted.len() >= 8 => Ok(**kid),
        [] => Err(CliError::new(
            Exit::NotFound,
            format!("no key of that party begins with {}", printable(text)),
        )
        .with_try("`abeng roster show` lists keys")),
        _ => Err(CliError::usage(
            "write the first 8 or more digits of the key",
        )),
    }
}

/// Keys beside which one of the same role began later. No seal keys: what a revoked org-sign key has
/// signed ends with it everywhere, whoever made it.
fn replaced(party: &v1::Party) -> Vec<Kid> {
    let newer = |key: &v1::PartyKey| {
        let others = party.keys.iter().filter(|k| k.role == key.role);
        others
            .map(|k| k.not_before)
            .any(|from| from > key.not_before)
    };
    party.keys.iter().filter(|k| newer(k)).map(id).collect()
}

fn id(key: &v1::PartyKey) -> Kid {
    kid(Alg::Ed25519, &key.key)
}
