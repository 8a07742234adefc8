"""What env.py lacks that a command line or a program of the project gives."""

from __future__ import annotations

import re

from migration_gate.replay.early_end import EarlyEnd
from migration_gate.replay.setting_advice import config_block, names_of


def advise_on_x_arguments(early_end: EarlyEnd) -> str | None:
    """What `alembic -x` gives, and env.py cannot do without."""
    names = names_of("x", early_end.missing)
    says_so = re.search(r"(?<![\w-])-x\b", early_end.failure.message + _printed(early_end))
    says_so = says_so or re.search(r"cmd_opts\.x\b|get_x_argument", early_end.source_line)
    if not names and not says_so:
        return None
    if not says_so and not early_end.is_in_env_py:
        return None
    named = [name for name in names if not name.lstrip("-").isdigit()]
    if not named and says_so:
        pattern = r"(?<![\w-])-x[ =]?[\"']?([A-Za-z_]\w*)(?==)"
        named = re.findall(pattern, early_end.failure.message + _printed(early_end))
    arguments = ", ".join(f"{name}=VALUE" for name in dict.fromkeys(named)) or "VALUE"
    return (
        f"env.py asks for an argument that `alembic -x` gives: {arguments}. In .migration-gate.yml, with the "
        f"value that it expects,\n\n{config_block(f'x: [{arguments}]')}"
    )


def _printed(early_end: EarlyEnd) -> str:
    """What the project printed, where it ended the program itself."""
    return early_end.output[-2000:] if early_end.failure.exception_class == "SystemExit" else ""


def advise_on_attributes(early_end: EarlyEnd) -> str | None:
    """`config.attributes["connection"]`, which a program of the project's own sets."""
    failure = early_end.failure
    names = names_of("attribute", early_end.missing)
    is_named = any(re.search(rf"['\"]{re.escape(name)}['\"]", failure.message) for name in names)
    is_of_namespace = "'Namespace' object has no attribute" in failure.message
    if not is_named and not (names and "NoneType" in failure.message) and not is_of_namespace:
        return None
    lines = [
        "from alembic.config import Config",
        f'cfg = Config("{early_end.config_file}")',
    ]
    if is_of_namespace:
        match = re.search(r"no attribute '(\w+)'", failure.message)
        lines += [
            "import argparse",
            f"cfg.cmd_opts = argparse.Namespace(x=None, {match[1] if match else 'name'}=False)",
        ]
    for name in names:
        if name in ("connection", "connectable", "engine"):
            lines += [
                "from sqlalchemy import create_engine",
                'engine = create_engine("postgresql://gate@localhost/gate")',
                f'cfg.attributes["{name}"] = engine' + (".connect()" if name == "connection" else ""),
            ]
        else:
            lines.append(f'cfg.attributes["{name}"] = …  # what the project\'s own command sets')
    return (
        "A command of the project's own sets this before it calls Alembic. Do the same in a hook, which "
        "`migration-gate doctor --write-hook` drafts, for example "
        f"`ci/alembic_config.py`:\n\n{config_block(*dict.fromkeys(lines))}\n\nand name it in "
        f".migration-gate.yml:\n\n{config_block('hook: ci/alembic_config.py')}"
    )


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
