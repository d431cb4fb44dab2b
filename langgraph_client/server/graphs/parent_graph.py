"""The values that a run gets from the graph with the node, a RemoteGraph, that started it.

langgraph passes the same to its subgraphs, in `configurable`, so that the run behaves like one:
it goes on from its own state if that graph resumes, and its interrupts take that graph's answers.
The names are those of langgraph 1.2.
"""

from __future__ import annotations

import dataclasses
import types
from typing import Any

from langgraph._internal._replay import ReplayState
from pydantic import BaseModel

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.graphs.langgraph_names import (
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_REPLAY_STATE,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_RESUMING,
)
from langgraph_client.server.graphs.protocol import Config
from langgraph_client.server.reserved_keys import without
from langgraph_client.thread_ids import OWN_THREAD


class ParentAnswer:
    """An answer for the first interrupt of a run that has none of its own.

    It takes the place of the parent task's scratchpad, of which tasks use this method only.

    Args:
        answer: The answer.
    """

    def __init__(self, answer: object) -> None:
        self._answers = [answer]

    @property
    def is_taken(self) -> bool:
        """Whether an interrupt has taken the answer."""
        return not self._answers

    def get_null_resume(self, consume: bool = False) -> object:
        """Return the answer; None if it is taken. Tasks in several threads may ask."""
        try:
            return self._answers.pop() if consume else self._answers[0]
        except IndexError:
            return None

    def give_back(self, answer: object) -> None:
        """Take the answer back from a RemoteGraph inside the run, which has not used it."""
        self._answers.append(answer)


def parent_keys(parent: JsonMapping) -> JsonObject:
    """Return the keys of `configurable` for what a run takes over; see `values.PARENT`."""
    keys: JsonObject = {}
    if not parent.get("keeps", True):
        keys[CONFIG_KEY_CHECKPOINTER] = None
    if parent.get("resuming"):
        keys[CONFIG_KEY_RESUMING] = True
    if isinstance(before := parent.get("replay"), str):
        keys[CONFIG_KEY_REPLAY_STATE] = ReplayState(before)
    if parent.get("answers"):
        keys[CONFIG_KEY_RESUME_MAP] = parent["answers"]
    return keys


def split_inherited(config: Config, parent: JsonMapping, own: Any) -> tuple[Any, Config]:
    """Return what a run's config has from the node around its call, and the rest.

    langgraph finds the former in a context variable, and merges onto it the config of the graph
    itself, and then the rest.

    Args:
        config: The config of the run.
        parent: See `values.PARENT`.
        own: The config of the graph itself, as of `with_config`; None without one.
    """
    inherited = parent.get("inherited")
    if not inherited:
        return None, config
    options, tags = set(inherited.get("options", ())), inherited.get("tags", ())
    names = set(inherited.get("metadata", ()))
    rest = {key: value for key, value in config.items() if key not in options}
    around = {key: value for key, value in config.items() if key in options}
    around |= {"tags": list(tags)}
    around["metadata"] = {k: v for k, v in config["metadata"].items() if k in names}
    rest["metadata"] = {k: v for k, v in config["metadata"].items() if k not in names}
    rest["tags"] = [tag for tag in config.get("tags", ()) if tag not in tags]
    # The variable cannot have this part: langgraph ignores it there if the rest names a thread.
    hidden = set(inherited.get("configurable", ())) & ((own or {}).get("configurable") or {}).keys()
    rest["configurable"] = without(config["configurable"], hidden)
    return around, rest


def thread_keys(parent: JsonMapping, configurable: JsonMapping) -> JsonObject:
    """Return the keys of `configurable` by which nodes see the thread of the graph around the run.

    Return no keys for a run with an authenticated user: the server cannot check who owns that
    thread.

    Args:
        parent: See `values.PARENT`.
        configurable: The one of the run.
    """
    thread_id = parent.get("thread_id")
    if not isinstance(thread_id, str) or configurable.get("langgraph_auth_user") is not None:
        return {}
    own = configurable.get("thread_id")
    return {"thread_id": thread_id} if own is None else {"thread_id": thread_id, OWN_THREAD: own}


def run_context(context: object, around: object, schema: Any) -> object:
    """Return the context of a run inside another graph, as langgraph merges the two.

    The context of the surrounding graph reaches the nodes unchanged. Its class may be unknown here:
    then it arrives as a dict, and becomes an object of the run's own context class, or, if it does
    not fit, an object with the same attributes.

    Args:
        context: The context of the run itself; None without one.
        around: The context of the graph around it; None without one.
        schema: The `context_schema` of the run's graph.
    """
    is_class = isinstance(schema, type) and (
        issubclass(schema, BaseModel) or dataclasses.is_dataclass(schema)
    )
    # An empty dict counts as none, unless it becomes an object.
    if around is None or context or (is_class and context is not None):
        return context
    if not is_class or not isinstance(around, dict):
        return around
    try:
        return schema(**around)
    except (TypeError, ValueError):  # pydantic's error is a ValueError.
        return types.SimpleNamespace(**around)
