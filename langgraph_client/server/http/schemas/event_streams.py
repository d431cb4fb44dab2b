"""The bodies of the event protocol. Handlers check them, as mistakes have codes of their own."""

from __future__ import annotations

COMMAND = {
    "description": "A command: an integer `id`, a `method`, and its `params`.",
    "properties": {"id": {}, "method": {}, "params": {}},
}
FILTER = {
    "description": "Which events: `channels`, not empty; prefixes of `namespaces` and the `depth`"
    " below them; those behind number `since`.",
    "properties": {"channels": {}, "namespaces": {}, "depth": {}, "since": {}},
}
