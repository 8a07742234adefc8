"""Models of views, whose columns nobody compares."""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import MODELS, WIDEN, revision

_MODEL = """

class ItemName(Base):
    __tablename__ = "item_name"
    id = Column(Integer, primary_key=True)
    name = Column({type})
    {more}
"""


def _way(name: str, view: str, says: Says, *, type_: str = "String(50)", more: str = "") -> EmptyPass:
    """A second revision that makes the view `item_name`, and a model of it."""
    models = MODELS + _MODEL.format(type=type_, more=more)
    return EmptyPass(
        name,
        says=(says,),
        files={
            "models_py": models.replace("Column, ", "Column, Index, LargeBinary, "),
            "two_py": revision("two", "one", f"{WIDEN}\n{view}"),
        },
    )


_VIEW = 'op.execute("create {kind} item_name as select id, name from item where length(name) > 1")'
_MATERIALIZED = _VIEW.format(kind="materialized view")
WAYS = (
    _way(
        "a model of a view has a column that only the view's condition names",
        'op.execute("create view item_name as select id from item where name is not null")',
        Says("drift", "item_name.name", "column"),
    ),
    _way(
        "a model of a materialized view has a column that the view lacks",
        _MATERIALIZED,
        Says("drift", "item_name.price", "column"),
        more="price = Column(Integer)",
    ),
    _way(
        "a model of a view has another type than the view",
        _VIEW.format(kind="view"),
        Says("drift", "item_name.name", "type", words=("bytea", "character varying(50)")),
        type_="LargeBinary",
    ),
    _way(
        "a model of a materialized view has an index that the view lacks",
        _MATERIALIZED,
        Says("drift", "ix_item_name", "index"),
        more='__table_args__ = (Index("ix_item_name", "name"),)',
    ),
)
