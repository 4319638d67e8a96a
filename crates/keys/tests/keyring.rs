//! Keys at rest: both forms, and everything that may be wrong with them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_keys::{
    DualSigner, Keyring, KeyringError, Passphrase, Protection, Signer, SystemEntropy,
};
use abeng_wire::PartyCode;
use std::{
    convert::Infallible,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.into()).with_work_factor(4)
}

fn keyring() -> Keyring {
    Keyring::generate(PartyCode::new("JM").unwrap(), &mut SystemEntropy)
}

fn load(dir: &Path, text: &str) -> Result<Keyring, KeyringError> {
    Keyring::load(dir, || Ok::<_, Infallible>(passphrase(text)))
}

fn plain(dir: &Path) -> Result<Keyring, KeyringError> {
    Keyring::load(dir, || -> Result<_, Infallible> {
        panic!("a plain file asks for nothing")
    })
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
    let kids = |k: &Keyring| k.seal.all().iter().map(|s| s.kid()).collect::<Vec<_>>();
    assert_eq!(kids(a), kids(b));
    let wrapped = a.store.wrap(b"id", b"cek", &mut SystemEntropy);
    assert_eq!(b.store.unwrap(b"id", &wrapped).unwrap()[..], b"cek"[..]);
}

#[test]
fn both_forms_go_there_and_back() {
    let keys = keyring();
    keys.seal.add(keyring().seal.newest().unwrap());
    let encrypted = tempfile::tempdir().unwrap();
    let encrypted = encrypted.path().join("deep/keys");
    keys.save(&encrypted, &Protection::Passphrase(passphrase("sesame")))
        .unwrap();
    assert_same(&keys, &load(&encrypted, "sesame").unwrap());
    let content = fs::read(encrypted.join("keyring.age")).unwrap();
    assert!(content.starts_with(b"age-encryption.org/v1\n-> scrypt "));

    let dir = tempfile::tempdir().unwrap();
    // Left over from a crash, readable by all.
    fs::write(dir.path().join("keyring.plain.new"), "x").unwrap();
    keys.save(dir.path(), &Protection::InsecurePlain).unwrap();
    assert_same(&keys, &plain(dir.path()).unwrap());
    for file in [
        dir.path().join("keyring.plain.toml"),
        encrypted.join("keyring.age"),
    ] {
        assert_eq!(fs::metadata(file).unwrap().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let newest = keys.seal.newest().unwrap().kid();
    assert_eq!(keys.seal_secret(&newest).unwrap().kid(), newest);
    assert!(
        keys.seal_secret(&keyring().seal.newest().unwrap().kid())
            .is_none()
    );
}

#[test]
fn a_wrong_passphrase_is_told_from_damage() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keyring.age");
    keyring()
        .save(dir.path(), &Protection::Passphrase(passphrase("right")))
        .unwrap();
    assert!(matches!(
        load(dir.path(), "wrong"),
        Err(KeyringError::WrongPassphrase { .. })
    ));
    let refused = Keyring::load(dir.path(), || Err("no terminal"));
    assert!(matches!(refused, Err(KeyringError::NoPassphrase { .. })));

    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for bad in [&flipped[..], &good[..good.len() - 1], b"", b"not age"] {
        fs::write(&file, bad).unwrap();
        assert!(matches!(
            load(dir.path(), "right"),
            Err(KeyringError::Damaged { .. })
        ));
    }
}

#[test]
fn what_is_missing_or_there_twice_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = plain(dir.path()).unwrap_err();
    assert!(matches!(missing, KeyringError::Missing { .. }));
    for name in ["keyring.age", "keyring.plain.toml"] {
        assert!(missing.to_string().contains(name));
    }
    keyring()
        .save(dir.path(), &Protection::InsecurePlain)
        .unwrap();
    let second = keyring().save(dir.path(), &Protection::Passphrase(passphrase("x")));
    assert!(matches!(second, Err(KeyringError::Ambiguous { .. })));
    fs::write(dir.path().join("keyring.age"), "").unwrap();
    assert!(matches!(
        load(dir.path(), "x"),
        Err(KeyringError::Ambiguous { .. })
    ));
}

#[test]
fn a_plain_file_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keyring.plain.toml");
    keyring()
        .save(dir.path(), &Protection::InsecurePlain)
        .unwrap();
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        match plain(dir.path()) {
            Err(KeyringError::Permissions { mode: found, .. }) => assert_eq!(found, mode),
            other => panic!("{other:?}"),
        }
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(plain(dir.path()).is_ok());
}

#[test]
fn another_party_is_refused() {
    let other = PartyCode::new("TT").unwrap();
    assert!(keyring().expect_party(keyring().party).is_ok());
    assert!(matches!(
        keyring().expect_party(other),
        Err(KeyringError::OtherParty { expected, .. }) if expected == other
    ));
}

#[test]
fn damage_to_a_plain_file_is_named_without_its_secret() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keyring.plain.toml");
    keyring()
        .save(dir.path(), &Protection::InsecurePlain)
        .unwrap();
    let good = fs::read_to_string(&file).unwrap();
    let line = good.lines().find(|l| l.starts_with("org-sign")).unwrap();
    let secret = line.split('"').nth(1).unwrap();
    let seal = good.split("seal = [").nth(1).unwrap();
    for bad in [
        good.replace(secret, &secret[1..]),
        good.replace(secret, &format!("{}g", &secret[1..])),
        good.replace("org-sign", "org-sing"),
        good.replace("abeng-keyring-1", "abeng-keyring-9"),
        good.replace("\"JM\"", "\"jm\""),
        good.replace(seal, "]"),
        good.clone() + "more = 1\n",
        String::new(),
    ] {
        fs::write(&file, &bad).unwrap();
        match plain(dir.path()) {
            Err(e @ KeyringError::Damaged { .. }) => {
                assert!(!e.to_string().contains(&secret[2..20]), "{e}");
                assert!(!format!("{e:?}").contains(&secret[2..20]), "{e:?}");
            }
            other => panic!("{other:?} from {bad}"),
        }
    }
}

#[test]
fn a_signer_rests_like_a_keyring() {
    let dir = tempfile::tempdir().unwrap();
    let signer = DualSigner::generate(&mut SystemEntropy);
    let protection = Protection::Passphrase(passphrase("seven"));
    signer.save(dir.path(), "root-1", &protection).unwrap();
    let again = DualSigner::load(dir.path(), "root-1", || {
        Ok::<_, Infallible>(passphrase("seven"))
    });
    assert_eq!(again.unwrap().public(), signer.public());
    let wrong = DualSigner::load(dir.path(), "root-1", || {
        Ok::<_, Infallible>(passphrase("six"))
    });
    assert!(matches!(wrong, Err(KeyringError::WrongPassphrase { .. })));
}
