//! `[policy.dual_control]`: what a second person must release before it is sealed.

use abeng_notice::{Notice, NoticeType, Tlp};
use serde::Deserialize;
use serde_spanned::Spanned;
use std::{collections::BTreeSet, fs, ops::Range};

/// Where names of users are looked up, so that no service of the machine is asked.
const PASSWD: &str = "/etc/passwd";

/// Which submissions wait for a second person, and who that may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DualControl {
    /// Notices of these types.
    pub types: BTreeSet<NoticeType>,
    /// Notices with this label or a stricter one.
    pub from_tlp: Option<Tlp>,
    /// Notices with names of persons.
    pub nominal: bool,
    /// Who may release, by the identity that the kernel proves.
    pub releasers: Vec<Releaser>,
}

/// Somebody who may release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releaser {
    /// The user id.
    pub uid: u32,
    /// The name that the configuration gives; none where it gives the number.
    pub name: Option<String>,
}

/// A reason for which a notice waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Its type.
    Type,
    /// Its label.
    Tlp,
    /// Names of persons.
    Nominal,
}

impl DualControl {
    /// Why a notice must be released; empty where it need not. What takes back never waits, unless
    /// it says something in words as well.
    pub fn asks(&self, notice: &Notice) -> Vec<Trigger> {
        let strict = self.from_tlp.is_some_and(|from| notice.tlp() >= from);
        if notice.notice_type() == NoticeType::Recall {
            let says = notice.recall_text().is_some();
            return Vec::from_iter((strict && says).then_some(Trigger::Tlp));
        }
        [
            (self.types.contains(&notice.notice_type()), Trigger::Type),
            (strict, Trigger::Tlp),
            (self.nominal && notice.handling().nominal, Trigger::Nominal),
        ]
        .into_iter()
        .filter_map(|(asks, why)| asks.then_some(why))
        .collect()
    }

    /// Whether this user may release.
    pub fn may_release(&self, uid: u32) -> bool {
        self.releasers.iter().any(|r| r.uid == uid)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    dual_control: Option<Spanned<Section>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    types: Option<Spanned<Vec<Spanned<String>>>>,
    from_tlp: Option<Spanned<String>>,
    #[serde(default)]
    nominal: bool,
    releasers: Option<Spanned<Vec<Spanned<Named>>>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a releaser is a user's name or number")]
enum Named {
    Uid(u32),
    Name(String),
}

/// Where it is wrong, what is, and what to write instead.
type Wrong = (Range<usize>, String, Option<String>);

impl Policy {
    pub(super) fn dual_control(self) -> Result<Option<DualControl>, Wrong> {
        let Some(section) = self.dual_control else {
            return Ok(None);
        };
        let names = section.get_ref().releasers.iter();
        let named = names
            .flat_map(Spanned::get_ref)
            .any(|r| matches!(r.get_ref(), Named::Name(name) if name.parse::<u32>().is_err()));
        let passwd = match named {
            true => fs::read_to_string(PASSWD).unwrap_or_default(),
            false => String::new(),
        };
        checked(section, &passwd)
    }
}

fn checked(section: Spanned<Section>, passwd: &str) -> Result<Option<DualControl>, Wrong> {
    let place = section.span();
    let Section {
        types,
        from_tlp,
        nominal,
        releasers,
    } = section.into_inner();
    let none = types.as_ref().filter(|list| list.get_ref().is_empty());
    let none = none.map(Spanned::span);
    let types = types.iter().flat_map(Spanned::get_ref);
    let types = types.map(notice_type).collect::<Result<_, _>>()?;
    let from_tlp = from_tlp.as_ref().map(label).transpose()?;
    let mut control = DualControl {
        types,
        from_tlp,
        nominal,
        releasers: Vec::new(),
    };
    let asks = !control.types.is_empty() || from_tlp.is_some() || nominal;
    if let Some(place) = none.filter(|_| !asks) {
        let what = "policy.dual_control.types is empty, and nothing else is named: no notice would wait for a second person";
        let fix = "name what must be released, types = [\"SEIZURE\"], from_tlp = \"RED\" or nominal = true; or take [policy.dual_control] out";
        return Err((place, what.to_owned(), Some(fix.to_owned())));
    }
    let listed = releasers.filter(|list| !list.get_ref().is_empty());
    let listed = match (asks, listed) {
        (false, None) => return Ok(None),
        (false, Some(list)) => {
            let what = "policy.dual_control.releasers is of no use where nothing must be released";
            let fix =
                "say what must be: types = [\"SEIZURE\"], from_tlp = \"RED\" or nominal = true";
            return Err((list.span(), what.to_owned(), Some(fix.to_owned())));
        }
        (true, None) => {
            let what = "policy.dual_control needs releasers: nobody could release what it holds";
            let fix = "name at least two, so that each can release what the other submits: releasers = [\"user\", 1002]";
            return Err((place, what.to_owned(), Some(fix.to_owned())));
        }
        (true, Some(list)) => list,
    };
    for named in listed.get_ref() {
        let releaser = releaser(named, passwd)?;
        if control.may_release(releaser.uid) {
            let uid = releaser.uid;
            let what = format!("policy.dual_control.releasers has the user {uid} twice");
            let fix = "name each user once, by name or number; at least two, so that each can release what the other submits";
            return Err((named.span(), what, Some(fix.to_owned())));
        }
        control.releasers.push(releaser);
    }
    Ok(Some(control))
}

fn notice_type(named: &Spanned<String>) -> Result<NoticeType, Wrong> {
    let held = || NoticeType::ALL.iter().filter(|t| **t != NoticeType::Recall);
    match NoticeType::parse(named.get_ref()) {
        Some(NoticeType::Recall) => Err((
            named.span(),
            "a RECALL is never held: it takes back".to_owned(),
            None,
        )),
        Some(ty) => Ok(ty),
        None => {
            let names: Vec<&str> = held().map(|t| t.name()).collect();
            let what = format!("`{:.40}` is no type of notice", named.get_ref());
            let fix = format!("the types that can wait are {}", names.join(" and "));
            Err((named.span(), what, Some(fix)))
        }
    }
}

fn label(named: &Spanned<String>) -> Result<Tlp, Wrong> {
    Tlp::parse(named.get_ref()).ok_or_else(|| {
        let what = format!("`{:.40}` is no label", named.get_ref());
        let labels = Tlp::ALL.map(Tlp::name).join(", ");
        (named.span(), what, Some(format!("the labels are {labels}")))
    })
}

fn releaser(named: &Spanned<Named>, passwd: &str) -> Result<Releaser, Wrong> {
    let name = match named.get_ref() {
        Named::Uid(uid) => {
            return Ok(Releaser {
                uid: *uid,
                name: None,
            });
        }
        Named::Name(name) => name,
    };
    if let Ok(uid) = name.parse() {
        return Ok(Releaser { uid, name: None });
    }
    let uid = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        fields.nth(1).filter(|_| found)?.parse().ok()
    });
    let uid = uid.ok_or_else(|| {
        let what = format!("there is no user `{name:.40}` in {PASSWD}");
        let fix =
            "for a user that a directory service keeps write the number: `id -u NAME` says it";
        (named.span(), what, Some(fix.to_owned()))
    })?;
    Ok(Releaser {
        uid,
        name: Some(name.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0::/:/bin/sh\nann:x:1001:1001::/:/bin/sh\nbad:x::\n";

    fn read(text: &str) -> Result<Option<DualControl>, Wrong> {
        #[derive(Deserialize)]
        struct File {
            dual_control: Spanned<Section>,
        }
        let file: File = toml::from_str(&format!("[dual_control]\n{text}")).unwrap();
        checked(file.dual_control, PASSWD)
    }

    fn wrong(text: &str) -> (String, String) {
        let (span, what, fix) = read(text).unwrap_err();
        assert!(!span.is_empty());
        (what, fix.unwrap_or_default())
    }

    #[test]
    fn users_are_known_by_name_or_number() {
        let read = read("nominal = true\nreleasers = [\"ann\", 1002, \"1003\"]").unwrap();
        let control = read.unwrap();
        let uids: Vec<u32> = control.releasers.iter().map(|r| r.uid).collect();
        assert_eq!(uids, [1001, 1002, 1003]);
        assert_eq!(control.releasers[0].name.as_deref(), Some("ann"));
        assert!(control.may_release(1003) && !control.may_release(0));
    }

    #[test]
    fn an_empty_list_of_types_alone_and_a_user_named_twice_are_refused_where_they_stand() {
        for alone in ["types = []", "types = []\nreleasers = [1]"] {
            let text = format!("[dual_control]\n{alone}");
            let (span, what, _) = read(alone).unwrap_err();
            assert_eq!(&text[span], "[]");
            assert!(what.contains("types is empty"), "{what}");
        }
        let beside = read("types = []\nnominal = true\nreleasers = [1]");
        assert!(beside.unwrap().unwrap().types.is_empty());
        for (list, second) in [
            ("[1001, 1002, 1001]", "1001"),
            ("[1001, \"ann\"]", "\"ann\""),
            ("[\"ann\", \"1001\"]", "\"1001\""),
        ] {
            let text = format!("nominal = true\nreleasers = {list}");
            let (span, what, fix) = read(&text).unwrap_err();
            let text = format!("[dual_control]\n{text}");
            assert_eq!(Some(span.start), text.rfind(second), "{list}");
            assert!(what.contains("the user 1001 twice"), "{what}");
            assert!(fix.unwrap().contains("once"));
        }
    }

    #[test]
    fn what_cannot_work_is_refused_and_says_what_can() {
        let (what, fix) = wrong("types = [\"SEIZURES\"]\nreleasers = [1]");
        assert!(what.contains("`SEIZURES` is no type"), "{what}");
        assert!(fix.contains("SEIZURE and FEEDBACK"), "{fix}");
        assert!(
            wrong("types = [\"RECALL\"]\nreleasers = [1]")
                .0
                .contains("never held")
        );
        let (_, fix) = wrong("from_tlp = \"PINK\"\nreleasers = [1]");
        assert!(fix.contains("AMBER+STRICT, RED"), "{fix}");
        assert!(wrong("nominal = true").0.contains("needs releasers"));
        assert!(
            wrong("nominal = true\nreleasers = []")
                .0
                .contains("needs releasers")
        );
        assert!(wrong("releasers = [1]").0.contains("of no use"));
        let (what, fix) = wrong("nominal = true\nreleasers = [\"bob\"]");
        assert!(
            what.contains("no user `bob`") && fix.contains("id -u"),
            "{what} {fix}"
        );
        assert!(read("").unwrap().is_none());
    }
}
