"""Files of an incident on a real server: by the command line, by raw requests, with two servers, over a kill."""

import json
import socket
import subprocess
import sys
import threading
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from houses import YEAR
from journals import fresh_database
from servers import declare, eventually, on, serving, stop

INCIDENT = f"AI-INC-{YEAR}-0001"
FILES = f"/api/v1/incidents/{INCIDENT}/files"
HTML = b"<script>alert(document.cookie)</script>"


def raw(server, head, *parts):
    """What comes back for a request that is written by hand; its sender goes away after the last part."""
    parts_of = urlsplit(server.url)
    named = f"Host: x\r\nAuthorization: Bearer {server.secret}\r\nContent-Type: application/octet-stream\r\n"
    with socket.create_connection((parts_of.hostname, parts_of.port), timeout=20) as connection:
        connection.sendall(f"POST {FILES} HTTP/1.1\r\n{named}Andon-File-Name: x\r\n{head}\r\n\r\n".encode())
        for part in parts:
            connection.sendall(part)
        if parts and parts[-1] == b"":
            return b""
        return connection.recv(65_536)


def upload(server, content, name="x"):
    return server.ask(
        "POST", FILES, content, server.secret, content_type="application/octet-stream", andon_file_name=name
    )


def kept(data):
    return [path for path in (data / "files").glob("*") if path.is_file()]


def test_files_by_the_command_line(tmp_path):
    with serving(tmp_path / "data") as server:
        assert declare(server, server.secret) == 201
        (tmp_path / "page.html").write_bytes(HTML)
        words = ("incident", "file", "add", INCIDENT, "page.html", "What it showed", "--at", "2026-01-26T04:00:00Z")
        code, out, err = on(server, *words, folder=tmp_path)
        digest = sha256(HTML).hexdigest()
        assert (code, out, err) == (0, f"file 1 of {INCIDENT}: page.html, 39 bytes\nsha256 {digest}\n", "")
        code, out, _ = on(server, "incident", "show", INCIDENT)
        assert f"1. page.html, 39 bytes: What it showed (sha256 {digest[:16]}…)" in out
        get = ("incident", "file", "get", INCIDENT, "1", "--out", "back.html")
        assert on(server, *get, folder=tmp_path)[:2] == (0, f"back.html: 39 bytes, sha256 {digest}\n")
        assert (tmp_path / "back.html").read_bytes() == HTML
        assert json.loads(on(server, *get, "--json", folder=tmp_path)[1])["sha256"] == digest
        reason = ("--reason", "It names a customer")
        assert on(server, "incident", "file", "erase", INCIDENT, "1", *reason)[:2] == (
            *(0, f"the content of file 1 of {INCIDENT} is erased\n"),
        )
        (tmp_path / "back.html").unlink()
        code, out, err = on(server, *get, folder=tmp_path)
        assert (code, out, "was erased" in err) == (2, "", True)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "page.html"]
        assert f"page.html, 39 bytes, erased 20{YEAR % 100}-" in on(server, "incident", "show", INCIDENT)[1]
        for bad, code in (("none.txt", 2), (".", 2), ("/dev/zero", 2)):
            assert on(server, "incident", "file", "add", INCIDENT, bad, folder=tmp_path)[0] == code
        assert on(server, "incident", "file", "add", INCIDENT, "page.html", folder=tmp_path)[0] == 0
        for out in ("no/such/folder", ".", "/", "data", "/dev/full/x"):
            assert on(server, "incident", "file", "get", INCIDENT, "2", "--out", out, folder=tmp_path)[0] == 2
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "page.html"]
        assert stop(server) == (0, "")


def test_a_file_over_the_limit_and_what_the_limit_may_be(tmp_path):
    with serving(tmp_path / "data", ANDON_FILE_MIB="1") as server:
        assert declare(server, server.secret) == 201
        (tmp_path / "big").write_bytes(bytes(30 << 20))
        code, out, err = on(server, "incident", "file", "add", INCIDENT, "big", folder=tmp_path)
        assert (code, out, "over 1 MiB" in err, err.count("\n")) == (2, "", True, 1)
        assert kept(tmp_path / "data") == []
        assert stop(server)[0] == 0
    with pytest.raises(AssertionError, match="ANDON_FILE_MIB"), serving(tmp_path / "data", ANDON_FILE_MIB="lots"):
        pass


def test_a_file_that_changes_while_it_is_sent_is_not_kept(tmp_path):
    with serving(tmp_path / "data") as server:
        assert declare(server, server.secret) == 201
        script = (
            "import sys, os; from pathlib import Path; from andon.interfaces.cli import file_command\n"
            "parts = file_command._parts\n"
            "def shrunk(file, size, digest):\n"
            "    for part in parts(file, size, digest):\n"
            "        yield part\n"
            "        os.truncate('log', 1 << 20)\n"
            "file_command._parts = shrunk\n"
            "from andon.interfaces.cli.app import main; sys.argv[0] = 'andon'; sys.exit(main())"
        )
        (tmp_path / "log").write_bytes(bytes(3 << 20))
        words = [sys.executable, "-c", script, "incident", "file", "add", INCIDENT, "log"]
        found = {"ANDON_SERVER": server.url, "ANDON_TOKEN": server.secret}
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, env=found)  # noqa: S603
        assert (done.returncode, "changes while it is read" in done.stderr) == (2, True), done.stderr
        eventually(lambda: kept(tmp_path / "data") == [])


def test_requests_written_by_hand(tmp_path):
    with serving(tmp_path, ANDON_FILE_MIB="1") as server:
        assert declare(server, server.secret) == 201
        for length in ("99999999999999", "1" * 19):
            assert b" 413 " in raw(server, f"Content-Length: {length}").partition(b"\r\n")[0]
        for head in (f"Content-Length: {'1' * 300}", "Content-Length: -1", "Content-Length: x"):
            assert b" 400 " in raw(server, head).partition(b"\r\n")[0]
        chunk = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
        assert b" 413 " in raw(server, "Transfer-Encoding: chunked", *[chunk] * 17).partition(b"\r\n")[0]
        raw(server, "Content-Length: 200000", bytes(100_000), b"")  # goes away in the middle
        raw(server, "Transfer-Encoding: chunked", chunk, b"")
        eventually(lambda: kept(tmp_path) == [])
        assert b" 201 " in raw(server, "Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n").partition(b"\r\n")[0]
        assert len(kept(tmp_path)) == 1
        assert server.ask("GET", "/readyz")[0] == 200
        assert stop(server)[0] == 0


def test_slow_senders_hold_nobody_up(tmp_path):
    with serving(tmp_path) as server:
        assert declare(server, server.secret) == 201
        parts = urlsplit(server.url)
        head = f"POST {FILES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.secret}\r\nContent-Length: 9\r\n"
        head += "Content-Type: application/octet-stream\r\nAndon-File-Name: x\r\n\r\na"
        slow = [socket.create_connection((parts.hostname, parts.port)) for _ in range(16)]
        for each in slow:
            each.sendall(head.encode())
        eventually(lambda: len(kept(tmp_path)) == 16)
        assert upload(server, b"x")[0] == 503
        assert server.ask("GET", f"/api/v1/incidents/{INCIDENT}", token=server.secret)[0] == 200
        for each in slow:
            each.close()
        eventually(lambda: kept(tmp_path) == [])
        assert upload(server, b"x")[0] == 201
        assert stop(server)[0] == 0


def test_read_and_erased_at_once(tmp_path):
    with serving(tmp_path) as server:
        assert declare(server, server.secret) == 201
        content = bytes(20 << 20)
        assert upload(server, content)[0] == 201
        found = []

        def read():
            try:
                found.append(server.ask("GET", f"{FILES}/1", token=server.secret))
            except Exception as error:  # noqa: BLE001  # whatever it is: not the content
                found.append((type(error).__name__, b""))

        threads = [threading.Thread(target=read) for _ in range(6)]
        for each in threads:
            each.start()
        erased = server.ask(
            "POST", f"{FILES}/1/erase", b'{"reason":"x"}', server.secret, content_type="application/json"
        )
        assert erased[0] == 200
        for each in threads:
            each.join()
        assert all(status in (404, "IncompleteRead") or body == content for status, body in found)
        assert server.ask("GET", f"{FILES}/1", token=server.secret)[0] == 404
        assert server.ask("GET", "/readyz")[0] == 200


def test_what_is_erased_under_a_download_cuts_it_and_says_so_in_one_line(tmp_path):
    with serving(tmp_path) as server:
        assert declare(server, server.secret) == 201
        assert upload(server, bytes(24 << 20))[0] == 201
        where = urlsplit(server.url)
        with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
            head = f"GET {FILES}/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.secret}\r\n\r\n"
            connection.sendall(head.encode())
            size = len(connection.recv(65_536))
            erased = server.ask(
                "POST", f"{FILES}/1/erase", b'{"reason":"x"}', server.secret, content_type="application/json"
            )
            assert erased[0] == 200
            while part := connection.recv(1 << 20):
                size += len(part)
        assert size < 24 << 20
        said = stop(server)[1]
    assert (said.count("\n"), "Traceback" in said) == (1, False), said
    assert "was erased meanwhile" in said


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_acknowledged_outlives_a_kill(kind, request, tmp_path):
    words = ("--database", fresh_database(request.getfixturevalue("postgres"))) if kind == "postgresql" else ()
    acknowledged = {}
    with serving(tmp_path, *words) as server:
        secret = server.secret
        assert declare(server, secret) == 201

        def send(who):
            for number in range(200):
                content = f"{who}-{number}".encode() * 20_000
                try:
                    code, made = upload(server, content)
                except Exception:  # noqa: BLE001  # it was killed
                    return
                if code == 201:
                    acknowledged[made["number"]] = content

        threads = [threading.Thread(target=send, args=(who,)) for who in range(6)]
        for each in threads:
            each.start()
        eventually(lambda: len(acknowledged) > 20)
        server.process.kill()
        for each in threads:
            each.join()
    with serving(tmp_path) as server:
        shown = server.ask("GET", f"/api/v1/incidents/{INCIDENT}", token=secret)[1]["files"]
        assert acknowledged.keys() <= {each["number"] for each in shown}
        for each in shown:
            code, content = server.ask("GET", f"{FILES}/{each['number']}", token=secret)
            assert (code, sha256(content).hexdigest()) == (200, each["sha256"])
            assert content == acknowledged.get(each["number"], content)


def test_two_servers_share_the_files_and_a_kill_loses_none(postgres, tmp_path):
    url = fresh_database(postgres)
    data = tmp_path / "data"
    with serving(data, "--database", url) as one, serving(data, "--database", url) as two:
        secret = one.secret
        eventually(lambda: two.ask("GET", "/api/v1/incidents", token=secret)[0] == 200)
        assert declare(one, secret) == 201
        assert upload(one, HTML)[0] == 201
        assert two.ask("GET", f"{FILES}/1", token=secret) == (200, HTML)
        one.process.kill()
        assert two.ask("GET", f"{FILES}/1", token=secret) == (200, HTML)
    with serving(data) as again:
        assert again.ask("GET", f"{FILES}/1", token=secret) == (200, HTML)
    with pytest.raises(AssertionError, match="it did not start"), serving(tmp_path / "another", "--database", url):
        pass
