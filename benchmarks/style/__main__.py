"""Measures how Python packages are written, from their syntax trees: `python -m benchmarks.style FOLDER...`.

One column a folder: names, branches, complexity and documentation. The numbers say where to look; they are
no target.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
BRANCHES = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.comprehension,
    ast.match_case,
)
IGNORED_FOLDERS = {"tests", "testing", "test", "examples", "resources", "templates", ".venv", "__pycache__"}
MOST_COMPLEX = 10
"""the limit that McCabe proposed in 1976 (ruff's C901 counts statements alone)"""


@dataclass
class Measurement:
    """What was counted in one package."""

    modules: int = 0
    modules_at_top: int = 0
    code_lines: int = 0
    """lines that are neither blank, nor comment, nor docstring"""
    docstring_lines: int = 0
    comment_lines: int = 0
    branches: int = 0
    functions: int = 0
    one_word_functions: int = 0
    complex_functions: int = 0
    file_names: Counter[str] = field(default_factory=Counter)

    def rows(self) -> dict[str, str]:
        """Label and value, as they are printed."""
        lines = self.code_lines + self.docstring_lines + self.comment_lines
        repeated = sum(1 for name, number in self.file_names.items() if number > 1 and name != "__init__.py")
        return {
            "modules": str(self.modules),
            "modules directly in the package": str(self.modules_at_top),
            "lines of code": str(self.code_lines),
            "functions": str(self.functions),
            "one-word function names": f"{100 * self.one_word_functions / max(self.functions, 1):.0f} %",
            "branches in 100 lines of code": f"{100 * self.branches / max(self.code_lines, 1):.1f}",
            f"functions of complexity over {MOST_COMPLEX}": str(self.complex_functions),
            "share of docstrings": f"{100 * self.docstring_lines / max(lines, 1):.1f} %",
            "share of comments": f"{100 * self.comment_lines / max(lines, 1):.1f} %",
            "file names used twice": str(repeated),
        }


def source_files(folder: Path) -> Iterator[Path]:
    """The package's own modules: no tests, no examples, no links to elsewhere."""
    for path in sorted(folder.rglob("*.py")):
        relative = path.relative_to(folder)
        if not path.is_symlink() and not IGNORED_FOLDERS & set(relative.parts):
            yield path


def count_branches(tree: ast.AST) -> int:
    """Decisions: statements and expressions that choose, loops, handlers, and each `and` or `or`."""
    number = 0
    for node in ast.walk(tree):
        if isinstance(node, BRANCHES):
            number += 1
        if isinstance(node, ast.comprehension):
            number += len(node.ifs)
        if isinstance(node, ast.BoolOp):
            number += len(node.values) - 1
    return number


def complexity_of(function: Function) -> int:
    """Independent paths: one more than its decisions, those in expressions and nested functions included."""
    return 1 + count_branches(function)


def is_one_word(name: str) -> bool:
    """`read` and `_plain`; not `read_file`, and not Python's own `__init__`."""
    return "_" not in name.strip("_") and name.strip("_").islower()


def count_docstring_lines(tree: ast.AST) -> int:
    """Lines of docstrings of modules, classes and functions, and of texts below attributes."""
    number = 0
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            number += (node.end_lineno or node.lineno) - node.lineno + 1
    return number


def count_comment_lines(text: str) -> int:
    """Lines that hold nothing but a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(
        1 for token in tokens if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    )


def measure_package(folder: Path) -> Measurement:
    """Count everything below `folder`."""
    measurement = Measurement()
    for path in source_files(folder):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        docstring_lines, comment_lines = count_docstring_lines(tree), count_comment_lines(text)
        filled_lines = sum(1 for line in text.splitlines() if line.strip())
        measurement.modules += 1
        measurement.modules_at_top += path.parent == folder
        measurement.file_names[path.name] += 1
        measurement.docstring_lines += docstring_lines
        measurement.comment_lines += comment_lines
        measurement.code_lines += filled_lines - docstring_lines - comment_lines
        measurement.branches += count_branches(tree)
        for node in ast.walk(tree):
            if isinstance(node, Function) and not node.name.startswith("__"):
                measurement.functions += 1
                measurement.one_word_functions += is_one_word(node.name)
                measurement.complex_functions += complexity_of(node) > MOST_COMPLEX
    return measurement


def main(folders: list[str]) -> None:
    """Print one column a folder; without one, this project's."""
    folders = folders or ["migration_gate"]
    columns = [(folder, measure_package(Path(folder)).rows()) for folder in folders]
    labels = list(columns[0][1])
    width = max(len(label) for label in labels)
    print(" " * width, *(f"{Path(folder).name:>16}" for folder, _ in columns))
    for label in labels:
        print(f"{label:<{width}}", *(f"{rows[label]:>16}" for _, rows in columns))


if __name__ == "__main__":
    main(sys.argv[1:])
