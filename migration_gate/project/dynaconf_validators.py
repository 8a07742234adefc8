"""The variables that fill the values which dynaconf's validators ask for, read from their text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.python_source import unparse_code
from migration_gate.project.variable_reads import VariableRead

SETTINGS_CLASSES = ("Dynaconf", "LazySettings", "FlaskDynaconf")
PREFIX_KEYWORDS = ("envvar_prefix", "ENVVAR_PREFIX_FOR_DYNACONF")
FILE_KEYWORDS = ("settings_files", "settings_file", "SETTINGS_FILE_FOR_DYNACONF", "preload", "includes")
DEFAULT_PREFIX = "DYNACONF"
MOST_BYTES = 100_000
"""of a file of settings that are read"""
SEARCHED_FOLDERS = 4
"""upwards from the module: what is further up is not the project's"""
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class DynaconfSettings:
    """What the project's settings objects say of all their values."""

    prefix: str
    """of the variables; '' for none"""
    file_words: frozenset[str]
    """the words of the files of settings, in lower case"""


def find_dynaconf_settings(modules: dict[Path, ast.Module]) -> DynaconfSettings | None:
    """The settings objects of these modules, as one; None if the project has none."""
    calls = [(file, call) for file, tree in modules.items() for call in _find_calls(tree, SETTINGS_CLASSES)]
    if not calls:
        return None
    keywords = [(file, keyword) for file, call in calls for keyword in call.keywords]
    prefixes = [keyword.value for _, keyword in keywords if keyword.arg in PREFIX_KEYWORDS]
    files = [
        found
        for file, keyword in keywords
        if keyword.arg in FILE_KEYWORDS
        for text in filter(None, _list_texts(keyword.value))
        for found in _find_files(file.parent, text)
    ]
    words = (word for file in files for word in WORD.findall(_read_file(file)))
    return DynaconfSettings(_read_prefix(prefixes), frozenset(words))


def find_validated_values(tree: ast.Module, settings: DynaconfSettings) -> Iterator[VariableRead]:
    """The variables for the values that the module's validators name."""
    for call in _find_calls(tree, ("Validator",)):
        for name in [text for argument in call.args for text in _list_texts(argument)]:
            variable = name.upper().replace(".", "__")
            is_in_file = name.lower().rpartition(".")[2] in settings.file_words
            yield VariableRead(
                f"{settings.prefix}_{variable}" if settings.prefix else variable,
                call.lineno,
                required=_must_exist(call) and not is_in_file,
            )


def _find_calls(tree: ast.Module, names: Sequence[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and unparse_code(node.func).rpartition(".")[2] in names:
            yield node


def _must_exist(call: ast.Call) -> bool:
    """Whether the validator wants a value in any case, and gives none itself."""
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    wants = [keywords.get(name) for name in ("must_exist", "required")]
    is_wanted = any(isinstance(value, ast.Constant) and value.value is True for value in wants)
    return is_wanted and "default" not in keywords and "when" not in keywords


def _read_prefix(values: Sequence[ast.expr]) -> str:
    for value in values:
        if isinstance(value, ast.Constant):
            return value.value if isinstance(value.value, str) else ""
    return DEFAULT_PREFIX


def _list_texts(node: ast.expr) -> list[str]:
    return [
        child.value
        for child in ast.walk(node)
        if isinstance(child, ast.Constant) and isinstance(child.value, str)
    ]


def _find_files(folder: Path, pattern: str) -> Iterator[Path]:
    """The files that dynaconf finds: in the folder and those above it, and in a folder `config` there."""
    if Path(pattern).is_absolute():
        yield Path(pattern)
        return
    for place in (folder, *folder.parents)[:SEARCHED_FOLDERS]:
        yield from (*place.glob(pattern), *(place / "config").glob(pattern))


def _read_file(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES).decode("utf-8", "replace").lower()
    except OSError:
        return ""
