//! TLS as links use it: version 1.3, X25519MLKEM768, raw Ed25519 public keys on both sides
//! (RFC 7250), no server name, no tickets, no early data.
//!
//! The acceptor lets any Ed25519 key finish the handshake, because the key of `abeng-roster/1`
//! may be unknown and TLS checks keys before it settles the ALPN; who holds the key is looked up
//! in the roster before a single byte of `abeng/1` is read.

use crate::{LinkError, kx::X25519MlKem768};
use abeng_keys::{SoftSigner, VerifyKey};
use abeng_roster::Trust;
use abeng_wire::{Millis, PartyCode};
use arc_swap::ArcSwap;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls13_signature_with_raw_key},
    pki_types::{
        CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
    },
    server::{
        AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};
use std::{fmt, sync::Arc};

/// ALPN of links.
pub(crate) const LINK: &[u8] = b"abeng/1";
/// ALPN of the exchange of trust data.
pub(crate) const TRUST: &[u8] = b"abeng-roster/1";
/// Label of the exporter that binds a hello to its connection.
pub(crate) const EXPORTER: &[u8] = b"EXPORTER-abeng-1";
/// quinn wants a name to dial; it is never sent and never checked.
pub(crate) const SERVER_NAME: &str = "abeng";

/// SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The one set of algorithms.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![&X25519MlKem768],
        ..rustls::crypto::ring::default_provider()
    }
}

/// Our own key and the one set of algorithms.
pub(crate) struct Identity {
    key: Arc<CertifiedKey>,
    provider: Arc<CryptoProvider>,
}

impl Identity {
    pub(crate) fn new(signer: &SoftSigner) -> Result<Self, LinkError> {
        let pkcs8 = signer.pkcs8();
        let key = rustls::crypto::ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(&pkcs8[..]))
            .map_err(tls)?;
        let public = key.public_key().ok_or_else(|| LinkError::Tls {
            reason: "the key does not give its public half".into(),
        })?;
        let public = CertificateDer::from(public.to_vec());
        Ok(Self {
            key: Arc::new(CertifiedKey::new(vec![public], key)),
            provider: Arc::new(provider()),
        })
    }

    /// For both ALPNs.
    pub(crate) fn acceptor(&self) -> Result<QuicServerConfig, LinkError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(tls)?
            .with_client_cert_verifier(Arc::new(self.verifier(Accepts::AnyKey)))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(
                Arc::clone(&self.key),
            )));
        config.alpn_protocols = vec![LINK.to_vec(), TRUST.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        QuicServerConfig::try_from(config).map_err(tls)
    }

    /// For dialling `party`: nothing but its node-tls keys, valid at `now`, will do.
    pub(crate) fn dialler(
        &self,
        party: PartyCode,
        trust: Arc<ArcSwap<Trust>>,
        now: Millis,
    ) -> Result<QuicClientConfig, LinkError> {
        self.client(LINK, Accepts::Party { party, trust, now })
    }

    /// For fetching trust data, which proves itself, from whoever answers.
    pub(crate) fn trust_dialler(&self) -> Result<QuicClientConfig, LinkError> {
        self.client(TRUST, Accepts::AnyKey)
    }

    fn client(&self, alpn: &[u8], accepts: Accepts) -> Result<QuicClientConfig, LinkError> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(tls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.verifier(accepts)))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(
                Arc::clone(&self.key),
            )));
        config.alpn_protocols = vec![alpn.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        config.enable_early_data = false;
        QuicClientConfig::try_from(config).map_err(tls)
    }

    #[cfg(test)]
    pub(crate) fn key_for_tests(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    fn verifier(&self, accepts: Accepts) -> RawKeys {
        RawKeys {
            accepts,
            provider: Arc::clone(&self.provider),
        }
    }
}

fn tls(error: impl fmt::Display) -> LinkError {
    LinkError::Tls {
        reason: error.to_string(),
    }
}

/// The key that the peer proved to hold in TLS.
pub(crate) fn peer_key(connection: &quinn::Connection) -> Option<VerifyKey> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    raw_key(chain.first()?).ok()
}

/// The ALPN both sides settled on.
pub(crate) fn alpn(connection: &quinn::Connection) -> Option<Vec<u8>> {
    connection
        .handshake_data()?
        .downcast::<quinn::crypto::rustls::HandshakeData>()
        .ok()?
        .protocol
}

fn raw_key(spki: &[u8]) -> Result<VerifyKey, Error> {
    let key = spki.strip_prefix(&SPKI_PREFIX).ok_or_else(refused)?;
    VerifyKey::admit(key).map_err(|_| refused())
}

fn refused() -> Error {
    Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
}

/// Whose keys a verifier lets through.
enum Accepts {
    AnyKey,
    Party {
        party: PartyCode,
        trust: Arc<ArcSwap<Trust>>,
        now: Millis,
    },
}

/// Verifies raw public keys of the peer, in either role.
struct RawKeys {
    accepts: Accepts,
    provider: Arc<CryptoProvider>,
}

impl RawKeys {
    fn check_key(&self, spki: &[u8]) -> Result<(), Error> {
        let key = raw_key(spki)?;
        match &self.accepts {
            Accepts::AnyKey => Ok(()),
            Accepts::Party { party, trust, now } => trust
                .load()
                .roster
                .party_by_tls_key(key.bytes(), *now)
                .filter(|(holder, _)| holder.code == *party)
                .map(|_| ())
                .ok_or_else(refused),
        }
    }

    fn check_signature(
        &self,
        message: &[u8],
        spki: &[u8],
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signature.scheme != SignatureScheme::ED25519 {
            return Err(refused());
        }
        verify_tls13_signature_with_raw_key(
            message,
            &SubjectPublicKeyInfoDer::from(spki),
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }
}

impl fmt::Debug for RawKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.accepts {
            Accepts::AnyKey => f.write_str("RawKeys(any)"),
            Accepts::Party { party, .. } => write!(f, "RawKeys({party})"),
        }
    }
}

macro_rules! signatures_of_raw_keys {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(refused())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            key: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.check_signature(message, key, signature)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

impl ServerCertVerifier for RawKeys {
    fn verify_server_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check_key(key)
            .map(|()| ServerCertVerified::assertion())
    }

    signatures_of_raw_keys!();
}

impl ClientCertVerifier for RawKeys {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check_key(key)
            .map(|()| ClientCertVerified::assertion())
    }

    signatures_of_raw_keys!();
}
