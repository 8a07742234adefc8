"""Strangers' projects that need no configuration: where their files lie, and what imports what."""

from __future__ import annotations

import pytest

from tests.end_to_end.test_without_configuration import passes, text, web
from tests.support.release_tests import first_in_every_run
from tests.support.user_project import CREATE, INI, MODELS, WIDEN, World, project, revision

pytestmark = pytest.mark.slow


# --- where things lie ----------------------------------------------------------------------------


def moved(files: dict[str, str], places: dict[str, str]) -> dict[str, str]:
    """The same files, elsewhere: the first matching beginning of a path is replaced."""
    found = {}
    for name, body in files.items():
        old = next((each for each in places if name.startswith(each)), "")
        found[places.get(old, "") + name.removeprefix(old)] = body
    return found


def test_a_package_below_src(here: World) -> None:
    ini = INI.replace("prepend_sys_path = .\n", "")
    here.lay(moved(project(alembic_ini=ini), {"shop/": "src/shop/"}))
    passes(here.check())


def test_scripts_named_from_the_repositorys_root(here: World) -> None:
    ini = INI.replace("= migrations", "= backend/migrations").replace("= .", "= backend")
    here.lay(moved(project(alembic_ini=ini), {"": "backend/"}))
    passes(here.check())


def test_scripts_named_from_the_inis_folder(here: World) -> None:
    here.lay(moved(project(), {"": "backend/"}))
    passes(here.check())


def test_a_configuration_in_pyproject(here: World) -> None:
    toml = '[tool.alembic]\nscript_location = "%(here)s/migrations"\nprepend_sys_path = ["."]\n'
    here.lay({**project(alembic_ini=None), "pyproject.toml": toml})
    passes(here.check())


FLASK = """
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Item(db.Model):
    __tablename__ = "item"
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(50), nullable=False)


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
    db.init_app(app)
    Migrate(app, db)
    return app
"""
FLASK_ENV = """
from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db
with db.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=db.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.mark.parametrize(
    ("name", "body"),
    first_in_every_run(
        [
            ("docker-compose.yml", "services:\n  web:\n    environment:\n      - FLASK_APP=server.factory\n"),
            ("Dockerfile", "FROM python\nENV FLASK_APP=server.factory:create_app\n"),
            (".flaskenv", "FLASK_APP=server.factory:create_app\n"),
            ("README.md", "Run `export FLASK_APP=server.factory` first.\n"),
        ],
        2,
    ),
)
def test_the_application_of_flask_migrate_is_found(here: World, name: str, body: str) -> None:
    files = {
        "server/__init__.py": "", "server/factory.py": FLASK, "migrations/env.py": FLASK_ENV,
        "migrations/alembic.ini": "[alembic]\n", "migrations/script.py.mako": "", name: body,
        "migrations/versions/one.py": revision("one", None, CREATE),
        "migrations/versions/two.py": revision("two", "one", WIDEN),
    }  # fmt: skip
    here.lay(files)
    assert f"FLASK_APP from `{name}`" in text(passes(here.check(python=web())))


def flask_project(factory: str) -> dict[str, str]:
    """A project with Flask-Migrate, whose application is found by its file's name."""
    return {
        "app.py": factory, "migrations/env.py": FLASK_ENV, "migrations/alembic.ini": "[alembic]\n",
        "migrations/script.py.mako": "", "migrations/versions/one.py": revision("one", None, CREATE),
        "migrations/versions/two.py": revision("two", "one", WIDEN),
    }  # fmt: skip


OWN_URL = 'app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"'


def test_an_application_without_an_address_has_one(here: World) -> None:
    """Its own comes from a file of settings, which only the machines of production have."""
    here.lay(flask_project(FLASK.replace(OWN_URL, "app.config.from_pyfile('/etc/shop.cfg', silent=True)")))
    said = text(passes(here.check(python=web())))
    assert "nothing sets `SQLALCHEMY_DATABASE_URI` in the configuration of the Flask application" in said


@pytest.mark.parametrize("call", ["upgrade()", "stamp()"])
def test_an_application_that_upgrades_its_own_database_is_replayed_all_the_same(
    here: World, call: str
) -> None:
    factory = FLASK.replace("    return app", f"    with app.app_context():\n        {call}\n    return app")
    name = call.removesuffix("()")
    here.lay(flask_project(factory.replace("import Migrate", f"import Migrate, {name}")))
    said = text(passes(here.check(python=web())))
    assert "2 of 2 revisions" in said
    assert "`app.py:21` runs this history itself" in said


def test_of_what_an_application_reads_only_the_address_has_a_dummy_value(here: World) -> None:
    """A dummy value of the others would end it, or make a file in the project's folder."""
    reads = """import logging, os
    if os.getenv("APP_SETTINGS"):
        app.config.from_object(os.getenv("APP_SETTINGS"))
    if os.getenv("APP_LOG"):
        logging.basicConfig(filename=os.getenv("APP_LOG"))
    app.config["SQLALCHEMY_DATABASE_URI"] = os.getenv("SHOP_DATABASE")"""
    here.lay(flask_project(FLASK.replace(OWN_URL, reads)))
    said = text(passes(here.check(python=web())))
    assert "the project fails without `SHOP_DATABASE`: dummy values were given" in said
    assert not [file for file in here.project.iterdir() if "not-a-secret" in file.name]


def test_variables_whose_dummy_values_were_of_no_help_are_named_without_them(here: World) -> None:
    factory = 'import os\nos.getenv("APP_LOG")\nraise RuntimeError("The application is not set up")\n'
    here.lay(flask_project(factory + FLASK))
    ran = here.check(python=web())
    assert ran.status == 2
    assert "The project also asks for `APP_LOG`, and came no further when it had a dummy value." in text(ran)
    assert "APP_LOG: " not in ran.out


def test_two_configurations_without_a_choice_are_refused(here: World) -> None:
    both = {**moved(project(), {"": "shop-a/"}), **moved(project(), {"": "shop-b/"})}
    here.lay(both)
    ran = here.check()
    assert ran.status == 2
    assert "projects:\n" in ran.out
    assert "shop-a/alembic.ini" in ran.out
    assert "shop-b/alembic.ini" in ran.out


def test_an_env_py_that_imports_a_part_of_the_models(here: World) -> None:
    """The table that env.py does not know of is named; nothing else is."""
    more = MODELS.replace("class Item", "class Order").replace('"item"', '"order"')
    more = more.replace("from sqlalchemy.orm import declarative_base\n\nBase = declarative_base()\n", "")
    files = project(
        **{"shop/orders.py": "from shop.models import Base\n" + more.lstrip()},
        two_py=revision("two", "one", WIDEN + "\n" + CREATE.replace("item", "order").replace("40", "50")),
    )
    here.lay(files)
    ran = here.check()
    assert ran.status == 1, ran.said
    assert "order" in ran.out
    assert "Blocked: 1 error" in ran.out, ran.out


def test_a_run_changes_no_file_of_the_project(here: World) -> None:
    folder = here.lay(project())
    before = sorted(str(each) for each in folder.rglob("*") if ".git/" not in str(each))
    passes(here.check())
    after = sorted(str(each) for each in folder.rglob("*") if ".git/" not in str(each))
    assert [each for each in after if "__pycache__" not in each] == before


def test_an_older_python_than_the_project_asks_for_is_named(here: World) -> None:
    files = project(settings_py="raise NameError('annotations are lazy now')\n")
    here.lay({**files, "pyproject.toml": '[project]\nname = "shop"\nrequires-python = ">=3.99"\n'})
    ran = here.check()
    assert ran.status == 2, ran.said
    assert "The project asks for Python 3.99" in text(ran)


def test_modules_that_can_only_be_imported_in_the_order_of_env_py(here: World) -> None:
    """A revision imports the half of a circle that must not come first, as fastapi-users' GUID type is."""
    circle = {
        "circle/__init__.py": "try:\n    from circle.half import Whole\nexcept ImportError:\n    pass\n",
        "circle/base.py": "",
        "half.py": "import circle.base\n\n\nclass Whole: ...\n",
        "circle/half.py": "from half import Whole\n",
    }
    files = project(
        settings_py='from circle import Whole\nURL = "postgresql://app@db.invalid/app"\n',
        two_py="import half\n" + revision("two", "one", WIDEN),
    )
    here.lay({**files, **circle})
    passes(here.check())
