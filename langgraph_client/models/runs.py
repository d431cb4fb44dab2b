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
    """One execution of an assistant. `kwargs` holds what it was started with."""

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
    """What `on_run_created` gets. A stateless run may have no `thread_id` to tell."""

    run_id: str
    thread_id: NotRequired[str | None]


class RunOutput(dict[str, Any]):
    """A run's result: a dict, which also knows the run that it came from."""

    run_id: str | None = None
    thread_id: str | None = None


class RunOutputList(list[Any]):
    """A run's result that is a list, which also knows the run that it came from."""

    run_id: str | None = None
    thread_id: str | None = None


def run_output(value: JSON, run_id: str | None, thread_id: str | None) -> JSON:
    """`value`, knowing its run where it is a dict or a list; other values as they are."""
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
