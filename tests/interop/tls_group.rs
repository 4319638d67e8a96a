//! The hybrid key exchange against OpenSSL's, over TCP: OpenSSL's Python speaks no QUIC.

use crate::{Python, said};
use abeng_link::raw::provider;
use rustls::{
    ClientConfig, ClientConnection, NamedGroup, RootCertStore, ServerConfig, ServerConnection,
    Stream,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Stdio,
    sync::Arc,
    time::Duration,
};

const LABEL: &[u8] = b"EXPORTER-abeng-interop";

/// How many handshakes were made.
pub fn run(python: &Python) -> u32 {
    let dir = tempfile::tempdir().unwrap();
    let made = python
        .command("tls_group.py")
        .arg("certificate")
        .arg(dir.path())
        .output();
    said("a certificate", &made.unwrap());
    theirs_dials(python, dir.path());
    ours_dials(python, dir.path());
    2
}

fn theirs_dials(python: &Python, dir: &Path) {
    let config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate(dir)], key(dir))
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let client = python
        .command("tls_group.py")
        .arg("client")
        .arg(listener.local_addr().unwrap().port().to_string())
        .arg(dir.join("certificate.pem"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut plain, _) = listener.accept().unwrap();
    let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
    compare(&mut connection, &mut plain);
    println!(
        "{}",
        said("OpenSSL dials", &client.wait_with_output().unwrap())
    );
}

fn ours_dials(python: &Python, dir: &Path) {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(dir)).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut server = python
        .command("tls_group.py")
        .arg("server")
        .arg(dir.join("certificate.pem"))
        .arg(dir.join("key.pem"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    let mut port = String::new();
    output.read_line(&mut port).unwrap();
    let port: u16 = port.trim().parse().unwrap();
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let name = "abeng.test".try_into().unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    compare(&mut connection, &mut plain);
    let mut told = String::new();
    output.read_to_string(&mut told).unwrap();
    said("OpenSSL answers", &server.wait_with_output().unwrap());
    println!("{}", told.trim());
}

/// Sends the digest of the exporter, and holds it against the other side's.
fn compare<C, S>(connection: &mut C, plain: &mut TcpStream)
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<S>>,
    S: rustls::SideData,
{
    plain
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    while connection.is_handshaking() {
        connection.complete_io(plain).unwrap();
    }
    let group = connection.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
    let secret = connection
        .export_keying_material([0; 32], LABEL, None)
        .unwrap();
    let mine = ring::digest::digest(&ring::digest::SHA256, &secret);
    let mut stream = Stream::new(connection, plain);
    stream.write_all(mine.as_ref()).unwrap();
    stream.flush().unwrap();
    let mut theirs = [0; 32];
    stream.read_exact(&mut theirs).unwrap();
    assert_eq!(theirs[..], *mine.as_ref(), "the secrets differ");
}

fn certificate(dir: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(dir.join("certificate.pem")).unwrap()
}

fn key(dir: &Path) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_file(dir.join("key.pem")).unwrap()
}
