"""Which findings the user allows: by entries of the configuration, and by comments in files.

A comment reads `# migration-gate: allow nullable-owner -- imported rows have no owner`, and needs a reason.
It covers findings on its own line and on the line below, and findings about an object that the statement
below names. Above the first statement of a file it covers the whole file. A finding may have several lines,
in a revision and in a model: a comment at any of them will do.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from migration_gate.check import Finding
from migration_gate.config.settings import Allowance
from migration_gate.lazy_dataclass import dataclass

MARK = "migration-gate:"
COMMENT = re.compile(r"(?:#|--)\s*migration-gate:\s*(?P<rest>.*)")
GRAMMAR = re.compile(r"allow\s+(?P<checks>[\w/ ,-]+?)\s*(?:(?:--|—|:)\s*(?P<reason>.*\S))?\s*$")
LINE_END = re.compile(r"\r\n?")
"""beside a line feed; `splitlines` ends lines where Python and Postgres do not, as at a form feed"""
MAX_STATEMENT_LINES = 8
"""lines below a comment in which the object may be named"""
PYTHON_SUFFIXES = (".py", ".pyi")
TOKENS_BEFORE_CODE = (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.STRING, tokenize.ENCODING)


@dataclass(frozen=True, slots=True)
class AllowComment:
    """A comment that allows findings of one check; if it cannot be read, `fault` says why."""

    file: str
    line: int
    check: str = ""
    """`check` or `check/kind`"""
    reason: str = ""
    covers_file: bool = False
    """it stands above the first statement"""
    code: str = ""
    """the code on its own line and the statement below it"""
    fault: str = ""

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"

    def as_allowance(self) -> Allowance:
        """The comment as an entry of the configuration."""
        return Allowance(check=self.check, reason=self.reason, where=self.where)


@dataclass(frozen=True, slots=True)
class FileComments:
    """The comments of a file."""

    text_by_line: Mapping[int, str]
    first_statement: float
    """its line number, infinite if there is none; a docstring does not count"""


def matches_check(entry: str, check: str, kind: str | None) -> bool:
    """Whether an entry, written `check` or `check/kind`, names a finding of this check and kind."""
    entry_check, _, entry_kind = entry.partition("/")
    return entry_check == check and (not entry_kind or entry_kind == kind)


def allowance_covers(entry: Allowance, check: str, finding: Finding, today: date | None) -> bool:
    """Whether an entry of the configuration allows the finding; one that has expired allows nothing."""
    return (
        not has_expired(entry, today)
        and matches_check(entry.check, check, finding.kind)
        and fnmatchcase(finding.object, entry.object)
    )


def has_expired(entry: Allowance, today: date | None) -> bool:
    """Whether the last day of an entry is over. Without a date of today no entry expires."""
    return entry.until is not None and today is not None and today > entry.until


def comment_covers(comment: AllowComment, check: str, finding: Finding) -> bool:
    """Whether a comment in a file of the finding allows the finding."""
    if comment.fault or not matches_check(comment.check, check, finding.kind):
        return False
    locations = [location for location in finding.locations if location.file == comment.file]
    if not locations:
        return False
    if comment.covers_file or _names_object(comment.code, finding.object):
        return True
    return any(location.line in (None, comment.line, comment.line + 1) for location in locations)


def _names_object(code: str, object_name: str) -> bool:
    """Whether the last part of a name, such as `owner_id` of `media.owner_id`, is a word of the code."""
    last_part = re.split(r"[./]", object_name)[-1]
    return re.search(rf"(?<!\w){re.escape(last_part)}(?!\w)", code) is not None


def find_allow_comments(texts: Mapping[str, str]) -> tuple[AllowComment, ...]:
    """Every comment of ours in these files (text by path), in the order of files and lines."""
    return tuple(comment for path, text in texts.items() for comment in _find_in_file(path, text))


def _find_in_file(path: str, text: str) -> Iterator[AllowComment]:
    if MARK not in text:
        return
    text = LINE_END.sub("\n", text)
    lines = text.split("\n")
    file_comments = _python_comments(text) if path.endswith(PYTHON_SUFFIXES) else _all_lines(lines)
    for number, comment_text in file_comments.text_by_line.items():
        if match := COMMENT.search(comment_text):
            covers_file = number < file_comments.first_statement
            code = "\n".join(_code_of_comment(lines, number))
            comment = AllowComment(path, number, covers_file=covers_file, code=code)
            yield from _parse_comment(match["rest"], comment)


def _parse_comment(text: str, comment: AllowComment) -> Iterator[AllowComment]:
    """`comment` once for each check that `text` names, or once with a fault."""
    match = GRAMMAR.fullmatch(text)
    if not match:
        fault = f"`{text.strip()}` is not `allow <check> -- <reason>`"
        yield AllowComment(comment.file, comment.line, fault=fault)
    elif not match["reason"]:
        fault = "it gives no reason after `--`"
        yield AllowComment(comment.file, comment.line, match["checks"], fault=fault)
    else:
        for check in filter(None, re.split(r"[\s,]+", match["checks"])):
            yield replace(comment, check=check, reason=match["reason"])


def _code_of_comment(lines: Sequence[str], number: int) -> Iterator[str]:
    """The code before the comment on its line; if there is none, the statement below."""
    code, _, _ = lines[number - 1].partition(MARK)
    yield code
    if code.strip(" \t#-"):
        return
    open_brackets = 0
    for line in lines[number : number + MAX_STATEMENT_LINES]:
        code = line.partition("#")[0]
        yield code
        open_brackets += _count_characters(code, "([{") - _count_characters(code, ")]}")
        if open_brackets <= 0 and code.strip():
            return


def _count_characters(text: str, characters: str) -> int:
    return sum(text.count(character) for character in characters)


def _all_lines(lines: Sequence[str]) -> FileComments:
    """Each line of a file that is not Python: a comment may be anywhere, and covers no whole file."""
    return FileComments(dict(enumerate(lines, 1)), first_statement=1)


def _python_comments(text: str) -> FileComments:
    """The comments of a Python file; after a syntax error those before it."""
    comments: dict[int, str] = {}
    first_statement = float("inf")
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                comments[token.start[0]] = token.string
            elif token.type not in TOKENS_BEFORE_CODE:
                first_statement = min(first_statement, token.start[0])
    return FileComments(comments, first_statement)
