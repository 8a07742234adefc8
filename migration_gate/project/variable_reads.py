"""How one module reads environment variables: `os.environ`, a configuration library, functions of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.python_source import unparse_code

READER_CLASSES = frozenset({"Env", "FileAwareEnv", "Config", "AutoConfig"})
"""classes whose instances are called with a variable's name: environs, django-environ, starlette, decouple"""
READER_MODULES = frozenset({"decouple", "environs", "environ", "starlette", "prettyconf"})
"""libraries that give such objects or classes"""
PREFIXING_METHOD = "prefixed"
"""of environs"""
ENVIRONMENT = frozenset({"environ", "os.environ"})
READS = frozenset({"getenv", "os.getenv", "environ.get", "os.environ.get", "environ.setdefault"})
"""these return None, or a default, for a variable that is not set"""


@dataclass(frozen=True, slots=True)
class VariableRead:
    """A variable's name in a module, and whether reading it fails if it is not set."""

    name: str
    line: int
    required: bool


@dataclass
class ModuleNames:
    """The names of one module that lead to environment variables."""

    readers: set[str] = field(default_factory=set)
    """called with a variable's name: `config("X")`, `env.str("X")`; without a default they fail"""
    functions: dict[str, bool] = field(default_factory=dict)
    """functions of its own that read the variable which their first argument names; whether they fail"""
    texts: dict[str, str] = field(default_factory=dict)
    """constants"""


def collect_names(tree: ast.Module, imported: Mapping[str, ModuleNames]) -> ModuleNames:
    """The names of a module; `imported` are those of the modules that it imports, by their names."""
    names = ModuleNames()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)):
                _collect_imported(node, module, names, imported)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                _collect_assigned(name, value, names)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                _collect_assigned(name, value, names)
            case ast.FunctionDef(name=name, args=ast.arguments(args=[parameter, *_])):
                fails = _reads_parameter(node, parameter.arg)
                if fails is not None:
                    names.functions[name] = fails
    return names


def _collect_imported(
    node: ast.ImportFrom, module: str, names: ModuleNames, imported: Mapping[str, ModuleNames]
) -> None:
    library = module.partition(".")[0] in READER_MODULES
    other = imported.get(module.rpartition(".")[2]) if not library else None
    for alias in node.names:
        name = alias.asname or alias.name
        if library and alias.name in ("config", "env"):
            names.readers.add(name)
        if other is None:
            continue
        if alias.name in other.readers:
            names.readers.add(name)
        if alias.name in other.functions:
            names.functions[name] = other.functions[alias.name]
        if alias.name in other.texts:
            names.texts[name] = other.texts[alias.name]


def _collect_assigned(name: str, value: ast.expr, names: ModuleNames) -> None:
    match value:
        case ast.Constant(value=str(text)):
            names.texts[name] = text
        case ast.Call(func=func) if unparse_code(func).rpartition(".")[2] in READER_CLASSES:
            names.readers.add(name)


def _reads_parameter(function: ast.FunctionDef, parameter: str) -> bool | None:
    """Whether a function fails where the variable that its parameter names is not set; None: no read."""
    is_read = False
    for node in ast.walk(function):
        match node:
            case ast.Subscript(value=value, slice=ast.Name(id=name)) if name == parameter:
                if unparse_code(value) in ENVIRONMENT:
                    return True
            case ast.Call(func=func, args=[ast.Name(id=name), *_]) if name == parameter:
                is_read = is_read or unparse_code(func) in READS
    if not is_read:
        return None
    has_default = len(function.args.args) > 1
    return not has_default and any(isinstance(node, ast.Raise) for node in ast.walk(function))


def find_reads(tree: ast.Module, names: ModuleNames) -> Iterator[VariableRead]:
    """Every read of a variable in the module, in the order of the text's tree."""
    demanded = _list_demanded_names(tree)
    prefixes = _collect_prefixes(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value, slice=key, ctx=ast.Load()) if unparse_code(value) in ENVIRONMENT:
                if name := _read_text(key, names):
                    yield VariableRead(name, node.lineno, required=True)
            case ast.Call(args=[key, *_]):
                required = _is_required(node, names)
                name = _read_text(key, names)
                if required is not None and name:
                    name = prefixes.get(node, "") + name
                    yield VariableRead(name, node.lineno, required or node in demanded)


def _collect_prefixes(tree: ast.Module) -> dict[ast.AST, str]:
    """What environs puts before the names that calls of it read in `with env.prefixed("SMTP_"):`."""
    prefixes: dict[ast.AST, str] = {}
    for block in (node for node in ast.walk(tree) if isinstance(node, ast.With)):
        for item in block.items:
            match item.context_expr:
                case ast.Call(func=ast.Attribute(value=reader, attr="prefixed"), args=[prefix]):
                    for call in _list_calls_of(unparse_code(reader), block):
                        prefixes[call] = prefixes.get(call, "") + _read_text(prefix, ModuleNames())
    return prefixes


def _list_calls_of(reader: str, block: ast.With) -> Iterator[ast.Call]:
    """`env("X")` and `env.int("X")` in the body of a block."""
    for node in (inner for child in block.body for inner in ast.walk(child)):
        if isinstance(node, ast.Call):
            function = unparse_code(node.func)
            if function == reader or function.startswith(f"{reader}."):
                yield node


def _read_text(key: ast.expr, names: ModuleNames) -> str:
    match key:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return names.texts.get(name, "")
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _join_texts([left, right], names)
        case ast.JoinedStr(values=values):
            return _join_texts(values, names)
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return _read_text(value, names)
        case _:
            return ""


def _join_texts(parts: Sequence[ast.expr], names: ModuleNames) -> str:
    """One text of several; '' where one of them is not known."""
    texts = [_read_text(part, names) for part in parts]
    return "".join(texts) if all(texts) else ""


def _is_required(call: ast.Call, names: ModuleNames) -> bool | None:
    """Whether the call fails for a variable that is not set; None if it reads no variable."""
    function = unparse_code(call.func)
    has_default = len(call.args) > 1 or any(
        keyword.arg in ("default", "fallback") for keyword in call.keywords
    )
    if function in READS:
        return False
    if function in names.functions:
        return names.functions[function] and not has_default
    if function.endswith(f".{PREFIXING_METHOD}"):
        return None
    if function.partition(".")[0] in names.readers:
        return not has_default
    return None


def _list_demanded_names(tree: ast.Module) -> set[ast.Call]:
    """Reads whose value is tested by `if not value: raise` or an assertion."""
    tested = {
        unparse_code(_strip_test(node.test))
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.If) and any(isinstance(child, ast.Raise) for child in node.body))
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and unparse_code(node.targets[0]) in tested
    }


def _strip_test(test: ast.expr) -> ast.expr:
    """What is tested in `not value`, `value is None`, `value is not None`."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Compare(left=left, comparators=[ast.Constant(value=None)]):
            return left
        case _:
            return test
