"""Routes beside the server's own, as people have them."""

from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, WebSocket
from langgraph_sdk import get_client

events: list[str] = []


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.greeting = "hello"
    events.append("started")
    yield {"shared": "from the lifespan"}
    events.append("ended")


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def note(request: Request, call_next):
    response = await call_next(request)
    response.headers["x-seen"] = request.url.path
    return response


@app.get("/hello/{name}")
async def hello(name: str, request: Request) -> dict[str, str]:
    if name == "nobody":
        raise HTTPException(418, "a teapot")
    return {"said": f"{request.app.state.greeting} {name}"}


@app.get("/state")
async def state(request: Request) -> str:
    return request.state.shared


@app.get("/info")
async def info() -> dict[str, str]:
    return {"mine": "info"}


@app.get("/ok")
async def ok() -> dict[str, str]:
    return {"mine": "ok"}


@app.get("/threads/{thread_id}/title")
async def title(thread_id: str) -> dict[str, str]:
    return {"title": thread_id}


@app.get("/runs/wait")
async def runs() -> dict[str, str]:
    return {"mine": "runs"}


@app.post("/ask")
async def ask() -> dict[str, int]:
    return {"assistants": len(await get_client().assistants.search())}


@app.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text() + "!")
    await websocket.close()
