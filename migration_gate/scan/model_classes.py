"""Finds the mapped classes and Tables in the repository's text; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from migration_gate.facts import Location, ModelDefinition, ModelPart
from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.model_metadata import MetadataFinder, Root, find_class_value
from migration_gate.scan.model_parts import PartReader
from migration_gate.scan.module_index import ModuleIndex, ParsedModule, module_name
from migration_gate.scan.python_strings import constant_text, dotted_name, last_name
from migration_gate.scan.table_names import TableNames, find_class_function
from migration_gate.scan.text_evaluation import Scope

_SIGNS = (
    *(b"__tablename__", b"Table(", b"table=True", b"table = True", b".Model", b"mapped_column"),
    *(b"Mapped[", b"Column(", b"Sequence("),
)
"""signs of a module with models"""
_SKIPPED = frozenset({"skip_autogenerate", "is_view", "view"})
"""keys of `info` by which projects keep a table out of Alembic's comparison"""


@dataclass(frozen=True, slots=True)
class ModelText:
    """What the models' text defines."""

    definitions: tuple[ModelDefinition, ...] = ()
    sequences: tuple[ModelPart, ...] = ()
    """those that stand outside of a definition"""


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement of a module, and whether running the module runs it for sure."""

    node: ast.stmt
    is_conditional: bool


def mentions_model(data: bytes) -> bool:
    """A quick look before parsing."""
    return any(sign in data for sign in _SIGNS)


class ModelReader:
    """Reads the models of a repository."""

    def __init__(
        self, project: Path, python_files: Iterable[str], display_path: Callable[[str], str]
    ) -> None:
        """`python_files`: all files in which a name may be looked up, relative to the project's folder."""
        python_files = tuple(python_files)
        self._index = ModuleIndex(project, python_files)
        self._packages = {file.removesuffix("/__init__.py") for file in python_files}
        self._metadata = MetadataFinder(self._index)
        self._names = TableNames(self._index, self._metadata)
        self._display_path = display_path

    def read(self, sources: Mapping[str, bytes]) -> ModelText:
        """The definitions in these files (their bytes by path), in the order of files and lines."""
        definitions: list[ModelDefinition] = []
        sequences: list[ModelPart] = []
        for path, data in sources.items():
            try:
                module = self._index.parse_module(path, data)
                if module is not None:
                    own = sorted(self._read_module(module), key=lambda item: item.location.line or 0)
                    definitions += own
                    sequences += self._read_sequences(module, own)
            except RecursionError:  # a sum of thousands of strings
                continue
        return ModelText(tuple(definitions), tuple(sequences))

    def find_metadata(self, path: str, name: str) -> str:
        """The MetaData that a dotted name stands for in the module of that file; empty if unknown."""
        try:
            module = self._index.parse_module(path)
            return self._metadata.find_metadata_by_name(module, name) if module is not None else ""
        except RecursionError:
            return ""

    def _read_module(self, module: ParsedModule) -> Iterator[ModelDefinition]:
        """The mapped classes and Tables of a module."""
        indexes = list(_find_separate_indexes(module.tree))
        for statement in _walk_statements(module.tree.body, is_conditional=False):
            if isinstance(statement.node, ast.ClassDef):
                yield from self._read_class(module, statement.node, statement.is_conditional, indexes)
            else:
                yield from self._read_tables(module, statement, "")

    def _read_sequences(
        self, module: ParsedModule, definitions: Iterable[ModelDefinition]
    ) -> Iterator[ModelPart]:
        """The sequences of a module that no definition holds."""
        inside = {part.location for definition in definitions for part in definition.parts}
        reader = self._part_reader(module, Scope(module))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and last_name(node.func) == "Sequence" and node.args:
                part = reader.read_sequence(node)
                if part.name is not None and part.location not in inside:
                    yield part

    def _part_reader(self, module: ParsedModule, scope: Scope) -> PartReader:
        return PartReader(self._names.evaluator, self._display_path(module.path), scope)

    def _read_class(
        self, module: ParsedModule, class_: ast.ClassDef, is_conditional: bool, indexes: list[ast.Call]
    ) -> Iterator[ModelDefinition]:
        for statement in class_.body:
            if isinstance(statement, ast.Assign):
                yield from self._read_tables(module, _Statement(statement, is_conditional), class_.name)
        root = self._metadata.find_root(module, class_)
        table = self._names.find_table(module, class_)
        if root is None or table is None:
            return
        scope = Scope(module, class_, class_.name)
        arguments = self._find_table_arguments(module, class_)
        yield ModelDefinition(
            table=table.name or "",
            location=Location(self._display_path(module.path), class_.lineno),
            schema=self._find_schema(arguments, scope),
            class_name=class_.name,
            module=module_name(self._display_path(module.path)),
            is_below_package=self._is_below_package(module),
            metadata=root.metadata,
            parts=tuple(self._read_parts(module, class_, root, indexes)),
            is_conditional=is_conditional,
            is_skipped=_is_skipped(arguments),
        )

    def _is_below_package(self, module: ParsedModule) -> bool:
        folder, _, rest = module.path.partition("/")
        return bool(rest) and folder in self._packages and self._display_path(module.path) == module.path

    def _read_parts(
        self, module: ParsedModule, class_: ast.ClassDef, root: Root, indexes: list[ast.Call]
    ) -> Iterator[ModelPart]:
        is_sqlmodel = root.kind == "sqlmodel"
        own = self._part_reader(module, Scope(module, class_, class_.name))
        yield from own.read_class(class_, is_sqlmodel=is_sqlmodel)
        for index in indexes:
            if any(dotted_name(argument).partition(".")[0] == class_.name for argument in index.args[1:]):
                yield from own.read_constraints(index)
        hidden = {
            target.id
            for statement in class_.body
            for target in getattr(statement, "targets", [getattr(statement, "target", None)])
            if isinstance(target, ast.Name)
        }
        for mixin_module, mixin in self._names.list_mixins(module, class_):
            reader = self._part_reader(mixin_module, Scope(mixin_module, mixin, class_.name))
            for part in reader.read_class(mixin, is_sqlmodel=is_sqlmodel):
                if part.name not in hidden:
                    yield part

    def _find_table_arguments(self, module: ParsedModule, class_: ast.ClassDef) -> ast.expr | None:
        """The class's own `__table_args__`, or that of the nearest mixin."""
        for _, owner in ((module, class_), *self._names.list_mixins(module, class_)):
            value = find_class_value(owner, "__table_args__")
            if value is not None:
                return value
            function = find_class_function(owner, "__table_args__")
            if function is not None:
                returns = (node.value for node in ast.walk(function) if isinstance(node, ast.Return))
                return next(returns, None)
        return None

    def _find_schema(self, arguments: ast.expr | None, scope: Scope) -> str | None:
        for node in ast.walk(arguments) if arguments is not None else ():
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if key is not None and constant_text(key) == "schema":
                        return self._names.evaluator.evaluate(value, scope)
        return None

    def _read_tables(
        self, module: ParsedModule, statement: _Statement, class_name: str
    ) -> Iterator[ModelDefinition]:
        """Every `Table("name", metadata, ...)` in a statement."""
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call) and last_name(node.func) == "Table" and node.args:
                definition = self._build_table(module, node, class_name)
                if definition is not None:
                    variable = "" if class_name else _find_variable(statement.node)
                    yield replace(definition, variable=variable, is_conditional=statement.is_conditional)

    def _build_table(self, module: ParsedModule, call: ast.Call, class_name: str) -> ModelDefinition | None:
        scope = Scope(module)
        metadata = self._find_metadata_of_table(module, call, class_name)
        name = self._names.evaluator.evaluate(call.args[0], scope)
        if not metadata or not name:
            return None
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        return ModelDefinition(
            table=name,
            location=Location(self._display_path(module.path), call.lineno),
            schema=self._names.evaluator.evaluate(keywords.get("schema"), scope),
            class_name=class_name,
            module=module_name(self._display_path(module.path)),
            is_below_package=self._is_below_package(module),
            metadata=metadata,
            parts=tuple(self._part_reader(module, scope).read_table(call)),
            is_skipped=_is_skipped(keywords.get("info")),
        )

    def _find_metadata_of_table(self, module: ParsedModule, call: ast.Call, class_name: str) -> str:
        """The MetaData of a `Table(...)`; empty if it is none of SQLAlchemy's, or not known."""
        symbol = self._index.resolve(module.path, dotted_name(call.func))
        if symbol is None:
            return ""
        if symbol.path:  # `db.Table("name", ...)`, if `db` is Flask-SQLAlchemy's
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            return self._metadata.find_metadata(module, owner) if owner is not None else ""
        if not symbol.name.startswith("sqlalchemy.") or len(call.args) < 2:
            return ""
        class_ = module.classes.get(class_name)
        if class_ is not None and dotted_name(call.args[1]) == "metadata":
            return self._find_metadata_of_class(module, class_)
        return self._metadata.find_metadata(module, call.args[1])

    def _find_metadata_of_class(self, module: ParsedModule, class_: ast.ClassDef) -> str:
        """What `metadata` means in the class's own body; empty if it is not known."""
        root = self._metadata.find_root(module, class_)
        return root.metadata if root is not None else ""


def _walk_statements(body: Iterable[ast.stmt], *, is_conditional: bool) -> Iterator[_Statement]:
    """The classes of a module, those in classes too, and its other simple statements."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield _Statement(node, is_conditional)
            inner = [part for part in node.body if isinstance(part, ast.ClassDef)]
            yield from _walk_statements(inner, is_conditional=is_conditional)
        elif not _is_for_types(node):
            blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
            blocks += [handler.body for handler in getattr(node, "handlers", [])]
            for block in blocks:
                yield from _walk_statements(block, is_conditional=True)
            if not any(blocks):
                yield _Statement(node, is_conditional)


def _is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _find_variable(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


def _find_separate_indexes(tree: ast.Module) -> Iterator[ast.Call]:
    """Indexes that a module writes below its classes: `Index("ix", User.email)`."""
    for statement in tree.body:
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Call) and last_name(value.func) == "Index":
            yield value


def _is_skipped(arguments: ast.expr | None) -> bool:
    """Whether a key of `info` keeps the table out of the comparison."""
    for node in ast.walk(arguments) if arguments is not None else ():
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                is_true = isinstance(value, ast.Constant) and value.value is True
                if key is not None and constant_text(key) in _SKIPPED and is_true:
                    return True
    return False
