"""Who judges the change where `policy: base` holds: the settings of its base.

It holds if the workflow says so (a variable, an option), else if the configuration file at the base does,
else if that of the change does: a branch cannot take it back. Only what judges is the base's: checks,
allowances, `fail_on`, `scope`, `owners`, `raw_sql`, the sizes of tables. The change tells where the project
is, and how it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from migration_gate.change.gate_file_reading import (
    export_gate_files,
    find_trusted_base,
    has_gate_files,
    load_settings_of_tree,
)
from migration_gate.ci.base_revision import Comparison
from migration_gate.config.judging_settings import is_of_workflow, take_judging_settings
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError, Misconfigured
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass

BASE: Literal["base"] = "base"


@dataclass(frozen=True, slots=True)
class JudgingPolicy:
    """The settings that judge."""

    settings: Settings
    note: str = ""
    """for the report"""
    commit: str = ""
    """whose settings were taken; '' if they are those of the change"""


def choose_policy(settings: Settings, comparison: Comparison, environ: Mapping[str, str]) -> JudgingPolicy:
    """The settings of the change, with what judges from its base if the policy says so.

    Raises Misconfigured if the base's configuration is to judge, and cannot be read.
    """
    commit = find_trusted_base(settings, comparison, environ)
    if commit is None:
        note = f"`policy: base` has no base ({comparison.base.reason}): the change's own settings judged it"
        return JudgingPolicy(settings, note if settings.policy == BASE else "")
    if commit == comparison.base.commit and not has_gate_files(settings, comparison):
        if settings.policy != BASE or not comparison.files:
            return JudgingPolicy(settings)
        return JudgingPolicy(settings, _describe(commit, "which the change does not touch"), commit)
    return take_settings_of(settings, commit)


def take_settings_of(settings: Settings, commit: str) -> JudgingPolicy:
    """The settings with what judges from a commit, if the policy says so."""
    is_of_the_workflow = is_of_workflow(settings, "policy")
    if is_of_the_workflow and settings.policy != BASE:
        return JudgingPolicy(settings)
    top = find_repository_root(settings.root)
    try:
        with export_gate_files(settings, commit) as tree:
            files = load_settings_of_tree(settings, top, tree)
    except GateError as error:
        if settings.policy != BASE:
            return JudgingPolicy(settings)  # `loosened-gate` says that it cannot be read
        raise Misconfigured(
            f"`policy: base` has the settings of commit {commit[:12]} judge, which cannot be read: "
            f"{error.message}",
            where=error.where,
            advice="Correct the configuration at the base, or unset `policy`.",
        ) from error
    if BASE not in (settings.policy, files.merged["policy",].value):
        return JudgingPolicy(settings)
    judging = take_judging_settings(settings, files.merged)
    note = _describe(commit, "not by those of the change")
    return JudgingPolicy(replace(judging, policy=BASE), note, commit)


def _describe(commit: str, addition: str) -> str:
    return f"judged by the settings of the base, commit {commit[:12]}, {addition} (`policy: base`)"
