//! The keyring's way onto paper and back.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_keys::{
    BackupKey, BackupSecret, Combining, Keyring, KeyringError, Passphrase, Protection,
    RecoveryError, SEALED, Share, ShareError, Signer, SystemEntropy, paper_lines, read_line,
    seal_keyring, sealed_for,
};
use abeng_wire::PartyCode;
use std::{fs, path::Path};

fn keyring() -> Keyring {
    Keyring::generate(PartyCode::new("JM").unwrap(), &mut SystemEntropy)
}

/// Shares as typed from their sheets.
fn typed(shares: &[Share]) -> Vec<Share> {
    let typed = |share: &Share| {
        let lines = share.lines();
        Share::from_lines(lines.iter().map(|l| l.as_str())).unwrap()
    };
    shares.iter().map(typed).collect()
}

fn combine(shares: Vec<Share>) -> Result<BackupSecret, RecoveryError> {
    let mut combining = Combining::default();
    for share in shares {
        combining.add(share)?;
    }
    BackupSecret::combine(&combining)
}

fn kids(keyring: &Keyring) -> Vec<String> {
    keyring
        .seal
        .all()
        .iter()
        .map(|s| s.kid().to_string())
        .collect()
}

fn assert_same(a: &Keyring, b: &Keyring) {
    assert_eq!(a.party, b.party);
    for (x, y) in [
        (a.org_sign(), b.org_sign()),
        (a.node_tls(), b.node_tls()),
        (a.log(), b.log()),
        (a.witness(), b.witness()),
    ] {
        assert_eq!(x.verify_key(), y.verify_key());
    }
    assert_eq!(a.store.expose(), b.store.expose());
}

#[test]
fn a_sealed_keyring_comes_back_from_typed_shares() {
    let keys = keyring();
    let secret = BackupSecret::generate(&mut SystemEntropy);
    let sealed = seal_keyring(&keys, secret.public());
    assert_eq!(sealed_for(&sealed), Ok((keys.party, secret.public().kid())));
    let shares = secret.split(2, 3, &mut SystemEntropy).unwrap();
    drop(secret);
    let again = combine(typed(&shares[1..])).unwrap();
    let opened = again.open(&sealed).unwrap();
    assert_same(&keys, &opened);
    assert_eq!(kids(&keys), kids(&opened));
    assert_eq!(
        combine(typed(&shares[..1])).unwrap_err(),
        RecoveryError::Shares(ShareError::TooFew {
            needed: 2,
            found: 1
        })
    );
}

#[test]
fn a_share_of_a_look_alike_set_is_found_out_at_the_end() {
    let secret = BackupSecret::generate(&mut SystemEntropy);
    let other = BackupSecret::generate(&mut SystemEntropy);
    let mut shares = secret.split(2, 2, &mut SystemEntropy).unwrap();
    let mut stranger = other.split(2, 2, &mut SystemEntropy).unwrap().remove(1);
    stranger.set = shares[0].set;
    shares[1] = stranger;
    assert_eq!(
        combine(typed(&shares)).unwrap_err(),
        RecoveryError::OtherSecret
    );
}

#[test]
fn what_is_sealed_opens_for_its_set_alone_and_whole() {
    let secret = BackupSecret::generate(&mut SystemEntropy);
    let sealed = seal_keyring(&keyring(), secret.public());
    let other = BackupSecret::generate(&mut SystemEntropy);
    assert!(matches!(
        other.open(&sealed),
        Err(RecoveryError::OtherSet { .. })
    ));
    let head = sealed.iter().take_while(|b| **b != b'\n').count();
    for at in [0, head + 8, head + 20, 200, 1300, sealed.len() - 1] {
        let mut flipped = sealed.clone();
        flipped[at] ^= 1;
        assert!(secret.open(&flipped).is_err(), "byte {at}");
    }
    for length in [0, 10, 110, 1200, sealed.len() - 1] {
        assert!(secret.open(&sealed[..length]).is_err(), "{length} bytes");
    }
    assert!(matches!(
        secret.open(&vec![b'\n'; 1 << 20]),
        Err(RecoveryError::Format("it is too long"))
    ));
}

#[test]
fn the_sheets_alone_bring_the_signing_keys_back() {
    let keys = keyring();
    let secret = BackupSecret::generate(&mut SystemEntropy);
    for seals in 1..=6_usize {
        while keys.seal.count() < seals {
            keys.seal.add(keyring().seal.newest().unwrap());
        }
        let lines = secret.paper(&keys);
        let texts = || lines.iter().map(|l| l.as_str());
        assert!(lines.len() <= 36, "{} lines", lines.len());
        let first = read_line(1, &lines[0]).unwrap();
        assert_eq!(paper_lines(&first).map(usize::from), Some(lines.len()));
        let opened = secret.open_paper(texts()).unwrap();
        assert_same(&keys, &opened);
        assert_eq!(kids(&keys)[seals.saturating_sub(4)..], kids(&opened));

        let few = secret.open_paper(texts().take(lines.len() - 1));
        assert!(matches!(few, Err(RecoveryError::Format(_))));
        let other = BackupSecret::generate(&mut SystemEntropy);
        assert!(matches!(
            other.open_paper(texts()),
            Err(RecoveryError::OtherSet { .. })
        ));
    }
}

#[test]
fn a_keyring_that_was_split_is_sealed_anew_whenever_it_is_saved() {
    let dir = tempfile::tempdir().unwrap();
    let protection = Protection::Passphrase(Passphrase::new("x".into()).with_work_factor(4));
    let keys = keyring();
    keys.save(dir.path(), &protection).unwrap();
    let file = dir.path().join(SEALED);
    assert!(!file.exists(), "it was never split");

    let secret = BackupSecret::generate(&mut SystemEntropy);
    let key = BackupKey {
        party: keys.party,
        threshold: 3,
        shares: 5,
        at: 1_790_000_000_000,
        public: secret.public().clone(),
    };
    key.save(dir.path()).unwrap();
    assert_eq!(BackupKey::load(dir.path()).unwrap(), Some(key.clone()));
    keys.seal.add(keyring().seal.newest().unwrap());
    keys.save(dir.path(), &protection).unwrap();
    let opened = secret.open(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(kids(&keys), kids(&opened));

    let stranger = Keyring::generate(PartyCode::new("TT").unwrap(), &mut SystemEntropy);
    assert!(matches!(
        key.save_sealed(&stranger, dir.path()),
        Err(KeyringError::OtherParty { .. })
    ));
    damaged_record_stops_saving(dir.path(), &keys, &protection);
}

fn damaged_record_stops_saving(dir: &Path, keys: &Keyring, protection: &Protection) {
    fs::write(dir.join("backup-key.toml"), "format = 1").unwrap();
    assert!(matches!(
        keys.save(dir, protection),
        Err(KeyringError::Damaged { .. })
    ));
}

#[test]
fn debug_shows_nothing_of_a_backup_secret() {
    let secret = BackupSecret::generate(&mut SystemEntropy);
    let shown = format!("{secret:?}");
    assert!(shown.ends_with(", …)") && shown.len() < 40, "{shown}");
}
