"""Functions of an `Auth` that answer with values of a wrong type: they are named."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore

from langgraph_client.auth import Auth
from tests.auth.conftest import owners
from tests.auth.test_auth import served


@pytest.mark.parametrize(
    "returned",
    [
        {"identity": "ann", "permissions": "read"},
        ("read", "ann"),
        {"identity": "ann", "permissions": 5},
    ],
    ids=str,
)
def test_permissions_that_are_no_list_are_refused(
    returned: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A text is not split into letters; response and log say what to return."""
    auth = Auth()

    @auth.authenticate
    async def authenticate() -> Any:
        return returned

    with served(auth) as http:
        answer = http.post("/threads", json={})
        assert answer.status_code == 400
        assert "permissions" in answer.json()["detail"]
        assert f"auth: {answer.json()['detail']}" in caplog.text


MISSING = "(deleted)"


@pytest.mark.parametrize("namespace", ["bob", 5, (5,), None, MISSING], ids=repr)
def test_a_namespace_of_a_handler_is_a_list_of_texts(
    namespace: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A text is not split into letters, so that `bo` finds what is bob's: the handler is named."""
    auth, store = owners(own_store=False), InMemoryStore()

    @auth.on.store
    async def own(ctx: Any, value: dict[str, Any]) -> None:
        value["namespace"] = namespace
        if namespace == MISSING:
            del value["namespace"]

    item = {"namespace": ["notes"], "key": "k"}
    with served(auth, "bob", store=store) as http:
        answers = {
            "put": http.put("/store/items", json={**item, "value": {"text": "bob's"}}),
            "get": http.get("/store/items", params={"namespace": "notes", "key": "k"}),
            "delete": http.request("DELETE", "/store/items", json=item),
            "search": http.post("/store/items/search", json={}),
            "list_namespaces": http.post("/store/namespaces", json={}),
        }
    if namespace is None:  # All namespaces, as in a list without a prefix.
        assert answers.pop("list_namespaces").status_code == 200
    assert {answer.status_code for answer in answers.values()} == {500}
    for action, answer in answers.items():
        said = f"The Auth handler of store.{action} has left a value['namespace']"
        assert answer.json()["detail"].startswith(said)
        assert f"auth: {said}" in caplog.text
    assert store.list_namespaces() == []
