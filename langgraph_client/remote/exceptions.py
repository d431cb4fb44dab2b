"""Create the exception for a run that failed on the server, from the class name in its error.

A caller always gets a `RemoteException`. It is also an instance of the local class with that name,
so that `except ValueError` works as with a local graph, and of langgraph's own
`langgraph.pregel.remote.RemoteException` if langgraph is installed. Only built-in classes, the
errors of langgraph and langchain-core, and the classes of `allow_types` are used. For security, a
name from the server never causes an import.

The bundled server sends more than the protocol's name and message: the names of the base classes
and the modules of all, `args`, attributes, notes, the cause, and the members of an exception group.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest
from types import MemberDescriptorType
from typing import LiteralString, cast

from pydantic_core import (
    InitErrorDetails,
    PydanticCustomError,
    PydanticKnownError,
    ValidationError,
)

from langgraph_client.errors import InvalidArgumentError, RemoteException
from langgraph_client.remote.aliases import JSON, Foreign, JsonObject, Reply
from langgraph_client.remote.compat import (
    Command,
    bubble_up_class,
    langchain_error,
    langgraph_error,
    langgraph_remote_exception,
)
from langgraph_client.values import INVALID_RESUME, Allowed, builtin_fields

_MOST_CAUSES = 10
"""More than the bundled server sends; another one may send any number."""


class ErrorText(str):
    """The message of an exception, which can also be read like the server's error document.

    For a local exception, `args[0]` is the message. For langgraph's own `RemoteException`, it is
    the document, read as `args[0]["message"]` or `args[0].get("error")`. This class is both.
    """

    document: JsonObject

    def __new__(cls, text: str, document: Reply) -> ErrorText:
        """Create the text; `document` is the server's error document."""
        made = super().__new__(cls, text)
        made.document = dict(document)
        return made

    def __getitem__(self, key: JSON) -> JSON:
        return self.document[key] if isinstance(key, str) else super().__getitem__(key)

    def get(self, key: str, default: JSON = None) -> JSON:
        """Return a field of the error document, or `default`."""
        return self.document.get(key, default)

    def keys(self) -> Iterable[str]:
        """Return the keys of the error document."""
        return self.document.keys()

    def __reduce__(self) -> tuple[object, ...]:
        return ErrorText, (str(self), self.document)


def remote_error(
    document: Reply,
    *,
    run_id: str | None = None,
    thread_id: str | None = None,
    command: Command[str] | None = None,
    allowed: Allowed | None = None,
    causes: int = _MOST_CAUSES,
) -> RemoteException:
    """Return the exception that an error document describes.

    Args:
        document: `error`, the class name; `message`; from the bundled server also `node`,
            `bases`, `modules`, `args`, `attributes`, `notes`, `cause` and `exceptions`.
        run_id: The run that failed.
        thread_id: Its thread, by the caller's id.
        command: The command of a `ParentCommand`.
        allowed: The classes of `allow_types`, by name.
        causes: How many causes are created, each that of the one before.
    """
    made = _instance(document, command, allowed or {})
    made.error = str(document.get("error") or "Error")
    text = str(document.get("message") or "")
    made.__dict__["_text"] = text
    with contextlib.suppress(AttributeError):  # An exception group's own message cannot be set.
        made.message = text
    made.run_id, made.thread_id = run_id, thread_id
    attributes = document.get("attributes")
    if isinstance(attributes, Mapping):
        # An attribute from the server must not hide a method of the class here.
        methods = {name for name in attributes if callable(getattr(type(made), name, None))}
        _set_attributes(made, {k: v for k, v in attributes.items() if k not in _OWN | methods})
    if document.get("invalid_resume"):
        made.__dict__[INVALID_RESUME] = True
    if "node" not in made.__dict__:
        made.node = document.get("node")
    for note in document.get("notes") or ():
        made.add_note(str(note))
    if causes > 0 and isinstance(cause := document.get("cause"), Mapping):
        made.__cause__ = remote_error(cause, allowed=allowed, causes=causes - 1)
    places = {"node": document.get("node"), "run": run_id, "thread": thread_id}
    places_text = [f"{name} {place}" for name, place in places.items() if place is not None]
    if places_text:
        made.add_note(f"Raised on the server ({', '.join(places_text)})")
    return made


def invalid_update(problem: str) -> InvalidArgumentError:
    """Return the error for invalid supersteps; it is also langgraph's `InvalidUpdateError`."""
    local = langgraph_error("InvalidUpdateError")
    if not isinstance(local, type):
        return InvalidArgumentError("supersteps", problem)
    bases = (InvalidArgumentError, local)
    kind = cast("type[InvalidArgumentError]", type("InvalidUpdateError", bases, {}))
    return kind("supersteps", problem)


def invalid_model(
    document: Reply, failure: RemoteException, allowed: Allowed
) -> ValidationError | None:
    """Return pydantic's own `ValidationError` if the graph raised one and `allow_types` has it.

    That class cannot be subclassed, so the error cannot be a `RemoteException` too: that is its
    `__cause__`.

    Args:
        document: The error document; the bundled server adds `validation`.
        failure: The `RemoteException` for the document.
        allowed: The classes of `allow_types`, by name.

    Returns:
        None for any other error, if `allow_types` does not contain the class, or if the document
        has no `validation`.
    """
    validation = document.get("validation")
    if not isinstance(validation, Mapping) or ValidationError not in allowed.values():
        return None
    problems: list[InitErrorDetails] = []
    for sent in validation["errors"]:
        problem: InitErrorDetails = {
            "type": _problem_type(sent),
            "loc": tuple(sent["loc"]),
            "input": sent.get("input"),
        }
        if sent.get("ctx"):
            problem["ctx"] = dict(sent["ctx"])
        problems.append(problem)
    made = ValidationError.from_exception_data(validation["title"], problems)
    made.__cause__ = failure
    if INVALID_RESUME in failure.__dict__:
        setattr(made, INVALID_RESUME, True)
    for note in failure.__notes__:
        made.add_note(note)
    return made


def _problem_type(problem: Reply) -> str | PydanticCustomError:
    """Return the name of pydantic's own kind of problem, or a custom one with the same text."""
    kind = problem["type"]
    with contextlib.suppress(KeyError, TypeError):
        known = PydanticKnownError(kind, dict(problem.get("ctx") or {}) or None)
        if known.message() == problem["msg"]:
            return str(kind)
    return PydanticCustomError(kind, cast("LiteralString", problem["msg"]))


def local_error(document: Reply) -> Exception | None:
    """Return the built-in exception that an error document describes; None for another class.

    It is for exceptions inside values, which are not raised.
    """
    name, message = str(document.get("error")), str(document.get("message") or "")
    local = _local_class(name, {}) if hasattr(builtins, name) else None
    if local is None:
        return None
    with contextlib.suppress(TypeError, ValueError):
        made = local(message)
        # Some classes format their arguments. Then the message alone does not recreate the error.
        return made if str(made) == message else None
    return None


def _instance(document: Reply, command: Command[str] | None, allowed: Allowed) -> RemoteException:
    names = (document.get("error"), *(document.get("bases") or ()))
    for name, module in zip_longest(names, document.get("modules") or ()):
        local = _local_class(str(name), allowed, module)
        if local is None:
            continue
        args = _args(document, local, command, allowed)
        if args is None:
            continue
        # If a class cannot be subclassed or refuses these arguments, its base class is tried next.
        with contextlib.suppress(TypeError, ValueError):
            return _built(_error_class(local), local, args)
    return _built(_error_class(None), None, (dict(document),))


def _local_class(name: str, allowed: Allowed, module: str | None = None) -> type[Exception] | None:
    """Return the local class for one on the server; None if there is none.

    Args:
        name: The bare name, also of a class that is defined in a class or a function.
        allowed: The classes of `allow_types`, by name.
        module: The module of the class on the server. None if the server does not send it: then an
            allowed class of that name comes first.
    """
    package = None if module is None else module.partition(".")[0]
    found = _allowed_error(name, allowed, module)
    if found is None or package in _LIBRARIES:
        for library, find in _LIBRARIES.items():
            of_library = find(name) if package in (None, library) else None
            if isinstance(of_library, type) and issubclass(of_library, Exception):
                found = of_library
                break
    # `Exception` itself is a base of RemoteException already.
    return None if found is Exception else found


def _allowed_error(name: str, allowed: Allowed, module: str | None) -> type[Exception] | None:
    named = [kind for kind in allowed.values() if kind.__name__ == name]
    errors = [kind for kind in named if issubclass(kind, Exception)]
    if len(errors) > 1:
        errors = [kind for kind in errors if kind.__module__ == module]
    return errors[0] if len(errors) == 1 else None


_LIBRARIES: dict[str, Callable[[str], object]] = {
    "builtins": lambda name: getattr(builtins, name, None),
    "langgraph": langgraph_error,
    "langchain_core": langchain_error,
}


def _args(
    document: Reply, local: type[Exception], command: Command[str] | None, allowed: Allowed
) -> tuple[object, ...] | None:
    """Return the `args` of the exception; None if the document does not contain enough for it."""
    message = str(document.get("message") or "")
    if issubclass(local, BaseExceptionGroup):
        inner = document.get("exceptions")
        if not inner:
            return None
        members = [remote_error(member, allowed=allowed) for member in inner]
        counted = _COUNTED.format(len(members), "s" * (len(members) > 1))
        return ErrorText(message.removesuffix(counted), document), members
    bubble_up = bubble_up_class()
    if bubble_up is not None and issubclass(local, bubble_up):
        # A parent graph acts on these exceptions. Without their command or interrupts, it would do
        # something wrong, so then they are not created.
        if local.__name__ == "GraphDrained":
            return (ErrorText(message, document),)
        return None if command is None or local.__name__ != "ParentCommand" else (command,)
    sent = document.get("args")
    if sent == [] and not message:
        return ()
    if isinstance(sent, list | tuple) and sent:
        first, *rest = sent
        return (ErrorText(first, document) if isinstance(first, str) else first, *rest)
    if issubclass(local, KeyError):  # Its text is the repr of the key.
        # Parsing a deeply nested text raises the last two.
        with contextlib.suppress(ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            key = ast.literal_eval(message)
            return (ErrorText(key, document) if isinstance(key, str) else key,)
    return (ErrorText(message, document),)


_OWN = frozenset({"error", "message", "run_id", "thread_id"})
_COUNTED = " ({} sub-exception{})"


_error_classes: dict[type[Exception] | None, type[RemoteException]] = {}


def _error_class(local: type[Exception] | None) -> type[RemoteException]:
    if local not in _error_classes:
        _error_classes[local] = _made_class(local)
    return _error_classes[local]


def _made_class(local: type[Exception] | None) -> type[RemoteException]:
    bases: list[type] = [RemoteException]
    bases += [base for base in (local, langgraph_remote_exception()) if base is not None]
    # The local class's name: a parent graph keeps the `repr` of an error in its state, and a server
    # around it tells its own caller the name.
    name = (local or RemoteException).__name__
    members = {"__module__": __name__, "__str__": _text, "__reduce__": _reduce}
    if (local or Exception).__repr__ is BaseException.__repr__:
        members["__repr__"] = _repr
    return cast("type[RemoteException]", type(name, tuple(bases), members))


def _built(
    kind: type[RemoteException], local: type[Exception] | None, args: tuple[object, ...]
) -> RemoteException:
    """Return an instance without calling the constructors, whose parameters are not known."""
    made: RemoteException = kind.__new__(kind, *args)
    if local is not None and local.__module__ == "builtins":
        # Sets the internal fields of built-in exceptions, such as `OSError.errno`.
        with contextlib.suppress(TypeError, ValueError):
            cast(Foreign, local).__init__(made, *args)
    made.args = args
    return made


def _text(self: RemoteException) -> str:
    # As in a local graph, `str()` is the message alone.
    return str(self.__dict__["_text"])


def _repr(self: RemoteException) -> str:
    # With the class on the server, which may be another one than the class here.
    args = self.args
    if _local_base(self) is None and args and isinstance(args[0], Mapping):  # The document.
        args = tuple(args[0].get("args") or (str(self),))
    return f"{self.error}({', '.join(map(repr, args))})"


def _reduce(self: RemoteException) -> tuple[object, ...]:
    # These classes are created at run time, so pickle cannot find them by name. They are created
    # again from the local class.
    state = {**builtin_fields(self), **self.__dict__}
    return _restored, (_local_base(self), self.args, state)


def _local_base(error: RemoteException) -> type | None:
    """Return the local class of which an error is an instance, too; None without one."""
    other = langgraph_remote_exception()
    return next((base for base in type(error).__bases__[1:] if base is not other), None)


def _restored(
    local: type[Exception] | None, args: tuple[object, ...], state: JsonObject
) -> RemoteException:
    made = _built(_error_class(local), local, args)
    _set_attributes(made, state)
    return made


def _set_attributes(error: RemoteException, attributes: Reply) -> None:
    for name, value in attributes.items():
        if isinstance(getattr(type(error), name, None), MemberDescriptorType):
            # A field of a built-in exception, such as `OSError.filename`.
            with contextlib.suppress(TypeError, AttributeError):
                setattr(error, name, value)
        else:
            error.__dict__[name] = value
