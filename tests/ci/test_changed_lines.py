"""The lines of a change, from the text of a diff."""

from __future__ import annotations

import os

import pytest

from migration_gate.ci.changed_lines import parse_diff
from migration_gate.facts import ChangedFile, LineRange, Location

EDITED = """\
diff --git a/app/models.py b/app/models.py
index 1111111..2222222 100644
--- a/app/models.py
+++ b/app/models.py
@@ -3 +3 @@ class User:
-    a
+    b
@@ -10,2 +9,0 @@
-    c
-    d
@@ -20,0 +18,3 @@
+    e
+    f
+    g
"""
ADDED = """\
diff --git a/new.py b/new.py
new file mode 100644
--- /dev/null
+++ b/new.py
@@ -0,0 +1,2 @@
+a
+b
\\ No newline at end of file
"""
DELETED = """\
diff --git a/old.py b/old.py
deleted file mode 100644
--- a/old.py
+++ /dev/null
@@ -1,2 +0,0 @@
-a
-b
"""
RENAMED = """\
diff --git a/old.py b/dir with space/new.py
similarity index 90%
rename from old.py
rename to dir with space/new.py
--- a/old.py
+++ b/dir with space/new.py\t
@@ -2 +2 @@
-a
\\ No newline at end of file
+b
\\ No newline at end of file
"""
ONLY_RENAMED = """\
diff --git a/old.py b/newer.py
similarity index 100%
rename from old.py
rename to newer.py
"""
BINARY = """\
diff --git a/logo.png b/logo.png
index 1111111..2222222 100644
Binary files a/logo.png and b/logo.png differ
"""
LIKE_HEADERS = """\
diff --git a/notes.sql b/notes.sql
--- a/notes.sql
+++ b/notes.sql
@@ -1,2 +1,2 @@
--- a/other.py
-@@ -1 +1 @@
+++ b/other.py
+@@ -7 +7 @@
@@ -5 +5 @@
-x
+\x0c\x1c\u2028\r
"""
MODE = """\
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
"""


def test_the_lines_of_each_file_are_those_of_the_new_side() -> None:
    text = "".join((EDITED, ADDED, DELETED, RENAMED, ONLY_RENAMED, BINARY, LIKE_HEADERS, MODE))
    assert parse_diff(text) == (
        ChangedFile("app/models.py", (LineRange(3, 3), LineRange(10, 9), LineRange(18, 20))),
        ChangedFile("new.py", (LineRange(1, 2),)),
        ChangedFile("dir with space/new.py", (LineRange(2, 2),)),
        ChangedFile("notes.sql", (LineRange(1, 2), LineRange(5, 5))),
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (r'"b/caf\303\251.py"', "café.py"),
        (r'"b/quo\"te\\back\tslash.py"', 'quo"te\\back\tslash.py'),
        (r'"b/new\nline.py"', "new\nline.py"),
        (r'"b/latin\351.py"', os.fsdecode(b"latin\xe9.py")),
        ("b/b/a.py", "b/a.py"),
        ("b/dev/null", "dev/null"),
    ],
)
def test_a_quoted_path_is_the_one_of_the_file_system(name: str, path: str) -> None:
    text = f"--- a/x\n+++ {name}\n@@ -1 +1 @@\n-a\n+b\n"
    assert parse_diff(text) == (ChangedFile(path, (LineRange(1, 1),)),)


@pytest.mark.parametrize("text", ["", "\n", "warning: nothing\n", "@@ -1 +1 @@\n-a\n+b\n", EDITED[:80]])
def test_no_diff_and_half_a_diff_have_no_lines(text: str) -> None:
    assert parse_diff(text) == ()


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (Location("a.py", 3), 3),
        (Location("a.py", 2), None),
        (Location("a.py", 2, 3), 3),
        (Location("a.py", 1, 2), None),
        (Location("a.py", 9, 10), 9),  # lines between 9 and 10 were deleted
        (Location("a.py", 9), None),
        (Location("a.py", 10, 12), None),
        (Location("a.py", 15, 30), 18),
        (Location("a.py", 19, 30), 19),
        (Location("a.py", 99, 120), 99),
        (Location("a.py"), 3),
    ],
)
def test_a_location_is_in_the_change_by_the_first_of_its_lines_that_is(
    location: Location, line: int | None
) -> None:
    lines = (LineRange(3, 3), LineRange(10, 9), LineRange(18, 20), LineRange(90, None))
    assert ChangedFile("a.py", lines).find_line(location) == line


def test_a_file_without_lines_has_no_location_in_the_change() -> None:
    assert ChangedFile("a.py", ()).find_line(Location("a.py")) is None
