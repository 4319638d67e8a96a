//! `abeng party recover`: new keys where the old ones cannot vouch for them.

use super::{
    Held, draft,
    enrol::{hand_over, interval, keys, seal_key, signers, unsigned},
    file, now, place, refused, secrets, words,
};
use crate::{CliError, Exit, Ui, args::PartyRecoverArgs};
use abeng_keys::{Keyring, SystemEntropy};
use abeng_roster::{Override, ceremony, digest};
use abeng_wire::{encode, v1, v1::ceremony_file::What};
use std::process::ExitCode;

pub(super) fn recover(args: &PartyRecoverArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    secrets::check_no_keyring(&args.keys)?;
    place::check_out_beside(&args.out, &args.keys)?;
    let code = words::code(&args.code)?;
    let held = Held::load(&args.held.trust, args.held.first.root.as_deref())?;
    let party = held.trust.roster.party(code).ok_or_else(|| {
        CliError::new(
            Exit::NotFound,
            format!("the roster held knows no party {code}"),
        )
    })?;
    let keyring = Keyring::generate(code, &mut SystemEntropy);
    let at = now();
    let mut entry = draft::following(party)?;
    entry.keys.extend(keys(&keyring, interval(at, args.years)));
    let by = signers(&keyring).map(|(_, s)| s);
    let signed = ceremony::sign_party(&entry, &by).map_err(unsigned)?;
    let word = v1::Override {
        network: held.trust.roster.network().to_string(),
        party: code.to_string(),
        before: digest(&party.signed().bytes).to_bytes(),
        after: digest(&signed.bytes).to_bytes(),
        at,
        reason: args.reason.clone(),
    };
    let word = v1::Signed {
        bytes: encode(&word),
        signatures: Vec::new(),
    };
    Override::draft(&word).map_err(|e| refused(&e))?;
    let request = v1::PartyRequest {
        entry: Some(signed),
        seal_key: Some(seal_key(&keyring, next_sequence(&held, &args.code)?, at)?),
    };
    let protection = secrets::protection(&args.rest, ui)?;
    secrets::save_keyring(&keyring, &args.keys, &protection)?;
    let told = format!(
        "New keys of {} are in {}: make a copy before anything else.\n\
         They need the signatures of {} root holders; then nodes wait 7 days before they use them.\n",
        words::party(&entry),
        args.keys.display(),
        held.trust.root.threshold()
    );
    let what = What::Override(v1::OverrideRequest {
        word: Some(word),
        request: Some(request.clone()),
    });
    hand_over(
        held.trust.roster.network(),
        what,
        &request,
        told,
        &args.out,
        ui,
    )
}

/// One more than the highest sequence of the party's seal keys that is known.
fn next_sequence(held: &Held, code: &str) -> Result<u64, CliError> {
    let mut highest = 0;
    for signed in &held.bundle.seal_keys {
        let key: v1::SealKey = file::decode(&signed.bytes)?;
        if key.party == code {
            highest = highest.max(key.sequence);
        }
    }
    Ok(highest + 1)
}
