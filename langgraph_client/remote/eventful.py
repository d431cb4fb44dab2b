"""RemoteGraph's `astream_events`: langchain's own events of everything that a run does."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, NoReturn

from langgraph_client.remote.running import Running

Names = Sequence[str]


class Eventful(Running):
    """A graph whose runs can be followed event by event."""

    async def astream_events(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        transformers: Sequence[Any] | None = None,
        include_names: Names | None = None,
        include_types: Names | None = None,
        include_tags: Names | None = None,
        exclude_names: Names | None = None,
        exclude_types: Names | None = None,
        exclude_tags: Names | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        """Run the graph and yield langchain's events of its nodes, models and tools.

        The server sends them as the mode "events" of a stream.

        Args:
            input: As for `stream`.
            config: As for `stream`.
            version: Only "v2": servers send no events of another form.
            transformers: Only for "v3".
            include_names: Only events of runs of these names; see below.
            include_types: Only events of these kinds of runs: "chain", "chat_model", "llm",
                "tool", "retriever", "prompt", "parser".
            include_tags: Only events of runs with one of these tags. Of several `include_...` one
                has to fit.
            exclude_names: No events of runs of these names.
            exclude_types: No events of these kinds of runs.
            exclude_tags: No events of runs with one of these tags.
            **kwargs: Further arguments of `stream`.

        Yields:
            `{"event", "name", "run_id", "parent_ids", "tags", "metadata", "data"}`.

        Raises:
            NotImplementedError: Another version, or `transformers`.
        """
        _only_v2(version, transformers)
        included = (include_names, include_types, include_tags)
        excluded = (exclude_names, exclude_types, exclude_tags)
        events = self._astream(input, config, whole_state=True, events=True, **kwargs)
        first: str | None = None
        async with contextlib.aclosing(events):
            async for event in events:
                wanted = all(one is None for one in included) or _fits(event, included)
                if not wanted or _fits(event, excluded):
                    continue
                # As locally: the first event has the caller's own input, its run's end has none.
                if first is None:
                    first = event["run_id"]
                    event["data"]["input"] = input
                elif event["run_id"] == first and event["event"].endswith("_end"):
                    event["data"].pop("input", None)
                yield event

    def stream_events(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        transformers: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> NoReturn:
        """Refuse: a local graph has blocking events in version "v3" only, and servers send "v2".

        Raises:
            NotImplementedError: Always; use `astream_events`.
        """
        _only_v2(version, transformers)
        raise NotImplementedError(
            f'stream_events(version="{version}"): is async only, locally too; use astream_events'
        )


def _only_v2(version: str, transformers: Sequence[Any] | None) -> None:
    if version != "v2":
        raise NotImplementedError(
            f'version={version!r}: servers send the events of a run in version "v2" only'
        )
    if transformers is not None:
        raise NotImplementedError('transformers: they are for version="v3", which servers lack')


def _fits(event: Mapping[str, Any], wanted: Sequence[Names | None]) -> bool:
    names, types, tags = (frozenset(one or ()) for one in wanted)
    kind = event["event"].removeprefix("on_").rpartition("_")[0]
    return event["name"] in names or kind in types or not tags.isdisjoint(event.get("tags", ()))
