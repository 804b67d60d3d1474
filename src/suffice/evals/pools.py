"""The pools that have a name, and pools read from a file.

A pool file is JSON: {"<name>": {"table": "...", "models": ["..."], "leave_out": ["family"], "cells": false}}.
"""

from __future__ import annotations

import json
from pathlib import Path

from suffice.errors import ConfigError
from suffice.evals.outcomes import PoolSpec

_NINE_REAL = (
    "DeepSeek-V4-Pro", "MiniMax-M3", "Gemini-3-Flash", "Kimi-K2.6", "GPT-5.4", "GPT-5.5", "claude-sonnet-4-6",
    "claude-opus-4-6", "claude-opus-4-8",
)  # fmt: skip
# Western vendors in one harness, mean cost 0.5 to 2 times that of the best single model (claude-opus-4-8).
_NINE_WEST = (
    "Gemini-3-Flash", "GPT-5.4", "claude-opus-4-6", "GPT-5.2", "Gemini-3-Pro", "claude-sonnet-4-6",
    "claude-opus-4-7", "GPT-5.5",
    "claude-opus-4-8",
)  # fmt: skip

BUILT_IN: dict[str, PoolSpec] = {
    spec.name: spec
    for spec in (
        PoolSpec(name="9real-swev", table="swebench_verified_openhands", models=_NINE_REAL),
        PoolSpec(name="9real-swt", table="swtbench_openhands", models=_NINE_REAL),
        PoolSpec(name="mini-25", table="swebench_verified_mini"),
        PoolSpec(name="9west-swev", table="swebench_verified_openhands", models=_NINE_WEST),
        PoolSpec(
            name="crb-sane", table="coderouterbench", cells=True,
            leave_out=("dim3_swebench", "dim7_multiple", "dim9_mbpp", "dim1_mbpp"),
        ),
    )
}  # fmt: skip


def read_pools(path: Path) -> dict[str, PoolSpec]:
    """Return the pools of a JSON file. Raises ConfigError naming the file and the pool that is wrong."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(raw, dict) or not raw:
        raise ConfigError(f"{path}: expected an object of pools, by name")
    pools: dict[str, PoolSpec] = {}
    for name, entry in raw.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("table"), str):
            raise ConfigError(f'{path}: pool {name} needs a "table"')
        lists = {key: entry.get(key, []) for key in ("models", "leave_out")}
        if not all(isinstance(v, list) and all(isinstance(x, str) for x in v) for v in lists.values()):
            raise ConfigError(f'{path}: pool {name}: "models" and "leave_out" are lists of names')
        pools[name] = PoolSpec(
            name=name, table=entry["table"], models=tuple(lists["models"]), leave_out=tuple(lists["leave_out"]),
            cells=bool(entry.get("cells", False)),
        )  # fmt: skip
    return pools


def choose(names: str, known: dict[str, PoolSpec]) -> list[PoolSpec]:
    """Return the pools of a comma-separated list ("" means all). Raises ConfigError for a name nobody knows."""
    wanted = [n.strip() for n in names.split(",") if n.strip()] or list(known)
    unknown = [n for n in wanted if n not in known]
    if unknown:
        raise ConfigError(f"unknown pool {unknown[0]!r}", hint=f"known: {', '.join(known)}")
    return [known[n] for n in wanted]
