"""What is believed of a model's success before the gateway has seen it work, and where each belief comes from.

Three kinds, never mixed up: `score` (fitted on public scores whose licence allows redistribution), `family` (inherited from
an earlier version of the same family), `declared` (a wide guess from the price; no evidence at all). Lookups never raise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import msgspec

from suffice.errors import DecisionError
from suffice.values.task import TaskType

FORMAT = 1
# No score at all is 1.5 logits wide (declared).
DECLARED_SD = 1.5
# Declared, not fitted: ability on the scale of the scores from the list price of output, z = a + b log10($/Mtok), when
# nothing else is known. Dearer models are better on average; how much better is exactly what is not known, hence the width.
PRICE_A, PRICE_B, PRICE_UNKNOWN_Z = -0.9, 1.4, -0.5
_MIN_PRICE, _MAX_PRICE = 0.02, 200.0

_NOISE = re.compile(
    r"\((?:[^)]*)\)|[:@][\w.-]*$|-?(?:preview|latest|exp|experimental|instruct|chat|hf|beta|free|it|fast|turbo|reasoner|gguf|fp8|fp16|bf16)\b"
    r"|-?(?:19|20)\d\d-?[01]\d-?[0-3]\d\b|-?\b[01]\d-[0-3]\d\b|-?\b[01]\d[0-3]\d\b|-?\bq\d(?:[-_][\w]+)?$"
)
_PIECE = re.compile(r"(?:\d+(?:\.\d+)?[bm](?![a-z])|a\d+b)|\d+o\b|[a-z]+|\d+(?:\.\d+)*")
_SIZE = re.compile(r"^(?:\d+(?:\.\d+)?[bm]|a\d+b)$")
_IGNORED = frozenset({"v", "k", "the", "model", "no", "think"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """A belief about success on one task type: normal on the logit scale; `kind` is score, family or declared."""

    mean_logit: float
    sd: float
    source: str
    kind: str

    @property
    def p(self) -> float:
        """The mean success probability, parameter noise integrated by the probit trick (ROUTING 3.3)."""
        return _sigmoid(self.mean_logit / math.sqrt(1.0 + math.pi * self.sd**2 / 8.0))

    @property
    def p_low(self) -> float:
        """A lower bound at about 90 %: for floors, never for costs."""
        return _sigmoid(self.mean_logit - 1.28 * self.sd)

    @property
    def declared(self) -> bool:
        """True when nothing but a declared guess stands behind it."""
        return self.kind == "declared"


@dataclass(frozen=True, slots=True, order=True)
class ModelName:
    """A model's name taken apart: family without numbers, and its version."""

    family: str
    version: tuple[int, ...]


@lru_cache(maxsize=4096)
def parse_name(model: str) -> ModelName:
    """Take `openai/gpt-5.5-2026-01-01` apart into family `gpt` and version (5, 5). Never raises."""
    text = model.lower().rsplit("/", 1)[-1].replace("_", "-").replace(" ", "-").replace("--", "-")
    if "claude" in text or "gpt" in text or "gemini" in text:
        text = re.sub(r"(\d)-(\d{1,2})(?!\d)", r"\1.\2", re.sub(r"-?(?:19|20)\d{6}", "", text))
    text = _NOISE.sub("", text)
    words: list[str] = []
    version: tuple[int, ...] = ()
    for piece in _PIECE.findall(text):
        if _SIZE.match(piece):
            words.append(piece)
        elif piece[0].isdigit():
            if not version:
                # `4o` came between 4 and 4.1.
                digits = piece.removesuffix("o") + (".0.2" if piece.endswith("o") else "")
                version = tuple(int(part) for part in digits.split(".") if part.isdigit() and len(part) < 9)
                while version and version[-1] == 0:
                    version = version[:-1]
        elif piece not in _IGNORED and piece not in words:
            words.append(piece)
    return ModelName("-".join(sorted(words)), version)


class _Row(msgspec.Struct, frozen=True):
    family: str
    version: tuple[int, ...]
    z: float
    sd: float
    n: int
    source: str


class _File(msgspec.Struct, frozen=True):
    format: int
    version: str
    attribution: str
    step_minor: tuple[float, float]
    step_major: tuple[float, float]
    task_offsets: dict[str, float]
    task_slopes: dict[str, float]
    rows: list[_Row]


class PriorTable:
    """Priors by model and task type. Immutable; build it once with `parse` or `bundled`."""

    __slots__ = ("_by_family", "_offsets", "_slopes", "_steps", "attribution", "version")

    def __init__(self, raw: _File) -> None:
        self.version = raw.version
        self.attribution = raw.attribution
        self._offsets = {task: raw.task_offsets.get(task.value, 0.0) for task in TaskType}
        self._slopes = {task: raw.task_slopes.get(task.value, 1.0) for task in TaskType}
        self._steps = (raw.step_minor, raw.step_major)
        self._by_family: dict[str, list[_Row]] = {}
        for row in sorted(raw.rows, key=lambda r: r.version):
            self._by_family.setdefault(row.family, []).append(row)

    def lookup(self, model: str, task: TaskType, *, output_usd_per_mtok: float | None = None) -> Prior:
        """Return the prior of `model` on `task`. Never raises; without any evidence it is the declared wide one."""
        name = parse_name(model)
        rows = self._by_family.get(name.family)
        if not rows or not name.family:
            return self._declared(task, output_usd_per_mtok)
        exact = next((row for row in rows if row.version == name.version), None)
        if exact is not None:
            return self._scaled(task, exact.z, exact.sd, exact.source, "score")
        # A name without a version means the newest; one older than all that is known steps down from the oldest.
        older = [row for row in rows if row.version < name.version] if name.version else rows
        row = older[-1] if older else rows[0]
        step_mean, step_sd = self._steps[row.version[:1] != name.version[:1]]
        shift = 0.0 if not name.version else step_mean if older else -step_mean
        came = f"{row.family} {'.'.join(map(str, row.version))}".strip()
        return self._scaled(
            task, row.z + shift, math.hypot(row.sd, step_sd), f"family, from {came} ({row.source})", "family"
        )

    def _declared(self, task: TaskType, price: float | None) -> Prior:
        if price is None or not math.isfinite(price) or price < 0:
            return self._scaled(task, PRICE_UNKNOWN_Z, DECLARED_SD, "declared: no score, no price", "declared")
        z = PRICE_A + PRICE_B * math.log10(min(max(price, _MIN_PRICE), _MAX_PRICE))
        return self._scaled(task, z, DECLARED_SD, f"declared: from the output price of {price:g} $/Mtok", "declared")

    def _scaled(self, task: TaskType, z: float, sd: float, source: str, kind: str) -> Prior:
        slope = self._slopes[task]
        return Prior(mean_logit=self._offsets[task] + slope * z, sd=sd, source=source, kind=kind)


def parse(raw: bytes) -> PriorTable:
    """Read a priors file. Raises DecisionError when it is of another format or holds numbers that are not finite."""
    try:
        table = msgspec.json.decode(raw, type=_File)
    except msgspec.MsgspecError as error:
        raise DecisionError(f"the priors file cannot be read: {error}") from None
    if table.format != FORMAT:
        raise DecisionError(f"the priors file has format {table.format}, this version reads {FORMAT}")
    numbers: list[Any] = [
        *table.step_minor,
        *table.step_major,
        *table.task_offsets.values(),
        *table.task_slopes.values(),
    ]
    numbers += [value for row in table.rows for value in (row.z, row.sd)]
    if not all(math.isfinite(value) for value in numbers) or any(row.sd <= 0 for row in table.rows):
        raise DecisionError("the priors file holds numbers that are not finite, or a width that is not above zero")
    return PriorTable(table)


def bundled() -> PriorTable:
    """Return the table that comes with the package (read once at start, never on the request path)."""
    return parse(files("suffice.decision").joinpath("data/priors.json").read_bytes())


def fixed(means: Mapping[str, float], *, sd: float = 0.4, source: str = "fixed") -> PriorTable:
    """Return a table with the given ability (logit) per model and no task effects: for simulations and trials."""
    rows = [
        _Row(family=name.family, version=name.version, z=z, sd=sd, n=1, source=source)
        for name, z in ((parse_name(model), z) for model, z in means.items())
    ]
    return PriorTable(
        _File(
            format=FORMAT,
            version="fixed",
            attribution="",
            step_minor=(0.1, 0.4),
            step_major=(0.1, 0.4),
            task_offsets={},
            task_slopes={},
            rows=rows,
        )
    )


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, x))))
