"""Runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired

from typing_extensions import TypedDict

from langgraph_client.models.fields import JSON, JsonObject, empty
from langgraph_client.models.params import MultitaskStrategy, RunStatus
from langgraph_client.models.record import Record

__all__ = ["Run", "RunCreateMetadata", "RunOutput", "RunOutputList"]


class Run(Record):
    """One execution of an assistant.

    Attributes:
        kwargs: The arguments with which it was started: input, config and others.
        langsmith_session_name: The LangSmith project to which it is traced; None for the default.
    """

    run_id: str
    thread_id: str
    assistant_id: str
    metadata: JsonObject = empty(dict)
    status: RunStatus | str
    kwargs: JsonObject = empty(dict)
    multitask_strategy: MultitaskStrategy | str | None = None
    created_at: datetime
    updated_at: datetime
    langsmith_session_name: str | None = None


class RunCreateMetadata(TypedDict):
    """The argument of `on_run_created`. A stateless run may have no `thread_id`."""

    run_id: str
    thread_id: NotRequired[str | None]


class RunOutput(dict[str, Any]):
    """A run's result: a dict, with the ids of its run as attributes."""

    run_id: str | None = None
    thread_id: str | None = None


class RunOutputList(list[Any]):
    """A run's result that is a list, with the ids of its run as attributes."""

    run_id: str | None = None
    thread_id: str | None = None


def run_output(value: JSON, run_id: str | None, thread_id: str | None) -> JSON:
    """Return `value` with the ids of its run as attributes, if it is a dict or a list."""
    output: RunOutput | RunOutputList
    if isinstance(value, dict):
        output = RunOutput(value)
    elif isinstance(value, list):
        output = RunOutputList(value)
    else:
        return value
    output.run_id = run_id
    output.thread_id = thread_id
    return output
