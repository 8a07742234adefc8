"""Drafts a hook, where a project's own command builds the configuration that env.py needs."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.doctor.custom_settings import (
    CustomSetting,
    find_custom_settings,
    find_files,
    relative_path,
)
from migration_gate.errors import Misconfigured, ProjectNotFound
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.search import find_ini_files, read_text_file
from migration_gate.project.search_errors import DRAFTED_HOOK

FILE_NAME = DRAFTED_HOOK
URL = "postgresql://user:secret@localhost/app"
IMPORT_NAMESPACE = "from types import SimpleNamespace"


@dataclass(frozen=True, slots=True)
class HookDraft:
    """A hook that was written."""

    file: Path
    scripts: Path
    settings: tuple[CustomSetting, ...]

    def describe(self, settings: Settings) -> dict[str, str | list[str]]:
        """A section of the report."""
        section: dict[str, str | list[str]] = {
            "written": str(self.file),
            "for": str(self.scripts / "env.py"),
            "next": [
                "read it, fill in what it says, and name it in .migration-gate.yml:",
                f"hook: {relative_path(self.file, settings.root)}",
            ],
        }
        if self.settings:
            section["env.py asks for"] = [
                f"{setting.expression}, line {setting.line}" for setting in self.settings
            ]
        return section


def write_hook_draft(settings: Settings) -> HookDraft:
    """Write the draft at the top of the project. Raises ProjectNotFound without an env.py.

    Raises Misconfigured if no hook is needed, or one is there.
    """
    file = settings.root / FILE_NAME
    if settings.hook is not None or file.exists():
        raise Misconfigured(
            f"`{settings.hook or file}` is there already: no draft was written.",
            advice=f"Name it with `hook:`, or remove it first: `rm {file}`.",
        )
    scripts = _find_scripts(settings)
    ini = next((ini for ini in find_ini_files(settings.root) if _names_folder(ini, scripts)), None)
    custom_settings = tuple(find_custom_settings(scripts / "env.py", settings.root))
    _demand_need(scripts, ini, custom_settings, settings.root)
    file.write_text(_draft_text(settings.root, scripts, ini, custom_settings), encoding="utf-8")
    return HookDraft(file, scripts, custom_settings)


def _demand_need(
    scripts: Path, ini: Path | None, custom_settings: tuple[CustomSetting, ...], root: Path
) -> None:
    """Raise Misconfigured if the gate gets along without a hook."""
    env_py = f"`{relative_path(scripts / 'env.py', root)}`"
    if "current_app" in read_text_file(scripts / "env.py"):
        raise Misconfigured(
            f"{env_py} is Flask-Migrate's, which makes its configuration from the application: no draft was "
            "written.",
            advice="Name the application, as FLASK_APP would: `flask_app: package.module:create_app`.",
        )
    if ini is not None and not any(setting.is_required for setting in custom_settings):
        raise Misconfigured(
            f"`{relative_path(ini, root)}` is there, and {env_py} asks for nothing that Alembic's own "
            "command does not set: no draft was written.",
            advice="`migration-gate doctor --try` runs it without a hook.",
        )


def _find_scripts(settings: Settings) -> Path:
    """The folder of env.py: beside a script.py.mako or a versions folder. The nearest to the top is taken."""
    folders = [
        path.parent
        for path in find_files(settings.root, "env.py")
        if (path.parent / "script.py.mako").is_file() or (path.parent / "versions").is_dir()
    ]
    if not folders:
        raise ProjectNotFound(
            f"No env.py of Alembic's was found below `{settings.root}`: no hook is needed.",
            where=str(settings.root),
            advice="Run it in the project's folder, or write a hook that leaves a Config in `cfg`.",
        )
    return min(folders, key=lambda folder: (len(folder.parts), str(folder)))


def _names_folder(ini: Path, scripts: Path) -> bool:
    """Whether an ini is that of the scripts: in their folder or above, or naming them."""
    return ini.parent in (scripts, scripts.parent) or scripts.name in read_text_file(ini)


def _draft_text(
    root: Path, scripts: Path, ini: Path | None, custom_settings: tuple[CustomSetting, ...]
) -> str:
    needs_sqlalchemy = any(_needs_engine(item) or _needs_connection(item) for item in custom_settings)
    needs_namespace = any("SimpleNamespace(" in _suggest_value(item) for item in custom_settings)
    imports = ["import sqlalchemy as sa"] if needs_sqlalchemy else []
    config = f'Config(str(ROOT / "{relative_path(ini, root)}"))' if ini else "Config()"
    lines = [
        '"""Builds the configuration that env.py needs, for Migration Gate: named by `hook:`."""',
        "",
        "from pathlib import Path",
        *([IMPORT_NAMESPACE] if needs_namespace else []),
        "",
        *imports,
        "from alembic.config import Config",
        "",
        "ROOT = Path(__file__).resolve().parent",
        "# Every connection is redirected to the gate's own server: any PostgreSQL URL will do.",
        f'URL = "{URL}"',
        "",
        f"cfg = {config}",
        f'cfg.set_main_option("script_location", str(ROOT / "{relative_path(scripts, root)}"))',
        'cfg.set_main_option("sqlalchemy.url", URL)',
    ]
    for setting in custom_settings:
        lines += ["", *_draft_setting(setting)]
    return "\n".join(lines) + "\n"


def _draft_setting(setting: CustomSetting) -> list[str]:
    comment = f"# env.py reads it in line {setting.line}"
    if setting.set_at:
        comment += f"; {setting.set_at} sets it to `{' '.join(setting.value.split())[:60]}`"
    code = f"{setting.expression} = {_suggest_value(setting)}"
    return [f"{comment}.", code if setting.is_required else f"# {code}"]


def _suggest_value(setting: CustomSetting) -> str:
    """A URL or an engine where the name asks for one; the project's own constant; else a gap to fill."""
    words = setting.name.lower()
    if _is_url(words):
        return "URL"
    if _needs_engine(setting):
        return "sa.create_engine(URL)"
    if _needs_connection(setting):
        return "sa.create_engine(URL).connect()"
    if "connection" in words:
        return "None  # env.py makes its own"
    try:
        return repr(ast.literal_eval(setting.value))
    except (SyntaxError, ValueError):
        return f"{_draft_object(setting.parts)}  # fill in what the project's own command passes"


def _is_url(name: str) -> bool:
    return any(word in name.lower() for word in ("url", "uri", "dsn"))


def _draft_object(parts: Mapping[str, bool]) -> str:
    """An object with the attributes that env.py reads, as far as their names tell of their values."""
    if not parts:
        return "None"
    values = {name: "URL" if _is_url(name) else "None" for name in parts}
    arguments = [
        f"{name}={'lambda *_, **__: ' if parts[name] else ''}{value}" for name, value in values.items()
    ]
    return f"SimpleNamespace({', '.join(arguments)})"


def _needs_connection(setting: CustomSetting) -> bool:
    return "connection" in setting.name.lower() and setting.is_required


def _needs_engine(setting: CustomSetting) -> bool:
    return "engine" in setting.name.lower()
