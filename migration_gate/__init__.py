"""Replays a project's Alembic history on a Postgres of its own, and hands over facts for the checks to judge.

`entrypoint.py` and `judgement` are the whole way. All may use `errors`, `check`, `wording`, `python_parser`:
    config/      settings from files, environment and command line, each value with its origin
    ci/          which event started the run, the base of a pull request, whose code may run
    git/         the git program: tracked files, the tree of a revision
    project/     the Alembic environment, its interpreter and its import path
    install/     the project's packages, installed if no interpreter has them
    sandbox/     an unprivileged user, and which sockets its processes may reach
    postgres/    a server for this run: local, image, url or embedded; always behind a Unix socket
    process/     the gate's own process: its limits, and signals that end it
    worker/      runs in the project's interpreter: redirects connections, replays, creates the models
    replay/      one project, from its settings to its facts: starts all of the above and reads their answers
    catalog/     reads a database as facts, one query for each kind of object
    change/      the base of a change: the project is examined there, too
    checkpoint/  the state at the base's heads, kept for the next check: old revisions need not run again
    scan/        the repository read as text: .sql files, and DDL outside the migrations
    facts/       what checks look at: revisions, steps, catalog objects, tracked files
    sql/         SQL as text: the lexer, and how identifiers are quoted
    analysis/    readings of facts that checks share: ownership, the revision graph, causes of failures
    drift/       what the replayed database and the models disagree on
    autofix/     the revision that removes a difference
    checks/      one module for each check
    edits/       exact edits of source files that correct a finding
    verdict/     each finding's check and severity, and whether the user allows it
    corrections/ the commands that write into a project: fix, rebase, allow, baseline
    doctor/      the command that prints what is missing, and what was found
    report/      one format each, and where it is written
    action/      the GitHub action: inputs, outputs, the comment on a pull request
    monorepo/    several projects: which of them a change touches, and one report of several runs
"""

__version__ = "0.1.0"
"""of the package, too (see `pyproject.toml`): `--version` needs no metadata, which take longer to read"""
