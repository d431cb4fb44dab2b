"""The cache for handlers and nodes."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from langgraph_client import InvalidArgumentError
from langgraph_client.cache import Cache, cache_get, cache_set, swr

MINUTE, HOUR, NEVER = timedelta(minutes=1), timedelta(hours=1), timedelta(0)


class Time:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Loads numbers, one after the other, when it is allowed to."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.has_begun = asyncio.Event()

    async def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        self.has_begun.set()
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        return number


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def cache(time: Time) -> Cache:
    return Cache(time, max_entries=3)


async def loaded(cache: Cache, source: Source, **more: Any) -> tuple[Any, str]:
    options = {"fresh_for": MINUTE, "max_age": HOUR, "model": None, **more}
    found = await cache.swr("k", source, **options)
    return found.value, found.status


async def test_values_are_json_and_have_a_time(cache: Cache, time: Time) -> None:
    """What is read is a copy; after its time a value is gone."""
    given = {"a": [1, None, "é"]}
    cache.set("k", given, MINUTE)
    time.now = 59
    assert cache.get("k") == (given, 59)
    found = cache.get("k")
    assert found is not None
    assert found[0] is not given
    time.now = 60
    assert cache.get("k") is None


def test_those_used_last_are_kept(cache: Cache) -> None:
    """The cache has a limit."""
    for key in "abc":
        cache.set(key, key, HOUR)
    cache.get("a")
    cache.set("d", "d", HOUR)
    assert [key for key in "abcd" if cache.get(key)] == ["a", "c", "d"]


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan")])
def test_what_is_not_json_is_refused(cache: Cache, value: object) -> None:
    """Where it is stored, not where it is read."""
    with pytest.raises(InvalidArgumentError, match="value: cannot be encoded as JSON"):
        cache.set("k", value, HOUR)


async def test_missing_fresh_stale_expired(cache: Cache, time: Time) -> None:
    """A stale value is returned at once, and the next call has the new one."""
    source = Source()
    assert await loaded(cache, source) == (1, "miss")
    time.now = 59
    assert await loaded(cache, source) == (1, "fresh")
    time.now = 61
    source.may_end.clear()
    assert await loaded(cache, source) == (1, "stale")
    refresh = cache.load("k", source, HOUR)  # The task that is at work.
    source.may_end.set()
    assert await refresh == 2
    assert await loaded(cache, source) == (2, "fresh")
    time.now += 120
    assert await loaded(cache, source, max_age=MINUTE) == (3, "expired")
    assert source.calls == 3


async def test_callers_share_a_load(cache: Cache) -> None:
    """One of them may be cancelled."""
    source = Source()
    source.may_end.clear()
    first, second = (asyncio.create_task(loaded(cache, source)) for _ in range(2))
    await source.has_begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    source.may_end.set()
    assert await second == (1, "miss")
    assert source.calls == 1


async def test_a_load_that_fails(
    cache: Cache, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a value it raises; with a stale one, it is logged."""
    source = Source()
    source.error = ValueError("no database")
    with pytest.raises(ValueError, match="no database"):
        await loaded(cache, source)
    cache.set("k", 7, HOUR)
    time.now = 61
    with caplog.at_level(logging.WARNING, "langgraph_client"):
        assert await loaded(cache, source) == (7, "stale")
        with pytest.raises(ValueError, match="no database"):
            await cache.load("k", source, HOUR)
        await asyncio.sleep(0)
    assert "could not be loaded again: ValueError('no database')" in caplog.text


async def test_mutate(cache: Cache, time: Time) -> None:
    """It stores a value, or loads it again; a load that began before does not undo it."""
    source = Source()
    found = await cache.swr("k", source, MINUTE, HOUR, None)
    source.may_end.clear()
    source.has_begun.clear()
    loading = cache.load("k", source, HOUR)
    await source.has_begun.wait()
    time.now = 1
    assert await found.mutate(10) == found.value == 10
    source.may_end.set()
    await loading
    assert await loaded(cache, source) == (10, "fresh")
    assert await found.mutate() == 3
    assert repr(found) == "SWRResult(value=3, status='miss')"


class User(BaseModel):
    name: str


async def test_objects_of_a_model(cache: Cache) -> None:
    """They are stored as JSON, and read as objects."""

    async def look_up() -> User:
        return User(name="ann")

    first = await cache.swr("k", look_up, MINUTE, HOUR, User)
    again = await cache.swr("k", look_up, MINUTE, HOUR, User)
    assert first.value == again.value == User(name="ann")
    assert again.status == "fresh"
    await again.mutate(User(name="bob"))
    assert cache.get("k") == ({"name": "bob"}, pytest.approx(0))


async def test_the_functions() -> None:
    """They share one cache; their times are at most a day, and never negative."""
    await cache_set("test", {"n": 1})
    assert await cache_get("test") == {"n": 1}
    assert await cache_get("other") is None
    source = Source()
    assert (await swr("test", source)).value == 1
    assert (await swr("test", source, fresh_for=HOUR, max_age=timedelta(days=9))).status == "fresh"
    with pytest.raises(InvalidArgumentError, match="ttl: must not be negative"):
        await cache_set("test", 1, ttl=-MINUTE)
    with pytest.raises(InvalidArgumentError, match="fresh_for: must not be negative"):
        await swr("test", source, fresh_for=-MINUTE)
    with pytest.raises(InvalidArgumentError, match="max_age: must not be negative"):
        await swr("test", source, max_age=-MINUTE)


def test_the_signatures_are_those_of_the_sdk() -> None:
    """Code for `langgraph_sdk.cache` runs after changing the import."""
    import inspect

    from langgraph_sdk import cache as sdk

    from langgraph_client import cache as ours

    assert set(sdk.__all__) <= set(ours.__all__)
    for name in ("cache_get", "cache_set", "swr"):
        theirs, mine = (inspect.signature(getattr(each, name)) for each in (sdk, ours))
        assert [*mine.parameters] == [*theirs.parameters]
        for parameter in theirs.parameters.values():
            assert mine.parameters[parameter.name].kind == parameter.kind
            assert mine.parameters[parameter.name].default == parameter.default
