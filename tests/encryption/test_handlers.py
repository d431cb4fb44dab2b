"""What the handlers of an `Encryption` are given, and what is refused."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from langgraph_client import Encryption, EncryptionContext, ScriptedGraph
from langgraph_client.auth import Auth
from langgraph_client.encryption import DecryptResult, DuplicateHandlerError
from langgraph_client.server.errors import StartError
from langgraph_client.server.options import StoreIndex, StoreOptions
from langgraph_client.server.server import Server
from langgraph_client.testing import TestClock, TestServer
from tests.encryption.conftest import GRAPHS, SECRET, http_of, lock, locking, unlock

Fields = dict[str, Any]


def header(**values: str) -> dict[str, str]:
    return {"x-encryption-context": base64.b64encode(json.dumps(values).encode()).decode()}


class Witness:
    """Handlers that note what they are given."""

    def __init__(self) -> None:
        self.encryption = Encryption()
        self.seen: set[tuple[str, str | None, str | None, str]] = set()

        def note(action: str, ctx: EncryptionContext) -> None:
            self.seen.add((action, ctx.model, ctx.field, ctx.metadata.get("tenant", "-")))

        @self.encryption.encrypt.json
        async def encrypt(ctx: EncryptionContext, data: Fields) -> Fields:
            note("encrypt", ctx)
            return {name: lock(data[name]) for name in data}

        @self.encryption.decrypt.json
        async def decrypt(ctx: EncryptionContext, data: Fields) -> DecryptResult[Fields]:
            note("decrypt", ctx)
            return DecryptResult({name: unlock(data[name]) for name in data})

        @self.encryption.encrypt.blob
        async def encrypt_blob(ctx: EncryptionContext, blob: bytes) -> bytes:
            note("encrypt", ctx)
            return blob[::-1]

        @self.encryption.decrypt.blob
        async def decrypt_blob(ctx: EncryptionContext, blob: bytes) -> DecryptResult[bytes]:
            note("decrypt", ctx)
            return DecryptResult(blob[::-1])


def test_the_context_of_a_request() -> None:
    """All that comes of a request is encrypted with what it says, after it was answered as well,
    and decrypted with the same for everybody who reads it."""
    witness = Witness()
    with Server(GRAPHS, encryption=witness.encryption) as server, http_of(server) as http:
        witness.seen.clear()
        made = http.post("/threads", json={"metadata": {"a": "b"}}, headers=header(tenant="one"))
        thread = made.json()["thread_id"]
        run = {"assistant_id": "keep", "input": {"secret": SECRET}, "stream_resumable": True}
        path = f"/threads/{thread}/runs"
        run_id = http.post(path, json=run, headers=header(tenant="one")).json()["run_id"]
        http.get(f"{path}/{run_id}/join")
        assert http.get(f"/threads/{thread}/state").json()["values"]["secret"] == SECRET
        assert {tenant for *_, tenant in witness.seen} == {"one"}
        kinds = {(model, field) for _, model, field, _ in witness.seen}
        assert kinds >= {
            ("thread", "metadata"),
            ("thread", "values"),
            ("run", "kwargs"),
            ("run", "input"),
            ("run", "configurable"),
            ("run", "events"),
            ("checkpoint", "metadata"),
            ("checkpoint", "blob"),
        }


def test_the_context_of_a_user() -> None:
    """The context handler is asked once for each request, with the user; its runs and what they ask
    of the server have the same context."""
    witness, auth = Witness(), Auth()

    @auth.authenticate
    async def who(headers: dict[bytes, bytes]) -> str:
        return headers[b"authorization"].decode()

    @witness.encryption.context
    async def tenant(user: Any, ctx: EncryptionContext) -> Fields:
        return {**ctx.metadata, "tenant": f"of {user.identity}"}

    with (
        Server(GRAPHS, encryption=witness.encryption, auth=auth) as server,
        http_of(server) as http,
    ):
        witness.seen.clear()
        http.headers["authorization"] = "ann"
        answer = http.post("/runs/wait", json={"assistant_id": "keep", "input": {"secret": "x"}})
        assert answer.json()["answer"] == "kept x"
        encrypted = {tenant for action, *_, tenant in witness.seen if action == "encrypt"}
        assert encrypted == {"of ann"}


def test_a_refused_socket_has_the_status_of_a_refused_request() -> None:
    """A failing context handler is 503 with `retry-after`, a malformed header 422, also for a
    handshake: a client must not take it for a server without sockets."""
    encryption = locking()

    @encryption.context
    async def fail(user: Any, ctx: EncryptionContext) -> Fields:
        raise ConnectionError("no keys today")

    with Server(GRAPHS, encryption=encryption) as server:
        address = f"{server.listen().replace('http', 'ws', 1)}/threads/{uuid.uuid4()}/stream/events"
        for given, status, after in (({}, 503, "1"), ({"x-encryption-context": "x"}, 422, None)):
            with (
                pytest.raises(InvalidStatus) as refused,
                connect(address, additional_headers=given, open_timeout=60),
            ):
                pass
            response = refused.value.response
            assert (response.status_code, response.headers.get("retry-after")) == (status, after)


def test_the_context_of_a_cron() -> None:
    """The runs of a cron are encrypted with the context of the request that made it."""
    witness, clock = Witness(), TestClock()
    given: Fields = {"encryption": witness.encryption, "clock": clock}
    with TestServer(GRAPHS, **given) as server, http_of(server) as http:
        cron = {"assistant_id": "keep", "input": {"secret": SECRET}, "schedule": "* * * * *"}
        cron["on_run_completed"] = "keep"
        assert http.post("/runs/crons", json=cron, headers=header(tenant="two")).is_success
        witness.seen.clear()
        clock.advance(90)
        for thread in http.post("/threads/search", json={}).json():
            (run,) = http.get(f"/threads/{thread['thread_id']}/runs").json()
            http.get(f"/threads/{thread['thread_id']}/runs/{run['run_id']}/join")
        assert ("encrypt", "checkpoint", "blob", "two") in witness.seen
        assert ("encrypt", "checkpoint", "blob", "-") not in witness.seen


@pytest.mark.parametrize("text", ["not base64", base64.b64encode(b"[1]").decode()])
def test_a_malformed_header(text: str) -> None:
    """A header that is no JSON object in base64 is refused before anything is done."""
    with Server(GRAPHS, encryption=locking()) as server, http_of(server) as http:
        answer = http.post("/threads", json={}, headers={"x-encryption-context": text})
        assert answer.status_code == 422
        assert "X-Encryption-Context" in answer.json()["detail"]
        assert http.post("/threads/count", json={}).json() == 0


def odd(kind: str) -> Encryption:
    encryption = Encryption()

    @encryption.encrypt.json
    async def encrypt(ctx: EncryptionContext, data: Fields) -> Any:
        if kind == "keys":
            return {"sealed": lock(data)}
        if kind == "text":
            return lock(data)
        raise ConnectionError("no keys today")

    @encryption.decrypt.json
    async def decrypt(ctx: EncryptionContext, data: Fields) -> Fields:
        return data

    return encryption


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("keys", "must leave the keys of an object as they are; of thread.metadata it added"),
        ("text", "encrypt.json of the Encryption returned a str, not a dict"),
        ("raise", "encrypt.json of the Encryption: ConnectionError"),
    ],
)
def test_handlers_that_fail(kind: str, said: str) -> None:
    """What cannot be encrypted is not kept; the request is answered with 503 and why."""
    with Server({}, encryption=odd(kind)) as server, http_of(server) as http:
        answer = http.post("/threads", json={"metadata": {"note": SECRET}})
        assert answer.status_code == 503
        assert said in answer.json()["detail"]
        assert "no keys today" not in answer.text  # A handler's error may tell secrets.
        assert http.post("/threads/count", json={}).json() == 0


def test_what_is_refused_at_the_start() -> None:
    """A server does not start with half of a pair of handlers, or where plain text would remain."""
    half = Encryption()
    half.encrypt.json(locking()._json_encryptor)
    with pytest.raises(StartError, match=r"one handler of json, and no decrypt\.json"):
        Server(GRAPHS, encryption=half)
    with pytest.raises(StartError, match="has no handlers"):
        Server(GRAPHS, encryption=Encryption())
    with pytest.raises(StartError, match=r"must be a langgraph_client\.encryption\.Encryption"):
        Server(GRAPHS, encryption=object())
    with pytest.raises(StartError, match="ScriptedGraph cannot be encrypted"):
        Server({"script": ScriptedGraph([])}, encryption=locking())
    index = StoreOptions(StoreIndex(2, lambda texts: [[0.0, 0.0] for _ in texts]))
    with pytest.raises(StartError, match="store cannot have an index of encrypted"):
        Server(GRAPHS, encryption=locking(), store=index)


def test_only_one_kind(caplog: pytest.LogCaptureFixture) -> None:
    """With handlers of one kind only, the log says what is stored in plain text."""
    with Server(GRAPHS, encryption=odd("keys")):
        pass
    assert "checkpoints and events are stored in plain text" in caplog.text


def test_wrong_handlers_are_refused() -> None:
    """A handler is an async function of two parameters, and there is one of each."""
    encryption = Encryption()
    with pytest.raises(TypeError, match="context needs an async function"):
        encryption.context(lambda user, ctx: {})
    with pytest.raises(TypeError, match=r"encrypt\.json needs an async function"):
        encryption.encrypt.json(lambda ctx, data: data)
    with pytest.raises(TypeError, match="two parameters"):

        @encryption.decrypt.blob
        async def wrong(blob: bytes) -> bytes:
            return blob

    handler = locking()._blob_encryptor
    assert encryption.encrypt.blob(handler) is handler
    with pytest.raises(DuplicateHandlerError):
        encryption.encrypt.blob(handler)
    assert repr(encryption) == "Encryption(encrypt.blob)"


APP = """
from tests.encryption.conftest import GRAPHS, locking

graph = GRAPHS["keep"]
encryption = locking()
other = "no Encryption"
"""


def serve(folder: Path, place: str) -> subprocess.Popen[str]:
    (folder / "app.py").write_text(APP)
    config = {
        "dependencies": ["."],
        "graphs": {"keep": "./app.py:graph"},
        "encryption": {"path": place},
    }
    (folder / "langgraph.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "langgraph_client.server", "--port", "0", "--db", "state.db"]
    tests = str(Path(__file__).parent.parent)
    import os

    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), tests])
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_in_a_langgraph_json(tmp_path: Path) -> None:
    """`encryption.path` names the object; what the command writes does not show a secret."""
    process = serve(tmp_path, "./app.py:encryption")
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        run = {"assistant_id": "keep", "input": {"secret": SECRET}}
        thread = httpx.post(f"{url}/threads", json={}, timeout=60).json()["thread_id"]
        answer = httpx.post(f"{url}/threads/{thread}/runs/wait", json=run, timeout=60)
        assert answer.json()["answer"] == f"kept {SECRET}"
    finally:
        process.terminate()
        process.communicate(timeout=120)
    for file in tmp_path.glob("state.db*"):
        assert SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("./app.py:other", "encryption must be a langgraph_client.encryption.Encryption"),
        ("./app.py:nothing", "encryption.path: ./app.py has no 'nothing'"),
        ("./gone.py:encryption", "no such file"),
    ],
)
def test_a_wrong_place(tmp_path: Path, place: str, said: str) -> None:
    """A path that leads to no `Encryption` keeps the server from starting, in one line."""
    process = serve(tmp_path, place)
    _, errors = process.communicate(timeout=120)
    assert process.returncode != 0
    assert said in errors
    assert "Traceback" not in errors


def test_data_from_before_the_encryption(tmp_path: Path) -> None:
    """It is read as it is, also if it has the key with which the server marks encrypted data."""
    with Server(GRAPHS, path=tmp_path / "db") as server, http_of(server) as http:
        http.post("/threads", json={"metadata": {"__encryption_context__": 1}})
    with (
        Server(GRAPHS, path=tmp_path / "db", encryption=locking()) as server,
        http_of(server) as http,
    ):
        (thread,) = http.post("/threads/search", json={}).json()
        assert thread["metadata"] == {"__encryption_context__": 1}


@pytest.mark.parametrize("key", ["__encrypted_value__", "__encryption_context__"])
@pytest.mark.parametrize("value", [5, None, {"a": 1}, "locked:x"])
def test_the_server_s_own_keys(key: str, value: Any) -> None:
    """A client may write the keys with which the server marks what it encrypts."""
    with Server(GRAPHS, encryption=locking()) as server, http_of(server) as http:
        odd = {key: value, f"{key}_": 1, "a": [{key: value}]}
        thread = http.post("/threads", json={"metadata": {key: value}}).json()["thread_id"]
        changed = http.patch(f"/threads/{thread}", json={"metadata": odd})
        assert changed.status_code == 200
        assert http.get(f"/threads/{thread}").json()["metadata"] == odd
        run = {"assistant_id": "keep", "input": {"secret": "x", **odd}, "metadata": odd}
        run["config"] = {"configurable": odd}
        answer = http.post(f"/threads/{thread}/runs/wait", json=run).json()
        assert answer == {"secret": "x", "answer": "kept x"}
        item = {"namespace": ["a"], "key": "k", "value": odd}
        assert http.put("/store/items", json=item).status_code == 204
        found = http.get("/store/items", params={"namespace": "a", "key": "k"}).json()
        assert found["value"] == odd
        assert http.delete(f"/threads/{thread}").status_code == 204
