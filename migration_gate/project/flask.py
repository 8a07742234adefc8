"""Finds the application that Flask-Migrate needs (FLASK_APP), where the user did not name it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.import_path import list_imported_names
from migration_gate.project.python_source import parse_source, unparse_code
from migration_gate.project.search import list_subfolders, read_text_file

APPLICATION_FILES = (
    "wsgi.py",
    "app.py",
    "manage.py",
    "autoapp.py",
    "application.py",
    "main.py",
    "run.py",
    "server.py",
)
"""usual names of the module with the application"""
FLASK_APP = re.compile(
    r"(?:\bFLASK_APP\s*[=:]\s*|\bFLASK_APP\s+|--app[ =])[\"']?([\w./-]+(?::\w+(?:\([^()\n]*\))?)?)"
)
START_FILES = (
    ".flaskenv",
    ".env",
    "Dockerfile*",
    "*/Dockerfile*",
    "docker-compose*.y*ml",
    "compose*.y*ml",
    "Procfile",
    "*.env",
    ".env.*",
    "Makefile",
    "*.sh",
    "bin/*",
    "scripts/*.sh",
    "README*",
    ".github/workflows/*.y*ml",
)
"""what may say how the application is started, likeliest first"""
APPLICATION_SIGNS = {
    re.compile(r"\bcreate_app\b|\bFlask\("): "makes an application",
    re.compile(r"\bMigrate\(\s*app\b"): "gives an application to Flask-Migrate",
}
"""by which a module is known that has the application, the surest first"""
FLASK_NAMES = frozenset({"create_app", "make_app"})
"""factories that Flask calls by itself"""
LARGEST_FILE = 500_000
"""bytes of a file that is searched"""


@dataclass(frozen=True, slots=True)
class FlaskApplication:
    """A value for FLASK_APP, and the folder to run it in."""

    name: str
    """`package.module:create_app`"""
    directory: Path
    reason: str
    """where the name is from"""


def is_flask_migrate_folder(folder: Path) -> bool:
    """Whether an Alembic folder is Flask-Migrate's: its env.py asks Flask for the current application."""
    return "flask" in list_imported_names(folder / "env.py")


def find_application(
    tops: Sequence[Path], setting: str | None, env: Mapping[str, str], environ: Mapping[str, str]
) -> FlaskApplication | None:
    """The application: from the setting `flask_app`, from variables, from files that start it, else guessed.

    `tops` are the folders that it may be run in, likeliest first; `env` are the variables of the settings,
    `environ` those of the environment.
    """
    if setting:
        # The name is left as the user wrote it; only its folder is looked for.
        application = _application_in_folder(setting, tops, "FLASK_APP from the setting `flask_app`")
        return replace(application, name=setting)
    for variables, origin in ((env, "`env` in the settings"), (environ, "the environment")):
        if variables.get("FLASK_APP"):
            return _application_in_folder(variables["FLASK_APP"], tops, f"FLASK_APP from {origin}")
    for top in tops:
        for file, name in _find_names_in_files(top):
            application_here = resolve_application(name, tops, f"FLASK_APP from `{file.relative_to(top)}`")
            if application_here is not None:
                return application_here
    for top in tops:
        for file, sign in _find_application_files(top):
            reason = f"FLASK_APP guessed: `{file.relative_to(top)}` {sign}"
            return FlaskApplication(_module_name(file, top) + _name_factory(file), top, reason)
    return None


def _name_factory(file: Path) -> str:
    """`:build_app` for a function of a name that Flask does not look for itself; '' where it finds one."""
    tree = parse_source(file)
    statements = tree.body if tree is not None else []
    functions = {node.name: node for node in statements if isinstance(node, ast.FunctionDef)}
    factories = [name for name, node in functions.items() if _calls_any(node, {"Flask"})]
    assignments = [node for node in statements if isinstance(node, ast.Assign | ast.AnnAssign)]
    if set(functions) & FLASK_NAMES or any(_calls_any(node, {"Flask", *factories}) for node in assignments):
        return ""
    return next((f":{name}" for name in factories), "")


def _calls_any(node: ast.stmt, names: Set[str]) -> bool:
    calls = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    return any(unparse_code(function).rpartition(".")[2] in names for function in calls)


def _application_in_folder(name: str, tops: Sequence[Path], reason: str) -> FlaskApplication:
    """The application of that name; where its file is not found, in the first folder."""
    return resolve_application(name, tops, reason) or FlaskApplication(name, tops[0], reason)


def resolve_application(name: str, tops: Sequence[Path], reason: str) -> FlaskApplication | None:
    """The application as it is called here; None if its file is not found.

    A path inside a container (`/app/web/run.py`) loses the folders that do not exist here.
    """
    module, colon, variable = name.partition(":")
    for top in tops:
        for parts in _list_possible_modules(module):
            if any(_is_module(base.joinpath(*parts)) for base in (top, top / "src")):
                return FlaskApplication(".".join(parts) + colon + variable, top, reason)
    return None


def _list_possible_modules(module: str) -> list[list[str]]:
    """The names that a module may have here, longest first: as it is written, or the ends of a path."""
    if "/" not in module:
        return [[module.removesuffix(".py")]] if module.endswith(".py") else [module.split(".")]
    parts = [part for part in module.removesuffix(".py").split("/") if part not in ("", ".")]
    return [parts[start:] for start in range(len(parts))]


def _is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _module_name(file: Path, top: Path) -> str:
    parts = file.relative_to(top).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__").removeprefix("src.")


def _find_application_files(top: Path) -> Iterator[tuple[Path, str]]:
    """Files of the usual names that make an application, packages that do, then files that import one.

    Each with what it does.
    """
    packages = [*list_subfolders(top), *list_subfolders(top / "src")]
    candidates = [folder / name for folder in (top, top / "src", *packages) for name in APPLICATION_FILES]
    candidates += [package / "__init__.py" for package in packages]
    texts = {file: read_text_file(file) for file in candidates if file.is_file()}
    for pattern, sign in APPLICATION_SIGNS.items():
        yield from ((file, sign) for file, text in texts.items() if pattern.search(text))


def _find_names_in_files(top: Path) -> Iterator[tuple[Path, str]]:
    """Values of FLASK_APP, with the files that say so."""
    for pattern in START_FILES:
        for file in sorted(top.glob(pattern)):
            if file.is_file() and file.stat().st_size < LARGEST_FILE:
                for match in FLASK_APP.finditer(read_text_file(file)):
                    yield file, match[1]
