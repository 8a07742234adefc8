"""The comparison of `alembic check` with all that the project adds to it, before its tables are replaced.

That is: include_object and its like, functions that the project or a plug-in registered for comparisons
(`comparators.dispatch_for`, alembic_utils, alembic-postgresql-enum), and process_revision_directives.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Callable, Iterator

from . import private_api
from .deferred_methods import dataclass
from .env_context import EnvContext, make_migration_context
from .error_report import describe_error
from .project_filters import FilterRecorder, find_switched_off
from .protocol.model_lines import FilteredObject, ModelsProblem
from .replaced_objects import drop_ddl_log

CHANGED_PROPERTIES = {
    "modify_type": "type",
    "modify_nullable": "nullability",
    "modify_server_default": "default",
    "modify_comment": "comment",
}
"""attributes of Alembic's AlterColumnOp, and what is compared there"""
CONSTRAINT_KINDS = {
    "unique": "unique_constraint",
    "foreignkey": "foreign_key_constraint",
    "foreign_key_constraint": "foreign_key_constraint",
    "unique_constraint": "unique_constraint",
    "check": "check_constraint",
    "check_constraint": "check_constraint",
    "primary": "primary_key_constraint",
    "primary_key_constraint": "primary_key_constraint",
}


@dataclass
class ProjectComparison:
    """What came of it."""

    filtered: list[FilteredObject] = field(default_factory=list)
    """what the filters leave out"""
    dismissed: list[FilteredObject] = field(default_factory=list)
    """differences that process_revision_directives takes out of a revision"""
    operations: list[Any] = field(default_factory=list)
    """operations that only the project's own functions ask for"""
    problems: list[ModelsProblem] = field(default_factory=list)
    """what failed"""


def compare_as_project(context: EnvContext, with_comparators: bool, connection: Any) -> ProjectComparison:
    """Compare, if the project adds anything; `with_comparators`: with the functions that it registered.

    Raises what the project's functions raise, but for process_revision_directives.
    """
    comparison = ProjectComparison(find_switched_off(context))
    filters = FilterRecorder(context.default_schema)
    wrapped = filters.wrap_options(context)
    change_directives = context.options.get("process_revision_directives")
    if not wrapped and not callable(change_directives) and not private_api.has_foreign_comparators():
        return comparison
    # A comparator may look at all schemas, as alembic_utils does with include_schemas.
    drop_ddl_log(connection)
    migration_context = make_migration_context(context, connection, **wrapped)
    recorder = OperationRecorder()
    wrap = recorder.wrap if with_comparators else _replace_comparator
    script = _produce_script(migration_context, context, wrap)
    comparison.filtered += filters.list_left_out(context)
    operations = list(_list_operations([script]))
    if callable(change_directives):
        remaining, problem = _change_directives(change_directives, migration_context, script)
        comparison.problems += problem
        describe = OperationDescription(context.default_schema)
        left_out = describe.list_all(operations) - describe.list_all(remaining)
        comparison.dismissed += sorted(left_out, key=str)
        recorder.add_new(operations, remaining)
        operations = remaining
    comparison.operations += [operation for operation in operations if recorder.has_recorded(operation)]
    return comparison


def _produce_script(migration_context: Any, context: EnvContext, wrap: Callable[[Any], Any]) -> Any:
    from alembic.autogenerate import produce_migrations

    undo = private_api.wrap_foreign_comparators(wrap)
    try:
        return produce_migrations(migration_context, context.options["target_metadata"])
    finally:
        undo()


def _replace_comparator(function: Callable[..., Any]) -> Callable[..., None]:
    """A function that finds nothing."""
    return lambda *_, **__: None


def _change_directives(
    change: Callable[..., Any], migration_context: Any, script: Any
) -> tuple[list[Any], list[ModelsProblem]]:
    """The operations that remain, and what failed: then all do."""
    directives = [script]
    before = list(_list_operations(directives))
    try:
        with AutogenerateFlag(migration_context):
            change(migration_context, tuple(migration_context.get_current_heads()), directives)
    except Exception as error:  # the project's own function may raise anything
        return before, [
            ModelsProblem("process_revision_directives", "it failed: " + describe_error(error).message)
        ]
    return list(_list_operations(directives)), []


class AutogenerateFlag:
    """Has `config.cmd_opts.autogenerate`, which such functions ask for, as a run with --autogenerate has."""

    def __init__(self, migration_context: Any) -> None:
        environment = migration_context.environment_context
        self._options = environment.config.cmd_opts if environment is not None else None

    def __enter__(self) -> None:
        if self._options is not None:
            self._had_flag = hasattr(self._options, "autogenerate")
            if not self._had_flag:
                self._options.autogenerate = True

    def __exit__(self, *_: object) -> None:
        if self._options is not None and not self._had_flag:
            del self._options.autogenerate


def _list_operations(directives: Any) -> Iterator[Any]:
    """The single operations of the upgrades."""
    for script in directives:
        for upgrade_ops in script.upgrade_ops_list:
            yield from _list_inner_operations(upgrade_ops)


def _list_inner_operations(operation: Any) -> Iterator[Any]:
    inner = getattr(operation, "ops", None)
    if inner is None:
        yield operation
    else:
        for item in inner:
            yield from _list_inner_operations(item)


class OperationRecorder:
    """Knows which operations came from functions that are not Alembic's."""

    def __init__(self) -> None:
        self._recorded: dict[int, Any] = {}
        """by `id()`; the operations stay alive, so that no other gets the same"""

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function; what it adds to the operations that it is given is recorded."""

        def compare(*arguments: Any, **keywords: Any) -> Any:
            given = [item for item in (*arguments, *keywords.values()) if _is_operation(item)]
            before = [(item, list(_list_inner_operations(item)), _read_properties(item)) for item in given]
            value = function(*arguments, **keywords)
            for item, operations, properties in before:
                self.add_new(operations, list(_list_inner_operations(item)))
                if not hasattr(item, "ops") and _read_properties(item) != properties:
                    self._recorded[id(item)] = item
            return value

        return compare

    def add_new(self, before: list[Any], after: list[Any]) -> None:
        """Record the operations that were not there before."""
        known = {id(operation) for operation in before}
        for operation in after:
            if id(operation) not in known:
                self._recorded[id(operation)] = operation
                _allow_without_reverse(operation)

    def has_recorded(self, operation: Any) -> bool:
        """Whether this operation is one of them."""
        return id(operation) in self._recorded


def _allow_without_reverse(operation: Any) -> None:
    """Have Alembic, which asks for the downgrade too, go on if an operation knows none."""
    try:
        operation.reverse()
    except NotImplementedError:
        operation.reverse = lambda: operation


def is_reversible(operation: Any) -> bool:
    """Whether the operation itself knows the way back."""
    return "reverse" not in vars(operation)


def _is_operation(item: Any) -> bool:
    from alembic.operations.ops import MigrateOperation

    return isinstance(item, MigrateOperation)


def _read_properties(operation: Any) -> dict[str, Any]:
    """What an operation is about, by the names of its attributes."""
    properties = {name: value for name, value in vars(operation).items() if name not in ("ops", "reverse")}
    properties["kw"] = dict(properties.get("kw") or {})
    return properties


class OperationDescription:
    """Operations of Alembic's own as what they are about, in the words of its filters."""

    def __init__(self, default_schema: str) -> None:
        self._default_schema = default_schema

    def list_all(self, operations: list[Any]) -> set[FilteredObject]:
        """Of all of them."""
        return {item for operation in operations for item in self._list_one(operation)}

    def _list_one(self, operation: Any) -> Iterator[FilteredObject]:
        from alembic.operations import ops

        if isinstance(operation, (ops.CreateTableOp, ops.DropTableOp)):
            name = operation.table_name
            yield self._build_filtered("table", operation, name, name)
        elif isinstance(operation, (ops.AddColumnOp, ops.DropColumnOp)):
            is_new = isinstance(operation, ops.AddColumnOp)
            column = operation.column.name if is_new else operation.column_name  # type: ignore[union-attr]
            yield self._build_filtered("column", operation, operation.table_name, column)
        elif isinstance(operation, ops.AlterColumnOp):
            for attribute, kind in CHANGED_PROPERTIES.items():
                if _is_changed(attribute, getattr(operation, attribute, None)):
                    yield self._build_filtered(kind, operation, operation.table_name, operation.column_name)
        elif isinstance(operation, (ops.CreateIndexOp, ops.DropIndexOp)):
            yield self._build_filtered("index", operation, operation.table_name, operation.index_name)
        elif isinstance(operation, (ops.AddConstraintOp, ops.DropConstraintOp)):
            yield self._describe_constraint(operation)
        elif isinstance(operation, (ops.CreateTableCommentOp, ops.DropTableCommentOp)):
            yield self._build_filtered("comment", operation, operation.table_name, None)

    def _describe_constraint(self, operation: Any) -> FilteredObject:
        type_ = str(getattr(operation, "constraint_type", None) or "")
        table = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
        schema = getattr(operation, "schema", None) or getattr(operation, "source_schema", None)
        return FilteredObject(
            CONSTRAINT_KINDS.get(type_, type_),
            str(schema or self._default_schema),
            None if table is None else str(table),
            _optional_text(operation.constraint_name),
            columns=_list_key_columns(operation) if operation.constraint_name is None else (),
        )

    def _build_filtered(self, kind: str, operation: Any, table: Any, name: Any) -> FilteredObject:
        schema = str(operation.schema or self._default_schema)
        return FilteredObject(kind, schema, _optional_text(table), _optional_text(name))


def _list_key_columns(operation: Any) -> tuple[str, ...]:
    """The columns of a key that an operation makes: it may have no name."""
    names: Any = getattr(operation, "local_cols", None) or getattr(operation, "columns", ())
    return tuple(str(name) for name in names)


def _is_changed(attribute: str, value: Any) -> bool:
    """None stands for no change, or False if None is a value: for a default and a comment."""
    if attribute in ("modify_server_default", "modify_comment"):
        return value is not False
    return value is not None


def _optional_text(name: Any) -> Any:
    return None if name is None else str(name)
