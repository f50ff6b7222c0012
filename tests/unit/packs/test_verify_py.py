"""verify.py stands alone, and its Ed25519 agrees with a library's."""

import ast
import sys
from importlib.resources import files

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

SOURCE = (files("andon") / "packs" / "bundle" / "verify.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def verifier():
    namespace = {"__name__": "verify"}
    exec(compile(SOURCE, "verify.py", "exec"), namespace)  # noqa: S102
    return namespace


def test_standard_library_only_and_short():
    names = set()
    for node in ast.walk(ast.parse(SOURCE, feature_version=(3, 8))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names <= sys.stdlib_module_names
    assert len(SOURCE.splitlines()) <= 400


@settings(max_examples=20)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=99), bit=st.integers(0, 511))
def test_signatures_as_the_library_sees_them(verifier, seed, message, bit):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert verifier["is_signed"](key, message, signature)
    assert not verifier["is_signed"](key, message + b"x", signature)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        assert not verifier["is_signed"](key, message, bytes(changed))
    except verifier["Wrong"]:
        pass  # no point of the curve
    scalar = int.from_bytes(signature[32:], "little") + verifier["L"]  # the same scalar, written twice: malleable
    assert not verifier["is_signed"](key, message, signature[:32] + scalar.to_bytes(32, "little"))


def test_vector_of_rfc_8032(verifier):
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verifier["is_signed"](key, b"\x72", signature)
    assert not verifier["is_signed"](key, b"\x73", signature)
