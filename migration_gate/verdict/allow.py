"""What the user accepts: entries of the configuration, and comments in revision and model files.

A comment reads `# migration-gate: allow nullable-owner -- imported rows have no owner`. It holds for what
was found on its own line, on the line below it, in the statement below it when that names the object, and,
above the first statement of a file, for the whole file. It needs a reason.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from migration_gate.check import Finding
from migration_gate.config.settings import Allowance

COMMENT = re.compile(r"(?:#|--)\s*migration-gate:\s*(?P<rest>.*)")
GRAMMAR = re.compile(r"allow\s+(?P<checks>[\w/ ,-]+?)\s*(?:(?:--|—|:)\s*(?P<reason>.*\S))?\s*$")
STATEMENT_LINES = 8
"""how far below a comment the object may be named"""
BESIDE_CODE = (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.STRING, tokenize.ENCODING)


@dataclass(frozen=True, slots=True)
class AllowComment:
    """One allowance in a file; `check` is empty and `wrong` says why where it cannot be read."""

    file: str
    line: int
    check: str = ""
    reason: str = ""
    whole_file: bool = False
    below: str = ""
    """the text of its own line and of the statement below it"""
    wrong: str = ""

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"

    def as_allowance(self) -> Allowance:
        """The comment as an entry of the configuration would say it."""
        return Allowance(check=self.check, reason=self.reason, where=self.where)


def matches_check(entry: str, check: str, kind: str | None) -> bool:
    """`entry`, written `check` or `check/kind`, means a finding of that check and kind."""
    wanted, _, part = entry.partition("/")
    return wanted == check and (not part or part == kind)


def allowance_covers(entry: Allowance, check: str, finding: Finding, today: date | None) -> bool:
    """An entry of the configuration covers the finding; one that has expired covers nothing."""
    if has_expired(entry, today):
        return False
    return matches_check(entry.check, check, finding.kind) and fnmatchcase(finding.object, entry.object)


def has_expired(entry: Allowance, today: date | None) -> bool:
    """Its last day is over. Without a date of today nothing expires."""
    return entry.until is not None and today is not None and today > entry.until


def comment_covers(comment: AllowComment, check: str, finding: Finding) -> bool:
    """A comment in the finding's file stands where it means this finding."""
    if finding.location is None or finding.location.file != comment.file:
        return False
    if comment.wrong or not matches_check(comment.check, check, finding.kind):
        return False
    if comment.whole_file or finding.location.line is None:
        return True
    object_ = re.split(r"[./]", finding.object)[-1]
    named = re.search(rf"(?<!\w){re.escape(object_)}(?!\w)", comment.below)
    return finding.location.line in {comment.line, comment.line + 1} or named is not None


def find_allow_comments(texts: Mapping[str, str]) -> tuple[AllowComment, ...]:
    """Every allowance in the files, by path and line."""
    return tuple(comment for path, text in texts.items() for comment in _read(path, text))


def _read(path: str, text: str) -> Iterator[AllowComment]:
    if "migration-gate:" not in text:
        return
    lines = text.splitlines()
    spoken, code_from = _tokens(text) if path.endswith((".py", ".pyi")) else (list(enumerate(lines, 1)), 1)
    for number, words in spoken:
        if not (match := COMMENT.search(words)):
            continue
        whole = number < code_from
        below = "\n".join(_statement(lines, number))
        if not (grammar := GRAMMAR.fullmatch(match["rest"])):
            says = f"`{match['rest'].strip()}` is not `allow <check> -- <reason>`"
            yield AllowComment(path, number, wrong=says)
        elif not grammar["reason"]:
            yield AllowComment(path, number, check=grammar["checks"], wrong="it gives no reason after `--`")
        else:
            for check in filter(None, re.split(r"[\s,]+", grammar["checks"])):
                yield AllowComment(path, number, check, grammar["reason"], whole, below)


def _statement(lines: list[str], number: int) -> Iterator[str]:
    """The comment's own code, and the statement below it when it stands alone on its line."""
    own, _, _ = lines[number - 1].partition("migration-gate:")
    yield own
    if own.strip(" \t#-"):
        return
    depth = 0
    for line in lines[number : number + STATEMENT_LINES]:
        bare = line.partition("#")[0]
        yield bare
        depth += sum(bare.count(c) for c in "([{") - sum(bare.count(c) for c in ")]}")
        if depth <= 0 and bare.strip():
            return


def _tokens(text: str) -> tuple[list[tuple[int, str]], float]:
    """The comments with their lines, and the line of the first statement that is no docstring."""
    found: list[tuple[int, str]] = []
    code_from = float("inf")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.append((token.start[0], token.string))
            elif token.type not in BESIDE_CODE:
                code_from = min(code_from, token.start[0])
    except (tokenize.TokenError, SyntaxError):
        # What could be read up to the broken line is all that there is.
        return found, code_from
    return found, code_from
