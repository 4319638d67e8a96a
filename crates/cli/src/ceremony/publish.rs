//! `abeng roster publish` and `abeng roster verify`: the bundle that nodes take, verified as they do.

use super::{Held, ask, diff, dispute, file, now, pinned, place, refused, show, words};
use crate::{
    CliError, Exit, Ui,
    args::{RosterPublishArgs, RosterVerifyArgs},
};
use abeng_roster::{Conflict, LIMIT_MS, Standing, Trust};
use abeng_wire::{Digest, encode, limits, v1, v1::ceremony_file::What};
use std::{path::PathBuf, process::ExitCode};

pub(super) fn publish(args: &RosterPublishArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    place::check_out(&args.out)?;
    let given = collect(&args.files)?;
    let held = match &args.held.trust {
        Some(path) => Some(Held::load(path, args.held.first.root.as_deref())?),
        None => None,
    };
    let pin = pinned(args.held.first.root.as_deref())?;
    let trust = match &held {
        Some(held) => held
            .trust
            .merge(&given, now())
            .map_err(|e| refused(&e))?
            .ok_or_else(|| {
                CliError::new(
                    Exit::Refused,
                    "nothing in these files is newer than what is held",
                )
            })?,
        None => Trust::from_bundle(&given, pin, now()).map_err(|e| refused(&e))?,
    };
    if let Some(conflict) = dispute::unsettled(&trust).next() {
        return Err(disputed(conflict));
    }
    all_taken(&given, &trust)?;
    let bundle = trust.to_bundle();
    let trust = as_a_node(&bundle, pin)?;
    let (root, roster): (v1::Root, v1::Roster) = (
        file::decode(&trust.root.signed().bytes)?,
        file::decode(&trust.roster.signed().bytes)?,
    );
    let changes = match &held {
        Some(held) => {
            let mut changes = diff::of_roots(&held.root()?, &root);
            changes.extend(diff::of_rosters(&held.roster()?, &roster)?);
            changes
        }
        None => diff::of_rosters(&v1::Roster::default(), &roster)?,
    };
    let told = format!(
        "{}{}{}Fingerprint of roster {}:\n{}",
        diff::render(&changes),
        without_seal_key(&trust),
        root_alone(&trust),
        trust.roster.version(),
        words::fingerprint(&trust.roster.signed().bytes)
    );
    ask(
        &told,
        "Publish it? A node that takes it never goes back to what was before.",
        args.sure.yes,
        ui,
    )?;
    file::write_bundle(&bundle, &args.out)?;
    let value = serde_json::json!({
        "root": first_root(&bundle),
        "root_version": trust.root.version(),
        "roster": trust.roster.version(),
        "digest": trust.roster.digest().to_string(),
        "file": args.out.out,
    });
    ui.show(&value, || {
        format!(
            "{} is written and verified as a node does: root {}, roster {}.\nRoot to be pinned: sha256:{}\n",
            args.out.out.display(),
            trust.root.version(),
            trust.roster.version(),
            first_root(&bundle)
        )
    })?;
    Ok(Exit::Ok.into())
}

pub(super) fn verify(args: &RosterVerifyArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    let bundle = file::bundle(&args.file)?;
    let trust = as_a_node(&bundle, pinned(args.first.root.as_deref())?)?;
    if let Some(conflict) = dispute::unsettled(&trust).next() {
        return Err(disputed(conflict));
    }
    let standing = trust.standing(now(), 0, LIMIT_MS);
    let value = serde_json::json!({
        "root": first_root(&bundle),
        "root_version": trust.root.version(),
        "roster": trust.roster.version(),
        "digest": trust.roster.digest().to_string(),
        "expires": abeng_node::rfc3339(trust.roster.expires()),
        "age_days": match standing {
            Standing::Fresh => 0,
            Standing::Ageing { days } | Standing::PastLimit { days } => days,
        },
    });
    ui.show(&value, || {
        let mut out = format!(
            "{} holds what nodes believe: root {} (until {}), roster {} (until {}), {} parties.\n",
            args.file.display(),
            trust.root.version(),
            words::day(trust.root.expires()),
            trust.roster.version(),
            words::day(trust.roster.expires()),
            trust.roster.parties().count()
        );
        out.push_str(&match standing {
            Standing::Fresh => String::new(),
            Standing::Ageing { days } => format!(
                "! Nobody has said for {days} days that this roster is the newest: renew the freshness, or get a newer bundle.\n"
            ),
            Standing::PastLimit { days } => format!(
                "! Nobody has said for {days} days that this roster is the newest. That is past the limit.\n"
            ),
        });
        out.push_str(&without_seal_key(&trust));
        out.push_str(&show::waiting(&trust));
        if args.first.root.is_none() {
            out.push_str(&format!(
                "The root was not compared: sha256:{}\n",
                first_root(&bundle)
            ));
        }
        out
    })?;
    Ok(Exit::Ok.into())
}

/// Says what a root does under which no roster is made yet.
fn root_alone(trust: &Trust) -> String {
    let (root, roster) = (&trust.root, &trust.roster);
    match root.version() > roster.root_version() {
        true => format!(
            "! Root {} comes without a roster under it: a node that lacks roster {} cannot get that any more, nor what it revokes. Publish the next roster together with the root.\n",
            root.version(),
            roster.version()
        ),
        false => String::new(),
    }
}

/// Walks it from its bytes alone, and looks at its time, as a node does at its start.
fn as_a_node(bundle: &v1::TrustBundle, pin: Option<Digest>) -> Result<Trust, CliError> {
    let bytes = encode(bundle);
    let read: v1::TrustBundle = abeng_wire::decode("trust bundle", &bytes, limits::TRUST_BUNDLE)
        .map_err(|e| CliError::new(Exit::Refused, e.to_string()))?;
    let trust = Trust::from_bundle(&read, pin, now()).map_err(|e| refused(&e))?;
    trust.check_time(now()).map_err(|e| refused(&e))?;
    Ok(trust)
}

/// What the files hold, as one bundle.
fn collect(files: &[PathBuf]) -> Result<v1::TrustBundle, CliError> {
    let mut out = v1::TrustBundle::default();
    for path in files {
        match file::paper(path)?.what {
            What::Root(signed) => out.roots.push(signed),
            What::Roster(signed) => out.rosters.push(signed),
            What::Freshness(signed) => out.freshness = Some(signed),
            What::Party(request) => out.seal_keys.extend(request.seal_key),
            What::Override(m) => out.seal_keys.extend(m.request.and_then(|r| r.seal_key)),
            What::Signer(_) => {
                return Err(CliError::usage(format!(
                    "{} is a signer's key: it goes into a root",
                    path.display()
                )));
            }
        }
    }
    Ok(out)
}

/// A node passes over what it cannot believe beside a good roster; who publishes must know.
fn all_taken(given: &v1::TrustBundle, trust: &Trust) -> Result<(), CliError> {
    let bundle = trust.to_bundle();
    let no = |what: String| {
        CliError::new(Exit::Unverified, what)
            .with_try("leave the file out, or have it made again with the newest bundle")
    };
    let missing = |list: &[v1::Signed], held: &[v1::Signed]| {
        list.iter()
            .any(|g| !held.iter().any(|h| h.bytes == g.bytes))
    };
    if missing(&given.roots, &bundle.roots) {
        return Err(no("a root in these files is not taken".into()));
    }
    if missing(&given.rosters, &bundle.rosters) {
        return Err(no("a roster in these files is not taken".into()));
    }
    for signed in &given.seal_keys {
        if !bundle.seal_keys.contains(signed) {
            let key: v1::SealKey = file::decode(&signed.bytes)?;
            return Err(no(format!(
                "the seal key {} of {} is not taken: it is not newer, or its signer is not in the roster",
                key.sequence,
                abeng_notice::printable(&key.party)
            )));
        }
    }
    if given.freshness.is_some() && given.freshness != bundle.freshness {
        return Err(no(
            "the freshness statement is not taken: it is of another roster, or not newer".into(),
        ));
    }
    Ok(())
}

fn disputed(conflict: &Conflict) -> CliError {
    CliError::new(
        Exit::Unverified,
        format!(
            "two different {}s of version {} are well signed, {} and {}: somebody signed both",
            conflict.of.name(),
            conflict.version,
            conflict.held,
            conflict.other
        ),
    )
    .with_try("tell the root's holders: a root made with `abeng root rotate --settle` ends it")
}

/// The first root's digest, which nodes pin.
pub(super) fn first_root(bundle: &v1::TrustBundle) -> String {
    let first = bundle.roots.first();
    first.map_or_else(String::new, |r| abeng_roster::digest(&r.bytes).to_string())
}

fn without_seal_key(trust: &Trust) -> String {
    let parties = trust.roster.parties().filter(|p| p.is_active());
    let without = parties.filter(|p| trust.seal_key(p.code, now()).is_none());
    let codes: Vec<_> = without.map(|p| p.code.to_string()).collect();
    match codes.is_empty() {
        true => String::new(),
        false => format!(
            "! Nothing can be sent to {}: no seal key that is good now.\n",
            words::codes(&codes)
        ),
    }
}
