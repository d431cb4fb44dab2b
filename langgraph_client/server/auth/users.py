"""Users: the result of `@auth.authenticate`, in one form for handlers, nodes and the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.encoding import decode, encode

_STUDIO = "StudioUser"


class Fields(dict[str, Any]):
    """A dict whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self:
            raise AttributeError(f"there is no {name!r}")
        return self[name]


def _with_attributes(value: object) -> object:
    """Return a field of a user; a plain dict with its keys as attributes, and those within it."""
    if type(value) is not dict:
        return value
    return Fields({key: _with_attributes(inner) for key, inner in value.items()})


class User(JsonMapping):
    """A user: a mapping whose keys are attributes too, and those of objects within it.

    Args:
        fields: The user's fields, at least `identity`.
        original: The object that `@auth.authenticate` returned, for its other attributes.
    """

    def __init__(self, fields: Mapping[str, object], original: object = None) -> None:
        identity = fields["identity"]
        self._fields: JsonObject = {
            "is_authenticated": True,
            "display_name": identity,
            "permissions": [],
            **{name: _with_attributes(value) for name, value in fields.items()},
        }
        self._original = original

    @property
    def identity(self) -> str:
        """The unique id of the user."""
        return str(self._fields["identity"])

    @property
    def display_name(self) -> str:
        """The name to show."""
        return str(self._fields["display_name"])

    @property
    def is_authenticated(self) -> bool:
        """Whether the user is known."""
        return bool(self._fields["is_authenticated"])

    @property
    def permissions(self) -> Sequence[str]:
        """The user's permissions."""
        return list(self._fields["permissions"] or ())

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):  # `copy` and `pickle` read attributes before `__init__` has run.
            raise AttributeError(name)
        if name in self._fields:
            return self._fields[name]
        if self._original is not None:
            return getattr(self._original, name)
        raise AttributeError(f"the user has no {name!r}")

    def __getitem__(self, key: str) -> object:
        return self._fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:  # The other fields may be secrets.
        return f"{type(self).__name__}({self.identity!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self._fields, self._original))

    def dict(self) -> dict[str, object]:
        """Return the fields."""
        return dict(self._fields)

    model_dump = dict


class _Studio(User):
    """The user of a request from Studio."""

    def __reduce__(self) -> tuple[object, ...]:
        # pickle finds a class by its name, and `studio_user` creates this one for each user.
        return (studio_user, (type(self).__bases__[1],))


def studio_user(kind: type) -> User:
    """Return the user of a request from Studio.

    Args:
        kind: The class `StudioUser` that handlers compare with.
    """
    name = "langgraph-studio-user"
    fields = {"kind": _STUDIO, "identity": name, "permissions": ["authenticated"]}
    user: User = type(_STUDIO, (_Studio, kind), {})({**fields, "username": name})
    return user


class NoUserError(TypeError):
    """What `@auth.authenticate` returned is no user, or has permissions that are no list."""


def user_of(returned: object) -> User:
    """Return the user that `@auth.authenticate` means.

    Args:
        returned: An identity, a mapping or an object with one, or a pair of permissions and one of
            these.

    Raises:
        NoUserError: It is none of these, or the permissions are no list.
    """
    permissions: Any = None
    original = None
    fields: JsonObject
    if isinstance(returned, tuple) and len(returned) == 2:
        permissions, returned = returned
    if isinstance(returned, User):
        fields = returned.dict()
    elif isinstance(returned, str):
        fields = {"identity": returned}
    elif isinstance(returned, Mapping) and "identity" in returned:
        fields = dict(returned)
    elif getattr(returned, "identity", None) is not None:
        fields, original = _fields_of(returned), returned
    else:
        raise NoUserError(
            "@auth.authenticate must return a user: an identity, or a dict or an object with an"
            f" `identity`; it returned a {type(returned).__name__}. To refuse a request, raise"
            " Auth.exceptions.HTTPException"
        )
    identity = fields["identity"]
    if not isinstance(identity, str) or not identity:
        kind = "an empty text" if identity == "" else f"a {type(identity).__name__}"
        raise NoUserError(
            f"the `identity` that @auth.authenticate returns must be a text; it returned {kind}"
        )
    if permissions is None:
        permissions = fields.get("permissions")
    # A text would be split into letters, each of them a permission.
    is_list = isinstance(permissions, Iterable) and not isinstance(
        permissions, str | bytes | Mapping
    )
    if permissions and not is_list:
        raise NoUserError(
            "the permissions that @auth.authenticate returns must be a list of texts; it returned"
            f" a {type(permissions).__name__}"
        )
    fields["permissions"] = list(permissions or ())
    return User(fields, original)


def _fields_of(user: object) -> dict[str, object]:
    """Return the fields of a user that is an object."""
    fields: dict[str, object] = {}
    for method in ("model_dump", "dict"):
        if callable(dump := getattr(user, method, None)):
            dumped: Any = dump()
            fields = dict(dumped)
            break
    else:
        if dataclasses.is_dataclass(user) and not isinstance(user, type):
            fields = {field.name: getattr(user, field.name) for field in dataclasses.fields(user)}
    for name in ("identity", "display_name", "is_authenticated", "permissions"):
        try:  # Starlette's users have all of these, and raise for what they do not know.
            value = getattr(user, name)
        except (AttributeError, NotImplementedError):
            continue
        fields.setdefault(name, value)
    return fields


def user_document(user: User) -> dict[str, object]:
    """Return a user as JSON; what JSON cannot carry is left out."""
    document: dict[str, object] = {}
    for key, value in user.items():
        try:
            document[key] = decode(encode(value))
        except (TypeError, ValueError):
            continue
    return document


USER_FIELDS = ("langgraph_auth_user", "langgraph_auth_user_id", "langgraph_auth_permissions")
"""The keys of a config's `configurable` that hold the user; clients cannot set them."""


def user_fields(user: User | None) -> dict[str, object]:
    """Return these keys, as JSON; nothing without a user."""
    if user is None:
        return {}
    values = (user_document(user), user.identity, list(user.permissions))
    return dict(zip(USER_FIELDS, values, strict=True))


def with_user(configurable: Mapping[str, object]) -> dict[str, object]:
    """Return a stored `configurable` with the user as graphs get it: as a `User`."""
    document = configurable.get(USER_FIELDS[0])
    if not isinstance(document, Mapping) or isinstance(document, User):
        return dict(configurable)
    return {**configurable, USER_FIELDS[0]: User(document)}
