"""Crons: runs that are started by the clock."""

from __future__ import annotations

from datetime import datetime

from langgraph_client.models.fields import JsonObject, empty
from langgraph_client.models.params import OnCompletionBehavior
from langgraph_client.models.record import Record

__all__ = ["Cron"]


class Cron(Record):
    """A scheduled run. `payload` holds what its runs are started with.

    `end_time` is text where it is not a time: servers keep whatever they were given.
    """

    cron_id: str
    assistant_id: str | None = None
    thread_id: str | None = None
    user_id: str | None = None
    end_time: datetime | str | None = None
    schedule: str
    timezone: str | None = None
    payload: JsonObject = empty(dict)
    next_run_date: datetime | None = None
    metadata: JsonObject = empty(dict)
    on_run_completed: OnCompletionBehavior | str | None = None
    enabled: bool = True
    created_at: datetime
    updated_at: datetime
