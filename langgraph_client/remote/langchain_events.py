"""Filter the langchain events that `astream_events` yields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langgraph_client.remote.aliases import GraphValue, JsonObject, Reply

Names = Sequence[str]


@dataclass
class LangchainEventFilter:
    """The events that a caller wants, by the name, kind and tags of the event's run."""

    input: GraphValue
    include: Mapping[str, Names | None]
    exclude: Mapping[str, Names | None]
    _root: str | None = None

    def select(self, event: JsonObject) -> list[JsonObject]:
        """Return the event in a list, or none if it is not wanted.

        Its input is set as a local graph does.
        """
        includes_all = all(names is None for names in self.include.values())
        if not (includes_all or _fits(event, self.include)) or _fits(event, self.exclude):
            return []
        # As in a local graph: the first event has the caller's input, the root's end has none.
        if self._root is None:
            self._root = event["run_id"]
            event["data"]["input"] = self.input
        elif event["run_id"] == self._root and event["event"].endswith("_end"):
            event["data"].pop("input", None)
        return [event]


def refuse_other_versions(version: str, transformers: Sequence[object] | None) -> None:
    """Check the arguments for langchain's events.

    Raises:
        NotImplementedError: The version is not known, or `transformers` are passed.
    """
    if version not in ("v1", "v2"):
        raise NotImplementedError(f'version={version!r}: it must be "v1", "v2" or "v3"')
    if transformers is not None:
        raise NotImplementedError('transformers: they work with version="v3" only')


def refuse_filters(given: Mapping[str, tuple[Names | None, Names | None]]) -> None:
    """Refuse filters of langchain's events for langgraph's run stream.

    Raises:
        TypeError: A filter is passed, as from a local graph.
    """
    for name, (include, exclude) in given.items():
        for word, names in (("include", include), ("exclude", exclude)):
            if names is not None:
                raise TypeError(
                    f'{word}_{name}: version="v3" has no filters; read its projections instead'
                )


def _fits(event: Reply, wanted: Mapping[str, Names | None]) -> bool:
    kind = event["event"].removeprefix("on_").rpartition("_")[0]
    return (
        event["name"] in (wanted["names"] or ())
        or kind in (wanted["types"] or ())
        or not set(wanted["tags"] or ()).isdisjoint(event.get("tags", ()))
    )
