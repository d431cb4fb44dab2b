"""Graph factories: their parameters, and the ways in which they return a graph."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    closing,
    contextmanager,
    suppress,
)
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.graphs.protocol import Access
from langgraph_client.server.runs.user_code import exceptions_only

_RUNTIMES = ("ServerRuntime", "_ExecutionRuntime", "_ReadRuntime")
_Wanted = Literal["config", "runtime"]
_BY_NAME: dict[str, _Wanted] = {"config": "config", "runtime": "runtime"}


class Factory:
    """A function that creates a graph each time it is needed.

    Args:
        factory: The function.
        name: The graph's name, for errors.

    Raises:
        TypeError: The function has a required parameter that a server cannot pass.
    """

    def __init__(self, factory: Callable[..., object], name: str) -> None:
        self._factory = factory
        self._asked = asked_for(factory, name)

    @asynccontextmanager
    async def open(
        self, config: JsonMapping, access: Access, store: Any, context: Any
    ) -> AsyncGenerator[object, None]:
        """Call the function with the arguments that it wants, and give the graph."""
        positional: list[object] = []
        named: dict[str, object] = {}
        for parameter, wanted in self._asked.items():
            if wanted == "config":
                value: object = {**config, "configurable": dict(config.get("configurable") or {})}
            else:
                user = (config.get("configurable") or {}).get("langgraph_auth_user")
                value = server_runtime(access, store, _typed(context, parameter.annotation), user)
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[parameter.name] = value
        async with AsyncExitStack() as stack:
            with exceptions_only():
                graph = await stack.enter_async_context(opened(self._factory(*positional, **named)))
            yield graph


def asked_for(factory: Callable[..., object], name: str) -> dict[inspect.Parameter, _Wanted]:
    """Return which parameters of a factory get the config, and which get the runtime.

    The annotation decides: `RunnableConfig` (or a dict), or `ServerRuntime`. Without one, the name
    decides: `config` or `runtime`. Otherwise, a required first parameter gets the config. A single
    parameter gets the config with any other annotation too, such as the user's own class for a
    config, as in langgraph-api 0.16.7.

    Args:
        factory: The factory.
        name: The graph's name, for the error.

    Raises:
        TypeError: A required parameter is neither.
    """
    try:
        signature = inspect.signature(factory)
    except ValueError:  # A callable that is not written in Python has no signature: no arguments.
        return {}
    annotations = _annotations(factory)
    found: dict[inspect.Parameter, _Wanted] = {}
    is_only = len(signature.parameters) == 1
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        annotation = annotations.get(parameter.name, parameter.annotation)
        wanted = _wanted(parameter.name, annotation)
        parameter = parameter.replace(annotation=annotation)
        required = parameter.default is parameter.empty
        is_free = annotation is parameter.empty or (is_only and not _is_langgraph(annotation))
        if wanted is None and required and not found and is_free:
            wanted = "config"
        if wanted is not None and (required or parameter.name in _BY_NAME):
            found[parameter] = wanted
        elif required:
            raise TypeError(
                f"the factory of graph {name!r} has the required parameter {parameter.name!r}; a "
                "factory may take a RunnableConfig, a ServerRuntime, both, or nothing"
            )
    return found


def _is_langgraph(annotation: object) -> bool:
    """Return whether an annotation is a class of langgraph but not a config, such as `Runtime`."""
    return str(getattr(annotation, "__module__", "")).startswith("langgraph.")


def _annotations(factory: Callable[..., object]) -> dict[str, object]:
    called = factory if inspect.isroutine(factory) else type(factory).__call__
    try:
        return typing.get_type_hints(called)  # It also resolves `Annotated`.
    except (NameError, TypeError, AttributeError):  # A name that exists for type checkers only.
        return {}


def _wanted(name: str, annotation: object) -> _Wanted | None:
    if annotation is inspect.Parameter.empty:
        return _BY_NAME.get(name)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for one in typing.get_args(annotation):
            if (wanted := _wanted(name, one)) is not None:
                return wanted
        return None
    origin = typing.get_origin(annotation) or annotation
    text = annotation if isinstance(annotation, str) else getattr(origin, "__name__", "")
    text = text.split("[")[0].split(".")[-1]
    if text in _RUNTIMES:
        return "runtime"
    if text == "RunnableConfig" or origin in (dict, Mapping, Any):
        return "config"
    return None


def server_runtime(access: Access, store: object, context: object, user: object = None) -> object:
    """Return the `ServerRuntime` for an access: langgraph_sdk's class, or this package's."""
    runtime: Any = _runtimes()
    if access == "threads.create_run":
        return runtime._ExecutionRuntime(
            access_context=access, user=user, store=store, context=context
        )
    return runtime._ReadRuntime(access_context=access, user=user, store=store)


@cache
def _runtimes() -> object:
    """Return the module with the classes: langgraph_sdk's if it is installed."""
    with suppress(ImportError):
        from langgraph_sdk import runtime

        return runtime
    from langgraph_client import runtime as ours

    return ours


def _typed(context: object, annotation: object) -> object:
    """Return a run's context as an object of the class in `ServerRuntime[...]`."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):  # ours
        annotation = typing.get_args(annotation)[0]
    schema = next(iter(typing.get_args(annotation)), None)
    if not isinstance(schema, type) or not isinstance(context, Mapping):
        return context
    if dataclasses.is_dataclass(schema) or issubclass(schema, BaseModel):
        return schema(**context)
    return context


@asynccontextmanager
async def opened(returned: object) -> AsyncGenerator[object, None]:
    """Give the graph in a factory's result, which may be awaitable, a context or a generator."""
    async with AsyncExitStack() as stack:
        made: object = await returned if inspect.isawaitable(returned) else returned
        if inspect.isasyncgen(made):
            made = _of_async_generator(made)
        elif inspect.isgenerator(made):
            made = _of_generator(made)
        if isinstance(made, AbstractAsyncContextManager):
            made = await stack.enter_async_context(made)
        elif isinstance(made, AbstractContextManager):
            made = stack.enter_context(made)
        yield made


@asynccontextmanager
async def _of_async_generator(
    generator: AsyncGenerator[object, Any],
) -> AsyncGenerator[object, None]:
    async with aclosing(generator):
        async for graph in generator:
            yield graph


@contextmanager
def _of_generator(generator: Generator[Any, Any, object]) -> Generator[Any, None, None]:
    with closing(generator):
        yield from generator
