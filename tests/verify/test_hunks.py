import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.hunks import MalformedError, blocks, envelope, unified


def test_unified():
    text = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -3,2 +3,3 @@ def f():\n a\n-b\n+c\n+d\n@@ -9 +10 @@\n-e\n+f\n"
    (edit,) = unified(text)
    assert edit.path == "x.py" and [h.line for h in edit.hunks] == [3, 9]
    assert edit.hunks[0].old == ("a", "b") and edit.hunks[0].new == ("a", "c", "d")


def test_new_and_deleted_files():
    added, deleted = unified(
        "--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x\n--- a/o.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\n"
    )
    assert (added.action, added.path, deleted.action, deleted.path) == ("add", "n.py", "delete", "o.py")


def test_blocks_with_and_without_path():
    text = "src/a.py\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n<<<<<<< SEARCH\nx\n=======\n>>>>>>> REPLACE\n"
    first, second = blocks(text)
    assert first.path == second.path == "src/a.py" and second.hunks[0].new == ()
    (dashes,) = blocks("------- SEARCH\na\n=======\nb\n+++++++ REPLACE\n", "b.py")
    assert dashes.path == "b.py" and dashes.hunks[0].old == ("a",)


@pytest.mark.parametrize(
    "text",
    ["<<<<<<< SEARCH\na\n", "<<<<<<< SEARCH\na\n=======\nb\n", "<<<<<<< SEARCH\na\n=======\nb\n<<<<<<< SEARCH\n"],
)
def test_broken_blocks(text):
    with pytest.raises(MalformedError):
        blocks(text)


def test_envelope():
    text = (
        "*** Begin Patch\n*** Add File: n.py\n+x\n*** Delete File: o.py\n*** Update File: a.py\n*** Move to: "
        "b.py\n@@ class A:\n@@ def f():\n a\n-b\n+c\n*** End of File\n*** End Patch"
    )
    add, delete, update = envelope(text)
    assert add.hunks[0].new == ("x",) and delete.action == "delete"
    assert update.hunks[0].anchors == ("class A:", "def f():") and update.hunks[0].old == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "*** Begin Patch\n*** Update File: a\n@@\n-a\n",
        "*** Begin Patch\n*** End Patch",
        "*** Begin Patch\nhello\n*** End Patch",
        "*** Begin Patch\n*** Add File: a\nx\n*** End Patch",
        "*** Begin Patch\n*** Update File: a\n@@\n-a\n?b\n*** End Patch",
        "*** Begin Patch\n*** Update File: a\n*** End Patch",
    ],
)
def test_broken_envelopes(text):
    with pytest.raises(MalformedError):
        envelope(text)


@given(
    st.lists(
        st.sampled_from(
            [
                "@@",
                "@@ -1 +1 @@",
                "-a",
                "+b",
                " c",
                "",
                "--- a/x",
                "+++ b/x",
                "*** Begin Patch",
                "*** End Patch",
                "*** Update File: a",
                "<<<<<<< SEARCH",
                "=======",
                ">>>>>>> REPLACE",
                "x",
            ]
        ),
        max_size=20,
    )
)
def test_only_malformed_is_raised(rows):
    for read in (unified, blocks, envelope):
        try:
            read("\n".join(rows))
        except MalformedError:
            pass
