"""Crons: runs that are started by the clock."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from langgraph_client.models._base import SENT, Model, OpenObject, Timestamp
from langgraph_client.models.params import OnCompletionBehavior


class Cron(Model, frozen=True):
    """A scheduled run. `payload` holds what its runs are started with.

    `end_time` is text where it is not a time: servers keep whatever they were given.
    """

    cron_id: str = SENT
    assistant_id: str | None = None
    thread_id: str | None = None
    user_id: str | None = None
    end_time: Annotated[Timestamp | str | None, Field(union_mode="left_to_right")] = None
    schedule: str = SENT
    timezone: str | None = None
    payload: OpenObject = Field(default_factory=dict)
    next_run_date: Timestamp | None = None
    metadata: OpenObject = Field(default_factory=dict)
    on_run_completed: OnCompletionBehavior | str | None = None
    enabled: bool = True
    created_at: Timestamp = SENT
    updated_at: Timestamp = SENT
