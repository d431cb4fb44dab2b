"""What the tests of the kit share."""

from __future__ import annotations

pytest_plugins = ["pytester"]
