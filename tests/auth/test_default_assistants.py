"""The default assistants of graphs, which every user may run: every user sees them too."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph_client.auth import Auth
from langgraph_client.server.auth.filters import with_metadata
from langgraph_client.server.runs.run_document import assistant_id_of
from langgraph_client.testing import TestServer
from tests.auth.conftest import GRAPHS, client, owners

KEEP = assistant_id_of("keep")


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return sorted(one["name"] for one in answer.json())


def test_they_are_found_beside_one_s_own() -> None:
    """Searches and counts find them; what a user asks for still narrows the search."""
    with (
        TestServer(GRAPHS, auth=owners()) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
    ):
        # A client may write what the server writes to the default assistants.
        mark = {"metadata": {"created_by": "system", "kind": "x"}}
        ann.post("/assistants", json={"graph_id": "keep", "name": "ann's", **mark})
        for http, own in ((ann, ["ann's"]), (bob, [])):
            found = http.post("/assistants/search", json={})
            assert names(found) == sorted([*GRAPHS, *own])
            assert http.post("/assistants/count", json={}).json() == len(GRAPHS) + len(own)
            of_graph = http.post("/assistants/search", json={"graph_id": "keep"})
            assert names(of_graph) == sorted(["keep", *own])
            by_mark = http.post("/assistants/search", json={"metadata": {"kind": "x"}})
            assert names(by_mark) == own
        by_owner = {"metadata": {"owner": "ann"}}
        assert names(ann.post("/assistants/search", json=by_owner)) == ["ann's"]
        assert "ann's" not in names(bob.post("/assistants/search", json=by_owner))
        made = {"metadata": {"created_by": "system"}}
        assert names(bob.post("/assistants/search", json=made)) == sorted(GRAPHS)


def test_they_can_be_read_and_not_changed() -> None:
    """Reading, drawing and their schemas need no filter that fits; changing them does."""
    with TestServer(GRAPHS, auth=owners()) as server, client(server, "bob") as bob:
        for path in ("", "/graph", "/schemas", "/subgraphs"):
            assert bob.get(f"/assistants/{KEEP}{path}").status_code == 200, path
        assert bob.get("/assistants/keep/graph").status_code == 200
        assert len(bob.post(f"/assistants/{KEEP}/versions", json={}).json()) == 1
        assert bob.get(f"/a2a/{KEEP}/.well-known/agent-card.json").status_code == 200
        assert bob.patch(f"/assistants/{KEEP}", json={"name": "mine"}).status_code == 404
        assert bob.delete(f"/assistants/{KEEP}").status_code == 404
        assert bob.post(f"/assistants/{KEEP}/latest", json={"version": 1}).status_code == 404


def test_a_handler_can_still_refuse() -> None:
    """A handler that returns False refuses, for default assistants too."""
    auth = owners()

    @auth.on.assistants.read
    async def nobody(ctx: Any, value: Any) -> bool:
        return False

    with TestServer(GRAPHS, auth=auth) as server, client(server, "bob") as bob:
        assert bob.get(f"/assistants/{KEEP}").status_code == 403


@pytest.mark.parametrize("filtered", [False, True])
def test_a_handler_that_changes_the_search(filtered: bool) -> None:
    """What it adds hides assistants of others, with and without a filter."""
    auth = Auth()

    @auth.authenticate
    async def authenticate(authorization: str) -> str:
        return authorization

    @auth.on
    async def mark(ctx: Any, value: Any) -> Any:
        value.setdefault("metadata", {})["owner"] = ctx.user.identity
        return {"team": "a"} if filtered else None

    with (
        TestServer(GRAPHS, auth=auth) as server,
        client(server, "ann") as ann,
        client(server, "bob") as bob,
    ):
        for team in ("a", "b"):
            body = {"graph_id": "keep", "name": f"ann's {team}", "metadata": {"team": team}}
            ann.post("/assistants", json=body)
        found = ["ann's a"] if filtered else ["ann's a", "ann's b"]
        assert names(ann.post("/assistants/search", json={})) == sorted([*GRAPHS, *found])
        assert names(bob.post("/assistants/search", json={})) == sorted(GRAPHS)


def test_conditions_with_metadata() -> None:
    """Each alternative must also have the metadata; one that contradicts them never holds."""
    either = [{"metadata": {"owner": "ann"}}, {"metadata": {"team": "a"}}]
    assert with_metadata(None, {}) is None
    assert with_metadata(either, {}) == either
    assert with_metadata(None, {"owner": "bob"}) == [{"metadata": {"owner": "bob"}}]
    both = {"team": "a", "owner": "bob"}
    assert with_metadata(either, {"owner": "bob"}) == [{"metadata": both}]
