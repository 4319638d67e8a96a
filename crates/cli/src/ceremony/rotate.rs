//! `abeng party rotate-keys`.

use super::{
    DAY_MS, Held, draft,
    enrol::{hand_over, interval, keys, signers, unsigned},
    now, place, secrets, words,
};
use crate::{
    CliError, Exit, Ui,
    args::{KeyKind, PartyRotateArgs},
};
use abeng_keys::{Role, Signer, SystemEntropy};
use abeng_roster::ceremony;
use abeng_wire::{Millis, v1, v1::ceremony_file::What};
use std::process::ExitCode;

pub(super) fn rotate(args: &PartyRotateArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    secrets::check_no_keyring(&args.new_keys)?;
    place::check_out_beside(&args.out, &args.new_keys)?;
    let held = Held::load(&args.held.trust, args.held.first.root.as_deref())?;
    let old = secrets::load_keyring(&args.keys, args.old_passphrase_file.as_deref(), ui)?;
    let party = held.trust.roster.party(old.party).ok_or_else(|| {
        CliError::new(
            Exit::NotFound,
            format!("the roster held knows no party {}", old.party),
        )
    })?;
    let roles = roles(&args.roles);
    let renewed = old.renewed(&roles, &mut SystemEntropy);
    let at = now();
    let mut entry = draft::following(party)?;
    let until = at + Millis::from(args.overlap) * DAY_MS;
    let renews = |key: &v1::PartyKey| {
        let role = words::key_role(key.role());
        role.is_some_and(|r| roles.contains(&r))
    };
    for key in entry.keys.iter_mut().filter(|k| renews(k)) {
        key.not_after = key.not_after.min(until).max(key.not_before + 1);
    }
    let fresh = keys(&renewed, interval(at, args.years));
    entry.keys.extend(fresh.into_iter().filter(renews));
    // Old keys vouch for the change, new ones prove possession.
    let mut by: Vec<&dyn Signer> = signers(&old).map(|(_, s)| s).to_vec();
    for (role, signer) in signers(&renewed) {
        if words::key_role(role).is_some_and(|r| roles.contains(&r)) {
            by.push(signer);
        }
    }
    let request = v1::PartyRequest {
        entry: Some(ceremony::sign_party(&entry, &by).map_err(unsigned)?),
        seal_key: None,
    };
    let protection = secrets::protection(&args.rest, ui)?;
    secrets::save_keyring(&renewed, &args.new_keys, &protection)?;
    let told = format!(
        "The keyring with the new keys is in {}. The node goes on with the old one until the roster \
         that lists the new keys holds everywhere; then, before {}, stop it, put the new keyring in \
         the place of the old, and start it.\n",
        args.new_keys.display(),
        words::day(until)
    );
    let network = held.trust.roster.network();
    hand_over(
        network,
        What::Party(request.clone()),
        &request,
        told,
        &args.out,
        ui,
    )
}

fn roles(kinds: &[KeyKind]) -> Vec<Role> {
    let all = [
        KeyKind::OrgSign,
        KeyKind::NodeTls,
        KeyKind::Log,
        KeyKind::Witness,
    ];
    let role = |kind: &KeyKind| match kind {
        KeyKind::OrgSign => Role::OrgSign,
        KeyKind::NodeTls => Role::NodeTls,
        KeyKind::Log => Role::Log,
        KeyKind::Witness => Role::Witness,
    };
    match kinds.is_empty() {
        true => all.iter().map(role).collect(),
        false => kinds.iter().map(role).collect(),
    }
}
