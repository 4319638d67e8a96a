#!/usr/bin/env python3
"""Opens an envelope that Abeng sealed, and seals one for Abeng to open.

    envelope.py open DIRECTORY      reads network.json and envelope.bin; compares with notice.bin
    envelope.py seal DIRECTORY      writes theirs.bin, a whole envelope of the same notice

Written from docs/protocol.md alone. The cryptography is that of the package `cryptography` (its
HPKE with X-Wing, ML-KEM and Ed25519 are OpenSSL's), the protobuf a few lines below: nothing here
is shared with Abeng, so that the two can disagree. Ends with 0 and one line, or with 1 and what
does not hold.
"""

import hashlib
import json
import os
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ENC, BOX = 1120, 1168
CHUNK, TAG = 65536, 16
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class Wrong(Exception):
    """Something does not hold."""


def must(holds, what):
    if not holds:
        raise Wrong(what)


# --- protobuf: varints and bytes are all that an envelope has -------------------------------------


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """One field; a default value is absent."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value) if value else b""
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value if value else b""


def element(number, value):
    """One element of a repeated field, present also when empty."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    """{field number: [values]} of a message."""
    found, at = {}, 0

    def take_varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        key = take_varint()
        value = take_varint()
        if key & 7 == 2:
            length, at = value, at + value
            value = data[at - length : at]
            must(len(value) == length, "a field ends before its length")
        else:
            must(key & 7 == 0, "a wire type that no envelope has")
        found.setdefault(key >> 3, []).append(value)
    return found


# --- docs/protocol.md, "Primitives" and "Envelope" ------------------------------------------------


def pae(kind, body):
    kind = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)


def sha256(data):
    return hashlib.sha256(data).digest()


def hkdf(salt, secret, info):
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(secret)


def u64(number):
    return number.to_bytes(8, "big")


def kid(algorithm, key):
    return sha256(pae("abeng/1/kid", pae(algorithm, key)))


def padme(length):
    e = length.bit_length() - 1
    s = e.bit_length()
    step = 1 << (e - s)
    return -(-length // step) * step


def padded(length):
    return max(2048, padme(8 + length))


def h0_of(pre):
    return sha256(pae("application/vnd.abeng.pre.v1", pre))


def box_info(originator, incarnation, party, seal_kid):
    sender = pae("originator", originator.encode() + u64(incarnation))
    return pae("abeng/1/box", sender + pae("to", party.encode()) + seal_kid)


def slot_key(h0, lk, party, seal_kid, commit):
    return hkdf(h0, lk, pae("abeng/1/slot", party.encode() + seal_kid + commit))


def seq_commit(blind, stream_seq):
    return sha256(pae("abeng/1/seq", blind + u64(stream_seq)))


def nonce(counter, last):
    return counter.to_bytes(11, "big") + bytes([last])


def chunks(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def xwing_private(seed):
    """draft-connolly-cfrg-xwing-kem: SHAKE256 stretches the seed to ML-KEM's two and X25519's."""
    wide = hashlib.shake_256(seed).digest(96)
    ml_kem = MLKEM768PrivateKey.from_seed_bytes(wide[:64])
    x25519 = X25519PrivateKey.from_private_bytes(wide[64:])
    public = ml_kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    return hpke.MLKEM768X25519PrivateKey(ml_kem, x25519), public


def xwing_public(key):
    ml_kem = MLKEM768PublicKey.from_public_bytes(key[:1184])
    return hpke.MLKEM768X25519PublicKey(ml_kem, X25519PublicKey.from_public_bytes(key[1184:]))


# --- opening and sealing --------------------------------------------------------------------------


def open_envelope(network, frame, party, seed):
    """The notice in an envelope, as `party` opens it: every check that needs no roster."""
    envelope = fields(frame)
    (hdr,), (sig,), (body,) = envelope[1], envelope[2], envelope[4]
    stanzas = envelope[3]
    (pre_bytes,), (trl_bytes,) = fields(hdr)[1], fields(hdr)[2]
    pre, trl = fields(pre_bytes), fields(trl_bytes)
    signer = bytes.fromhex(network["from"]["org_sign"])
    must(pre[5][0] == kid("ed25519", signer), "PRE names another org-sign key")
    message = pae("application/vnd.abeng.envelope.v1", hdr)
    Ed25519PublicKey.from_public_bytes(signer).verify(sig, message)

    must([sha256(s) for s in stanzas] == trl[1], "a stanza is not the one that TRL names")
    must(len(body) == trl[2][0] and sha256(body) == trl[3][0], "BODY is not the one that TRL names")
    originator, incarnation, commit = pre[3][0].decode(), pre[4][0], trl[4][0]
    entries = [fields(entry) for entry in pre[10]]
    (place,) = [i for i, entry in enumerate(entries) if entry[1][0] == party.encode()]
    seal_kid = entries[place][2][0]
    private, public = xwing_private(seed)
    must(seal_kid == kid("x-wing", public), "the stanza is for another seal key")

    h0, stanza = h0_of(pre_bytes), stanzas[place]
    info = box_info(originator, incarnation, party, seal_kid)
    lk = SUITE.decrypt(stanza[:BOX], private, info=info)
    key = slot_key(h0, lk, party, seal_kid, commit)
    slot = ChaCha20Poly1305(key).decrypt(bytes(12), stanza[BOX:], b"")
    cek, stream_seq, blind = slot[:32], int.from_bytes(slot[32:40], "big"), slot[40:]
    must(stream_seq >= 1, "stream numbers begin at 1")
    must(seq_commit(blind, stream_seq) == entries[place][3][0], "the stream number is another")
    must(hkdf(h0, cek, b"abeng/1/key-commit") == commit, "the content key is another")

    cipher = ChaCha20Poly1305(hkdf(h0, cek, b"abeng/1/body"))
    sealed = chunks(body, CHUNK + TAG)
    plain = b"".join(
        cipher.decrypt(nonce(i, i + 1 == len(sealed)), chunk, h0) for i, chunk in enumerate(sealed)
    )
    length = int.from_bytes(plain[:8], "big")
    must(len(plain) == padded(length), "the padding has another length")
    must(not any(plain[8 + length :]), "the padding is not zero")
    return plain[8 : 8 + length]


def seal_envelope(network, notice):
    """A whole envelope to both recipients, signed with the originator's key."""
    sender = network["from"]
    signer = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(sender["org_sign_seed"]))
    to = [(r["party"], bytes.fromhex(r["seal_public"]), os.urandom(16)) for r in network["to"]]
    entries = b"".join(
        element(10, field(1, party) + field(2, kid("x-wing", key)) + field(3, seq_commit(blind, 1)))
        for party, key, blind in to
    )
    roster = field(1, network["roster"]["version"])
    roster += field(2, bytes.fromhex(network["roster"]["digest"]))
    pre = field(1, 1) + field(2, os.urandom(32)) + field(3, sender["party"])
    pre += field(4, sender["incarnation"])
    pre += field(5, kid("ed25519", signer.public_key().public_bytes_raw()))
    pre += field(6, network["now"]) + field(7, network["now"] + 86_400_000)
    pre += field(8, roster) + field(9, network["precedence"]) + entries

    h0, cek = h0_of(pre), os.urandom(32)
    commit = hkdf(h0, cek, b"abeng/1/key-commit")
    plain = u64(len(notice)) + notice
    plain += bytes(padded(len(notice)) - len(plain))
    cipher = ChaCha20Poly1305(hkdf(h0, cek, b"abeng/1/body"))
    parts = chunks(plain, CHUNK)
    body = b"".join(
        cipher.encrypt(nonce(i, i + 1 == len(parts)), part, h0) for i, part in enumerate(parts)
    )
    stanzas = []
    for party, key, blind in to:
        seal_kid, lk = kid("x-wing", key), os.urandom(32)
        info = box_info(sender["party"], sender["incarnation"], party, seal_kid)
        box = SUITE.encrypt(lk, xwing_public(key), info=info)
        must(len(box) == BOX, "a BOX has 1168 bytes")
        slot = ChaCha20Poly1305(slot_key(h0, lk, party, seal_kid, commit))
        stanzas.append(box + slot.encrypt(bytes(12), cek + u64(1) + blind, b""))
    trl = b"".join(element(1, sha256(stanza)) for stanza in stanzas)
    trl += field(2, len(body)) + field(3, sha256(body)) + field(4, commit)
    hdr = field(1, pre) + field(2, trl)
    sig = signer.sign(pae("application/vnd.abeng.envelope.v1", hdr))
    return field(1, hdr) + field(2, sig) + b"".join(element(3, s) for s in stanzas) + field(4, body)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("open", "seal"):
        sys.exit(__doc__)
    directory = sys.argv[2]

    def read(name):
        with open(os.path.join(directory, name), "rb") as file:
            return file.read()

    network, notice = json.loads(read("network.json")), read("notice.bin")
    try:
        if sys.argv[1] == "open":
            frame = read("envelope.bin")
            for recipient in network["to"]:
                seed = bytes.fromhex(recipient["seal_seed"])
                opened = open_envelope(network, frame, recipient["party"], seed)
                must(opened == notice, "what was opened is not what was sealed")
            print(f"opened for {len(network['to'])} recipients, {len(notice)} bytes each")
        else:
            with open(os.path.join(directory, "theirs.bin"), "wb") as file:
                file.write(seal_envelope(network, notice))
            print("sealed")
    except (InvalidSignature, InvalidTag) as error:
        sys.exit(f"refused: {type(error).__name__}")
    except (Wrong, KeyError, ValueError, IndexError) as error:
        sys.exit(f"refused: {error}")


if __name__ == "__main__":
    main()
