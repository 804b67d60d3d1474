from __future__ import annotations

import importlib.util
import json
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location(
    "tested_clients", Path(__file__).parents[2] / "tools" / "tested_clients.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
tested_clients = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tested_clients)

PI = {"client": "pi", "version": "1", "dialect": "chat"}
ROWS = [
    {**PI, "provider": "chat", "what": "edit", "result": "passed"},
    {**PI, "provider": "gemini", "what": "edit", "result": "failed", "note": "exit code 1"},
    {**PI, "provider": "chat", "what": "cut", "result": "told", "day": "2026-11-20"},
    {**PI, "provider": "chat", "what": "crlf", "result": "passed", "day": "2026-11-22"},
    {**PI, "client": "cn", "provider": "chat", "what": "cut", "result": "failed", "note": "half"},
    {**PI, "client": "sdk", "provider": "chat", "what": "tools", "result": "passed"},
    {**PI, "client": "absent", "provider": "chat", "what": "edit", "result": "not run", "note": "npm is not installed"},
]


def test_every_row_is_told_and_a_failure_is_never_hidden(tmp_path: Path) -> None:
    path = tmp_path / "clients.json"
    path.write_text(json.dumps({"rows": ROWS}))
    text = tested_clients.page(path, {"cut": "the stream ends", "crlf": "CRLF"}, {"zed": "no screen"})
    assert "| pi 1 | chat | yes |  |  | **no** |" in text
    assert "| `cut` |  | 1 |  | cn 1 chat |  |" in text and "| `crlf` | 1 |  |  |  | 1 |" in text
    assert "- `cut`: the stream ends" in text
    assert "| client | speaks | day | `cut` | `crlf` |" in text
    assert "| pi 1 | chat | 2026-11-20 to 2026-11-22 | t | + |" in text and "| cn 1 | chat |  | n |  |" in text
    assert "- `zed`: no screen." in text
    assert "| sdk 1 | chat | tools (by chat) |  |" in text
    assert "- pi 1, chat, edit by a gemini provider: exit code 1" in text
    assert "- absent 1, chat, edit by a chat provider: npm is not installed" in text


def test_without_results_the_page_says_what_it_would_hold(tmp_path: Path) -> None:
    text = tested_clients.page(tmp_path / "clients.json", {})
    assert "| client | speaks | chat | responses | messages | gemini |" in text
    assert "What did not work" not in text
