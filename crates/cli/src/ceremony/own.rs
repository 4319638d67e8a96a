//! A party's keys in use, with whatever signs for it: the key in its file, or the one in a token that the
//! node's configuration names.

use super::{Held, now, secrets};
use crate::{CliError, Exit, Ui};
use abeng_keys::{Keyring, Role};
use abeng_node::{Config, with_token};
use abeng_roster::Party;
use std::path::{Path, PathBuf};

/// The configuration of a node, in the directory that its keyring's directory lies in.
const BESIDE: &str = "node.toml";

/// A party's keys in use.
pub(super) struct Own {
    pub(super) keyring: Keyring,
    /// The label of the token that signs for the party, where one does.
    pub(super) token: Option<String>,
}

/// Where they are.
pub(super) struct Place<'a> {
    pub(super) keys: &'a Path,
    pub(super) passphrase_file: Option<&'a Path>,
    /// As it was named; else the one beside the keys, if there is one.
    pub(super) config: Option<&'a Path>,
}

impl Own {
    /// Opens them. Refused where what signs for the party is none of the keys that the roster held lists for
    /// that: nobody would take what it signs.
    pub(super) fn load<'a>(
        place: &Place<'_>,
        held: &'a Held,
        ui: &Ui,
    ) -> Result<(Self, &'a Party), CliError> {
        let keyring = secrets::load_keyring(place.keys, place.passphrase_file, ui)?;
        let config = place
            .config
            .map(Path::to_owned)
            .or_else(|| beside(place.keys));
        let config = config.map(|path| Config::load(&path)).transpose();
        let config = config.map_err(|e| CliError::new(Exit::Usage, e.to_string()))?;
        let own = match &config {
            None => Self {
                keyring,
                token: None,
            },
            Some(config) => Self {
                keyring: with_token(config, keyring)
                    .map_err(|e| CliError::new(Exit::Refused, e.to_string()).with_try(e.hint()))?,
                token: config.token.as_ref().map(|token| token.token.clone()),
            },
        };
        let code = own.keyring.party;
        let party = held.trust.roster.party(code).ok_or_else(|| {
            let why = format!("the roster held knows no party {code}");
            CliError::new(Exit::NotFound, why)
        })?;
        own.check_listed(party)?;
        Ok((own, party))
    }

    fn check_listed(&self, party: &Party) -> Result<(), CliError> {
        let kid = self.keyring.signer().verify_key().kid();
        if party
            .key(Role::OrgSign, &kid)
            .is_some_and(|key| key.is_active(now()))
        {
            return Ok(());
        }
        let what = match &self.token {
            Some(token) => format!("the key in the token `{token}`"),
            None => "the org-sign key of this keyring".to_owned(),
        };
        let why = format!(
            "{what} ({kid:.12}) is not one that the roster held lists for {} and that is good now: nobody would take what it signs",
            party.code
        );
        Err(CliError::new(Exit::Refused, why).with_try(match &self.token {
            Some(_) => "check [keys.token] in the node's configuration, and that --trust is the bundle in force",
            None => "name the keyring in use; where the signing key is in a token, add --config FILE with the node's configuration",
        }))
    }
}

fn beside(keys: &Path) -> Option<PathBuf> {
    let path = keys.parent()?.join(BESIDE);
    path.exists().then_some(path)
}
