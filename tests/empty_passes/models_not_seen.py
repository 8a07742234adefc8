"""Models that Alembic is not shown: nothing imports them, or env.py takes them out again."""

from __future__ import annotations

from tests.support.empty_pass import EmptyPass, Says
from tests.support.user_project import CREATE, ENV, MODELS, WIDEN, revision

BASE = "from sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n"
TAG = """
from sqlalchemy import Column, Integer
from shop.models import Base


class Tag(Base):
    __tablename__ = "tag"
    id = Column(Integer, primary_key=True)
"""
MAKE_TAG = 'op.create_table("tag", sa.Column("id", sa.Integer, primary_key=True))'
TAG_MODEL = '\n\nclass Tag(Base):\n    __tablename__ = "tag"\n    id = Column(Integer, primary_key=True)\n'
TWO_TABLES = {
    "models_py": MODELS + TAG_MODEL,
    "two_py": revision("two", "one", f"{WIDEN}\n{MAKE_TAG}"),
}


def change_env(line: str) -> str:
    """env.py with a line below its imports."""
    return ENV.replace("\nengine =", f"\n{line}\nengine =")


WAYS = (
    EmptyPass(
        "a model whose table no migration makes is imported by nothing",
        says=(
            Says(
                "unregistered-model",
                "tag",
                words=("shop/tags.py:5", "import shop.tags", "no migration makes"),
            ),
        ),
        files={"shop/tags.py": TAG},
    ),
    EmptyPass(
        "a model whose table the migrations make is imported by nothing",
        says=(Says("unregistered-model", "tag", words=("import shop.tags", "write no `op.drop_table`")),),
        files={"shop/tags.py": TAG, "two_py": TWO_TABLES["two_py"]},
    ),
    EmptyPass(
        "a Table of the application's metadata is imported by nothing",
        says=(Says("unregistered-model", "item_tag", words=("links (shop/links.py:4)",)),),
        files={
            "shop/links.py": "import sqlalchemy as sa\nfrom .models import Base\n\n"
            'links = sa.Table("item_tag", Base.metadata, sa.Column("id", sa.Integer, primary_key=True))\n'
        },
    ),
    EmptyPass(
        "a package of models imports all of its modules but one",
        says=(Says("unregistered-model", "tag", words=("import shop.models.tags",)),),
        files={
            "models_py": None,
            "shop/models/__init__.py": "from .base import Base\nfrom .items import Item\n",
            "shop/models/base.py": BASE,
            "shop/models/items.py": MODELS.replace(
                BASE.strip(),
                "from .base import Base",
            ),
            "shop/models/tags.py": TAG,
        },
    ),
    EmptyPass(
        "env.py removes a table from the metadata",
        says=(Says("unchecked", "tag", words=("`Tag` (shop/models.py:", "tables were removed from it")),),
        files={
            "models_py": MODELS + TAG_MODEL,
            "env_py": change_env('Base.metadata.remove(Base.metadata.tables["tag"])\n'),
        },
    ),
    EmptyPass(
        "env.py empties the metadata and reads the database instead",
        says=(Says("unchecked", "item.colour", words=("it stands in the model (shop/models.py:",)),),
        files={
            "models_py": MODELS + "    colour = Column(String(9))\n",
            "env_py": ENV.replace(
                "    context.configure(",
                "    Base.metadata.clear()\n    Base.metadata.reflect(engine)\n    context.configure(",
            ),
            "one_py": revision("one", None, CREATE),
        },
    ),
    EmptyPass(
        "env.py empties the metadata",
        says=(Says("missing-models", "env.py", words=("shop/models.py:", "emptied")),),
        files={"env_py": change_env("Base.metadata.clear()\n")},
    ),
    EmptyPass(
        "env.py passes a MetaData that no model uses",
        says=(Says("missing-models", "env.py", words=("import shop.models",)),),
        files={
            "env_py": ENV.replace("from shop.models import Base", "from shop.base import Base"),
            "shop/base.py": BASE,
            "models_py": MODELS.replace(
                BASE.strip(),
                "from shop.base import Base",
            ),
        },
    ),
)
