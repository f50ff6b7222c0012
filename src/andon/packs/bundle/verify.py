#!/usr/bin/env python3
"""Checks an Andon evidence bundle. Python 3.8 or newer, its standard library, no network; this file is all there is.

    python3 -I -S verify.py bundle.zip [--vkey KEY] [--against receipt.json]

It recomputes the Merkle tree (RFC 6962) from the entries, checks the signature of the checkpoint (Ed25519, RFC 8032)
and the commitment of every payload (HMAC-SHA256). Exit: 0 all holds, 1 something does not (the line names it), 2 usage.
Get this file and the key from the log's operator by another way than the bundle: who can change one can change both.
"""

import base64
import hmac
import io
import json
import re
import struct
import sys
import zipfile
import zlib
from hashlib import sha256, sha512

MEMBER_BYTES_MAX = 8 << 30
MEMBERS_MAX = 64
UNPACKING = (EOFError, NotImplementedError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Wrong(Exception):
    """Something is not as it was recorded; the text says what and where."""


# Ed25519 (RFC 8032, 5.1), on points (X, Y, Z, T)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def point_add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_times(n, p):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = point_add(total, p)
        p, n = point_add(p, p), n >> 1
    return total


def point_x(y, sign):
    if y >= P:
        raise Wrong("a point of the signature is not canonical")
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if (x * x - squared) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - squared) % P or (x == 0 and sign):
        raise Wrong("a point of the signature is not on the curve")
    return P - x if x & 1 != sign else x


def point_from(raw):
    number = int.from_bytes(raw, "little")
    y = number & (1 << 255) - 1
    x = point_x(y, number >> 255)
    return (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = point_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def is_signed(key, message, signature):
    """Whether `signature` over `message` is by the owner of `key`."""
    s = int.from_bytes(signature[32:], "little")
    if len(key) != 32 or len(signature) != 64 or s >= L:
        return False
    h = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = point_times(s, BASE), point_add(point_from(signature[:32]), point_times(h, point_from(key)))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# The checkpoint: a C2SP signed note


def unbase64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong("damaged base64")
    if base64.b64encode(raw).decode() != text:
        raise Wrong("base64 that is not canonical")
    return raw


def open_checkpoint(note, vkey):
    """`(size, root)` that the owner of the key signed."""
    parts = vkey.split("+", 2)
    if len(parts) != 3:
        raise Wrong("the key does not look like name+keyid+key")
    name, key_id, key = parts[0], bytes.fromhex(parts[1]), unbase64(parts[2])
    if key[:1] != b"\x01" or sha256(name.encode() + b"\n" + key).digest()[:4] != key_id:
        raise Wrong("the key id does not fit the key")
    body, gap, tail = note.decode("utf-8").rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines[-1] or len(lines) > 17 or any(ord(c) < 32 and c != "\n" for c in body + tail):
        raise Wrong("the checkpoint is no signed note")
    signatures = []
    for line in lines[:-1]:
        words = line.split(" ")
        if len(words) != 3 or words[0] != "\u2014":
            raise Wrong("a signature line of the checkpoint is damaged")
        raw = unbase64(words[2])
        if words[1] == name and raw[:4] == key_id:
            signatures.append(raw[4:])
    text = body + "\n"
    if len(signatures) != 1 or not is_signed(key[1:], text.encode("utf-8"), signatures[0]):
        raise Wrong("the checkpoint is not signed by %s" % name)
    said = text.split("\n")
    if len(said) != 4 or not re.fullmatch("0|[1-9][0-9]{0,18}", said[1]):
        raise Wrong("the checkpoint does not say origin, size and root")
    return int(said[1]), unbase64(said[2])


# The tree


def node(left, right):
    return sha256(b"\x01" + left + right).digest()


class Peaks:
    """The roots of the complete subtrees of a tree that grows to the right."""

    def __init__(self):
        self.peaks, self.size = [], 0

    def push(self, hash_, level=0):
        self.size += 1 << level
        peaks = self.peaks
        while peaks and peaks[-1][0] == level:
            hash_ = node(peaks.pop()[1], hash_)
            level += 1
        peaks.append((level, hash_))

    def root(self):
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root


def subtrees(start, end):
    """Levels of the fewest complete subtrees that cover the leaves from start to before end."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level
        start += 1 << level


# The bundle


def once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("JSON with a key twice")
    return found


def unpack(bundle, name):
    """A member; its CRC is not looked at, since the tree and the commitments say more: which entry it is."""
    file = bundle.open(name)
    file._expected_crc = None
    return io.BufferedReader(file, 1 << 20)


def take(file, count, what):
    try:
        data = file.read(count)
    except UNPACKING as error:
        raise Wrong("%s cannot be unpacked (%s)" % (what, error))
    if len(data) != count:
        raise Wrong("%s ends too early" % what)
    return data


def rows(file, first, end):
    """`(seq, leaf, header or None)` of range.bin."""
    length = struct.Struct(">I")
    for seq in range(first, end):
        what = "range.bin at entry %d" % seq
        mark = take(file, 1, what)
        if mark == b"\x00":
            yield seq, take(file, 32, what), None
        elif mark == b"\x01":
            leaf = take(file, 32, what)
            header = take(file, min(length.unpack(take(file, 4, what))[0], 65536), what)
            if sha256(b"\x00" + header).digest() != leaf:
                raise Wrong("entry %d: its header is not the one that was recorded" % seq)
            yield seq, leaf, header
        else:
            raise Wrong("%s is damaged" % what)
    if file.read(1):
        raise Wrong("range.bin goes on after entry %d" % (end - 1))


def check_payload(file, seq, header):
    """Whether there was a payload; it has to be the one that the header commits to."""
    fields = json.loads(header.decode("utf-8"), object_pairs_hook=once)
    if "c" not in fields:
        return False
    what = "payloads.bin at entry %d" % seq
    count = struct.unpack(">I", take(file, 4, what))[0]
    if count == 0:
        return False
    salt, payload = take(file, 16, what), take(file, min(count, 1 << 26) - 16, what)
    found = base64.urlsafe_b64encode(hmac.new(salt, payload, "sha256").digest()).rstrip(b"=").decode()
    if found != fields["c"]:
        raise Wrong("entry %d: its payload is not the one that was recorded" % seq)
    return True


def open_bundle(bundle):
    """The manifest, after the names and the hashes of all members were checked."""
    infos = bundle.infolist()
    names = [info.filename for info in infos]
    if len(set(names)) != len(names) or len(names) > MEMBERS_MAX or not all(NAME.fullmatch(n) for n in names):
        raise Wrong("the zip has members twice, too many, or with strange names")
    if any(info.file_size > MEMBER_BYTES_MAX for info in infos):
        raise Wrong("a member of the zip is larger than 8 GiB")
    for name in ("manifest.json", "checkpoint", "range.bin", "proof.bin", "payloads.bin"):
        if name not in names:
            raise Wrong("%s is missing" % name)
    raw = bundle.read("manifest.json").decode("utf-8")
    manifest = json.loads(raw, object_pairs_hook=once)
    keys = ["format", "vkey", "first", "end", "seal", "redacted", "files"]
    if list(manifest) != keys or json.dumps(manifest, indent=2) != raw or manifest["format"] != "andon.bundle/1":
        raise Wrong("manifest.json is not one of andon.bundle/1")
    return manifest, names


def check_files(bundle, manifest, names):
    if set(manifest["files"]) != set(names) - {"manifest.json"}:
        raise Wrong("the members of the zip are not those that manifest.json names")
    for name, digest in sorted(manifest["files"].items()):
        found = sha256()
        with bundle.open(name) as file:
            for chunk in iter(lambda: file.read(1 << 20), b""):
                found.update(chunk)
        if found.hexdigest() != digest:
            raise Wrong("%s is not the file that manifest.json names" % name)


def check(path, vkey, receipt):
    """Check all of a bundle; returns the sentences to print."""
    with zipfile.ZipFile(path) as bundle:
        manifest, names = open_bundle(bundle)
        if vkey and vkey != manifest["vkey"]:
            raise Wrong("the bundle names another key than the one given")
        size, root = open_checkpoint(bundle.read("checkpoint"), vkey or manifest["vkey"])
        first, end = manifest["first"], manifest["end"]
        if not (isinstance(first, int) and isinstance(end, int) and 0 <= first < end <= size):
            raise Wrong("the range of entries is impossible")
        old = open_checkpoint(receipt, vkey or manifest["vkey"]) if receipt else None
        counts = check_entries(bundle, (first, end, size), root, old)
        if manifest["redacted"] != (["payload"] if counts[2] else []) or manifest["seal"] not in counts[3]:
            raise Wrong("manifest.json names a seal, or what is left out, that the entries do not show")
        check_files(bundle, manifest, names)
    said = ["OK: %d entries of %d to %d, under a signed tree of %d" % (counts[0], first, end - 1, size)]
    said.append("README, samples, findings and custody are for reading; what is proven are the numbered entries")
    said.append("%d payloads are what was recorded; %d are left out of this bundle" % (counts[1], counts[2]))
    if old:
        said.append("the log still begins with the %d entries that the receipt covers" % old[0])
    else:
        said.append("rollback is not excluded: give a checkpoint you kept with --against")
    if not vkey:
        said.append("the key came with the bundle: give the one you got from the operator with --vkey")
    return said


def check_entries(bundle, place, root, old):
    first, end, size = place
    proof, tree = bundle.read("proof.bin"), Peaks()
    levels = list(subtrees(0, first)), list(subtrees(end, size))
    if len(proof) != 32 * (len(levels[0]) + len(levels[1])):
        raise Wrong("proof.bin has not one hash for each subtree")
    hashes = [proof[at : at + 32] for at in range(0, len(proof), 32)]
    for level, hash_ in zip(levels[0], hashes):
        tree.push(hash_, level)
    shown = payloads = hidden = 0
    holds = []
    payload_error = None
    with unpack(bundle, "range.bin") as ranges, unpack(bundle, "payloads.bin") as texts:
        check_old(tree, old)
        for seq, leaf, header in rows(ranges, first, end):
            tree.push(leaf)
            check_old(tree, old)
            if header is not None:
                shown += 1
                if b'"kind":"hold"' in header:
                    holds.append(seq)
                if payload_error is None:
                    try:
                        has_payload = check_payload(texts, seq, header)
                        payloads, hidden = payloads + has_payload, hidden + (not has_payload)
                    except (Wrong, ValueError, KeyError, TypeError) as error:
                        payload_error = error
        if payload_error is None and texts.read(1):
            raise Wrong("payloads.bin goes on after the last entry")
    for level, hash_ in zip(levels[1], hashes[len(levels[0]) :]):
        tree.push(hash_, level)
    if payload_error is not None:
        raise Wrong(str(payload_error))
    if tree.root() != root:
        raise Wrong("the entries %d to %d are not those that the checkpoint signs" % (first, end - 1))
    if old and not first <= old[0] <= end and old != (size, root):
        raise Wrong("the receipt covers %d entries; this bundle can be compared from %d to %d" % (old[0], first, end))
    return shown, payloads, hidden, holds


def check_old(tree, old):
    if old and tree.size == old[0] and tree.root() != old[1]:
        raise Wrong("history before entry %d is not what the receipt signs: the log was rewritten" % old[0])


def main(words):
    options, paths = {"--vkey": None, "--against": None}, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in options and words:
            options[word] = words.pop(0)
        else:
            paths.append(word)
    if len(paths) != 1 or paths[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        receipt = None
        if options["--against"]:
            with open(options["--against"], "rb") as file:
                receipt = file.read(1 << 20)
            if receipt[:1] == b"{":
                receipt = json.loads(receipt.decode("utf-8"))["checkpoint"].encode("utf-8")
        for line in check(paths[0], options["--vkey"], receipt):
            print(line)
        return 0
    except Wrong as error:
        print("FAILED: %s" % error)
    except OSError as error:
        print("cannot read %s: %s" % (paths[0], error.strerror), file=sys.stderr)
        return 2
    except Exception as error:  # a damaged zip breaks in many ways; each of them means the same
        print("FAILED: the bundle is damaged (%s: %s)" % (type(error).__name__, error))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
