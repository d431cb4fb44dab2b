"""Crons: runs that the server starts on a schedule."""

from __future__ import annotations

from datetime import datetime

from langgraph_client.models.fields import JsonObject, empty
from langgraph_client.models.params import OnCompletionBehavior
from langgraph_client.models.record import Record

__all__ = ["Cron"]


class Cron(Record):
    """A schedule that starts runs.

    Attributes:
        user_id: The user that created it, on servers with authentication.
        payload: The arguments of its runs.
        next_run_date: When the next run starts; None if none will.
        end_time: After this time it starts no more runs. It is text if it is not a time: servers
            keep any value.
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
