"""The cheapest of clients. With fifty connections httpx takes longer to ask than we to answer."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit


class Connection:
    """One connection, kept open, that posts the same body again and again."""

    def __init__(self, url: str, path: str, body: object) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname, place.port
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(content)}"
        self._request = f"{head}\r\n\r\n".encode() + content

    async def open(self) -> Connection:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def post(self) -> None:
        """Post, and read all of the answer, which has to be a 200."""
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200 "), head
        if b"\r\ncontent-length: " in head:
            length = head.partition(b"\r\ncontent-length: ")[2].split(b"\r\n")[0]
            await self._reader.readexactly(int(length))
            return
        size = 1
        while size:
            size = int(await self._reader.readline(), 16)
            await self._reader.readexactly(size + 2)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()
