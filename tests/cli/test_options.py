import argparse

import pytest

from suffice.cli import options
from suffice.cli.command import UsageError
from suffice.cli.main import Parser

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("90m", 5400), ("24h", 86400), ("7d", 604800), ("2w", 1209600)]
)
def test_durations(text, seconds):
    assert options.span_s(text, "--x") == seconds
    assert options.moment_s(text, "--x", NOW, ahead=True) == NOW + seconds
    assert options.moment_s(text, "--x", NOW, ahead=False) == NOW - seconds


def test_dates_are_utc_and_on_the_right_side_of_now():
    assert options.moment_s("2026-11-01", "--since", NOW, ahead=False) == 1793491200
    assert options.moment_s("2026-11-01T01:00:00+01:00", "--since", NOW, ahead=False) == 1793491200
    with pytest.raises(UsageError, match="past"):
        options.moment_s("2026-11-01", "--expires", NOW, ahead=True)
    with pytest.raises(UsageError, match="future"):
        options.moment_s("2099-11-01", "--since", NOW, ahead=False)


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "7 days", "2026-13-01", "yesterday", "1e3d"])
def test_what_is_no_time_is_told(text):
    with pytest.raises(UsageError, match="--since"):
        options.moment_s(text, "--since", NOW, ahead=False)


def test_an_endless_duration_stays_a_date():
    assert options.utc(options.moment_s("999999w", "--x", NOW, ahead=True) - 1).startswith("9999-12-31")


@pytest.mark.parametrize("text", ["", "x", "-1", "NaN", "Infinity", "0.0000000001", "1e12"])
def test_what_is_no_sum_is_told(text):
    with pytest.raises(UsageError, match="--usd"):
        options.dollars(text, "--usd")


def test_sums_and_lists():
    assert str(options.dollars("$1.50", "--usd")) == "1.50"
    assert options.listed(["a,b", " b ", ",c"]) == ("a", "b", "c") and options.listed(None) == ()
    assert options.iso(0) is None and options.iso(1).startswith("1970-01-01T00:00:01")


def test_an_action_keeps_what_stood_before_it():
    parser = Parser(prog="suffice x")
    options.shared_options(parser)
    options.actions(parser, create="make", list="show")
    args = parser.parse_args(["--config", "f", "create"])
    assert (args.config, args.json, args.verbose) == ("f", False, 0)
    assert parser.parse_args(["create", "--config", "g", "--json", "-vv"]) == argparse.Namespace(
        config="g", json=True, verbose=2, debug=False, action="create"
    )
    with pytest.raises(UsageError, match="did you mean 'create'"):
        parser.parse_args(["creat"])
