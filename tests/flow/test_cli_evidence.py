"""Evidence as a user keeps it and as an auditor checks it: record, seal, export, verify, release."""

import json
import random
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

from andon.interfaces.cli import app

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
    """120 decisions of two models and some outcomes, a seal over loan's third day on; its receipt."""
    lines = [line(i, "loan" if i % 3 else "other") for i in range(120)]
    lines += [line(i, kind="outcome", label=1) for i in range(40, 60)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    assert andon("record", "events.jsonl")[0] == 0
    code, out, _ = andon(
        "evidence", "seal", "--model", "loan", "--since", "2026-03-03T00:00:00Z", "--reason", "INC-1", "--json"
    )
    assert code == 0
    (tmp_path / "receipt.json").write_text(out)
    assert andon("record", "events.jsonl", "--quiet")[0] == 0  # life goes on
    return json.loads(out)


@pytest.fixture
def bundle(andon, sealed, tmp_path):
    code, out, _ = andon("evidence", "export", sealed["seal_id"], "--out", "bundle.zip", "--json")
    assert code == 0
    return tmp_path / "bundle.zip", json.loads(out)


def check(path, *more):
    """As an auditor: no Andon, no site packages, an empty environment."""
    command = [sys.executable, "-I", "-S", VERIFY, str(path), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=path.parent)  # noqa: S603
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_auditor_checks_a_bundle(andon, sealed, bundle, tmp_path):
    path, exported = bundle
    code, out = check(path, "--vkey", sealed["vkey"], "--against", str(tmp_path / "receipt.json"))
    assert code == 0, out
    assert f"OK: {exported['entries']} entries" in out
    assert "still begins with the 141 entries" in out
    assert "left out" in out
    assert "rollback is not excluded" in check(path)[1]
    assert andon("evidence", "verify", "bundle", str(path))[0] == 0


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


def test_redacted_bundle_holds_no_payload(andon, sealed, tmp_path):
    assert andon("evidence", "export", "last", "--out", "r.zip", "--redact", "inputs")[0] == 0
    with zipfile.ZipFile(tmp_path / "r.zip") as zipped:
        assert not any(b"person-" in zipped.read(name) for name in zipped.namelist())
    code, out = check(tmp_path / "r.zip", "--vkey", sealed["vkey"])
    assert (code, "1 payloads are what was recorded" in out) == (0, True)


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


def test_another_key_or_an_older_history_fails(bundle, tmp_path):
    path, _ = bundle
    code, out = check(path, "--vkey", "other+00000000+AAAA")
    assert (code, out[:7]) == (1, "FAILED:")
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    receipt["checkpoint"] = receipt["checkpoint"].replace("\n141\n", "\n140\n")
    (tmp_path / "forged.json").write_text(json.dumps(receipt))
    assert check(path, "--against", str(tmp_path / "forged.json"))[0] == 1


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


def test_prove_hold_release(andon, sealed, monkeypatch):
    code, out, _ = andon("evidence", "prove", "p7")
    assert (code, json.loads(out)["schema"]) == (0, "andon.proof/1")
    assert sealed["seal_id"] in andon("evidence", "hold")[1]
    assert andon("evidence", "release", "last", "--by", "ada", "--reason", "done")[0] == 3
    assert andon("evidence", "release", "last", "--by", "ada", "--reason", "done")[0] == 3
    assert andon("evidence", "release", "last", "--by", "bob", "--reason", "done")[0] == 0
    assert json.loads(andon("evidence", "hold", "--json")[1])["holds"][0]["is_released"]
    andon("evidence", "seal", "--model", "loan", "--reason", "INC-2")
    monkeypatch.setenv("ANDON_APPROVAL", "one_person")
    assert andon("evidence", "release", "last", "--by", "ada", "--reason", "done")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("record", "nowhere.jsonl"), "cannot read nowhere.jsonl"),
        (("record", "bad.jsonl"), "line 2: "),
        (("record", "naive.jsonl"), "has no zone"),
        (("record", "deep.jsonl"), "nested too deep"),
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
    assert json.loads(done.stdout) == {"events": 2500, "first": 0, "end": 2500}
    done = subprocess.run(command, input=lines + "nonsense\n", capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, "the 2,000 before this batch are recorded" in done.stderr) == (2, True)


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
        assert json.loads(zipped.read("findings.json")) == scan
    assert check(tmp_path / "scan.zip")[0] == 0


def test_rows_without_an_id_are_refused(andon, tmp_path):
    (tmp_path / "model.yaml").write_text("model_id: m\nid_column: id\ntime_column: ts\n")
    (tmp_path / "log.csv").write_text("id,ts\na,2026-03-01T00:00:00Z\n,2026-03-01T01:00:00Z\n")
    code, _, err = andon("record", "log.csv", "--model", "model.yaml")
    assert (code, "1 rows of log.csv have no id" in err) == (2, True), err
