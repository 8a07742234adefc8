"""Which MetaData a mapped class or a Table belongs to, by the base class or variable that holds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal

from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.module_index import ModuleIndex, ParsedModule, Symbol, module_name
from migration_gate.scan.python_strings import constant_text, dotted_name, last_name

RootKind = Literal["declarative", "flask", "sqlmodel", "unknown"]
_DECLARATIVE_CLASSES = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta", "DeclarativeMeta"})
_BASE_FACTORIES = frozenset({"declarative_base", "automap_base", "generate_base", "SQLAlchemy", "registry"})
_DECORATORS = frozenset({"mapped", "mapped_as_dataclass"})
_NO_BASES = frozenset(
    {"sqlalchemy", "typing", "typing_extensions", "abc", "enum", "pydantic", "dataclasses", "builtins"}
)
"""packages whose classes hold no MetaData of the project's; SQLAlchemy's declarative bases aside"""


@dataclass(frozen=True, slots=True)
class Root:
    """The MetaData of a class."""

    metadata: str
    """`app.base:Base`; a bind key of Flask-SQLAlchemy's follows `#`"""
    kind: RootKind


class MetadataFinder:
    """Follows the bases of classes to the MetaData that they share."""

    def __init__(self, index: ModuleIndex) -> None:
        self._index = index
        self._roots: dict[tuple[str, str], Root | None] = {}

    def find_root(self, module: ParsedModule, class_: ast.ClassDef) -> Root | None:
        """The MetaData of a class; None for a mixin, and for a class that is not mapped."""
        key = (module.path, class_.name)
        if key not in self._roots:
            self._roots[key] = None  # a class that inherits from itself has none
            self._roots[key] = self._find_root(module, class_)
        return self._roots[key]

    def is_base(self, module: ParsedModule, class_: ast.ClassDef) -> bool:
        """Whether the class is itself a declarative base, which has no table."""
        bases = (*class_.bases, *(keyword.value for keyword in class_.keywords))
        symbols = [self._index.resolve(module.path, dotted_name(base)) for base in bases]
        if any(symbol and not symbol.path and _is_declarative(symbol) for symbol in symbols):
            return True
        return any(
            last_name(_find_callee(decorator)) == "as_declarative" for decorator in class_.decorator_list
        )

    def find_metadata(self, module: ParsedModule, value: ast.expr) -> str:
        """The MetaData that an expression stands for: `metadata`, `Base.metadata`; empty if unknown."""
        return self.find_metadata_by_name(module, dotted_name(value)) if _is_name(value) else ""

    def find_metadata_by_name(self, module: ParsedModule, name: str) -> str:
        """The same for the dotted name of the expression."""
        symbol = self._index.resolve(module.path, name)
        if symbol is None:
            return ""
        if symbol.path:
            return self._find_held(symbol)
        owner = symbol.name.removesuffix(".metadata")
        return _external_name(owner)

    def find_parents(
        self, module: ParsedModule, class_: ast.ClassDef
    ) -> Iterator[tuple[ParsedModule, ast.ClassDef]]:
        """The base classes that the repository defines, with their modules."""
        for base in class_.bases:
            symbol = self._index.resolve(module.path, dotted_name(base))
            if symbol is None or not symbol.path or symbol.attributes:
                continue
            parent_module = self._index.parse_module(symbol.path)
            parent = parent_module.classes.get(symbol.name) if parent_module is not None else None
            if parent_module is not None and parent is not None and parent is not class_:
                yield parent_module, parent

    def _find_root(self, module: ParsedModule, class_: ast.ClassDef) -> Root | None:
        own = Root(_own_name(module, class_.name), "declarative")
        for decorator in class_.decorator_list:
            root = self._read_decorator(module, decorator, own)
            if root is not None:
                return root
        held = self._find_held_by_body(module, class_, own)
        if held is not None:
            return held
        return self._find_inherited(module, class_, own)

    def _read_decorator(self, module: ParsedModule, decorator: ast.expr, own: Root) -> Root | None:
        """`@registry.mapped`, `@as_declarative(metadata=...)`."""
        callee = _find_callee(decorator)
        if last_name(callee) == "as_declarative":
            return self._of_call(module, decorator, own)
        if last_name(callee) in _DECORATORS and isinstance(callee, ast.Attribute):
            metadata = self.find_metadata(module, callee.value)
            return Root(metadata, "declarative") if metadata else None
        return None

    def _find_held_by_body(self, module: ParsedModule, class_: ast.ClassDef, own: Root) -> Root | None:
        """A `metadata` or `registry` in the class's own body, if its bases make it one that is mapped."""
        for name in ("metadata", "registry"):
            value = find_class_value(class_, name)
            if value is None:
                continue
            inherited = self._find_inherited(module, class_, own)
            if inherited is None:
                return None
            metadata = self._read_holder(module, value)
            return Root(metadata or own.metadata, inherited.kind)
        return None

    def _read_holder(self, module: ParsedModule, value: ast.expr) -> str:
        """The MetaData of an expression that is a name, or `registry(metadata=name)`."""
        if isinstance(value, ast.Call):
            keyword = _find_keyword(value.keywords, "metadata")
            return self.find_metadata(module, keyword) if keyword is not None else ""
        return self.find_metadata(module, value)

    def _find_inherited(self, module: ParsedModule, class_: ast.ClassDef, own: Root) -> Root | None:
        """The root of the first base that has one; that of an installed class only if no other has."""
        installed: Root | None = None
        metaclass = _find_keyword(class_.keywords, "metaclass")
        # A base from an installed package may hold a MetaData of its own, or be a mixin: only running it
        # could tell.
        for base in (*class_.bases, *([metaclass] if metaclass is not None else ())):
            symbol = self._index.resolve(module.path, dotted_name(base))
            root = self._find_root_of_base(symbol, own) if symbol is not None else None
            if root is not None and root.kind != "unknown":
                return _with_bind_key(root, class_)
            installed = root or installed
        return _with_bind_key(installed, class_) if installed is not None else None

    def _find_root_of_base(self, symbol: Symbol, own: Root) -> Root | None:
        if not symbol.path:
            return _installed_root(symbol, own)
        module = self._index.parse_module(symbol.path)
        if module is None:
            return None
        if symbol.name in module.classes and not symbol.attributes:
            return self.find_root(module, module.classes[symbol.name])
        if symbol.name not in module.values:
            return None
        kind: RootKind = "unknown"
        if symbol.attributes[-1:] == ("Model",):
            kind = "flask"
        elif last_name(_find_callee(module.values[symbol.name])) in _BASE_FACTORIES:
            kind = "declarative"
        return Root(self._find_held(symbol), kind)

    def _find_held(self, symbol: Symbol) -> str:
        """The MetaData that a class or variable of the repository holds, or is."""
        module = self._index.parse_module(symbol.path)
        if module is None:
            return ""
        if symbol.name in module.classes:
            root = self.find_root(module, module.classes[symbol.name])
            return root.metadata if root is not None else ""
        value = module.values.get(symbol.name)
        if value is None:
            return ""
        own = Root(_own_name(module, symbol.name), "declarative")
        return self._of_call(module, value, own).metadata

    def _of_call(self, module: ParsedModule, value: ast.expr, own: Root) -> Root:
        """The MetaData of `declarative_base(metadata=M)`, `registry(metadata=M)`, `R.generate_base()`..."""
        if not isinstance(value, ast.Call):
            return own
        if last_name(value.func) == "generate_base" and isinstance(value.func, ast.Attribute):
            return Root(self.find_metadata(module, value.func.value) or own.metadata, "declarative")
        keyword = _find_keyword(value.keywords, "metadata")
        if last_name(value.func) == "automap_base" and value.args:
            keyword = value.args[0]
        metadata = self.find_metadata(module, keyword) if keyword is not None else ""
        return Root(metadata or own.metadata, own.kind)


def find_class_value(class_: ast.ClassDef, name: str) -> ast.expr | None:
    """What the class's own body assigns to `name`."""
    for statement in class_.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                return value
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                return value
    return None


def _with_bind_key(root: Root, class_: ast.ClassDef) -> Root:
    value = find_class_value(class_, "__bind_key__")
    if value is None:
        return root
    return Root(f"{root.metadata}#{constant_text(value) or ast.unparse(value)}", root.kind)


def _installed_root(symbol: Symbol, own: Root) -> Root | None:
    """The root of a class that an installed package defines; None for one that holds no MetaData."""
    if _is_declarative(symbol):
        return own
    if symbol.name.startswith("sqlmodel."):
        return Root("sqlmodel:SQLModel", "sqlmodel") if symbol.last_name == "SQLModel" else None
    is_library_class = symbol.name.partition(".")[0] in _NO_BASES or "." not in symbol.name
    if is_library_class or "mixin" in symbol.last_name.lower():
        return None
    return Root(_external_name(symbol.name), "unknown")


def _is_declarative(symbol: Symbol) -> bool:
    return symbol.name.startswith("sqlalchemy.") and symbol.last_name in _DECLARATIVE_CLASSES


def _external_name(name: str) -> str:
    module, _, last = name.rpartition(".")
    if module.partition(".")[0] == "sqlmodel":
        return "sqlmodel:SQLModel"
    return f"{module}:{last}" if module else ""


def _own_name(module: ParsedModule, name: str) -> str:
    return f"{module_name(module.path)}:{name}"


def _find_callee(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _find_keyword(keywords: Sequence[ast.keyword], name: str) -> ast.expr | None:
    return next((keyword.value for keyword in keywords if keyword.arg == name), None)


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)
