#!/usr/bin/env python3
"""Checks a directory of C2SP tlog-tiles with nothing but the Python standard library.

    tiles.py DIRECTORY VKEY

Written from the specifications alone (c2sp.org/tlog-tiles, tlog-checkpoint, signed-note; RFC 6962,
RFC 8032) and shares nothing with Abeng, so that the two can disagree. Ends with 0 and one line
where the signature, every entry, every tile and the root hold; with 1 and the reason where not.
"""

import base64
import binascii
import hashlib
import os
import re
import sys


class Wrong(Exception):
    """Something does not hold."""


# --- Ed25519, RFC 8032 section 5.1 (verification only; not constant time, nothing is secret) ------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def recover_x(y, sign):
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


def decompress(data):
    y = int.from_bytes(data, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def base_point():
    y = 4 * pow(5, P - 2, P) % P
    x = recover_x(y, 0)
    return (x, y, 1, x * y % P)


def ed25519_verify(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % L
    p, q = multiply(s, base_point()), add(r, multiply(k, a))
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


# --- signed-note and tlog-checkpoint --------------------------------------------------------------


def unbase64(text, what):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong(f"{what} is not base64") from None


def read_vkey(line):
    name, _, rest = line.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    key = unbase64(encoded, "the key")
    if len(key) != 33 or key[0] != 1:
        raise Wrong("the key is not Ed25519")
    if hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() != key_id:
        raise Wrong("the key's ID is not its own")
    return name, bytes.fromhex(key_id), key[1:]


def read_checkpoint(note, vkey):
    """Size and root of a checkpoint that the key has signed."""
    name, key_id, public = read_vkey(vkey)
    try:
        text = note.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong("checkpoint: it is not UTF-8") from None
    if any(ord(c) < 0x20 and c != "\n" for c in text):
        raise Wrong("checkpoint: it has control characters")
    split = text.rfind("\n\n")
    if split < 0 or not text.endswith("\n"):
        raise Wrong("checkpoint: it is no signed note")
    body, lines = text[: split + 1], text[split + 2 : -1].split("\n")
    signed = False
    for line in lines:
        match = re.fullmatch(r"\u2014 ([^\s+]+) (\S+)", line)
        if not match:
            raise Wrong("checkpoint: a signature line is malformed")
        signature = unbase64(match[2], "checkpoint: a signature")
        if len(signature) < 5:
            raise Wrong("checkpoint: a signature is too short")
        if match[1] == name and signature[:4] == key_id:
            if not ed25519_verify(public, body.encode(), signature[4:]):
                raise Wrong("checkpoint: the signature does not hold")
            signed = True
    if not signed:
        raise Wrong("checkpoint: the key has not signed it")
    fields = body[:-1].split("\n")
    if len(fields) < 3 or not all(fields):
        raise Wrong("checkpoint: it has not three lines")
    if fields[0] != name:
        raise Wrong("checkpoint: it is of another log")
    if not re.fullmatch(r"0|[1-9][0-9]*", fields[1]):
        raise Wrong("checkpoint: its size is not a number")
    root = unbase64(fields[2], "checkpoint: the root")
    if len(root) != 32:
        raise Wrong("checkpoint: the root has not 32 bytes")
    return int(fields[1]), root


# --- RFC 6962 section 2.1 and tlog-tiles ----------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_head(hashes):
    """MTH over hashes that are leaves or roots of complete subtrees of one height."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\x01" + tree_head(hashes[:k]) + tree_head(hashes[k:]))


def tile_path(kind, index, width):
    groups = []
    while True:
        groups.append(f"{index % 1000:03d}")
        index //= 1000
        if index == 0:
            break
    groups = ["x" + g for g in reversed(groups[1:])] + groups[:1]
    path = "/".join(["tile", kind] + groups)
    return path if width == 256 else f"{path}.p/{width}"


def read(directory, path):
    try:
        with open(os.path.join(directory, *path.split("/")), "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise Wrong(f"{path} is missing") from None


def tiles_of(nodes):
    """Index and width of the tiles of a level that has so many nodes."""
    for index in range(nodes // 256):
        yield index, 256
    if nodes % 256:
        yield nodes // 256, nodes % 256


def read_entries(directory, index, width):
    path = tile_path("entries", index, width)
    data, at, entries = read(directory, path), 0, []
    for _ in range(width):
        length = int.from_bytes(data[at : at + 2], "big")
        entry = data[at + 2 : at + 2 + length]
        if len(data) < at + 2 or len(entry) != length:
            raise Wrong(f"{path}: an entry is cut off at byte {at}")
        entries.append(entry)
        at += 2 + length
    if at != len(data):
        raise Wrong(f"{path}: bytes follow the last entry")
    return entries


def check(directory, vkey):
    size, root = read_checkpoint(read(directory, "checkpoint"), vkey)
    expected_files = {"checkpoint"}
    # Level by level: first the entries' hashes, then the roots of full tiles below.
    hashes = []
    for index, width in tiles_of(size):
        expected_files.add(tile_path("entries", index, width))
        hashes += [sha256(b"\x00" + entry) for entry in read_entries(directory, index, width)]
    level, tiles = 0, 0
    by_level = []
    while hashes:
        full_roots = []
        for index, width in tiles_of(len(hashes)):
            path = tile_path(str(level), index, width)
            expected_files.add(path)
            nodes = hashes[256 * index : 256 * index + width]
            if read(directory, path) != b"".join(nodes):
                raise Wrong(f"{path}: it does not hold the hashes of what is below it")
            if width == 256:
                full_roots.append(tree_head(nodes))
            tiles += 1
        by_level.append(hashes)
        hashes, level = full_roots, level + 1
    # The root out of the tiles at the right edge alone.
    peaks = [(8 * level, nodes[len(nodes) // 256 * 256 :]) for level, nodes in enumerate(by_level)]
    right = None
    for _, nodes in peaks:
        while nodes:
            # The smallest complete subtree at the right end.
            width = len(nodes) & -len(nodes)
            part = tree_head(nodes[-width:])
            nodes = nodes[:-width]
            right = part if right is None else sha256(b"\x01" + part + right)
    if (right or sha256(b"")) != root:
        raise Wrong("checkpoint: the root is not that of the entries")
    for folder, _, names in os.walk(directory):
        for name in names:
            found = os.path.relpath(os.path.join(folder, name), directory).replace(os.sep, "/")
            if found not in expected_files and ".p/" not in found:
                raise Wrong(f"{found}: the specification names no such file for this tree")
    return f"{size} entries, {tiles} tiles in {level} levels, root {root.hex()}"


def self_test():
    """RFC 8032 section 7.1, TEST 2: so that a broken check cannot pass by saying yes."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    if not ed25519_verify(public, b"\x72", signature) or ed25519_verify(public, b"\x73", signature):
        raise Wrong("the check of Ed25519 signatures itself is broken")


def main(arguments):
    if len(arguments) != 3:
        sys.exit("usage: tiles.py DIRECTORY VKEY")
    try:
        self_test()
        print(check(arguments[1], arguments[2]))
    except Wrong as wrong:
        print(f"refused: {wrong}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv)
