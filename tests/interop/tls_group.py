#!/usr/bin/env python3
"""A TLS 1.3 handshake between OpenSSL and the key exchange of Abeng's links.

    tls_group.py client PORT CERTIFICATE     dials 127.0.0.1:PORT, offers X25519MLKEM768
    tls_group.py server CERTIFICATE KEY      listens, prints its port, takes one connection
    tls_group.py certificate DIRECTORY       writes certificate.pem and key.pem, for the two above

OpenSSL is that of the package `cryptography`, driven by pyOpenSSL. Both sides send the digest of
a keying-material exporter (RFC 8446, section 7.5): it is equal only where the shared secret is.
The group alone is tested: OpenSSL's Python has no raw public keys, so a certificate stands in.
"""

import datetime
import hashlib
import os
import socket
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from OpenSSL import SSL

LABEL = b"EXPORTER-abeng-interop"


def certificate(directory):
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "abeng.test")])
    today = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("abeng.test")]), critical=False)
        .sign(key, None)
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    for file, data in [
        ("certificate.pem", made.public_bytes(pem)),
        ("key.pem", key.private_bytes(pem, pkcs8, serialization.NoEncryption())),
    ]:
        with open(os.path.join(directory, file), "wb") as out:
            out.write(data)


def context(kind):
    made = SSL.Context(kind)
    made.set_min_proto_version(SSL.TLS1_3_VERSION)
    return made


def finish(connection):
    connection.do_handshake()
    group = connection.get_group_name()
    if group is None or group.upper() != "X25519MLKEM768":
        sys.exit(f"refused: the group is {group}")
    mine = hashlib.sha256(connection.export_keying_material(LABEL, 32)).digest()
    connection.sendall(mine)
    theirs = b""
    while len(theirs) < len(mine):
        theirs += connection.recv(len(mine) - len(theirs))
    if theirs != mine:
        sys.exit("refused: the two sides have different secrets")
    connection.shutdown()
    print("agreed on X25519MLKEM768", flush=True)


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "client":
        made = context(SSL.TLS_CLIENT_METHOD)
        made.load_verify_locations(sys.argv[3])
        made.set_verify(SSL.VERIFY_PEER)
        with socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=30) as plain:
            plain.settimeout(None)
            connection = SSL.Connection(made, plain)
            connection.set_tlsext_host_name(b"abeng.test")
            connection.set_connect_state()
            finish(connection)
    elif len(sys.argv) == 4 and sys.argv[1] == "server":
        made = context(SSL.TLS_SERVER_METHOD)
        made.use_certificate_chain_file(sys.argv[2])
        made.use_privatekey_file(sys.argv[3])
        with socket.create_server(("127.0.0.1", 0)) as listener:
            print(listener.getsockname()[1], flush=True)
            plain, _ = listener.accept()
            with plain:
                connection = SSL.Connection(made, plain)
                connection.set_accept_state()
                finish(connection)
    elif len(sys.argv) == 3 and sys.argv[1] == "certificate":
        certificate(sys.argv[2])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
