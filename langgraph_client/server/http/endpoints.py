"""The endpoint table: every endpoint of the server.

The routes, the checks of bodies and queries, the OpenAPI document and the mock of the testing kit
are all read from it, and what an application's `Auth` is asked about each request: `access`.
"""

from __future__ import annotations

from starlette.responses import Response

from langgraph_client.server.errors import Invalid
from langgraph_client.server.http import access
from langgraph_client.server.http.endpoint import (
    Endpoint,
    Query,
    ValidRequest,
    flag,
    integer,
    text,
    texts,
    truth,
)
from langgraph_client.server.http.routes import (
    assistants,
    crons,
    event_sockets,
    event_streams,
    runs,
    state,
    store,
    streams,
    system,
    threads,
)

SSE = "text/event-stream"
_WAITING = "the result once the run is over; newlines come before it while it is waited for"
_NOT_JSON = (400, "Invalid JSON body")
_ASSISTANT = "/assistants/{assistant_id}"
_THREAD = "/threads/{thread_id}"
_RUNS = f"{_THREAD}/runs"
_RUN = f"{_THREAD}/runs/{{run_id}}"


def _read_xray(given: list[str]) -> bool | int:
    word = given[-1] if given else "false"
    if word in ("false", "False", "true", "True"):
        return word in ("true", "True")
    depth: int = _DEPTH.read(given)
    if depth < 1 or not word.isdecimal():
        raise Invalid("Invalid xray value")
    return depth


_DEPTH = integer(0, Invalid, "Invalid xray value")
_XRAY = Query(_read_xray, {"type": ["boolean", "integer"]})
_PYTHON_TRUE = flag("true", "True")
_SELECT = texts(
    runs.FIELDS, f"Invalid select columns: {{}}. Expected: {{{str(runs.FIELDS)[1:-1]}}}"
)
_REFRESH = Query(lambda given: truth().read(given) if given else None, {"type": "boolean"})
_NAMESPACE = Query(lambda given: (given[-1] if given else "").split("."), {"type": "string"})
_JOIN = {"cancel_on_disconnect": truth()}
_STATE = {"subgraphs": _PYTHON_TRUE}


async def _described(request: ValidRequest) -> Response:
    raise AssertionError("the application puts a description of all that it serves here")


_E = Endpoint
ENDPOINTS: tuple[Endpoint, ...] = (
    # Where one pattern fits another's path, such as "/runs/{run_id}" and "/runs/crons", the more
    # special one stands first.
    _E(
        "POST",
        "/assistants",
        access.ASSISTANTS_CREATE,
        assistants.create,
        "Create one",
        "AssistantCreate",
        "Assistant",
    ),
    _E(
        "POST",
        "/assistants/search",
        access.ASSISTANTS_SEARCH,
        assistants.search,
        "Find",
        "AssistantSearch",
        "[AssistantSelected]",
    ),
    _E(
        "POST",
        "/assistants/count",
        access.ASSISTANTS_SEARCH,
        assistants.count,
        "Count",
        "AssistantCount",
        "int",
    ),
    _E("GET", _ASSISTANT, access.ASSISTANTS_READ, assistants.get, "Read one", gives="Assistant"),
    _E(
        "PATCH",
        _ASSISTANT,
        access.ASSISTANTS_UPDATE,
        assistants.patch,
        "Change one: a new version",
        "AssistantPatch",
        "Assistant",
    ),
    _E(
        "DELETE",
        _ASSISTANT,
        access.ASSISTANTS_DELETE,
        assistants.delete,
        "Delete one",
        query={"delete_threads": flag("true", "True", "TRUE")},
    ),
    _E(
        "POST",
        f"{_ASSISTANT}/versions",
        access.ASSISTANTS_READ,
        assistants.list_versions,
        "List",
        "AssistantVersions",
        "[AssistantVersion]",
    ),
    _E(
        "POST",
        f"{_ASSISTANT}/latest",
        access.ASSISTANTS_LATEST,
        assistants.set_latest,
        "Go to a version",
        "AssistantLatest",
        "Assistant",
    ),
    _E(
        "GET",
        f"{_ASSISTANT}/graph",
        access.ASSISTANTS_READ,
        assistants.draw,
        "The graph's drawing",
        gives="GraphDrawing",
        query={"xray": _XRAY},
    ),
    _E(
        "GET",
        f"{_ASSISTANT}/schemas",
        access.ASSISTANTS_READ,
        assistants.show_schemas,
        "The graph's schemas",
        gives="GraphSchemas",
    ),
    _E(
        "GET",
        f"{_ASSISTANT}/subgraphs",
        access.ASSISTANTS_READ,
        assistants.show_subgraphs,
        "Of subgraphs",
        gives="Subgraphs",
        query={"recurse": _PYTHON_TRUE},
    ),
    _E(
        "GET",
        f"{_ASSISTANT}/subgraphs/{{namespace}}",
        access.ASSISTANTS_READ,
        assistants.show_subgraphs,
        "Of one subgraph",
        gives="Subgraphs",
        query={"recurse": _PYTHON_TRUE},
    ),
    _E(
        "POST",
        "/threads",
        access.THREADS_CREATE,
        threads.create,
        "Create a thread",
        "ThreadCreate",
        "Thread",
        also=(201,),
    ),
    _E(
        "POST",
        "/threads/search",
        access.THREADS_SEARCH,
        threads.search,
        "Find",
        "ThreadSearch",
        "[ThreadSelected]",
    ),
    _E(
        "POST",
        "/threads/count",
        access.THREADS_SEARCH,
        threads.count,
        "Count",
        "ThreadCount",
        "int",
    ),
    _E(
        "POST",
        "/threads/prune",
        access.THREADS_PRUNE,
        threads.prune,
        "Delete many, or their past",
        "ThreadPrune",
        "Pruned",
    ),
    _E(
        "GET",
        _THREAD,
        access.THREADS_READ,
        threads.get,
        "Read one",
        gives="Thread",
        query={"include": texts()},
    ),
    _E(
        "PATCH",
        _THREAD,
        access.THREADS_UPDATE,
        threads.patch,
        "Change one",
        "ThreadPatch",
        "Thread",
        also=(204,),
    ),
    _E(
        "DELETE",
        _THREAD,
        access.THREADS_DELETE,
        threads.delete,
        "Delete one and all that belongs to it",
    ),
    _E(
        "POST",
        f"{_THREAD}/copy",
        access.THREADS_COPY,
        threads.copy,
        "Copy one with its state",
        gives="Thread",
    ),
    _E(
        "GET",
        f"{_THREAD}/storage",
        access.THREADS_READ,
        threads.storage,
        "How much room it takes",
        gives="ThreadStorage",
    ),
    _E(
        "GET",
        f"{_THREAD}/state",
        access.THREADS_READ,
        state.read,
        "The latest state",
        gives="ThreadState",
        query=_STATE,
    ),
    _E(
        "POST",
        f"{_THREAD}/state",
        access.STATE_UPDATE,
        state.update,
        "Change the state",
        "ThreadStateUpdate",
        "StateUpdated",
    ),
    _E(
        "POST",
        f"{_THREAD}/state/checkpoint",
        access.THREADS_READ,
        state.read_checkpoint,
        "At a point",
        "ThreadStateAt",
        "ThreadState",
    ),
    _E(
        "GET",
        f"{_THREAD}/state/{{checkpoint_id}}",
        access.THREADS_READ,
        state.read_at,
        "At a point",
        gives="ThreadState",
        query=_STATE,
    ),
    _E(
        "GET",
        f"{_THREAD}/history",
        access.THREADS_READ,
        state.history,
        "Past states",
        gives="[ThreadState]",
        query={"limit": integer(1, Invalid, "Invalid limit {}"), "before": text()},
    ),
    _E(
        "POST",
        f"{_THREAD}/history",
        access.THREADS_READ,
        state.search_history,
        "Past states",
        "ThreadHistory",
        "[ThreadState]",
    ),
    _E(
        "GET",
        f"{_THREAD}/stream",
        access.THREADS_READ,
        streams.thread_stream,
        "All its runs' events",
        gives=SSE,
        query={"stream_modes": text()},
    ),
    _E(
        "POST",
        f"{_THREAD}/stream/events",
        access.THREADS_READ,
        event_streams.events,
        "The events of its runs, past and to come, as the event protocol has them",
        "EventFilter",
        SSE,
        not_json=_NOT_JSON,
    ),
    _E(
        "POST",
        f"{_THREAD}/commands",
        access.COMMAND,
        event_streams.command,
        "A command of the event protocol",
        "ProtocolCommand",
        "json",
        not_json=_NOT_JSON,
        refuses="CommandError",
    ),
    _E("POST", _RUNS, access.RUNS_CREATE, runs.create, "Start a run", "RunCreateStateful", "Run"),
    _E(
        "GET",
        _RUNS,
        access.RUNS_SEARCH,
        runs.list_runs,
        "List its runs",
        gives="[RunSelected]",
        query={"limit": integer(10), "offset": integer(0), "status": text(), "select": _SELECT},
    ),
    _E(
        "POST",
        f"{_RUNS}/wait",
        access.RUNS_CREATE,
        runs.wait,
        f"Run: {_WAITING}",
        "RunWaitStateful",
        "json",
    ),
    _E(
        "POST",
        f"{_RUNS}/stream",
        access.RUNS_CREATE,
        streams.stream,
        "Run, with its events",
        "RunWaitStateful",
        SSE,
    ),
    _E(
        "POST",
        f"{_RUNS}/crons",
        access.CRONS_CREATE,
        crons.create,
        "Run again and again",
        "CronCreate",
        "Cron",
    ),
    _E("GET", _RUN, access.THREADS_READ, runs.get_run, "Read one", gives="Run"),
    _E("DELETE", _RUN, access.THREADS_DELETE, runs.delete_run, "Delete one"),
    _E(
        "POST",
        f"{_RUN}/cancel",
        access.RUNS_CANCEL,
        runs.cancel,
        "Stop one",
        gives="json",
        query={"wait": truth(), "action": text()},
        also=(202,),
    ),
    _E("GET", f"{_RUN}/join", access.THREADS_READ, runs.join, _WAITING, gives="json", query=_JOIN),
    _E(
        "GET",
        f"{_RUN}/stream",
        access.THREADS_READ,
        streams.join_stream,
        "Its events from here on, or after `Last-Event-ID`",
        gives=SSE,
        query={**_JOIN, "stream_mode": text()},
    ),
    _E(
        "POST",
        "/runs",
        access.RUNS_CREATE,
        runs.create,
        "Start a run without a thread",
        "RunCreateStateless",
        "Run",
    ),
    _E(
        "POST",
        "/runs/batch",
        access.RUNS_CREATE,
        runs.create_batch,
        "Start many",
        "RunBatch",
        "[Run]",
    ),
    _E(
        "POST",
        "/runs/wait",
        access.RUNS_CREATE,
        runs.wait,
        f"Run: {_WAITING}",
        "RunWaitStateless",
        "json",
    ),
    _E(
        "POST",
        "/runs/stream",
        access.RUNS_CREATE,
        streams.stream,
        "Run, with its events",
        "RunWaitStateless",
        SSE,
    ),
    _E(
        "POST",
        "/runs/cancel",
        access.RUNS_CANCEL_MANY,
        runs.cancel_many,
        "Stop many",
        "RunsCancel",
        query={"action": text()},
    ),
    _E(
        "POST",
        "/runs/crons",
        access.CRONS_CREATE,
        crons.create,
        "Run again and again",
        "CronCreate",
        "Cron",
    ),
    _E(
        "POST",
        "/runs/crons/search",
        access.CRONS_SEARCH,
        crons.search,
        "Find",
        "CronSearch",
        "[CronSelected]",
    ),
    _E("POST", "/runs/crons/count", access.CRONS_SEARCH, crons.count, "Count", "CronCount", "int"),
    _E("GET", "/runs/crons/{cron_id}", access.CRONS_READ, crons.get, "Read one", gives="Cron"),
    _E(
        "PATCH",
        "/runs/crons/{cron_id}",
        access.CRONS_UPDATE,
        crons.update,
        "Change one",
        "CronPatch",
        "Cron",
    ),
    _E("DELETE", "/runs/crons/{cron_id}", access.CRONS_DELETE, crons.delete, "Delete one"),
    _E("PUT", "/store/items", access.STORE_PUT, store.put, "Write an item", "StorePut"),
    _E(
        "GET",
        "/store/items",
        access.STORE_GET,
        store.get,
        "Read",
        gives="Item?",
        query={"namespace": _NAMESPACE, "key": text(), "refresh_ttl": _REFRESH},
    ),
    _E("DELETE", "/store/items", access.STORE_DELETE, store.delete, "Delete one", "StoreDelete"),
    _E(
        "POST",
        "/store/items/search",
        access.STORE_SEARCH,
        store.search,
        "Find",
        "StoreSearch",
        "ItemsFound",
    ),
    _E(
        "POST",
        "/store/namespaces",
        access.STORE_NAMESPACES,
        store.namespaces,
        "List",
        "StoreNamespaces",
        "Namespaces",
    ),
    _E(
        "GET",
        "/",
        access.PUBLIC,
        system.ok,
        "Whether it is up",
        gives="Ok",
        query={"check_db": integer(0)},
    ),
    _E(
        "GET",
        "/ok",
        access.PUBLIC,
        system.ok,
        "Whether it is up",
        gives="Ok",
        query={"check_db": integer(0)},
    ),
    _E("GET", "/info", access.PUBLIC, system.info, "What it is", gives="Info"),
    _E(
        "GET",
        "/metrics",
        access.PUBLIC,
        system.metrics,
        "Its numbers",
        gives="text/plain|json",
        query={"format": text()},
    ),
    _E("GET", "/openapi.json", access.PUBLIC, _described, "This document", gives="json"),
    _E("GET", "/docs", access.PUBLIC, _described, "This document to read", gives="text/html"),
)
SOCKETS = {f"{_THREAD}/stream/events": (access.THREADS_READ, event_sockets.event_socket)}
"""What answers WebSockets, by path. The OpenAPI document has no words for them."""
