"""Parses a dotenv file. References in it see the variables of this process, but none that are secret."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from migration_gate.config.config_file import read_text
from migration_gate.config.gate_variables import is_private
from migration_gate.errors import Misconfigured

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def read_dotenv(file: Path, environ: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """The variables of one file; `${NAME}` and `${NAME:-default}` are filled in.

    A reference sees earlier variables of the file, then `known`, then `environ` without our secrets.
    Text in single quotes is not changed.
    """
    variables: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(read_text(file, file.name))):
        if binding.error:
            raise Misconfigured(
                f"`{binding.original.string.strip()[:60]}` is not a variable.",
                where=f"{file.name}:{binding.original.line}",
                advice="Write NAME=value, in quotes where the value holds spaces or #.",
            )
        if binding.key is None or binding.value is None:
            continue
        is_literal = re.search(r"=\s*'", binding.original.string) is not None
        if is_literal:
            variables[binding.key] = binding.value
        else:
            variables[binding.key] = _fill_references(binding.value, variables, known, environ)
    return variables


def _fill_references(
    text: str, earlier: Mapping[str, str], known: Mapping[str, str], environ: Mapping[str, str]
) -> str:
    def replacement(reference: re.Match[str]) -> str:
        name, default = reference[1], reference[2]
        visible = {} if is_private(name) else environ
        for variables in (earlier, known, visible):
            if variables.get(name):
                return variables[name]
        return default or ""

    return _REFERENCE.sub(replacement, text)
