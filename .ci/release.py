"""Prints a version's section of the changelog: python .ci/release.py 0.1.0.

Fails if the package has another version, or the changelog no section of it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def version() -> str:
    """The version of the package, read without importing it."""
    source = (ROOT / "langgraph_client" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    assert found is not None
    return found[1]


def section(changelog: str, wanted: str) -> str | None:
    """The lines below the heading of a version; None where there is no such heading."""
    heading = re.search(rf"^## \[?{re.escape(wanted)}(?![\w.]).*$", changelog, re.MULTILINE)
    if heading is None:
        return None
    return changelog[heading.end() :].split("\n## ", 1)[0].strip()


def main(wanted: str) -> int:
    if wanted != version():
        print(f"the tag says {wanted}, the package {version()}", file=sys.stderr)
        return 1
    notes = section((ROOT / "CHANGELOG.md").read_text(), wanted)
    if not notes:
        print(f"CHANGELOG.md has no section of {wanted}", file=sys.stderr)
        return 1
    print(notes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
