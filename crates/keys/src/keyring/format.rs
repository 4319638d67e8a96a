//! The keyring as text: TOML, 32-byte secrets in hex.

use super::Keyring;
use crate::{
    SealSecret, SoftSigner, StoreKey,
    secret_text::{Secret, hex, parse},
};
use abeng_wire::PartyCode;
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

const FORMAT: &str = "abeng-keyring-1";

/// The keyring as TOML.
pub(crate) fn write(keyring: &Keyring) -> Zeroizing<String> {
    // Reserved in one piece, so that growing leaves no copies behind.
    let seals = keyring.seal.all();
    let mut out = Zeroizing::new(String::with_capacity(1024 + 80 * seals.len()));
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line("# Secret keys of an Abeng node. Whoever reads this file can act as its administration.");
    line(&format!("format = \"{FORMAT}\""));
    line(&format!("party = \"{}\"", keyring.party));
    for (name, secret) in [
        ("org-sign", keyring.org_sign.seed()),
        ("node-tls", keyring.node_tls.seed()),
        ("log", keyring.log.seed()),
        ("witness", keyring.witness.seed()),
        ("store", keyring.store.expose()),
    ] {
        line(&Zeroizing::new(format!("{name} = \"{}\"", *hex(secret))));
    }
    line("# Newest last.");
    line("seal = [");
    for secret in &seals {
        line(&Zeroizing::new(format!("  \"{}\",", *hex(secret.seed()))));
    }
    line("]");
    out
}

/// Reads what [`write`] wrote. The error names a line or a field, never a secret.
pub(crate) fn read(content: &[u8]) -> Result<Keyring, String> {
    let file: File = parse(content)?;
    if file.format != FORMAT {
        return Err(format!("its format is not {FORMAT}"));
    }
    let signer = |secret: &Secret| {
        SoftSigner::from_seed(&secret.0)
            .map(Arc::new)
            .map_err(|e| e.to_string())
    };
    if file.seal.is_empty() {
        return Err("it holds no seal key".to_owned());
    }
    let seal = { file.seal.iter() }
        .map(|s| SealSecret::from_seed(&s.0).map(Arc::new))
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let signers = [
        signer(&file.org_sign)?,
        signer(&file.node_tls)?,
        signer(&file.log)?,
        signer(&file.witness)?,
    ];
    let party = PartyCode::new(&file.party).map_err(|e| e.to_string())?;
    let store = StoreKey::new(*file.store.0);
    Ok(Keyring::of_parts(party, signers, store, seal))
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    format: String,
    party: String,
    org_sign: Secret,
    node_tls: Secret,
    log: Secret,
    witness: Secret,
    store: Secret,
    seal: Vec<Secret>,
}
