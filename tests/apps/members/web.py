from langgraph_sdk import get_client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def me(request: Request) -> JSONResponse:
    return JSONResponse({"identity": request.user.identity, "path": request.url.path})


async def mine(request: Request) -> JSONResponse:
    found = await get_client().threads.search()
    return JSONResponse(sorted({thread["metadata"]["owner"] for thread in found}))


app = Starlette(routes=[Route("/me", me), Route("/mine", mine)])
