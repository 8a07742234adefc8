"""Suggestions: their text, the lines of the diff on which they may be, and that each is written once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migration_gate.action.diff_patch import has_edited_lines
from migration_gate.action.github_client import CommentRefused, NotCommented
from migration_gate.action.publish import publish_comments
from migration_gate.action.published_suggestions import WITHDRAWN_REVIEW
from migration_gate.action.request import ActionRequest
from migration_gate.action.review_client import REVIEW_BODY, write_suggestions
from migration_gate.config.settings import Allowance
from migration_gate.edits.suggested_edits import EditMaker
from migration_gate.facts import COLUMN_FUNCTIONS, Location, SetKeyword, SourceEdit
from migration_gate.report.suggestion import OUTDATED, RunSuggestions, parse_marker, render_suggestions
from migration_gate.verdict.outcome import ProjectReport, Report
from tests.action.test_action import pull_request
from tests.action.test_comment_client import fail, pass_on
from tests.support import example_reports
from tests.support.github_api import Answer, GitHub, serve_github

HEAD = "a" * 40
OLD, NEW = "    email = Column(String)", "    email = Column(String, nullable=False)"
EDIT = SourceEdit("app/models.py", 9, (OLD,), (NEW,), "In the model:")
BLOCK = SourceEdit("app/models.py", 20, ("a(", "  1,", ")"), ("a(", "  2,", ")"))
PATCH = f"""@@ -1,2 +1,2 @@
-import old
+import new
 x = 1
@@ -7,3 +7,3 @@ class User(Base):
     id = Column(Integer)

-    email = Column(Text)
+{OLD}
\\ No newline at end of file
@@ -19,0 +20,3 @@
+a(
+  1,
+)"""


def make_project(*edits: SourceEdit) -> ProjectReport:
    """A blocked project whose first finding has these edits."""
    project = example_reports.blocked()
    return replace(project, verdicts=(replace(project.verdicts[0], edits=edits),))


def suggest(*edits: SourceEdit, scope: str = ".") -> RunSuggestions:
    return render_suggestions([make_project(*edits)], scope)


@pytest.fixture
def github() -> Iterator[GitHub]:
    with serve_github() as state:
        state.head = HEAD
        state.files = [{"filename": "README.md"}, {"filename": "app/models.py", "patch": PATCH}]
        yield state


@pytest.mark.parametrize(
    ("first_line", "lines", "is_there"),
    [
        (1, ("import new",), True),
        (1, ("import new", "x = 1"), True),
        (1, ("import old",), False),
        (2, ("import new",), False),  # a merge moved it
        (2, ("x = 1", "    id = Column(Integer)"), False),
        (8, ("",), True),
        (9, (OLD,), True),
        (9, (OLD, ""), False),
        (20, ("a(", "  1,", ")"), True),
        (22, (")", "b"), False),
    ],
)
def test_lines_are_in_a_diff_by_their_number_and_text_in_one_hunk(
    first_line: int, lines: tuple[str, ...], *, is_there: bool
) -> None:
    edit = SourceEdit("a.py", first_line, lines, ())
    assert has_edited_lines(PATCH, edit) is is_there
    assert has_edited_lines(PATCH.replace("\n\n", "\n \n"), edit) is is_there
    assert not has_edited_lines("", edit)


@pytest.mark.parametrize(("added", "is_there"), [(0, True), (3, False)])
def test_an_equal_line_that_a_merge_moved_to_the_number_is_another_line(
    added: int, *, is_there: bool
) -> None:
    """Three equal columns; the base has got lines above them that the branch lacks."""
    classes = [
        line
        for name in "abc"
        for line in (f"class {name}(Base):", '    __tablename__ = "x"', "    email = Column(String)")
    ]
    patch = "\n".join(("@@ -0,0 +1,9 @@", *(f"+{line}" for line in classes)))
    merged = "\n".join((*(f"# {number}" for number in range(added)), *classes, ""))
    correction = SetKeyword(Location("a.py", 6), COLUMN_FUNCTIONS, "nullable", "False")
    (edit,) = EditMaker({"a.py": merged}).make_edits([correction])
    assert has_edited_lines(patch, edit) is is_there


def test_a_suggestion_has_its_finding_and_the_exact_lines() -> None:
    (suggestion,) = suggest(EDIT).suggestions
    marker, _, heading, _, introduction, _, *block, end = suggestion.body.split("\n")
    assert marker == str(suggestion.marker)
    assert parse_marker(suggestion.body) == suggestion.marker
    old = parse_marker("<!-- migration-gate suggestion=0123456789abcdef -->\n")
    assert old is not None
    assert old.scope == ""
    assert heading.startswith("🔴 <b>error</b> ")
    assert introduction == "In the model:"
    assert (block, end) == (["```suggestion", NEW, "```"], "")


def test_the_text_of_a_suggestion_stays_in_its_block() -> None:
    text = "    x = '```'  # ```` @all <!-- migration-gate suggestion=0123456789abcdef -->"
    finding = replace(example_reports.blocked().verdicts[0].finding, message="`a` @all <script> ```")
    project = make_project(replace(EDIT, new_lines=(text,), introduction="If `b` @all\n# was meant:"))
    project = replace(project, verdicts=(replace(project.verdicts[0], finding=finding),))
    (suggestion,) = render_suggestions([project]).suggestions
    outside, block = suggestion.body.split("`````suggestion\n")
    assert block == f"{text}\n`````\n"
    assert "@all" not in outside
    assert "<script" not in outside
    assert parse_marker(f"see\n{suggestion.body}") is None


def test_of_edits_that_overlap_only_the_first_is_suggested() -> None:
    wide = replace(BLOCK, first_line=19, old_lines=("x", "a("))
    assert [item.edit for item in suggest(BLOCK, EDIT, wide, EDIT).suggestions] == [BLOCK, EDIT]
    elsewhere = replace(BLOCK, file="other.py")
    assert len(suggest(BLOCK, elsewhere).suggestions) == 2


def test_a_key_depends_on_the_edit_and_not_on_its_line() -> None:
    (first,), (moved,), (other,) = (
        suggest(EDIT).suggestions,
        suggest(replace(EDIT, first_line=77)).suggestions,
        suggest(replace(EDIT, new_lines=("y",))).suggestions,
    )
    assert first.marker == moved.marker != other.marker


def test_what_is_allowed_is_not_suggested() -> None:
    project = make_project(EDIT)
    verdict = replace(project.verdicts[0], allowed=Allowance("drift", "known"))
    assert render_suggestions([replace(project, verdicts=(verdict,))]).suggestions == ()


@pytest.mark.slow
def test_suggestions_are_one_review_and_are_written_once(github: GitHub) -> None:
    suggestions = suggest(EDIT, BLOCK, replace(EDIT, file="gone.py"), replace(EDIT, first_line=8))
    assert write_suggestions(github.pull_request(), HEAD, suggestions) == "written"
    (review,) = github.reviews
    assert (review["commit_id"], review["event"]) == (HEAD, "COMMENT")
    one, block = review["comments"]
    assert {key: one[key] for key in one if key != "body"} == {
        "path": "app/models.py",
        "line": 9,
        "side": "RIGHT",
    }
    assert (block["start_line"], block["start_side"], block["line"]) == (20, "RIGHT", 22)
    requests = len(github.requests)
    assert write_suggestions(github.pull_request(), HEAD, suggest(EDIT, BLOCK)) == "unchanged"
    moved = suggest(replace(EDIT, first_line=10), BLOCK)
    assert write_suggestions(github.pull_request(), HEAD, moved) == "unchanged"
    assert len(github.reviews) == 1
    assert len(github.requests) == requests + 4, "the comments and the account, twice"


@pytest.mark.slow
def test_without_suggestions_only_those_of_earlier_runs_are_looked_for(github: GitHub) -> None:
    assert write_suggestions(github.pull_request(), HEAD, suggest()) == "unchanged"
    assert [method for method, _ in github.requests] == ["GET"]


@pytest.mark.slow
def test_what_is_not_suggested_any_more_is_deleted(github: GitHub) -> None:
    write_suggestions(github.pull_request(), HEAD, suggest(EDIT))
    write_suggestions(github.pull_request(), HEAD, suggest(EDIT, BLOCK))
    (kept,) = suggest(BLOCK).suggestions
    assert write_suggestions(github.pull_request(), HEAD, suggest(BLOCK)) == "withdrawn"
    assert [comment["body"] for comment in github.review_comments] == [kept.body]
    bodies = [review["body"] for review in github.reviews]
    assert bodies == [WITHDRAWN_REVIEW, REVIEW_BODY]
    assert write_suggestions(github.pull_request(), HEAD, suggest(BLOCK)) == "unchanged"
    assert write_suggestions(github.pull_request(), HEAD, suggest(EDIT, BLOCK)) == "written"
    assert len(github.review_comments) == 2


@pytest.mark.slow
def test_what_somebody_answered_stays_and_says_that_it_is_outdated(github: GitHub) -> None:
    write_suggestions(github.pull_request(), HEAD, suggest(EDIT))
    first = github.review_comments[0]
    github.add_review_comment(author=1, body="Why?", in_reply_to_id=first["id"])
    assert write_suggestions(github.pull_request(), HEAD, suggest()) == "withdrawn"
    assert first["body"].startswith(OUTDATED)
    assert "suggestion" not in first["body"]
    assert f"```\n{NEW}\n```" in first["body"]
    assert [comment["body"] for comment in github.review_comments[1:]] == ["Why?"]
    assert github.reviews[0]["body"] == REVIEW_BODY
    assert write_suggestions(github.pull_request(), HEAD, suggest()) == "unchanged"
    assert write_suggestions(github.pull_request(), HEAD, suggest(EDIT)) == "written"


@pytest.mark.slow
def test_nothing_of_others_or_of_other_runs_is_withdrawn(github: GitHub) -> None:
    (mine,) = suggest(EDIT).suggestions
    without_scope = "<!-- migration-gate suggestion=0123456789abcdef -->\n"
    github.add_review({"comments": [{"body": mine.body}]}, author=1)
    write_suggestions(github.pull_request(), HEAD, suggest(BLOCK, scope="other"))
    github.add_review({"comments": [{"body": without_scope}, {"body": "Fine."}, {"body": f"> {mine.body}"}]})
    before = [*github.review_comments]
    assert write_suggestions(github.pull_request(), HEAD, suggest()) == "unchanged"
    assert github.review_comments == before
    assert {method for method, path in github.requests if path != "/graphql"} == {"GET", "POST"}


@pytest.mark.slow
def test_nothing_is_withdrawn_by_a_run_that_has_not_judged_everything(github: GitHub) -> None:
    write_suggestions(github.pull_request(), HEAD, suggest(EDIT))
    verdict = example_reports.blocked().verdicts[0]
    for project in (
        example_reports.broken(),
        replace(make_project(), verdicts=(replace(verdict, check="failing-upgrade"),)),
        replace(make_project(), verdicts=(replace(verdict, check="unchecked"),)),
    ):
        run = render_suggestions([make_project(), project], ".")
        assert write_suggestions(github.pull_request(), HEAD, run) == "unchanged"
    assert write_suggestions(github.pull_request(), "b" * 40, suggest()) == "outdated"
    assert len(github.review_comments) == 1
    assert write_suggestions(github.pull_request(), HEAD, suggest()) == "withdrawn"


@pytest.mark.slow
def test_a_withdrawal_whose_answer_got_lost_is_no_error(github: GitHub) -> None:
    write_suggestions(github.pull_request(), HEAD, suggest(EDIT))

    def lost(method: str, path: str) -> Answer:
        github.review_comments.clear()
        return 502, {}, b""

    github.next_answers = [pass_on, pass_on, pass_on, lost]
    assert write_suggestions(github.pull_request(), HEAD, suggest(), wait=lambda seconds: None) == "unchanged"


@pytest.mark.slow
def test_nothing_is_written_on_an_older_commit_or_beside_the_diff(github: GitHub) -> None:
    assert write_suggestions(github.pull_request(), "b" * 40, suggest(EDIT)) == "outdated"
    assert write_suggestions(github.pull_request(), HEAD, suggest(replace(EDIT, first_line=3))) == "unneeded"
    assert github.reviews == []


@pytest.mark.slow
def test_a_marker_of_somebody_else_keeps_no_suggestion_away(github: GitHub) -> None:
    (suggestion,) = suggest(EDIT).suggestions
    github.add_review({"comments": [{"body": suggestion.body}]}, author=1)
    assert write_suggestions(github.pull_request(), HEAD, suggest(EDIT)) == "written"
    assert len(github.reviews) == 2


@pytest.mark.slow
def test_a_review_whose_answer_got_lost_is_not_written_twice(github: GitHub) -> None:
    waits: list[float] = []

    def lost(method: str, path: str) -> Answer:
        github.add_review({"comments": [{"body": suggest(EDIT).suggestions[0].body}]})
        return 502, {}, b""

    github.next_answers = [pass_on, pass_on, pass_on, lost]
    assert write_suggestions(github.pull_request(), HEAD, suggest(EDIT), wait=waits.append) == "unchanged"
    assert (len(github.reviews), waits) == (1, [1.0])


@pytest.mark.slow
@pytest.mark.parametrize(("status", "error"), [(403, CommentRefused), (422, NotCommented)])
def test_a_review_that_is_refused_is_not_repeated(
    github: GitHub, status: int, error: type[NotCommented]
) -> None:
    github.next_answers = [pass_on, pass_on, pass_on, fail(status)]
    with pytest.raises(error, match=str(status)):
        write_suggestions(github.pull_request(), HEAD, suggest(EDIT), wait=lambda seconds: None)
    assert github.reviews == []


@pytest.mark.slow
def test_a_pull_request_has_at_most_ten_at_a_time(github: GitHub) -> None:
    lines = [f"line {number}" for number in range(1, 31)]
    github.files = [{"filename": "a.py", "patch": "\n".join(("@@ -0,0 +1,30 @@", *(f"+{x}" for x in lines)))}]
    edits = [SourceEdit("a.py", number, (line,), (f"new {number}",)) for number, line in enumerate(lines, 1)]
    assert write_suggestions(github.pull_request(), HEAD, suggest(*edits)) == "written"
    assert len(github.review_comments) == 10
    assert write_suggestions(github.pull_request(), HEAD, suggest(*edits)) == "unneeded"
    assert write_suggestions(github.pull_request(), HEAD, suggest(*edits[9:])) == "written"
    assert len(github.review_comments) == 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suggestions", "answers", "reviews", "notices"),
    [
        (True, [], 1, []),
        (False, [], 0, []),
        (True, [fail(403)], 0, ["No comment: the token may not write comments here (HTTP 403)."]),
        (
            True,
            [pass_on] * 5 + [fail(422)],
            0,
            ["No suggestions: GitHub answered with HTTP 422."],
        ),
    ],
)
def test_suggestions_come_with_the_comment_and_fail_no_run(
    github: GitHub,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    suggestions: bool,
    answers: list[Callable[[str, str], Answer | None]],
    reviews: int,
    notices: list[str],
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps(pull_request(github)))
    environ = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event), "GITHUB_SHA": "b" * 40}
    environ |= {"GITHUB_API_URL": github.address, "GITHUB_SERVER_URL": "https://github.com"}
    github.next_answers = list(answers)
    request = ActionRequest(suggestions=suggestions)
    publish_comments(environ, Report((make_project(EDIT),)), request, "hush")
    assert len(github.reviews) == reviews
    printed = capsys.readouterr().out
    assert [line.partition("::No ")[2] for line in printed.splitlines()] == [
        f"{notice.removeprefix('No ')} The summary of this run has it all." for notice in notices
    ]
