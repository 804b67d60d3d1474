import tomllib

import jsonschema
import pytest

from suffice.config.json_schema import json_schema
from suffice.config.schema import Settings
from suffice.config.secret import Secret
from suffice.config.sections import EndpointSettings
from suffice.config.write import render

VALIDATOR = jsonschema.Draft7Validator(json_schema())


def test_the_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(json_schema())


def test_what_we_write_is_valid():
    endpoint = EndpointSettings(provider="openai", api_key=Secret("x", "env:K"), headers={"X-A": Secret("x", "env:H")})
    text = render(Settings(endpoints={"a": endpoint}, aliases={"q": ("x/y",)}), defaults=True)
    VALIDATOR.validate(tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "prot = 1",
        "[server]\nport = 70000",
        "[log]\nlevel = 'x'",
        "[endpoints.a]\nprivate = true",
        "[models.x]",
        "[budgets.b]\nlimit_usd = 0",
        "[aliases]\na = []",
    ],
)
def test_what_the_loader_refuses_by_form_is_invalid(text):
    assert not VALIDATOR.is_valid(tomllib.loads(text))


def test_references_are_allowed_in_patterns():
    VALIDATOR.validate(tomllib.loads('[endpoints.a]\nprovider = "openai"\nregion = "${REGION}"'))
