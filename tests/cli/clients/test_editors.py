import json
import shutil
import subprocess

import pytest

from suffice.cli.clients.editors import EDITORS
from suffice.cli.clients.setting import Wiring

ZED, VIM = EDITORS


def test_zed_completes_through_v1_completions():
    settings = ZED.settings(Wiring(base="http://gw:9", key="k1", model="qwen2.5-coder", dialect="completions"))
    data = json.loads(settings[0].content)
    assert data["edit_predictions"]["provider"] == "open_ai_compatible_api"
    api = data["edit_predictions"]["open_ai_compatible_api"]
    assert api["api_url"] == "http://gw:9/v1/completions" and api["model"] == "qwen2.5-coder"
    keys = {s.path: s.content for s in settings if s.kind == "env"}
    assert keys["ZED_OPEN_AI_COMPATIBLE_EDIT_PREDICTION_API_KEY"] == "k1"
    assert ZED.launch is None


def test_llama_vim_asks_infill():
    wiring = Wiring(base="http://gw:9", key="it's", model="M", dialect="infill")
    text = VIM.settings(wiring)[0].content
    assert "let g:llama_config.endpoint_fim = 'http://gw:9/infill'" in text
    assert "let g:llama_config.api_key = 'it''s'" in text
    launch = VIM.launch(wiring)
    assert launch.arguments == ("--cmd", "source {folder}/llama.vim") and launch.files == {"llama.vim": text}


@pytest.mark.skipif(shutil.which("vim") is None, reason="needs Vim")
def test_vim_reads_it(tmp_path):
    text = VIM.settings(Wiring(base="http://gw:9", key="it's", model="M", dialect="infill"))[0].content
    (tmp_path / "a.vim").write_text(text)
    show = f"call writefile([g:llama_config.api_key], '{tmp_path}/out')"
    words = ["vim", "-es", "-u", "NONE", "--cmd", f"source {tmp_path}/a.vim", "-c", show, "-c", "qa!"]
    subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    assert (tmp_path / "out").read_text() == "it's\n"
