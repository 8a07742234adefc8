"""What a check looks for, from its own docstring, with its bad example and the report of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

from migration_gate import check
from migration_gate.check import Check
from migration_gate.config.errors import guess
from migration_gate.errors import Misconfigured
from migration_gate.verdict import judge

EXAMPLES = Path(__file__).parent / "checks" / "examples"
"""each check's bad example and report, where the sources are at hand"""
LONGEST = 60
"""lines of an example that are shown"""


def known() -> tuple[Check, ...]:
    """Every check, in report order, with the judge's own."""
    from migration_gate import checks  # noqa: PLC0415 - the list of checks is not needed to print help

    return (*checks.ALL, *judge.JUDGE_CHECKS)


def kinds() -> dict[str, tuple[str, ...]]:
    """Each check's name and its kinds; none for a check that has no kinds, or does not list them."""
    return {check.check_name(one): tuple(getattr(one, "KINDS", ())) for one in known()}


def first_sentence(one: Check) -> str:
    """The docstring's first line, on its own."""
    return (one.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")


def of_all(checks: Iterable[Check] | None = None) -> str:
    """The checks, one a line: severity, name, what it is about."""
    found = tuple(checks) if checks is not None else known()
    width = max((len(check.check_name(one)) for one in found), default=0)
    lines = []
    for one in found:
        start = f"{one.SEVERITY.value:<8} {check.check_name(one):<{width}}  "
        lines += textwrap.wrap(start + first_sentence(one), 80, subsequent_indent=" " * len(start)) or [start]
    return "\n".join([*lines, "", "`migration-gate explain CHECK` says more of one."])


def of_one(wanted: str) -> str:
    """All there is to say of a check; Misconfigured when there is no such check."""
    base = wanted.partition("/")[0].lower().replace("_", "-")
    one = next((each for each in known() if check.check_name(each) == base), None)
    if one is None:
        names = [check.check_name(each) for each in known()]
        raise Misconfigured(f"There is no check `{wanted}`.", where="explain", advice=guess(wanted, names))
    parts = [f"{base} ({one.SEVERITY.value})", textwrap.dedent(one.__doc__ or "").strip()]
    own = kinds()[base]
    if own:
        parts.append(f"Kinds, for `checks:` and `allow:`: {', '.join(f'{base}/{kind}' for kind in own)}.")
    folder = EXAMPLES / base
    parts += [f"{title}\n\n{textwrap.indent(text, '    ')}" for title, text in _examples(folder)]
    return "\n\n".join(parts)


def _examples(folder: Path) -> Iterable[tuple[str, str]]:
    if not folder.is_dir():
        return
    for file in sorted(
        each for each in (folder / "bad").rglob("*") if each.suffix in (".py", ".sql", ".sh", ".yml")
    ):
        yield f"Bad: {file.relative_to(folder / 'bad')}", _start(file)
    for file in sorted(folder.glob("report*.txt")):
        yield "The report of it:", _start(file)


def _start(file: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    return "\n".join([*lines[:LONGEST], "…"] if len(lines) > LONGEST else lines)
