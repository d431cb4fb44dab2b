"""Reduced applications in the shape of well-known public ones, their models faked."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import httpx

from tests.apps.conftest import Apps
from tests.support.eventually import eventually


def wait(http: httpx.Client, graph: str, given: Any, thread: str | None = None, **body: Any) -> Any:
    path = "/runs/wait" if thread is None else f"/threads/{thread}/runs/wait"
    asked = {"assistant_id": graph, "input": given, **body}
    headers = body.pop("headers", None) or asked.pop("headers", None)
    answer = http.post(path, json=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def last(state: Any) -> str:
    return state["messages"][-1]["content"]


def says(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def thread_of(http: httpx.Client, **options: Any) -> str:
    thread_id: str = http.post("/threads", json={}, **options).json()["thread_id"]
    return thread_id


def test_react_agent(apps: Apps) -> None:
    """A loop of model and tools, and a context with defaults."""
    http = apps.client("templates/react_agent")
    assert last(wait(http, "agent", says("Rome"))) == "fake/model: found Rome"
    context = {"model": "other"}
    assert last(wait(http, "agent", says("Rome"), context=context)) == "other: found Rome"


def test_memory_agent(apps: Apps) -> None:
    """Memories of a user are found by meaning, from one thread to the next, and by nobody else."""
    http = apps.client("templates/memory_agent")
    user = {"user_id": str(uuid.uuid4())}
    assert last(wait(http, "agent", says("I like tea"), context=user)) == "I know: nothing"
    wait(http, "agent", says("I have a dog"), context=user)
    assert last(wait(http, "agent", says("tea?"), context=user)) == "I know: I like tea"
    assert last(wait(http, "agent", says("tea?"))) == "I know: nothing"


def test_retrieval_agent(apps: Apps) -> None:
    """Two graphs of one application; one needs a configuration and says so."""
    http = apps.client("templates/retrieval_agent")
    config = {"configurable": {"user_id": "ada"}}
    assert wait(http, "indexer", {"docs": ["a cat", "a dog"]}, config=config) == {"docs": []}
    found = wait(http, "retrieval_graph", {"query": "cat"}, config=config)
    assert found["retrieved"] == ["a cat"]
    assert "__error__" in wait(http, "indexer", {"docs": ["x"]})


def test_data_enrichment(apps: Apps) -> None:
    """The output has what the output schema says, and no more."""
    http = apps.client("templates/data_enrichment")
    given = {"topic": "Acme", "extraction_schema": {"properties": {"founder": {}}}}
    assert wait(http, "agent", given) == {"info": {"founder": "founder of Acme"}}


def test_open_deep_research(apps: Apps, subject: str) -> None:
    """A graph whose name has a space, and threads that belong to who made them."""
    http = apps.client("templates/open_deep_research")
    assert http.post("/threads", json={}).status_code == 401
    ada, bob = ({"authorization": f"Bearer {name}"} for name in ("ada", "bob"))
    thread = thread_of(http, headers=ada)
    config = {"configurable": {"max_concurrent_research_units": 2}}
    state = wait(
        http, "Deep Researcher", says("cats, dogs, cars"), thread, config=config, headers=ada
    )
    assert last(state) == "note on cats; note on dogs"
    assert http.get(f"/threads/{thread}/state", headers=bob).status_code == 404
    assert http.post("/threads/search", json={}, headers=bob).json() == []
    item = {"namespace": ["ada"], "key": "k", "value": {}}
    assert http.put("/store/items", json=item, headers=ada).status_code == 204
    assert http.put("/store/items", json=item, headers=bob).status_code >= 400


def test_chat_langchain(apps: Apps) -> None:
    """A subgraph with Sends, a header in the configuration, and threads with a time to live."""
    http = apps.client("templates/chat_langchain")
    state = wait(http, "chat", says("b a"), headers={"x-user-plan": "pro"})
    assert last(state) == "pro: page on a, page on b"
    assert last(wait(http, "chat", says("a"))) == "free: page on a"


def test_agent_inbox(apps: Apps) -> None:
    """The inbox finds threads that wait, shows what they ask, and answers."""
    http = apps.client("templates/agent_inbox")
    thread = thread_of(http)
    wait(http, "agent", {}, thread)
    waiting = http.post("/threads/search", json={"status": "interrupted"}).json()
    (found,) = [one for one in waiting if one["thread_id"] == thread]
    ((asked,),) = found["interrupts"].values()
    assert asked["value"][0]["action_request"]["action"] == "Interrupt Test"
    answer = [{"type": "response", "args": "fine"}]
    done = wait(http, "agent", None, thread, command={"resume": answer})
    assert done == {"interrupt_response": "fine"}


def test_executive_ai_assistant(apps: Apps) -> None:
    """A graph starts runs of another one, which ask, and call a third one when they are answered;
    what that has learned is used for the next."""
    http = apps.client("templates/executive_ai_assistant")
    email = f"{uuid.uuid4()}"

    def asked(email: str) -> tuple[str, Any]:
        assert wait(http, "cron", {"emails": [email]})["started"] == 1
        thread = str(uuid.uuid5(uuid.NAMESPACE_URL, email))
        # The run is on its own; there is nothing to wait for it by.
        found = partial(http.get, f"/threads/{thread}")
        eventually(lambda: found().json()["status"] == "interrupted", 60)
        ((question,),) = found().json()["interrupts"].values()
        return thread, question["value"]["draft"]

    thread, draft = asked(email)
    assert draft.endswith(email)
    done = wait(http, "main", None, thread, command={"resume": "sent it"})
    assert done["sent"] == "sent it"
    assert asked(f"{email} again")[1] == f"friendly: {email} again"
