"""Fetch the libraries of the local page from npm, and put them into `langgraph_client/ui/static`.

Run it to take newer releases: change `LIBRARIES`, run `python .ci/vendor_ui.py`, and the tests in
`tests/ui`. Users never run it: what it writes is committed and shipped.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "langgraph_client" / "ui" / "static" / "vendor"
#: Package, release, the module in it, the name here, its licence.
LIBRARIES = [
    ("preact", "10.29.8", "dist/preact.module.js", "preact.js", "LICENSE"),
    ("preact", "10.29.8", "hooks/dist/hooks.module.js", "hooks.js", "LICENSE"),
    ("htm", "3.1.1", "dist/htm.module.js", "htm.js", "LICENSE"),
    ("@dagrejs/dagre", "3.1.3", "dist/dagre.esm.js", "dagre.js", "LICENSE"),
]


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    licences: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        wanted = sorted({f"{name}@{release}" for name, release, *_ in LIBRARIES})
        npm = ["npm", "install", "--no-save", "--ignore-scripts", "--silent", *wanted]
        subprocess.run(npm, cwd=folder, check=True)
        for name, release, module, target, licence in LIBRARIES:
            package = Path(folder, "node_modules", name)
            text = (package / module).read_text("utf-8")
            # A browser resolves no bare names without an import map, and source maps are not kept.
            text = re.sub(r'from\s*"preact"', 'from"./preact.js"', text)
            text = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE)
            mark = f"/*! {name} {release}; licence in LICENSES.txt */\n"
            (TARGET / target).write_text(mark + text.strip() + "\n", "utf-8")
            licences[f"{name} {release}"] = (package / licence).read_text("utf-8").strip()
    rule = "\n\n" + "=" * 80 + "\n\n"
    texts = [f"{name}\n\n{text}" for name, text in licences.items()]
    (TARGET / "LICENSES.txt").write_text(rule.join(texts) + "\n", "utf-8")


if __name__ == "__main__":
    main()
