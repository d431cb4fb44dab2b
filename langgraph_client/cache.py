"""A cache of JSON values, for handlers and nodes, as `langgraph_sdk.cache` on a deployment.

It is in the memory of the process. Each process of a server has its own, and it is empty after a
restart: like every cache, it may have lost anything.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar, cast

from langgraph_client.errors import InvalidArgumentError

__all__ = ["CacheStatus", "SWRResult", "cache_get", "cache_set", "swr"]

logger = logging.getLogger("langgraph_client")

T = TypeVar("T")
JSON: TypeAlias = Any
CacheStatus: TypeAlias = Literal["miss", "fresh", "stale", "expired"]
Loader: TypeAlias = Callable[[], Awaitable[JSON]]

_MAX_ENTRIES = 1000
_DAY = timedelta(days=1)


_MISSING = object()


class _Entry(NamedTuple):
    text: str
    stored: float
    expires: float


class Cache:
    """Keeps the entries that were used last.

    Args:
        now: The clock, in seconds.
        max_entries: How many entries are kept.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, max_entries: int = _MAX_ENTRIES
    ) -> None:
        self._now = now
        self._max_entries = max_entries
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = threading.Lock()  # Plain nodes have threads and event loops of their own.
        self._loads: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Task[JSON]] = {}

    def get(self, key: str) -> tuple[JSON, float] | None:
        """Return a value and its age in seconds; None if there is none, or its time is over."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if self._now() >= entry.expires:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
        return json.loads(entry.text), self._now() - entry.stored

    def set(
        self, key: str, value: JSON, ttl: timedelta, *, loaded_since: float | None = None
    ) -> None:
        """Store a value.

        Args:
            key: The key.
            value: The value.
            ttl: How long it is kept.
            loaded_since: When loading the value began; nothing is stored if another value was
                stored later than that. None stores it in any case.

        Raises:
            InvalidArgumentError: The value cannot be encoded as JSON.
        """
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidArgumentError("value", f"cannot be encoded as JSON: {error}") from error
        now = self._now()
        with self._lock:
            known = self._entries.get(key)
            if loaded_since is not None and known is not None and known.stored > loaded_since:
                return
            self._entries[key] = _Entry(text, now, now + ttl.total_seconds())
            self._entries.move_to_end(key)
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)

    def load(self, key: str, loader: Loader, max_age: timedelta) -> asyncio.Task[JSON]:
        """Return the task that loads and stores a value; concurrent callers share it."""
        # By loop, too: a task can be awaited only in its own.
        place = (asyncio.get_running_loop(), key)
        task = self._loads.get(place)
        if task is None:
            task = self._loads[place] = asyncio.create_task(self._load(key, loader, max_age))
            task.add_done_callback(lambda done: self._loaded(place, done))
        return task

    def _loaded(
        self, place: tuple[asyncio.AbstractEventLoop, str], task: asyncio.Task[JSON]
    ) -> None:
        self._loads.pop(place, None)
        if not task.cancelled():
            # asyncio would log it as never retrieved if all callers are gone.
            task.exception()

    async def _load(self, key: str, loader: Loader, max_age: timedelta) -> JSON:
        began = self._now()
        value = await loader()
        self.set(key, value, max_age, loaded_since=began)
        return value

    async def swr(
        self,
        key: str,
        loader: Loader,
        fresh_for: timedelta,
        max_age: timedelta,
        model: type[T] | None,
    ) -> SWRResult[T]:
        """See the function `swr`."""
        load_model = _Model(model)
        load = load_model.loader(loader)
        entry = self.get(key)

        def result(value: JSON, status: CacheStatus) -> SWRResult[T]:
            return SWRResult(load_model.read(value), status, self, key, load, max_age, load_model)

        # Loading is shielded: other callers wait for the same task, and one of them that is
        # cancelled must not cancel it.
        if entry is None:
            # An entry whose time is over is gone: it cannot be told from one that never was.
            return result(await asyncio.shield(self.load(key, load, max_age)), "miss")
        value, age = entry
        if age >= max_age.total_seconds():
            return result(await asyncio.shield(self.load(key, load, max_age)), "expired")
        if age < fresh_for.total_seconds():
            return result(value, "fresh")
        self.load(key, load, max_age).add_done_callback(_log_failure)
        return result(value, "stale")


def _log_failure(task: asyncio.Task[JSON]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.warning("a value of the cache could not be loaded again: %r", error)


class _Model:
    """Converts between objects of a pydantic model and JSON; without a model, changes nothing."""

    def __init__(self, model: JSON) -> None:
        self._model = model

    def loader(self, loader: Loader) -> Loader:
        async def load() -> JSON:
            return self.write(await loader())

        return load

    def write(self, value: JSON) -> JSON:
        return value if self._model is None else value.model_dump(mode="json")

    def read(self, value: JSON) -> JSON:
        return value if self._model is None else self._model.model_validate(value)


class SWRResult(Generic[T]):
    """The result of `swr`.

    Attributes:
        value: The value.
        status: Where it is from: `miss` or `expired` (it was loaded now), `fresh`, or `stale` (it
            is being loaded again).
    """

    def __init__(
        self,
        value: T,
        status: CacheStatus,
        cache: Cache,
        key: str,
        loader: Loader,
        max_age: timedelta,
        model: _Model,
    ) -> None:
        self.value = value
        self.status: CacheStatus = status
        self._cache = cache
        self._key = key
        self._loader = loader
        self._max_age = max_age
        self._model = model

    async def mutate(self, value: T = cast("T", _MISSING)) -> T:  # noqa: B008
        """Store another value, or load it again.

        Args:
            value: The value to store. Default: what the loader returns now.

        Returns:
            The new value.

        Raises:
            InvalidArgumentError: The value cannot be encoded as JSON.
        """
        if value is _MISSING:
            loading = self._cache.load(self._key, self._loader, self._max_age)
            self.value = self._model.read(await asyncio.shield(loading))
        else:
            self._cache.set(self._key, self._model.write(value), self._max_age)
            self.value = value
        return self.value

    def __repr__(self) -> str:
        return f"SWRResult(value={self.value!r}, status={self.status!r})"


_cache = Cache()


async def cache_get(key: str) -> JSON | None:
    """Get a value from the cache.

        rates = await cache_get("rates")

    Args:
        key: The key.

    Returns:
        The value, decoded from JSON; None if there is none, or its time is over.
    """
    entry = _cache.get(key)
    return None if entry is None else entry[0]


async def cache_set(key: str, value: JSON, *, ttl: timedelta | None = None) -> None:
    """Store a value in the cache. It replaces an existing one.

        await cache_set("rates", {"eur": 1}, ttl=timedelta(hours=1))

    Args:
        key: The key.
        value: A JSON value.
        ttl: How long it is kept, at most a day. Default, and for 0: a day.

    Raises:
        InvalidArgumentError: The value cannot be encoded as JSON.
    """
    _cache.set(key, value, _limited(ttl))


async def swr(
    key: str,
    loader: Callable[[], Awaitable[T]],
    *,
    fresh_for: timedelta | None = None,
    max_age: timedelta | None = None,
    model: type[T] | None = None,
) -> SWRResult[T]:
    """Return a value from the cache, and load it when it is missing or old.

    A value that is older than `fresh_for` is returned at once and loaded again meanwhile ("stale
    while revalidate"). If that fails, it is logged, and the old value is kept. Callers that wait
    for the same value share one call of the loader.

        user = await swr(token, lambda: look_up(token), fresh_for=timedelta(minutes=5))

    Args:
        key: The key. Keys of `swr` are not those of `cache_get`.
        loader: Returns the value, a JSON value or an object of `model`.
        fresh_for: How long a value is returned without loading it again. Default: 0.
        max_age: How long a value is kept, at most a day. Default, and for 0: a day.
        model: A class of pydantic. Its objects are stored as JSON. Default: none.

    Raises:
        InvalidArgumentError: A time is negative, or the value cannot be encoded as JSON.
        Exception: Whatever the loader raises, if there is no value.
    """
    fresh = timedelta(0) if fresh_for is None else fresh_for
    if fresh < timedelta(0):
        raise InvalidArgumentError("fresh_for", f"must not be negative, not {fresh}")
    return await _cache.swr(f"\0swr:{key}", loader, fresh, _limited(max_age, "max_age"), model)


def _limited(ttl: timedelta | None, name: str = "ttl") -> timedelta:
    if ttl is not None and ttl < timedelta(0):
        raise InvalidArgumentError(name, f"must not be negative, not {ttl}")
    return min(ttl, _DAY) if ttl else _DAY
