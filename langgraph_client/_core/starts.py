"""Make a call that starts a run start exactly one run, even when its response is lost.

Each such call has its own key, which is sent as `Idempotency-Key`. A server that supports the
header starts one run per key, and answers a repeated request like the first one. For other servers,
the key can be put into the run's metadata, so that the run can be found in its thread's list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

from langgraph_client._core.call import ANY, Call
from langgraph_client._core.requests import plain_mapping
from langgraph_client._core.unset import UNSET

T = TypeVar("T")

KEY_HEADER = "idempotency-key"
KEY_IN_METADATA = "idempotency_key"
#: Headers of the request that starts a run. Requests about that run must not carry them.
START_HEADERS = frozenset({KEY_HEADER, "prefer"})
_PATH = re.compile(r"(/threads/[^/]+/runs)(|/wait|/stream)")
_FOLLOWED_BY = {"": "", "/wait": "/join", "/stream": "/stream"}
_LATEST = 10  # How many runs of a thread are searched for the key.


def starting(call: Call[T]) -> Call[T]:
    """Return the call, marked as one that starts a run, with a key; a caller's own key is kept."""
    return replace(call, starts=True, headers={KEY_HEADER: uuid4().hex, **call.headers})


def without_key(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers for a request about a run, from those of the request that started it."""
    return {name: value for name, value in headers.items() if name not in START_HEADERS}


def findable(call: Call[T]) -> Call[T]:
    """Return the call with its key in the run's metadata too; a thread command is unchanged."""
    if call.path.endswith("/commands"):
        return call
    body = call.body if isinstance(call.body, Mapping) else {}
    given = plain_mapping("metadata", body.get("metadata"))
    metadata = {**(given or {}), KEY_IN_METADATA: call.headers[KEY_HEADER]}
    return replace(call, body={**body, "metadata": metadata})


def search(call: Call[Any]) -> Call[Any] | None:
    """Return the request that lists the runs of the call's thread; None for a stateless run."""
    match = _PATH.fullmatch(call.path)
    if match is None:
        return None
    query = [("limit", str(_LATEST)), *call.params]
    return Call("GET", match[1], ANY, query, headers=without_key(call.headers), safe=True)


def found_in(call: Call[Any], runs: object) -> str | None:
    """Return the id of the run that the call started; None if it is not in the list."""
    key = call.headers[KEY_HEADER]
    for run in runs if isinstance(runs, list) else []:
        metadata = run.get("metadata") if isinstance(run, dict) else None
        if isinstance(metadata, dict) and metadata.get(KEY_IN_METADATA) == key:
            run_id = run.get("run_id")
            return run_id if isinstance(run_id, str) else None
    return None


def content_location(call: Call[Any], run_id: str) -> dict[str, str]:
    """Return the header with which the lost response would have named the run."""
    match = _PATH.fullmatch(call.path)
    assert match is not None  # `search` has found it.
    return {"content-location": f"{match[1]}/{run_id}"}


def followed_by(call: Call[T], run_id: str) -> Call[T]:
    """Return the request that follows the run which `call` has already started."""
    match = _PATH.fullmatch(call.path)
    assert match is not None  # `search` has found it.
    return replace(
        call,
        method="GET",
        path=f"{match[1]}/{run_id}{_FOLLOWED_BY[match[2]]}",
        query=call.params,
        body=UNSET,
        headers=without_key(call.headers),
        safe=True,
        starts=False,
        on_headers=None,
    )
