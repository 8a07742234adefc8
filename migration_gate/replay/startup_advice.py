"""What to do about a failure before the first revision: one next step that works.

`ADVICE` is the table; each function gives the advice for one kind of failure, or None for another kind.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

from migration_gate.facts import Failure
from migration_gate.project.env_files import find_env_file
from migration_gate.replay import argument_advice, database_advice, machine_advice
from migration_gate.replay.crash_report import INTERPRETER_ENDED
from migration_gate.replay.early_end import EarlyEnd
from migration_gate.replay.setting_advice import (
    config_block,
    env_block,
    list_lacking_variables,
    list_mere_guesses,
    list_places,
    list_shown,
    quote_value,
)
from migration_gate.wording import TO_FILL_IN

SHOWN_HEADS = 5
PYTHON = "{python}"
"""stands for the path of the project's interpreter"""
SETTING_ADVICE = (
    "If it wants a setting, give it any value under `env:` in .migration-gate.yml, or name an `env_file:`."
)
EXCEPTION_ADVICE = {
    "ModuleNotFoundError": f"Install what is missing for {PYTHON}, name another interpreter with `python:`, "
    "or put the folder that holds the module on the path: `working_directory:`, or `env: {PYTHONPATH: …}`.",
    "ImportError": f"What is installed for {PYTHON} does not fit the project's code. Install it again, from "
    "the lock file where there is one, with the extras and groups that it needs.",
    "AssertionError": SETTING_ADVICE,
    "KeyError": SETTING_ADVICE,
    "ValidationError": SETTING_ADVICE,
    "RuntimeError": SETTING_ADVICE,
    "ValueError": SETTING_ADVICE,
    "SystemExit": "Something that env.py imports ends the program. The frames show where.",
}
"""by the class of the exception"""
GENERAL_ADVICE = (
    "Look at the frames. `migration-gate doctor` shows what was found and how the project is run."
)
ROOT_ADVICE = (
    "The project's code does not run as root, but as the owner of its folder or, where root owns it, as an "
    "account without privileges. Give the folder to another user (`chown -R 1000 .`), make what the code "
    "writes to beforehand, or send it elsewhere with a variable under `env:`."
)


def advise(early_end: EarlyEnd) -> str:
    """What to do: the advice of the first kind that the failure is of, or a general one."""
    for give_advice in ADVICE:
        advice = give_advice(early_end)
        if advice is not None:
            return advice
    return GENERAL_ADVICE


def _advise_on_modules(early_end: EarlyEnd) -> str | None:
    advice = EXCEPTION_ADVICE.get(early_end.failure.exception_class)
    if advice is None or not early_end.failure.exception_class.endswith(("NotFoundError", "ImportError")):
        return None
    return advice.replace(PYTHON, str(early_end.project.python))


def _advise_on_heads(early_end: EarlyEnd) -> str | None:
    message = early_end.failure.message
    if (
        re.search(r"(?<!\w)['\"]?heads['\"]?$", message)
        and early_end.failure.exception_class != "CommandError"
    ):
        return (
            "The project's own code asks which revision is wanted (`cmd_opts.revision`), and does not know "
            "`heads`. Name one that it knows: in .migration-gate.yml,\n\n"
            f"{config_block('target: BRANCH@head')}"
        )
    if not re.search(r"[Mm]ultiple head|more than one head|MultipleHeads", message):
        return None
    heads = early_end.heads
    shown = ", ".join(heads[:SHOWN_HEADS]) + (
        f" and {len(heads) - SHOWN_HEADS} more" if len(heads) > SHOWN_HEADS else ""
    )
    target = heads[0] if heads else "REVISION"
    several = f"The history has several heads{f' ({shown})' if shown else ''}"
    if "script directory has" in message:
        merged = heads if len(heads) <= SHOWN_HEADS else ("heads",)
        merge = shlex.join(["alembic", "merge", "-m", "merge heads", *merged])
        return f"{several}, and the project's own code asks for the one head. Merge them: `{merge}`."
    return (
        f"{several}. Name the one that production upgrades to: in .migration-gate.yml,\n\n"
        f"{config_block(f'target: {quote_value(target)}')}\n\nor `target: heads` for all."
    )


def _advise_on_settings(early_end: EarlyEnd) -> str | None:
    variables = list_lacking_variables(early_end.supplied, early_end.missing)
    guesses = [name for name in list_mere_guesses(early_end.missing) if name not in variables]
    is_of_setting = early_end.failure.exception_class in EXCEPTION_ADVICE or early_end.supplied
    if not (is_of_setting or _names_any(early_end.failure, variables)):
        return None
    if not variables:
        return f"{_describe_guesses(guesses)} {SETTING_ADVICE}" if guesses else None
    dummies = " Dummy values did not do." if early_end.supplied else ""
    if "" in variables.values():
        dummies = f" No dummy value did for those with `{TO_FILL_IN}`."
    needed = [name for name, value in variables.items() if not value] or [*variables]
    file = _find_env_file(early_end, needed)
    if file is not None:
        block = config_block(f"env_file: {quote_value(str(file))}")
        return (
            f"The project asks for settings that are not set, and `{file}` has values for "
            f"{list_shown(needed)}: in .migration-gate.yml,\n\n{block}"
        )
    return (
        f"The project asks for settings that are not set.{dummies} Give them in .migration-gate.yml, or name "
        f"an `env_file:`; any value of the right form will do, since every connection is redirected:\n\n"
        f"{env_block(variables, list_places(early_end.supplied, early_end.missing))}"
        + (f"\n\n{_describe_guesses(guesses)}" if guesses else "")
    )


def _find_env_file(early_end: EarlyEnd, names: list[str]) -> Path | None:
    """Relative to the top of the repository."""
    root = early_end.project.root
    file = find_env_file(root, early_end.project.directory, names)
    return file.relative_to(root) if file is not None and file.is_relative_to(root) else file


def _describe_guesses(names: list[str]) -> str:
    had_values = "it had a dummy value" if len(names) == 1 else "they had dummy values"
    return f"The project also asks for {list_shown(names)}, and came no further when {had_values}."


def _names_any(failure: Failure, names: Iterable[str]) -> bool:
    return any(name in failure.message for name in names)


def _advise_on_crash(early_end: EarlyEnd) -> str | None:
    failure = early_end.failure
    if failure.exception_class == INTERPRETER_ENDED:
        return f"{failure.hint} What it printed last may say which."
    if failure.exception_class == "PermissionError" and os.geteuid() == 0:
        return ROOT_ADVICE
    return None


def _advise_on_logging(early_end: EarlyEnd) -> str | None:
    """`fileConfig` reads sections of its own, which not every configuration has."""
    missing = re.search(r"'(loggers|handlers|formatters)'", early_end.failure.message)
    if missing is None or "fileConfig(" not in early_end.source_line:
        return None
    return (
        f"`fileConfig` reads the logging setup from {early_end.config_file}, which has no section "
        f"[{missing[1]}]: add the sections that `alembic init` writes ([loggers], [handlers], [formatters], "
        "and those that they name), or delete the call from env.py."
    )


def _advise_on_class(early_end: EarlyEnd) -> str | None:
    return EXCEPTION_ADVICE.get(early_end.failure.exception_class)


ADVICE: tuple[Callable[[EarlyEnd], str | None], ...] = (
    argument_advice.advise_on_x_arguments,
    argument_advice.advise_on_flask,
    argument_advice.advise_on_attributes,
    argument_advice.advise_on_interpolation,
    machine_advice.advise_on_libraries,
    machine_advice.advise_on_drivers,
    _advise_on_modules,
    _advise_on_heads,
    database_advice.advise_on_dialect,
    database_advice.advise_on_extensions,
    database_advice.advise_on_roles,
    database_advice.advise_on_schemas,
    database_advice.advise_on_search_path,
    database_advice.advise_on_rights,
    database_advice.advise_on_reflection,
    database_advice.advise_on_empty_database,
    machine_advice.advise_on_network,
    database_advice.advise_on_tried_database,
    _advise_on_crash,
    _advise_on_logging,
    machine_advice.advise_on_files,
    _advise_on_settings,
    _advise_on_class,
)
"""the kinds, in this order"""
