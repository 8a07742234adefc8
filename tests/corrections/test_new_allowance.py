"""A comment that allows a finding is added to a file of any form, and every other byte stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration_gate.corrections.new_allowance import AllowRequest, allow_finding, make_comment
from migration_gate.errors import Misconfigured
from migration_gate.report.json_document import JsonVerdict
from migration_gate.report.json_report import render
from migration_gate.verdict.allow import find_allow_comments
from migration_gate.verdict.outcome import Report
from tests.support.example_reports import blocked

COMMENT = b"# migration-gate: allow nullable-owner -- as it was"


def make_verdict(file: str, line: int) -> JsonVerdict:
    return JsonVerdict(
        "ab", "nullable-owner", None, "error", True, "a.b", "", file, line, None, (), "", None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "line", "added"),
    [
        (b"class A:\r\n\tb = 1\r\n\tc = 2\r\n", 2, b"\t" + COMMENT + b"\r\n"),
        (b"class A:\r\n    b = 1\n    c = 2\r\n", 2, b"    " + COMMENT + b"\r\n"),
        (b"\x0c\nclass A:\n    b = 1", 3, b"    " + COMMENT + b"\n"),
        ("s = '\u2028'\nb = 1\n".encode(), 2, COMMENT + b"\n"),
        (b"\xef\xbb\xbfb = 1\nc = 2\n", 2, COMMENT + b"\n"),
        (b"s = 0\rb = 1\r", 2, COMMENT + b"\r"),
    ],
)
def test_a_comment_stands_above_the_line(tmp_path: Path, before: bytes, line: int, added: bytes) -> None:
    file = tmp_path / "models.py"
    file.write_bytes(before)
    edit = make_comment(AllowRequest(tmp_path, "ab", "as it was"), make_verdict("models.py", line), tmp_path)
    edit.write()
    after = file.read_bytes()
    assert after.replace(added, b"") == before
    (comment,) = find_allow_comments({"models.py": after.decode()})
    assert (comment.line, comment.fault) == (line, "")


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"s = '''\nb = 1\n'''\n", 2, "no comment can stand above line 2"),
        (b"a = 1 + \\\n    2\n", 2, "no comment can stand above line 2"),
        (b"a = 1\n", 7, "has no line 7"),
        (b"a = '\xe9'\n", 1, "cannot be read"),
    ],
)
def test_where_none_can_stand_the_file_stays_as_it_is(
    tmp_path: Path, content: bytes, line: int, words: str
) -> None:
    file = tmp_path / "models.py"
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match=words):
        make_comment(AllowRequest(tmp_path, "ab", "r"), make_verdict("models.py", line), tmp_path)
    assert file.read_bytes() == content


def test_no_file_outside_of_the_repository_gets_one(tmp_path: Path) -> None:
    """A report may be a stranger's."""
    (tmp_path / "outside.py").write_text("a = 1\n")
    top = tmp_path / "repository"
    top.mkdir()
    (top / "link.py").symlink_to(tmp_path / "outside.py")
    for file in ("../outside.py", "link.py", str(tmp_path / "outside.py")):
        with pytest.raises(Misconfigured, match="no line of a file"):
            make_comment(AllowRequest(top, "ab", "r"), make_verdict(file, 1), top)


@pytest.mark.parametrize("reason", ["", " \n"])
def test_without_a_reason_nothing_is_written(tmp_path: Path, reason: str) -> None:
    with pytest.raises(Misconfigured, match="reason is empty"):
        allow_finding(AllowRequest(tmp_path, "ab", reason, writes=True), {})
    assert not list(tmp_path.iterdir())


def test_what_is_forbidden_to_be_allowed_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".migration-gate.yml").write_text("forbid_allow: [drift]\n")
    report = tmp_path / "report.json"
    report.write_text(render(Report((blocked(),))))
    finding = next(verdict.id for verdict in blocked().verdicts if verdict.check == "drift")
    with pytest.raises(Misconfigured, match="`forbid_allow` names it"):
        allow_finding(AllowRequest(tmp_path, finding, "r", report=report, writes=True), {})


@pytest.mark.parametrize("is_comment", [False, True])
def test_what_is_allowed_since_the_report_was_written_is_not_allowed_twice(
    tmp_path: Path, *, is_comment: bool
) -> None:
    verdict = next(item for item in blocked().verdicts if item.check == "drift" and item.finding.location)
    location = verdict.finding.location
    assert location is not None
    report, model = tmp_path / "report.json", tmp_path / location.file
    report.write_text(render(Report((blocked(),))))
    model.parent.mkdir(parents=True)
    model.write_text("\n" * ((location.line or 1) - 1) + "# migration-gate: allow drift -- by hand\nx = 1\n")
    if not is_comment:
        (tmp_path / ".migration-gate.yml").write_text("allow: [{check: drift, reason: by hand}]\n")
    request = AllowRequest(tmp_path, verdict.id, "r", is_comment=is_comment, report=report, writes=True)
    text, status = allow_finding(request, {})
    assert (status, "allowed already: by hand" in text) == (0, True), text
