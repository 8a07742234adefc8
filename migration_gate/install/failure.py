"""What to do about an installation that failed, from the installer's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migration_gate.errors import ProjectNotImported

SHOWN = 25
"""lines of the installer's in the message"""
COMMAND = (
    "Or take the installation into your own hands: `install: <command>`, or install before the gate runs "
    "and name the interpreter with `python:`."
)
ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"pg_config|libpq-fe\.h|psycopg2.*(build|wheel)",
        "psycopg2 is being built from source, which needs PostgreSQL's headers and a C compiler. Lock "
        "`psycopg2-binary` instead, or install them first (Debian: libpq-dev and gcc).",
    ),
    (
        r"401 Unauthorized|403 Forbidden|\b401\b|\b403\b|could not read Username|Authentication failed|"
        r"Permission denied \(publickey\)|terminal prompts disabled",
        "A package index or repository wants credentials. Pass them by the installer's own variables, in the "
        "step's `env:`: `UV_INDEX_<NAME>_USERNAME` and `UV_INDEX_<NAME>_PASSWORD`, or `PIP_INDEX_URL` with "
        "both in it; for git, `GIT_CONFIG_COUNT` and its like. Use a token that can only read: build scripts "
        "see it.",
    ),
    (
        r"[Hh]ash mismatch|do not match the (hashes|expected)|HASHES? (DO|DOES) NOT MATCH",
        "A file is not the one that was locked: it was published again, or the index is another one. "
        "Make the lock file again, and find out why before you trust it.",
    ),
    (
        r"requires-python|Requires-Python|does not satisfy Python|Python\s*[<>=!~]+\s*3|requires Python|"
        r"wheels? with (a matching Python|the following Python)",
        "The packages want another Python than the one that was taken. Set `python_version:`, or write a "
        "`.python-version` file.",
    ),
    (
        r"Python\.h|command '?\S*(gcc|cc|clang|g\+\+)'? failed|"
        r"(gcc|cc|g\+\+|cargo|rustc|cmake|make): (command )?not found|"
        r"error: command .* failed|Failed to build|fatal error: \S+\.h|[Cc]all to `.*build_wheel` failed|"
        r"build backend returned an error",
        "A package has no wheel for this Python and machine, and is built from source. Choose a Python that "
        "it has wheels for (`python_version:`), lock a version that has one, or install what it lacks. "
        "If the models do without it, leave it out: `without: [<package>]`.",
    ),
    (
        r"No solution found|was not found in the package registry|no version(s)? of|not found in the cache",
        "A package is not in the index that was asked. If it is a private one, name the index with "
        "`UV_INDEX=<name>=<url>` in the step's `env:`, or in `pyproject.toml`.",
    ),
    (
        r"dns error|error sending request|Could not connect|Connection (refused|reset)|timed out|"
        r"Name or service not known|Temporary failure in name resolution",
        "The package index could not be reached. Check the network, and the index's address.",
    ),
    (
        r"required-version|Required uv version|newer version of uv|unsupported.*lock|lockfile.*version",
        "The lock file was made by another version of uv than ours. Make it again, or install with your own.",
    ),
    (r"No space left on device|Disk quota", "The disk is full. Free some space, or name another `cache:`."),
    (
        r"[Gg]it (executable|operation)|git: not found|`git`",
        "A package comes from git, and git failed: look below.",
    ),
    (
        r"(group|extra)s?\b.* (not|isn't) (defined|found)|is not defined in|does not have an? extra",
        "A group or an extra is not the project's: mend `groups:` or `extras:`.",
    ),
)


def failed(title: str, where: str, lines: Sequence[str], status: int) -> ProjectNotImported:
    """The error for an installer that ended with `status`, with its last lines."""
    text = "\n".join(lines)
    advice = next((what for pattern, what in ADVICE if re.search(pattern, text)), "Look at its last lines.")
    return ProjectNotImported(
        f"The project's packages could not be installed: {title} ended with exit status {status}.",
        where=where,
        advice=f"{advice}\n{COMMAND}",
        evidence=_hidden("\n".join(_last(lines))),
    )


def _last(lines: Sequence[str]) -> list[str]:
    """The last lines; what the error begins with is kept where a long list follows it."""
    tail = list(lines[-SHOWN:])
    earlier = [each for each in lines[:-SHOWN] if re.match(r"\s*(error|cause|×|ERROR)\b", each)]
    return [*earlier[-2:], "…", *tail] if earlier else tail


def _hidden(text: str) -> str:
    """Without the passwords in URLs."""
    return re.sub(r"(://)[^/@\s]*@", r"\1***@", text)
