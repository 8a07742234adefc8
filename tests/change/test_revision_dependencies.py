"""Which changed files an old revision depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.analysis.revision_code import list_imported_paths
from migration_gate.change.revision_dependencies import (
    depends_on_changes,
    find_shared_imports,
    list_essential_paths,
)
from tests.support.project_files import write_files

FILES = {
    "migrations/versions/one.py": "from shop.tables import item\ndown_revision = None\n",
    "migrations/versions/two.py": "from ..tools import seed\ndown_revision = 'one'\nx = open('rows.csv')\n"
    "y = Path('views').glob('*.sql')\n",
    "migrations/tools.py": "def seed():\n    import other.deep\n",
    "src/shop/__init__.py": "",
    "src/shop/tables.py": "from . import base\n",
    "src/shop/base.py": "x = 1\n",
    "src/shop/api.py": "from shop import tables\n",
    "other/deep.py": "",
    "data/rows.csv": "1\n",
    "src/shop/setup/__init__.py": "from shop.setup.listeners import install\n",
    "src/shop/setup/listeners.py": "from shop.setup.names import NAME\n",
    "src/shop/setup/names.py": "NAME = make_name()\n",
    "src/shop/behind.py": "VALUE = make_value()\n",
    "migrations/env.py": "from shop import models, settings, tables_of, setup\n"
    "x = open('roles.txt')\nrun_migrations()\n",
    "roles.txt": "",
    "src/shop/models.py": "from shop.behind import VALUE\nclass Item(Base):\n    __tablename__ = 'item'\n",
    "src/shop/settings.py": "SCHEMA = 'a'\n",
    "src/shop/tables_of.py": "'All.'\nfrom shop.models import Item\n__all__ = ['Item']\n",
    "conventions.py": "from name_forms import FORMS\nmetadata = MetaData(naming_convention=FORMS)\n",
    "name_forms.py": "FORMS = {}\n",
}


@pytest.mark.parametrize(
    ("changed", "is_used"),
    [
        ("src/shop/tables.py", True),
        ("src/shop/base.py", True),
        ("src/shop/__init__.py", True),
        ("migrations/tools.py", True),
        ("other/deep.py", True),
        ("data/rows.csv", True),
        ("conventions.py", True),
        ("name_forms.py", True),
        ("db/views/added.sql", True),
        ("overviews/x.sql", False),
        ("src/shop/settings.py", True),
        ("roles.txt", True),
        ("src/shop/setup/listeners.py", False),
        ("src/shop/setup/names.py", True),
        ("src/shop/models.py", False),
        ("src/shop/behind.py", False),
        ("src/shop/tables_of.py", False),
        ("src/shop/api.py", False),
        ("data/other.csv", False),
        ("Makefile", False),
    ],
)
def test_imports_are_followed_and_names_of_files_count(tmp_path: Path, changed: str, is_used: bool) -> None:
    write_files(tmp_path, FILES)
    assert depends_on_changes(tmp_path, FILES, [changed]) is is_used
    essential = list_essential_paths(tmp_path, FILES)
    assert essential is not None
    if changed.endswith(".py") and is_used:
        assert changed in essential


def test_an_import_counts_in_whichever_statement_it_is() -> None:
    text = (
        "if 1:\n    import a\nelif 2:\n    import b\nelse:\n    import c\n"
        "try:\n    import d\nexcept E:\n    import e\nelse:\n    import f\nfinally:\n    import g\n"
        "for x in y:\n    import h\nelse:\n    import i\nwith z:\n    import j\n"
        "match x:\n    case 1:\n        import k\n"
        "class A:\n    async def f(self):\n        while 1:\n            import m\n"
    )
    assert list_imported_paths(text, "x.py") == frozenset("abcdefghijkm")


def test_modules_that_import_each_other_and_broken_ones_end(tmp_path: Path) -> None:
    circle = {
        "src/shop/base.py": "from shop import tables\n",
        "src/shop/tables.py": "from shop import base\n",
    }
    files = FILES | circle | {"migrations/tools.py": "from shop import ("}
    write_files(tmp_path, files)
    assert not depends_on_changes(tmp_path, files, ["src/shop/api.py"])


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("import sqlalchemy as sa\nfrom alembic import op\n", set()),
        ("from shop.models import Item\n", {"shop.models"}),
        ("def upgrade():\n    from shop import models\n", {"shop", "shop.models"}),
        ("from shop.api import serve\n", None),
        ("import sys\nsys.modules['shop.models'].Item\n", None),
        ("def upgrade():\n    importlib.import_module('shop.' + 'models')\n", None),
    ],
)
def test_a_new_revision_that_imports_more_than_env_py_may_change_the_models(
    tmp_path: Path, text: str, shared: set[str] | None
) -> None:
    files = FILES | {"migrations/versions/three.py": text}
    write_files(tmp_path, files)
    found = find_shared_imports(tmp_path, files, ["migrations/versions/three.py"])
    assert found == shared
