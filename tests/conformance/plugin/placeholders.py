"""A pytest plugin for the OpenAI SDK's own tests: their placeholders become things that exist at the gateway.

The tests were written for a mock that knows every id and needs no model. Here an id of a response is replaced by that of one just
created, and a missing model by the one of the other tests. The SDK's code, its checks and the gateway's answers stay untouched.
"""

from __future__ import annotations

import json
import os
import re
import urllib.request
from typing import Any

from openai import _base_client

BASE = os.environ["TEST_API_BASE_URL"]
MODEL = "string"
_STORED = re.compile(r"^/responses/(?!compact|input_tokens)([^/?]+)")
_WITH_MODEL = ("/responses", "/responses/compact", "/responses/input_tokens")


def stored() -> str:
    """Create a response in the gateway's store; returns its id."""
    body = {"model": MODEL, "input": "Hello.", "background": True, "store": True}
    headers = {"content-type": "application/json", "authorization": "Bearer any"}
    request = urllib.request.Request(f"{BASE}/responses", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(json.load(answer)["id"])


def real(options: Any) -> Any:
    """Return the options of a request with its placeholders replaced."""
    path = options.url
    found = _STORED.match(path)
    if found:
        options.url = path.replace(found[1], stored(), 1)
        options.params = {k: v for k, v in options.params.items() if v != "after"}
    if path in _WITH_MODEL and options.method.lower() == "post":
        body = dict(options.json_data or {})
        body.setdefault("model", MODEL)
        if body.get("previous_response_id"):
            body["previous_response_id"] = stored()
        options.json_data = body
    return options


_build = _base_client.BaseClient._build_request


def _build_request(self: Any, options: Any, **more: Any) -> Any:
    return _build(self, real(options), **more)


_base_client.BaseClient._build_request = _build_request
