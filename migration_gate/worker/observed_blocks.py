"""Has the EXCEPTION handlers of a DO block note what they caught, where no event trigger can see it.

Event triggers see DDL. What else a block does (UPDATE, INSERT, a function's call) leaves no trace if its
error is caught. So each handler of a DO block with such statements begins with a call of the gate's own that
writes into a table: if the handler raises the error again, that is undone as well. The call stands on the
line of the handler's THEN, changes no variable of the project's (FOUND neither), and is cut out of all texts
that are reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

NOTE_CAUGHT = (
    " DECLARE migration_gate_context text; BEGIN"
    " GET STACKED DIAGNOSTICS migration_gate_context = PG_EXCEPTION_CONTEXT;"
    " migration_gate_context := migration_gate.note_caught(SQLSTATE, SQLERRM, migration_gate_context); END;"
)
"""what a handler begins with; replay/ddl_log.sql cuts out the same text"""
IS_INSTALLED = "select to_regprocedure('migration_gate.note_caught(text, text, text)') is not null"
"""whether a database has the function: a migration may have dropped it"""
MAX_LENGTH = 100_000
"""characters of a block: longer ones are left as they are"""
_LANGUAGE = r"(?:LANGUAGE\s+plpgsql\s*)?"
BLOCK = re.compile(rf"\s*DO\s+{_LANGUAGE}(\$\w*\$)(.*)\1\s*{_LANGUAGE};?\s*\Z", re.I | re.S)
CHANGES_ROWS = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|PERFORM|SELECT|CALL|TRUNCATE|COPY)\b", re.I)
CONDITIONS = """
others integrity_constraint_violation restrict_violation not_null_violation foreign_key_violation
unique_violation check_violation exclusion_violation data_exception division_by_zero
datetime_field_overflow invalid_datetime_format invalid_text_representation
numeric_value_out_of_range string_data_right_truncation null_value_not_allowed cannot_coerce
invalid_parameter_value feature_not_supported undefined_table undefined_column undefined_object
undefined_function undefined_file duplicate_table duplicate_column duplicate_object
duplicate_function duplicate_schema duplicate_alias invalid_schema_name invalid_table_definition
invalid_column_definition invalid_object_definition wrong_object_type datatype_mismatch syntax_error
syntax_error_or_access_rule_violation insufficient_privilege dependent_objects_still_exist
object_in_use object_not_in_prerequisite_state lock_not_available raise_exception no_data_found
too_many_rows ambiguous_column grouping_error indeterminate_datatype invalid_foreign_key
generated_always
"""
"""of PL/pgSQL, those that are caught by name in migrations; what is not here is not seen"""


@lru_cache(maxsize=None)
def _handler_pattern() -> re.Pattern[str]:
    """Compiled for the first DO block: that takes some 3 ms, which most histories need not wait for."""
    names = "|".join(CONDITIONS.split())
    condition = rf"(?:SQLSTATE\s+'\w{{5}}'|{names})"
    return re.compile(
        r"(?P<skipped>'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/)"
        rf"|\b(?P<handler>(?:EXCEPTION\s+)?WHEN\s+{condition}(?:\s+OR\s+{condition})*\s+THEN)\b",
        re.I | re.S,
    )


def observe_block(statement: str) -> str:
    """The DO block with handlers that note what they caught; any other statement as it is."""
    if len(statement) > MAX_LENGTH:
        return statement
    match = BLOCK.match(statement)
    if match is None or "$" in match[2] or "migration_gate" in statement or not CHANGES_ROWS.search(match[2]):
        return statement
    return statement[: match.start(2)] + "".join(_add_notes(match[2])) + statement[match.end(2) :]


def _add_notes(body: str) -> Iterator[str]:
    """The parts of the body, and a note after each handler."""
    start, has_handlers = 0, False
    for match in _handler_pattern().finditer(body):
        handler = match["handler"] or ""
        has_handlers = has_handlers or handler.upper().startswith("EXCEPTION")  # (before: a CASE)
        if handler and has_handlers:
            yield body[start : match.end()] + NOTE_CAUGHT
            start = match.end()
    yield body[start:]


def without_notes(text: str) -> str:
    """The statement as the project wrote it."""
    return text.replace(NOTE_CAUGHT, "")
