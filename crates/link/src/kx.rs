//! X25519MLKEM768 for rustls, the only key exchange of a link.
//!
//! Source: draft-ietf-tls-ecdhe-mlkem (group 0x11EC): ML-KEM-768 first, X25519 second, in the
//! shares and in the secret; a peer's encapsulation key must pass the modulus check of FIPS 203
//! §7.2 and its X25519 share must not lead to zero.

use ml_kem::{
    DecapsulationKey, EncapsulationKey, MlKem768,
    kem::{Decapsulate, Encapsulate, Kem, KeyExport, TryKeyInit},
};
use rustls::{
    Error, NamedGroup, PeerMisbehaved, ProtocolVersion,
    crypto::{
        ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup,
        ring::kx_group::X25519,
    },
};
use zeroize::Zeroizing;

const ENCAPSULATION_KEY: usize = 1184;
const CIPHERTEXT: usize = 1088;
const X25519_SHARE: usize = 32;

/// The hybrid group.
#[derive(Debug)]
pub(crate) struct X25519MlKem768;

impl SupportedKxGroup for X25519MlKem768 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let classical = X25519.start()?;
        let (secret, public) = MlKem768::generate_keypair();
        let mut share = Vec::with_capacity(ENCAPSULATION_KEY + X25519_SHARE);
        share.extend_from_slice(&public.to_bytes());
        share.extend_from_slice(classical.pub_key());
        Ok(Box::new(Started {
            classical,
            secret,
            share,
        }))
    }

    fn start_and_complete(&self, peer_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let (peer_key, peer_point) = split(peer_share, ENCAPSULATION_KEY)?;
        let peer_key =
            EncapsulationKey::<MlKem768>::new_from_slice(peer_key).map_err(|_| bad_share())?;
        let classical = X25519.start_and_complete(peer_point)?;
        let (ciphertext, quantum) = peer_key.encapsulate();
        let quantum = Zeroizing::new(quantum);
        let mut share = Vec::with_capacity(CIPHERTEXT + X25519_SHARE);
        share.extend_from_slice(&ciphertext);
        share.extend_from_slice(&classical.pub_key);
        Ok(CompletedKeyExchange {
            group: self.name(),
            pub_key: share,
            secret: joined(&quantum, &classical.secret),
        })
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// The client's half of an exchange.
struct Started {
    classical: Box<dyn ActiveKeyExchange>,
    secret: DecapsulationKey<MlKem768>,
    share: Vec<u8>,
}

impl ActiveKeyExchange for Started {
    fn complete(self: Box<Self>, peer_share: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, peer_point) = split(peer_share, CIPHERTEXT)?;
        let classical = self.classical.complete(peer_point)?;
        let quantum = self
            .secret
            .decapsulate_slice(ciphertext)
            .map_err(|_| bad_share())?;
        Ok(joined(&Zeroizing::new(quantum), &classical))
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

fn split(share: &[u8], quantum: usize) -> Result<(&[u8], &[u8]), Error> {
    if share.len() != quantum + X25519_SHARE {
        return Err(bad_share());
    }
    Ok(share.split_at(quantum))
}

/// rustls wipes a `SharedSecret`; the vector is of its final size, so no copy stays behind.
fn joined(quantum: &[u8], classical: &SharedSecret) -> SharedSecret {
    let classical = classical.secret_bytes();
    let mut secret = Vec::with_capacity(quantum.len() + classical.len());
    secret.extend_from_slice(quantum);
    secret.extend_from_slice(classical);
    SharedSecret::from(secret)
}

fn bad_share() -> Error {
    PeerMisbehaved::InvalidKeyShare.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree() {
        let client = X25519MlKem768.start().unwrap();
        let server = X25519MlKem768.start_and_complete(client.pub_key()).unwrap();
        assert_eq!(client.pub_key().len(), 1216);
        assert_eq!(server.pub_key.len(), 1120);
        let secret = client.complete(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes().len(), 64);
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
    }

    #[test]
    fn bad_client_shares_are_refused() {
        let good = X25519MlKem768.start().unwrap().pub_key().to_vec();
        let mut not_reduced = good.clone();
        not_reduced[..3].fill(0xff);
        let mut low_order = good.clone();
        low_order[ENCAPSULATION_KEY..].fill(0);
        let short = good[..1215].to_vec();
        let long = [&good[..], &[0]].concat();
        for bad in [not_reduced, low_order, short, long, Vec::new()] {
            assert!(X25519MlKem768.start_and_complete(&bad).is_err());
        }
    }

    #[test]
    fn bad_server_shares_are_refused() {
        for change in ["low order", "short", "classical only"] {
            let client = X25519MlKem768.start().unwrap();
            let mut share = X25519MlKem768
                .start_and_complete(client.pub_key())
                .unwrap()
                .pub_key;
            match change {
                "low order" => share[CIPHERTEXT..].fill(0),
                "short" => share.truncate(1119),
                _ => share = share.split_off(CIPHERTEXT),
            }
            assert!(client.complete(&share).is_err(), "{change}");
        }
    }
}
