//! `abeng root rotate`.

use super::{DAY_MS, Held, begin, dispute, now, place};
use crate::{CliError, Exit, Ui, args::RootRotateArgs};
use abeng_keys::{Alg, kid};
use abeng_notice::printable;
use abeng_roster::{Conflict, ConflictOf};
use abeng_wire::{Digest, limits, v1};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

pub(super) fn rotate(args: &RootRotateArgs, ui: &Ui) -> Result<ExitCode, CliError> {
    place::check_out(&args.out)?;
    let held = Held::load(&args.held.trust, args.held.first.root.as_deref())?;
    let network = held.trust.root.network();
    let mut root = held.root()?;
    root.version += 1;
    root.expires = now() + u64::from(args.days) * DAY_MS;
    root.threshold = args.threshold.unwrap_or(root.threshold);
    root.roster_threshold = args.roster_threshold.unwrap_or(root.roster_threshold);
    root.settled_rosters.clear();
    root.settled_roots.clear();
    for who in &args.remove {
        remove(&mut root, who)?;
    }
    begin::add_signers(&mut root, &args.signers, network)?;
    if args.settle {
        settle(&mut root, &held)?;
    }
    begin::finish(root, network, &args.out, ui)
}

/// Takes out the one signer who is meant.
fn remove(root: &mut v1::Root, who: &str) -> Result<(), CliError> {
    let is = |key: &v1::DualKey| {
        let kid = kid(Alg::Ed25519, &key.ed25519).to_string();
        key.holder == who || (who.len() >= 8 && kid.starts_with(&who.to_ascii_lowercase()))
    };
    let mut lists = [
        &mut root.signers,
        &mut root.roster_signers,
        &mut root.freshness_signers,
    ];
    let found: usize = lists
        .iter()
        .map(|l| l.iter().filter(|k| is(k)).count())
        .sum();
    match found {
        1 => lists.iter_mut().for_each(|l| l.retain(|k| !is(k))),
        0 => {
            return Err(CliError::new(
                Exit::NotFound,
                format!("no signer is called `{}`", printable(who)),
            )
            .with_try("`abeng roster show` lists them"));
        }
        n => {
            return Err(
                CliError::usage(format!("`{}` means {n} signers", printable(who)))
                    .with_try("name one by the first 8 digits of its key"),
            );
        }
    }
    Ok(())
}

/// Names both sides of what nobody has settled.
fn settle(root: &mut v1::Root, held: &Held) -> Result<(), CliError> {
    let open: Vec<&Conflict> = dispute::unsettled(&held.trust).collect();
    if open.is_empty() {
        return Err(CliError::usage("the trust bundle holds no equivocation")
            .with_try("take trust/bundle.pb of a node that raised the alarm"));
    }
    let mut sides: BTreeMap<(ConflictOf, u64), BTreeSet<Digest>> = BTreeMap::new();
    for c in open {
        let all = sides.entry((c.of, c.version)).or_default();
        all.extend([c.held, c.other]);
    }
    for ((of, version), digests) in sides {
        let list = match of {
            ConflictOf::Root => &mut root.settled_roots,
            ConflictOf::Roster => &mut root.settled_rosters,
        };
        list.extend(settlements(
            version,
            &digests.into_iter().collect::<Vec<_>>(),
        ));
    }
    Ok(())
}

/// Names every pair of these, which are sorted, in as many settlements as that takes: a node may
/// hold any of them.
fn settlements(version: u64, digests: &[Digest]) -> Vec<v1::Settlement> {
    let settlement = |digests: &[Digest]| v1::Settlement {
        version,
        digests: digests.iter().map(Digest::to_bytes).collect(),
    };
    if digests.len() <= limits::SETTLED_DIGESTS {
        return vec![settlement(digests)];
    }
    let halves: Vec<_> = digests.chunks(limits::SETTLED_DIGESTS / 2).collect();
    let mut out = Vec::new();
    for (i, one) in halves.iter().enumerate() {
        out.extend(
            halves[i + 1..]
                .iter()
                .map(|two| settlement(&[*one, *two].concat())),
        );
    }
    out
}
