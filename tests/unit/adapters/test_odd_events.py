"""Odd events that are taken: closed into a segment they verify, are found and proven, sealed and handed out."""

import json
import secrets
from importlib.resources import files

import orjson
import pytest

from andon.adapters.duckdb.events import row_of
from andon.adapters.segments.verify import verify_folder
from andon.adapters.zip_bundle import ZipBundle
from andon.evidence.custody import Custody
from andon.inventory.model_file import parse_model
from andon.ledger.entry import parse_header
from andon.services.audit import Audit, Case
from andon.services.export import Export
from andon.services.record import Record
from andon.telemetry.readable import DEPTH_MAX
from journals import memory_journal
from ledgers import AT, SIGNER, entry_of, open_log

BASE = b'{"id":"p","ts":"2026-03-01T00:00:00Z","model_id":"m"}'
INPUTS = BASE[:-1] + b',"inputs":{"x":%s}}'
TIME = b'{"id":"p","ts":"%s","model_id":"m"}'
DEEP = DEPTH_MAX - 2


def named(name, model):
    return json.dumps({"id": name, "ts": "2026-03-01T00:00:00Z", "model_id": model}).encode()


ODD = {
    "deep": INPUTS % (b"[" * DEEP + b"]" * DEEP),
    "deep objects": INPUTS % (b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    "over all doubles": INPUTS % b"1e999",
    "many digits": INPUTS % (b"9" * 5_000),
    "twice": BASE[:-1] + b',"model_id":"n","inputs":{"x":1},"inputs":[]}',
    "no columns": BASE[:-1] + b',"inputs":7,"output":"\\u0000"}',
    "no names": BASE[:-1] + b',"inputs":{"":1,"a.b":2,"seq":3,"\\u0000":4},"segments":{"":1}}',
    "escaped kind": BASE[:-1] + rb',"k\u0069nd":"outcome","label":1}',
    "first day": TIME % b"0001-01-01T00:00:00Z",
    "last moment": TIME % b"9999-12-31T23:59:59.999999Z",
    "week": TIME % b"2026-W10-1T00:00+23:59:59.5",
    "zero bytes": named("\0", "\0"),
    "long": named("x" * 65_000, "m"),
    "long model": named("p", "m" * 65_000),
    **{
        f"model {model!r}": named("p", model)
        for model in (
            *(".", "..", "a/b", "%2E", "M", "a\nb", "\u202e", "x" * 101, "-"),
            *("a.new", "a.parquet", "00000000000000000000-16.parquet", ".new"),
        )
    },
}
MODEL = {"id_column": "id", "time_column": "ts", "prediction_column": "prediction"}


@pytest.mark.parametrize("line", ODD.values(), ids=list(ODD))
def test_an_odd_event_that_is_taken_goes_all_the_way(line, tmp_path, capsys):
    with open_log(tmp_path / "w", segment=16) as log:
        log.append([*Record(log, lambda: AT, secrets.token_bytes).entries([line]), *map(entry_of, range(40))])
    with open_log(tmp_path / "w", segment=16) as log:
        assert log.closed >= 32
        assert verify_folder(log, SIGNER.verifier, None).entries == log.size
        _, entry = next(log.read())
        fields = parse_header(entry.header)
        assert (entry.payload, log.find(fields["id"])[0]) == (line, 0)
        orjson.dumps(row_of(line, parse_model({"model_id": fields["model_id"]} | MODEL)))
        custody = Custody(log, SIGNER.verifier.name, memory_journal(), secrets.token_bytes)
        audit = Audit(log, SIGNER.verifier, lambda: AT, secrets.token_bytes, custody)
        assert audit.prove(fields["id"])["seq"] == 0
        exported(log, audit.seal(Case(fields["model_id"], None, None, "INC-1", {})), custody, tmp_path / "b.zip")
        check(tmp_path / "b.zip", capsys)


def exported(log, sealed, custody, path):
    verify, readme = (files("andon") / "packs" / "bundle" / name for name in ("verify.py", "README.txt"))
    parts = log, SIGNER.verifier, lambda: AT, secrets.token_bytes, custody
    job = Export(*parts, verify.read_bytes(), readme.read_text(encoding="utf-8"), None)
    with ZipBundle(path) as sink:
        assert job.export(sealed.seal_id, sink, path.name, redact=False).entries >= 2


def check(path, capsys):
    verify = files("andon") / "packs" / "bundle" / "verify.py"
    namespace = {"__name__": "verify"}
    exec(compile(verify.read_text(encoding="utf-8"), "verify.py", "exec"), namespace)  # noqa: S102
    assert namespace["main"]([str(path), "--vkey", SIGNER.verifier.vkey()]) == 0, capsys.readouterr().out
