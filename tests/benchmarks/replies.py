"""Measure what a reply costs beyond its JSON: decoding 1,000 threads, and reading them.

    python tests/benchmarks/replies.py

The goal is 1.1 times the JSON library alone, for threads with a short conversation each.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from langgraph_client._core.call import ReplyReader
from langgraph_client._core.codec import decode
from langgraph_client.models import Thread

_AT = "2026-11-20T20:44:07.331298+00:00"


class Times(NamedTuple):
    """Median milliseconds, and how many times the JSON library's the second is."""

    json_alone: float
    replies: float
    ratio: float


def thread(number: int, messages: int) -> dict[str, Any]:
    """A thread as servers answer it."""
    conversation = [
        {
            "type": "human" if turn % 2 else "ai",
            "content": "What is the weather like in the place where you are just now? " * 2,
            "id": str(uuid.UUID(int=number * 100 + turn)),
            "additional_kwargs": {},
            "response_metadata": {"model": "fake"},
        }
        for turn in range(messages)
    ]
    return {
        "thread_id": str(uuid.UUID(int=number)),
        "created_at": _AT,
        "updated_at": _AT,
        "state_updated_at": _AT,
        "metadata": {"user": "ann", "graph_id": "agent", "number": number},
        "status": "idle",
        "config": {"configurable": {}},
        "values": {"messages": conversation},
        "interrupts": {},
        "error": None,
    }


def decoding(threads: int = 1000, messages: int = 8, rounds: int = 50) -> Times:
    """Decode a page of threads, as JSON and as replies, in turns."""
    content = json.dumps([thread(number, messages) for number in range(threads)]).encode()
    reply = ReplyReader(list[Thread])

    def timed(read: Callable[[bytes], object]) -> float:
        start = time.perf_counter()
        read(content)
        return time.perf_counter() - start

    pairs = [(timed(decode), timed(reply.read)) for _ in range(rounds)]
    alone, replies = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    return Times(alone, replies, statistics.median(second / first for first, second in pairs))


def reading(threads: int = 1000) -> float:
    """Microseconds to read the id, the time and the state of one thread, by attribute."""
    replies = [Thread(thread(number, 2)) for number in range(threads)]
    start = time.perf_counter()
    for found in replies:
        _ = found.thread_id, found.created_at, found.values
    return (time.perf_counter() - start) / threads * 1e6


def main() -> int:
    for messages in (0, 2, 8, 40):
        times = decoding(messages=messages)
        print(
            f"1,000 threads of {messages:2} messages: JSON {times.json_alone:6.2f} ms, "
            f"replies {times.replies:6.2f} ms, {times.ratio:.2f} times"
        )
    print(f"three attributes of one thread: {reading():.1f} µs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
