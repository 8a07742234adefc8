"""Variables from a dotenv file, without lending it ours."""

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
    Text in single quotes is left as it is.
    """
    found: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(read_text(file, file.name))):
        if binding.error:
            raise Misconfigured(
                f"`{binding.original.string.strip()[:60]}` is not a variable.",
                where=f"{file.name}:{binding.original.line}",
                advice="Write NAME=value, in quotes where the value holds spaces or #.",
            )
        if binding.key is None or binding.value is None:
            continue
        literal = re.search(r"=\s*'", binding.original.string) is not None
        found[binding.key] = binding.value if literal else _fill(binding.value, found, known, environ)
    return found


def _fill(text: str, *places: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        for place in places:
            if place.get(name) and not (place is places[-1] and is_private(name)):
                return place[name]
        return default or ""

    return _REFERENCE.sub(value, text)
