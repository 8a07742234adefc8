"""What env.py lacks that a command line or a program of the project gives."""

from __future__ import annotations

import re

from migration_gate.replay.early_end import EarlyEnd
from migration_gate.replay.setting_advice import config_block, list_missing_names

X_FLAG = re.compile(r"(?<![\w-])-x\b")
X_NAME = re.compile(r"(?<![\w-])-x[ =]?[\"']?([A-Za-z_]\w*)(?==)")
"""the name in `-x name=value`"""
X_READERS = re.compile(r"cmd_opts\.x\b|get_x_argument")
NAMESPACE_ATTRIBUTE = re.compile(r"'Namespace' object has no attribute(?: '(\w+)')?")
"""argparse's, in which the options of a command line are"""
ENGINE_ATTRIBUTES = {"connection": "engine.connect()", "connectable": "engine", "engine": "engine"}
"""names under which programs hand a connection over, and what the hook gives for each"""
UNKNOWN_VALUE = "…  # what the project's own command sets"
PRINTED_CHARACTERS = 2000


def advise_on_x_arguments(early_end: EarlyEnd) -> str | None:
    """What `alembic -x` gives, and env.py cannot do without."""
    text = early_end.failure.message + _read_last_output(early_end)
    is_about_x = bool(X_FLAG.search(text) or X_READERS.search(early_end.source_line))
    missing = list_missing_names("x", early_end.missing)
    if not is_about_x and not (missing and early_end.is_in_env_py):
        return None
    # An argument that is asked for by its position has a number for a name.
    names = [name for name in missing if not name.lstrip("-").isdigit()] or X_NAME.findall(text)
    arguments = ", ".join(f"{name}=VALUE" for name in dict.fromkeys(names)) or "VALUE"
    return (
        f"env.py asks for an argument that `alembic -x` gives: {arguments}. In .migration-gate.yml, with the "
        f"value that it expects,\n\n{config_block(f'x: [{arguments}]')}"
    )


def _read_last_output(early_end: EarlyEnd) -> str:
    """What the project printed, if it ended the program itself."""
    if early_end.failure.exception_class != "SystemExit":
        return ""
    return early_end.output[-PRINTED_CHARACTERS:]


def advise_on_attributes(early_end: EarlyEnd) -> str | None:
    """`config.attributes["connection"]` or `config.settings`, which a program of the project's own sets."""
    message = early_end.failure.message
    names = list_missing_names("attribute", early_end.missing)
    namespace = NAMESPACE_ATTRIBUTE.search(message)
    is_attribute = any(re.search(rf"['\"]{re.escape(name)}['\"]", message) for name in names)
    is_unset_attribute = bool(names) and "NoneType" in message
    own_names = _list_own_attributes(early_end)
    if not is_attribute and not is_unset_attribute and namespace is None and not own_names:
        return None
    lines = ["from alembic.config import Config", f'cfg = Config("{early_end.config_file}")']
    if namespace is not None:
        lines += [
            "import argparse",
            f"cfg.cmd_opts = argparse.Namespace(x=None, {namespace[1] or 'name'}=False)",
        ]
    for name in names:
        lines += _set_attribute(name)
    lines += [f"cfg.{name} = {UNKNOWN_VALUE}" for name in own_names]
    return (
        "A command of the project's own sets this before it calls Alembic. Do the same in a hook, which "
        "`migration-gate doctor --write-hook` drafts, for example "
        f"`ci/alembic_config.py`:\n\n{config_block(*dict.fromkeys(lines))}\n\nand name it in "
        f".migration-gate.yml:\n\n{config_block('hook: ci/alembic_config.py')}"
    )


def _list_own_attributes(early_end: EarlyEnd) -> list[str]:
    """Attributes of the configuration that it lacks; none where something else may have ended env.py."""
    failure = early_end.failure
    names = list_missing_names("config", early_end.missing)
    if failure.exception_class == "SystemExit" and early_end.is_in_env_py:
        return names
    return [name for name in names if re.search(rf"attribute ['\"]{re.escape(name)}['\"]", failure.message)]


def _set_attribute(name: str) -> list[str]:
    """Lines of the hook."""
    if name not in ENGINE_ATTRIBUTES:
        return [f'cfg.attributes["{name}"] = {UNKNOWN_VALUE}']
    return [
        "from sqlalchemy import create_engine",
        'engine = create_engine("postgresql://gate@localhost/gate")',
        f'cfg.attributes["{name}"] = {ENGINE_ATTRIBUTES[name]}',
    ]


def advise_on_interpolation(early_end: EarlyEnd) -> str | None:
    """A `%` in the configuration that is none of its placeholders."""
    failure = early_end.failure
    is_syntax = failure.exception_class == "InterpolationSyntaxError"
    if is_syntax or "invalid interpolation syntax" in failure.message:
        return (
            f"In `{early_end.config_file}` a `%` begins a placeholder: write `%%` for each one that does "
            "not, in passwords of URLs too. Where env.py sets the value, have it pass it through "
            "`.replace('%', '%%')` before `set_main_option`."
        )
    return None
