"""The ids of threads: the caller's own, and the UUID under which a server knows it.

Below client and server, which do not import each other. A RemoteGraph sends the UUID and notes the
caller's id in the thread's metadata; the bundled server runs the graph under the caller's id.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from functools import lru_cache

#: Namespace of the UUIDv5 that stands for a thread id that is not a UUID itself:
#: `uuid5(THREAD_NAMESPACE, thread_id)`. Fixed for ever: threads on servers depend on it.
THREAD_NAMESPACE = uuid.UUID("8d2f6a5e-1c0b-5f43-9a56-0f0f5f1d2b7c")

#: Where a thread's metadata keeps the id that the caller gave (servers drop `thread_id` there).
GIVEN_ID = "given_thread_id"

#: Where a checkpoint's metadata keeps the checkpoints of the graphs around a remote node, by
#: namespace: as JSON text, since graphs keep flat metadata only (seen in langgraph 1.2).
GIVEN_PARENTS = "given_parents"

#: The key in `configurable` for the run's own thread, if nodes see that of a local graph around the
#: run as `thread_id`. langgraph neither shows nor stores keys with this prefix.
OWN_THREAD = "__pregel_own_thread"

#: Request header with which a RemoteGraph says which graph it is and how it calls the thread, as
#: JSON: `[assistant_id, thread_id]`. The bundled server reads a thread that it has never seen from
#: the checkpointer that the graph was compiled with.
THREAD_HEADER = "x-langgraph-client-thread"

_MAX_IDS = 1024  # How many ids are kept: each step of a run asks for its thread's several times.
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


@lru_cache(_MAX_IDS)
def server_thread_id(given: str) -> str:
    """Return the UUID under which a server knows a caller's thread id.

    A UUID (any case, with or without dashes) is itself, in lower case with dashes. Any other text
    is `uuid5(THREAD_NAMESPACE, text)`: the same in every process, for ever.
    """
    if _UUID.fullmatch(given):
        return str(uuid.UUID(given))
    return str(uuid.uuid5(THREAD_NAMESPACE, given))


def given_thread_id(metadata: Mapping[str, object] | None, thread_id: str) -> str:
    """Return the caller's id of a thread: what its metadata say, or else the server's own id.

    Metadata can be written by any client. An id that the server's own is not made from would give
    its writer another thread's state, so it counts for nothing.
    """
    given = (metadata or {}).get(GIVEN_ID)
    if isinstance(given, str) and server_thread_id(given) == thread_id:
        return given
    return thread_id
