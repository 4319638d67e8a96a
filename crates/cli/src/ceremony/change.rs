//! `abeng party change`: a member's entry with other facts and the same keys.

use super::{
    Held, diff, draft,
    enrol::{self, hand_over, signers, unsigned},
    file, place, secrets, words,
};
use crate::{CliError, Exit, Ui, args::PartyChangeArgs};
use abeng_roster::ceremony;
use abeng_wire::{v1, v1::ceremony_file::What};
use std::process::ExitCode;

pub(super) fn change(args: &PartyChangeArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    place::check_out(&args.out)?;
    let held = Held::load(&args.held.trust, args.held.first.root.as_deref())?;
    let keyring = secrets::load_keyring(&args.keys, args.passphrase_file.as_deref(), ui)?;
    let party = held.trust.roster.party(keyring.party).ok_or_else(|| {
        CliError::new(
            Exit::NotFound,
            format!("the roster held knows no party {}", keyring.party),
        )
    })?;
    let before: v1::Party = file::decode(&party.signed().bytes)?;
    let mut entry = draft::following(party)?;
    if let Some(name) = &args.name {
        entry.name.clone_from(name);
    }
    if !args.addresses.is_empty() {
        entry.addresses.clone_from(&args.addresses);
    }
    if !args.witnesses.is_empty() {
        let codes = args.witnesses.iter().map(|text| words::code(text));
        let codes = codes.collect::<Result<Vec<_>, _>>()?;
        entry.witnesses = codes.iter().map(ToString::to_string).collect();
        entry.witnesses.sort_unstable();
        entry.witnesses.dedup();
    }
    entry.relay = args.relay.unwrap_or(entry.relay);
    if args.active {
        entry.status = v1::PartyStatus::Active as i32;
    }
    enrol::check(&entry)?;
    check_witnesses(&entry, &held)?;
    abeng_roster::check_witness_change(&before.witnesses, &entry.witnesses).map_err(|rule| {
        CliError::usage(format!("no roster would take that: {rule}"))
            .with_try("exchange two in this roster, and the others in the next")
    })?;
    let changes = diff::of_entry(&before, &entry);
    if changes.is_empty() {
        return Err(
            CliError::usage("that is what the roster says already: nothing would change")
                .with_try("`abeng roster show` lists what it says of each party"),
        );
    }
    let by = signers(&keyring).map(|(_, signer)| signer);
    let request = v1::PartyRequest {
        entry: Some(ceremony::sign_party(&entry, &by).map_err(unsigned)?),
        seal_key: None,
    };
    hand_over(
        held.trust.roster.network(),
        What::Party(request.clone()),
        &request,
        format!("{}\n", diff::render(&changes)),
        &args.out,
        ui,
    )
}

/// They must be other parties of the roster held that take part.
fn check_witnesses(entry: &v1::Party, held: &Held) -> Result<(), CliError> {
    let roster = &held.trust.roster;
    for text in &entry.witnesses {
        let party = roster.party(words::code(text)?).filter(|p| p.is_active());
        if party.is_none() || *text == entry.code {
            let others = roster
                .parties()
                .filter(|p| p.is_active() && p.code.as_str() != entry.code);
            let others: Vec<String> = others.map(|p| p.code.to_string()).collect();
            return Err(CliError::usage(format!(
                "{text} cannot co-sign the log of {}",
                entry.code
            ))
            .with_try(format!("name others that take part: {}", others.join(", "))));
        }
    }
    Ok(())
}
