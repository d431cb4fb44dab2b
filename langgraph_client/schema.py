"""The shapes of replies and requests under one roof.

For code written as `from langgraph_sdk.schema import Thread`: only the package's name changes.
"""

from __future__ import annotations

from langgraph_client.models import *  # noqa: F403
