"""The deployment that docs/scaling.md shows: its files are well-formed, and its commands exist."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from langgraph_client.server.cli.arguments import parse

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def block(kind: str) -> str:
    """Return the only block of a kind of the page."""
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    return str(found)


def options_of(command: str) -> Any:
    """Return what our command makes of a command line."""
    words = shlex.split(command)
    assert words[1:3] == ["-m", "langgraph_client.server"]
    return parse(words[3:])


def test_compose() -> None:
    """Each service is one that compose can start, and the servers' flags are ours."""
    compose = yaml.safe_load(block("yaml"))
    services = compose["services"]
    assert set(compose) == {"services", "volumes"}
    known = {
        *("image", "build", "command", "environment", "ports", "volumes"),
        *("healthcheck", "depends_on", "deploy", "stop_grace_period"),
    }
    for name, service in services.items():
        assert set(service) <= known, name
        assert ("image" in service) != ("build" in service), name
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source.startswith("./") or source in compose["volumes"], volume
    roles = set()
    for name in ("api", "worker"):
        options = options_of(services[name]["command"])
        database = services["database"]["environment"]
        assert options.db.endswith(f"@database/{database['POSTGRES_DB']}")
        assert options.host == "0.0.0.0"
        roles.add(options.role)
    assert roles == {"api", "worker"}
    assert "api:2024" in block("nginx")


def test_systemd_unit() -> None:
    """The unit has the sections of one, and its command's flags are ours."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(block("ini"))
    assert unit.sections() == ["Unit", "Service", "Install"]
    command = unit["Service"]["ExecStart"].replace("%i", "2024")
    options = options_of(command.replace("${DATABASE_URL}", "postgresql://host/db"))
    assert (options.port, options.db) == (2024, "postgresql://host/db")


def test_shell_commands() -> None:
    """The commands that start a server have flags that exist."""
    lines = re.findall(r"^python -m langgraph_client.server .*$", PAGE.read_text(), re.M)
    assert lines
    for line in lines:
        assert options_of(line).db.startswith("postgresql://")


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    """nginx itself says that the file is one it can run with."""
    site = block("nginx").replace("api:2024", "127.0.0.1:2024")
    config = tmp_path / "nginx.conf"
    site = site.replace("listen 80", "listen 8080")
    config.write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ {site} }}")
    done = subprocess.run(
        ["nginx", "-t", "-c", str(config), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
