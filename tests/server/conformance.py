"""Drive the recorded scenarios against the bundled server, on a port, and compare.

    python tests/server/conformance.py            all scenarios
    python tests/server/conformance.py store      only some

Needs the protocol's recordings beside the checkout (`../shared/protocol`). An exchange that differs
must be listed in `differences.json`, which `DIFFERENCES.md` explains; anything else fails.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROTOCOL = ROOT.parent / "shared" / "protocol"
_AGREE = re.compile(r"(\d+) of (\d+) exchanges agree")


def main(only: list[str]) -> int:
    if not PROTOCOL.is_dir():
        print(f"skipped: the recordings are not here ({PROTOCOL})")
        return 0
    known: dict[str, str] = json.loads((HERE / "differences.json").read_text())
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "langgraph_client.server",
                str(PROTOCOL / "graphs" / "langgraph.webhooks.json"),
                "--port",
                "0",
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[0]
            said = check(url, only)
        finally:
            server.terminate()
            server.wait(20)
            server.stdout.close()  # type: ignore[union-attr]
        log.seek(0)
        if "Traceback" in (trace := log.read()):
            print(f"the server left a traceback:\n{trace[-3000:]}")
            return 1
    print(said)
    found = {line for line in said.splitlines() if re.fullmatch(r"\w+/\w+", line)}
    new = sorted(found - known.keys())
    gone = sorted(case for case in known.keys() - found if not only or case.split("/")[0] in only)
    agree = _AGREE.search(said)
    if agree is None:
        print("the comparison did not finish")
        return 1
    print(f"{agree[1]} of {agree[2]} exchanges equal, {len(found)} deliberately different")
    if new:
        print("different, and not listed:", *new, sep="\n  ")
    if gone:
        print("listed as different, but equal this time (timing?):", *gone, sep="\n  ")
    return 1 if new else 0


def check(url: str, only: list[str]) -> str:
    """Run the comparison; returns what it printed."""
    command = [
        sys.executable,
        str(PROTOCOL / "record.py"),
        url,
        "--check",
        "--level",
        "value",
        "--ignore",
        "langgraph_plan,langgraph_host,langgraph_api_url,langgraph_api_version",
    ]
    if only:
        command += ["--only", ",".join(only)]
    with tempfile.TemporaryDirectory() as elsewhere:  # It leaves bytecode where it is run.
        done = subprocess.run(
            [command[0], "-B", *command[1:]],
            capture_output=True,
            text=True,
            timeout=900,
            cwd=elsewhere,
            check=False,
        )
    return done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
