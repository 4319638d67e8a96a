//! Groups and grants as people edit them: `roster show --policy` writes them, `roster draft --policy` reads them.

use super::{
    diff::{Change, plain},
    words,
};
use crate::CliError;
use abeng_notice::{NoticeType, printable};
use abeng_wire::v1;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// Groups and grants as people edit them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyFile {
    #[serde(rename = "grant")]
    grants: Option<Vec<GrantLine>>,
    groups: Option<BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantLine {
    from: String,
    to: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
    tlp: String,
}

impl PolicyFile {
    pub(super) fn of(roster: &v1::Roster) -> Self {
        let groups = roster.groups.iter();
        let groups = groups.map(|g| (g.code.clone(), g.members.clone()));
        Self {
            groups: Some(groups.collect()),
            grants: Some(roster.grants.iter().map(GrantLine::of).collect()),
        }
    }

    /// Reads one.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let unreadable =
            |e: &dyn std::fmt::Display| CliError::usage(format!("{}: {e}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| unreadable(&e))?;
        toml::from_str(&text).map_err(|e| unreadable(&e))
    }

    /// As it is written for people: a part that is empty is said to be.
    pub(super) fn to_text(&self) -> String {
        toml::to_string(self).unwrap_or_else(|e| e.to_string())
    }

    /// Puts what it says in the place of what the roster says. A part that it does not name stays as
    /// it is, and is told; where there is none yet, that would be a network in which nobody may
    /// send anything.
    pub(super) fn apply(self, to: &mut v1::Roster) -> Result<Vec<Change>, CliError> {
        let mut told = Vec::new();
        match self.groups {
            Some(groups) => to.groups = groups.into_iter().map(group).collect(),
            None if to.groups.is_empty() => {}
            None => told.push(plain(
                "The policy file has no [groups]: the groups stay as they were. To end them all, write an empty [groups].".to_owned(),
            )),
        }
        match self.grants {
            Some(grants) => {
                let grants = grants.into_iter().map(GrantLine::message);
                to.grants = grants.collect::<Result<_, _>>()?;
            }
            None if to.grants.is_empty() => {
                return Err(CliError::usage(
                    "the policy file has no [[grant]], and there are none before it: nobody could send anything to anybody",
                )
                .with_try("write what may be sent, as `abeng roster show --policy` prints it; or above every table `grant = []`, if nothing may be"));
            }
            None => told.push(plain(
                "The policy file has no [[grant]]: the grants stay as they were. To end them all, write `grant = []` above every table.".to_owned(),
            )),
        }
        Ok(told)
    }
}

fn group((code, mut members): (String, Vec<String>)) -> v1::Group {
    members.sort_unstable();
    v1::Group { code, members }
}

impl GrantLine {
    fn of(g: &v1::Grant) -> Self {
        Self {
            from: g.from.clone(),
            to: g.to.clone(),
            types: g.notice_types.clone(),
            tlp: words::tlp(g.highest_tlp)
                .trim_start_matches("TLP:")
                .to_owned(),
        }
    }

    fn message(self) -> Result<v1::Grant, CliError> {
        let label = (1..=5).find(|&l| words::tlp(l).trim_start_matches("TLP:") == self.tlp);
        let highest_tlp = label.ok_or_else(|| {
            CliError::usage(format!("`{}` is no TLP label", printable(&self.tlp)))
                .with_try("write CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
        })?;
        let known = |t: &&str| NoticeType::parse(t).is_some() || NoticeType::LATER.contains(t);
        let types = self.types.iter().map(String::as_str);
        if let Some(unknown) = types.clone().find(|t| !known(t)) {
            let all = NoticeType::ALL.iter().map(|t| t.name());
            let all: Vec<&str> = all.chain(NoticeType::LATER).collect();
            return Err(CliError::usage(format!(
                "`{}` is no notice type, in the grant of {} to {}",
                printable(unknown),
                printable(&self.from),
                printable(&self.to)
            ))
            .with_try(format!("write one of {}", all.join(", "))));
        }
        Ok(v1::Grant {
            from: self.from,
            to: self.to,
            notice_types: self.types,
            highest_tlp,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster() -> v1::Roster {
        v1::Roster {
            groups: vec![group(("ALL".into(), vec!["TT".into(), "JM".into()]))],
            grants: vec![v1::Grant {
                from: "ALL".into(),
                to: "*".into(),
                notice_types: vec!["SEIZURE".into()],
                highest_tlp: 4,
            }],
            ..Default::default()
        }
    }

    #[test]
    fn a_mistyped_notice_type_is_named_with_those_that_there_are() {
        let grant = |types: &str| {
            let text =
                format!("[[grant]]\nfrom = \"JM\"\nto = \"*\"\ntlp = \"RED\"\ntypes = [{types}]\n");
            let file: PolicyFile = toml::from_str(&text).unwrap();
            file.apply(&mut roster())
        };
        assert!(grant("\"SEIZURE\", \"LOOKOUT\"").is_ok());
        let error = grant("\"SEIZURE\", \"SIEZURE\"").unwrap_err();
        assert!(
            error.message.contains("`SIEZURE` is no notice type"),
            "{error:?}"
        );
        assert!(error.try_this.is_some_and(|h| h.contains("SEIZURE")));
    }

    fn applied(text: &str, to: v1::Roster) -> (v1::Roster, Vec<Change>) {
        let mut roster = to;
        let file: PolicyFile = toml::from_str(text).unwrap();
        let told = file.apply(&mut roster).unwrap();
        (roster, told)
    }

    #[test]
    fn what_is_written_is_read_also_where_it_is_empty() {
        for was in [roster(), v1::Roster::default()] {
            let text = PolicyFile::of(&was).to_text();
            let (again, told) = applied(&text, roster());
            assert_eq!(again, was, "{text}");
            assert!(told.is_empty());
        }
    }

    #[test]
    fn a_part_that_is_not_named_stays_and_is_told() {
        let (roster_now, told) = applied("[groups]\nALL = [\"JM\"]", roster());
        assert_eq!(roster_now.grants, roster().grants);
        assert_eq!(roster_now.groups[0].members, ["JM"]);
        assert!(told[0].text.contains("the grants stay"), "{told:?}");
        let (roster_now, told) = applied("grant = []", roster());
        assert_eq!(roster_now.groups, roster().groups);
        assert!(roster_now.grants.is_empty());
        assert!(told[0].text.contains("the groups stay"), "{told:?}");
    }

    #[test]
    fn a_network_without_a_grant_is_not_founded_by_silence() {
        let file: PolicyFile = toml::from_str("[groups]\nALL = [\"JM\"]").unwrap();
        let error = file.apply(&mut v1::Roster::default()).unwrap_err();
        assert!(error.message.contains("nobody could send"), "{error}");
    }
}
