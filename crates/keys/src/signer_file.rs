//! The secret of one dual signer at rest: what a holder keeps between ceremonies.

use crate::{
    DualSigner, KeyringError, Passphrase, Protection,
    rest::SecretFile,
    secret_text::{Secret, hex, parse},
};
use serde::Deserialize;
use std::{fmt::Display, path::Path};
use zeroize::Zeroizing;

const FORMAT: &str = "abeng-signer-1";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    format: String,
    ed25519: Secret,
    #[serde(rename = "ml-dsa-65")]
    ml_dsa: Secret,
}

impl DualSigner {
    /// Writes `NAME.age` or `NAME.plain.toml` (mode 0600) in `dir`, which is created where
    /// missing. Refuses where the other form is there.
    pub fn save(
        &self,
        dir: &Path,
        name: &str,
        protection: &Protection,
    ) -> Result<(), KeyringError> {
        let (ed25519, ml_dsa) = self.seeds();
        let text = Zeroizing::new(format!(
            "# Secret key of a signer of an Abeng network.\n\
             format = \"{FORMAT}\"\ned25519 = \"{}\"\nml-dsa-65 = \"{}\"\n",
            *hex(ed25519),
            *hex(ml_dsa),
        ));
        SecretFile::new(dir, name).save(&text, protection)
    }

    /// Reads what [`Self::save`] wrote, whichever form it has; `passphrase` is asked only for
    /// the encrypted one.
    pub fn load<E: Display>(
        dir: &Path,
        name: &str,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
    ) -> Result<Self, KeyringError> {
        let (file, content) = SecretFile::new(dir, name).load(passphrase)?;
        read(&content).map_err(|reason| KeyringError::Damaged { file, reason })
    }
}

fn read(content: &[u8]) -> Result<DualSigner, String> {
    let file: File = parse(content)?;
    if file.format != FORMAT {
        return Err(format!("its format is not {FORMAT}"));
    }
    DualSigner::from_seeds(&file.ed25519.0, &file.ml_dsa.0).map_err(|e| e.to_string())
}
