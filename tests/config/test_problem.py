import pytest

from suffice.config.problem import InvalidConfigError, Problem, did_you_mean, errors_of, redact, sounds_secret


def test_render_points_at_the_column():
    problem = Problem(file="f.toml", line=12, column=3, text="a b", key="a", message="wrong", hint="mend it")
    assert problem.render() == "f.toml:12:3: wrong\n  12 | a b\n     |   ^\n  fix: mend it"
    assert Problem(file="f", message="m", warning=True).render() == "f: warning: m"
    assert problem.as_dict()["severity"] == "error"


def test_error_begins_with_the_place_and_counts_the_rest():
    found = [
        Problem(file="f", line=1, message="a", hint="h"),
        Problem(file="f", line=2, message="b"),
        Problem(file="f", message="w", warning=True),
    ]
    error = InvalidConfigError(found)
    assert str(error) == "f:1: a (and 1 more) (h)"
    assert len(errors_of(error.problems)) == 2


def test_did_you_mean():
    assert did_you_mean("Prot", ["port", "host"]) == "did you mean 'port'?"
    assert did_you_mean("zzz", ["port"]) == ""


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('api_key = "abc"', 'api_key = "***"'),
        ('api_key = "${A}" # x', 'api_key = "${A}" # x'),
        ("api_key = 'file:/k'", "api_key = 'file:/k'"),
        ('a = { token = "abc", b = 1 }', 'a = { token = "***", b = 1 }'),
        ("max_output_tokens = 100000", "max_output_tokens = 100000"),
        ("password = 123456789", "password = ***"),
        ('url = "https://u:p@h/x"', 'url = "https://***@h/x"'),
        ('models = "sk-abcdefghijklmnop"', 'models = "***"'),
        ("hidden here", "*** here"),
        ("[endpoints.keys]", "[endpoints.keys]"),
    ],
)
def test_redact(line, shown):
    assert redact(line, ["hidden"]) == shown


def test_names_that_sound_secret():
    assert all(
        sounds_secret(n) for n in ("api_key", "X-Api-Key", "api_kye", "passwrod", "control_secrte", "proxy_auth")
    )
    assert not any(sounds_secret(n) for n in ("port", "control_host", "max_output_tokens", "provider", "author"))
