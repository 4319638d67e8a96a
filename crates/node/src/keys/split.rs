//! `abeng keys split`: shares of a new backup key, and the keyring sealed to it.

use super::{KeysError, Sheet, file, unlock};
use crate::{clock, config::Config, identity::load_trust, layout::Layout};
use abeng_keys::{
    BackupKey, BackupSecret, Combining, Keyring, Passphrase, RecoveryError, Share, SystemEntropy,
    remove_secret,
};
use std::{fs, path::PathBuf};
use zeroize::Zeroizing;

/// How to split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitRequest {
    /// How many shares are needed.
    pub threshold: u8,
    /// Of how many.
    pub shares: u8,
}

/// What was made. The sheets are secret; they are wiped when dropped.
#[derive(Debug)]
pub struct SplitReport {
    /// What the data directory remembers of it.
    pub key: BackupKey,
    /// One sheet for each holder.
    pub sheets: Vec<Zeroizing<String>>,
    /// Where the keys are.
    keys: PathBuf,
    /// The keyring, sealed to this set.
    beside: PathBuf,
}

impl SplitReport {
    /// Puts this set in the place of the one before: to be called once the sheets are safe.
    pub fn commit(self) -> Result<BackupKey, KeysError> {
        self.key.put_in_force(&self.keys)?;
        Ok(self.key.clone())
    }
}

impl Drop for SplitReport {
    /// What was not put in place is of no use to anybody.
    fn drop(&mut self) {
        let _ = remove_secret(&self.beside);
    }
}

/// Makes a backup key, seals the keyring to it, and gives its shares as sheets. Everything that was
/// made is read back from its written form before it is given out. A set that there is stays in force
/// until [`SplitReport::commit`]; its shares stay good for what was sealed to them alone.
pub fn split(
    config: &Config,
    request: SplitRequest,
    ask: impl FnOnce() -> Result<Passphrase, String>,
) -> Result<SplitReport, KeysError> {
    let layout = Layout::new(&config.data);
    let at = clock::wall();
    let trust = load_trust(config, &layout, at)?;
    let secret = BackupSecret::generate(&mut SystemEntropy);
    let shares = secret.split(request.threshold, request.shares, &mut SystemEntropy)?;
    let (keyring, _) = unlock(config, ask)?;
    let key = BackupKey {
        party: config.party,
        threshold: request.threshold,
        shares: request.shares,
        at,
        public: secret.public().clone(),
    };
    let keys = layout.keys();
    let beside = key.seal_beside(&keyring, &keys)?;
    let mut report = SplitReport {
        key,
        sheets: Vec::new(),
        keys,
        beside,
    };
    let paper = secret.paper(&keyring);
    let sealed = fs::read(&report.beside).map_err(file("read back", &report.beside))?;
    let typed = typed(&shares, request.threshold)?;
    same(&keyring, &typed.open(&sealed)?)?;
    same_signers(
        &keyring,
        &typed.open_paper(paper.iter().map(|l| l.as_str()))?,
    )?;
    let name = trust.roster.party(config.party).map(|p| p.name.clone());
    let sheet = |share| Sheet {
        share,
        key: &report.key,
        network: trust.roster.network().to_string(),
        name: name.clone().unwrap_or_default(),
        paper: &paper,
    };
    report.sheets = shares.iter().map(|share| sheet(share).text()).collect();
    Ok(report)
}

/// The secret as it comes from the last shares once they are typed.
fn typed(shares: &[Share], threshold: u8) -> Result<BackupSecret, KeysError> {
    let mut combining = Combining::default();
    for share in shares.iter().rev().take(usize::from(threshold)) {
        let lines = share.lines();
        combining.add(Share::from_lines(lines.iter().map(|l| l.as_str()))?)?;
    }
    Ok(BackupSecret::combine(&combining)?)
}

fn same(a: &Keyring, b: &Keyring) -> Result<(), KeysError> {
    same_signers(a, b)?;
    let kids = |keys: &Keyring| keys.seal.all().iter().map(|s| s.kid()).collect::<Vec<_>>();
    equal(kids(a) == kids(b))
}

fn same_signers(a: &Keyring, b: &Keyring) -> Result<(), KeysError> {
    use abeng_keys::Signer;
    let kids = |keys: &Keyring| {
        [
            keys.org_sign().verify_key().kid(),
            keys.node_tls().verify_key().kid(),
            keys.log().verify_key().kid(),
            keys.witness().verify_key().kid(),
        ]
    };
    equal(a.party == b.party && kids(a) == kids(b))
}

fn equal(equal: bool) -> Result<(), KeysError> {
    match equal {
        true => Ok(()),
        false => Err(RecoveryError::Keyring("other keys".to_owned()).into()),
    }
}
