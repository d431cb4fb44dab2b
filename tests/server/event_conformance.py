"""Drive the recorded scenarios of the event protocol against the bundled server, and compare.

    python tests/server/event_conformance.py            all scenarios
    python tests/server/event_conformance.py custom     only some

Needs the protocol's recordings beside the checkout (`../shared/protocol`). Ids, numbers and times
are not compared, nor the order of events of different channels. What `normal` takes out, and the
exchanges that `differences.json` lists, are where the real server is wrong; `DIFFERENCES.md` has
the reasons. Anything else that differs fails.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.support.postgres import arguments  # noqa: E402

ROOT = HERE.parents[1]
PROTOCOL = ROOT.parent / "shared" / "protocol"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}")
_OURS = {"message_id", "reason"}
"""Fields that only our server sends."""


def main(only: list[str]) -> int:
    if not PROTOCOL.is_dir():
        print(f"skipped: the recordings are not here ({PROTOCOL})")
        return 0
    listed = json.loads((HERE / "differences.json").read_text())
    known = {name for name in listed if name.startswith("v3_")}
    names = only or sorted(path.stem for path in (PROTOCOL / "transcripts_v3").glob("*.jsonl"))
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), names)
        found, total = set(), 0
        for name in names:
            ours = {line["case"]: line for line in read(Path(folder) / "out" / f"{name}.jsonl")}
            for line in read(PROTOCOL / "transcripts_v3" / f"{name}.jsonl"):
                total += 1
                if not agree(line, ours.get(line["case"], {})):
                    found.add(f"v3_{name}/{re.sub(r'[^0-9A-Za-z_]', '_', line['case'])}")
    new = sorted(found - known)
    gone = sorted(case for case in known - found if case[3:].split("/")[0] in names)
    print(f"{total - len(found)} of {total} exchanges of the event protocol equal")
    if new:
        print("different, and not listed:", *new, sep="\n  ")
    if gone:
        print("listed as different, but equal this time (timing?):", *gone, sep="\n  ")
    return 1 if new else 0


def record(folder: Path, names: list[str]) -> None:
    """Record scenarios from a server of their own."""
    graphs = subprocess.run(
        [sys.executable, PROTOCOL / "v3_graphs.py"], capture_output=True, text=True, check=True
    ).stdout
    (folder / "langgraph.json").write_text(graphs)
    (folder / "v3_graphs.py").write_text((PROTOCOL / "v3_graphs.py").read_text())
    command = [sys.executable, "-m", "langgraph_client.server", "langgraph.json", "--port", "0"]
    command += ["--no-show-tracebacks", *arguments()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(folder)))}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout
        try:
            url = server.stdout.readline().split()[0]
            recorder = [sys.executable, PROTOCOL / "record_v3.py", url, "--out", folder / "out"]
            subprocess.run([*recorder, "--only", ",".join(names)], check=True, timeout=600)
        finally:
            server.terminate()


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def agree(recorded: dict[str, Any], ours: dict[str, Any]) -> bool:
    if recorded.get("status") != ours.get("status"):
        return False
    if "http" in recorded:
        if not recorded["http"]["path"].endswith(("/commands", "/stream/events")):
            return True  # The older endpoints have recordings of their own.
        return normal(recorded.get("json")) == normal(ours.get("json"))
    if "websocket" in recorded:
        logs = [line.get("log", []) for line in (recorded, ours)]
        frames = [[entry["recv"] for entry in log if "recv" in entry] for log in logs]
        replies = [[normal(f) for f in found if f.get("type") != "event"] for found in frames]
        events = [[f for f in found if f.get("type") == "event"] for found in frames]
        return bool(replies[0] == replies[1]) and same_events(*events)
    return same_events(*(list(events_in(line.get("frames", []))) for line in (recorded, ours)))


def events_in(frames: list[str]) -> Any:
    for line in "".join(frames).split("\r\n"):
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def same_events(recorded: list[Any], ours: list[Any]) -> bool:
    """Whether the channels of the recording have the same events, in order."""
    theirs, mine = sorted_events(recorded), sorted_events(ours)
    return all(mine.get(key) == events for key, events in theirs.items()) and not any(
        key for key in mine.keys() - theirs.keys() if key[0] in ("lifecycle", "input.requested")
    )


def sorted_events(events: list[Any]) -> dict[Any, list[Any]]:
    """Return what events say, by channel, namespace, and tool call."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for event in events:
        params = event["params"]
        data = normal(params["data"])
        call = data.get("tool_call_id") if isinstance(data, dict) else None
        namespace = tuple(normal(params["namespace"]))
        found[event["method"], namespace, call].append(data)
    return found


def normal(value: Any) -> Any:
    """Return a value without ids, and without what only our server sends."""
    if isinstance(value, dict):
        left = {key: normal(item) for key, item in value.items() if key not in _OURS}
        if left.get("type") == "success":
            # The number that was sent last, the count of a replay, the run of an answer.
            left.pop("meta", None)
            left["result"].pop("run_id", None)
            left["result"].pop("replayed_events", None)
        left.pop("meta", None)
        return left
    if isinstance(value, list):
        return [normal(item) for item in value]
    return _ID.sub("ID", value) if isinstance(value, str) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
