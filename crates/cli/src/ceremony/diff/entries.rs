//! What a party's entry changes.

use super::{Change, danger, id, plain, role};
use crate::ceremony::words::{self, codes, day};
use abeng_notice::printable;
use abeng_wire::v1;

/// What a party's entry changes.
pub(in crate::ceremony) fn of_entry(then: &v1::Party, now: &v1::Party) -> Vec<Change> {
    let name = words::party(now);
    let mut out = Vec::new();
    if then.status() != now.status() {
        out.push(plain(format!(
            "{name} {}, it was {}.",
            match now.status() {
                v1::PartyStatus::Active => "takes part again",
                v1::PartyStatus::Left =>
                    "has left: every node closes its links and sends it nothing",
                _ => "is suspended: every node closes its links and sends it nothing",
            },
            words::status(then.status())
        )));
    }
    for key in now.keys.iter().filter(|k| !has(then, k)) {
        out.push(plain(format!(
            "{name} has a new {} key {:.16}, from {} until {}.",
            role(key),
            id(key),
            day(key.not_before),
            day(key.not_after)
        )));
    }
    for key in &then.keys {
        match now.keys.iter().find(|k| k.key == key.key) {
            None => out.push(plain(format!(
                "{name} no longer lists the {} key {:.16}: what it signed cannot be verified by this roster.",
                role(key),
                id(key)
            ))),
            Some(k) if k.not_after != key.not_after => out.push(plain(format!(
                "The {} key {:.16} of {name} is good until {}, it was {}.",
                role(key),
                id(key),
                day(k.not_after),
                day(key.not_after)
            ))),
            Some(_) => {}
        }
    }
    if then.addresses != now.addresses {
        let list: Vec<_> = now.addresses.iter().map(|a| printable(a)).collect();
        out.push(plain(format!("{name} is reached at {}.", codes(&list))));
    }
    let come = now.witnesses.iter().filter(|w| !then.witnesses.contains(w));
    let gone = then.witnesses.iter().filter(|w| !now.witnesses.contains(w));
    let (come, gone): (Vec<_>, Vec<_>) = (come.cloned().collect(), gone.cloned().collect());
    if !come.is_empty() || !gone.is_empty() {
        out.push(plain(format!(
            "The log of {name} is co-signed by {} from now on (new: {}; no longer: {}).",
            codes(&now.witnesses),
            codes(&come),
            codes(&gone)
        )));
    }
    match (then.relay, now.relay) {
        (false, true) => out.push(danger(format!(
            "{name} may carry the envelopes of others: it sees who sends to whom, and no content."
        ))),
        (true, false) => out.push(plain(format!("{name} no longer carries for others."))),
        _ => {}
    }
    if (&then.name, &then.country, then.kind) != (&now.name, &now.country, now.kind) {
        out.push(plain(format!(
            "{} is now {name}, {}, {}.",
            words::party(then),
            printable(&now.country),
            words::kind(now.kind())
        )));
    }
    out
}

/// A party that was not there.
pub(super) fn joins(party: &v1::Party, founding: bool) -> Change {
    let text = format!(
        "{} joins as {}, reached at {}; its log is co-signed by {}.",
        words::party(party),
        words::kind(party.kind()),
        codes(
            &party
                .addresses
                .iter()
                .map(|a| printable(a))
                .collect::<Vec<_>>()
        ),
        codes(&party.witnesses)
    );
    let text = match party.relay {
        true => format!("{text} It may carry the envelopes of others: it sees who sends to whom."),
        false => text,
    };
    match founding {
        true => plain(text),
        false => danger(format!(
            "{text} Nodes wait 7 days before they send to it, unless their administrator accepts it."
        )),
    }
}

fn has(party: &v1::Party, key: &v1::PartyKey) -> bool {
    party.keys.iter().any(|k| k.key == key.key)
}
