//! `abeng root keygen` and `abeng root new`.

use super::{DAY_MS, dispute, file, now, place, refused, secrets, words};
use crate::{
    CliError, Exit, Ui,
    args::{RootKeygenArgs, RootNewArgs, SignerKind},
};
use abeng_keys::{DualSigner, SystemEntropy};
use abeng_notice::printable;
use abeng_roster::{Root, SignerKey, ceremony};
use abeng_wire::{NetworkCode, encode, v1, v1::ceremony_file::What};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(super) fn keygen(args: &RootKeygenArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let network = network(&args.network)?;
    let role = match args.role {
        SignerKind::Root => v1::SignerRole::RootSigner,
        SignerKind::Roster => v1::SignerRole::RosterSigner,
        SignerKind::Freshness => v1::SignerRole::FreshnessSigner,
    };
    let keys = secrets::check_no_signer(&args.key)?;
    place::check_out_beside(&args.out, keys)?;
    let protection = secrets::protection(&args.rest, ui)?;
    let signer = DualSigner::generate(&mut SystemEntropy);
    let holder = (&*args.holder, &*args.country);
    let signed = ceremony::sign_signer_key(network, role, holder, &signer)
        .map_err(|e| CliError::internal(e.to_string()))?;
    SignerKey::verify(&signed).map_err(|e| CliError::usage(e.to_string()))?;
    secrets::save_signer(&signer, &args.key, &protection)?;
    let told = format!(
        "A {} key of {} for {}. The secret half is {}: keep it offline, with a copy elsewhere.\n\
         Send {} to whoever makes the root, and read this fingerprint to them by telephone:\n{}",
        words::signer_role(role),
        network,
        printable(&args.holder),
        args.key.display(),
        args.out.out.display(),
        words::fingerprint(&signed.bytes),
    );
    let kid = signer.public().kid().to_string();
    file::write_paper(network, What::Signer(signed), &args.out)?;
    ui.show(
        &serde_json::json!({"kid": kid, "file": args.out.out}),
        || told,
    )?;
    Ok(Exit::Ok.into())
}

pub(super) fn new(args: &RootNewArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let network = network(&args.network)?;
    place::check_out(&args.out)?;
    let mut root = v1::Root {
        version: 1,
        expires: now() + u64::from(args.days) * DAY_MS,
        network: network.to_string(),
        threshold: args.threshold,
        roster_threshold: args.roster_threshold,
        ..Default::default()
    };
    add_signers(&mut root, &args.signers, network)?;
    finish(root, network, &args.out, ui)
}

/// Enters signers from their files, whose own signatures are verified.
pub(super) fn add_signers(
    root: &mut v1::Root,
    files: &[PathBuf],
    network: NetworkCode,
) -> Result<(), CliError> {
    for (nth, path) in files.iter().enumerate() {
        let What::Signer(signed) = file::paper(path)?.what else {
            return Err(
                CliError::usage(format!("{} is no signer's key", path.display()))
                    .with_try("name files that `abeng root keygen` wrote"),
            );
        };
        let signer = SignerKey::verify(&signed)
            .map_err(|e| CliError::new(Exit::Unverified, format!("{}: {e}", path.display())))?;
        if signer.network != network {
            return Err(CliError::new(
                Exit::Refused,
                format!(
                    "{} is for network {}, not {network}",
                    path.display(),
                    signer.network
                ),
            ));
        }
        if let Some((there, what)) = already(root, &signer.key) {
            let before = files.iter().take(nth).find(|f| same_key(f, &signer.key));
            let before = before.map_or_else(
                || "the root held".to_owned(),
                |f| match f == path {
                    true => "the same file".to_owned(),
                    false => f.display().to_string(),
                },
            );
            return Err(CliError::usage(format!(
                "{} holds a key that is there already, from {before}: it is to sign {what} for {}",
                path.display(),
                printable(&there)
            ))
            .with_try("name every holder's file once; a second office needs a key of its own"));
        }
        let list = match signer.role {
            v1::SignerRole::RootSigner => &mut root.signers,
            v1::SignerRole::RosterSigner => &mut root.roster_signers,
            _ => &mut root.freshness_signers,
        };
        list.push(signer.key);
    }
    Ok(())
}

/// The holder of a key that the root lists, and what that signs. One half in common is enough.
fn already(root: &v1::Root, key: &v1::DualKey) -> Option<(String, &'static str)> {
    let lists = [
        ("roots", &root.signers),
        ("rosters", &root.roster_signers),
        ("freshness statements", &root.freshness_signers),
    ];
    lists.into_iter().find_map(|(what, list)| {
        let there = list.iter().find(|k| shares(k, key))?;
        Some((there.holder.clone(), what))
    })
}

fn shares(one: &v1::DualKey, other: &v1::DualKey) -> bool {
    one.ed25519 == other.ed25519 || one.ml_dsa == other.ml_dsa
}

fn same_key(path: &Path, key: &v1::DualKey) -> bool {
    let Ok(What::Signer(signed)) = file::paper(path).map(|paper| paper.what) else {
        return false;
    };
    SignerKey::verify(&signed).is_ok_and(|signer| shares(&signer.key, key))
}

/// Says which number does not fit how many holders, and what would.
fn check_numbers(root: &v1::Root) -> Result<(), CliError> {
    let lists = [
        ("root", "--threshold", root.threshold, &root.signers),
        (
            "roster",
            "--roster-threshold",
            root.roster_threshold,
            &root.roster_signers,
        ),
    ];
    for (what, option, threshold, list) in lists {
        let (count, needed) = (list.len(), threshold as usize);
        let least = count / 2 + 1;
        if needed > count {
            let lower = match count {
                0 => String::new(),
                n if n == least => format!("; or `{option} {n}`, and all of them must sign"),
                n => format!("; or lower the threshold, `{option} {least}` to {n}"),
            };
            return Err(CliError::usage(format!(
                "{needed} {what} signers must sign ({option}), and there are only {count}"
            ))
            .with_try(format!(
                "name the files of at least {} more holders of a {what} key{lower}",
                needed - count
            )));
        }
        if 2 * needed <= count {
            return Err(CliError::usage(format!(
                "{needed} of {count} {what} signers ({option}) is not more than half: two groups that share nobody could sign two of one version"
            ))
            .with_try(format!("`{option} {least}` or more")));
        }
    }
    match root.freshness_signers.len() {
        0..3 => Err(CliError::usage(format!(
            "there must be at least three freshness signers, and there are only {}",
            root.freshness_signers.len()
        ))
        .with_try("name the files of holders of a freshness key, in three countries")),
        _ => Ok(()),
    }
}

/// Checks the root's rules, writes the file to be signed, and tells it.
pub(super) fn finish(
    root: v1::Root,
    network: NetworkCode,
    out: &crate::args::OutArgs,
    ui: &Ui,
) -> Result<ExitCode, CliError> {
    check_numbers(&root)?;
    let signed = v1::Signed {
        bytes: encode(&root),
        signatures: Vec::new(),
    };
    let draft = Root::draft(&signed).map_err(|e| refused(&e))?;
    file::write_paper(network, What::Root(signed.clone()), out)?;
    ui.show(
        &serde_json::json!({
            "root": draft.version(),
            "digest": draft.digest().to_string(),
            "file": out.out,
        }),
        || {
            format!(
                "{}\nFingerprint:\n{}\nSend {} to the root's holders; each signs it with `abeng root sign`.\n",
                tell(&root),
                words::fingerprint(&signed.bytes),
                out.out.display()
            )
        },
    )?;
    Ok(Exit::Ok.into())
}

/// A root in words.
pub(super) fn tell(root: &v1::Root) -> String {
    let mut out = format!(
        "Root {} of {}, good until {}.\n",
        root.version,
        printable(&root.network),
        words::day(root.expires)
    );
    let lists = [
        ("root", root.threshold, &root.signers),
        ("roster", root.roster_threshold, &root.roster_signers),
        ("freshness", 1, &root.freshness_signers),
    ];
    for (what, threshold, list) in lists {
        out.push_str(&format!(
            "{threshold} of these {} sign{} {what}:\n",
            list.len(),
            if threshold == 1 { "s" } else { "" }
        ));
        for key in list {
            out.push_str(&format!("  {}\n", signer(key)));
        }
    }
    for (what, list) in [
        ("rosters", &root.settled_rosters),
        ("roots", &root.settled_roots),
    ] {
        for (version, count) in dispute::settled(list) {
            out.push_str(&format!(
                "It ends the equivocation of {count} {what} of version {version}.\n"
            ));
        }
    }
    out
}

/// A signer by holder, country and key.
pub(super) fn signer(key: &v1::DualKey) -> String {
    let kid = abeng_keys::kid(abeng_keys::Alg::Ed25519, &key.ed25519);
    let (holder, country) = (printable(&key.holder), printable(&key.country));
    // Who founds on one machine has the country in the name already.
    match holder.ends_with(&format!("({country})")) {
        true => format!("{holder}, key {kid:.16}"),
        false => format!("{holder} ({country}), key {kid:.16}"),
    }
}

pub(super) fn network(text: &str) -> Result<NetworkCode, CliError> {
    NetworkCode::new(text).map_err(|e| CliError::usage(e.to_string()))
}
