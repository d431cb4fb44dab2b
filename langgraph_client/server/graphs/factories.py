"""Graph factories: their parameters, and the ways in which they return a graph."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    aclosing,
    asynccontextmanager,
    closing,
    contextmanager,
    suppress,
)
from functools import cache
from types import SimpleNamespace
from typing import Any, Literal

from pydantic import BaseModel

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.graphs.protocol import Access
from langgraph_client.server.user_code import exceptions_only

_RUNTIMES = ("ServerRuntime", "_ExecutionRuntime", "_ReadRuntime")
_CONFIGS = ("RunnableConfig", "dict", "Dict", "Mapping", "Any")
_Wanted = Literal["config", "runtime"]
_BY_NAME: dict[str, _Wanted] = {"config": "config", "runtime": "runtime"}
_IS_FOR_EXECUTION = "__is_for_execution__"
"""The key in `configurable` by which a factory sees whether its graph is run, as in
langgraph-api 0.16.7."""


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
        self._name = name
        self._parameters = parameters_of(factory, name)
        self._by_position = [
            parameter
            for parameter in _signature(factory)
            if parameter.kind is parameter.POSITIONAL_ONLY
        ]

    @asynccontextmanager
    async def open(
        self, config: JsonMapping, access: Access, store: Any, context: Any
    ) -> AsyncGenerator[object, None]:
        """Call the function with the arguments that it wants, and give the graph."""
        configurable = {
            **(config.get("configurable") or {}),
            _IS_FOR_EXECUTION: access == "threads.create_run",
        }
        named: dict[str, object] = {}
        for parameter, wanted in self._parameters.items():
            if wanted == "config":
                # A copy: a factory that changes it must not change what `get_config` returns.
                value: object = {**config, "configurable": dict(configurable)}
            else:
                user = configurable.get("langgraph_auth_user")
                value = server_runtime(access, store, _typed(context, parameter.annotation), user)
            named[parameter.name] = value
        # With their defaults: one that was left out would shift those after it.
        positional = [named.pop(each.name, each.default) for each in self._by_position]
        failure: BaseException | None = None
        async with AsyncExitStack() as stack:
            # It ends before the graph is used: langgraph would take a config that is still set for
            # that of a graph around the run, and merge it into the run's own.
            with exceptions_only(), _readable({**config, "configurable": configurable}, store):
                result = open_result(
                    self._factory(*positional, **named), f"the factory of graph {self._name!r}"
                )
                graph = await stack.enter_async_context(result)
            try:
                yield graph
            except BaseException as error:
                failure = error
                raise
        try:
            if failure is not None:  # The factory may look at it, not hide it.
                raise failure
        finally:
            failure = None  # Its traceback has this frame: a cycle, which would stay a while.


@contextmanager
def _readable(config: Mapping[str, Any], store: Any) -> Generator[None, None, None]:
    """Let langgraph's `get_config` and `get_store` return a config and a store, in this context."""
    # Not at the top: a server that only hosts scripted graphs does not import langgraph.
    from langchain_core.runnables.config import var_child_runnable_config
    from langgraph.runtime import Runtime

    from langgraph_client.server.graphs.langgraph_names import CONFIG_KEY_RUNTIME

    place = {**config["configurable"], CONFIG_KEY_RUNTIME: Runtime(store=store)}
    around: Any = {**config, "configurable": place}
    token = var_child_runnable_config.set(around)
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


def parameters_of(factory: Callable[..., object], name: str) -> dict[inspect.Parameter, _Wanted]:
    """Return which parameters of a factory get the config, and which get the runtime.

    The annotation decides: `RunnableConfig` (or a dict), or `ServerRuntime`. Without one, or with
    one that exists for type checkers only, the name decides: `config` or `runtime`. Otherwise, a
    required first parameter gets the config.

    As in langgraph-api 0.16.7, the only parameter beside a runtime gets the config with any other
    annotation too, such as the user's own class for a config. Here, it does not if its default is
    a value: it may be the variable of a loop, as in `lambda name=name: make(name)`.

    Args:
        factory: The factory.
        name: The graph's name, for the error.

    Raises:
        TypeError: A required parameter is neither.
    """
    annotations = _annotations(factory)
    parameters = [
        parameter.replace(annotation=annotations.get(parameter.name, parameter.annotation))
        for parameter in _signature(factory)
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    by_annotation: list[_Wanted | None] = [
        _wanted(parameter.name, parameter.annotation) for parameter in parameters
    ]
    is_only = len(parameters) - by_annotation.count("runtime") == 1
    arguments: dict[inspect.Parameter, _Wanted] = {}
    for parameter, wanted in zip(parameters, by_annotation, strict=True):
        required = parameter.default is parameter.empty
        if wanted is None and "config" not in arguments.values() and _is_free(parameter, is_only):
            wanted = "config"
        if wanted is not None and (required or is_only or _is_meant(parameter, wanted)):
            arguments[parameter] = wanted
        elif required:
            raise TypeError(
                f"the factory of graph {name!r} has the required parameter {parameter.name!r}; a "
                "factory may take a RunnableConfig, a ServerRuntime, both, or nothing"
            )
    return arguments


def _signature(factory: Callable[..., object]) -> list[inspect.Parameter]:
    try:
        return [*inspect.signature(factory).parameters.values()]
    except ValueError:  # A callable that is not written in Python has no signature: no arguments.
        return []


def _is_free(parameter: inspect.Parameter, is_only: bool) -> bool:
    """Return whether a parameter that neither annotation nor name explains may be the config."""
    annotation = parameter.annotation
    if parameter.default is parameter.empty:
        is_any = annotation is parameter.empty
        return is_any or (is_only and not _is_langgraph(annotation))
    is_plain = {str, int, float, bool} & {annotation, *typing.get_args(annotation)}
    return is_only and parameter.default is None and not is_plain and not _is_langgraph(annotation)


def _is_meant(parameter: inspect.Parameter, wanted: _Wanted) -> bool:
    """Return whether one of several parameters gets its argument although it has a default.

    A dict with a default may be something of the factory's own.
    """
    named = _named_in(parameter.annotation)
    return wanted == "runtime" or parameter.name in _BY_NAME or "RunnableConfig" in named


def _is_langgraph(annotation: object) -> bool:
    """Return whether an annotation is a class of langgraph but not a config, such as `Runtime`."""
    return str(getattr(annotation, "__module__", "")).startswith("langgraph.")


def _annotations(factory: Callable[..., object]) -> dict[str, object]:
    """Return the annotations of a factory's parameters, as far as their names can be resolved.

    One by one: the type of the result is often imported for type checkers only.
    """
    called = factory if inspect.isroutine(factory) else type(factory).__call__
    called = inspect.unwrap(called)
    names = getattr(called, "__globals__", {})
    hints: dict[str, object] = {}
    for name, annotation in getattr(called, "__annotations__", {}).items():
        alone: Any = SimpleNamespace(__annotations__={name: annotation})
        with suppress(NameError, TypeError, AttributeError, SyntaxError):
            hints |= typing.get_type_hints(alone, globalns=names)  # It also resolves `Annotated`.
    return hints


def _wanted(name: str, annotation: object) -> _Wanted | None:
    if annotation is inspect.Parameter.empty:
        return _BY_NAME.get(name)
    named = _named_in(annotation)
    if not named.isdisjoint(_RUNTIMES):
        return "runtime"
    if not named.isdisjoint(_CONFIGS):
        return "config"
    return _BY_NAME.get(name) if isinstance(annotation, str) else None


def _named_in(annotation: object) -> set[str]:
    """Return the names of the classes that an annotation allows, those of a text that is none."""
    if isinstance(annotation, str):
        return {word.rpartition(".")[2] for word in re.findall(r"[\w.]+", annotation)}
    origin = typing.get_origin(annotation) or annotation
    if origin in (typing.Union, types.UnionType):
        return set().union(*map(_named_in, typing.get_args(annotation)))
    return {str(getattr(origin, "__name__", ""))}


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
async def open_result(returned: object, what: str) -> AsyncGenerator[object, None]:
    """Give the object in a factory's result, which may be awaitable, a context or a generator.

    Args:
        returned: The result.
        what: Names the factory, for errors.

    Raises:
        TypeError: The result is a generator that yields nothing.
    """
    async with AsyncExitStack() as stack:
        graph: object = await returned if inspect.isawaitable(returned) else returned
        if inspect.isasyncgen(graph):
            graph = _of_async_generator(graph, what)
        elif inspect.isgenerator(graph):
            graph = _of_generator(graph, what)
        if isinstance(graph, AbstractAsyncContextManager):
            graph = await stack.enter_async_context(graph)
        elif isinstance(graph, AbstractContextManager):
            graph = stack.enter_context(graph)
        yield graph


# A generator ends as that of a context manager does: it gets the exception of the run.


@asynccontextmanager
async def _of_async_generator(
    generator: AsyncGenerator[object, Any], what: str
) -> AsyncGenerator[object, None]:
    async with aclosing(generator), AsyncExitStack() as stack:
        try:
            graph = await anext(generator)
        except StopAsyncIteration:
            raise TypeError(f"{what} is a generator, and yields nothing") from None
        stack.push_async_exit(asynccontextmanager(lambda: generator)())
        yield graph


@contextmanager
def _of_generator(generator: Generator[Any, Any, object], what: str) -> Generator[Any, None, None]:
    with closing(generator), ExitStack() as stack:
        try:
            graph = next(generator)
        except StopIteration:
            raise TypeError(f"{what} is a generator, and yields nothing") from None
        stack.push(contextmanager(lambda: generator)())
        yield graph
