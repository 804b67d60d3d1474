"""Bytes of a snapshot, and back: JSON with a format version and a checksum.

Does no I/O: the storage room keeps the bytes. Invariant: what comes back equals what went in, to the last bit of every float;
bytes of another version, cut short or changed raise DecisionError, never half a posterior.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any

import numpy as np

from suffice.decision.calibration import Tracked
from suffice.decision.cost import CostPosterior
from suffice.decision.gates import GatePosterior
from suffice.decision.guarantee import Certificate
from suffice.decision.skill import SkillPosterior
from suffice.decision.snapshot import Snapshot
from suffice.errors import DecisionError

FORMAT = 1
_HINT = "remove the stored state to start again from the shipped prior; labels in the ledger teach it anew"


def _plain(value: Any) -> Any:
    """Return a JSON value of one field; arrays carry their shape, mappings become lists of pairs."""
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "values": value.ravel().tolist()}
    if isinstance(value, dict):
        return [[list(k) if isinstance(k, tuple) else k, list(v)] for k, v in value.items()]
    return list(value) if isinstance(value, tuple) else value


def _dump(part: Any) -> dict[str, Any]:
    return {f.name: _plain(getattr(part, f.name)) for f in fields(part)}


def _arrays(raw: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in raw.items():
        if isinstance(value, dict):
            array = np.array(value["values"], dtype=np.float64).reshape(value["shape"])
            if not np.isfinite(array).all():
                raise DecisionError(f"stored posterior: {name} is not finite", hint=_HINT)
            out[name] = array
        else:
            out[name] = tuple(value) if isinstance(value, list) else value
    return out


def dumps(snapshot: Snapshot) -> bytes:
    """Return the bytes of `snapshot`: one header line (format, SHA-256 of the body), one JSON body."""
    body = json.dumps(
        {
            "skill": _dump(snapshot.skill),
            "cost": _dump(snapshot.cost),
            "gates": _dump(snapshot.gates),
            "calibration": [[task, _dump(one)] for task, one in snapshot.calibration],
            "certificates": [_dump(c) for c in snapshot.certificates],
            "catalog": snapshot.catalog,
            "gathered": snapshot.gathered,
        },
        separators=(",", ":"),
    ).encode()
    return f"suffice-posterior {FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def _tracked(raw: dict[str, Any]) -> Tracked:
    labels = tuple((float(p), float(y), float(w)) for p, y, w in raw["labels"])
    return Tracked(**{**raw, "labels": labels})


def loads(data: bytes) -> Snapshot:
    """Return the snapshot in `data`. Raises DecisionError when it is of another version, damaged or inconsistent."""
    head, _, body = data.partition(b"\n")
    words = head.split(b" ")
    if len(words) != 3 or words[0] != b"suffice-posterior":
        raise DecisionError("stored posterior: not a posterior file", hint=_HINT)
    if words[1] != str(FORMAT).encode():
        shown = words[1][:16].decode("ascii", "replace")
        raise DecisionError(f"stored posterior: format {shown}, this build reads {FORMAT}", hint=_HINT)
    if hashlib.sha256(body).hexdigest().encode() != words[2]:
        raise DecisionError("stored posterior: the checksum does not match, the file is damaged", hint=_HINT)
    try:
        raw = json.loads(body)
        snapshot = Snapshot(
            skill=SkillPosterior(**_arrays(raw["skill"])),
            cost=CostPosterior(**_arrays(raw["cost"])),
            gates=GatePosterior(
                counts={tuple(k): tuple(v) for k, v in raw["gates"]["counts"]},
                pairs={k: tuple(v) for k, v in raw["gates"]["pairs"]},
                version=raw["gates"]["version"],
            ),
            # Absent in what was stored before predictions were calibrated.
            calibration=tuple((str(task), _tracked(one)) for task, one in raw.get("calibration", [])),
            certificates=tuple(Certificate(**c) for c in raw["certificates"]),
            catalog=raw["catalog"],
            # Absent in what was stored before labels were kept.
            gathered=tuple((str(f), tuple(float(x) for x in losses)) for f, losses in raw.get("gathered", [])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DecisionError(f"stored posterior: {type(error).__name__} while reading it", hint=_HINT) from error
    a, k = len(snapshot.skill.arms), len(snapshot.skill.cells)
    if snapshot.skill.cell_effect.shape != (a, k) or snapshot.skill.ability.shape != (a,):
        raise DecisionError("stored posterior: its tables do not fit its arms and cells", hint=_HINT)
    return snapshot
