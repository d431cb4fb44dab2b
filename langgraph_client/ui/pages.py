"""Serve the files of the local page."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
HEADERS = {
    # Scripts only from the page's own files, requests only to its own origin, and no text as HTML.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
"""The headers of every file of the page."""


@dataclass(frozen=True)
class _File:
    content: bytes
    zipped: bytes
    headers: Mapping[str, str]


class Pages:
    """Serves the page's files below `/ui`, and passes all other requests on.

    The files are public: they contain no data, and the page's requests send the key. So this comes
    before the middleware that checks keys.

    Args:
        app: The app for all other requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request, or pass it on."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path == "/ui":
                await RedirectResponse("ui/", 307)(scope, receive, send)
                return
            if path.startswith("/ui/"):
                answer = _answer(Request(scope), path.removeprefix("/ui/") or "index.html")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def has_own_ui(app: object) -> bool:
    """Return whether an application has a route for `/ui` itself."""
    scope = {"type": "http", "method": "GET", "path": "/ui", "headers": []}
    return isinstance(app, Starlette) and any(
        route.matches(dict(scope))[0] is not Match.NONE for route in app.routes
    )


def _answer(request: Request, name: str) -> Response:
    file = _files().get(name)
    if file is None:
        return PlainTextResponse("No such file", 404, HEADERS)
    if request.headers.get("if-none-match") == file.headers["etag"]:
        return Response(status_code=304, headers=file.headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.zipped, headers={**file.headers, "content-encoding": "gzip"})
    return Response(file.content, headers=file.headers)


@cache
def _files() -> dict[str, _File]:
    """Return the files by their path below `/ui/`. No other path is served."""
    files = {}
    for path in STATIC.rglob("*"):
        if path.suffix in _TYPES and path.is_file():
            name = path.relative_to(STATIC).as_posix()
            content = path.read_bytes()
            if name == "index.html":
                content = _with_preloads(content)
            files[name] = _file(content, _TYPES[path.suffix])
    return files


def _file(content: bytes, kind: str) -> _File:
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {**HEADERS, "content-type": kind, "etag": tag, "vary": "accept-encoding"}
    return _File(content, gzip.compress(content, 9, mtime=0), headers)


def _with_preloads(page: bytes) -> bytes:
    """Return the page with a preload for each module, so that a browser loads them all at once."""
    names = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))
    links = "".join(f'<link rel="modulepreload" href="{name}">\n' for name in names)
    return re.sub(rb"<!-- modules -->\n?", lambda _: links.encode(), page)
