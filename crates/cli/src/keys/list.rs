//! `abeng keys list`.

use crate::{
    CliError, Exit, Paint, Ui,
    args::{Common, KeysListArgs},
    loss::configuration,
    status::dash,
    table::{Align, Table},
};
use abeng_node::keys::{KeyList, list, unlock};
use std::process::ExitCode;

pub(crate) fn run(args: &KeysListArgs, common: &Common, ui: &Ui) -> Result<ExitCode, CliError> {
    let (config, _) = configuration(args.node.config.as_deref(), common)?;
    let opened = unlock(&config, || super::passphrase(ui));
    let keyring = match opened {
        Ok((keyring, _)) => Some(keyring),
        Err(why) => {
            ui.remark(&format!(
                "The keyring was not looked into: {why}. This is what trust data says."
            ));
            None
        }
    };
    let keys = list(&config, keyring.as_ref()).map_err(super::failed)?;
    ui.show(&keys, || render(&keys, ui))?;
    Ok(Exit::Ok.into())
}

fn render(list: &KeyList, ui: &Ui) -> String {
    let mut table = Table::new([
        ("ROLE", Align::Left),
        ("KEY", Align::Left),
        ("FROM", Align::Left),
        ("UNTIL", Align::Left),
        ("NOTE", Align::Left),
    ]);
    let day = |at: &Option<String>| {
        at.as_deref()
            .map_or_else(dash, |at| at.chars().take(10).collect())
    };
    for key in &list.keys {
        let kid = key
            .kid
            .as_deref()
            .map_or_else(dash, |kid| kid.chars().take(12).collect());
        table.row([
            key.role.to_owned(),
            kid,
            day(&key.from),
            day(&key.until),
            key.note.clone().unwrap_or_default(),
        ]);
    }
    let mut out = table.render(ui.line_width(), |line| ui.paint(Paint::Strong, line));
    let mut told: Vec<(&str, &str)> = Vec::new();
    for key in &list.keys {
        if !told.iter().any(|(role, _)| *role == key.role) {
            told.push((key.role, key.serves));
        }
    }
    out.push('\n');
    for (role, serves) in told {
        let places = list.keys.iter().filter(|key| key.role == role);
        let mut places: Vec<&str> = places.map(|key| key.rests.as_str()).collect();
        places.dedup();
        out.push_str(&format!("{role} {serves}: {}\n", places.join("; ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{table::columns, ui::plain};
    use abeng_node::keys::KeyItem;
    use abeng_notice::Lang;

    #[test]
    fn a_list_says_what_each_key_is_for_and_where_it_rests() {
        let key = |role, kid: Option<&str>, note: Option<&str>| KeyItem {
            role,
            serves: "opens envelopes",
            kid: kid.map(str::to_owned),
            from: Some("2026-11-29T00:00:00Z".to_owned()),
            until: None,
            rests: "keys/keyring.age, under the passphrase".to_owned(),
            note: note.map(str::to_owned),
        };
        let list = KeyList {
            party: "JM".to_owned(),
            keys: vec![
                key("org-seal", Some("0123456789abcdef0123"), None),
                key("org-seal", None, Some("others seal to it now")),
            ],
            unlocked: true,
        };
        let text = render(&list, &plain(Lang::En));
        for fact in ["0123456789ab ", "2026-11-29", "others seal to it now"] {
            assert!(text.contains(fact), "{text}");
        }
        let rests = "org-seal opens envelopes: keys/keyring.age, under the passphrase\n";
        assert!(text.ends_with(rests), "{text}");
        assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
    }
}
