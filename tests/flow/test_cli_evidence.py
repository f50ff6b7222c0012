"""Evidence as a user keeps it and as an auditor checks it: record, seal, export, verify, release."""

import errno
import hashlib
import json
import os
import random
import secrets
import shlex
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import components
from andon.bootstrap.ledger import open_ledger
from andon.bootstrap.logs import open_log
from andon.interfaces.cli import app
from andon.services.record import Record

EVENT = {"ts": "2026-03-01T00:00:00Z", "model_id": "loan", "prediction": 1}
VERIFY = str(files("andon") / "packs" / "bundle" / "verify.py")


def line(number, model="loan", **more):
    event = {"id": f"p{number}", "ts": f"2026-03-{1 + number // 24:02d}T{number % 24:02d}:00:00Z", "model_id": model}
    return json.dumps(event | {"subject": f"person-{number}", "inputs": {"age": number}, "score": 0.5} | more)


@pytest.fixture
def andon(monkeypatch, capsys, tmp_path):
    """Runs the command line in this process; gives exit code, stdout, stderr."""
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["andon", *arguments])
        with pytest.raises(SystemExit) as left:
            app.main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return left.value.code, printed.out, printed.err

    return run


@pytest.fixture
def sealed(andon, tmp_path):
    """120 decisions of two models and some outcomes, a seal on loan's fifth day (so from the third on); its receipt."""
    lines = [line(i, "loan" if i % 3 else "other") for i in range(120)]
    lines += [line(i, kind="outcome", label=1) for i in range(40, 60)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    assert andon("record", "events.jsonl")[0] == 0
    code, out, _ = andon(
        "evidence", "seal", "--model", "loan", "--since", "2026-03-05T00:00:00Z", "--reason", "INC-1", "--json"
    )
    assert code == 0
    (tmp_path / "receipt.json").write_text(out)
    (tmp_path / "more.jsonl").write_text("\n".join([*lines, line(700)]) + "\n")
    assert andon("record", "more.jsonl", "--quiet")[0] == 0  # life goes on
    return json.loads(out)


@pytest.fixture
def bundle(andon, sealed, tmp_path):
    code, out, _ = andon("evidence", "export", sealed["seal_id"], "--out", "bundle.zip", "--json")
    assert code == 0
    return tmp_path / "bundle.zip", json.loads(out)


def check(path, *more):
    """Exit code and what is printed; see `checked`."""
    return checked(path, *more)[:2]


def checked(path, *more):
    """As an auditor: no Andon, no site packages, an empty environment, an empty folder, which stays empty."""
    command = [sys.executable, "-I", "-S", VERIFY, str(path.absolute()), *more]
    with TemporaryDirectory() as empty:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, env={}, cwd=empty, timeout=60
        )
        assert not list(Path(empty).iterdir())
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_auditor_checks_a_bundle(andon, sealed, bundle, tmp_path):
    path, exported = bundle
    code, out = check(path, "--vkey", sealed["vkey"], "--against", str(tmp_path / "receipt.json"))
    assert code == 0, out
    assert f"OK: {exported['entries']} entries" in out
    assert "still begins with the 142 entries" in out
    assert "left out" in out
    assert "rollback is not excluded" in check(path)[1]
    assert andon("evidence", "verify", "bundle", str(path))[0] == 0


def test_the_verifier_of_the_bundle_itself_needs_nothing_beside_it(sealed, bundle, tmp_path):
    """Taken out of the bundle, alone in a folder; the bundle lies elsewhere, and nothing of Andon is near."""
    alone = tmp_path / "alone"
    alone.mkdir()
    with zipfile.ZipFile(bundle[0]) as zipped:
        (alone / "verify.py").write_bytes(zipped.read("verify.py"))
    command = [sys.executable, "-I", "-S", "verify.py", str(bundle[0]), "--vkey", sealed["vkey"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=alone)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"OK: {bundle[1]['entries']} entries" in done.stdout
    assert [path.name for path in alone.iterdir()] == ["verify.py"]


def test_bundle_reads_for_people(bundle, sealed):
    with zipfile.ZipFile(bundle[0]) as zipped:
        readme = zipped.read("README.txt").decode()
        assert "What it does not prove" in readme
        assert sealed["vkey"] in readme
        assert b"person-" in zipped.read("samples.txt")
        assert zipped.read("verify.py") == (files("andon") / "packs" / "bundle" / "verify.py").read_bytes()
        kinds = [json.loads(row)["header"]["kind"] for row in zipped.read("custody.jsonl").splitlines()]
        assert kinds == ["hold", "export"]
        assert b'"other"' not in zipped.read("headers.bin")  # another model's decisions show their leaf only


@pytest.mark.parametrize("word", ["payload", "inputs"])
def test_redacted_bundle_holds_no_payload(word, andon, sealed, tmp_path):
    assert f"`{word}`" in " ".join(andon("evidence", "export", "--help")[1].split())
    code, _, err = andon("evidence", "export", "last", "--out", "r.zip", "--redact", "names")
    assert (code, word in err) == (2, True)
    assert andon("evidence", "export", "last", "--out", "r.zip", "--redact", word)[0] == 0
    with zipfile.ZipFile(tmp_path / "r.zip") as zipped:
        assert not any(b"person-" in zipped.read(name) for name in zipped.namelist())
    code, out = check(tmp_path / "r.zip", "--vkey", sealed["vkey"])
    assert (code, "1 payloads are what was recorded" in out) == (0, True)


def test_a_redacted_bundle_without_events_is_whole(andon, sealed):
    assert andon("evidence", "seal", "--model", "of-nobody", "--reason", "INC-1")[0] == 0
    assert andon("evidence", "export", "last", "--out", "empty.zip", "--redact", "inputs")[0] == 0
    code, out, err = andon("evidence", "verify", "bundle", "empty.zip")
    assert (code, "0 are left out" in out) == (0, True), (out, err)


def test_an_export_to_a_full_disk_leaves_nothing(andon, sealed, tmp_path, monkeypatch):
    """The end of a zip is written when it is closed."""

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted(tmp_path.rglob("*"))
    with monkeypatch.context() as patched:
        patched.setattr("andon.adapters.zip_bundle.zipfile.ZipFile._write_end_record", full)
        code, _, err = andon("evidence", "export", "last", "--out", "full.zip")
    assert (code, "No space left" in err) == (2, True), err
    assert sorted(tmp_path.rglob("*")) == before


def test_an_export_goes_where_no_other_file_is(andon, sealed, bundle, tmp_path):
    """What cannot be written is refused before it stands in log and journal; what was there stays as it was."""
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "folder").mkdir()
    (tmp_path / "nothing").symlink_to("nowhere")
    (tmp_path / "to-ledger").symlink_to("home/ledger")
    os.mkfifo(tmp_path / "pipe")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a", "b")
    refused = ["", ".", "/", "folder", "folder/", "..", "pipe", "nothing", "thesis.txt", "other.zip", "receipt.json"]
    refused += ["\udcff.zip", "a\n.zip", "a\0.zip", "x" * 300, "thesis.txt/x.zip", "folder/no/x.zip"]
    refused += ["home/ledger/x.zip", "home/ledger/w-main/x.zip", "home/artifacts/x", "home/x.json", "to-ledger/x.zip"]
    refused += ["folder/../home/ledger/x.zip", *map(str, (tmp_path / "home").rglob("*"))]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for out in refused:
        code, printed, err = andon("evidence", "export", "last", "--out", out)
        assert (code, printed, err.count("\n")) == (2, "", 1), (out, err)
        assert "cannot write" in err or "--out" in err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    (tmp_path / "empty").touch()
    for out in ("bundle.zip", "empty", "home/x.zip", "Bündel 2.zip"):
        assert andon("evidence", "export", "last", "--out", out)[0] == 0
        assert check(tmp_path / out)[0] == 0


def rewritten(path, name, data, target):
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, data if each == name else old.read(each))
    return target


@pytest.fixture
def verifier():
    """verify.py as a module, so that thousands of checks need no process each."""
    namespace = {"__name__": "verify"}
    exec(compile(Path(VERIFY).read_text(encoding="utf-8"), VERIFY, "exec"), namespace)  # noqa: S102
    return namespace


def test_every_kind_of_flip_is_found_and_named(bundle, sealed, tmp_path, verifier, capsys):
    dice = random.Random(5)  # noqa: S311
    with zipfile.ZipFile(bundle[0]) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    for name, data in members.items():
        for at in sorted(dice.sample(range(len(data)), min(len(data), 25))):
            changed = bytearray(data)
            changed[at] ^= 1 << dice.randrange(8)
            target = rewritten(bundle[0], name, bytes(changed), tmp_path / "changed.zip")
            assert verifier["main"]([str(target), "--vkey", sealed["vkey"]]) == 1, (name, at)
            said = capsys.readouterr().out
            assert said.startswith("FAILED: ")
            if name in ("leaves.bin", "headers.bin", "payloads.bin"):
                assert "entr" in said, (name, at, said)


def test_a_flipped_byte_of_the_zip_itself(bundle, sealed, tmp_path, verifier, capsys):
    data, dice, passed = bundle[0].read_bytes(), random.Random(6), 0  # noqa: S311
    for _ in range(300):
        changed = bytearray(data)
        at = dice.randrange(len(data))
        changed[at] ^= 1 << dice.randrange(8)
        (tmp_path / "changed.zip").write_bytes(changed)
        passed += verifier["main"]([str(tmp_path / "changed.zip"), "--vkey", sealed["vkey"]]) == 0
        capsys.readouterr()
    assert passed < 30  # dates and attributes in the zip's own headers are no evidence; the members were equal


def packed(path, name, method, target, flags=0):
    """The bundle with one member packed by another method, which Python may know, and its data damaged."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, old.read(each), zipfile.ZIP_LZMA if each == name and method == 14 else None)
        at = new.getinfo(name).header_offset
    data = bytearray(target.read_bytes())
    entry = data.rindex(name.encode()) - 46  # of the zip's directory
    data[entry + 10] = data[at + 8] = method
    data[entry + 8] = data[at + 6] = flags
    data[at + 39 + len(name) : at + 59 + len(name)] = bytes(20)
    target.write_bytes(data)
    return target


def test_what_cannot_be_unpacked_is_told(bundle, tmp_path):
    for method, flags in ((14, 0), (12, 0), (97, 0), (8, 1), (8, 0x40), (8, 0)):
        for name in ("leaves.bin", "headers.bin", "payloads.bin", "manifest.json", "README.txt"):
            code, out, err = checked(packed(bundle[0], name, method, tmp_path / "packed.zip", flags))
            assert (code, out.count("\n"), err, out[:8]) == (1, 1, "", "FAILED: "), out
            assert name in out or (method, flags) == (8, 0), out
            assert ("neither stored nor deflated" in out) == ((method, flags) != (8, 0)), out


def test_a_receipt_that_cannot_be_read_is_one_sentence(andon, bundle, tmp_path):
    (tmp_path / "deep").write_text('{"checkpoint": ' + "[" * 100_000)
    (tmp_path / "number").write_text('{"checkpoint": 5}')
    (tmp_path / "half").write_text('{"checkpoint": "\\ud800"}')
    (tmp_path / "none.zip").write_bytes(b"PK\5\6" + bytes(18))
    packings = ((14, 0), (12, 0), (97, 0), (8, 1), (8, 0x40), (8, 0))
    for method, flags in packings:
        packed(bundle[0], "checkpoint", method, tmp_path / f"{method}-{flags}.zip", flags)
    names = ["deep", "number", "half", "none.zip", *(f"{method}-{flags}.zip" for method, flags in packings)]
    for name in [*names, "home", "nowhere"]:
        for words in (("log", "--against"), ("consistency", "--against"), ("checkpoint",)):
            code, out, err = andon("evidence", "verify", *words, name)
            assert (code, out, err.count("\n"), name in err) == (2, "", 1, True), (words, err)
            assert "None" not in err
        code, out, err = andon("evidence", "verify", "bundle", "bundle.zip", "--against", name)
        assert (code in (1, 2), out, err.count("\n")) == (True, "", 1), err
        assert f"cannot read {name}: " in err or err == "andon: the receipt is no signed note\n"
    for words in (("checkpoint", ""), ("bundle", ""), ("bundle", "home"), ("bundle", "nowhere")):
        code, out, err = andon("evidence", "verify", *words)
        assert (code, out, err.count("\n"), words[1] in err) == (2, "", 1, True), err


SCANS = {
    "bare": '{"schema": "andon.scan/1"}',
    "number": '{"schema": "andon.scan/1", "incidents": 5}',
    "null": '{"schema": "andon.scan/1", "incidents": null}',
    "text": '{"schema": "andon.scan/1", "incidents": "ab"}',
    "no-start": '{"schema": "andon.scan/1", "incidents": [{}]}',
    "list": '{"schema": "andon.scan/1", "incidents": [[]]}',
    "start-5": '{"schema": "andon.scan/1", "incidents": [{"started_at_low": 5}]}',
    "soon": '{"schema": "andon.scan/1", "incidents": [{"started_at_low": "soon"}]}',
    "half": '{"schema": "andon.scan/1", "incidents": [], "x": "\\ud800"}',
    "half-key": '{"schema": "andon.scan/1", "incidents": [], "\\ud800": 1}',
    "nan": '{"schema": "andon.scan/1", "incidents": [], "x": NaN}',
    "large": '{"schema": "andon.scan/1", "incidents": [], "x": 1e999}',
    "digits": '{"schema": "andon.scan/1", "incidents": [], "x": ' + "1" * 5_000 + "}",
    "deep": '{"schema": "andon.scan/1", "incidents": [], "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "other": '["andon.scan/1"]',
    "empty": "",
}


def test_a_seal_of_what_is_no_seal_leaves_nothing(andon, sealed, pinned, tmp_path):
    for name, text in SCANS.items():
        (tmp_path / f"{name}.json").write_text(text)
    (tmp_path / "prompt").write_text("Decide.")
    os.mkfifo(tmp_path / "pipe")
    words = [("--scan", f"{name}.json") for name in SCANS]
    for method, flags in ((14, 0), (12, 0), (97, 0), (8, 1), (8, 0x40), (8, 0)):
        packed(pinned[0], "scan.json", method, tmp_path / f"{method}-{flags}.pin", flags)
        words.append(("--scan", f"{method}-{flags}.pin"))
    words += [("--scan", ""), ("--scan", "home"), ("--artifact", "a=pipe"), ("--artifact", "a=home")]
    words += [("--model", "m" * 70_000), ("--model", "ü" * 40_000), ("--model", ""), ("--model", "m\udcff")]
    words += [("--reason", ""), ("--reason", " "), ("--reason", "x\udcff"), ("--artifact", "b=nowhere")]
    words += [("--artifact", "b=" + "x" * 300), ("--scan", "x" * 300)]
    words += [("--since", "2026-03-05", "--until", "2026-03-01")]
    before = sorted(path for path in (tmp_path / "home").rglob("*") if "journal" not in path.name)
    for each in words:
        given = ("--model", "loan", "--reason", "INC-1", "--artifact", "z=prompt")
        code, out, err = andon("evidence", "seal", *given, *each)
        assert (code, out, err.count("\n")) == (2, "", 1), (each, err)
    assert sorted(path for path in (tmp_path / "home").rglob("*") if "journal" not in path.name) == before
    assert len(json.loads(andon("evidence", "hold", "--json")[1])["holds"]) == 1
    for model in ("m" * 32_000, "ü" * 16_000):
        assert andon("evidence", "seal", "--model", model, "--reason", "r" * 70_000)[0] == 0
    assert andon("evidence", "export", "last", "--out", "long.zip")[0] == 0
    assert check(tmp_path / "long.zip")[0] == 0


def test_another_key_or_an_older_history_fails(bundle, tmp_path):
    path, _ = bundle
    code, out = check(path, "--vkey", "other+00000000+AAAA")
    assert (code, out[:7]) == (1, "FAILED:")
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    receipt["checkpoint"] = receipt["checkpoint"].replace("\n142\n", "\n140\n")
    (tmp_path / "forged.json").write_text(json.dumps(receipt))
    assert check(path, "--against", str(tmp_path / "forged.json"))[0] == 1


def test_an_empty_receipt_or_key_is_refused(andon, sealed, bundle, tmp_path):
    """A shell writes "" for a variable that is not set: it must not pass for a comparison that was made."""
    (tmp_path / "empty").write_text("")
    (tmp_path / "blank").write_text(" \n")
    (tmp_path / "other.json").write_text('{"checkpoint": ""}')
    (tmp_path / "deep.json").write_text('{"checkpoint": ' + "[" * 100_000)
    wrong = [("--against", ""), ("--vkey", ""), ("--against", str(tmp_path)), ("--against", str(bundle[0]))]
    wrong += [("--against", str(tmp_path / name)) for name in ("empty", "blank", "other.json", "deep.json", "no.json")]
    for option, value in wrong:
        code, out, err = checked(bundle[0], option, value)
        assert (code, out, err.count("\n")) == (2, "", 1), (option, value, err)
        assert (value or option) in err
        code, out, err = andon("evidence", "verify", "bundle", "bundle.zip", option, value)
        assert (code, out, err.count("\n"), (value or option) in err) == (2, "", 1, True), (option, value, err)
        if value != str(bundle[0]):  # the others take the checkpoint of a bundle too
            for what in ("log", "consistency", "checkpoint")[: 2 if option == "--against" else 3]:
                code, _, err = andon("evidence", "verify", what, option, value)
                assert (code in (1, 2), err.count("\n")) == (True, 1), (what, option, value, err)
    kept = str(tmp_path / "receipt.json")
    assert checked(bundle[0], "--against", kept, "--against", kept)[0] == 2  # of two, which one was compared?
    note = sealed["checkpoint"].replace("142", "143")
    (tmp_path / "forged").write_text(note)
    code, out, _ = checked(bundle[0], "--against", str(tmp_path / "forged"))
    assert (code, out) == (1, "FAILED: the receipt is not signed by andon.local/w-main\n")


def test_any_receipt_shows_a_rollback(andon, sealed, bundle, tmp_path):
    """What record, seal, export and prove gave out carries a checkpoint that an older copy of the log cannot meet."""
    (tmp_path / "one.jsonl").write_text(line(719) + "\n")
    old = tmp_path / "old"
    shutil.copytree(tmp_path / "home", old)
    (tmp_path / "recorded.json").write_text(andon("record", "one.jsonl", "--json")[1])
    (tmp_path / "proof.json").write_text(andon("evidence", "prove", "p719")[1])
    assert andon("evidence", "export", "last", "--out", "later.zip")[0] == 0
    for receipt in ("recorded.json", "proof.json", "later.zip"):
        assert andon("evidence", "verify", "log", "--against", receipt)[0] == 0
        code, _, err = andon("evidence", "verify", "log", "--against", receipt, "--data", str(old))
        assert (code, "rolled back" in err) == (1, True), err
    assert andon("evidence", "verify", "log", "--against", str(bundle[0]), "--data", str(old))[0] == 0


def test_tampered_log_exits_1_and_names_the_entry(andon, sealed, tmp_path):
    (wal,) = (tmp_path / "home" / "ledger" / "w-main" / "wal").iterdir()
    data = bytearray(wal.read_bytes())
    data[300] ^= 1
    wal.write_bytes(data)
    code, _, err = andon("evidence", "verify", "log")
    assert code == 1
    assert "damaged at byte 0, entry 0" in err


def test_rolled_back_log_is_found_by_the_receipt(andon, sealed, tmp_path):
    assert andon("evidence", "verify", "log", "--against", "receipt.json")[0] == 0
    assert andon("evidence", "verify", "consistency", "--against", "receipt.json", "--json")[0] == 0
    for path in (tmp_path / "home" / "ledger" / "w-main").rglob("*"):
        if path.is_file():
            path.unlink()
    andon("record", "events.jsonl")
    code, _, err = andon("evidence", "verify", "log", "--against", "receipt.json")
    assert (code, "rolled back" in err) == (1, True)


def test_a_seal_of_a_model_that_nothing_is_known_of_says_so(andon, sealed):
    assert sealed["model_known"]
    assert "no decision of loam is known" in andon("evidence", "seal", "--model", "loam", "--reason", "INC-2")[1]
    assert "note:" not in andon("evidence", "seal", "--model", "other", "--reason", "INC-2")[1]


def test_prove_hold_release(andon, sealed, monkeypatch):
    code, out, _ = andon("evidence", "prove", "p7")
    assert (code, json.loads(out)["schema"]) == (0, "andon.proof/1")
    assert sealed["seal_id"] in andon("evidence", "hold")[1]
    assert andon("evidence", "release", "last", "--by", "ada", "--reason", "done")[0] == 3
    for same in ("ada", "Ada ", " ADA"):
        code, _, err = andon("evidence", "release", "last", "--by", same, "--reason", "done")
        assert (code, "another person has to ask" in err) == (3, True), err
    for by, reason in ((" ", "done"), ("bob", ""), ("b\x1bob", "done"), ("b\udcffob", "done"), ("bob", "d\none")):
        code, _, err = andon("evidence", "release", "last", "--by", by, "--reason", reason)
        assert (code, err.count(": write ")) == (2, 1), err
    assert andon("evidence", "release", "last", "--by", "bob", "--reason", "done")[0] == 0
    [hold] = json.loads(andon("evidence", "hold", "--json")[1])["holds"]
    assert (hold["is_released"], hold["releasers"]) == (True, ["ada", "bob"])
    andon("evidence", "seal", "--model", "loan", "--reason", "INC-2")
    monkeypatch.setenv("ANDON_APPROVAL", "one_person")
    assert andon("evidence", "release", "last", "--by", "ada", "--reason", "done")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("record", "nowhere.jsonl"), "cannot read nowhere.jsonl"),
        (("record", "bad.jsonl"), "line 2: "),
        (("record", "naive.jsonl"), "has no zone"),
        (("record", "deep.jsonl"), "nested more than 100 deep"),
        (("record", "-", "--dry-run"), "standard input"),
        (("evidence", "verify", "log", "--data", "nowhere"), "no ledger"),
        (("evidence", "verify", "moon"), "no moon to verify"),
        (("evidence", "verify", "consistency"), "--against"),
        (("evidence", "verify", "bundle"), "which bundle"),
        (("evidence", "export", "seal_0", "--out", "x.zip"), "no seal seal_0"),
        (("evidence", "export", "last", "--out", "no/where/x.zip"), "no folder"),
        (("evidence", "prove", "nobody"), "no entry nobody"),
        (("evidence", "seal", "--model", "m", "--reason", "x", "--since", "soon"), "is no time"),
        (("evidence", "seal", "--model", "m", "--reason", "x", "--scan", "bad.jsonl"), "no JSON"),
    ],
)
def test_bad_input_is_one_sentence(andon, sealed, tmp_path, words, said):
    (tmp_path / "bad.jsonl").write_text(line(1) + '\n{"id": 3}\n')
    (tmp_path / "naive.jsonl").write_text(line(1).replace("Z", ""))
    (tmp_path / "deep.jsonl").write_text('{"inputs": ' + "[" * 100_000)
    before = json.loads(andon("evidence", "verify", "checkpoint", "--json")[1])["size"]
    code, out, err = andon(*words)
    assert code == 2, err
    assert (out, said in err, err.count("\n")) == ("", True, 1), err
    assert json.loads(andon("evidence", "verify", "checkpoint", "--json")[1])["size"] == before


def test_standard_input(tmp_path):
    program = "from andon.interfaces.cli.app import main; main()"
    command = [sys.executable, "-c", program, "record", "-", "--data", str(tmp_path / "d"), "--json"]
    lines = "".join(line(i % 500) + "\n" for i in range(2_500))
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)  # noqa: S603
    receipt = json.loads(done.stdout)
    assert receipt.pop("checkpoint").startswith("andon.local/w-main\n2503\n")
    assert receipt == {"events": 2500, "repeated": 0, "first": 0, "end": 2503, "first_id_known_as": None}
    done = subprocess.run(command, input=lines + "nonsense\n", capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, "the 2,000 before this batch are recorded" in done.stderr) == (2, True)
    command += ["--producer", "queue-7"]
    for sent, new in ((lines, 2_500), (lines, 0), (lines + line(1) + "\n", 1)):  # sent again after a lost answer
        done = subprocess.run(command, input=sent, capture_output=True, text=True, check=False)  # noqa: S603
        assert json.loads(done.stdout)["events"] == new
    other = line(900) + "\n"  # under a name that has a meaning of its own, such as that of a nightly job
    done = subprocess.run(command, input=other, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout, "begins with another line" in done.stderr) == (3, "", True)


def test_scan_of_the_ledger_finds_what_the_file_shows(andon, tmp_path):
    """The rows come back with their columns, types and labels, so the documents differ in their seconds only."""
    folder = Path(__file__).parents[1] / "data" / "o01_taiwan_renamed_feature"
    model, log, reference = (str(folder / name) for name in ("model.yaml", "log.parquet", "reference.parquet"))
    assert andon("record", log, "--model", model)[0] == 0
    documents = []
    for source in (log, "ledger:"):
        words = ("scan", source, "--model", model, "--reference", reference, "--every", "3d", "--json", "-")
        code, out, _ = andon(*words)
        assert code == 1
        documents.append({key: value for key, value in json.loads(out).items() if key != "seconds"})
    assert documents[0] == documents[1]


def test_a_pinned_scan_starts_the_hold_48_h_before_and_goes_along(andon, sealed, tmp_path):
    scan = {"schema": "andon.scan/1", "incidents": [{"started_at_low": "2026-03-04T12:00:00Z"}]}
    (tmp_path / "scan.json").write_text(json.dumps(scan))
    assert andon("evidence", "seal", "--model", "loan", "--reason", "INC-2", "--scan", "scan.json")[0] == 0
    assert "2026-03-02T12:00:00.000000Z to now" in andon("evidence", "hold")[1]
    assert andon("evidence", "export", "last", "--out", "scan.zip")[0] == 0
    with zipfile.ZipFile(tmp_path / "scan.zip") as zipped:
        assert json.loads(zipped.read("scan.json")) == scan
    assert check(tmp_path / "scan.zip")[0] == 0


def test_the_seal_itself_pins_version_and_configuration(andon, tmp_path):
    """Not only each entry says which version answered: the hold does, with the model file it was sealed by."""
    (tmp_path / "model.yaml").write_text("model_id: loan\nid_column: id\ntime_column: ts\n")
    for name, version in (("a", "v1"), ("b", "v2")):
        (tmp_path / f"{name}.jsonl").write_text("".join(line(i, model_version=version) + "\n" for i in range(5)))
        assert andon("record", f"{name}.jsonl")[0] == 0
    code, out, _ = andon("evidence", "seal", "--model", "model.yaml", "--reason", "INC-1", "--json")
    assert code == 0
    with open_ledger(str(tmp_path / "home")) as ledger:
        _, entry = next(ledger.log.read(json.loads(out)["entry"]))
    held = json.loads(entry.payload)
    assert [each["version"] for each in held["model"]["versions"]] == ["v1", "v2"]
    assert all(each["first_at"] <= each["last_at"] for each in held["model"]["versions"])
    assert held["model"]["registered"] is None
    assert "id_column: id" in held["model_yaml"]


def test_rows_without_an_id_are_refused(andon, tmp_path):
    (tmp_path / "model.yaml").write_text("model_id: m\nid_column: id\ntime_column: ts\n")
    (tmp_path / "log.csv").write_text("id,ts\na,2026-03-01T00:00:00Z\n,2026-03-01T01:00:00Z\n")
    code, _, err = andon("record", "log.csv", "--model", "model.yaml")
    assert (code, "1 row of log.csv has no id" in err) == (2, True), err


@pytest.fixture(scope="module")
def pinned(tmp_path_factory):
    """A scan of a real log, with what it saw."""
    folder, target = Path(__file__).parents[1] / "data" / "o01_taiwan_renamed_feature", tmp_path_factory.mktemp("pin")
    words = ["scan", str(folder / "log.parquet"), "--model", str(folder / "model.yaml"), "--every", "3d", "--quiet"]
    words += ["--reference", str(folder / "reference.parquet"), "--pin", str(target / "scan.pin")]
    program = "from andon.interfaces.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1, done.stderr
    return target / "scan.pin", folder


def test_findings_and_charts_come_out_of_the_bundle_again(andon, sealed, pinned, tmp_path):
    """The log is gone; the bundle has counts, not rows, and from them all is the same, to the byte of each SVG."""
    pin, folder = pinned
    model = tmp_path / "model.yaml"
    model.write_text((folder / "model.yaml").read_text() + "artifacts:\n  prompt: prompt.txt\n")
    words = ("evidence", "seal", "--model", str(model), "--scan", str(pin), "--reason", "INC-7")
    code, _, err = andon(*words)
    assert (code, "cannot pin" in err, "prompt.txt" in err) == (2, True, True)
    (tmp_path / "prompt.txt").write_text("Decide.")
    (tmp_path / "eval.csv").write_text("id,label\n1,0\n")
    assert andon(*words, "--artifact", "evaluation_set=eval.csv")[0] == 0
    assert andon("evidence", "export", "last", "--out", "case.zip")[0] == 0
    code, out = check(tmp_path / "case.zip")
    assert code == 0, out
    with zipfile.ZipFile(tmp_path / "case.zip") as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    assert members["artifact-prompt"] == b"Decide."
    assert members["artifact-evaluation_set"].startswith(b"id,label")
    charts = [name for name in members if name.startswith("chart-")]
    assert len(charts) > 5
    code, out, err = andon("evidence", "recompute", "case.zip", "--json")
    assert code == 0, err
    assert json.loads(out) == {"recomputed": "case.zip", "ok": True, "findings": 1, "charts": len(charts)}
    forged = members[charts[2]].replace(b"<svg", b"<svg ")
    rewritten(tmp_path / "case.zip", charts[2], forged, tmp_path / "forged.zip")
    assert andon("evidence", "recompute", "forged.zip")[0] == 1
    scan = json.loads(members["scan.json"])
    scan["incidents"][0]["findings"][0]["value"] += 0.25
    rewritten(tmp_path / "case.zip", "scan.json", json.dumps(scan).encode(), tmp_path / "forged.zip")
    code, _, err = andon("evidence", "recompute", "forged.zip")
    assert (code, "findings of incident 1" in err) == (1, True), err


def test_what_a_seal_pinned_is_proven_by_its_entry(andon, sealed, pinned, tmp_path):
    """Members and manifest are changed together; the hold in the tree knows better."""
    assert andon("evidence", "seal", "--model", "loan", "--scan", str(pinned[0]), "--reason", "INC-8")[0] == 0
    assert andon("evidence", "export", "last", "--out", "case.zip")[0] == 0
    with zipfile.ZipFile(tmp_path / "case.zip") as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    for name in ("observed.json", "chart-002.svg", "scan.json"):
        changed = members[name].replace(b"1", b"2", 1)
        manifest = (
            members["manifest.json"]
            .decode()
            .replace(hashlib.sha256(members[name]).hexdigest(), hashlib.sha256(changed).hexdigest())
        )
        rewritten(tmp_path / "case.zip", name, changed, tmp_path / "a.zip")
        rewritten(tmp_path / "a.zip", "manifest.json", manifest.encode(), tmp_path / "b.zip")
        code, out = check(tmp_path / "b.zip")
        assert (code, f"{name} is not the" in out, "pinned" in out) == (1, True, True), out


def changed_together(path, members, target):
    """A bundle with other members (None: without it), and a manifest that names them."""
    with zipfile.ZipFile(path) as zipped:
        all_ = {name: zipped.read(name) for name in zipped.namelist()} | members
    manifest = json.loads(all_["manifest.json"])
    proven = ("manifest.json", "leaves.bin", "headers.bin", "payloads.bin", "proof.bin")
    files_ = {name: hashlib.sha256(data).hexdigest() for name, data in all_.items() if data and name not in proven}
    all_["manifest.json"] = json.dumps(manifest | {"files": dict(sorted(files_.items()))}, indent=2).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in all_.items():
            if data is not None:
                new.writestr(name, data)
    return target


def test_members_that_the_seal_does_not_know(andon, sealed, tmp_path):
    (tmp_path / "prompt").write_text("Decide.")
    assert andon("evidence", "seal", "--model", "loan", "--reason", "x", "--artifact", "prompt=prompt")[0] == 0
    assert andon("evidence", "export", "last", "--out", "b.zip")[0] == 0
    path, target = tmp_path / "b.zip", tmp_path / "c.zip"
    assert check(changed_together(path, {}, target))[0] == 0
    with zipfile.ZipFile(path) as zipped:
        told = zipped.read("pinned.json")
        manifest = json.loads(zipped.read("manifest.json"))
    wrong = {
        "artifact-prompt is not the file": {"artifact-prompt": b"Decode."},
        "or missing": {"artifact-prompt": None},
        "pinned.json is not the one": {"pinned.json": told.replace(b"true", b"false")},
        "pinned.json is not the one that": {"pinned.json": told.replace(b'"bytes": 7', b'"bytes": 7.0')},
        "pinned.json is missing": {"pinned.json": None},
        "chart-001.svg is no member": {"chart-001.svg": b"<svg/>"},
        "scan.json is no member": {"scan.json": b"{}"},
        "pinned.json is encrypted, over 16777216 bytes": {"pinned.json": told + b" " * (1 << 24)},
        "checkpoint is encrypted, over": {"checkpoint": b" " * (1 + (1 << 24))},
    }
    for said, members in wrong.items():
        code, out = check(changed_together(path, members, target))
        assert (code, said in out, out.count("\n")) == (1, True, 1), (said, out)
    for name, value in (("first", False), ("seal", float(manifest["seal"])), ("vkey", "a\nOK: \u20ac+00+AA==")):
        text = json.dumps(manifest | {name: value}, indent=2).encode()
        code, out = check(rewritten(path, "manifest.json", text, target))
        assert (code, out.count("\n"), out.isascii()) == (1, 1, True), out
    for data in (b"x" + path.read_bytes(), path.read_bytes() + b"x", path.read_bytes()[:-2] + b"\1\0x"):
        target.write_bytes(data)
        code, out = check(target)
        assert (code, "bytes before the first member of the zip, or after its end" in out) == (1, True), out


def test_what_is_not_shown_is_counted(sealed, bundle):
    code, out = check(bundle[0])
    unseen = bundle[1]["end"] - bundle[1]["first"] - bundle[1]["entries"]
    assert (code, f"\n{unseen} entries among them are not shown" in out) == (0, unseen > 0), out
    with zipfile.ZipFile(bundle[0]) as zipped:
        assert b"that all of the case is here" in zipped.read("README.txt")


def test_a_lost_artifact_stops_the_export(andon, sealed, tmp_path):
    (tmp_path / "prompt.txt").write_text("Decide.")
    assert andon("evidence", "seal", "--model", "loan", "--reason", "x", "--artifact", "prompt=prompt.txt")[0] == 0
    (kept,) = (tmp_path / "home" / "artifacts").iterdir()
    kept.write_text("Decode.")
    code, _, err = andon("evidence", "export", "last", "--out", "case.zip")
    assert (code, "is not what was kept" in err, (tmp_path / "case.zip").exists()) == (1, True, False)


def test_a_file_is_recorded_once(andon, tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(line(i) + "\n" for i in range(30)))
    assert json.loads(andon("record", "a.jsonl", "--json")[1])["events"] == 30
    code, out, _ = andon("record", "a.jsonl")
    assert (code, "30 events were recorded before" in out) == (0, True)
    assert json.loads(andon("evidence", "verify", "checkpoint", "--json")[1])["size"] == 31


def test_openssl_checks_the_signature_of_a_bundle(bundle, tmp_path):
    if shutil.which("openssl") is None:
        components.missing("openssl")
    with zipfile.ZipFile(bundle[0]) as zipped:
        zipped.extractall(tmp_path / "open")
        readme = zipped.read("README.txt").decode()
    (command,) = (text.strip() for text in readme.splitlines() if text.strip().startswith("openssl"))
    done = subprocess.run(shlex.split(command), cwd=tmp_path / "open", capture_output=True, text=True, check=False)  # noqa: S603
    assert "Verified Successfully" in done.stdout, done.stderr
    (tmp_path / "open" / "checkpoint.text").write_text("other\n")
    assert subprocess.run(shlex.split(command), cwd=tmp_path / "open", capture_output=True, check=False).returncode  # noqa: S603


def test_retention_keeps_what_the_law_asks_for(andon, sealed):
    code, _, err = andon("evidence", "retain", "--days", "30")
    assert (code, "six months" in err) == (3, True)
    code, out, _ = andon("evidence", "retain", "--days", "200")
    assert (code, "0 entries" in out) == (0, True)


@pytest.fixture
def second(tmp_path, sealed):
    """What a second server of the folder left: a log of its own, beside the first with its `sealed`."""
    assert sealed
    with open_log(tmp_path / "home" / "ledger", "w-2") as log:
        entries = Record(log, lambda: datetime(2026, 3, 2, tzinfo=UTC), secrets.token_bytes).entries
        log.append(entries([json.dumps({**EVENT, "id": f"q{number}"}).encode() for number in range(5)]))
    return tmp_path / "home"


def test_a_seal_says_what_other_servers_wrote_and_pins_it(andon, second, tmp_path):
    code, out, _ = andon("evidence", "seal", "--model", "loan", "--reason", "INC-2", "--json")
    made = json.loads(out)
    assert (code, made["other_logs"]) == (0, {"andon.local/w-2": 5})
    with open_ledger(str(second)) as ledger:
        payload = json.loads(next(ledger.log.read(made["entry"]))[1].payload)
    assert [(each["log"], each["size"]) for each in payload["other_logs"]] == [("andon.local/w-2", 5)]
    (tmp_path / "other.note").write_text(payload["other_logs"][0]["note"])
    code, out, _ = andon("evidence", "verify", "log", "--log", "w-2", "--against", "other.note")
    assert (code, "goes on from the 5" in out) == (0, True)
    assert "--log w-2" in andon("evidence", "seal", "--model", "loan", "--reason", "INC-2")[1]
    code, out, _ = andon("evidence", "seal", "--model", "loan", "--reason", "INC-2", "--log", "w-2", "--json")
    assert (code, list(json.loads(out)["other_logs"])) == (0, ["andon.local/w-main"])
    assert andon("evidence", "export", "last", "--log", "w-2", "--out", "other.zip")[0] == 0
    assert check(tmp_path / "other.zip")[0] == 0
    assert json.loads(andon("evidence", "prove", "q3", "--log", "w-2")[1])["seq"] == 3


@pytest.mark.usefixtures("second")
def test_retention_looks_at_every_log(andon):
    code, out, _ = andon("evidence", "retain", "--days", "200", "--json")
    assert (code, list(json.loads(out)["others"])) == (0, ["w-2"])
    assert "w-2: 0 entries" in andon("evidence", "retain", "--days", "200", "--dry-run")[1]


@pytest.mark.usefixtures("second")
def test_a_log_that_is_not_there(andon):
    for words in (("hold",), ("verify", "log")):
        code, _, err = andon("evidence", *words, "--log", "w-7")
        assert (code, "name one of w-2, w-main" in err) == (2, True)


def test_a_pin_that_andon_cannot_have_packed(andon, tmp_path):
    with zipfile.ZipFile(tmp_path / "odd.pin", "w") as zipped:
        for name in ("scan.json", "observed.json", "setting.json", "model.yaml"):
            zipped.writestr(name, "x" * 100, zipfile.ZIP_LZMA)
    code, out, err = andon("evidence", "recompute", "odd.pin")
    assert (code, out, "packed in an unknown way" in err) == (2, "", True), err
