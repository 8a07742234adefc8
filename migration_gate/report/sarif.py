"""The report as SARIF 2.1.0, for GitHub's code scanning and whoever else reads it.

One run, whatever the number of projects: code scanning refuses several runs of one tool in one file.
"""

from __future__ import annotations

import gzip
import inspect
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from migration_gate.check import Check, check_name
from migration_gate.facts import Location
from migration_gate.report.anchor import anchor_location, is_in_repository, verdict_fingerprint
from migration_gate.report.markdown import escape_markdown, fence_code
from migration_gate.report.printable_text import escape_unprintable, shorten_text, split_blocks
from migration_gate.verdict.judge import JUDGE_CHECKS
from migration_gate.verdict.outcome import SEVERITY_RANK, ProjectReport, Report, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/migration-gate/migration-gate"
RESULTS = 25_000
"""results that code scanning takes of one run; it shows the first 5,000"""
BYTES = 10_000_000
"""that it takes of one file, compressed"""
LENGTH = 1000
"""characters of a sentence"""
TEXT = 4000
"""characters of one piece of evidence or of a fix"""
Json = dict[str, object]


def render(report: Report, checks: Iterable[Check] = (), *, limit: int = RESULTS, size: int = BYTES) -> str:
    """One SARIF log, ASCII only; where it would be too large, the mildest results are left out."""
    rules = _rules(report, tuple(checks))
    every = [(verdict, project) for project in report.projects for verdict in project.verdicts]
    every.sort(key=lambda pair: (pair[0].allowed is not None, SEVERITY_RANK[pair[0].severity]))
    kept = min(limit, len(every))
    while True:
        text = json.dumps(_log(report, rules, every[:kept], len(every) - kept), indent=1) + "\n"
        if kept < 2 or len(text) < size or len(gzip.compress(text.encode(), 6)) < size:
            return text
        kept //= 2


def _log(report: Report, rules: list[Json], kept: list[tuple[Verdict, ProjectReport]], left_out: int) -> Json:
    number = {rule["id"]: at for at, rule in enumerate(rules)}
    driver: Json = {
        "name": "Migration Gate",
        "semanticVersion": report.version or "0",
        "informationUri": HOME,
        "rules": rules,
    }
    invocation: Json = {
        "executionSuccessful": report.status < 2,
        "exitCode": report.status,
        "toolExecutionNotifications": [*_notifications(report, left_out)],
    }
    run: Json = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "migration-gate/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The top of the repository."}}},
        "invocations": [invocation],
        "results": [_result(verdict, project, number[verdict.check]) for verdict, project in kept],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules(report: Report, checks: tuple[Check, ...]) -> list[Json]:
    """Every check as a rule, with its docstring as help; also those that only a report names."""
    rules: dict[str, Json] = {}
    for check in (*checks, *JUDGE_CHECKS):
        text = inspect.cleandoc(check.__doc__ or "")
        first = text.partition("\n")[0]
        prose = "\n\n".join(" ".join(part.split("\n")) for part in text.split("\n\n"))
        rules[check_name(check)] = {
            "id": check_name(check),
            "shortDescription": {"text": first},
            "fullDescription": {"text": shorten_text(" ".join(text.split()), LENGTH)},
            "help": {"text": prose, "markdown": prose},
            "helpUri": f"{HOME}/blob/main/checks/README.md#{check_name(check)}",
            "defaultConfiguration": {"level": check.SEVERITY.value},
            "properties": {"tags": ["database", "migrations"]},
        }
    for verdict in (verdict for project in report.projects for verdict in project.verdicts):
        rules.setdefault(verdict.check, {"id": verdict.check})
    return list(rules.values())


def _notifications(report: Report, left_out: int) -> Iterator[Json]:
    for project in report.projects:
        if problem := project.problem:
            text = "\n".join(filter(None, (project.name, problem.says, problem.advice)))
            yield {"level": "error", "message": {"text": _plain(text)}}
    if left_out:
        text = f"{left_out} more results are left out, the mildest of all: the file would be too large."
        yield {"level": "warning", "message": {"text": text}}


def _result(verdict: Verdict, project: ProjectReport, rule: int) -> Json:
    finding, mark = verdict.finding, verdict_fingerprint(verdict)
    result: Json = {
        "ruleId": verdict.check,
        "ruleIndex": rule,
        "level": verdict.severity.value,
        "message": {"text": _plain(finding.message), "markdown": _markdown(verdict)},
        "locations": [
            {
                "physicalLocation": _physical(anchor_location(verdict, project)),
                "logicalLocations": [
                    {"fullyQualifiedName": escape_unprintable(shorten_text(finding.object, LENGTH))}
                ],
            }
        ],
        # Code scanning follows a result through its life by the first name alone.
        "partialFingerprints": {"primaryLocationLineHash": f"{mark}:1", "migrationGate/v1": mark},
        "properties": {
            "project": escape_unprintable(shorten_text(verdict.project, LENGTH)),
            "kind": finding.kind or "",
            "revision": escape_unprintable(finding.revision or ""),
        },
    }
    if entry := verdict.allowed:
        # Comments stand in Python; entries in a configuration.
        kind = "inSource" if entry.where.partition(":")[0].endswith(".py") else "external"
        result["suppressions"] = [
            {"kind": kind, "status": "accepted", "justification": _plain(entry.reason) or "allowed"}
        ]
    return result


def _physical(place: Location) -> Json:
    file = place.file.replace("\\", "/")
    address = quote(file.encode("utf-8", "backslashreplace"), safe="/")
    inside, outside = is_in_repository(file), f"file://{address}" if file.startswith("/") else address
    where: Json = {"uri": address, "uriBaseId": "%SRCROOT%"} if inside else {"uri": outside}
    return {"artifactLocation": where, "region": {"startLine": max(place.line or 1, 1)}}


def _plain(text: str) -> str:
    return escape_unprintable(shorten_text(text, LENGTH), lines=True)


def _markdown(verdict: Verdict) -> str:
    finding = verdict.finding
    blocks = [escape_markdown(finding.message)]
    blocks += [
        f"{escape_markdown(piece.label)}\n\n{fence_code(piece.text, limit=TEXT)}"
        for piece in finding.evidence
    ]
    blocks += [
        fence_code(block) if is_code else escape_markdown(block)
        for is_code, block in split_blocks(finding.fix[:TEXT])
    ]
    return "\n\n".join(blocks)
