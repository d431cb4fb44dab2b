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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.support.postgres import arguments  # noqa: E402

ROOT = HERE.parents[1]
PROTOCOL = ROOT.parent / "shared" / "protocol"
_AGREE = re.compile(r"(\d+) of (\d+) exchanges agree")


#: Scenarios that need another configuration, or mostly wait, each on a server of their own.
APART = {"webhooks": "langgraph.webhooks.json", "crons_firing": "langgraph.json"}


def main(only: list[str]) -> int:
    if not PROTOCOL.is_dir():
        print(f"skipped: the recordings are not here ({PROTOCOL})")
        return 0
    known: dict[str, str] = json.loads((HERE / "differences.json").read_text())
    scenarios = only or sorted(path.stem for path in (PROTOCOL / "transcripts").glob("*.jsonl"))
    groups = [(config, ["--only", name]) for name, config in APART.items() if name in scenarios]
    if rest := [name for name in scenarios if name not in APART]:
        # All of them in the order of their recording: what one leaves behind, the next may find.
        chosen = ["--only", ",".join(rest)] if only else ["--skip", ",".join(APART)]
        groups.append(("langgraph.json", chosen))
    with ThreadPoolExecutor() as pool:
        said = "\n".join(pool.map(lambda group: on_a_server(*group), groups))
    print(said)
    totals = [tuple(map(int, found)) for found in _AGREE.findall(said)]
    if len(totals) != len(groups) or "Traceback" in said:
        print("a comparison did not finish, or left a traceback")
        return 1
    found = {line for line in said.splitlines() if re.fullmatch(r"\w+/\w+", line)}
    new = sorted(found - known.keys())
    gone = sorted(case for case in known.keys() - found if case.split("/")[0] in scenarios)
    equal, total = (sum(numbers) for numbers in zip(*totals, strict=True))
    print(f"{equal} of {total} exchanges equal, {len(found) - len(new)} deliberately different")
    if new:
        print("different, and not listed:", *new, sep="\n  ")
    if gone:
        print("listed as different, but equal this time (timing?):", *gone, sep="\n  ")
    return 1 if new else 0


def on_a_server(config: str, chosen: list[str]) -> str:
    """Start a server, compare some scenarios; returns what was said, tracebacks included."""
    command = [sys.executable, "-m", "langgraph_client.server", str(PROTOCOL / "graphs" / config)]
    # Open to every page, as the recorded server is; graphs that fail are part of the recordings.
    command += ["--cors", "*", "--no-show-tracebacks", *arguments()]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            [*command, "--port", "0", "--log-level", "error"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert server.stdout is not None
        try:
            said = check(server.stdout.readline().split()[0], chosen)
        finally:
            server.terminate()
            server.wait(60)
            server.stdout.close()
        log.seek(0)
        trace = log.read()
    return f"{said}\n{trace}" if "Traceback" in trace else said


def check(url: str, chosen: list[str]) -> str:
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
        *chosen,
    ]
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
