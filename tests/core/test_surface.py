"""The names that users write today, against ours."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langgraph_client._async import assistants, client, crons, http, runs, store, threads
from langgraph_client._sync import assistants as sync_assistants
from langgraph_client._sync import client as sync_client
from langgraph_client._sync import crons as sync_crons
from langgraph_client._sync import http as sync_http
from langgraph_client._sync import runs as sync_runs
from langgraph_client._sync import store as sync_store
from langgraph_client._sync import threads as sync_threads

SURFACE: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent.parent / "surface.json").read_text()
)
OURS: dict[str, tuple[type, type]] = {
    "LangGraphClient": (client.LangGraphClient, sync_client.SyncLangGraphClient),
    "AssistantsClient": (assistants.AssistantsClient, sync_assistants.SyncAssistantsClient),
    "ThreadsClient": (threads.ThreadsClient, sync_threads.SyncThreadsClient),
    "RunsClient": (runs.RunsClient, sync_runs.SyncRunsClient),
    "CronClient": (crons.CronClient, sync_crons.SyncCronClient),
    "StoreClient": (store.StoreClient, sync_store.SyncStoreClient),
    "HttpClient": (http.HttpClient, sync_http.SyncHttpClient),
}
METHODS = [
    (name, method, given, colour)
    for name, methods in SURFACE.items()
    if name in OURS
    for method, given in methods.items()
    for colour in ("async", "sync")
]


def expected(signature: str) -> list[tuple[str, str, bool]]:
    """Name, default ("" for none), and whether it is keyword-only."""
    found, keyword_only = [], False
    for piece in re.split(r",\s*", signature) if signature else []:
        if piece == "*":
            keyword_only = True
            continue
        name, _, default = piece.partition("=")
        found.append((name, default, keyword_only))
    return found


def check(function: Callable[..., Any], signature: str) -> None:
    ours = [p for n, p in inspect.signature(function).parameters.items() if n != "self"]
    by_name = {p.name: p for p in ours}
    wanted = expected(signature)
    missing = [name for name, _, _ in wanted if name not in by_name]
    assert not missing
    in_order = [p.name for p in ours if p.name in {name for name, _, _ in wanted}]
    assert in_order == [name for name, _, _ in wanted]
    for name, default, keyword_only in wanted:
        parameter = by_name[name]
        said = "" if parameter.default is inspect.Parameter.empty else repr(parameter.default)
        assert said == default, name
        if not keyword_only:
            assert parameter.kind is not inspect.Parameter.KEYWORD_ONLY, name


@pytest.mark.parametrize(
    ("name", "method", "given", "colour"), METHODS, ids=lambda value: str(value)[:20]
)
def test_each_method_has_the_parameters_users_write(
    name: str, method: str, given: str, colour: str
) -> None:
    """Every method is there in both colours, its parameters in the same order and as defaulted."""
    if colour == "sync":
        method = {"aclose": "close"}.get(method, method)
    kind = OURS[name][colour == "sync"]
    check(getattr(kind, method), given)


@pytest.mark.parametrize("name", ["get_client", "get_sync_client"])
def test_factories_have_the_parameters_users_write(name: str) -> None:
    """The two factories take what users give them."""
    factory = client.get_client if name == "get_client" else sync_client.get_sync_client
    check(factory, SURFACE["factories"][name])


@pytest.mark.parametrize(
    "function",
    [
        runs.RunsClient.stream,
        sync_runs.SyncRunsClient.stream,
        runs.RunsClient.join_stream,
        sync_runs.SyncRunsClient.join_stream,
        assistants.AssistantsClient.search,
        sync_assistants.SyncAssistantsClient.search,
    ],
    ids=lambda f: f.__qualname__,
)
def test_overloads_name_every_parameter(function: Callable[..., Any]) -> None:
    """An overload has the parameters of its implementation, in its order."""
    source = Path(inspect.getsourcefile(function) or "").read_text()
    names = list(inspect.signature(function).parameters)
    found = re.findall(
        rf"@overload\n    (?:async )?def {function.__name__}\((.*?)\n    \)", source, re.S
    )
    assert len(found) == 2
    for overload in found:
        written = re.findall(r"^        (\w+)[:,]", overload, re.M)
        assert written == names
