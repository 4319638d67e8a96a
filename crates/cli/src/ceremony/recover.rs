//! `abeng party recover`: new keys where the old ones cannot vouch for them.

use super::{
    HEAD_START_MS, Held, draft,
    enrol::{hand_over, interval, keys, seal_key, signers, unsigned},
    now, place, refused, secrets, words,
};
use crate::{CliError, Exit, Ui, args::PartyRecoverArgs};
use abeng_keys::{Keyring, SystemEntropy};
use abeng_roster::{Override, Trust, ceremony, digest};
use abeng_wire::{Millis, PartyCode, encode, limits, v1, v1::ceremony_file::What};
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
        seal_key: Some(seal_key(
            &keyring,
            next_sequence(&held.trust, code, at),
            at,
        )?),
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

/// Above every sequence of the party's seal keys that is known and, as a node counts, above those that
/// are not; but never too far ahead to be taken. What stands above that goes with the key that signed it.
fn next_sequence(trust: &Trust, party: PartyCode, at: Millis) -> u64 {
    let of_party = trust.seal_keys.held().filter(|(p, ..)| *p == party);
    let highest = of_party.map(|(_, n, _)| n).max().unwrap_or(0);
    let begins = at.saturating_sub(HEAD_START_MS);
    let most = begins.saturating_add(limits::SEAL_KEY_AHEAD_MS) / 1000;
    highest.saturating_add(1).max(at / 1000).min(most)
}
