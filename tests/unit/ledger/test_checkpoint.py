"""Checkpoints: openssl accepts them, and no changed byte passes."""

import base64
import shutil
import subprocess

import pytest

from andon.base.errors import Tampered
from andon.ledger.checkpoint import Checkpoint, Signer, parse_vkey

SIGNER = Signer("log.example/w-1", bytes(range(32)))
POINT = Checkpoint("log.example/w-1", 42, bytes(range(100, 132)))


def test_a_note_opens_again():
    note = SIGNER.sign(POINT)
    assert SIGNER.verifier.open(note) == POINT
    assert parse_vkey(SIGNER.verifier.vkey()) == SIGNER.verifier


def test_no_flipped_bit_passes():
    note = SIGNER.sign(POINT)
    for place in range(len(note)):
        for bit in range(8):
            changed = bytearray(note)
            changed[place] ^= 1 << bit
            with pytest.raises(Tampered):
                SIGNER.verifier.open(bytes(changed))


@pytest.mark.parametrize(
    "change", [lambda n: n + n, lambda n: n[:-1], lambda n: n.replace(b"\n", b"\r\n"), lambda n: b""]
)
def test_no_other_form_passes(change):
    with pytest.raises(Tampered):
        SIGNER.verifier.open(change(SIGNER.sign(POINT)))


def test_signatures_of_others_are_ignored():
    other = Signer("witness.example", bytes(32)).sign(POINT).decode().rpartition("\n\n")[2]
    assert SIGNER.verifier.open(SIGNER.sign(POINT) + other.encode()) == POINT


def test_a_key_of_another_log_is_refused():
    with pytest.raises(Tampered, match=r"is signed by .*, not by other"):
        Signer("other", bytes(32)).verifier.open(SIGNER.sign(POINT))


@pytest.mark.parametrize("text", ["", "a+b", "a+00000000+AAAA", "log+zz+!!"])
def test_damaged_verifier_keys_are_refused(text):
    with pytest.raises(Tampered):
        parse_vkey(text)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing: apt-get install openssl")
def test_openssl_accepts_the_signature(tmp_path):
    note = SIGNER.sign(POINT).decode()
    text, _, line = note.rpartition("\n\n")
    (tmp_path / "text").write_text(text + "\n")
    (tmp_path / "sig").write_bytes(base64.b64decode(line.split(" ")[2])[4:])
    prefix = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo of Ed25519, RFC 8410
    (tmp_path / "key").write_bytes(prefix + SIGNER.verifier.key)
    words = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key -in text -sigfile sig"
    done = subprocess.run(words.split(), cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert "Verified Successfully" in done.stdout, done.stdout + done.stderr
