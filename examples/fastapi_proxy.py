"""A FastAPI backend between browsers and a LangGraph server.

It streams a run to the browser as server-sent events, goes on after `Last-Event-ID` when the
browser's EventSource reconnects, and cancels the run when the browser has left for good. The proxy
itself is the upper half; below it stands a server to talk to, and a browser's behaviour.
"""

import asyncio
import json
import operator
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import FastAPI, Header
from fastapi.responses import StreamingResponse
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server, get_client
from langgraph_client.errors import NotFoundError

GRACE = 5.0  # Seconds that a browser has to reconnect.


def make_proxy(url: str) -> FastAPI:
    client = get_client(url=url)
    readers: Counter[str] = Counter()  # By run.
    waiting: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with client:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/runs")
    async def start(given: dict[str, Any]) -> str:
        thread = await client.threads.create()
        how: Any = {"input": given, "stream_mode": "updates", "stream_resumable": True}
        run = await client.runs.create(thread.thread_id, "agent", **how)
        return f"/runs/{thread.thread_id}/{run.run_id}/events"

    @app.get("/runs/{thread}/{run}/events")
    async def events(
        thread: str, run: str, last_event_id: Annotated[str, Header()] = "0"
    ) -> StreamingResponse:
        return StreamingResponse(frames(thread, run, last_event_id), media_type="text/event-stream")

    async def frames(thread: str, run: str, last: str) -> AsyncIterator[str]:
        readers[run] += 1
        try:
            async with aclosing(client.runs.join_stream(thread, run, last_event_id=last)) as parts:
                async for part in parts:
                    data = json.dumps(part.data)
                    yield f"id: {part.id}\nevent: {part.event}\ndata: {data}\n\n"
        except BaseException:  # The browser has left.
            task = asyncio.create_task(cancel_later(thread, run))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
            raise
        finally:
            readers[run] -= 1

    async def cancel_later(thread: str, run: str) -> None:
        await asyncio.sleep(GRACE)
        # It may have come back even before it was noticed that it had left.
        if readers[run] == 0:
            with suppress(NotFoundError):  # The run is over.
                await client.runs.cancel(thread, run)

    return app


class State(TypedDict, total=False):
    said: Annotated[list[int], operator.add]
    until: int


async def count(state: State) -> State:
    await asyncio.sleep(0.05)
    return {"said": [len(state.get("said", []))]}


def more(state: State) -> str:
    return "count" if len(state["said"]) < state["until"] else "__end__"


def agent() -> Any:
    graph = StateGraph(State).add_node("count", count).add_edge(START, "count")
    return graph.add_conditional_edges("count", more, ["count", "__end__"]).compile()


def read(http: httpx.Client, path: str, last: str = "0", most: int = 1000) -> list[tuple[str, Any]]:
    """Read events as a browser does, and leave after some of them."""
    found = []
    with http.stream("GET", path, headers={"last-event-id": last}) as answer:
        event_id = name = ""
        for line in answer.iter_lines():
            if line.startswith("id: "):
                event_id = line[4:]
            elif line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: ") and name == "updates":
                found.append((event_id, json.loads(line[6:])["count"]["said"][0]))
                if len(found) == most:
                    break
    return found


def main() -> None:
    with Server({"agent": agent()}) as server, socket.create_server(("127.0.0.1", 0)) as port:
        config = uvicorn.Config(make_proxy(server.listen()), log_level="error")
        proxy = uvicorn.Server(config)
        thread = threading.Thread(target=proxy.run, args=([port],))
        thread.start()
        url = f"http://127.0.0.1:{port.getsockname()[1]}"
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
            path = http.post("/runs", json={"until": 6}).json()
            seen = read(http, path, most=2)
            print("before the connection is lost:", [said for _, said in seen])
            print("after it:", [said for _, said in read(http, path, last=seen[-1][0])])
            path = http.post("/runs", json={"until": 10_000}).json()
            read(http, path, most=1)
        thread_id, run_id = path.split("/")[2:4]
        with server.sync_client() as client:
            client.runs.join(thread_id, run_id)  # It ends a moment after the browser has left.
            print("left for good:", client.runs.get(thread_id, run_id).status)
        proxy.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
