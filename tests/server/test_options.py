"""Settings of a `Server` that could have no effect are refused where they are made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from langgraph_client import InvalidArgumentError, ScriptedGraph, Server
from langgraph_client.server.options import (
    Cors,
    HeaderRules,
    HttpOptions,
    StoreIndex,
    StoreOptions,
    ThreadTTL,
    WebhookOptions,
)

WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "group": (
        lambda: HttpOptions(disabled=frozenset({"stores"})),  # type: ignore[arg-type]
        r"disabled: 'stores': there is no such group of endpoints; there are 'a2a', .*'store'",
    ),
    "text for a set": (
        lambda: HttpOptions(disabled="store"),  # type: ignore[arg-type]
        r"disabled: must be a set, such as \{'store'\}",
    ),
    "strategy": (
        lambda: ThreadTTL(60, "keep-latest"),  # type: ignore[arg-type]
        "strategy: must be one of 'delete', 'keep_latest', not 'keep-latest'",
    ),
    "minutes": (lambda: ThreadTTL(0), "minutes: must be a number of minutes above 0, .*, not 0"),
    "minutes of thousands of years": (lambda: ThreadTTL(1e300), "at most 100,000,000, not 1e"),
    "minutes of the store": (
        lambda: StoreOptions(default_ttl=float("nan")),
        "default_ttl: must be a number of minutes above 0",
    ),
    "no dimensions": (
        lambda: StoreIndex(0, embed=print),
        "dims: must be a whole number above 0, not 0",
    ),
    "field of an index": (
        lambda: StoreIndex(2, embed=print, fields="text"),  # type: ignore[arg-type]
        "fields: must be a tuple of texts, not 'text'",
    ),
    "headers": (
        lambda: HeaderRules(includes="x-*"),  # type: ignore[arg-type]
        r"includes: must be a tuple of texts, not 'x-\*'",
    ),
    "domains of webhooks": (
        lambda: WebhookOptions(allowed_domains="a.example"),  # type: ignore[arg-type]
        "allowed_domains: must be a tuple of texts, not 'a.example'",
    ),
    "origin": (lambda: Cors(("http//x",)), "allow_origins: 'http//x' is not an origin"),
    "origin with a path": (lambda: Cors(("https://a.example/x",)), "is not an origin"),
    "origin with a star": (lambda: Cors(("https://*.example",)), "allow_origin_regex"),
    "origin with half an address": (lambda: Cors(("http://[::1",)), "is not an origin"),
    "regex": (
        lambda: Cors(allow_origin_regex="("),
        r"allow_origin_regex: '\(' is not a regular expression",
    ),
    "methods": (
        lambda: Cors(allow_methods="GET"),  # type: ignore[arg-type]
        "allow_methods: must be a tuple of texts, not 'GET'",
    ),
    "cors of a server": (
        lambda: Server({}, cors="https://a.example"),
        "cors: must be a list of origins, not 'https://a.example'",
    ),
    "one of the origins of a server": (
        lambda: Server({}, cors=["a.example"]),
        "allow_origins: 'a.example' is not an origin",
    ),
    "no runs": (
        lambda: Server({}, max_runs=0),
        "max_runs: must be a whole number above 0, not 0",
    ),
    "half a run": (
        lambda: Server({}, max_runs=1.5),  # type: ignore[arg-type]
        "max_runs: must be a whole number above 0, not 1.5",
    ),
    "no time for a run": (
        lambda: Server({}, max_run_seconds=0),
        "max_run_seconds: must be a number above 0, or None, not 0",
    ),
    "endless time for events": (
        lambda: Server({}, event_ttl=float("inf")),
        "event_ttl: must be a number above 0, not inf",
    ),
    "no time for events": (
        lambda: Server({}, event_ttl=None),  # type: ignore[arg-type]
        "event_ttl: must be a number above 0, not None",
    ),
    "no time to read": (
        lambda: Server({}, send_timeout=-1),
        "send_timeout: must be a number above 0, or None, not -1",
    ),
    "graph": (
        lambda: Server(ScriptedGraph([])),  # type: ignore[arg-type]
        'graphs: must be a mapping of names to graphs, such as {"agent": graph}, not ScriptedGraph',
    ),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_setting_is_refused(name: str) -> None:
    """With the parameter, the value, and what is allowed."""
    make, message = WRONG[name]
    with pytest.raises(InvalidArgumentError, match=message):
        make()


def test_right_settings_are_accepted() -> None:
    """Every form of an origin that browsers send, and every group."""
    Cors(("*", "null", "http://localhost:3000", "https://a.example/", "tauri://localhost"))
    HttpOptions(disabled=frozenset({"store", "a2a", "mcp", "meta", "ui", "event_streaming"}))
    ThreadTTL(0.5, "keep_latest")
