//! Parties that people could take for one another: by name, or by where they are reached.

use super::{Change, danger};
use crate::ceremony::words;
use abeng_notice::{codes::plainly, printable};
use abeng_wire::v1;
use std::collections::BTreeMap;

type Parties = BTreeMap<String, v1::Party>;

/// Who has come to bear the name of another, or to be reached where another is.
pub(super) fn newly(before: &Parties, after: &Parties) -> Vec<Change> {
    let mut out = Vec::new();
    for (code, party) in after {
        let then = before.get(code);
        let others = || after.values().filter(|other| other.code != *code);
        let named = then.is_none_or(|then| name(then) != name(party));
        // Of two that come at once the later one is told of.
        let first = |other: &&v1::Party| before.contains_key(&other.code) || other.code < *code;
        for other in others().filter(first).filter(|_| named) {
            if !name(party).is_empty() && name(other) == name(party) {
                out.push(danger(format!(
                    "{} has the name of {}, or one that reads like it: people would take the one for the other.",
                    words::party(party),
                    words::party(other)
                )));
            }
        }
        for at in &party.addresses {
            let known = then.is_some_and(|then| reached(then, at));
            for other in others()
                .filter(first)
                .filter(|other| !known && reached(other, at))
            {
                out.push(danger(format!(
                    "{} is to be reached at {}, where {} is: links to the one would go to the other.",
                    words::party(party),
                    printable(at),
                    words::party(other)
                )));
            }
        }
    }
    out
}

/// A name as it is compared: letters and digits alone, none of them large or with an accent.
fn name(party: &v1::Party) -> String {
    plainly(&party.name)
}

fn reached(party: &v1::Party, at: &str) -> bool {
    party.addresses.iter().any(|a| place(a) == place(at))
}

/// A final dot of a host name says nothing.
fn place(at: &str) -> String {
    at.to_ascii_lowercase().replace(".:", ":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parties(list: &[(&str, &str, &str)]) -> Parties {
        let party = |(code, name, at): &(&str, &str, &str)| {
            let party = v1::Party {
                code: (*code).into(),
                name: (*name).into(),
                addresses: vec![(*at).into()],
                ..Default::default()
            };
            ((*code).to_owned(), party)
        };
        list.iter().map(party).collect()
    }

    #[test]
    fn who_comes_under_the_name_or_at_the_place_of_another_is_told_of() {
        let cw = ("CW", "Douane Curaçao", "cw.example:7464");
        let bb = ("BB", "Barbados", "bb.example:7464");
        let before = parties(&[bb, cw]);
        assert!(newly(&before, &before).is_empty());
        for name in [
            "douane curacao",
            "Douane-Curac\u{327}ao ",
            "DOUANE  CURAÇAO.",
        ] {
            let after = parties(&[bb, cw, ("XC", name, "xc.example:7464")]);
            let told = newly(&before, &after);
            assert_eq!(told.len(), 1, "{name}");
            assert!(
                told[0].danger && told[0].text.contains("has the name of CW"),
                "{told:?}"
            );
        }
        let after = parties(&[bb, cw, ("AA", "Aruba", "CW.example.:7464")]);
        let told = newly(&before, &after);
        assert!(
            told[0].text.contains("where CW (Douane Curaçao) is"),
            "{told:?}"
        );
        // An entry that changes as well; once for two that come together; and no other port.
        let after = parties(&[("BB", "Douane Curaçao", "cw.example:7465"), cw]);
        assert_eq!(newly(&before, &after).len(), 1);
        assert_eq!(newly(&Parties::new(), &after).len(), 1);
        let after = parties(&[bb, cw, ("XC", "Douane Aruba", "xc.example:7464")]);
        assert!(newly(&before, &after).is_empty());
    }
}
