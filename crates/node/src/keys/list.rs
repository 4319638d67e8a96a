//! `abeng keys list`: which keys there are, what each is for, until when, and where it rests.

use super::KeysError;
use crate::{
    clock,
    config::{Config, KeysConfig},
    identity::load_trust,
    layout::Layout,
};
use abeng_keys::{BackupKey, Keyring, Role, Signer};
use abeng_roster::Trust;
use abeng_wire::{Kid, Millis, prost::Message, v1};
use serde::Serialize;

/// One key. Never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyItem {
    /// Its role, as the protocol names it.
    pub role: &'static str,
    /// What it is for.
    pub serves: &'static str,
    /// Its identifier, hex; none where it has none.
    pub kid: Option<String>,
    /// From when, RFC 3339; none where nothing says so.
    pub from: Option<String>,
    /// Until when.
    pub until: Option<String>,
    /// Where its secret rests.
    pub rests: String,
    /// What is to be known of it beside that.
    pub note: Option<String>,
}

/// All keys of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyList {
    /// Whose.
    pub party: String,
    /// The keys, signing keys first.
    pub keys: Vec<KeyItem>,
    /// Whether the keyring itself was looked into.
    pub unlocked: bool,
}

/// Lists what trust data, and the keyring where it could be unlocked, say.
pub fn list(config: &Config, keyring: Option<&Keyring>) -> Result<KeyList, KeysError> {
    let layout = Layout::new(&config.data);
    let now = clock::wall();
    let trust = load_trust(config, &layout, now)?;
    let rests = match config.keys {
        KeysConfig::InsecurePlain => "keys/keyring.plain.toml, in the clear",
        KeysConfig::PassphraseFile(_) | KeysConfig::PassphraseCredential(_) => {
            "keys/keyring.age, under the passphrase"
        }
    };
    let mut keys = signing(config, &trust, keyring, rests, now);
    keys.extend(seal(config, &trust, keyring, rests, now));
    keys.push(KeyItem {
        role: Role::Store.name(),
        serves: "wraps the node's own copies",
        kid: None,
        from: None,
        until: None,
        rests: rests.to_owned(),
        note: None,
    });
    keys.extend(BackupKey::load(&layout.keys())?.map(|key| KeyItem {
        role: Role::Backup.name(),
        serves: "opens keys/keyring.sealed",
        kid: Some(key.kid().to_string()),
        from: Some(clock::rfc3339(key.at)),
        until: None,
        rests: format!(
            "on paper: set {}, any {} of {} sheets",
            key.set(),
            key.threshold,
            key.shares
        ),
        note: None,
    }));
    Ok(KeyList {
        party: config.party.to_string(),
        keys,
        unlocked: keyring.is_some(),
    })
}

/// The keys that the roster has for this party, and those of the keyring that it does not have.
fn signing(
    config: &Config,
    trust: &Trust,
    keyring: Option<&Keyring>,
    rests: &str,
    now: Millis,
) -> Vec<KeyItem> {
    let roles = [
        (
            Role::OrgSign,
            "signs envelopes, voids, seal keys and incarnations",
        ),
        (Role::NodeTls, "is the node on links"),
        (Role::Log, "signs checkpoints of the log"),
        (Role::Witness, "co-signs the logs of others"),
    ];
    let mut items = Vec::new();
    for (role, serves) in roles {
        // A key in a token is not looked for in the keyring.
        let token = config.token.as_ref().filter(|_| role == Role::OrgSign);
        let rests = match token {
            Some(token) => format!("in the token `{}`", token.token),
            None => rests.to_owned(),
        };
        let own = keyring.filter(|_| token.is_none()).map(|keys| match role {
            Role::OrgSign => keys.org_sign().verify_key().kid(),
            Role::NodeTls => keys.node_tls().verify_key().kid(),
            Role::Log => keys.log().verify_key().kid(),
            _ => keys.witness().verify_key().kid(),
        });
        let party = trust.roster.party(config.party);
        let listed = party.into_iter().flat_map(|p| p.keys(role));
        let mut found = false;
        for key in listed {
            let kid = key.key.kid();
            found |= own == Some(kid);
            let here = own.is_none_or(|own| own == kid);
            let note = match (here, key.is_active(now)) {
                (true, true) => None,
                (true, false) => Some("not active now"),
                (false, _) => Some("not in the keyring"),
            };
            items.push(KeyItem {
                role: role.name(),
                serves,
                kid: Some(kid.to_string()),
                from: Some(clock::rfc3339(key.not_before)),
                until: Some(clock::rfc3339(key.not_after)),
                rests: if here {
                    rests.clone()
                } else {
                    "elsewhere".to_owned()
                },
                note: note.map(str::to_owned),
            });
        }
        if let Some(kid) = own.filter(|_| !found) {
            items.push(KeyItem {
                role: role.name(),
                serves,
                kid: Some(kid.to_string()),
                from: None,
                until: None,
                rests: rests.clone(),
                note: Some("not in the roster".to_owned()),
            });
        }
    }
    items
}

/// Seal keys by what their statements say; those that only the keyring knows stand last.
fn seal(
    config: &Config,
    trust: &Trust,
    keyring: Option<&Keyring>,
    rests: &str,
    now: Millis,
) -> Vec<KeyItem> {
    let current = trust.seal_key(config.party, now).map(|key| key.kid());
    let statements = trust.seal_keys.statements().into_iter();
    let statements = statements.filter_map(|s| v1::SealKey::decode(s.bytes.clone()).ok());
    let own = statements.filter(|s| s.party == config.party.as_str());
    let item = |kid: Kid, said: Option<&v1::SealKey>, note: Option<&str>, here: bool| KeyItem {
        role: Role::OrgSeal.name(),
        serves: "opens envelopes",
        kid: Some(kid.to_string()),
        from: said.map(|s| clock::rfc3339(s.not_before)),
        until: said.map(|s| clock::rfc3339(s.not_after)),
        rests: if here {
            rests.to_owned()
        } else {
            "nowhere here".to_owned()
        },
        note: note.map(str::to_owned),
    };
    let mut said = Vec::new();
    let mut items = Vec::new();
    for statement in own {
        let Some(kid) = Kid::from_slice(&statement.kid) else {
            continue;
        };
        let here = keyring.is_none_or(|keys| keys.seal_secret(&kid).is_some());
        let note = match (here, current == Some(kid)) {
            (false, _) => Some("what is sealed to it cannot be opened"),
            (true, true) => Some("others seal to it now"),
            (true, false) => None,
        };
        items.push(item(kid, Some(&statement), note, here));
        said.push(kid);
    }
    let held = keyring.map(|keys| keys.seal.all()).unwrap_or_default();
    let held = held.iter();
    for kid in held.map(|s| s.kid()).filter(|kid| !said.contains(kid)) {
        let note = "not published, or kept for what is sealed to it";
        items.push(item(kid, None, Some(note), true));
    }
    items
}
