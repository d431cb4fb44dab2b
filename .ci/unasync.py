"""Writes the blocking client, and its tests, from the async ones.

    python .ci/unasync.py          write
    python .ci/unasync.py --check  compare, and fail where they differ

Line by line, by a short list of word rules; the result is formatted by ruff. Lines that end in
`# async only` have no blocking form. A rule that is never used is an error: it is a leftover.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREES = {
    "langgraph_client/_async": "langgraph_client/_sync",
    "tests/_async": "tests/_sync",
}
RULES = [
    (r"langgraph_client\._async", "langgraph_client._sync"),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsyncGenerator\[(.+), None\]", r"Generator[\1, None, None]"),
    (r"\bAsyncGenerator\b", "Generator"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAwaitable\[(list\[T\])\]", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"\bAsyncRunStream\b", "RunStream"),
    (
        r"\bAsync(Thread(?:Stream|Runs)|RunWatch|Feed|Filler|Projection|Values|Extensions)\b",
        r"Sync\1",
    ),
    (r"\bAsync(Event|Sse|Socket)(Reader|Socket)\b", r"Sync\1\2"),
    (r"\b(RunModule|AgentModule|ToolCallHandle|ScopedStreamHandle)\b", r"Sync\1"),
    (r"\basync_messages\b", "blocking_messages"),
    (r"\bAsyncChatModelStream\b", "ChatModelStream"),
    (r"\bAwaitable\[(JSON|None|bool)\]", r"\1"),
    (r"\bLater\[(JSON)\]", r"\1"),
    (r"\bAsyncTransport\b", "Transport"),
    (r"\bAsync(Httpx|Transport|Direct)?(Sender|Answer)\b", r"\1\2"),
    (r"\bAsyncIterable\b", "Iterable"),
    (r"\bhttpcore\.Async(HTTP(?:11)?Connection|ConnectionPool|NetworkStream)\b", r"httpcore.\1"),
    (r"\bhandle_async_request\b", "handle_request"),
    (r"\b_io\.tasks\b", "_io.threads"),
    (r"\b_io\.asyncio_network\b", "_io.blocking_network"),
    (r"\bAsyncRetrying\b", "Retrying"),
    (r"\bhttpx\.Async(Client|HTTPTransport)\b", r"httpx.\1"),
    (r"\bhttpx\.AsyncBaseTransport\b", "httpx.BaseTransport"),
    (r"\bhttpx\.AsyncByteStream\b", "httpx.SyncByteStream"),
    (r"\bLangGraphClient\b", "SyncLangGraphClient"),
    (r"\b(Assistants|Threads|Runs|Cron|Store|Http)Client\b", r"Sync\1Client"),
    (r"\bget_client\b", "get_sync_client"),
    (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
    (r"\baclose\b", "close"),
    (r"\baiter_bytes\b", "iter_bytes"),
    (r"\baread\b", "read"),
    (r"\banext\(", "next("),
    (r"\baiter\(", "iter("),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r'\("server"\)\.client\(', '("server").sync_client('),
    (r"\basync_transport\b", "transport"),
    (r"\bfrom asyncio import sleep\b", "from time import sleep"),
    (r"\baeventually\b", "eventually"),
]


def unasync(text: str, used: set[int]) -> str:
    """The blocking form of an async source."""
    lines = []
    for line in text.splitlines():
        if line.endswith("# async only"):
            continue
        for number, (pattern, replacement) in enumerate(RULES):
            line, count = re.subn(pattern, replacement, line)
            if count:
                used.add(number)
        lines.append(line)
    return "\n".join(lines) + "\n"


def tidy(text: str, path: Path) -> str:
    """Imports sorted, lines filled: by the linter, so that the result passes it."""
    for command in (
        ["check", "--select", "I", "--fix", "--quiet"],
        ["format", "--quiet"],
    ):
        ruff = Path(sys.executable).parent / "ruff"
        program = str(ruff) if ruff.exists() else "ruff"
        done = subprocess.run(
            [program, *command, "--stdin-filename", str(path), "-"],
            input=text,
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{path}: {done.stderr or done.stdout}")
        text = done.stdout
    return text


def generated() -> dict[Path, str]:
    """Every file of the blocking trees, as it should be."""
    used: set[int] = set()
    files: dict[Path, str] = {}
    for source, target in TREES.items():
        for path in sorted((ROOT / source).glob("*.py")):
            place = ROOT / target / path.name
            text = unasync(path.read_text("utf-8"), used)
            header = f"# Generated from {source}/{path.name} by .ci/unasync.py; do not edit.\n"
            files[place] = tidy(header + text, place)
    unused = [RULES[number][0] for number in range(len(RULES)) if number not in used]
    if unused:
        raise SystemExit(f"rules that are not used: {unused}")
    return files


def main(arguments: list[str]) -> int:
    files = generated()
    present = {path for target in TREES.values() for path in (ROOT / target).glob("*.py")}
    if arguments == ["--check"]:
        wrong = [p for p, text in files.items() if p not in present or p.read_text("utf-8") != text]
        wrong += sorted(present - files.keys())
        for path in wrong:
            print(f"{path.relative_to(ROOT)} is not what its source makes it: run make twin")
        return 1 if wrong else 0
    for path in present - files.keys():
        path.unlink()
    for path, text in files.items():
        path.parent.mkdir(exist_ok=True)
        if path not in present or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
