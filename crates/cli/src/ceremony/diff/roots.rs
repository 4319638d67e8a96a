//! What the next root changes.

use super::{Change, danger, plain};
use crate::ceremony::{begin, dispute, words::day};
use abeng_wire::v1;

/// What the next root changes.
pub(in crate::ceremony) fn of_roots(old: &v1::Root, new: &v1::Root) -> Vec<Change> {
    let mut out = Vec::new();
    if old == new {
        return out;
    }
    out.push(plain(format!(
        "Root {} follows root {}; it is good until {}.",
        new.version,
        old.version,
        day(new.expires)
    )));
    let lists = [
        ("root", &old.signers, &new.signers),
        ("roster", &old.roster_signers, &new.roster_signers),
        ("freshness", &old.freshness_signers, &new.freshness_signers),
    ];
    for (what, before, after) in lists {
        let gone = before.iter().filter(|k| !after.contains(k));
        let come = after.iter().filter(|k| !before.contains(k));
        let mark = if what == "root" { danger } else { plain };
        out.extend(
            come.map(|k| mark(format!("may sign {what} from now on: {}", begin::signer(k)))),
        );
        out.extend(gone.map(|k| plain(format!("no longer signs {what}: {}", begin::signer(k)))));
    }
    let thresholds = [
        ("a root or an override", old.threshold, new.threshold),
        ("a roster", old.roster_threshold, new.roster_threshold),
    ];
    for (what, before, after) in thresholds {
        if before != after {
            let text = format!("{after} signatures make {what}, in place of {before}.");
            out.push(if after < before {
                danger(text)
            } else {
                plain(text)
            });
        }
    }
    for (what, list) in [
        ("rosters", &new.settled_rosters),
        ("roots", &new.settled_roots),
    ] {
        out.extend(dispute::settled(list).into_iter().map(|(version, count)| {
            let (count, signed) = match count {
                2 => ("two".to_owned(), "both"),
                more => (more.to_string(), "more than one"),
            };
            danger(format!(
                "It ends the equivocation of {count} {what} of version {version}: somebody signed {signed}."
            ))
        }));
    }
    out
}
