//! The signing key in a token, where `[keys.token]` names one.

use crate::{config::TokenConfig, node_error::NodeError};
use abeng_keys::Signer;
use std::sync::Arc;

/// Opens it. One try: tokens lock themselves after a few wrong PINs.
#[cfg(feature = "pkcs11")]
pub(crate) fn signer(token: &TokenConfig) -> Result<Arc<dyn Signer>, NodeError> {
    use crate::{
        config::PinConfig,
        identity::{Kept, credential, first_line},
    };
    let pin = match &token.pin {
        PinConfig::File(path) => first_line(path, Kept::File),
        PinConfig::Credential(name) => credential(name),
    };
    let at = abeng_keys::TokenKey {
        module: token.module.clone(),
        token: token.token.clone(),
        key: token.key.clone(),
    };
    let opened = abeng_keys::TokenSigner::open(at, pin.map_err(NodeError::SigningKey)?);
    let signer = opened.map_err(|e| NodeError::SigningKey(e.to_string()))?;
    tracing::info!(key = ?signer, "the signing key is in a token");
    Ok(Arc::new(signer))
}

/// Built without it.
#[cfg(not(feature = "pkcs11"))]
pub(crate) fn signer(_: &TokenConfig) -> Result<Arc<dyn Signer>, NodeError> {
    let why = "it is in a token, and this program was built without the feature `pkcs11`";
    Err(NodeError::SigningKey(why.to_owned()))
}
