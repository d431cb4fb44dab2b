"""The types of replies and requests, under the names of `langgraph_sdk.schema`."""

from __future__ import annotations

from langgraph_client.models import *  # noqa: F403
