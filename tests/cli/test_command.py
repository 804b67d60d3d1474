import argparse

import pytest

from suffice.cli import command


def test_every_command_says_what_it_does_and_has_both_functions():
    listed = command.summaries()
    assert list(listed) == command.names()
    assert {"check", "init"} <= set(listed)
    for name, summary in listed.items():
        assert summary and not summary.endswith("."), name
        module = command.load(name)
        parser = argparse.ArgumentParser()
        module.configure(parser)
        assert callable(module.run)


@pytest.mark.parametrize(
    ("code", "number"),
    [("OK", 0), ("NEGATIVE", 1), ("USAGE", 2), ("CONFIG", 3), ("UNREACHABLE", 4), ("BUG", 70), ("INTERRUPTED", 130)],
)
def test_exit_codes(code, number):
    assert command.Exit[code] == number
