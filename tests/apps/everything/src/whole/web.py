from contextlib import asynccontextmanager

from langgraph_sdk import get_client
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@asynccontextmanager
async def lifespan(app: Starlette):
    app.state.heard = []
    yield


async def hook(request: Request) -> Response:
    run = await request.json()
    request.app.state.heard.append([run["status"], request.headers.get("x-key")])
    return Response()


async def heard(request: Request) -> Response:
    return JSONResponse(request.app.state.heard)


async def threads(request: Request) -> Response:
    found = await get_client(headers={"x-user": request.headers["x-user"]}).threads.search()
    return JSONResponse([thread["thread_id"] for thread in found])


class Note(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next) -> Response:
        response = await call_next(request)
        if "user" in request.scope:  # Not on paths that nobody has to say who they are for.
            response.headers["x-user-seen"] = request.user.identity
        return response


app = Starlette(
    routes=[
        Route("/hook", hook, methods=["POST"]),
        Route("/heard", heard),
        Route("/mine", threads),
    ],
    lifespan=lifespan,
    middleware=[Middleware(Note)],
)
