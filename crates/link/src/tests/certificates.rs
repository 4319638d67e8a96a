//! Peers whose TLS is another one: X.509 where raw keys are due, groups without ML-KEM.

use super::support::*;
use crate::{kx::X25519MlKem768, tls};
use rcgen::{KeyPair, PKCS_ED25519};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, SupportedKxGroup},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::{
        AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use std::sync::Arc;

type Group = &'static dyn SupportedKxGroup;

const HYBRID: Group = &X25519MlKem768;
const CLASSICAL: Group = rustls::crypto::ring::kx_group::X25519;

/// Believes anybody: only what the other side does is of interest.
#[derive(Debug)]
struct Gullible {
    raw: bool,
}

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }
}

/// The same for clients: their keys are asked for, as an acceptor of ours asks.
impl ClientCertVerifier for Gullible {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.raw
    }
}

fn provider(group: Group) -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.kx_groups = vec![group];
    Arc::new(provider)
}

/// A certificate over an Ed25519 key, as it would be in a web of names.
fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let names = vec![tls::SERVER_NAME.to_owned()];
    let cert = rcgen::CertificateParams::new(names).unwrap();
    let cert = cert.self_signed(&key).unwrap();
    (
        cert.der().clone(),
        PrivateKeyDer::Pkcs8(key.serialize_der().into()),
    )
}

/// What a client shows of itself.
enum Shows {
    RawKey,
    Certificate,
    Nothing,
}

/// TLS that is wrong in one thing each: what is asked of the acceptor, the group, what the client
/// shows, the ALPN.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_classical_only_or_x509_peer_is_refused() {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let jm = network.node("JM").await;
    let cases: [(&str, bool, Group, Shows, &[u8]); 6] = [
        ("X.509 asked", false, HYBRID, Shows::RawKey, tls::LINK),
        ("X.509 shown", true, HYBRID, Shows::Certificate, tls::LINK),
        ("classical only", true, CLASSICAL, Shows::RawKey, tls::LINK),
        ("no client key", true, HYBRID, Shows::Nothing, tls::LINK),
        ("no ALPN", true, HYBRID, Shows::RawKey, b""),
        ("other ALPN", true, HYBRID, Shows::RawKey, b"h3"),
    ];
    for (what, raw, group, shows, alpn) in cases {
        let builder = ClientConfig::builder_with_provider(provider(group))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Gullible { raw }));
        let mut config = match shows {
            Shows::RawKey => {
                let identity = tls::Identity::new(network.keyring("TT").node_tls()).unwrap();
                builder.with_client_cert_resolver(Arc::new(
                    rustls::client::AlwaysResolvesClientRawPublicKeys::new(
                        identity.key_for_tests(),
                    ),
                ))
            }
            Shows::Certificate => {
                let (cert, key) = certificate();
                builder.with_client_auth_cert(vec![cert], key).unwrap()
            }
            Shows::Nothing => builder.with_no_client_auth(),
        };
        if !alpn.is_empty() {
            config.alpn_protocols = vec![alpn.to_vec()];
        }
        let config = quinn::crypto::rustls::QuicClientConfig::try_from(config).unwrap();
        // A client may think itself connected before the acceptor has judged it.
        let ended = match Raw::dial(network.address("JM"), config).await {
            Err(ended) => ended,
            Ok(raw) => tokio::time::timeout(PATIENCE, raw.connection.closed())
                .await
                .unwrap_or_else(|_| panic!("{what} stays connected")),
        };
        by_tls(what, ended);
    }
    assert!(jm.endpoint.links().is_empty());
}

/// By TLS itself: a peer that was let in and says nothing is closed after a while too.
fn by_tls(what: &str, ended: quinn::ConnectionError) {
    let code = match ended {
        quinn::ConnectionError::TransportError(ended) => ended.code,
        quinn::ConnectionError::ConnectionClosed(ended) => ended.error_code,
        other => panic!("{what} was let in: {other}"),
    };
    assert!((0x100..0x200).contains(&u64::from(code)), "{what}: {code}");
}

/// The other way round: who is dialled shows a certificate, or has no ML-KEM. The key is TT's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_classical_only_or_x509_acceptor_is_not_dialled() {
    let network = Network::new(&["JM", "TT"], &["JM"]);
    let trust = Arc::new(arc_swap::ArcSwap::from_pointee(network.trust()));
    let now = trust.load().roster.issued();
    let jm = tls::Identity::new(network.keyring("JM").node_tls()).unwrap();
    let tt = tls::Identity::new(network.keyring("TT").node_tls()).unwrap();
    for (what, group, raw, fits) in [
        ("as it should be", HYBRID, true, true),
        ("X.509 shown", HYBRID, false, false),
        ("classical only", CLASSICAL, true, false),
    ] {
        let builder = ServerConfig::builder_with_provider(provider(group))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(Arc::new(Gullible { raw: true }));
        let mut config = match raw {
            true => builder.with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(
                tt.key_for_tests(),
            ))),
            false => {
                let (cert, key) = certificate();
                builder.with_single_cert(vec![cert], key).unwrap()
            }
        };
        config.alpn_protocols = vec![tls::LINK.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        let config = quinn::crypto::rustls::QuicServerConfig::try_from(config).unwrap();
        let config = quinn::ServerConfig::with_crypto(Arc::new(config));
        let at = "127.0.0.1:0".parse().unwrap();
        let acceptor = quinn::Endpoint::server(config, at).unwrap();
        let address = acceptor.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            let incoming = acceptor.accept().await.unwrap();
            let connection = incoming.await;
            tokio::time::sleep(PATIENCE).await;
            drop(connection);
        });
        let config = jm.dialler(code("TT"), Arc::clone(&trust), now).unwrap();
        match Raw::dial(address, config).await {
            Ok(_) => assert!(fits, "{what} was dialled"),
            Err(ended) => {
                assert!(!fits, "{what}: {ended}");
                by_tls(what, ended);
            }
        }
        accepting.abort();
    }
}
