"""A cassette's file when something goes wrong, and the options of a cassette's clients."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from langgraph_client import get_sync_client
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.testing import (
    CassetteMismatch,
    Dump,
    Faults,
    ScriptedGraph,
    TestServer,
    recorded,
)

URL = "http://deployment.example"
AGENT = {"agent": ScriptedGraph([{"x": 1}])}


def test_a_body_that_broke_breaks_again(tmp_path: Path) -> None:
    """A replay is repeated by the client as the recording was; it does not get an empty answer."""
    path = tmp_path / "cut.json"
    faults = Faults()
    with TestServer(AGENT) as server, recorded(path) as cassette:
        client = cassette.sync_client(url=URL, transport=faults.transport(server.transport()))
        with faults.cut_after(bytes=10, times=1) as cut:
            first = client.assistants.search()
        assert cut.fired == 1
    kept = [exchange["response"] for exchange in json.loads(path.read_bytes())["exchanges"]]
    assert [("body" in one, one.get("complete")) for one in kept] == [(False, False), (True, None)]
    with recorded(path) as cassette:
        assert cassette.sync_client(url=URL, sleep=lambda _: None).assistants.search() == first
        assert cassette.unused == []


def test_a_stream_that_was_left_is_not_complete(tmp_path: Path) -> None:
    """The connection of one that waits for more is closed by another thread."""
    path = tmp_path / "left.json"
    ends: list[Exception] = []

    def read(response: httpx.Response, pieces: queue.Queue[bytes]) -> None:
        try:
            for piece in response.iter_raw():
                pieces.put(piece)
        except httpx.TransportError as error:
            ends.append(error)

    # The second transport ends the body where it is closed, as if it were complete.
    with TestServer(AGENT) as server, server.hold(node="step-1") as hold:
        for inner in (server.transport(), _EndingWithoutError()):
            with recorded(path, mode="record") as cassette:
                http = httpx.Client(transport=cassette.transport(inner), base_url=URL, timeout=60)
                body = {"assistant_id": "agent", "input": {}}
                request = http.build_request("POST", "/runs/stream", json=body)
                response = http.send(request, stream=True)
                pieces: queue.Queue[bytes] = queue.Queue()
                reader = threading.Thread(target=read, args=(response, pieces))
                reader.start()
                assert b"metadata" in pieces.get(timeout=60)
                response.close()
                reader.join(60)
            (exchange,) = json.loads(path.read_bytes())["exchanges"]
            assert exchange["response"]["complete"] is False
        hold.release()
    (end,) = ends  # The server's own says so to whoever reads.
    assert "without a complete response" in str(end)


class _EndingWithoutError(httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=_EndedByClose())


class _EndedByClose(httpx.SyncByteStream):
    def __init__(self) -> None:
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"event: metadata\r\ndata: {}\r\n\r\n"
        assert self._closed.wait(60)

    def close(self) -> None:
        self._closed.set()


async def test_an_async_body_that_broke_breaks_again(tmp_path: Path) -> None:
    """The same for async clients."""
    path = tmp_path / "cut.json"
    faults = Faults()

    async def pause(seconds: float) -> None:
        pass

    with TestServer(AGENT) as server:
        async with recorded(path) as cassette:
            inner = faults.async_transport(server.async_transport())
            client = cassette.client(url=URL, transport=inner)
            with faults.cut_after(bytes=10, times=1):
                first = await client.assistants.search()
    async with recorded(path) as cassette:
        assert await cassette.client(url=URL, sleep=pause).assistants.search() == first
        assert cassette.unused == []


def replied(metadata: str) -> httpx.MockTransport:
    thread = f'{{"thread_id": "11111111-1111-1111-1111-111111111111", "metadata": {metadata}}}'
    headers = {"content-type": "application/json"}
    return httpx.MockTransport(lambda request: httpx.Response(200, headers=headers, content=thread))


def test_half_a_surrogate_pair_is_recorded(tmp_path: Path) -> None:
    """A server may send what UTF-8 cannot say; JSON can."""
    path = tmp_path / "half.json"
    with recorded(path) as cassette:
        client = cassette.sync_client(url=URL, transport=replied('{"t": "\\ud83d", "u": "é"}'))
        sent = client.threads.create()
    assert "\\ud83d" in path.read_text(encoding="utf-8")
    with recorded(path) as cassette:
        assert cassette.sync_client(url=URL).threads.create() == sent
    assert sent.metadata == {"t": "\ud83d", "u": "é"}


def test_files_do_not_depend_on_the_locale(tmp_path: Path) -> None:
    """Another machine reads the file, and may have another locale."""
    path = tmp_path / "plain.json"
    script = """
        import sys, httpx
        from langgraph_client.testing import Dump, recorded
        path, mode = sys.argv[1:]
        reply = {"metadata": {"t": "\\u65e5\\u672c"}}
        inner = httpx.MockTransport(lambda request: httpx.Response(200, json=reply))
        with recorded(path, mode=mode) as cassette:
            client = cassette.sync_client(url="http://x", transport=inner)
            assert client.threads.create() == reply
        dump = Dump({"format": 1, "tables": {}, "threads": [reply]})
        dump.write(path + ".dump")
        assert Dump.read(path + ".dump") == dump
    """
    script = "\n".join(line[8:] for line in script.splitlines())
    plain = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for environment, mode in ((plain, "record"), ({"LC_ALL": "C.UTF-8"}, "replay")):
        subprocess.run(
            [sys.executable, "-c", script, str(path), mode],
            env={**os.environ, **environment},
            check=True,
            timeout=300,
        )
    assert "日本" in path.read_bytes().decode()


@pytest.mark.parametrize("kind", ["cassette", "dump"])
def test_a_file_that_cannot_be_written_leaves_the_old_one(kind: str, tmp_path: Path) -> None:
    """Nothing is lost, and nothing else is left in the folder."""
    path = tmp_path / "old.json"
    path.write_text('{"format": 1, "exchanges": [], "tables": {}}')
    before = path.read_bytes()
    cassette = recorded(path, mode="record")
    cassette.exchanges.append({"request": object()})
    write = cassette.save if kind == "cassette" else lambda: Dump({"tables": object()}).write(path)
    with pytest.raises(TypeError):
        write()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    """The file that it points to is written."""
    link, target = tmp_path / "link.json", tmp_path / "folder" / "target.json"
    link.symlink_to(target)
    recorded(link).save()
    assert link.is_symlink()
    assert json.loads(target.read_bytes())["exchanges"] == []


@pytest.mark.parametrize("content", [b"", b"{oops", b"\xff\xfe", b"[]"])
@pytest.mark.parametrize("read", [recorded, Dump.read])
def test_what_cannot_be_read_is_named(
    read: Callable[[Path], Any], content: bytes, tmp_path: Path
) -> None:
    """The error is a ValueError that has the path."""
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.json is not the file of a (cassette|dump)"):
        read(path)


def test_a_transport_of_a_client_is_the_way_to_the_deployment(tmp_path: Path) -> None:
    """It is recorded, and a replay does not use it."""
    path = tmp_path / "one.json"
    with TestServer(AGENT) as server:
        with recorded(path) as cassette:
            sent = cassette.sync_client(url=URL, transport=server.transport()).threads.create()
        with recorded(path, mode="replay") as cassette:
            client = cassette.sync_client(url=URL, transport=server.transport())
            assert client.threads.create() == sent
        assert len(server.requests) == 1


@pytest.mark.parametrize("option", ["http_client", "proxy", "limits", "verify", "transport"])
@pytest.mark.parametrize("color", ["client", "sync_client"])
def test_an_option_that_would_not_act_on_a_cassette_is_refused(
    option: str, color: str, tmp_path: Path
) -> None:
    """Or that would send past it."""
    values = {
        "http_client": httpx.Client(),
        "proxy": "http://localhost:1",
        "limits": httpx.Limits(),
        "verify": False,
        "transport": object(),
    }
    cassette = recorded(tmp_path / "none.json")
    with pytest.raises(InvalidArgumentError, match=rf"^{option}: .*HTTPTransport|^transport: "):
        getattr(cassette, color)(url=URL, **{option: values[option]})


def test_a_remote_graph_sends_the_headers_that_it_was_given(tmp_path: Path) -> None:
    """Its clients are the cassette's, so the headers are theirs."""
    with TestServer(AGENT) as server:
        with recorded(tmp_path / "graph.json") as cassette:
            graph = cassette.remote_graph(
                "agent", url=server.listen(), api_key="k3y", headers={"x-team": "a"}
            )
            assert graph.invoke({})["x"] == 1
        (request,) = server.requests[-1:]
        assert request.headers["x-team"] == "a"


def test_a_cassette_records_in_several_event_loops(tmp_path: Path) -> None:
    """Each loop has its own connections."""
    path = tmp_path / "loops.json"
    cassette = recorded(path)
    with TestServer(AGENT) as server:
        client = cassette.client(url=server.listen())

        async def create() -> str:
            return str((await client.threads.create())["thread_id"])

        async def end() -> str:
            async with cassette:
                return await create()

        created = {asyncio.run(create()), asyncio.run(create()), asyncio.run(end())}
    assert len(created) == 3
    assert len(json.loads(path.read_bytes())["exchanges"]) == 3


@pytest.mark.parametrize("key", ["abc/def+ghi=jkl", "abc-def.ghi~é"])
def test_a_key_is_found_in_a_query(key: str, tmp_path: Path) -> None:
    """There it is percent-encoded, wholly or in part."""
    path = tmp_path / "key.json"
    inner = httpx.MockTransport(lambda request: httpx.Response(200, json={"key": key}))
    with recorded(path) as cassette:
        transport = cassette.transport(inner)
        headers = {"x-api-key": key.encode()}
        with httpx.Client(transport=transport, headers=headers, base_url=URL) as client:
            client.get("/a", params={"q": key})
            client.get("/b?q=abc%2fdef+ghi%3Djkl" if "/" in key else "/b?q=abc%2ddef.ghi~%c3%a9")
    assert "ghi" not in path.read_text(encoding="utf-8")


def mismatch(path: Path, send: Callable[[Any], Any]) -> str:
    with recorded(path) as cassette, pytest.raises(CassetteMismatch) as raised:
        send(get_sync_client(url=URL, transport=cassette.transport()))
    return str(raised.value)


def test_the_nearest_request_shares_the_most_with_the_sent_one(tmp_path: Path) -> None:
    """Not the first one with its path."""
    path = tmp_path / "nearest.json"
    with TestServer({**AGENT, "other": AGENT["agent"]}) as server, recorded(path) as cassette:
        client = cassette.sync_client(url=URL, transport=server.transport())
        client.runs.wait(None, "other", input={"q": "quite different"})
        client.runs.wait(None, "agent", input={"q": "one", "k": 1})
    text = mismatch(path, lambda client: client.runs.wait(None, "agent", input={"q": "one"}))
    assert '-   "k": 1' in text
    assert "quite different" not in text


def test_ids_that_are_made_anew_are_told(tmp_path: Path) -> None:
    """A thread stream without a thread's id makes one; the error says what to do."""
    path = tmp_path / "stream.json"

    def use(client: Any) -> None:
        with client.threads.stream(assistant_id="agent") as thread:
            thread.run.start(input={})
            assert thread.output

    with TestServer(AGENT) as server, recorded(path) as cassette:
        use(cassette.sync_client(url=URL, transport=server.transport()))
    assert "Only ids differ" in mismatch(path, use)
