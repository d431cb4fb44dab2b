"""The clients, under the module name that users of the SDK know."""

from __future__ import annotations

from langgraph_client._async.assistants import AssistantsClient
from langgraph_client._async.client import LangGraphClient, get_client
from langgraph_client._async.crons import CronClient
from langgraph_client._async.http import HttpClient
from langgraph_client._async.runs import RunsClient
from langgraph_client._async.store import StoreClient
from langgraph_client._async.threads import ThreadsClient
from langgraph_client._sync.assistants import SyncAssistantsClient
from langgraph_client._sync.client import SyncLangGraphClient, get_sync_client
from langgraph_client._sync.crons import SyncCronClient
from langgraph_client._sync.http import SyncHttpClient
from langgraph_client._sync.runs import SyncRunsClient
from langgraph_client._sync.store import SyncStoreClient
from langgraph_client._sync.threads import SyncThreadsClient

__all__ = [
    "AssistantsClient",
    "CronClient",
    "HttpClient",
    "LangGraphClient",
    "RunsClient",
    "StoreClient",
    "SyncAssistantsClient",
    "SyncCronClient",
    "SyncHttpClient",
    "SyncLangGraphClient",
    "SyncRunsClient",
    "SyncStoreClient",
    "SyncThreadsClient",
    "ThreadsClient",
    "get_client",
    "get_sync_client",
]
