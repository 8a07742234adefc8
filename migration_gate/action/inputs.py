"""The inputs of the action: the only place that lists them."""

from __future__ import annotations

from typing import Literal

from migration_gate.lazy_dataclass import dataclass

REPORT_PATH = ".migration-gate/report.json"
CommentMode = Literal["auto", "always", "never"]
InputKind = Literal["text", "list", "pairs", "flag"]
"""text; a list (commas or lines); lines of NAME=VALUE; true or false"""


@dataclass(frozen=True, slots=True)
class Input:
    """One input; its description is one sentence, for action.yml and the README."""

    name: str
    description: str
    default: str = ""
    key: tuple[str, ...] = ()
    """of the setting that it sets, as in a configuration file; empty if only the action uses it"""
    kind: InputKind = "text"
    choices: tuple[str, ...] = ()


INPUTS = (
    Input("path", "Folder of the project, from the top of the repository.", "."),
    Input(
        "project",
        "Only these of the configuration's `projects`, separated by commas.",
        key=("project",),
        kind="list",
    ),
    Input(
        "config",
        "Configuration file, where it is not `.migration-gate.yml` or `pyproject.toml`.",
        key=("config",),
    ),
    Input(
        "alembic",
        "Alembic's configuration file, where the gate does not find it by itself.",
        key=("alembic", "config"),
    ),
    Input("section", "Section of `alembic.ini` to read.", key=("alembic", "section")),
    Input(
        "flask-app",
        "The Flask application (`package:create_app`) of a project that uses Flask-Migrate.",
        key=("flask_app",),
    ),
    Input("hook", "Python file that leaves an `alembic.config.Config` in `cfg`.", key=("hook",)),
    Input(
        "python",
        "Interpreter or virtual environment in the workspace that has the project's packages.",
        key=("python",),
    ),
    Input("python-version", "The Python to install the project's packages for.", key=("python_version",)),
    Input(
        "install", "How to install the project's packages - `auto`, `off`, or a command.", key=("install",)
    ),
    Input(
        "groups",
        "Dependency groups to install beside the main packages, separated by commas.",
        key=("groups",),
        kind="list",
    ),
    Input("extras", "Extras of the project to install, separated by commas.", key=("extras",), kind="list"),
    Input(
        "without",
        "Packages not to install, because they cannot be built, separated by commas.",
        key=("without",),
        kind="list",
    ),
    Input("cache", "Folder that keeps installed packages, for `actions/cache`.", key=("cache",)),
    Input(
        "working-directory", "Folder in which `env.py` and the migrations run.", key=("working_directory",)
    ),
    Input("env", "Variables for the project, one `NAME=VALUE` a line.", key=("env",), kind="pairs"),
    Input(
        "env-file",
        "Dotenv files to read variables from, separated by commas.",
        key=("env_file",),
        kind="list",
    ),
    Input("target", "What to upgrade to, where it is not `heads`.", key=("target",), kind="list"),
    Input(
        "postgres",
        "The Postgres to replay on - `auto`, a major version, an image, or the URL of a service.",
        key=("postgres",),
    ),
    Input(
        "network",
        "Let the project's code reach the network - `true` or `false`.",
        key=("network",),
        kind="flag",
    ),
    Input(
        "owner-columns",
        "Names of the columns that say whose a row is, separated by commas.",
        key=("owners", "columns"),
        kind="list",
    ),
    Input(
        "raw-sql-allow",
        "Patterns, as in .gitignore, of `.sql` files that may be there, separated by commas.",
        key=("raw_sql", "allow"),
        kind="list",
    ),
    Input(
        "scope",
        "Which findings block: `change`, those that are new or worse than at the base, or `all`.",
        key=("scope",),
    ),
    Input("baseline", "File with the findings that were there before.", key=("baseline",)),
    Input(
        "policy",
        "Whose settings judge a pull request - `change`, its own, or `base`, those of its base.",
        key=("policy",),
    ),
    Input("fail-on", "The least severity that blocks the merge - `error` or `warning`.", key=("fail_on",)),
    Input(
        "base",
        "Commit or branch that the change is compared with, where the event does not say.",
        key=("base",),
    ),
    Input(
        "comment",
        "Comment on the pull request - `auto` (about findings, with a token), `always` or `never`.",
        "auto",
        choices=("auto", "always", "never"),
    ),
    Input(
        "suggestions",
        "With the comment, suggest edits of the lines that the pull request changes - `true` or `false`.",
        "true",
        kind="flag",
    ),
    Input("token", "Token that may write on pull requests, for the comment and the suggestions."),
    Input("report", "File to write the JSON report to.", REPORT_PATH),
    Input("sarif", "File to write a SARIF report to, for code scanning."),
    Input("junit", "File to write a JUnit report to."),
    Input("summary", "Write the summary page of the run - `true` or `false`.", "true", kind="flag"),
    Input(
        "annotations",
        "Show findings on the lines of the pull request - `true` or `false`.",
        "true",
        kind="flag",
    ),
    Input(
        "allow-untrusted-code",
        "Run anybody's code in events that have the base's rights - `true` or `false`.",
        "false",
        kind="flag",
    ),
)
