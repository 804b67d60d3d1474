import copy
import dataclasses
import json
import pickle

import msgspec
import pytest

from suffice.config.secret import Secret

CANARY = "sk-canary-0123456789"


@dataclasses.dataclass
class Holder:
    key: Secret


def test_no_way_of_printing_shows_the_value():
    secret = Secret(CANARY, "env:X")
    holder = Holder(key=secret)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>10}",
        " ".join(map(str, [secret])),
        repr(holder),
        repr([secret]),
    ]
    shown += [
        str(dataclasses.asdict(holder)),
        json.dumps({"k": secret}, default=str),
        str(dir(secret)),
        secret.reference,
    ]
    shown.append(msgspec.json.encode({"k": secret}, enc_hook=str).decode())
    assert CANARY not in "".join(shown)
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("leak", [pickle.dumps, json.dumps, msgspec.json.encode, vars, lambda s: s.__getstate__()])
def test_serialisers_refuse(leak):
    with pytest.raises(TypeError) as caught:
        leak(Secret(CANARY))
    assert CANARY not in str(caught.value)


def test_equality_copies_and_constancy():
    secret = Secret("a")
    assert secret == Secret("a", "env:Y") and secret != Secret("b") and secret != "a"
    assert hash(secret) == hash(Secret("a"))
    assert copy.deepcopy(secret) is secret and copy.copy(secret) is secret
    assert secret and not Secret("")
    assert Secret("ä") != Secret("a")
    for change in (lambda: setattr(secret, "_value", "x"), lambda: delattr(secret, "_value")):
        with pytest.raises(AttributeError):
            change()


def test_references():
    assert Secret("x", "env:A").reference == "${A}"
    assert Secret("x", "file:/k").reference == "file:/k"
    assert Secret("x").reference == "***"
