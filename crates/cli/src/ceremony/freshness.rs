//! `abeng freshness renew`.

use super::{Held, ask, diff, dispute, file, now, place, refused, secrets, words};
use crate::{CliError, Exit, Ui, args::FreshnessRenewArgs};
use abeng_roster::{Freshness, ceremony};
use abeng_wire::{Millis, v1, v1::ceremony_file::What};
use std::process::ExitCode;

const HOUR_MS: Millis = 60 * 60 * 1000;

pub(super) fn renew(args: &FreshnessRenewArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    place::check_out(&args.out)?;
    let held = Held::load(&args.held.trust, args.held.first.root.as_deref())?;
    let at = now();
    held.trust.check_time(at).map_err(|e| refused(&e))?;
    let roster = &held.trust.roster;
    let signer = secrets::load_signer(&args.key, args.secret.passphrase_file.as_deref(), ui)?;
    let told = format!(
        "{}This says that on {} roster {} of {} is the newest there is. Who signs it while a newer one exists \
         lets nodes believe an old one.\nFingerprint of roster {}:\n{}",
        diff::render_some(&dispute::open(&held.trust)),
        words::day(at),
        roster.version(),
        roster.network(),
        roster.version(),
        words::fingerprint(&roster.signed().bytes)
    );
    ask(&told, "Is it the newest?", args.sure.yes, ui)?;
    let statement = v1::Freshness {
        roster: Some(roster.reference()),
        at,
        expires: at + Millis::from(args.hours) * HOUR_MS,
    };
    let signed = ceremony::sign_freshness(&statement, signer.ed25519())
        .map_err(|e| CliError::internal(e.to_string()))?;
    Freshness::verify(&held.trust.root, &signed, at).map_err(|e| {
        CliError::new(Exit::Refused, e.to_string())
            .with_try("use a key that the root lists as a freshness signer")
    })?;
    file::write_paper(roster.network(), What::Freshness(signed), &args.out)?;
    let value = serde_json::json!({"roster": roster.version(), "file": args.out.out});
    ui.show(&value, || {
        format!(
            "{} is written. Put it into the bundle with `abeng roster publish`; the next is due in {} hours.\n",
            args.out.out.display(),
            args.hours
        )
    })?;
    Ok(Exit::Ok.into())
}
