"""The frame of every command. Most cases run `main` in this process; a few run real ones, because a start costs."""

import os
import subprocess
import sys

import pytest

from suffice import __version__, errors
from suffice.cli import command, main
from suffice.cli.command import UsageError


@pytest.fixture
def failing(monkeypatch, tmp_path):
    """`main` with a command `check` that raises what it is told to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUFFICE_DEBUG", raising=False)

    def call(error, *argv):
        class Module:
            __doc__ = "A command."

            def configure(self, parser):
                pass

            def run(self, args, io):
                raise error

        monkeypatch.setattr(command, "load", lambda name: Module())
        return main.main(["check", *argv])

    return call


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotFoundError("no such request"), 1),
        (UsageError("give an id"), 2),
        (errors.ConfigError("f:1: bad"), 3),
        (errors.UpstreamError("nobody answers"), 4),
        (errors.StorageError("locked"), 4),
        (ConnectionRefusedError(111, "Connection refused"), 4),
        (RuntimeError("surprise\nsecond line"), 70),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes_and_no_traceback(failing, capsys, error, code):
    assert failing(error) == code
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err and err.count("\n") <= 2
    if code == 70:
        assert "report it" in err and "second line" not in err


def test_debug_shows_the_traceback(failing, capsys, monkeypatch):
    assert failing(RuntimeError("surprise"), "--debug") == 70
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("SUFFICE_DEBUG", "1")
    assert failing(RuntimeError("surprise")) == 70
    assert "Traceback" in capsys.readouterr().err


def test_failures_as_json(failing, capsys):
    assert failing(errors.NotFoundError("no such request"), "--json") == 1
    out, err = capsys.readouterr()
    assert '"code": "not_found"' in out and err == ""


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["chekc"], "did you mean 'check'"),
        (["zzzz"], "known: "),
        (["check", "--prnt"], "did you mean '--print'"),
        (["check", "--config"], "expected one argument"),
        (["--jsno"], "did you mean '--json'"),
        (["check", "extra"], "unrecognized arguments: extra"),
    ],
)
def test_usage(capsys, argv, words):
    assert main.main(argv) == 2
    assert words in capsys.readouterr().err


def test_options_stand_before_or_after_the_command():
    assert main.split(["--config", "f", "-v", "check", "--print"]) == ("check", ["--config", "f", "-v", "--print"])
    assert main.split(["check"]) == ("check", [])
    assert main.split(["--json"]) == ("", ["--json"])
    assert main.split(["--config"]) == ("", ["--config"])


@pytest.mark.parametrize("argv", [["--version"], ["--help"], [], ["check", "--help"]])
def test_help_and_version(capsys, argv):
    assert main.main(argv) == 0
    out = capsys.readouterr().out
    assert __version__ in out if argv == ["--version"] else "usage: suffice" in out


def run(*argv, code="from suffice.cli.main import main; import sys; sys.exit(main())", **options):
    env_vars = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
    return subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, text=True, env=env_vars, timeout=60, **options
    )


def test_help_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from suffice.cli.main import main; main(['--help'])\n"
        "print(sorted(set(sys.argv[1:]) & set(sys.modules)), file=sys.stderr)"
    )
    heavy = ["numpy", "rich", "apsw", "msgspec", "uvicorn", "starlette", "asyncio", "jsonschema", "tomllib"]
    done = run(*heavy, code=code, cwd=tmp_path)
    assert done.stderr.strip() == "[]"


def test_a_reader_that_leaves_is_no_error(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "suffice.cli.main", "check", "--schema"],
        stdout=writing,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_follows_two_dashes_is_the_clients(run, monkeypatch):
    # Neither --json nor -vv nor --debug of the client is one of ours.
    code, out, err = run("launch", "zed", "--", "--json", "-vv", "--debug")
    assert code == 2 and out == "" and "suffice connect zed" in err
