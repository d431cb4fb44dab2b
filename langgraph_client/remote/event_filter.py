"""Which of langchain's events `astream_events` yields."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from langgraph_client.remote.aliases import GraphValue, JsonObject, Reply

Names = Sequence[str]


@dataclass
class EventFilter:
    """The events that a caller wants, by name, kind and tag of the run that they are of."""

    input: GraphValue
    include: Mapping[str, Names | None]
    exclude: Mapping[str, Names | None]
    _root: str | None = None

    def wanted(self, event: JsonObject) -> bool:
        """Return whether an event is wanted; one that is gets its input as locally."""
        includes_all = all(names is None for names in self.include.values())
        if not (includes_all or _fits(event, self.include)) or _fits(event, self.exclude):
            return False
        # As locally: the first event has the caller's own input, its run's end has none.
        if self._root is None:
            self._root = event["run_id"]
            event["data"]["input"] = self.input
        elif event["run_id"] == self._root and event["event"].endswith("_end"):
            event["data"].pop("input", None)
        return True


async def filtered(
    events: AsyncGenerator[JsonObject, None], wanted: EventFilter
) -> AsyncGenerator[JsonObject, None]:
    """Yield the events that are wanted."""
    async with aclosing(events):
        async for event in events:
            if wanted.wanted(event):
                yield event


def refuse_other_versions(version: str, transformers: Sequence[object] | None) -> None:
    """Raise for langchain's events in a form that there is not.

    Raises:
        NotImplementedError: An unknown version, or `transformers`.
    """
    if version not in ("v1", "v2"):
        raise NotImplementedError(f'version={version!r}: it must be "v1", "v2" or "v3"')
    if transformers is not None:
        raise NotImplementedError('transformers: they are for version="v3"')


def refuse_filters(given: Mapping[str, tuple[Names | None, Names | None]]) -> None:
    """Raise for filters of langchain's events where langgraph's run stream is asked for.

    Raises:
        TypeError: There is one, as from a local graph.
    """
    for name, (include, exclude) in given.items():
        for word, names in (("include", include), ("exclude", exclude)):
            if names is not None:
                raise TypeError(f'{word}_{name}: not for version="v3"; read the projections')


def _fits(event: Reply, wanted: Mapping[str, Names | None]) -> bool:
    kind = event["event"].removeprefix("on_").rpartition("_")[0]
    return (
        event["name"] in (wanted["names"] or ())
        or kind in (wanted["types"] or ())
        or not set(wanted["tags"] or ()).isdisjoint(event.get("tags", ()))
    )
