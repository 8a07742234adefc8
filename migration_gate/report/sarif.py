"""The report as SARIF 2.1.0, which GitHub's code scanning and other tools read.

There is one run, whatever the number of projects: code scanning refuses several runs of one tool in one file.
"""

from __future__ import annotations

import gzip
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from migration_gate.check import Check, check_name
from migration_gate.config.settings import Allowance
from migration_gate.facts import Location, SourceEdit
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.anchor import anchor_location, is_in_repository, quote_path, verdict_fingerprint
from migration_gate.report.check_page import HOME, check_page
from migration_gate.report.markdown import escape_markdown, fence_code
from migration_gate.report.printable_text import escape_unprintable, shorten_text, split_blocks
from migration_gate.verdict.judge import JUDGE_CHECKS
from migration_gate.verdict.outcome import SEVERITY_RANK, ProjectReport, Report, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 25_000
"""results of one run that code scanning accepts; it shows the first 5,000"""
MAX_BYTES = 10_000_000
"""of one file, compressed, that code scanning accepts"""
SENTENCE_LENGTH = 1000
"""characters"""
TEXT_LENGTH = 4000
"""characters of one piece of evidence or of a fix"""
BASELINE_STATES = {"new": "new", "worse": "updated", "old": "unchanged"}
"""what a finding is beside the base, in the words of SARIF"""
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class ProjectVerdict:
    """A verdict with the project that it is about."""

    verdict: Verdict
    project: ProjectReport


def render(
    report: Report,
    checks: Iterable[Check] = (),
    *,
    max_results: int = MAX_RESULTS,
    max_bytes: int = MAX_BYTES,
) -> str:
    """One SARIF log, ASCII only, with each of `checks` as a rule.

    Where it would be too large, the least severe results are left out.
    """
    rules = _build_rules(report, checks)
    verdicts = _sort_by_severity(report)
    kept = min(max_results, len(verdicts))
    while True:
        log = _build_log(report, rules, verdicts[:kept], left_out=len(verdicts) - kept)
        text = json.dumps(log, indent=1) + "\n"
        if kept < 2 or _fits(text, max_bytes):
            return text
        kept //= 2


def _fits(text: str, max_bytes: int) -> bool:
    return len(text) < max_bytes or len(gzip.compress(text.encode(), 6)) < max_bytes


def _sort_by_severity(report: Report) -> list[ProjectVerdict]:
    """All verdicts, worst first, allowed ones last."""
    verdicts = [
        ProjectVerdict(verdict, project) for project in report.projects for verdict in project.verdicts
    ]
    verdicts.sort(key=lambda item: (item.verdict.allowed is not None, SEVERITY_RANK[item.verdict.severity]))
    return verdicts


def _build_log(
    report: Report, rules: Mapping[str, Json], verdicts: Sequence[ProjectVerdict], *, left_out: int
) -> Json:
    rule_numbers = {name: number for number, name in enumerate(rules)}
    driver: Json = {
        "name": "Migration Gate",
        "semanticVersion": report.version or "0",
        "informationUri": HOME,
        "rules": list(rules.values()),
    }
    invocation: Json = {
        "executionSuccessful": report.status < 2,
        "exitCode": report.status,
        "toolExecutionNotifications": [*_build_notifications(report, left_out)],
    }
    run: Json = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "migration-gate/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The top of the repository."}}},
        "invocations": [invocation],
        "results": [_build_result(item, rule_numbers[item.verdict.check]) for item in verdicts],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _build_rules(report: Report, checks: Iterable[Check]) -> dict[str, Json]:
    """A rule for each check by its name, also for a check that only the report names."""
    rules = {check_name(check): _build_rule(check) for check in (*checks, *JUDGE_CHECKS)}
    for project in report.projects:
        for verdict in project.verdicts:
            rules.setdefault(verdict.check, {"id": verdict.check})
    return rules


def _build_rule(check: Check) -> Json:
    """A rule whose help is the check's docstring, each paragraph on one line."""
    name = check_name(check)
    docstring = inspect.cleandoc(check.__doc__ or "")
    paragraphs = [paragraph.replace("\n", " ") for paragraph in docstring.split("\n\n")]
    text = "\n\n".join(paragraphs)
    return {
        "id": name,
        "shortDescription": {"text": docstring.partition("\n")[0]},
        "fullDescription": {"text": shorten_text(" ".join(docstring.split()), SENTENCE_LENGTH)},
        "help": {"text": text, "markdown": text},
        "helpUri": check_page(name),
        "defaultConfiguration": {"level": check.SEVERITY.value},
        "properties": {"tags": ["database", "migrations"]},
    }


def _build_notifications(report: Report, left_out: int) -> Iterator[Json]:
    """The projects that could not be examined, and how many results are left out."""
    for project in report.projects:
        if problem := project.problem:
            text = "\n".join(filter(None, (project.name, problem.message, problem.advice)))
            yield {"level": "error", "message": {"text": _escape_sentence(text)}}
    if left_out:
        text = f"{left_out} more results are left out, the least severe ones: the file would be too large."
        yield {"level": "warning", "message": {"text": text}}


def _build_result(item: ProjectVerdict, rule_number: int) -> Json:
    verdict, finding = item.verdict, item.verdict.finding
    fingerprint = verdict_fingerprint(verdict)
    location: Json = {
        "physicalLocation": _build_location(anchor_location(verdict, item.project)),
        "logicalLocations": [{"fullyQualifiedName": _escape_line(finding.object)}],
    }
    result: Json = {
        "ruleId": verdict.check,
        "ruleIndex": rule_number,
        "level": verdict.severity.value,
        "message": {"text": _escape_sentence(finding.headline), "markdown": _render_markdown(verdict)},
        "locations": [location],
        # Code scanning recognizes a result in later runs by the first of these alone.
        "partialFingerprints": {
            "primaryLocationLineHash": f"{fingerprint}:1",
            "migrationGate/v1": fingerprint,
        },
        "properties": {
            "project": _escape_line(verdict.project),
            "kind": finding.kind or "",
            "revision": escape_unprintable(finding.revision or ""),
        },
    }
    if verdict.novelty:
        result["baselineState"] = BASELINE_STATES[verdict.novelty]
    if verdict.edits:
        result["fixes"] = [_build_fix(edit) for edit in verdict.edits]
    if verdict.allowed:
        result["suppressions"] = [_build_suppression(verdict.allowed)]
    return result


def _build_fix(edit: SourceEdit) -> Json:
    """The edit that a suggestion has as well. Where there are several, each is an alternative to the others.

    The text is exact. What it replaces ends before the end of the last line; after it if nothing takes its
    place.
    """
    region: Json = {"startLine": edit.first_line, "startColumn": 1}
    if edit.new_lines:
        region |= {"endLine": edit.last_line, "endColumn": len(edit.old_lines[-1]) + 1}
    else:
        region |= {"endLine": edit.last_line + 1, "endColumn": 1}
    replacement: Json = {"deletedRegion": region, "insertedContent": {"text": "\n".join(edit.new_lines)}}
    change: Json = {"artifactLocation": _build_artifact(edit.file), "replacements": [replacement]}
    description = _escape_sentence(edit.introduction.strip().removesuffix(":")) or "Replace these lines."
    return {"description": {"text": description}, "artifactChanges": [change]}


def _build_suppression(allowance: Allowance) -> Json:
    # Comments with allowances stand in Python files; the others are entries of a configuration file.
    is_comment = allowance.where.partition(":")[0].endswith(".py")
    return {
        "kind": "inSource" if is_comment else "external",
        "status": "accepted",
        "justification": _escape_sentence(allowance.reason) or "allowed",
    }


def _build_location(location: Location) -> Json:
    return {
        "artifactLocation": _build_artifact(location.file),
        "region": {"startLine": max(location.line or 1, 1)},
    }


def _build_artifact(file: str) -> Json:
    """A file of the repository is given relative to its top."""
    address = quote_path(file)
    if is_in_repository(file):
        return {"uri": address, "uriBaseId": "%SRCROOT%"}
    return {"uri": f"file://{address}" if file.startswith("/") else address}


def _render_markdown(verdict: Verdict) -> str:
    """The message, the evidence and the fix."""
    finding = verdict.finding
    parts = [escape_markdown(finding.headline)]
    for piece in finding.evidence:
        parts.append(f"{escape_markdown(piece.label)}\n\n{fence_code(piece.text, limit=TEXT_LENGTH)}")
    for block in split_blocks(finding.fix[:TEXT_LENGTH]):
        parts.append(fence_code(block.text) if block.is_code else escape_markdown(block.text))
    return "\n\n".join(parts)


def _escape_line(text: str) -> str:
    return escape_unprintable(shorten_text(text, SENTENCE_LENGTH))


def _escape_sentence(text: str) -> str:
    """May have several lines."""
    return escape_unprintable(shorten_text(text, SENTENCE_LENGTH), keep_lines=True)
