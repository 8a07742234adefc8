"""Runs in the project's interpreter, alone: replays its history and reports what happened.

It is started as a script (`worker/__main__.py ORDER ANSWER`), imports the standard library,
the project's own Alembic and SQLAlchemy, and nothing of the gate's. Python 3.9 and later, Alembic 1.7 and
later, SQLAlchemy 1.4 to 2.1.

**The order** is one JSON object, read once from the file descriptor ORDER:

    environment      variables to set: the server's address for libpq, the project's settings
    task             replay, bootstrap (create_all and stamp) or probe (versions and configuration only)
    server           directory, port, user, password, token: a Unix socket, the only way to the database
    database         the empty database to replay into
    models_database  the name to give to the copy in which the models are created
    config           kind (ini, toml, flask, hook), file, section, flask_app, hook
    sys_path         folders to put in front
    target, x        what to upgrade to; Alembic's -x arguments
    prepare          [kind, text] pairs to run before the first revision
    catalog          the query that prints a catalog as JSON, for revisions that get a snapshot
    snapshots        none, all, changed or a number: which revisions (the newest) get one before and after
    changed          real paths of the files that the change adds or edits
    mark             true where the server cannot have event triggers: ask it to record after every step

**The answer** is a stream of JSON lines on the file descriptor ANSWER, each with a `kind`:

    hello       versions: python, alembic, sqlalchemy, drivers
    stage       name of what begins: import, prepare, replay, models
    note        text that a reader of the report should know
    connection  dialect, driver, wanted, how, outcome
    scripts     locations (folders with revisions) and folder (of env.py)
    history     revisions, heads, bases, and the error where Alembic could not read them
    context     number, driver, version_table, version_table_schema, default_schema, transaction_per_migration
    order       the revisions that one target needs, in order
    start       number and revision of a step that begins
    step        number, revision, seconds, statements, transactions, in_transaction, context, before, after
    context_end number, version_table, version_table_schema, search_path, default_schema
    failure     stage, and the error as data (see failure.py)
    copied      the models' database was copied: the replayed one may be read
    models      metadatas, tables, uncreated, filtered, alembic, places
    done        always last; without it the worker crashed, and the lines before it say how far it got

Known errors are data, with exit status 0. stdout and stderr belong to the project's code.
"""
