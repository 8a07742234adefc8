"""The text of a Python file, with the places of its syntax tree, and the lines that a new text changes."""

from __future__ import annotations

import ast
import copy
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from migration_gate.facts import SourceEdit
from migration_gate.lazy_dataclass import dataclass
from migration_gate.python_parser import parse_module

_LINE_END = re.compile(r"\r\n|\r|\n")
"""as Python's tokenizer sees them; `splitlines` ends lines at more characters"""
_FILE = "migration-gate-edits"
"""the file name under which sources are parsed, so that warnings about them can be told apart"""
_NOT_DECODED = "\ufffd"
CONTEXT_LINES = 10
"""of the text on either side of an edit that it keeps"""


def _parse(text: str) -> ast.Module:
    # Old sources have invalid escapes. The filter is for this one name, so that it hides no other warning.
    warnings.filterwarnings("ignore", module=_FILE)
    return parse_module(text, f"{_FILE}.py")


def _parse_lines(text: str) -> list[ast.stmt]:
    """The statements on whole lines, which may be indented."""
    if text[:1] not in (" ", "\t"):
        return _parse(text).body
    match _parse(f"if True:\n{text}").body:
        case [ast.If(body=statements, orelse=[])]:
            return statements
        case _:
            raise ValueError("more than the indented lines")


def _first_line(statement: ast.stmt) -> int:
    """The line on which it begins, with its decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


@dataclass(frozen=True, slots=True)
class Replacement:
    """Characters of a text, and what stands there instead; counted from 0."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class ExpectedStatements:
    """What an edit is to make of one statement."""

    replaced: ast.stmt
    """the statement"""
    statements: tuple[ast.stmt, ...]
    """in its place"""


@dataclass(frozen=True, slots=True)
class StatementCopy:
    """A statement, a copy of it to be changed, and a node in the copy."""

    original: ast.stmt
    statement: ast.stmt
    node: ast.AST


class SourceText:
    """One file. Raises SyntaxError or ValueError if Python cannot parse it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.tree = _parse(text)
        self._line_starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    @cached_property
    def nodes_by_line(self) -> Mapping[int, Sequence[ast.expr | ast.stmt]]:
        """The expressions and statements that begin on each line."""
        nodes: dict[int, list[ast.expr | ast.stmt]] = defaultdict(list)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.expr | ast.stmt):
                nodes[node.lineno].append(node)
        return nodes

    @cached_property
    def _parents(self) -> Mapping[ast.AST, ast.AST]:
        """By node: what it is a part of."""
        return {node: parent for parent in ast.walk(self.tree) for node in ast.iter_child_nodes(parent)}

    def list_parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """What the node is a part of, the nearest first."""
        parent = self._parents.get(node)
        while parent is not None:
            yield parent
            parent = self._parents.get(parent)

    def start_of(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """The number of its first character."""
        return self._find_offset(node.lineno, node.col_offset)

    def end_of(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """The number of the character after its last one."""
        return self._find_offset(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def text_of(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        """What is written there."""
        return self.text[self.start_of(node) : self.end_of(node)]

    def indentation_of(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        """The white space at the begin of its first line."""
        line = self.text[self._line_starts[node.lineno - 1] :]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def rest_of_line(self, offset: int) -> str:
        """What follows a character on its line."""
        return _LINE_END.split(self.text[offset:], maxsplit=1)[0]

    def end_of_line(self, line: int) -> int:
        """The number of the character that ends a line, which is counted from 1."""
        return self._line_starts[line - 1] + len(self.rest_of_line(self._line_starts[line - 1]))

    def _find_offset(self, line: int, byte_column: int) -> int:
        """The syntax tree counts columns in bytes of UTF-8."""
        start = self._line_starts[line - 1]
        encoded = self.text[start : start + byte_column].encode("utf-8", "surrogatepass")
        return start + len(encoded[:byte_column].decode("utf-8", "surrogatepass"))

    def copy_statement(self, node: ast.expr) -> StatementCopy:
        """The innermost statement around a node that shares its lines with no other code.

        Raises ValueError if there is none.
        """
        around = (parent for parent in self.list_parents(node) if isinstance(parent, ast.stmt))
        original = next(filter(self._is_alone, around), None)
        if original is None:
            raise ValueError("other code on the lines of the statement")
        copies: dict[int, ast.AST] = {}
        statement = copy.deepcopy(original, copies)
        return StatementCopy(original, statement, copies[id(node)])

    def _is_alone(self, statement: ast.stmt) -> bool:
        """Whether white space and a comment are all that its lines have beside it."""
        first = _first_line(statement)
        before = self.text[self._line_starts[first - 1] : self.start_of(statement)]
        is_first = (
            first < statement.lineno or not before.strip()
        )  # (a decorator is the first, if there is one)
        return is_first and self.rest_of_line(self.end_of(statement)).strip()[:1] in ("", "#")

    def make_edit(
        self, replacement: Replacement, expected: ExpectedStatements, introduction: str
    ) -> SourceEdit | None:
        """The lines that change, if the new text is what was meant.

        None if it is not, if nothing changes, or if a line could not be decoded.
        """
        new_text = self.text[: replacement.start] + replacement.text + self.text[replacement.end :]
        if not self._is_expected(replacement, expected):
            return None
        edit = self._compare_lines(_LINE_END.split(self.text), _LINE_END.split(new_text), introduction)
        lines = (*edit.old_lines, *edit.new_lines)
        is_exact = edit.old_lines != edit.new_lines and not any(_NOT_DECODED in line for line in lines)
        return edit if is_exact else None

    def _is_expected(self, replacement: Replacement, expected: ExpectedStatements) -> bool:
        """Whether the lines of the statement, which must be its own, become the expected statements.

        All others keep their text, and so their meaning: a whole file need not be parsed again.
        """
        statement = expected.replaced
        first, last = _first_line(statement), statement.end_lineno or statement.lineno
        start, end = self._line_starts[first - 1], self.end_of_line(last)
        if not self._is_alone(statement) or not start <= replacement.start <= replacement.end <= end:
            return False
        text = self.text[start : replacement.start] + replacement.text + self.text[replacement.end : end]
        try:
            statements = _parse_lines(text)
        except (SyntaxError, ValueError):
            return False
        return list(map(ast.dump, statements)) == list(map(ast.dump, expected.statements))

    def _compare_lines(self, old: Sequence[str], new: Sequence[str], introduction: str) -> SourceEdit:
        """Without the lines that are the same at the begin and at the end; one old line is always left."""
        first = 0
        while first < min(len(old), len(new)) and old[first] == new[first]:
            first += 1
        last = 0
        while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
            last += 1
        if first == len(old) - last and first > 0:  # lines were only added: keep the line above them
            first -= 1
        end = len(old) - last
        return SourceEdit(
            self.file,
            first + 1,
            tuple(old[first:end]),
            tuple(new[first : len(new) - last]),
            introduction,
            lines_above=tuple(old[max(0, first - CONTEXT_LINES) : first]),
            lines_below=tuple(old[end : end + CONTEXT_LINES]),
        )
