"""Builds sdist and wheel, and runs the README's first example from each in an empty environment.

python .ci/build.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLES = ("quickstart.py", "stateless.py")


def run(*command: str | Path, where: Path = ROOT) -> None:
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], cwd=where, check=True)


def main() -> None:
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", dist)
    run(sys.executable, "-m", "twine", "check", "--strict", *dist.iterdir())
    for archive in sorted(dist.iterdir()):
        with tempfile.TemporaryDirectory() as folder:
            empty = Path(folder) / "venv"
            venv.create(empty, with_pip=True)
            python = empty / "bin" / "python"
            run(python, "-m", "pip", "install", "--quiet", f"{archive}[server]")
            for example in EXAMPLES:
                copy = shutil.copy(ROOT / "examples" / example, folder)
                run(python, "-W", "error", copy, where=Path(folder))


if __name__ == "__main__":
    main()
