"""Replays a project's Alembic history on a Postgres of its own, and hands over facts for the checks to judge.

In reading order, as the data flows:

    settings, inputs/    what the user asked for: file, environment, command line; each value with its origin
    event, trust         which event of which CI, and whether the code that is checked out may run under it
    git, comparison      the git program, asked; what the change is compared with, and which files differ
    install/             the project's packages, in an environment of their own, where no interpreter has them
    project/             the Alembic environment, its interpreter and its import path
    postgres/            a server for this run: local, image, url or embedded; always behind a Unix socket
    start_state          the diary, and what the database holds before the first revision
    order, bridge, confine      starts the project's interpreter in a cage, and hands on what it says
    server_log           the error that hides behind "current transaction is aborted"
    worker/              runs in that interpreter, alone: redirects, replays, records, creates the models
    replay               the worker's lines and the server's diary, as facts
    arrival              proof that the replay took place in our database
    catalog/             reads a database as nouns, one query each
    diff, drift/, mend/  what two databases disagree on, what of it is drift, and the revision that mends it
    repository, sources  the tracked files, read as text: .sql files, and DDL outside the migrations
    gate                 all of the above, for one project
    facts/, check        what checks look at, what they are, and what they find
    lineage, ownership   readings of the facts that checks share, and as pure: the revision graph, who owns
    silence, breaks      what, what a step kept to itself, how a history breaks, what to do about a failure,
    advice, ready        and the revision that mends a drift (beside them: shape, operation, extension)
    judge, allow         findings signed, weighed, and accepted where the user says so
    report/, delivery    one format each, and where it goes
    cli, doctor          the commands; last_words: an error as people read it
    action/, github      the same on GitHub: inputs and outputs, and what its runner understands
    comments             the one comment on a pull request
    monorepo, matrix     several projects: which of them a change touches (watched: what concerns one),
    join                 and one verdict of several runs
    static               `check --static`: what text alone can tell (revision_text: the history in its files)

`checks/` beside this package holds one module a check; `entrypoint.py` puts everything together.
"""
