"""Run the test suite and hold what it covers, lines and branches, against a floor for each part.

    python .ci/coverage_floors.py [pytest's arguments]

What no test reaches can be seen with `coverage html` afterwards.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOORS = {"_core": 95, "_async": 95, "remote": 95, "stream": 95, "server": 92}
"""Percent of a part's lines and branches that the tests have to reach."""


def main() -> int:
    subprocess.run([sys.executable, "-m", "coverage", "erase"], cwd=ROOT, check=True)
    tests = [sys.executable, "-m", "coverage", "run", "-m", "pytest", *sys.argv[1:]]
    failed = subprocess.run(tests, cwd=ROOT, check=False).returncode
    subprocess.run([sys.executable, "-m", "coverage", "combine", "-q"], cwd=ROOT, check=True)
    below = [
        f"{part}: {covered:.1f} %, and should be {FLOORS[part]} %"
        for part, covered in sorted(percentages().items())
        if covered < FLOORS.get(part, 0)
    ]
    print("\n".join(below))
    return 1 if failed or below else 0


def percentages() -> dict[str, float]:
    """Print a table of the package's parts, and return what is covered of each."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)]
        subprocess.run(command, cwd=ROOT, check=True)
        files = json.loads(report.read_text("utf-8"))["files"]
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, file in files.items():
        inside = Path(name).parts[1:]
        part = inside[0] if len(inside) > 1 else "(top level)"
        summary = file["summary"]
        counts[part][0] += summary["covered_lines"] + summary.get("covered_branches", 0)
        counts[part][1] += summary["num_statements"] + summary.get("num_branches", 0)
    found = {part: 100 * covered / (total or 1) for part, (covered, total) in counts.items()}
    for part in sorted(found):
        print(f"{part:12} {found[part]:5.1f} %  floor {FLOORS.get(part, 0)} %")
    return found


if __name__ == "__main__":
    sys.exit(main())
