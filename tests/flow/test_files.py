"""Files of an incident: kept sealed, handed out checked, erased for good; hostile names, sizes, senders and disks."""

import errno
import os
import threading
from hashlib import sha256

import pytest

from andon.adapters.artifacts import ArtifactStore
from andon.base.errors import NotFound
from andon.bootstrap.journal import now
from houses import YEAR, client_of, house_in, token

PATH = "/api/v1/incidents"
SECRET = b"Frau Meier, geboren 1950"
OCTETS = {"content-type": "application/octet-stream"}


@pytest.fixture
def house(tmp_path):
    with house_in(tmp_path / "data", file_bytes_max=3 << 20) as made:
        made.rest()
        yield made
        assert made.opened.journal.check() == made.opened.journal.last()


@pytest.fixture
def ada(house):
    return token(house, "responder", name="ada")


@pytest.fixture
def officer(house):
    return token(house, "compliance", name="officer")


def declared(client, who, model="loans"):
    body = {"model_id": model, "incident_type": "model_drift", "title": "x"}
    return client.post(PATH, json=body, headers=who).json()["id"]


def add(client, who, incident, content=SECRET, name="notes.txt", **headers):
    named = {**who, **OCTETS, "andon-file-name": name, **headers}
    return client.post(f"{PATH}/{incident}/files", content=content, headers=named)


def get(client, who, incident, number=1):
    return client.get(f"{PATH}/{incident}/files/{number}", headers=who)


def erase(client, who, incident, number=1, **headers):
    body = {"reason": "It names a customer"}
    return client.post(f"{PATH}/{incident}/files/{number}/erase", json=body, headers={**who, **headers})


def events(client, who, incident):
    found = client.get(f"{PATH}/{incident}/timeline", headers=who).json()["items"]
    return [each["event"] for each in found if each["by"] != "andon"]


def stored(house):
    return sorted(path.name for path in (house.settings.data / "files").glob("*"))


def on_disk(house):
    return b"".join(path.read_bytes() for path in house.settings.data.rglob("*") if path.is_file())


def test_a_file_is_kept_sealed_and_comes_back(client, house, ada):
    incident = declared(client, ada)
    made = add(client, ada, incident, **{"andon-note": "What%20the%20feed%20sent"})
    digest = sha256(SECRET).hexdigest()
    assert made.status_code == 201, made.text
    assert made.json() == {"incident": incident, "number": 1, "name": "notes.txt", "bytes": 24, "sha256": digest}
    assert f"File 1: notes.txt, 24 bytes: What the feed sent (sha256:{digest})" in events(client, ada, incident)
    assert SECRET not in on_disk(house)
    got = get(client, token(house, "viewer"), incident)
    assert (got.status_code, got.content) == (200, SECRET)
    wanted = {
        "content-type": "application/octet-stream",
        "content-disposition": "attachment; filename=\"notes.txt\"; filename*=UTF-8''notes.txt",
        "x-content-type-options": "nosniff",
        "content-length": "24",
    }
    assert {name: got.headers[name] for name in wanted} == wanted
    assert got.headers["content-security-policy"].startswith("default-src 'none'")
    assert got.headers["repr-digest"].startswith("sha-256=:")
    (shown,) = client.get(f"{PATH}/{incident}", headers=ada).json()["files"]
    assert (shown["name"], shown["text"], shown["by"]) == ("notes.txt", "What the feed sent", "ada")


def test_any_size_up_to_the_limit_comes_back(client, ada):
    incident = declared(client, ada)
    for number, size in enumerate([0, 0, 1, (1 << 20) - 28, (1 << 20) - 27, 1 << 20, 3 << 20], 1):
        content = os.urandom(size)
        assert add(client, ada, incident, content).status_code == 201
        assert get(client, ada, incident, number).content == content


def test_a_file_over_the_limit_is_refused_and_nothing_of_it_stays(client, house, ada):
    incident = declared(client, ada)
    too_much = bytes((3 << 20) + 1)
    announced = add(client, ada, incident, b"x", **{"content-length": "9" * 4_000})
    in_parts = add(client, ada, incident, iter([too_much[:2_000_000], too_much[2_000_000:]]))
    for answer in (add(client, ada, incident, too_much), announced, in_parts):
        assert (answer.status_code, answer.json()["fix"]) == (413, "send less at once")
    assert stored(house) == []
    assert events(client, ada, incident) == ["Declared P2 by ada: x"]


def test_erased_content_is_gone_and_the_timeline_says_so(client, house, ada, officer):
    incident = declared(client, ada)
    for name in ("one.txt", "two.txt"):
        add(client, ada, incident, name=name)
    assert erase(client, ada, incident).status_code == 403
    copy = {name: (house.settings.data / "files" / name).read_bytes() for name in stored(house)}
    assert erase(client, officer, incident).status_code == 200
    assert len(stored(house)) == 1
    assert erase(client, officer, incident).status_code == 422
    assert get(client, ada, incident).status_code == 404
    assert get(client, ada, incident, 2).content == SECRET
    digest = sha256(SECRET).hexdigest()
    assert events(client, ada, incident)[1:] == [
        f"File 1: one.txt, 24 bytes, erased since (sha256:{digest})",
        f"File 2: two.txt, 24 bytes (sha256:{digest})",
        "Content of file 1 erased: It names a customer",
    ]
    assert client.get(f"{PATH}/{incident}", headers=ada).json()["files"][0]["erased_at"]
    for name, content in copy.items():  # who kept a copy of the folder has no key
        (house.settings.data / "files" / name).write_bytes(content)
    row = house.opened.journal.find("incident_files", f"{incident}:F0001")
    with pytest.raises(NotFound):
        list(house.attach().vault.read(row["file"], row["stored"]))


def test_tables_are_made_anew_with_what_was_erased(client, house, ada, officer):
    incident = declared(client, ada)
    add(client, ada, incident)
    erase(client, officer, incident)
    before = house.opened.journal.list_rows("incident_files"), events(client, ada, incident)
    house.opened.journal.rebuild()
    assert (house.opened.journal.list_rows("incident_files"), events(client, ada, incident)) == before


def test_who_may_not(client, house, ada):
    incident = declared(client, ada)
    add(client, ada, incident)
    other = token(house, "responder", "cards", name="eve")
    for role, code in (("reporter", 403), ("signaller", 403), ("recorder", 403)):
        who = token(house, role, name=role)
        assert [add(client, who, incident).status_code, get(client, who, incident).status_code] == [code, code]
    assert add(client, token(house, "viewer"), incident).status_code == 403
    assert [add(client, other, incident).status_code, get(client, other, incident).status_code] == [404, 404]
    assert erase(client, token(house, "compliance", "cards", name="c"), incident).status_code == 404
    assert get(client, {}, incident).status_code == 401
    elsewhere = declared(client, ada, "cards")
    assert get(client, ada, elsewhere).status_code == 404
    assert get(client, ada, f"AI-INC-{YEAR}-0099").status_code == 404
    assert len(stored(house)) == 1


NAMES = [
    ("..%2F..%2Fetc%2Fpasswd", "passwd"),
    ("C%3A%5Ctemp%5Creport.csv", "report.csv"),
    ("%2E%2E", "file"),
    ("%2Fa%2F", "a"),
    ("a%00b%0D%0Aset-cookie%3A%20x", "a_b__set-cookie: x"),
    ("%E2%80%AEgnp.exe", "_gnp.exe"),
    ("%22%3Bfilename%3Dx.html", '";filename=x.html'),
    ("x" * 1_900 + ".parquet", "x" * 192 + ".parquet"),
    ("Bericht%20M%C3%BCnchen.pdf", "Bericht München.pdf"),
    ("%FF%FE", "��"),
    ("%ED%A0%80", "���"),
]


def test_a_name_is_never_a_path(client, ada):
    incident = declared(client, ada)
    for number, (name, kept) in enumerate(NAMES, 1):
        made = add(client, ada, incident, name=name)
        assert (made.status_code, made.json()["name"]) == (201, kept), made.text
        disposition = get(client, ada, incident, number).headers["content-disposition"]
        assert disposition.startswith('attachment; filename="')
        assert disposition.count('"') == 2
        assert disposition.isascii()


def test_what_is_no_upload(client, house, ada):
    incident = declared(client, ada)
    for more, code in (
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"andon-file-name": ""}, 422),
        ({"andon-file-name": "x" * 7_000}, 422),
        ({"andon-note": "x" * 1_001}, 422),
        ({"andon-note": "%00"}, 422),
        ({"andon-at": "tomorrow"}, 422),
        ({"andon-at": "2999-01-01T00:00:00Z"}, 422),
        ({"if-match": '"1"'}, 412),
        ({"if-match": "x"}, 422),
    ):
        answer = add(client, ada, incident, **more)
        assert (answer.status_code, answer.headers["content-type"]) == (code, "application/problem+json"), more
        assert answer.json()["fix"]
    for number in ("0", "-1", "x", "99999999999999999999"):
        assert get(client, ada, incident, number).status_code == 422
    assert stored(house) == []


def test_the_same_request_again_adds_one_file(client, house, ada):
    incident = declared(client, ada)
    key = {"idempotency-key": "k1"}
    assert [add(client, ada, incident, **key).json()["number"] for _ in range(2)] == [1, 1]
    assert add(client, ada, incident, b"other", **key).status_code == 409
    assert len(stored(house)) == 1
    assert get(client, ada, incident).content == SECRET


def test_many_at_once_have_numbers_of_their_own(client, house, ada):
    incident, made = declared(client, ada), []
    threads = [threading.Thread(target=lambda: made.append(add(client, ada, incident))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    added = [answer.json()["number"] for answer in made if answer.status_code == 201]
    assert sorted(added) == list(range(1, len(added) + 1))
    assert all(answer.status_code in (201, 409) for answer in made)
    assert len(stored(house)) == len(added)


def test_a_file_that_was_changed_on_the_disk_is_not_handed_out(client, house, ada):
    incident = declared(client, ada)
    add(client, ada, incident)
    (name,) = stored(house)
    path = house.settings.data / "files" / name
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    assert get(client, ada, incident).status_code == 500
    path.unlink()
    answer = get(client, ada, incident)
    assert (answer.status_code, answer.json()["fix"]) == (500, "restore it from a copy")


def test_a_full_disk_is_said_and_leaves_nothing(client, house, ada, monkeypatch):
    incident = declared(client, ada)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("andon.adapters.artifacts.os.fsync", full)
        answer = add(client, ada, incident)
    assert (answer.status_code, answer.json()["title"]) == (507, "no room on the disk")
    assert stored(house) == []
    with monkeypatch.context() as patch:
        patch.setattr("andon.bootstrap.house.shutil.disk_usage", lambda _: type("Usage", (), {"free": 1})())
        assert add(client, ada, incident).status_code == 507
    assert add(client, ada, incident).status_code == 201


def test_a_disk_that_fills_up_meanwhile(client, house, ada, monkeypatch):
    incident, free = declared(client, ada), [1 << 40, 1 << 40, 1]
    usage = type("Usage", (), {"free": property(lambda _: free.pop(0) if len(free) > 1 else free[0])})
    monkeypatch.setattr("andon.bootstrap.house.shutil.disk_usage", lambda _: usage())
    assert add(client, ada, incident, iter([b"a", b"b"])).status_code == 507
    assert stored(house) == []


def test_a_sender_that_takes_too_long(client, house, ada, monkeypatch):
    incident = declared(client, ada)
    monkeypatch.setattr("andon.interfaces.api.files.UPLOAD_SECONDS", 0.0)
    answer = add(client, ada, incident)
    assert (answer.status_code, answer.json()["fix"]) == (408, "send it again")
    assert stored(house) == []
    monkeypatch.undo()
    assert add(client, ada, incident).status_code == 201


def test_a_folder_that_cannot_be_written_is_said(client, house, ada):
    incident = declared(client, ada)
    (house.settings.data / "files").write_bytes(b"no folder")
    answer = add(client, ada, incident)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    (house.settings.data / "files").unlink()


def test_what_a_crash_left_is_made_good_at_the_next_start(tmp_path):
    data = tmp_path / "data"
    with house_in(data) as house, client_of(house) as client:
        house.rest()
        ada, officer = token(house, "responder", name="ada"), token(house, "compliance", name="officer")
        incident = declared(client, ada)
        for _ in range(2):
            add(client, ada, incident)
        before = {name: (data / "files" / name).read_bytes() for name in stored(house)}
        erase(client, officer, incident)
        gone = before.keys() - set(stored(house))
        for name in gone:  # as if it had ended between the entry and the destruction
            (data / "files" / name).write_bytes(before[name])
        orphan, _ = ArtifactStore(data / "files").put([b"kept, and no entry names it"])
        (data / "files" / ".half.new").write_bytes(b"never kept")
        young, _ = ArtifactStore(data / "files").put([b"under way at another server"])
        long_ago = now().timestamp() - 2 * 86_400
        for path in (data / "files").glob("*"):
            if path.name != young:
                os.utime(path, (long_ago, long_ago))
    assert orphan != young
    with house_in(data) as house, client_of(house) as client:
        assert set(stored(house)) == before.keys() - gone | {young}
        assert get(client, ada, incident, 2).content == SECRET


def test_erasing_the_texts_of_an_incident_takes_its_files_too(tmp_path):
    with house_in(tmp_path) as house, client_of(house) as client:
        house.rest()
        ada = token(house, "responder", name="ada")
        incident = declared(client, ada)
        add(client, ada, incident)
        house.opened.journal.keys.forget(incident)
        house.opened.journal.rebuild()
        assert get(client, ada, incident).status_code == 404
    with house_in(tmp_path) as house:
        assert stored(house) == []


def test_erased_while_it_is_read_ends_early(client, house, ada, officer):
    incident = declared(client, ada)
    add(client, ada, incident, bytes(2 << 20))
    parts = house.attach().get_file(incident, 1).parts
    assert len(next(parts)) == (1 << 20) - 28
    assert erase(client, officer, incident).status_code == 200
    with pytest.raises(NotFound):
        list(parts)
