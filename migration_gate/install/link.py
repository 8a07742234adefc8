"""Makes the project itself importable without building it: its folders on the path, its metadata beside them.

Building would run its build script at every change, and could write into the checkout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from migration_gate.install.lock import canonical
from migration_gate.install.place import MARKER, Home
from migration_gate.install.source import pyproject, setup_name
from migration_gate.project.search import read_text_file

SCRIPT = """
import json, os, sys, sysconfig
order = json.loads(sys.argv[1])
site = sysconfig.get_paths()["purelib"]
lines = []
for link in order["links"]:
    lines += [each for each in link["roots"] if each not in lines]
    name = link["name"].replace("-", "_") + "-" + link["version"] + ".dist-info"
    if any(each.lower().startswith(link["name"].replace("-", "_") + "-") and each.endswith(".dist-info")
           for each in os.listdir(site)):
        continue
    os.mkdir(os.path.join(site, name))
    files = {
        "METADATA": "Metadata-Version: 2.1\\nName: %(name)s\\nVersion: %(version)s\\n" % link,
        "INSTALLER": "migration-gate\\n",
        "entry_points.txt": link["entry_points"],
        "RECORD": "",
    }
    for file, text in files.items():
        with open(os.path.join(site, name, file), "w", encoding="utf-8") as stream:
            stream.write(text)
with open(os.path.join(site, "migration-gate-project.pth"), "w", encoding="utf-8") as stream:
    stream.write("\\n".join(lines) + "\\n")
path = os.path.join(sys.prefix, order["marker"])
with open(path + ".new", "w", encoding="utf-8") as stream:
    stream.write(json.dumps(order["record"]))
os.replace(path + ".new", path)
"""
"""runs in the environment's own interpreter, as whoever owns it; the marker is written last"""


@dataclass(frozen=True, slots=True)
class Link:
    """A package of the repository."""

    name: str
    version: str
    roots: tuple[str, ...]
    """folders for the import path, nearest first"""
    entry_points: str
    """the text of its entry_points.txt"""


def command(home: Home, links: Sequence[Link], record: dict[str, Any]) -> list[str]:
    """The command that finishes an environment."""
    order = {"links": [asdict(each) for each in links], "marker": MARKER, "record": record}
    return [str(home.python), "-I", "-c", SCRIPT, json.dumps(order)]


def of(folder: Path) -> Link:
    """How the package in a folder is made importable."""
    data = pyproject(folder)
    project, poetry = data.get("project", {}), data.get("tool", {}).get("poetry", {})
    name = str(project.get("name") or poetry.get("name") or setup_name(folder) or folder.name)
    version = str(project.get("version") or poetry.get("version") or _dynamic(data, folder) or "0.0.0")
    roots = dict.fromkeys(str(each) for each in _roots(data, folder) if each.is_dir())
    return Link(canonical(name), _plain(version), tuple(roots), _entry_points(project, poetry))


def _plain(version: str) -> str:
    return version if re.fullmatch(r"\d[\w.+!]*", version) else "0.0.0"


def _roots(data: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Where the packages lie: what each build backend is told, then src, then the folder itself."""
    tool = data.get("tool", {})
    for row in tool.get("poetry", {}).get("packages", ()):
        if isinstance(row, dict) and row.get("from"):
            yield folder / str(row["from"])
    setuptools = tool.get("setuptools", {})
    yield from (
        folder / str(each) for each in setuptools.get("package-dir", {}).values() if "/" not in str(each)
    )
    packages = setuptools.get("packages", {})
    if isinstance(packages, dict):
        yield from (folder / str(each) for each in packages.get("find", {}).get("where", ()))
    wheel = tool.get("hatch", {}).get("build", {}).get("targets", {}).get("wheel", {})
    yield from (folder / Path(str(each)).parent for each in wheel.get("packages", ()) if "/" in str(each))
    if place := tool.get("pdm", {}).get("build", {}).get("package-dir"):
        yield folder / str(place)
    if place := tool.get("uv", {}).get("build-backend", {}).get("module-root"):
        yield folder / str(place)
    yield folder / "src"
    yield folder


def _dynamic(data: dict[str, Any], folder: Path) -> str:
    """A version that stands in the code, as a plain text there."""
    tool = data.get("tool", {})
    attribute = str(tool.get("setuptools", {}).get("dynamic", {}).get("version", {}).get("attr", ""))
    module = attribute.rpartition(".")[0].replace(".", "/")
    names = [str(tool.get("hatch", {}).get("version", {}).get("path", ""))]
    names += [f"{start}{module}{end}" for start in ("", "src/") for end in (".py", "/__init__.py") if module]
    for name in filter(None, names):
        pattern = r"^(?:__version__|VERSION|version)\s*(?::\s*str\s*)?=\s*[\"'](\d[^\"']*)"
        if match := re.search(pattern, read_text_file(folder / name), re.M):
            return match[1]
    return ""


def _entry_points(project: dict[str, Any], poetry: dict[str, Any]) -> str:
    groups: dict[str, dict[str, Any]] = {
        "console_scripts": project.get("scripts", {}) or poetry.get("scripts", {})
    }
    groups |= poetry.get("plugins", {}) | project.get("entry-points", {})
    parts = []
    for group, entries in groups.items():
        lines = [f"{name} = {value}" for name, value in entries.items() if isinstance(value, str)]
        if lines:
            parts.append("\n".join([f"[{group}]", *lines]))
    return "\n\n".join(parts) + "\n" if parts else ""
