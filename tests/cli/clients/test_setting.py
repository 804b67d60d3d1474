import json
import subprocess
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from suffice.cli.clients.setting import Setting, Wiring, document, exports, quoted, shell, variables

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).filter(str.isprintable)


@given(PRINTABLE)
def test_a_quoted_text_is_the_same_in_json_and_toml(text):
    assert json.loads(quoted(text)) == text
    assert tomllib.loads(f"a = {quoted(text)}")["a"] == text
    assert json.loads(document({"a": text}))["a"] == text


def test_a_shell_reads_the_exports_as_they_were_meant():
    values = {"ONE": "plain", "TWO": "it's; $HOME `x`", "THREE": "sk-ü"}
    script = exports((*variables(values), Setting(kind="code", content="no variable")))
    script += 'printf \'%s\\n\' "$ONE" "$TWO" "$THREE"'
    out = subprocess.run(["sh", "-c", script], capture_output=True, check=True, text=True).stdout
    assert out.splitlines() == list(values.values())
    assert exports(()) == ""


def test_a_command_is_quoted():
    assert shell("llm", "keys", "it's").content == "llm keys 'it'\"'\"'s'"


def test_v1_is_added_to_the_base():
    assert Wiring(base="http://h:1", key="k", model="m", dialect="chat").v1 == "http://h:1/v1"
