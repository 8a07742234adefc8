"""A second table that a trigger keeps in step with a first one, while others read and write that."""

from __future__ import annotations

from collections.abc import Sequence

from migration_gate.analysis import safe_operations as code
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import name_on_search_path, quote_identifier, truncate_identifier


@dataclass(frozen=True, slots=True)
class TableCopy:
    """What is copied, and where to; names are not quoted."""

    schema: str
    table: str
    name: str
    """of the copy, in the same schema"""
    columns: Sequence[str]
    key: Sequence[str]
    """the primary key of both"""

    @property
    def source(self) -> str:
        """The first table as SQL takes it."""
        return name_on_search_path(self.schema, self.table)

    @property
    def target(self) -> str:
        """The copy as SQL takes it."""
        return name_on_search_path(self.schema, self.name)

    @property
    def listed_columns(self) -> str:
        """As SQL takes them."""
        return ", ".join(map(quote_identifier, self.columns))

    def keep_in_step(self) -> str:
        """The code that creates the trigger, and then fills the copy some rows at a time."""
        function = name_on_search_path(self.schema, truncate_identifier(f"copy_{self.name}"))
        trigger = quote_identifier(truncate_identifier(f"copy_{self.name}"))
        emptying = quote_identifier(truncate_identifier(f"empty_{self.name}"))
        return code.join_code(
            code.execute(
                f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
                f"AS $body${self._trigger_body()}$body$"
            ),
            code.execute(
                f"CREATE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {self.source} FOR EACH ROW "
                f"EXECUTE FUNCTION {function}()"
            ),
            code.execute(
                f"CREATE TRIGGER {emptying} AFTER TRUNCATE ON {self.source} EXECUTE FUNCTION {function}()"
            ),
            code.repeat_statement(self._fill_statement()),
        )

    def drop_triggers(self) -> str:
        """The code that ends it."""
        function = name_on_search_path(self.schema, truncate_identifier(f"copy_{self.name}"))
        return code.execute(f"DROP FUNCTION {function}() CASCADE")

    def _trigger_body(self) -> str:
        values = ", ".join(f"NEW.{quote_identifier(column)}" for column in self.columns)
        empty = f"TRUNCATE {self.target}; RETURN NULL;"
        delete = f"DELETE FROM {self.target} AS kept WHERE {self._match_key('OLD')};"  # noqa: S608 - nobody runs it here
        insert = (
            f"INSERT INTO {self.target} ({self.listed_columns}) "  # noqa: S608 - nobody runs it here
            f"OVERRIDING SYSTEM VALUE VALUES ({values});"
        )
        return (
            f"BEGIN IF TG_OP = 'TRUNCATE' THEN {empty} END IF; IF TG_OP <> 'INSERT' THEN {delete} END IF; "
            f"IF TG_OP <> 'DELETE' THEN {insert} END IF; RETURN NULL; END"
        )

    def _fill_statement(self) -> str:
        """Copies rows that are not there; locks them, so that none changes while it is copied."""
        key = ", ".join(map(quote_identifier, self.key))
        return (
            f"INSERT INTO {self.target} ({self.listed_columns}) OVERRIDING SYSTEM VALUE "  # noqa: S608 - nobody runs it here
            f"SELECT {self.listed_columns} FROM {self.source} AS item WHERE NOT EXISTS "
            f"(SELECT FROM {self.target} AS kept WHERE {self._match_key('item')}) LIMIT {code.BATCH_ROWS} "
            f"FOR SHARE OF item ON CONFLICT ({key}) DO NOTHING"
        )

    def _match_key(self, other: str) -> str:
        columns = map(quote_identifier, self.key)
        return " AND ".join(f"kept.{column} = {other}.{column}" for column in columns)
