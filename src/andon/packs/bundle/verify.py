#!/usr/bin/env python3
"""Checks an Andon evidence bundle. Python 3.8 or newer, its standard library, no network; this file is all there is.

    python3 -I -S verify.py bundle.zip [--vkey KEY] [--against receipt.json]

It recomputes the Merkle tree (RFC 6962) from the entries, checks the signature of the checkpoint (Ed25519, RFC 8032)
and the commitment of every payload (salted SHA-256). Exit: 0 all holds, 1 something does not (it is named), 2 usage.
Get this file and the key from the log's operator by another way than the bundle: who can change one can change both.
"""

import base64
import json
import queue
import re
import struct
import sys
import threading
import zipfile
from hashlib import sha256, sha512
from itertools import accumulate

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
BLOCK = 4096  # entries of a block, which ends where their number is a multiple of it
PROVEN = {"leaves.bin", "headers.bin", "payloads.bin", "proof.bin"}  # by the tree and the commitments
NEEDED = PROVEN | {"manifest.json", "checkpoint", "pinned.json"}
READ = "README.txt checkpoint.text checkpoint.sig key.pem samples.txt custody.jsonl verify.py"
KNOWN = NEEDED.union(READ.split())
WHOLE = NEEDED - {"leaves.bin", "headers.bin", "payloads.bin"}  # are read whole, and are small
COMMITTED = re.compile(rb'\{"at":"[^"\\]{27}","c":"')


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


def point_from(raw):
    number = int.from_bytes(raw, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if (x * x - squared) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if y >= P or (x * x - squared) % P or (x == 0 and sign):
        raise Wrong("a point of the signature is not canonical, or not on the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = point_from(BASE_Y.to_bytes(32, "little"))


def is_signed(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    if len(key) != 32 or len(signature) != 64 or s >= L:
        return False
    h = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = point_times(s, BASE), point_add(point_from(signature[:32]), point_times(h, point_from(key)))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# The checkpoint: a C2SP signed note
def unbase64(text):
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise Wrong("base64 that is not canonical")
    return raw


def open_checkpoint(note, vkey, what="checkpoint"):
    """`(size, root)` that the owner of the key signed."""
    name, key_id, key = vkey.split("+", 2)
    key_id, key = bytes.fromhex(key_id), unbase64(key)
    if key[:1] != b"\x01" or sha256(name.encode() + b"\n" + key).digest()[:4] != key_id:
        raise Wrong("the key id does not fit the key")
    body, gap, tail = note.decode("utf-8").rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines[-1] or len(lines) > 17 or any(ord(c) < 32 and c != "\n" for c in body + tail):
        raise Wrong("the %s is no signed note" % what)
    words = [line.split(" ") for line in lines[:-1]]
    if any(len(each) != 3 or each[0] != "\u2014" for each in words):
        raise Wrong("a signature line of the %s is damaged" % what)
    made = [raw[4:] for who, raw in ((who, unbase64(raw)) for _, who, raw in words) if (who, raw[:4]) == (name, key_id)]
    if len(made) != 1 or not is_signed(key[1:], (body + "\n").encode("utf-8"), made[0]):
        raise Wrong("the %s is not signed by %s" % (what, name))
    said = body.split("\n")
    if len(said) != 3 or not re.fullmatch("0|[1-9][0-9]{0,18}", said[1]):
        raise Wrong("the %s does not say origin, size and root" % what)
    return int(said[1]), unbase64(said[2])


# The tree
class Peaks:
    """The roots of the complete subtrees of a tree that grows to the right."""

    def __init__(self):
        self.peaks, self.size = {}, 0

    def push(self, hash_, level=0):
        self.size += 1 << level
        while level in self.peaks:
            hash_ = sha256(b"\x01" + self.peaks.pop(level) + hash_).digest()
            level += 1
        self.peaks[level] = hash_

    def extend(self, row):
        self.size += len(row)
        level = 0
        while row:
            if level in self.peaks:
                row = [self.peaks.pop(level)] + row
            if len(row) % 2:
                self.peaks[level] = row[-1]
            row = [sha256(b"\x01" + a + b).digest() for a, b in zip(row[::2], row[1::2])]
            level += 1

    def root(self):
        root = sha256(b"").digest()
        for number, level in enumerate(sorted(self.peaks)):
            root = sha256(b"\x01" + self.peaks[level] + root).digest() if number else self.peaks[level]
        return root


def subtrees(start, end):
    """Levels of the fewest complete subtrees that cover the leaves from start to before end."""
    while start < end:
        level = min((end - start).bit_length(), (start & -start).bit_length() or 99) - 1
        yield level
        start += 1 << level


# The bundle
def once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("JSON with a key twice")
    return found


def parsed(raw):
    return json.loads(raw.decode("utf-8"), object_pairs_hook=once)


class Member:
    """A member of the zip, unpacked by a thread; without its CRC, since the tree names the entry that is wrong."""

    def __init__(self, bundle, name):
        self.name, self.chunks, self.data, self.at = name, queue.Queue(4), b"", 0
        threading.Thread(target=self.unpack, args=(bundle,), daemon=True).start()

    def unpack(self, bundle):
        try:
            with bundle.open(self.name) as file:
                file._expected_crc = None
                for chunk in iter(lambda: file.read(1 << 20), b""):
                    self.chunks.put(chunk)
            self.chunks.put(b"")
        except Exception as error:  # whatever it is: who waits for the next chunk has to be told
            self.chunks.put(error)

    def cut(self, lengths, seq):  # the next pieces; the first belongs to entry seq
        parts, missing = [], sum(lengths) - len(self.data) + self.at
        while missing > 0:
            chunk = self.chunks.get()
            if isinstance(chunk, Exception):
                raise Wrong("%s cannot be unpacked at entry %d (%s)" % (self.name, seq, chunk))
            if not chunk:
                raise Wrong("%s ends too early, at entry %d" % (self.name, seq))
            parts.append(chunk)
            missing -= len(chunk)
        if parts:
            self.data, self.at = b"".join([self.data[self.at :], *parts]), 0
        ends, data, self.at = list(accumulate([self.at] + lengths)), self.data, self.at + sum(lengths)
        return [data[start:end] for start, end in zip(ends, ends[1:])]


def committed(headers):  # what each says of its payload
    starts, ends = {header[:41] for header in headers}, {header[84:86] for header in headers}
    if all(map(COMMITTED.fullmatch, starts)) and ends <= {b'",'} and b"".join(headers).count(b'"c":') == len(headers):
        return [header[41:84] for header in headers]
    return [each["c"].encode() if "c" in each else None for each in map(parsed, headers)]


def check_block(seq, leaves, members, counts):  # the entries from seq on, one for each leaf
    count = len(leaves)  # members: headers.bin, payloads.bin
    lengths = struct.unpack(">%dH" % count, members[0].cut([2 * count], seq)[0])
    salted = struct.unpack(">%dI" % count, members[0].cut([4 * count], seq)[0])
    shown = [seq + i for i, length in enumerate(lengths) if length]
    headers = members[0].cut([length for length in lengths if length], seq)
    made = [sha256(b"\x00" + header).digest() for header in headers]
    same("header", shown, made, [leaf for leaf, length in zip(leaves, lengths) if length])
    said, sizes = committed(headers), [size for size, length in zip(salted, lengths) if length]
    there = [number for number, size in zip(shown, sizes) if size]
    if len(there) != count - salted.count(0):
        raise Wrong("headers.bin near entry %d: a payload without a header" % seq)
    digests, there_sizes, seal = [], [size for size in sizes if size], counts["seal"]
    for at in range(0, len(there), 256):  # few at a time, as each may be large
        payloads = members[1].cut(there_sizes[at : at + 256], seq)
        digests += [sha256(b"\x02" + each).digest() for each in payloads]
        if seal in there[at : at + 256] and b'"kind":"hold"' in headers[shown.index(seal)]:
            counts["hold"] = payloads[there.index(seal) - at][16:]
    text = base64.urlsafe_b64encode(b"\x00".join(digests + [b""]))
    made = [text[at : at + 43] for at in range(0, len(text), 44)]
    same("payload", there, made, [c for c, size in zip(said, sizes) if size])
    counts["shown"] += len(shown)
    counts["payloads"] += len(there)
    counts["hidden"] += len(said) - said.count(None) - len(there)


def same(what, numbers, made, recorded):
    if made != recorded:
        wrong = next(number for number, a, b in zip(numbers, made, recorded) if a != b)
        raise Wrong("entry %d: its %s is not the one that was recorded" % (wrong, what))


def open_bundle(bundle):
    """The manifest, after the names and the hashes of all members were checked."""
    infos = bundle.infolist()
    names = [info.filename for info in infos]
    if len(set(names)) != len(names) or len(names) > 1024 or not all(NAME.fullmatch(n) for n in names):
        raise Wrong("the zip has members twice, too many, or with strange names")
    for info in infos:
        most = 1 << 24 if info.filename in WHOLE else 8 << 30
        if info.compress_type not in (0, 8) or info.flag_bits & 0x61 or info.file_size > most:
            raise Wrong("%s is encrypted, over %d bytes, or neither stored nor deflated" % (info.filename, most))
    for name in sorted(NEEDED - set(names)):
        raise Wrong("%s is missing" % name)
    bundle.fp.seek(-22, 2)
    if min(info.header_offset for info in infos) or not re.fullmatch(b"(?s)PK\5\6.{16}\0\0", bundle.fp.read(22)):
        raise Wrong("there are bytes before the first member of the zip, or after its end")
    raw = bundle.read("manifest.json")
    manifest = parsed(raw)
    keys = ["format", "vkey", "first", "end", "seal", "redacted", "files"]
    is_plain = list(manifest) == keys and json.dumps(manifest, indent=2).encode("utf-8") == raw
    if not is_plain or manifest["format"] != "andon.bundle/1":
        raise Wrong("manifest.json is not one of andon.bundle/1")
    return manifest, names


def check_files(bundle, manifest, names, facts):  # facts: what the seal's payload says
    if set(manifest["files"]) != set(names) - {"manifest.json"} - PROVEN:
        raise Wrong("the members of the zip are not those that manifest.json names")
    for name, digest in sorted(manifest["files"].items()):
        found = sha256()
        with bundle.open(name) as file:
            for chunk in iter(lambda: file.read(1 << 20), b""):
                found.update(chunk)
        if found.hexdigest() != digest:
            raise Wrong("%s is not the file that manifest.json names" % name)
    pinned, scan = facts.get("pinned", {}), {"scan.json": facts["scan"]} if "scan" in facts else {}
    for name in sorted(set(names) - KNOWN - set(pinned) - set(scan)):
        raise Wrong("%s is no member of a bundle, and the seal (entry %d) pinned none such" % (name, manifest["seal"]))
    for name, pin in pinned.items():
        if manifest["files"].get(name, pin["sha256"] if pin["bytes"] > 64 << 20 else None) != pin["sha256"]:
            raise Wrong("%s is not the file that the seal (entry %d) pinned, or missing" % (name, manifest["seal"]))
    scan["pinned.json"] = {name: dict(pin, in_bundle=name in names) for name, pin in sorted(pinned.items())}
    for name, told in scan.items():
        if json.dumps(parsed(bundle.read(name))) != json.dumps(told):
            raise Wrong("%s is not the one that the seal (entry %d) pinned" % (name, manifest["seal"]))


def check(path, vkey, receipt):
    """Check all of a bundle; returns the sentences to print."""
    with zipfile.ZipFile(path) as bundle:
        manifest, names = open_bundle(bundle)
        if vkey is not None and vkey != manifest["vkey"]:
            raise Wrong("the bundle names another key than the one given")
        size, root = open_checkpoint(bundle.read("checkpoint"), manifest["vkey"])
        first, end = manifest["first"], manifest["end"]
        if {type(first), type(end), type(manifest["seal"])} != {int} or not 0 <= first < end <= size:
            raise Wrong("the range of entries is impossible")
        old = None if receipt is None else open_checkpoint(receipt, manifest["vkey"], "receipt")
        counts = check_entries(bundle, (first, end, size, manifest["seal"]), root, old)
        if manifest["redacted"] != (["payload"] if counts["hidden"] else []) or counts["hold"] is None:
            raise Wrong("manifest.json names a seal, or what is left out, that the entries do not show")
        check_files(bundle, manifest, names, parsed(counts["hold"]))
    unseen = end - first - counts["shown"]
    said = ["OK: %d entries of %d to %d, under a signed tree of %d" % (counts["shown"], first, end - 1, size)]
    if unseen:
        said.append("%d entries among them are not shown: that a bundle is complete, it does not prove" % unseen)
    said.append("README, samples and custody are for reading; proven are the numbered entries and what the seal pinned")
    said.append("%(payloads)d payloads are what was recorded; %(hidden)d are left out of this bundle" % counts)
    kept = "the log still begins with the %d entries that the receipt covers" % old[0] if old else None
    said.append(kept or "rollback is not excluded: give a checkpoint you kept with --against")
    if vkey is None:
        said.append("the key came with the bundle: give the one you got from the operator with --vkey")
    return said


def check_entries(bundle, place, root, old):
    first, end, size = place[:3]
    proof, tree = bundle.read("proof.bin"), Peaks()
    levels = list(subtrees(0, first)), list(subtrees(end, size))
    if len(proof) != 32 * (len(levels[0]) + len(levels[1])):
        raise Wrong("proof.bin has not one hash for each subtree")
    hashes = [proof[at : at + 32] for at in range(0, len(proof), 32)]
    for level, hash_ in zip(levels[0], hashes):
        tree.push(hash_, level)
    check_old(tree, old)
    stored, headers, payloads = (Member(bundle, name) for name in ("leaves.bin", "headers.bin", "payloads.bin"))
    counts, seq = {"shown": 0, "payloads": 0, "hidden": 0, "seal": place[3], "hold": None}, first
    while seq < end:
        leaves = stored.cut([32] * min(BLOCK - seq % BLOCK, end - seq), seq)
        check_block(seq, leaves, (headers, payloads), counts)
        cut = old[0] - seq if old and seq < old[0] < seq + len(leaves) else 0
        for part in (leaves[:cut], leaves[cut:]):
            tree.extend(part)
            check_old(tree, old)
        seq += len(leaves)
    for member in (stored, headers, payloads):
        if len(member.data) > member.at or member.chunks.get() != b"":
            raise Wrong("%s goes on after the last entry" % member.name)
    for level, hash_ in zip(levels[1], hashes[len(levels[0]) :]):
        tree.push(hash_, level)
    if tree.root() != root:
        raise Wrong("the entries %d to %d are not those that the checkpoint signs" % (first, end - 1))
    if old and not first <= old[0] <= end and old != (size, root):
        raise Wrong("the receipt covers %d entries; this bundle can be compared from %d to %d" % (old[0], first, end))
    return counts


def check_old(tree, old):
    if old and tree.size == old[0] and tree.root() != old[1]:
        raise Wrong("history before entry %d is not what the receipt signs: the log was rewritten" % old[0])


def read_receipt(path):
    with open(path, "rb") as file:
        raw = file.read(1 << 20)
    try:
        note = json.loads(raw.decode("utf-8"))["checkpoint"] if raw[:1] == b"{" else raw.decode("utf-8")
        if note.strip():
            return note.encode("utf-8")
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        pass
    raise OSError(22, "it holds no checkpoint; give a receipt or a checkpoint that you kept", path)


def main(words):
    sys.setswitchinterval(0.0002)  # else the threads that unpack wait longer for their turn than they work
    options, paths = {"--vkey": None, "--against": None}, []
    while words:
        word = words.pop(0)
        if word in options and words and options[word] is None:
            options[word] = words.pop(0)
        else:
            paths.append(word)
    if len(paths) != 1 or paths[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    if "" in options.values():
        print("%s is empty: give what you kept" % " and ".join(o for o in options if options[o] == ""), file=sys.stderr)
        return 2
    try:
        receipt = None if options["--against"] is None else read_receipt(options["--against"])
        for line in check(paths[0], options["--vkey"], receipt):
            print(line)
        return 0
    except OSError as error:
        print("cannot read %s: %s" % (error.filename or paths[0], error.strerror or error), file=sys.stderr)
        return 2
    except Exception as error:
        kind = "" if isinstance(error, Wrong) else "the bundle is damaged, %s: " % type(error).__name__
        print("FAILED: " + ascii(kind + str(error))[1:-1])  # a name in the bundle writes no lines of its own
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
