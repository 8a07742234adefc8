"""What env.py lacks that a command line or a program of the project gives."""

from __future__ import annotations

import ast
import configparser
import re

from migration_gate.facts import Failure
from migration_gate.project import Project
from migration_gate.project.python_source import parse_source, unparse_code
from migration_gate.replay.argument_names import list_argument_names, list_keys_at_line
from migration_gate.replay.early_end import EarlyEnd
from migration_gate.replay.setting_advice import config_block, list_missing_names, quote_value
from migration_gate.replay.setting_uses import IsSource, depends_on, reads_attribute, reads_x_arguments

X_FLAG = re.compile(r"(?<![\w-])-x\b")
X_NAME = re.compile(r"(?<![\w-])-x[ =]?[\"']?([A-Za-z_]\w*)(?==)")
"""the name in `-x name=value`"""
X_VALUE = "VALUE"
REQUIRED_OPTIONS = re.compile(r"the following arguments are required: (.+)")
"""argparse's words"""
FLASK_FACTORY = re.compile(
    r"factory '(\w+)' in module '([\w.]+)',? (?:but )?could not (?:call it without arguments|be called with)"
)
FLASK_MODULE = re.compile(r"in module '([\w.]+)'")
SECTION_MISSING = re.compile(r"has no '\[.+\]' section|No section: ")
"""Alembic's words, and configparser's"""
LOGGING_SECTION = re.compile(
    r"(?:loggers|handlers|formatters|logger_\w+|handler_\w+|formatter_\w+|post_write_hooks)$"
)
X_READERS = re.compile(r"cmd_opts\.x\b|get_x_argument")
NAMESPACE_ATTRIBUTE = re.compile(r"'Namespace' object has no attribute(?: '(\w+)')?")
"""argparse's, in which the options of a command line are"""
ENGINE_ATTRIBUTES = {"connection": "engine.connect()", "connectable": "engine", "engine": "engine"}
"""names under which programs hand a connection over, and what the hook gives for each"""
NO_VALUE = re.compile(r"NoneType|\bNone\b|option values must be strings")
"""what is said of a None that was given on; last ConfigParser's words"""
UNKNOWN_VALUE = "…  # what the project's own command sets"
PRINTED_CHARACTERS = 2000


def advise_on_x_arguments(early_end: EarlyEnd) -> str | None:
    """What `alembic -x` gives, and env.py cannot do without."""
    text = early_end.failure.message + _read_last_output(early_end)
    is_about_x = bool(X_FLAG.search(text) or X_READERS.search(early_end.source_line))
    missing = list_missing_names("x", early_end.missing)
    refused = _advise_on_refused_value(early_end)
    if refused is not None:
        return refused
    if not is_about_x and not (missing and _depends_on(early_end, reads_x_arguments)):
        return None
    arguments = _list_arguments(early_end, missing, text)
    shown = ", ".join(arguments)
    return (
        f"env.py asks for an argument that `alembic -x` gives: {shown}. In .migration-gate.yml, with the "
        f"value that it expects,\n\n{config_block(f'x: [{shown}]')}"
    )


def _list_arguments(early_end: EarlyEnd, missing: list[str], text: str) -> list[str]:
    """Each as `name=VALUE`, by what was asked for, what argparse or a message says, or env.py's own text."""
    options = [name for match in REQUIRED_OPTIONS.findall(text) for name in match.split(", ")]
    if options:
        options = [option.partition("/")[0] for option in options]
        return [f"{option}={X_VALUE}" if option.startswith("-") else X_VALUE for option in options]
    # An argument that is asked for by its position has a number for a name.
    names = [name for name in missing if not name.lstrip("-").isdigit()] or X_NAME.findall(text)
    tree = early_end.tree
    if not names and early_end.is_in_env_py and tree is not None:
        names = list_argument_names(tree)
    return [f"{name}={X_VALUE}" for name in dict.fromkeys(names)] or [X_VALUE]


def _advise_on_refused_value(early_end: EarlyEnd) -> str | None:
    """A value of `x:` that env.py, or a mapping or section in which it looks, does not know."""
    for argument in early_end.x_arguments:
        name, _, value = argument.rpartition("=")
        if not value or not _is_refused(early_end.failure, name, value):
            continue
        known = _list_known_values(early_end)
        choice = f"one of those that env.py knows ({', '.join(known)})" if known else "one that env.py knows"
        example = f"{name}={known[0]}" if name and known else f"{name}={X_VALUE}" if name else X_VALUE
        return (
            f"`{value}` is the value of `{name or argument}` in `x:`, and not one that env.py knows. Write "
            f"{choice}: in .migration-gate.yml,\n\n{config_block(f'x: [{example}]')}"
        )
    return None


def _is_refused(failure: Failure, name: str, value: str) -> bool:
    """Whether the error is about this value, and does not merely have the word in it, as a path or a table.

    The example that the gate itself gives for an unknown value is known nowhere.
    """
    word = rf"(?<![\w./-]){re.escape(value)}(?![\w/-]|\.\w)"
    if value == X_VALUE:
        return re.search(rf"(?<!\w){X_VALUE}(?!\w)", failure.message) is not None
    if failure.sqlstate is not None:
        return False
    if re.search(rf"['\"`\[]{re.escape(value)}['\"`\]]", failure.message):
        return True
    is_named = bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", failure.message) is not None
    return failure.is_deliberate and is_named and re.search(word, failure.message) is not None


def _list_known_values(early_end: EarlyEnd) -> list[str]:
    """The keys of the dict in which the failed line looks, or the sections of the configuration."""
    location = early_end.failure.location
    if SECTION_MISSING.search(early_end.failure.message):
        return _list_sections(early_end.project)
    tree = early_end.tree
    if location is None or location.line is None or tree is None:
        return []
    return list_keys_at_line(tree, location.line)


def _list_sections(project: Project) -> list[str]:
    if project.config is None or project.kind != "ini":
        return []
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(project.config, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return []
    return [name for name in parser.sections() if name != project.section and not LOGGING_SECTION.match(name)]


def _read_last_output(early_end: EarlyEnd) -> str:
    """What the project printed, if it ended the program itself."""
    if early_end.failure.exception_class != "SystemExit":
        return ""
    return early_end.output[-PRINTED_CHARACTERS:]


def advise_on_flask(early_end: EarlyEnd) -> str | None:
    """An application that Flask cannot make from its name alone."""
    message = early_end.failure.message
    if early_end.failure.exception_class != "NoAppException":
        return None
    factory = FLASK_FACTORY.search(message)
    if factory is not None:
        application = f"{factory[2]}:{factory[1]}('{X_VALUE}')"
        return (
            f"The factory `{factory[1]}` of the application wants arguments. Name it with those that "
            "production gives it: in .migration-gate.yml,\n\n"
            f"{config_block(f'flask_app: {quote_value(application)}')}"
        )
    module = FLASK_MODULE.search(message)
    if module is None:
        return None
    return (
        "Flask finds no application by this name. Name the variable or the function that makes it: in "
        f".migration-gate.yml,\n\n{config_block(f'flask_app: {module[1]}:NAME')}"
    )


def advise_on_attributes(early_end: EarlyEnd) -> str | None:
    """`config.attributes["connection"]` or `config.settings`, which a program of the project's own sets."""
    message = early_end.failure.message
    names = _list_wanted_attributes(early_end)
    namespace = NAMESPACE_ATTRIBUTE.search(message)
    unfilled = _advise_on_unfilled_hook(early_end)
    if unfilled is not None:
        return unfilled
    own_names = _list_own_attributes(early_end)
    if not names and namespace is None and not own_names:
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


def _advise_on_unfilled_hook(early_end: EarlyEnd) -> str | None:
    """A drafted hook in which a gap was left: the None that stands there is what env.py failed over."""
    hook = early_end.project.hook
    tree = parse_source(hook) if hook is not None else None
    if hook is None or tree is None or not NO_VALUE.search(early_end.failure.message):
        return None
    gaps = [gap for node in tree.body if isinstance(node, ast.Assign) for gap in _list_gaps(node)]
    if not gaps:
        return None
    shown = ", ".join(f"`{code}` (line {line})" for code, line in gaps)
    path = hook.relative_to(early_end.project.root) if hook.is_relative_to(early_end.project.root) else hook
    return (
        f"The hook `{path}` still gives None for {shown}. Fill in what the project's own command passes "
        "there; where that is an object, any that has the attributes that env.py reads will do."
    )


def _list_gaps(assignment: ast.Assign) -> list[tuple[str, int]]:
    """What a draft left None, and its line: `cfg.name = None`, or a keyword of what it is set to."""
    target = unparse_code(assignment.targets[0])
    values = {target: assignment.value}
    if isinstance(assignment.value, ast.Call):
        values = {f"{target}.{keyword.arg}": keyword.value for keyword in assignment.value.keywords}
    return [
        (name, value.lineno)
        for name, value in values.items()
        if _is_none(value.body if isinstance(value, ast.Lambda) else value)
    ]


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _list_wanted_attributes(early_end: EarlyEnd) -> list[str]:
    """Those that were asked for in vain and that the error is about: many an env.py does without."""
    failure = early_end.failure
    depends_on_value = failure.is_deliberate or bool(NO_VALUE.search(failure.message))
    return [
        name
        for name in list_missing_names("attribute", early_end.missing)
        if re.search(rf"['\"]{re.escape(name)}['\"]", failure.message)
        or (depends_on_value and _depends_on(early_end, reads_attribute(name)))
    ]


def _depends_on(early_end: EarlyEnd, is_source: IsSource) -> bool:
    """Whether a line of the project's that the error went through depends on a setting."""
    own_frames = ((file, line) for file, line in early_end.frames if "/site-packages/" not in file)
    trees = ((early_end.parse_file(file), line) for file, line in own_frames)
    return any(tree is not None and depends_on(tree, line, is_source) for tree, line in trees)


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
