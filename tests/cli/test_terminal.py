import io
import json

import pytest

from suffice.cli.terminal import Terminal, escape
from suffice.config.secret import Secret


class Tty(io.StringIO):
    def isatty(self):
        return True


def terminal(tty=False, env_vars=None, **options):
    stream = Tty if tty else io.StringIO
    return Terminal(stream(), stream(), env_vars or {}, **options)


def test_control_characters_from_outside_are_escaped():
    assert escape("a\x1b[2Jb\rc\u202ed\te\nf") == "a\\x1b[2Jb\\rc\\u202ed    e\nf"
    out = terminal()
    out.say("\x1b]0;x\x07")
    out.failure("bad \x1b[31m", "hint \x07")
    out.table("t\x1b", ["c\x1b"], [["\x1b[1m[red]x"]])
    assert "\x1b" not in out.stdout.getvalue() + out.stderr.getvalue()
    assert "[red]x" in out.stdout.getvalue()


def test_colour_only_at_a_terminal_that_wants_it():
    assert terminal(tty=True).colour
    assert not terminal().colour
    assert not terminal(tty=True, json_mode=True).colour
    assert not terminal(tty=True, env_vars={"NO_COLOR": "1"}).colour
    assert not terminal(tty=True, env_vars={"TERM": "dumb"}).colour
    plain = terminal(tty=True, env_vars={"NO_COLOR": "1"})
    plain.table("title", ["a"], [["x"]])
    assert "\x1b" not in plain.stdout.getvalue()


def test_json_mode_prints_one_document():
    out = terminal(json_mode=True)
    out.say("for people")
    out.table("t", ["a"], [["x"]])
    out.result({"key": Secret("canary"), "escape": "\x1b", "ü": 1})
    text = out.stdout.getvalue()
    assert json.loads(text) == {"key": "***", "escape": "\x1b", "ü": 1}
    assert "\x1b" not in text and "canary" not in text
    with pytest.raises(TypeError):
        out.result(object())


def test_failure_as_json_is_the_document():
    out = terminal(json_mode=True)
    out.failure("m", "h", code="c")
    assert json.loads(out.stdout.getvalue()) == {"error": {"message": "m", "hint": "h", "code": "c"}}


def test_notes_by_verbosity():
    out = terminal(verbosity=1)
    for level in (0, 1, 2):
        out.note(f"level {level}", level)
    assert out.stderr.getvalue() == "level 0\nlevel 1\n"


@pytest.mark.parametrize("tty", [True, False])
def test_progress_counts_and_leaves_standard_output_alone(tty):
    out = terminal(tty=tty)
    with out.progress("work", 3) as advance:
        for _ in range(3):
            advance(1)
    assert out.stdout.getvalue() == ""
    assert bool(out.stderr.getvalue()) == tty


def test_tables_align():
    out = terminal()
    out.table("", ["name", ">cost"], [["a", "1"], ["bb", "22"]])
    assert "name" in out.stdout.getvalue() and "22" in out.stdout.getvalue()
