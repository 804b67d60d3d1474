"""Hooks for schemathesis: requests that name a model name one that exists, so that more than the 404 is explored."""

from __future__ import annotations

import os
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Put a model that is served into a body that names one; other bodies stay as they are."""
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        case.body = body | {"model": os.environ["CONFORMANCE_MODEL"]}
