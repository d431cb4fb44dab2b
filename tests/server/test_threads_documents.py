"""Threads, assistants and the store as documents."""

from __future__ import annotations

import httpx
import pytest

from tests.support.hosted import Gate


def test_search_pages_and_filters(http: httpx.Client) -> None:
    """A search contains what it asks for, in order, and its headers say whether there is more."""
    for number in range(5):
        http.post("/threads", json={"metadata": {"n": number, "in": {"a": 1, "b": number}}})
    body = {"metadata": {"in": {"a": 1}}, "limit": 2, "sort_by": "created_at", "sort_order": "asc"}
    first = http.post("/threads/search", json=body)
    assert [thread["metadata"]["n"] for thread in first.json()] == [0, 1]
    assert first.headers["x-pagination-next"] == "2"
    assert first.headers["x-pagination-total"] == "3"
    last = http.post("/threads/search", json={**body, "offset": 4, "select": ["metadata"]})
    assert last.json() == [{"metadata": {"n": 4, "in": {"a": 1, "b": 4}}}]
    assert "x-pagination-next" not in last.headers
    assert http.post("/threads/count", json={"metadata": {"in": {"b": 3}}}).json() == 1


def test_a_filter_of_items_has_a_limited_number_of_conditions(http: httpx.Client) -> None:
    """More than a database takes in one query is a 400, and not an outage of the database."""
    fields = {f"key{number}": number for number in range(400)}
    pairs = {name: {"$gt": 1, "$lt": 2} for name in fields}
    for wanted, status in ((fields, 200), (pairs, 400), ({**fields, **pairs}, 400)):
        answer = http.post("/store/items/search", json={"filter": wanted})
        assert answer.status_code == status, answer.text
    assert answer.json()["detail"] == "A filter may have at most 500 conditions"


def test_the_runs_of_a_cancellation_are_limited(http: httpx.Client, thread: str) -> None:
    """Each of them is looked up."""
    for count, status in ((1_000, 404), (10_001, 422)):
        body = {"thread_id": thread, "run_ids": [thread] * count}
        assert http.post("/runs/cancel", json=body).status_code == status


def test_a_filter_of_versions_is_limited_too(http: httpx.Client) -> None:
    """The metadata of a search for versions are a filter as any other."""
    made = http.post("/assistants", json={"graph_id": "row"}).json()["assistant_id"]
    wanted = {"metadata": {f"key {n}": n for n in range(10_001)}}
    assert http.post(f"/assistants/{made}/versions", json=wanted).status_code == 422


@pytest.mark.parametrize("path", ["threads", "assistants", "runs/crons"])
@pytest.mark.parametrize("ending", ["search", "count"])
def test_a_filter_of_too_many_values_is_refused(http: httpx.Client, path: str, ending: str) -> None:
    """A filter that takes long to compare is a 422; one of some thousand values is answered."""
    for number, status in ((9_000, 200), (10_000, 422)):
        body = {"metadata": {"a": [0] * number}}
        assert http.post(f"/{path}/{ending}", json=body).status_code == status


@pytest.mark.parametrize(
    "path", ["threads/search", "assistants/count", "runs/crons/search", "threads/{}/history"]
)
def test_a_filter_of_many_objects_in_lists_is_refused(
    http: httpx.Client, thread: str, path: str
) -> None:
    """A hundred are answered: each may be compared with each of a document's list."""
    url = f"/{path}".format(thread)
    for items, status in (([{"n": 1}] * 100, 200), ([[{}] * 50] * 2, 422)):
        body = {"metadata": {"a": {"b": items}}}
        assert http.post(url, json=body).status_code == status


def test_the_past_of_a_thread_is_not_pruned_while_a_run_needs_it(
    http: httpx.Client, thread: str, gate: Gate
) -> None:
    """A run that is rolled back leads to the state before it, so this must not be deleted."""
    path = f"/threads/{thread}"
    http.post(f"{path}/runs/wait", json={"assistant_id": "row", "input": {"name": "a"}})
    before = http.get(f"{path}/history", params={"limit": 50}).json()
    run = http.post(f"{path}/runs", json={"assistant_id": "gate", "input": {}}).json()
    gate.arrived()
    other = http.post("/threads", json={}).json()["thread_id"]
    body = {"thread_ids": [thread, other, thread], "strategy": "keep_latest"}
    assert http.post("/threads/prune", json=body).json() == {"pruned_count": 1}
    cancel = {"action": "rollback", "wait": "1"}
    http.post(f"{path}/runs/{run['run_id']}/cancel", params=cancel)
    assert http.get(f"{path}/history", params={"limit": 50}).json() == before
    assert http.post("/threads/prune", json=body).json() == {"pruned_count": 2}
    (left,) = http.get(f"{path}/history", params={"limit": 50}).json()
    assert left["checkpoint"] == before[0]["checkpoint"]
    assert left["values"] == before[0]["values"]


def test_copy_has_a_state_of_its_own(http: httpx.Client, thread: str) -> None:
    """A copy begins with the original's state and goes its own way."""
    body = {"assistant_id": "row", "input": {"name": "a"}}
    http.post(f"/threads/{thread}/runs/wait", json=body)
    copy = http.post(f"/threads/{thread}/copy").json()["thread_id"]
    http.post(f"/threads/{copy}/runs/wait", json=body)
    states = [http.get(f"/threads/{one}/state").json() for one in (thread, copy)]
    assert [len(state["values"]["log"]) for state in states] == [2, 4]


def test_update_moves_the_thread(http: httpx.Client, thread: str) -> None:
    """A state update goes through reducers and decides what is next."""
    http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "row", "input": {}})
    body = {"values": {"log": ["mine"]}, "as_node": "one"}
    made = http.post(f"/threads/{thread}/state", json=body).json()
    state = http.get(f"/threads/{thread}/state").json()
    assert state["checkpoint_id"] == made["checkpoint_id"]
    assert (state["values"]["log"][-1], state["next"]) == ("mine", ["two"])
    assert http.get(f"/threads/{thread}").json()["status"] == "interrupted"
    odd = http.post(f"/threads/{thread}/state", json={"values": {}, "as_node": "nope"})
    assert odd.status_code == 400


def test_of_two_checkpoints_the_one_with_its_namespace_counts(
    http: httpx.Client, thread: str
) -> None:
    """For a run and for an update: `checkpoint` wins over `checkpoint_id`."""
    path = f"/threads/{thread}"
    run = {"assistant_id": "row", "input": {"topic": "first"}}
    first = http.post(f"{path}/runs/wait", json=run).json()
    newest, *_, oldest = (
        state["checkpoint_id"] for state in http.get(f"{path}/history?limit=100").json()
    )
    both = {"checkpoint_id": newest, "checkpoint": {"checkpoint_id": oldest}}
    assert http.post(f"{path}/runs/wait", json={**run, **both}).json() == first
    http.post(f"{path}/state", json={"values": {"topic": "updated"}, **both})
    state = http.get(f"{path}/state").json()
    assert state["parent_checkpoint"]["checkpoint_id"] == oldest


def test_deleted_thread_leaves_nothing(http: httpx.Client, thread: str) -> None:
    """Runs and state go with their thread; the same id starts anew."""
    body = {"assistant_id": "row", "input": {}}
    http.post(f"/threads/{thread}/runs/wait", json=body)
    assert http.delete(f"/threads/{thread}").status_code == 204
    assert http.get(f"/threads/{thread}").status_code == 404
    http.post("/threads", json={"thread_id": thread, "metadata": {"graph_id": "row"}})
    assert http.get(f"/threads/{thread}/history", params={"limit": 9}).json() == []
    assert http.get(f"/threads/{thread}/runs").json() == []


def test_versions_of_an_assistant(http: httpx.Client) -> None:
    """Each change is a version; an older one can be made the latest again."""
    made = http.post("/assistants", json={"graph_id": "row", "name": "first"}).json()
    path = f"/assistants/{made['assistant_id']}"
    assert http.patch(path, json={"name": "second"}).json()["version"] == 2
    assert [v["name"] for v in http.post(f"{path}/versions", json={}).json()] == ["second", "first"]
    page = http.post(f"{path}/versions", json={"limit": 1, "offset": 1}).json()
    assert [version["name"] for version in page] == ["first"]
    assert http.post(f"{path}/versions", json={"offset": 2}).status_code == 404
    assert http.post(f"{path}/latest", json={"version": 1}).json()["name"] == "first"
    assert http.delete(path).status_code == 204
    assert http.get(path).status_code == 404


def test_store_items(http: httpx.Client) -> None:
    """Items are put, found by prefix and filter, and deleted."""
    for key, age in (("ann", 30), ("bob", 40)):
        item = {"namespace": ["users", "old"], "key": key, "value": {"age": age}}
        assert http.put("/store/items", json=item).status_code == 204
    body = {"namespace_prefix": ["users"], "filter": {"age": {"$gt": 35}}}
    found = http.post("/store/items/search", json=body).json()["items"]
    assert [item["key"] for item in found] == ["bob"]
    query = {"namespace": "users.old", "key": "ann"}
    assert http.get("/store/items", params=query).json()["value"] == {"age": 30}
    http.request("DELETE", "/store/items", json={"namespace": ["users", "old"], "key": "ann"})
    assert http.get("/store/items", params=query).json() is None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/threads", []),
        ("POST", "/threads", {"metadata": None}),
        ("POST", "/threads", {"thread_id": "abc"}),
        ("POST", "/threads/search", {"limit": 0}),
        ("POST", "/threads/search", {"extract": {"a-b": "values.x"}}),
        ("POST", "/runs", {"assistant_id": "nope"}),
        ("POST", "/runs", {"assistant_id": 3}),
        ("POST", "/runs/wait", {"assistant_id": "row", "stream_mode": "nope"}),
        ("POST", "/runs/batch", []),
        ("POST", "/runs", {"assistant_id": "row", "webhook": ""}),
        ("POST", "/runs/crons", {"assistant_id": "row", "schedule": "@daily", "webhook": ""}),
        ("POST", "/runs/cancel", {}),
        ("POST", "/assistants", {}),
        ("PUT", "/store/items", {"namespace": ["a"], "key": "k", "value": 1}),
    ],
)
def test_wrong_bodies_are_422(http: httpx.Client, method: str, path: str, body: object) -> None:
    """A body that does not fit is 422 with a text, never a 500."""
    response = http.request(method, path, json=body)
    assert response.status_code == 422
    assert isinstance(response.json()["detail"], str)


def test_body_that_is_no_json(http: httpx.Client) -> None:
    """An empty body, half a body, NaN, and a number that a float cannot have are no JSON."""
    numbers = (b"1e999", b"-1E+400", b"9" * 400 + b".0", b"9" * 400, b"-1" + b"0" * 309)
    huge = [b'{"a": [{"b": %b}]}' % number for number in numbers]
    for content in (b"", b"{", b'{"a": NaN}', *huge, b"9" * 250 + b"e99"):
        response = http.post("/threads", content=content)
        assert (response.status_code, response.json()) == (
            422,
            {"detail": "Invalid JSON in request body"},
        )


def test_large_numbers_are_kept(http: httpx.Client) -> None:
    """The largest float, and texts that look like numbers that are too large."""
    values = [1e308, -1e300, 1e-400, 2**60, "1e999", "9" * 400]
    thread = http.post("/threads", json={"metadata": {"values": values}}).json()
    assert thread["metadata"] == {"values": values}


@pytest.mark.parametrize("path", ["threads", "runs/crons"])
def test_a_filter_of_a_count_is_checked(http: httpx.Client, path: str) -> None:
    """A field that a count uses is described for it, as for the search."""
    for body in ({"ids": 5}, {"ids": [5]}, {"ids": ["x"] * 1001}, {"enabled": {"a": 5}}):
        answer = http.post(f"/{path}/count", json=body)
        is_known = ("ids" in body) == (path == "threads")
        assert answer.status_code == (422 if is_known else 200), answer.text


def test_empty_texts_mean_what_they_mean_on_the_real_server(
    http: httpx.Client, thread: str
) -> None:
    """A name is none, a graph is unknown, and a parameter of a query is as if it was not there."""
    made = http.post("/assistants", json={"graph_id": "row", "name": ""}).json()
    assert made["name"] == "Untitled"
    for ending in ("search", "count"):
        assert http.post(f"/assistants/{ending}", json={"graph_id": ""}).status_code == 404
    drawn = http.get("/assistants/row/graph").json()
    assert http.get("/assistants/row/graph?xray=").json() == drawn
    http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "row", "input": {}})
    assert len(http.get(f"/threads/{thread}/history?limit=2&before=").json()) == 2


def test_the_root_of_all_namespaces_has_no_label(http: httpx.Client) -> None:
    """A depth of 0 gives it."""
    item = {"namespace": ["a", "b"], "key": "k", "value": {}}
    http.put("/store/items", json=item)
    for depth, more, found in (
        (1, {}, [["a"]]),
        (0, {}, [[]]),
        (0, {"prefix": ["b"]}, []),
        (0, {"offset": 1}, []),
        (0, {"limit": 0}, []),
    ):
        body = {"max_depth": depth, "prefix": ["a"], **more}
        assert http.post("/store/namespaces", json=body).json() == {"namespaces": found}


def test_nothing_to_cancel_is_said(http: httpx.Client) -> None:
    """By status as by ids."""
    answer = http.post("/runs/cancel", json={"status": "all"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "No runs found to cancel.")


def test_an_empty_selection_selects_everything(http: httpx.Client, thread: str) -> None:
    """As none."""
    for path in ("threads", "assistants", "runs/crons"):
        plain = http.post(f"/{path}/search", json={}).json()
        assert http.post(f"/{path}/search", json={"select": []}).json() == plain
    assert plain == []


def test_a_config_without_configurable_leaves_the_context_of_an_assistant(
    http: httpx.Client,
) -> None:
    """A change replaces the config; the context changes with one of its own or a configurable."""
    made = http.post("/assistants", json={"graph_id": "row", "context": {"a": 1}}).json()
    path = f"/assistants/{made['assistant_id']}"
    for body, config, context in (
        ({"config": {"recursion_limit": 7}}, {"recursion_limit": 7}, {"a": 1}),
        ({"config": {"configurable": {"b": 2}}}, {"configurable": {"b": 2}}, {"b": 2}),
        ({"metadata": {"m": 1}}, {"configurable": {"b": 2}}, {"b": 2}),
        ({"context": {"c": 3}}, {"configurable": {"c": 3}}, {"c": 3}),
        ({"context": {}}, {"configurable": {"c": 3}}, {}),
    ):
        changed = http.patch(path, json=body).json()
        assert (changed["config"], changed["context"]) == (config, context)


def test_a_thread_is_created_without_its_state(http: httpx.Client) -> None:
    """Its graph is not named, or not hosted: it exists, and the answer says why it has no state."""
    step = {"updates": [{"as_node": "one", "values": {}}]}
    for number, (metadata, why) in enumerate(
        (({}, "has no graph"), ({"graph_id": "x"}, "'x' not"))
    ):
        thread_id = f"00000000-0000-4000-8000-00000000000{number}"
        body = {"thread_id": thread_id, "metadata": metadata, "supersteps": [step]}
        answer = http.post("/threads", json=body)
        assert answer.status_code == 201
        assert f"Thread {thread_id} was created, but" in answer.json()["detail"]
        assert why in answer.json()["detail"]
        assert http.get(f"/threads/{thread_id}").json()["metadata"] == metadata
    refused = http.post("/threads/00000000-0000-4000-8000-000000000000/state", json={"values": {}})
    assert refused.status_code == 400
    assert "set `graph_id` in its metadata" in refused.json()["detail"]


@pytest.mark.parametrize("graph_id", [[], {}, 5, True, "nope"])
def test_a_thread_whose_graph_is_none_can_be_deleted(http: httpx.Client, graph_id: object) -> None:
    """Metadata are any JSON: a `graph_id` that names no graph is a 404, and no 500."""
    thread = http.post("/threads", json={"metadata": {"graph_id": graph_id}}).json()["thread_id"]
    for method, path, body in (
        ("GET", "state", None),
        ("POST", "state", {"values": {}}),
        ("POST", "history", {}),
        ("POST", "runs/wait", {"assistant_id": "row", "input": {}}),
        ("PATCH", "", {"metadata": {"graph_id": graph_id}}),
        ("POST", "copy", None),
    ):
        answer = http.request(method, f"/threads/{thread}/{path}".rstrip("/"), json=body)
        assert answer.status_code in (200, 404), (path, answer.text)
    assert http.delete(f"/threads/{thread}").status_code == 204


@pytest.mark.parametrize("path", ["/runs", "/runs/wait", "/runs/stream", "/runs/batch"])
def test_a_stateless_run_ignores_the_fields_of_threads(http: httpx.Client, path: str) -> None:
    """They pass unseen, so they may be anything."""
    for odd in (5, "x", ["x"], {"checkpoint_id": ["x"]}, None):
        fields = dict.fromkeys(
            ("checkpoint", "checkpoint_id", "multitask_strategy", "if_not_exists"), odd
        )
        body = {"assistant_id": "row", "input": {}, **fields}
        answer = http.post(path, json=[body] if path.endswith("batch") else body)
        assert answer.status_code == 200, answer.text
        assert '"error"' not in answer.text


@pytest.mark.parametrize("index", ["9" * 5000, "-" + "9" * 20, "٣", "1_0", "+1", ""])
def test_an_index_that_is_none_is_no_path(http: httpx.Client, index: str) -> None:
    """An index has at most nine digits; lists are shorter than that."""
    for path, status in ((f"values.log[{index}]", 422), ("values.log[-999999999]", 200)):
        answer = http.post("/threads/search", json={"extract": {"a": path}})
        assert answer.status_code == status, answer.text
