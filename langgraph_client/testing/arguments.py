"""Checks of the kit's arguments: a value that could have no effect is refused where it is given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from uuid import UUID

import httpx

from langgraph_client.errors import InvalidArgumentError


def check_whole(parameter: str, value: float, least: int, most: int | None = None) -> None:
    """Check that a value is a whole number in a range.

    Args:
        parameter: The parameter's name.
        value: Its value.
        least: The smallest allowed number.
        most: The largest allowed number; None for no limit.

    Raises:
        InvalidArgumentError: It is not.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not least <= value <= (math.inf if most is None else most):
        allowed = f"{least} or more" if most is None else f"from {least} to {most}"
        raise InvalidArgumentError(parameter, f"must be a whole number, {allowed}, not {value!r}")


def check_seconds(parameter: str, value: float) -> None:
    """Check that a value is a finite number of seconds, 0 or more.

    Args:
        parameter: The parameter's name.
        value: Its value.

    Raises:
        InvalidArgumentError: It is not.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:
        raise InvalidArgumentError(
            parameter, f"must be a number of seconds, 0 or more, not {value!r}"
        )


def check_status(parameter: str, value: int) -> None:
    """Check that a value is the HTTP status of an error.

    Args:
        parameter: The parameter's name.
        value: Its value.

    Raises:
        InvalidArgumentError: It is not.
    """
    check_whole(parameter, value, 400, 599)


def check_name(parameter: str, value: object) -> None:
    """Check that a value is a text that is not empty.

    Args:
        parameter: The parameter's name.
        value: Its value.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(parameter, f"must be a text that is not empty, not {value!r}")


def check_mapping(parameter: str, value: object) -> None:
    """Check that a value is a mapping.

    Args:
        parameter: The parameter's name.
        value: Its value.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(parameter, f"must be a mapping such as a dict, not {value!r}")


def check_mappings(
    parameter: str, value: Iterable[Mapping[str, object]]
) -> list[Mapping[str, object]]:
    """Return the mappings in a collection.

    Args:
        parameter: The parameter's name.
        value: The mappings. A single one is refused: each of its keys would be one.

    Raises:
        InvalidArgumentError: They are not mappings.
    """
    if isinstance(value, Mapping):
        raise InvalidArgumentError(parameter, f"must be a list of mappings, not {value!r}")
    items = list(value)
    for number, item in enumerate(items):
        check_mapping(f"{parameter}[{number}]", item)
    return items


def check_uuid(parameter: str, value: object) -> str:
    """Return a UUID in its canonical form.

    Args:
        parameter: The parameter's name.
        value: Its value.

    Raises:
        InvalidArgumentError: It is not a UUID.
    """
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise InvalidArgumentError(parameter, f"must be a UUID, not {value!r}") from None


def check_url(parameter: str, value: object) -> str:
    """Return an HTTP URL that has a host.

    Args:
        parameter: The parameter's name.
        value: Its value.

    Raises:
        InvalidArgumentError: It is not such a URL.
    """
    try:
        url = httpx.URL(value) if isinstance(value, str) else httpx.URL()
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidArgumentError(
            parameter, f"must be a URL such as 'http://localhost:2024', not {value!r}"
        )
    return str(value)


def check_names(parameter: str, value: Iterable[str]) -> frozenset[str]:
    """Return the names in a collection.

    Args:
        parameter: The parameter's name.
        value: The names. One text is refused: each of its letters would be a name.

    Raises:
        InvalidArgumentError: They are not texts.
    """
    names = [value] if isinstance(value, str) else list(value)
    if isinstance(value, str) or not all(isinstance(name, str) and name for name in names):
        raise InvalidArgumentError(parameter, f"must be a list of names, not {value!r}")
    return frozenset(names)
