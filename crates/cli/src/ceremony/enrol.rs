//! `abeng party enrol`, and what it shares with the other commands that make a party's keys.

use super::{DAY_MS, HEAD_START_MS, begin, draft::entry, file, now, place, secrets, words};
use crate::{
    CliError, Exit, Ui,
    args::{OutArgs, PartyEnrolArgs},
};
use abeng_keys::{Keyring, Signer, SystemEntropy};
use abeng_notice::printable;
use abeng_roster::ceremony;
use abeng_wire::{Millis, NetworkCode, v1, v1::ceremony_file::What};
use bytes::Bytes;
use std::process::ExitCode;

/// Days that a seal key made in a ceremony is good for.
const SEAL_DAYS: Millis = 365;

pub(super) fn enrol(args: &PartyEnrolArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let (network, code) = (begin::network(&args.network)?, words::code(&args.code)?);
    secrets::check_no_keyring(&args.keys)?;
    place::check_out_beside(&args.out, &args.keys)?;
    let kind = match &*args.kind {
        "member" => v1::PartyKind::Member,
        "observer" => v1::PartyKind::Observer,
        "partner" => v1::PartyKind::Partner,
        "coordination" => v1::PartyKind::Coordination,
        other => {
            return Err(
                CliError::usage(format!("`{}` is not a kind of party", printable(other)))
                    .with_try("write member, observer, partner or coordination"),
            );
        }
    };
    let mut witnesses = Vec::new();
    for text in &args.witnesses {
        witnesses.push(words::code(text)?.to_string());
    }
    witnesses.sort_unstable();
    let mut party = v1::Party {
        code: code.to_string(),
        name: args.name.clone(),
        kind: kind as i32,
        country: args.country.clone().unwrap_or_else(|| code.to_string()),
        status: v1::PartyStatus::Active as i32,
        keys: Vec::new(),
        addresses: args.addresses.clone(),
        log_origin: format!("abeng/{network}/{code}/"),
        witnesses,
        relay: args.relay,
        version: 1,
    };
    check(&party)?;
    let protection = secrets::protection(&args.rest, ui)?;
    let keyring = Keyring::generate(code, &mut SystemEntropy);
    let at = now();
    let interval = interval(at, args.years);
    party.keys = keys(&keyring, interval);
    let signers = signers(&keyring).map(|(_, s)| s);
    let request = v1::PartyRequest {
        entry: Some(ceremony::sign_party(&party, &signers).map_err(unsigned)?),
        seal_key: Some(seal_key(&keyring, 1, at)?),
    };
    secrets::save_keyring(&keyring, &args.keys, &protection)?;
    let told = format!(
        "Keys of {} are in {}: make a copy before anything else.\n",
        words::party(&party),
        args.keys.display()
    );
    hand_over(
        network,
        What::Party(request.clone()),
        &request,
        told,
        &args.out,
        ui,
    )
}

/// Refuses an entry that no roster would take, before anything is made for it.
pub(super) fn check(entry: &v1::Party) -> Result<(), CliError> {
    let taken = abeng_roster::check_entry(entry);
    taken.map_err(|rule| {
        let given = [&entry.name, &entry.country]
            .into_iter()
            .chain(&entry.addresses);
        let given: Vec<String> = given.map(|text| format!("`{}`", printable(text))).collect();
        CliError::usage(format!("a roster takes no such entry: {rule}"))
            .with_try(format!("correct what was given: {}", given.join(", ")))
    })
}

/// Writes what is handed to the Secretariat, and tells its fingerprint.
pub(super) fn hand_over(
    network: NetworkCode,
    what: What,
    request: &v1::PartyRequest,
    told: String,
    out: &OutArgs,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    let signed = request.entry.clone().unwrap_or_default();
    let party = entry(&signed)?;
    file::write_paper(network, what, out)?;
    let value = serde_json::json!({
        "party": party.code,
        "digest": abeng_roster::digest(&signed.bytes).to_string(),
        "file": out.out,
    });
    ui.show(&value, || {
        format!(
            "{told}Send {} to the Secretariat, and read this fingerprint of the entry to them by telephone:\n{}\n",
            out.out.display(),
            words::fingerprint(&signed.bytes)
        )
    })?;
    Ok(Exit::Ok.into())
}

/// The four signing keys of a keyring, with their roles.
pub(super) fn signers(keyring: &Keyring) -> [(v1::KeyRole, &dyn Signer); 4] {
    [
        (v1::KeyRole::OrgSign, keyring.org_sign().as_ref()),
        (v1::KeyRole::NodeTls, keyring.node_tls().as_ref()),
        (v1::KeyRole::Log, keyring.log().as_ref()),
        (v1::KeyRole::Witness, keyring.witness().as_ref()),
    ]
}

/// Those keys as an entry lists them.
pub(super) fn keys(keyring: &Keyring, interval: (Millis, Millis)) -> Vec<v1::PartyKey> {
    let key = |(role, signer): &(v1::KeyRole, &dyn Signer)| v1::PartyKey {
        role: *role as i32,
        key: Bytes::copy_from_slice(signer.verify_key().bytes()),
        not_before: interval.0,
        not_after: interval.1,
    };
    signers(keyring).iter().map(key).collect()
}

/// From a day before now for so many years.
pub(super) fn interval(at: Millis, years: u32) -> (Millis, Millis) {
    (
        at.saturating_sub(HEAD_START_MS),
        at + Millis::from(years) * 365 * DAY_MS,
    )
}

/// The statement for the newest seal key of a keyring.
pub(super) fn seal_key(
    keyring: &Keyring,
    sequence: u64,
    at: Millis,
) -> Result<v1::Signed, CliError> {
    let secret = keyring
        .seal
        .newest()
        .ok_or_else(|| CliError::internal("the keyring holds no seal key"))?;
    let interval = (at.saturating_sub(HEAD_START_MS), at + SEAL_DAYS * DAY_MS);
    let signer = keyring.org_sign().as_ref();
    ceremony::sign_seal_key(keyring.party, sequence, secret.public(), interval, signer)
        .map_err(unsigned)
}

pub(super) fn unsigned(error: abeng_keys::SignError) -> CliError {
    CliError::internal(error.to_string())
}
