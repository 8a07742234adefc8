"""The variables with which git runs: what a checkout's own configuration names is not run.

`.git/config` and `.gitattributes` can name programs: filters, helpers for credentials, a pager, a monitor of
the file system, transports. The checkout may be a stranger's, so none of them has a say here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

SETTINGS = {
    "safe.directory": "*",  # the checkout may belong to another user
    "core.alternateRefsCommand": "",
    "core.askPass": "",
    "core.fsmonitor": "false",
    "core.gitProxy": "",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.sshCommand": "ssh",
    "credential.helper": "",  # (an empty one forgets those before it)
    "diff.external": "",
    "gpg.program": "false",
    "submodule.recurse": "false",
}
WITHOUT_QUESTIONS = {
    "GIT_ASKPASS": "",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_SSH_COMMAND": "ssh",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
NO_PROTOCOL = "none"
"""for commands that need nothing from elsewhere: git before 2.44 has no other way to forbid a fetch"""
FETCH_PROTOCOLS = "file:git:http:https:ssh"
"""for a fetch; without `ext`, which runs a program"""
PROGRAM_KEYS = (
    r"^(filter\..*\.(clean|smudge|process|required)|diff\..*\.(command|textconv)|merge\..*\.driver)$"
)
"""a pattern for `git config --get-regexp`: settings under a name of the repository's choice"""
HELPER_KEYS = r"^credential\..*\.helper$"


def build_environment(configured_keys: Iterable[str] = (), *, fetches: bool = False) -> dict[str, str]:
    """The caller's variables without those that point git elsewhere, and with our settings.

    `configured_keys` are settings of the repository that are emptied. Settings travel as environment
    variables, so that no configuration file is changed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    protocols = FETCH_PROTOCOLS if fetches else NO_PROTOCOL
    settings = SETTINGS | dict(_override(key) for key in configured_keys)
    return environment | WITHOUT_QUESTIONS | {"GIT_ALLOW_PROTOCOL": protocols} | _as_variables(settings)


def _override(key: str) -> tuple[str, str]:
    """The setting that takes the effect of one that names a program, or that wants it to have run."""
    return key, "false" if key.endswith(".required") else ""


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
