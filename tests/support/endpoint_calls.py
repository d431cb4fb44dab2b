"""A request to each endpoint of the server about the documents of one user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SECRET = "what-only-ann-may-know"
ELSEWHERE = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Things:
    """What ann has."""

    thread: str
    waiting: str
    run: str
    assistant: str
    cron: str
    thread_cron: str
    checkpoint: str
    interrupt: str
    stateless: str


@dataclass(frozen=True)
class Ask:
    """A request about ann's things.

    Attributes:
        body: The body, if it has one.
        query: The query.
        for_ann: The statuses that ann may get.
        endless: Whether the answer does not end by itself.
    """

    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    for_ann: tuple[int, ...] = (200, 201, 202, 204)
    endless: bool = False


Make = Callable[[Things], Ask]


def run_of(things: Things, **fields: Any) -> dict[str, Any]:
    return {"assistant_id": things.assistant, "input": {"secret": "bob's"}, **fields}


#: By method and path. `{thread_id}` and the others in the path are ann's.
ASKS: dict[tuple[str, str], Make] = {
    ("POST", "/assistants"): lambda t: Ask(
        {"assistant_id": t.assistant, "graph_id": "keep", "if_exists": "do_nothing"}
    ),
    ("POST", "/assistants/search"): lambda t: Ask({"metadata": {}}),
    ("POST", "/assistants/count"): lambda t: Ask({}),
    ("GET", "/assistants/{assistant_id}"): lambda t: Ask(),
    ("PATCH", "/assistants/{assistant_id}"): lambda t: Ask({"name": "taken"}),
    ("DELETE", "/assistants/{assistant_id}"): lambda t: Ask(query={"delete_threads": "true"}),
    ("POST", "/assistants/{assistant_id}/versions"): lambda t: Ask({}),
    ("POST", "/assistants/{assistant_id}/latest"): lambda t: Ask({"version": 1}),
    ("GET", "/assistants/{assistant_id}/graph"): lambda t: Ask(),
    ("GET", "/assistants/{assistant_id}/schemas"): lambda t: Ask(),
    ("GET", "/assistants/{assistant_id}/subgraphs"): lambda t: Ask(),
    ("GET", "/assistants/{assistant_id}/subgraphs/{namespace}"): lambda t: Ask(),
    ("POST", "/threads"): lambda t: Ask({"thread_id": t.thread, "if_exists": "do_nothing"}),
    ("POST", "/threads/search"): lambda t: Ask({"ids": [t.thread, t.waiting]}),
    ("POST", "/threads/count"): lambda t: Ask({}),
    ("POST", "/threads/prune"): lambda t: Ask({"thread_ids": [t.thread]}),
    ("GET", "/threads/{thread_id}"): lambda t: Ask(query={"include": "ttl"}),
    ("PATCH", "/threads/{thread_id}"): lambda t: Ask({"metadata": {"taken": True}}),
    ("DELETE", "/threads/{thread_id}"): lambda t: Ask(),
    ("POST", "/threads/{thread_id}/copy"): lambda t: Ask(),
    ("GET", "/threads/{thread_id}/storage"): lambda t: Ask(),
    ("GET", "/threads/{thread_id}/state"): lambda t: Ask(),
    ("POST", "/threads/{thread_id}/state"): lambda t: Ask({"values": {"answer": "taken"}}),
    ("POST", "/threads/{thread_id}/state/checkpoint"): lambda t: Ask(
        {"checkpoint": {"thread_id": t.thread, "checkpoint_id": t.checkpoint}}
    ),
    ("GET", "/threads/{thread_id}/state/{checkpoint_id}"): lambda t: Ask(),
    ("GET", "/threads/{thread_id}/history"): lambda t: Ask(),
    ("POST", "/threads/{thread_id}/history"): lambda t: Ask({"limit": 9}),
    ("GET", "/threads/{thread_id}/stream"): lambda t: Ask(endless=True),
    ("POST", "/threads/{thread_id}/stream/events"): lambda t: Ask(
        {"channels": ["values", "lifecycle", "input"]}, endless=True
    ),
    ("POST", "/threads/{thread_id}/commands"): lambda t: Ask(
        {
            "id": 1,
            "method": "input.respond",
            "params": {"interrupt_id": t.interrupt, "response": "taken"},
        }
    ),
    ("POST", "/threads/{thread_id}/runs"): lambda t: Ask(
        run_of(t, assistant_id="keep", multitask_strategy="rollback", if_not_exists="create")
    ),
    ("GET", "/threads/{thread_id}/runs"): lambda t: Ask(),
    ("POST", "/threads/{thread_id}/runs/wait"): lambda t: Ask(
        run_of(t, assistant_id="keep", checkpoint_id=t.checkpoint)
    ),
    ("POST", "/threads/{thread_id}/runs/stream"): lambda t: Ask(
        {"assistant_id": "ask", "command": {"resume": "taken"}}
    ),
    ("POST", "/threads/{thread_id}/runs/crons"): lambda t: Ask(
        {"assistant_id": "keep", "schedule": "0 0 1 1 *"}
    ),
    ("GET", "/threads/{thread_id}/runs/{run_id}"): lambda t: Ask(),
    ("DELETE", "/threads/{thread_id}/runs/{run_id}"): lambda t: Ask(),
    ("POST", "/threads/{thread_id}/runs/{run_id}/cancel"): lambda t: Ask(for_ann=(404,)),
    ("POST", "/threads/{thread_id}/runs/{run_id}/control"): lambda t: Ask(
        {"number": 1}, for_ann=(404,)
    ),
    ("GET", "/threads/{thread_id}/runs/{run_id}/join"): lambda t: Ask(),
    ("GET", "/threads/{thread_id}/runs/{run_id}/stream"): lambda t: Ask(),
    ("POST", "/runs"): lambda t: Ask(run_of(t)),
    ("POST", "/runs/batch"): lambda t: Ask([run_of(t)]),
    ("POST", "/runs/wait"): lambda t: Ask(run_of(t)),
    ("POST", "/runs/stream"): lambda t: Ask(run_of(t)),
    ("POST", "/runs/cancel"): lambda t: Ask(
        {"thread_id": t.thread, "run_ids": [t.run]}, for_ann=(404,)
    ),
    ("POST", "/runs/crons"): lambda t: Ask({"assistant_id": t.assistant, "schedule": "0 0 1 1 *"}),
    ("POST", "/runs/crons/search"): lambda t: Ask({}),
    ("POST", "/runs/crons/count"): lambda t: Ask({"thread_id": t.thread}),
    ("GET", "/runs/crons/{cron_id}"): lambda t: Ask(),
    ("PATCH", "/runs/crons/{cron_id}"): lambda t: Ask({"metadata": {"taken": True}}),
    ("DELETE", "/runs/crons/{cron_id}"): lambda t: Ask(),
    ("PUT", "/store/items"): lambda t: Ask(
        {"namespace": ["notes"], "key": "k", "value": {"taken": True}}
    ),
    ("GET", "/store/items"): lambda t: Ask(query={"namespace": "notes", "key": "k"}),
    ("DELETE", "/store/items"): lambda t: Ask({"namespace": ["notes"], "key": "k"}),
    ("POST", "/store/items/search"): lambda t: Ask({"namespace_prefix": []}),
    ("POST", "/store/namespaces"): lambda t: Ask({}),
    ("POST", "/mcp"): lambda t: Ask(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": SECRET, "arguments": {"secret": "bob's"}},
        }
    ),
    ("GET", "/mcp"): lambda t: Ask(for_ann=(405,)),
    ("DELETE", "/mcp"): lambda t: Ask(for_ann=(404,)),
    ("POST", "/a2a/{assistant_id}"): lambda t: Ask(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "message/send",
            "params": {
                "message": {
                    "role": "user",
                    "messageId": "m",
                    "contextId": t.thread,
                    "parts": [{"data": {"secret": "bob's"}}],
                }
            },
        }
    ),
    ("GET", "/a2a/{assistant_id}"): lambda t: Ask(for_ann=(405,)),
    ("DELETE", "/a2a/{assistant_id}"): lambda t: Ask(for_ann=(404,)),
    ("GET", "/a2a/{assistant_id}/.well-known/agent-card.json"): lambda t: Ask(),
    ("GET", "/a2a/{assistant_id}/.well-known/agent.json"): lambda t: Ask(),
    ("GET", "/.well-known/agent-card.json"): lambda t: Ask(query={"assistant_id": t.assistant}),
}
PUBLIC = {("GET", path) for path in ("/", "/ok", "/info", "/metrics", "/openapi.json", "/docs")}
#: What takes no ids of ann's: bob gets an answer of his own.
FOR_ALL = {
    ("POST", "/assistants/search"),
    ("POST", "/assistants/count"),
    ("POST", "/threads/search"),
    ("POST", "/threads/count"),
    ("POST", "/runs/crons/search"),
    ("POST", "/runs/crons/count"),
    ("PUT", "/store/items"),
    ("GET", "/store/items"),
    ("DELETE", "/store/items"),
    ("POST", "/store/items/search"),
    ("POST", "/store/namespaces"),
}
#: What says that there is no such thing in another way: by a status, or by an error in the answer.
OTHERWISE = {
    ("POST", "/assistants"): 409,
    ("POST", "/threads"): 409,
    ("POST", "/threads/{thread_id}/copy"): 409,
    ("POST", "/mcp"): 200,
    ("GET", "/mcp"): 405,
    ("POST", "/a2a/{assistant_id}"): 200,
    ("GET", "/a2a/{assistant_id}"): 405,
    ("GET", "/a2a/{assistant_id}/.well-known/agent-card.json"): 400,
    ("GET", "/a2a/{assistant_id}/.well-known/agent.json"): 400,
    ("GET", "/.well-known/agent-card.json"): 400,
}
#: Where the thread in the path is the one that waits for an answer.
WAITING = {
    ("POST", "/threads/{thread_id}/commands"),
    ("POST", "/threads/{thread_id}/runs/stream"),
}
