"""The command line: finds the command, gives it its arguments, and turns whatever happens into a message and an exit code.

It imports nothing heavy: `suffice --help` must be quick. No traceback is shown unless `--debug` asks for it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from suffice import __version__, errors
from suffice.cli import command
from suffice.cli.command import Exit, Io, UsageError
from suffice.cli.options import shared_options
from suffice.cli.terminal import Terminal
from suffice.config.environment import snapshot
from suffice.config.problem import InvalidConfigError, did_you_mean
from suffice.values.system_env import SystemEnv

_UNREACHABLE = (errors.UpstreamError, errors.StorageError, errors.LedgerError, errors.SandboxError)
_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)")
_REPORT = "this is a bug in Suffice; please report it with what `--debug` prints"


class Parser(argparse.ArgumentParser):
    """An argument parser that suggests, and leaves printing and exiting to `main`."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError, with the option that was most likely meant."""
        for word in message.removeprefix("unrecognized arguments: ").split():
            if message.startswith("unrecognized") and word.startswith("-"):
                options = [o for action in self._actions for o in action.option_strings]
                close = did_you_mean(word.partition("=")[0], options)
                message += f"; {close}" if close else ""
                break
        wrong = _CHOICE.search(message)
        if wrong:
            close = did_you_mean(wrong[1], re.findall(r"[\w-]+", wrong[2]))
            message += f"; {close}" if close else ""
        raise UsageError(f"{self.prog}: {message}; see `{self.prog} --help`")


def split(argv: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command's name ("" when there is none) and all other arguments in their order."""
    index = 0
    while index < len(argv):
        if not argv[index].startswith("-"):
            return argv[index], [*argv[:index], *argv[index + 1 :]]
        index += 2 if argv[index] == "--config" else 1
    return "", list(argv)


def build_parser(name: str) -> tuple[Parser, command.Command]:
    """Return the parser of one command and the command. Raises UsageError, with the nearest name, for an unknown one."""
    known = command.names()
    if name not in known:
        close = did_you_mean(name, known)
        raise UsageError(f"unknown command {name!r}; {close or 'known: ' + ', '.join(known)}")
    module = command.load(name)
    parser = Parser(prog=f"suffice {name}", description=module.__doc__, allow_abbrev=False)
    shared_options(parser)
    module.configure(parser)
    return parser, module


def _top_level(arguments: list[str], out: Terminal) -> int:
    """Handle a call without a command: help or version."""
    parser = Parser(
        prog="suffice",
        usage="suffice [options] COMMAND ...",
        description="The cheapest model that suffices, and the proof.",
        allow_abbrev=False,
    )
    shared_options(parser)
    parser.add_argument("--version", action="version", version=f"suffice {__version__}")
    listed = command.summaries()
    width = max(len(name) for name in listed)
    parser.epilog = "commands:\n" + "\n".join(f"  {name:{width}}  {text}" for name, text in listed.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.parse_args(arguments)
    out.say(parser.format_help().rstrip())
    return Exit.OK


def _run(argv: Sequence[str], out: Terminal, env_vars: Mapping[str, str]) -> int:
    name, arguments = split(argv)
    if not name:
        return _top_level(arguments, out)
    parser, module = build_parser(name)
    passed_on: list[str] = []
    if getattr(module, "PASSES_ON", False) and "--" in arguments:
        cut = arguments.index("--")
        arguments, passed_on = arguments[:cut], arguments[cut + 1 :]
    args = parser.parse_args(arguments)
    args.passed_on = passed_on
    return module.run(args, Io(out=out, env_vars=env_vars, env=SystemEnv(), working=Path.cwd()))


def _explain(error: Exception, out: Terminal) -> int:
    """Say what went wrong; return the exit code."""
    if isinstance(error, UsageError):
        out.failure(str(error).removeprefix("suffice: "))
        return Exit.USAGE
    if isinstance(error, InvalidConfigError):
        for problem in error.problems:
            out.note(problem.render(), level=0 if not out.json_mode else 9)
        out.result({"ok": False, "problems": [p.as_dict() for p in error.problems]})
        return Exit.CONFIG
    if isinstance(error, errors.SufficeError):
        out.failure(error.message, error.hint, code=error.code)
        if isinstance(error, errors.ConfigError):
            return Exit.CONFIG
        return Exit.UNREACHABLE if isinstance(error, _UNREACHABLE) else Exit.NEGATIVE
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        out.failure(f"{error.strerror or type(error).__name__}{place}")
        return Exit.UNREACHABLE
    out.failure(f"{type(error).__name__}: {error}".split("\n")[0][:300], _REPORT)
    return Exit.BUG


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    env_vars = snapshot()
    ours = given[: given.index("--")] if "--" in given else given
    verbosity = sum(word.count("v") for word in ours if word in ("-v", "-vv", "-vvv")) + ours.count("--verbose")
    # The replay's `--json` names a file for its rows; what it says is for people.
    json_mode = "--json" in ours and "replay-bench" not in ours
    out = Terminal(sys.stdout, sys.stderr, env_vars, json_mode=json_mode, verbosity=verbosity)
    try:
        code = int(_run(given, out, env_vars))
        sys.stdout.flush()
        return code
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else Exit.OK
    except KeyboardInterrupt:
        out.note("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader left (`suffice report | head`); what it read was right. Closing keeps Python from complaining at exit.
        sys.stderr.close()
        return Exit.OK
    except Exception as error:
        if "--debug" in ours or env_vars.get("SUFFICE_DEBUG"):
            import traceback

            traceback.print_exc()
        return _explain(error, out)


if __name__ == "__main__":
    sys.exit(main())
