//! `abeng keys split`: shares of a new backup key, and the keyring sealed to it.

use super::{KeysError, Sheet, file, unlock};
use crate::{clock, config::Config, identity::load_trust, layout::Layout};
use abeng_keys::{
    BackupKey, BackupSecret, Combining, Keyring, Passphrase, RecoveryError, SEALED, Share,
    SystemEntropy,
};
use std::fs;
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
}

/// Makes a backup key, seals the keyring to it, and gives its shares as sheets. Everything that was
/// made is read back from its written form before it is given out. Earlier shares stay good for what was
/// sealed to them alone.
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
    // The sealed keyring first: a record without it would be a promise only.
    key.save_sealed(&keyring, &keys)?;
    key.save(&keys)?;
    let paper = secret.paper(&keyring);
    let sealed = keys.join(SEALED);
    let sealed = fs::read(&sealed).map_err(file("read back", &sealed))?;
    let typed = typed(&shares, request.threshold)?;
    same(&keyring, &typed.open(&sealed)?)?;
    same_signers(
        &keyring,
        &typed.open_paper(paper.iter().map(|l| l.as_str()))?,
    )?;
    let name = trust.roster.party(config.party).map(|p| p.name.clone());
    let sheet = |share| Sheet {
        share,
        key: &key,
        network: trust.roster.network().to_string(),
        name: name.clone().unwrap_or_default(),
        paper: &paper,
    };
    let sheets = shares.iter().map(|share| sheet(share).text()).collect();
    Ok(SplitReport { key, sheets })
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
