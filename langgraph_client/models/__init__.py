"""The types of replies and of request parameters."""

from __future__ import annotations

from langgraph_client.models.assistants import *  # noqa: F403
from langgraph_client.models.crons import *  # noqa: F403
from langgraph_client.models.events import *  # noqa: F403
from langgraph_client.models.params import *  # noqa: F403
from langgraph_client.models.runs import *  # noqa: F403
from langgraph_client.models.store import *  # noqa: F403
from langgraph_client.models.system import *  # noqa: F403
from langgraph_client.models.threads import *  # noqa: F403
