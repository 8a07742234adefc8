"""Says what to do about an installation that failed, from what the installer printed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.errors import ProjectNotImported
from migration_gate.lazy_dataclass import dataclass

SHOWN_LINES = 25
"""of the installer's output, in the message"""
OTHER_WAYS = (
    "Or give a command of your own, `install: <command>`, or install the packages before the gate runs "
    "and name the interpreter with `python:`."
)


MISSING_VERSION = (
    r"\bonly (?:the following versions of )?(?P<name>[\w.-]+)(?:(?! we can conclude )[\s\S])*? available\b"
    r"(?:(?! we can conclude )[\s\S])*?\byou require (?P=name)(?![\w.-])"
)
"""uv of a version that the index lacks; a package that others require otherwise is not what it has only"""
PACKAGE_PATTERNS = (
    r"Failed to (?:build|download and build|prepare)[^\n`]*`(?P<name>[\w.-]+?)(?:==|`| @)",
    r"Failed building wheel for (?P<name>[\w.-]+)",
    r"Failed to build(?: installable wheels for)? (?P<name>[\w.-]+)",
    r"Because (?P<name>[\w.-]+) was not found in the package registry",
    r"No matching distribution found for (?P<name>[\w.-]+)",
    r"there (?:is|are) no versions? of (?P<name>[\w.-]+)",
    MISSING_VERSION,
)
"""how installers name the package that could not be built"""
PYTHON_RANGE = (
    r"(?:[Rr]equires-[Pp]ython|Python)\s*[:=]?\s*[\"'`]?"
    r"(?P<range>[<>=!~]+\s*3[\d.]*(?:\s*,\s*[<>=!~]+\s*\d[\d.]*)*)"
)
"""how they name the Pythons that a package runs on"""


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A failure that can be told from what the installer prints."""

    pattern: str
    advice: str


KNOWN_FAILURES = (
    KnownFailure(
        r"pg_config|libpq-fe\.h|psycopg2.*(build|wheel)",
        "psycopg2 is being built from source, which needs PostgreSQL's headers and a C compiler. Lock "
        "`psycopg2-binary` instead, or install them first (Debian: libpq-dev and gcc).",
    ),
    KnownFailure(
        # Never the number alone: a folder, a version or a size may hold it.
        r"\b40[13] (Unauthorized|Forbidden|Client Error|Error)\b|"
        r"([Ee]rror|[Ss]tatus|[Cc]ode|returned|HTTP)\b\W{1,3}(code\W{1,3})?40[13]\b|"
        r"could not read Username|Authentication failed|"
        r"Permission denied \(publickey\)|terminal prompts disabled",
        "A package index or repository asks for credentials. Pass them in the installer's own variables, in "
        "the step's `env:`: `UV_INDEX_<NAME>_USERNAME` and `UV_INDEX_<NAME>_PASSWORD`, or `PIP_INDEX_URL` "
        "with both in it; for git, `GIT_CONFIG_COUNT` and its like. Use a token that can only read: build "
        "scripts see it.",
    ),
    KnownFailure(
        r"[Hh]ash mismatch|do not match the (hashes|expected)|HASHES? (DO|DOES) NOT MATCH",
        "A file is not the one that was locked: it was published again, or the index is another one. "
        "Make the lock file again, and find out why before you trust it.",
    ),
    KnownFailure(
        r"requires-python|Requires-Python|does not satisfy Python|Python\s*[<>=!~]+\s*3|requires Python|"
        r"wheels? with (a matching Python|the following Python)",
        "The packages need another Python than the one that was taken. Set `python_version:`, or write a "
        "`.python-version` file.",
    ),
    KnownFailure(
        r"Python\.h|command '?\S*(gcc|cc|clang|g\+\+)'? failed|"
        r"(gcc|cc|g\+\+|cargo|rustc|cmake|make): (command )?not found|"
        r"error: command .* failed|Failed (to build|building)|fatal error: \S+\.h|"
        r"[Cc]all to `.*build_wheel` failed|build backend returned an error",
        "A package has no wheel for this Python and machine, and is built from source. Choose a Python that "
        "it has wheels for (`python_version:`), lock a version that has one, or install what it lacks. "
        "If the models do without it, leave it out: `without: [<package>]`.",
    ),
    KnownFailure(
        r"does not appear to be a Python project|Metadata field Name not found",
        "`pyproject.toml` has no `[build-system]`, and so the packages that it wants can be read by the tool "
        "alone that it was written for. Commit that tool's lock file (`poetry lock`, `pdm lock`, `uv lock`): "
        "the gate installs from it.",
    ),
    KnownFailure(
        r"was not found in the package registry|no version(s)? of|not found in the cache|"
        r"No matching distribution found|" + MISSING_VERSION,
        "A package is not in the index that was asked. If it is a private one, name the index with "
        "`UV_INDEX=<name>=<url>` in the step's `env:`, or in `pyproject.toml`. If the models do without it, "
        "leave it out: `without: [<package>]`.",
    ),
    KnownFailure(
        r"No solution found|ResolutionImpossible|requirements are unsatisfiable",
        "The requirements contradict each other: no versions fit all of them, and the installer says why. "
        "Correct one of them, or commit a lock file of versions that fit.",
    ),
    KnownFailure(
        r"dns error|error sending request|Could not connect|Connection (refused|reset)|timed out|"
        r"Name or service not known|Temporary failure in name resolution",
        "The package index could not be reached. Check the network, and the index's address.",
    ),
    KnownFailure(
        r"No space left on device|Disk quota", "The disk is full. Free some space, or name another `cache:`."
    ),
)


def explain_failure(title: str, where: str, lines: Sequence[str], status: int) -> ProjectNotImported:
    """The error for an installer that ended with `status`, with the last lines that it printed."""
    text = "\n".join(lines)
    known = next((failure for failure in KNOWN_FAILURES if re.search(failure.pattern, text)), None)
    advice = _fill_names(known.advice, text) if known else "Look at its last lines."
    return ProjectNotImported(
        f"The project's packages could not be installed: {title} ended with exit status {status}.",
        where=where,
        advice=f"{advice}\n{OTHER_WAYS}",
        evidence=_hide_passwords("\n".join(_select_lines(lines))),
    )


def _fill_names(advice: str, text: str) -> str:
    """The advice with the package and the Pythons that the installer names."""
    matches = (re.search(pattern, text) for pattern in PACKAGE_PATTERNS)
    package = next((match["name"] for match in matches if match is not None), None)
    if package is not None:
        advice = advice.replace("<package>", package)
    python = re.search(PYTHON_RANGE, text)
    if python is not None:
        advice = advice.replace("Set `python_version:`", f"Set `python_version:` to one of {python['range']}")
    return advice


def _select_lines(lines: Sequence[str]) -> list[str]:
    """The last lines; before them the lines that an error starts with, where a long list follows it."""
    last = list(lines[-SHOWN_LINES:])
    errors = [line for line in lines[:-SHOWN_LINES] if re.match(r"\s*(error|cause|×|ERROR)\b", line)]
    return [*errors[-2:], "…", *last] if errors else last


def _hide_passwords(text: str) -> str:
    """The text without the passwords in URLs."""
    return re.sub(r"(://)[^/@\s]*@", r"\1***@", text)
