"""Finds the application that Flask-Migrate needs (FLASK_APP), where the user did not name it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from migration_gate.project.import_path import list_imported_names
from migration_gate.project.search import list_subfolders, read_text_file

USUAL = ("wsgi.py", "app.py", "manage.py", "autoapp.py", "application.py", "main.py", "run.py", "server.py")
NAMED = re.compile(r"(?:\bFLASK_APP\s*[=:]\s*|\bFLASK_APP\s+|--app[ =])[\"']?([\w./-]+(?::\w+(?:\(\))?)?)")
FILES = (
    *(
        ".flaskenv",
        ".env",
        "Dockerfile*",
        "*/Dockerfile*",
        "docker-compose*.y*ml",
        "compose*.y*ml",
        "Procfile",
    ),
    *("*.env", ".env.*", "Makefile", "*.sh", "bin/*", "scripts/*.sh", "README*", ".github/workflows/*.y*ml"),
)
"""what may say how the application is started, likeliest first"""
MAKES = re.compile(r"\bcreate_app\b|\bFlask\(")
LARGEST = 500_000
"""bytes of a file that we search"""


@dataclass(frozen=True, slots=True)
class FlaskApplication:
    """A value for FLASK_APP, the folder to run it in and the file that says so."""

    name: str
    directory: Path
    why: str


def is_flask_migrate_folder(folder: Path) -> bool:
    """Whether an Alembic folder is Flask-Migrate's: its env.py asks Flask for the current application."""
    return "flask" in list_imported_names(folder / "env.py")


def find_application(
    tops: Sequence[Path], env: Mapping[str, str], environ: Mapping[str, str]
) -> FlaskApplication | None:
    """The application, looked for in the settings, the environment, files that start it, and usual names."""
    for source, where in ((env, "`env` in the settings"), (environ, "the environment")):
        name, why = source.get("FLASK_APP"), f"FLASK_APP from {where}"
        if name:
            return resolve_application(name, tops, why) or FlaskApplication(name, tops[0], why)
    said = (
        resolve_application(name, tops, f"FLASK_APP from `{file.relative_to(top)}`")
        for top in tops
        for file, name in _named(top)
    )
    guessed = (
        FlaskApplication(
            _module(file, top), top, f"FLASK_APP guessed: `{file.relative_to(top)}` makes an application"
        )
        for top in tops
        for file in _makers(top)
    )
    return next((each for each in said if each), None) or next(guessed, None)


def _module(file: Path, top: Path) -> str:
    parts = file.relative_to(top).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__").removeprefix("src.")


def _makers(top: Path) -> Iterator[Path]:
    """Files of the usual names that make a Flask application."""
    places = (top, top / "src", *list_subfolders(top), *list_subfolders(top / "src"))
    usual = [inside / name for inside in places for name in USUAL]
    packages = [inside / "__init__.py" for inside in places[2:]]
    for file in (*usual, *packages):
        if file.is_file() and MAKES.search(read_text_file(file)):
            yield file


def _named(top: Path) -> Iterator[tuple[Path, str]]:
    for pattern in FILES:
        for file in sorted(top.glob(pattern)):
            if file.is_file() and file.stat().st_size < LARGEST:
                text = read_text_file(file)
                yield from ((file, match[1]) for match in NAMED.finditer(text))


def resolve_application(name: str, tops: Sequence[Path], why: str) -> FlaskApplication | None:
    """The application as it is called here: a path inside a container loses the folders that are not here."""
    module, colon, variable = name.partition(":")
    dotted = module.removesuffix(".py") if "/" in module else module
    parts = [part for part in dotted.split("/") if part not in ("", ".")]
    if "/" not in module and not module.endswith(".py"):
        parts = module.split(".")
    elif parts:
        parts[-1] = parts[-1].removesuffix(".py")
    for top in tops:
        for start in range(len(parts)):
            inner = Path(*parts[start:])
            for base in (top, top / "src"):
                if (base / inner).with_suffix(".py").is_file() or (base / inner / "__init__.py").is_file():
                    return FlaskApplication(".".join(inner.parts) + colon + variable, top, why)
            if "/" not in module:
                break
    return None
