"""The exchange of a request to fill in, and when the client's bytes go on as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import gateway
from tests.gateway.test_fim_routes import STYLES, settings

from suffice.errors import RequestError
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.conversation import PassThroughChat, Target
from suffice.gateway.fim import conversation, open_fim
from suffice.wire.prescan import ScanLimits, scan

PROMPT = "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"


def call(path: str, **body: Any) -> Call:
    return Call(
        request_id="01-AB", dialect="completions", path=path, query=b"", headers={}, body=json.dumps(body).encode(),
        received_s=1.0, started_mono_s=0.0, deadline_mono_s=9.0,
    )  # fmt: skip


def test_the_path_tells_the_shape_and_the_view_has_both_sides():
    exchange = open_fim(call("/infill", input_prefix="x", prompt="y", input_suffix="z"), Principal.anonymous())
    assert exchange.fim.shape == "infill"
    view = exchange.view()
    assert (view.prompt, view.suffix, view.n_messages) == ("xy", "z", 0)
    assert exchange.written.response_id == "01AB"
    assert "<before>xy</before>" in str(exchange.request)


def test_what_only_its_own_template_can_read_cannot_be_asked_in_words():
    raw = "<|file_sep|>a.py\nx\n" + PROMPT
    exchange = open_fim(call("/v1/completions", model="m", prompt=raw), Principal.anonymous())
    assert exchange.view().prompt == raw
    with pytest.raises(RequestError) as refused:
        _ = exchange.request
    assert refused.value.code == "untranslatable"


@pytest.mark.parametrize(
    ("path", "body", "style", "kind"),
    [
        ("/v1/completions", {"prompt": "a", "suffix": "b"}, "deepseek", "PassThroughChat"),
        ("/v1/completions", {"prompt": "a", "suffix": "b", "max_tokens": 9000}, "deepseek", "_Written"),
        ("/v1/completions", {"prompt": PROMPT}, "template", "PassThroughChat"),
        ("/v1/completions", {"prompt": PROMPT}, "mistral", "_Written"),
        ("/v1/completions", {"prompt": PROMPT}, "chat", "_Asked"),
        ("/v1/completions", {"prompt": "a", "suffix": "b"}, "template", "_Written"),
        ("/v1/fim/completions", {"prompt": "a", "suffix": "b"}, "mistral", "_PassThrough"),
        ("/v1/fim/completions", {"prompt": "a", "suffix": "b"}, "inception", "_Written"),
        ("/infill", {"input_prefix": "a"}, "infill", "_PassThrough"),
        ("/infill", {"input_prefix": "a"}, "messages", "_Asked"),
    ],
)
async def test_bytes_go_on_where_the_provider_reads_them(
    path: str, body: dict[str, Any], style: str, kind: str, tmp_path: Path
):
    async with gateway(settings(style, "http://127.0.0.1:9/v1"), tmp_path) as up:
        (served,) = up.runtime.state.fleet.served
        assert served.model.name == STYLES[style][2]
        exchange = open_fim(call(path, model="m", user="me", **body), Principal.anonymous())
        top = scan(exchange.call.body, ScanLimits())
        target = Target(
            model_name=served.model.name, path=b"/x", quirks=served.provider.quirks, max_output_tokens=7, namespace=b"n"
        )
        spoken = conversation(exchange, served, target, top)
        assert type(spoken).__name__ == kind
        assert spoken.translated is (kind not in ("PassThroughChat", "_PassThrough"))
        sent = json.loads(b"".join(spoken.outbound(top, exchange.view(), target).body))
        assert 7 in (sent.get("max_tokens"), sent.get("n_predict"), sent.get("max_completion_tokens"))
        assert sent.get("user") != "me"  # a caller's name leaves under the tenant's namespace only
        assert isinstance(spoken, PassThroughChat) == (kind == "PassThroughChat")
