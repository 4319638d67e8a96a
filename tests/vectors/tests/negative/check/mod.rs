//! Holds a vector against what it names, by the functions that a node calls. Knows the files alone.

mod envelope;
mod log;
mod trust;

use crate::file::{Given, Vector};
use abeng_keys::{DualVerifyKey, SignatureType, VerifyKey};
use abeng_wire::{prost::Message, v1};
use bytes::Bytes;

/// What a node makes of it: nothing to say, or the reason for which it refuses it.
pub fn outcome(subject: &str, vector: &Vector, given: &Given) -> Result<(), String> {
    let input = Bytes::from(vector.bytes(given));
    match subject {
        "root" => trust::root(&input, &vector.against, given),
        "roster" | "party" => trust::roster(&input, &vector.against, given),
        "freshness" => trust::freshness(&input, &vector.against, given),
        "header" => envelope::verify(&input, &vector.against, given),
        "stanza" | "body" => envelope::open(&input, &vector.against, given),
        "receipt" => log::receipt(&input, &vector.against, given),
        "checkpoint" => log::checkpoint(&input, &vector.against, given),
        other => panic!("no subject {other}"),
    }
}

/// Whether a node puts it in force; asked of roots and of rosters with their entries.
pub fn comes_into_force(subject: &str, vector: &Vector, given: &Given) -> bool {
    let input = Bytes::from(vector.bytes(given));
    trust::comes_into_force(subject, &input, &vector.against, given)
}

/// Whether every signature in it holds by the keys that are given, whatever else is wrong.
pub fn signatures(
    subject: &str,
    vector: &Vector,
    given: &Given,
    keys: &Keys,
) -> Result<(), String> {
    let input = Bytes::from(vector.bytes(given));
    match subject {
        "root" => keys.hold(SignatureType::ROOT, &read(&input)?),
        "roster" | "party" => trust::signatures(keys, &read(&input)?),
        "freshness" => keys.hold(SignatureType::FRESHNESS, &read(&input)?),
        "header" | "stanza" | "body" => envelope::signatures(keys, &input),
        "receipt" => log::receipt_signatures(keys, &input),
        "checkpoint" => log::note_signatures(keys, &input),
        other => panic!("no subject {other}"),
    }
}

pub fn read<M: Message + Default>(bytes: &Bytes) -> Result<M, String> {
    M::decode(bytes.clone()).map_err(|e| e.to_string())
}

/// The public keys that are given: `key-…` a root's signer, `ed-…` a party's key.
pub struct Keys {
    dual: Vec<DualVerifyKey>,
    single: Vec<VerifyKey>,
}

impl Keys {
    pub fn of(given: &Given) -> Self {
        let all = |prefix: &'static str| {
            let names = given.0.keys().filter(move |n| n.starts_with(prefix));
            names.map(|n| Bytes::from(given.bytes(n)))
        };
        let dual = all("key-").map(|b| DualVerifyKey::admit(&read(&b).unwrap()).unwrap());
        Self {
            dual: dual.collect(),
            single: all("ed-").map(|b| VerifyKey::admit(&b).unwrap()).collect(),
        }
    }

    /// Whether each signature is one by the key that it names.
    pub fn hold(&self, kind: SignatureType, signed: &v1::Signed) -> Result<(), String> {
        for signature in &signed.signatures {
            let holds = match signature.ml_dsa.is_empty() {
                false => self
                    .dual
                    .iter()
                    .any(|key| key.verify(kind, &signed.bytes, signature).is_ok()),
                true => self.singles().any(|key| {
                    key.kid().0 == signature.kid[..]
                        && key.verify(kind, &signed.bytes, &signature.ed25519).is_ok()
                }),
            };
            if !holds {
                return Err(format!("one of {}", kind.name()));
            }
        }
        Ok(())
    }

    /// Whether somebody signed this message.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.singles()
            .any(|key| key.verify_message(message, signature).is_ok())
    }

    fn singles(&self) -> impl Iterator<Item = &VerifyKey> {
        self.single
            .iter()
            .chain(self.dual.iter().map(DualVerifyKey::ed25519))
    }
}
