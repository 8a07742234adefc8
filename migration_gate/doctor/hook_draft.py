"""Drafts a hook, where a project's own command builds the configuration that env.py needs."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import Settings
from migration_gate.errors import Misconfigured, ProjectNotFound
from migration_gate.project.search import SKIPPED, find_ini_files, read_text_file

FILE_NAME = "migration_gate_hook.py"
URL = "postgresql://user:secret@localhost/app"
MOST_FILES = 3000
"""of the repository's Python that are searched for what the project's command sets"""
OWN_ATTRIBUTES = frozenset({
    "attributes", "config_file_name", "config_ini_section", "cmd_opts", "file_config", "stdout",
    "output_buffer", "messaging_opts", "memo", "get_main_option", "set_main_option", "get_section",
    "set_section_option", "get_section_option", "get_template_directory", "print_stdout",
    "get_alembic_option", "get_alembic_boolean_option", "get_prepend_sys_paths_list",
    "get_version_locations_list", "toml_file_name", "toml_alembic_config",
})  # fmt: skip
"""of Alembic's `Config`: what else env.py reads there, the project's own command has set"""


@dataclass(frozen=True, slots=True)
class WantedSetting:
    """What env.py reads of the configuration, and Alembic's own command does not set."""

    expression: str
    """`cfg.attributes["engine"]`, `cfg.engine`"""
    name: str
    line: int
    """of env.py"""
    is_required: bool
    set_at: str = ""
    """`app/db.py:31`, where the project sets it; empty where that was not found"""
    value: str = ""
    """the code that the project sets it to"""


@dataclass(frozen=True, slots=True)
class HookDraft:
    """A hook that was written."""

    file: Path
    scripts: Path
    wanted: tuple[WantedSetting, ...]

    def describe(self, settings: Settings) -> dict[str, str | list[str]]:
        """A section of the report."""
        section: dict[str, str | list[str]] = {
            "written": str(self.file),
            "for": str(self.scripts / "env.py"),
            "next": [
                "read it, fill in what it says, and name it in .migration-gate.yml:",
                f"hook: {_relative_path(self.file, settings.root)}",
            ],
        }
        if self.wanted:
            section["env.py asks for"] = [
                f"{wanted.expression}, line {wanted.line}" for wanted in self.wanted
            ]
        return section


def write_hook_draft(settings: Settings) -> HookDraft:
    """Write the draft at the top of the project. Raises ProjectNotFound without an env.py.

    Raises Misconfigured where no hook is needed, or one is there.
    """
    file = settings.root / FILE_NAME
    if settings.hook is not None or file.exists():
        raise Misconfigured(
            f"`{settings.hook or file}` is there already: no draft was written.",
            advice=f"Name it with `hook:`, or remove it first: `rm {file}`.",
        )
    scripts = _find_scripts(settings)
    ini = next((ini for ini in find_ini_files(settings.root) if _names_folder(ini, scripts)), None)
    wanted = tuple(_find_wanted(scripts / "env.py", settings.root))
    _demand_need(scripts, ini, wanted, settings.root)
    file.write_text(_draft_text(settings.root, scripts, ini, wanted), encoding="utf-8")
    return HookDraft(file, scripts, wanted)


def _demand_need(scripts: Path, ini: Path | None, wanted: tuple[WantedSetting, ...], root: Path) -> None:
    """Raise Misconfigured where the gate gets along without a hook."""
    env_py = f"`{_relative_path(scripts / 'env.py', root)}`"
    if "current_app" in read_text_file(scripts / "env.py"):
        raise Misconfigured(
            f"{env_py} is Flask-Migrate's, which makes its configuration from the application: no draft was "
            "written.",
            advice="Name the application, as FLASK_APP would: `flask_app: package.module:create_app`.",
        )
    if ini is not None and not any(setting.is_required for setting in wanted):
        raise Misconfigured(
            f"`{_relative_path(ini, root)}` is there, and {env_py} asks for nothing that Alembic's own "
            "command does not set: no draft was written.",
            advice="`migration-gate doctor --try` runs it without a hook.",
        )


def _find_scripts(settings: Settings) -> Path:
    """The folder of env.py: beside a script.py.mako or a versions folder. The nearest to the top is taken."""
    folders = [
        path.parent
        for path in _walk(settings.root, "env.py")
        if (path.parent / "script.py.mako").is_file() or (path.parent / "versions").is_dir()
    ]
    if not folders:
        raise ProjectNotFound(
            f"No env.py of Alembic's was found below `{settings.root}`: no hook is needed.",
            where=str(settings.root),
            advice="Run it in the project's folder, or write a hook that leaves a Config in `cfg`.",
        )
    return min(folders, key=lambda folder: (len(folder.parts), str(folder)))


def _walk(top: Path, ending: str) -> Iterator[Path]:
    for path, names, files in os.walk(top):
        if "pyvenv.cfg" in files:
            names.clear()
            continue
        names[:] = sorted(
            name for name in names if name not in SKIPPED - {"env"} and not name.startswith(".")
        )
        for name in sorted(files):
            if name.endswith(ending):
                yield Path(path) / name


def _names_folder(ini: Path, scripts: Path) -> bool:
    """Whether an ini is that of the scripts: in their folder or above, or naming them."""
    return ini.parent in (scripts, scripts.parent) or scripts.name in read_text_file(ini)


def _find_wanted(env_py: Path, root: Path) -> Iterator[WantedSetting]:
    """What env.py reads of `config`, each once, with the place where the project sets it."""
    try:
        tree = ast.parse(env_py.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return
    assigned = _find_assignments(root, env_py)
    seen: set[str] = set()
    for node in ast.walk(tree):
        read = _read_of_config(node)
        if read is not None and read[0] not in seen:
            expression, name, is_required = read
            seen.add(expression)
            set_at, value = assigned.get(name, ("", ""))
            line: int = getattr(node, "lineno", 1)
            yield WantedSetting(expression, name, line, is_required, set_at, value)


def _read_of_config(node: ast.AST) -> tuple[str, str, bool] | None:
    """The expression in a hook, the name, and whether env.py fails without it."""
    match node:
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            if ast.unparse(value) in ("config.attributes", "context.config.attributes"):
                return f'cfg.attributes["{name}"]', name, True
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
            if ast.unparse(func) in ("config.attributes.get", "context.config.attributes.get"):
                return f'cfg.attributes["{name}"]', name, False
        case ast.Attribute(value=value, attr=name, ctx=ast.Load()):
            if ast.unparse(value) in ("config", "context.config") and name not in OWN_ATTRIBUTES:
                return f"cfg.{name}", name, True
    return None


def _find_assignments(root: Path, env_py: Path) -> dict[str, tuple[str, str]]:
    """What the repository's Python sets on a configuration: by name, the place and the code."""
    assigned: dict[str, tuple[str, str]] = {}
    for number, file in enumerate(_walk(root, ".py")):
        if number >= MOST_FILES or file == env_py or "onfig" not in (text := read_text_file(file)):
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and (name := _assigned_name(node.targets[0])):
                place = f"{_relative_path(file, root)}:{node.lineno}"
                assigned.setdefault(name, (place, ast.unparse(node.value)))
    return assigned


def _assigned_name(target: ast.expr) -> str:
    match target:
        case ast.Subscript(value=ast.Attribute(attr="attributes"), slice=ast.Constant(value=str(name))):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if "cfg" in owner or "config" in owner:
            return name
        case _:
            return ""


def _draft_text(root: Path, scripts: Path, ini: Path | None, wanted: tuple[WantedSetting, ...]) -> str:
    config = f'Config(str(ROOT / "{_relative_path(ini, root)}"))' if ini else "Config()"
    lines = [
        '"""Builds the configuration that env.py needs, for Migration Gate: named by `hook:`."""',
        "",
        "from pathlib import Path",
        "",
        *(["import sqlalchemy as sa"] if any(_is_engine(setting.name) for setting in wanted) else []),
        "from alembic.config import Config",
        "",
        "ROOT = Path(__file__).resolve().parent",
        "# Every connection is redirected to the gate's own server: any PostgreSQL URL will do.",
        f'URL = "{URL}"',
        "",
        f"cfg = {config}",
        f'cfg.set_main_option("script_location", str(ROOT / "{_relative_path(scripts, root)}"))',
        'cfg.set_main_option("sqlalchemy.url", URL)',
    ]
    for setting in wanted:
        lines += ["", *_draft_setting(setting)]
    return "\n".join(lines) + "\n"


def _draft_setting(setting: WantedSetting) -> list[str]:
    comment = f"# env.py reads it in line {setting.line}"
    if setting.set_at:
        comment += f"; {setting.set_at} sets it to `{' '.join(setting.value.split())[:60]}`"
    code = f"{setting.expression} = {_suggest_value(setting)}"
    return [f"{comment}.", code if setting.is_required else f"# {code}"]


def _suggest_value(setting: WantedSetting) -> str:
    """A URL or an engine where the name asks for one; the project's own constant; else a gap to fill."""
    words = setting.name.lower()
    if any(word in words for word in ("url", "uri", "dsn")):
        return "URL"
    if _is_engine(setting.name):
        return "sa.create_engine(URL)"
    if "connection" in words:
        return "None  # env.py makes its own"
    try:
        return repr(ast.literal_eval(setting.value))
    except (SyntaxError, ValueError):
        return "None  # fill in what the project's own command passes"


def _is_engine(name: str) -> bool:
    return "engine" in name.lower()


def _relative_path(path: Path, root: Path) -> str:
    for top in (root, find_repository_root(root)):
        if path.is_relative_to(top):
            return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return str(path)
