"""The distance of two embeddings, as an SQL function."""

from __future__ import annotations

import math
import operator
import sqlite3
from array import array
from functools import lru_cache

import sqlite_vec  # type: ignore[import-untyped]

NAME = "vec_distance_cosine"


def install_distance(connection: sqlite3.Connection) -> None:
    """Give a connection the function that langgraph's store calls.

    sqlite-vec has it, as an extension. Many builds of Python cannot load one; there it is
    computed in Python, which takes about a second for ten thousand embeddings of 1500 numbers.
    """
    if hasattr(connection, "enable_load_extension"):
        connection.enable_load_extension(True)
        try:
            sqlite_vec.load(connection)
            return
        except sqlite3.OperationalError:  # There is none for this platform.
            pass
        finally:
            connection.enable_load_extension(False)
    connection.create_function(NAME, 2, cosine_distance, deterministic=True)


def cosine_distance(left: bytes, right: bytes) -> float:
    """Return 1 less the cosine of two vectors of 32-bit floats: 0 for the same direction.

    A vector of zeros is as far from every other one as one at right angles.
    """
    a, (b, norm) = array("f", left), _vector(right)
    norm *= math.hypot(*a)
    return 1.0 - sum(map(operator.mul, a, b)) / norm if norm else 1.0


@lru_cache(maxsize=16)
def _vector(packed: bytes) -> tuple[array[float], float]:
    """Return a vector and its length; the one that is searched for comes again for every item."""
    numbers = array("f", packed)
    return numbers, math.hypot(*numbers)
