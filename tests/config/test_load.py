"""Bad configurations: each must name its line, show the offending text, and say how to mend it."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.config.load import find, load, parse
from suffice.config.problem import InvalidConfigError

HERE = Path("/nowhere")
ENV = {"OPENAI_API_KEY": "sk-from-the-environment", "HOME": "/srv/someone"}
ENDPOINT = 'version = 1\n[endpoints.a]\nprovider = "openai"\n'


def problems_of(text: str, env_vars=ENV):
    with pytest.raises(InvalidConfigError) as caught:
        parse(text, "suffice.toml", env_vars, HERE)
    return caught.value.problems


# name: (document, line of the problem, offending text, words of the message, words of the fix)
BAD = {
    "unquoted text": ("version = 1\n[server]\nhost = localhost\n", 3, "host = localhost", "not valid TOML", "quotes"),
    "unclosed quote": ('version = 1\n[server]\nhost = "local\n', 3, 'host = "local', "not valid TOML", "quote"),
    "no equals sign": ("version = 1\nserver\n", 2, "server", "not valid TOML", "key = value"),
    "key twice": ("version = 1\n[server]\nport = 1\nport = 2\n", 4, "port = 2", "not valid TOML", "remove one"),
    "section twice": ("version = 1\n[server]\n[log]\n[server]\n", 4, "[server]", "not valid TOML", "together"),
    "unclosed section": ("version = 1\n[server\nport = 1\n", 2, "[server", "not valid TOML", "]"),
    "unknown key": ("version = 1\n[server]\nprot = 4000\n", 3, "prot = 4000", "unknown key `prot`", "'port'"),
    "unknown section": ("version = 1\n[sever]\nport = 1\n", 2, "[sever]", "unknown key `sever`", "'server'"),
    "key of another section": (
        "version = 1\n[server]\ndurability = 'strict'\n",
        3,
        "durability",
        "unknown key",
        "[storage]",
    ),
    "key before its section": ("version = 1\nport = 4000\n", 2, "port = 4000", "unknown key", "[server]"),
    "text for a number": ('version = 1\n[server]\nport = "4000"\n', 3, 'port = "4000"', "whole number", "port = 4000"),
    "number for a text": ("version = 1\n[server]\nhost = 1\n", 3, "host = 1", "text in quotes", ""),
    "text for a boolean": ("version = 1\n[verify]\nenabled = 'yes'\n", 3, "enabled", "true or false", "enabled = true"),
    "boolean for a number": ("version = 1\n[server]\nport = true\n", 3, "port = true", "whole number", ""),
    "fraction for a whole number": ("version = 1\n[server]\nport = 1.5\n", 3, "port = 1.5", "whole number", ""),
    "text for a list": (ENDPOINT + 'models = "m"\n', 4, 'models = "m"', "a list", "brackets"),
    "table for a text": ("version = 1\n[log]\nlevel = { a = 1 }\n", 3, "level = {", "not a table", ""),
    "value for a section": ("version = 1\nserver = 4000\n", 2, "server = 4000", "a table", ""),
    "out of range": ("version = 1\n[server]\nport = 70000\n", 3, "port = 70000", "out of range", "65535"),
    "zero seconds": (
        "version = 1\n[server]\nbody_deadline_s = 0\n",
        3,
        "body_deadline_s = 0",
        "out of range",
        "more than 0",
    ),
    "not a number": ("version = 1\n[server]\nbody_deadline_s = nan\n", 3, "nan", "finite", "more than 0"),
    "unknown word": ('version = 1\n[log]\nlevel = "inof"\n', 3, "inof", "cannot be", "'info'"),
    "unknown word in a list": (
        'version = 1\n[models."a/b"]\ncapabilities = ["tools",\n "visoin"]\n',
        4,
        "visoin",
        "cannot be",
        "'vision'",
    ),
    "required missing": (
        "version = 1\n[endpoints.a]\nprivate = true\n",
        2,
        "[endpoints.a]",
        "no `provider`",
        "provider =",
    ),
    "bad provider id": ("version = 1\n[endpoints.a]\nprovider = 'Open AI'\n", 3, "Open AI", "provider id", "openai"),
    "host in a region": (ENDPOINT + 'region = "evil#"\n', 4, "evil#", "letters, digits or hyphens", ""),
    "model id without provider": ("version = 1\n[models.gpt]\n", 2, "[models.gpt]", "not a name", "provider/model"),
    "negative price": (
        'version = 1\n[models."a/b".price]\ninput_usd_per_mtok = -1\noutput_usd_per_mtok = 1\n',
        3,
        "-1",
        "out of range",
        "at least 0",
    ),
    "price too fine": (
        'version = 1\n[models."a/b".price]\ninput_usd_per_mtok = 0.0000001\noutput_usd_per_mtok = 1\n',
        3,
        "0.00",
        "finer",
        "6 decimal",
    ),
    "price of zero": (
        'version = 1\n[models."a/b".price]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 0.0\n',
        4,
        "= 0.0",
        "is 0",
        "nominal = true",
    ),
    "infinite budget": ("version = 1\n[budgets.b]\nlimit_usd = inf\n", 3, "inf", "number of dollars", "more than 0"),
    "unset variable": (
        ENDPOINT + 'api_key = "${OPENAI_APIKEY}"\n',
        4,
        "${OPENAI_APIKEY}",
        "not set",
        "'OPENAI_API_KEY'",
    ),
    "secret with a default": (ENDPOINT + 'api_key = "${A:-sk-x}"\n', 4, "api_key", "default would be", "${NAME}"),
    "bad reference": (
        'version = 1\n[server]\nhost = "${A-B}"\n',
        3,
        "${A-B}",
        "cannot read the reference",
        "${NAME:-default}",
    ),
    "missing secret file": (ENDPOINT + 'api_key = "file:key"\n', 4, "file:key", "cannot read the secret file", "path"),
    "empty secret": (ENDPOINT + 'api_key = ""\n', 4, "api_key", "empty", "${NAME}"),
    "one port for both planes": (
        "version = 1\n[server]\nport = 4001\n",
        3,
        "port = 4001",
        "both planes",
        "control_port",
    ),
    "open control plane": (
        'version = 1\n[server]\ncontrol_host = "0.0.0.0"\n',
        3,
        "0.0.0.0",
        "without a secret",
        "openssl",
    ),
    "address without scheme": (
        ENDPOINT + 'base_url = "api.example.com"\n',
        4,
        "api.example.com",
        "no http",
        "https://",
    ),
    "private address": (
        ENDPOINT + 'base_url = "https://10.0.0.5/v1"\n',
        4,
        "10.0.0.5",
        "private network",
        "private = true",
    ),
    "clear text": (ENDPOINT + 'base_url = "http://api.example.com"\n', 4, "example.com", "clear text", "https://"),
    "same endpoint twice": (
        ENDPOINT + '[endpoints.b]\nprovider = "openai"\n',
        4,
        "[endpoints.b]",
        "same as",
        "remove one",
    ),
    "alias of an alias": (
        'version = 1\n[aliases]\na = ["x/y"]\nb = ["a"]\n',
        4,
        '"a"',
        "not a `provider/model`",
        "alias",
    ),
    "empty alias": ("version = 1\n[aliases]\na = []\n", 3, "a = []", "empty list", "at least one"),
    "unknown budget": (
        "version = 1\n[budgets.eng]\nlimit_usd = 1\n[teams.t]\nbudgets = ['egn']\n",
        5,
        "egn",
        "no budget",
        "'eng'",
    ),
    "later version": ("version = 2\n[whatever]\n", 1, "version = 2", "unknown version 2", "upgrade"),
    "header of the connection": (ENDPOINT + "headers = { Host = 'x' }\n", 4, "Host", "connection itself", "remove"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configuration(name):
    text, line, offending, message, hint = BAD[name]
    errors = [p for p in problems_of(text) if not p.warning]
    found = errors[-1]
    assert (found.file, found.line) == ("suffice.toml", line), found.render()
    assert offending in found.text or "headers" in text
    assert message in found.message
    assert found.hint and hint in found.hint
    assert found.column > 0
    assert f"suffice.toml:{line}" in found.render()


def test_the_example_of_the_guide_is_right():
    guide = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    example = guide.split("```toml\n")[1].split("```")[0]
    settings = parse(example, "f", ENV, HERE)
    assert settings.origin.warnings == () and len(settings.endpoints) == 2


def test_all_problems_in_one_go_in_order_of_lines():
    text = 'version = 1\n[server]\nport = "x"\nhost = nope\nprot = 1\n[log]\nlevel = "loud"\nformat = ""x\n'
    assert [p.line for p in problems_of(text)] == [3, 4, 5, 7, 8]


def test_a_broken_line_does_not_make_its_setting_missing():
    found = problems_of("version = 1\n[endpoints.a]\nprovider = openai\n")
    assert [p.line for p in found] == [3]


def test_secrets_never_show_whatever_is_wrong_with_their_line():
    canary = "hunter2-canary-value"
    lines = [
        f'api_kye = "{canary}"',
        f'api_key = ["{canary}"]',
        f'api_key = [ "{canary}" ]',
        f'api_key = "{canary}',
        f"api_key = {canary}",
        f'api_key = "{canary}" x',
        f'api_key = "{canary}"\napi_key = "{canary}"',
        f'api_key = """{canary}\n {canary} """',
        f'api_key = "{canary}"\nmodels = "m" # {canary}',
        f'api_key = "{canary}${{X}}"',
        f'base_url = "https://me:{canary}@example.com"',
        f'proxy = "http://me:{canary}@example.com"',
        f'headers = {{ X = "{canary}", Host = "{canary}" }}',
        'base_url = "${CANARY}"',
        'api_key = "${CANARY}\\n"',
    ]
    for line in lines:
        found = problems_of(ENDPOINT + line + "\n", {"CANARY": canary})
        shown = "\n".join(p.render() + repr(p) + str(p.as_dict()) for p in found)
        assert canary not in shown, line


def test_warnings_do_not_stop_but_are_kept():
    settings = parse('[endpoints.a]\nprovider = "openai"\napi_key = "plain"\n', "f", {"SUFFICE_PROT": "1"}, HERE)
    assert settings.endpoints["a"].api_key.reveal() == "plain"
    texts = [p.message + p.hint for p in settings.origin.warnings]
    assert "plain text" in texts[0] and "${A_API_KEY}" in texts[0]
    assert "no `version`" in texts[1]
    assert "'SUFFICE_PORT'" in texts[2]


def test_environment_wins_over_the_file_and_its_problems_name_it():
    text = "version = 1\n[server]\nport = 1\n"
    assert parse(text, "f", {"SUFFICE_PORT": "4100"}, HERE).server.port == 4100
    found = problems_of(text, {"SUFFICE_PORT": "many"})
    assert found[0].file == "environment variable SUFFICE_PORT" and found[0].line == 0


def test_secret_files(tmp_path):
    key = tmp_path / "key"
    key.write_text("from-a-file\n")
    key.chmod(0o644)
    text = ENDPOINT + 'api_key = "file:key"\n'
    settings = parse(text, "f", {}, tmp_path)
    assert settings.endpoints["a"].api_key.reveal() == "from-a-file"
    assert "chmod 600" in settings.origin.warnings[0].hint
    key.chmod(0o600)
    assert parse(text, "f", {}, tmp_path).origin.warnings == ()


def test_text_references_and_dollars():
    text = 'version = 1\n[storage]\npath = "${DATA:-/srv}/a$$b"\n'
    assert parse(text, "f", {}, HERE).storage.path == "/srv/a$b"
    assert parse(text, "f", {"DATA": "/x"}, HERE).storage.path == "/x/a$b"


def test_windows_line_ends_and_byte_order_mark(tmp_path):
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xef\xbb\xbfversion = 1\r\n[server]\r\nport = 5\r\n")
    assert load(path, {}).server.port == 5


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"version = 1\n# \xff\n", 2, "not UTF-8"),
        (b"#" * 1_100_000, 0, "larger than"),
        (b"version = 1\na = " + b"[" * 5000, 0, "nested too deeply"),
    ],
)
def test_hostile_files(tmp_path, data, line, message):
    path = tmp_path / "s.toml"
    path.write_bytes(data)
    with pytest.raises(InvalidConfigError) as caught:
        load(path, {})
    assert caught.value.problems[0].line == line
    assert message in caught.value.problems[0].message


def test_search_order(tmp_path):
    def put(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("version = 1\n")
        return path

    env_vars = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    working = tmp_path / "w"
    xdg = put("xdg/suffice/suffice.toml")
    assert find(None, env_vars, working) == xdg
    here = put("w/suffice.toml")
    assert find(None, env_vars, working) == here
    named = put("named.toml")
    assert find(None, {**env_vars, "SUFFICE_CONFIG": "~/named.toml"}, working) == named
    given_path = put("w/other.toml")
    assert find("other.toml", {**env_vars, "SUFFICE_CONFIG": str(named)}, working) == given_path
    for path, extra, who in (("no.toml", {}, "--config"), (None, {"SUFFICE_CONFIG": "no.toml"}, "SUFFICE_CONFIG")):
        with pytest.raises(InvalidConfigError, match="does not exist") as caught:
            find(path, {**env_vars, **extra}, working)
        assert who in caught.value.hint


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(["version = 1", "[server]", "port = ", '"', "[", "]", "=", "1", "\n", "{", "a.b", "[[x]]"])
    ).map("".join)
)
def test_any_text_is_settings_or_problems(text):
    try:
        parse(text, "f", {}, HERE)
    except InvalidConfigError as error:
        assert error.problems
    else:
        tomllib.loads(text.replace("\r\n", "\n"))


def test_the_authorities_of_an_endpoint_lie_beside_the_file(tmp_path: Path):
    (tmp_path / "conf").mkdir()
    path = tmp_path / "conf" / "suffice.toml"
    for given_, found in (
        ("ca.pem", tmp_path / "conf" / "ca.pem"),
        ("~/ca.pem", Path("/srv/someone/ca.pem")),
        ("/etc/ca.pem", Path("/etc/ca.pem")),
    ):
        path.write_text(ENDPOINT + f'ca_file = "{given_}"\n')
        assert load(path, ENV, tmp_path).endpoints["a"].ca_file == str(found)
    path.write_text(ENDPOINT)
    assert load(path, ENV, tmp_path).endpoints["a"].ca_file == ""
