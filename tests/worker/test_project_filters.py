"""What the project's own filters leave out is kept, in words that name it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from migration_gate.worker.project_filters import FilterRecorder
from migration_gate.worker.protocol.model_lines import FilteredObject


def test_a_key_without_a_name_is_kept_with_its_columns() -> None:
    table = sa.Table("a", sa.MetaData(), sa.Column("b_id", sa.ForeignKey("b.id")))
    (key,) = table.foreign_key_constraints
    filters = FilterRecorder("public")
    context: Any = SimpleNamespace(options={"include_object": lambda *arguments: False}, metadatas=())
    include_object = filters.wrap_options(context)["include_object"]
    assert not include_object(key, None, "foreign_key_constraint", False, None)
    assert not include_object(key, "fk", "foreign_key_constraint", True, None)
    assert set(filters.list_left_out(context)) == {
        FilteredObject("foreign_key_constraint", "public", "a", None, columns=("b_id",)),
        FilteredObject("foreign_key_constraint", "public", "a", "fk"),
    }
