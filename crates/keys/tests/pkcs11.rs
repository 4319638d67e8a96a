//! A signing key in a token: SoftHSM, which must be installed (`softhsm2`).

#![cfg(feature = "pkcs11")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use abeng_keys::{Passphrase, SignatureType, Signer, TokenError, TokenKey, TokenSigner};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::Mechanism,
    object::Attribute,
    session::UserType,
    types::AuthPin,
};
use std::{fs, path::PathBuf, process::Command};

/// The curve's name as SoftHSM takes it: a PrintableString, `edwards25519`.
const EDWARDS25519: &[u8] = b"\x13\x0cedwards25519";
/// Set in the process that does the work.
const INNER: &str = "ABENG_TOKEN_TEST";
const PIN: &str = "4711-0815";

fn module() -> PathBuf {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
    ];
    let found = places.iter().map(PathBuf::from).find(|p| p.exists());
    found.expect("softhsm2 is not installed: apt-get install softhsm2")
}

fn token(key: &str) -> TokenKey {
    TokenKey {
        module: module(),
        token: "JM".to_owned(),
        key: key.to_owned(),
    }
}

fn open(key: TokenKey, pin: &str) -> Result<TokenSigner, TokenError> {
    TokenSigner::open(key, Passphrase::new(pin.to_owned()))
}

fn begin(library: &Pkcs11) {
    let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    library.initialize(arguments).unwrap();
}

/// Makes an Ed25519 key with that label.
fn make(library: &Pkcs11, label: &str) {
    let slot = library.get_slots_with_initialized_token().unwrap()[0];
    let session = library.open_rw_session(slot).unwrap();
    session
        .login(UserType::User, Some(&AuthPin::new(PIN.into())))
        .unwrap();
    let label = Attribute::Label(label.as_bytes().to_vec());
    let public = [
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::EcParams(EDWARDS25519.to_vec()),
        label.clone(),
    ];
    let private = [Attribute::Token(true), Attribute::Sign(true), label];
    let mechanism = Mechanism::EccEdwardsKeyPairGen;
    session
        .generate_key_pair(&mechanism, &public, &private)
        .unwrap();
}

/// One test: the library is one per process, and it reads its configuration once.
#[test]
fn a_key_in_a_token_signs_what_others_verify() {
    if std::env::var_os(INNER).is_none() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = dir.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let conf = dir.path().join("softhsm2.conf");
        fs::write(
            &conf,
            format!("directories.tokendir = {}\n", tokens.display()),
        )
        .unwrap();
        // The library reads it from the environment, which only a new process gets safely.
        let again = Command::new(std::env::current_exe().unwrap())
            .env("SOFTHSM2_CONF", &conf)
            .env(INNER, "1")
            .args([
                "--exact",
                "a_key_in_a_token_signs_what_others_verify",
                "--nocapture",
            ])
            .status();
        assert!(again.unwrap().success());
        return;
    }
    let initialised = Command::new("softhsm2-util")
        .args([
            "--init-token",
            "--free",
            "--label",
            "JM",
            "--so-pin",
            "12345678",
            "--pin",
            PIN,
        ])
        .output()
        .unwrap();
    assert!(initialised.status.success(), "{initialised:?}");
    let library = Pkcs11::new(module()).unwrap();
    begin(&library);
    make(&library, "org-sign");
    make(&library, "twice");
    make(&library, "twice");
    refused();
    signs(&library);
}

fn refused() {
    let none = TokenKey {
        token: "TT".to_owned(),
        ..token("org-sign")
    };
    assert!(matches!(
        open(none, PIN),
        Err(TokenError::Tokens { found: 0, .. })
    ));
    let missing = TokenKey {
        module: "/nonexistent.so".into(),
        ..token("org-sign")
    };
    assert!(matches!(open(missing, PIN), Err(TokenError::Module { .. })));
    match open(token("org-sign"), "wrong") {
        Err(e @ TokenError::Pin { .. }) => assert!(!e.to_string().contains("wrong"), "{e}"),
        other => panic!("{other:?}"),
    }
    for (key, count) in [("none", 0), ("twice", 2)] {
        match open(token(key), PIN) {
            Err(TokenError::Keys {
                half: "private",
                found,
                ..
            }) => assert_eq!(found, count),
            other => panic!("{other:?}"),
        }
    }
}

fn signs(library: &Pkcs11) {
    let signer = open(token("org-sign"), PIN).unwrap();
    let key = signer.verify_key().clone();
    let sign = || signer.sign(SignatureType::ENVELOPE, b"hdr");
    let verified = |signature: &[u8]| key.verify(SignatureType::ENVELOPE, b"hdr", signature);
    verified(&sign().unwrap()).unwrap();
    let shown = format!("{signer:?}");
    assert!(!shown.contains(PIN) && shown.contains("JM"), "{shown}");

    assert_eq!(signer.trouble(), None);
    // Gone and back again, as far as the signer's session knows: it opens it anew.
    library.clone().finalize().unwrap();
    begin(library);
    verified(&sign().unwrap()).unwrap();

    assert_eq!(signer.trouble(), None);
    // A library that was ended is begun anew.
    library.clone().finalize().unwrap();
    verified(&sign().unwrap()).unwrap();

    // Gone for good: it says so, and does not fall over.
    let conf = PathBuf::from(std::env::var_os("SOFTHSM2_CONF").unwrap());
    let (tokens, away) = (conf.with_file_name("tokens"), conf.with_file_name("away"));
    fs::rename(&tokens, &away).unwrap();
    fs::create_dir(&tokens).unwrap();
    // Within two seconds of a signature it is taken for granted.
    assert_eq!(signer.ready(), Ok(()));
    std::thread::sleep(std::time::Duration::from_millis(2100));
    signer.ready().unwrap_err();
    let error = sign().unwrap_err().to_string();
    assert!(error.contains("the token `JM` does not sign"), "{error}");
    assert!(!error.contains(PIN));
    assert_eq!(signer.trouble().unwrap().to_string(), error);
    fs::remove_dir(&tokens).unwrap();
    fs::rename(&away, &tokens).unwrap();
    // It is not looked for again with each call.
    assert_eq!(sign().unwrap_err().to_string(), error);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(signer.ready(), Ok(()));
    assert_eq!(signer.trouble(), None, "it is there again");
    verified(&sign().unwrap()).unwrap();
}
