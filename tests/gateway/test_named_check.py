import pytest

from suffice.config.sections import CheckSettings
from suffice.errors import RequestError
from suffice.gateway.named_check import named_check, plain_name

CHECKS = {"unit": CheckSettings(command=("true",), repo="code"), "lint": CheckSettings(command=("true",))}


@pytest.mark.parametrize(
    "said", ["", "unit", "lint", "unit@main", "unit@v1.2", f"unit@{'a' * 40}", "unit@release/2026-11"]
)
def test_what_is_configured_may_be_named(said):
    assert named_check(said, CHECKS) == said
    assert plain_name(said) == said.split("@")[0]


@pytest.mark.parametrize(
    "said",
    ["rm -rf /", "none", "@main", "unit@", "unit@a b", "unit@../../x", "unit@-x", "unit@a;b", "lint@main", "unit@\nx"],
)
def test_anything_else_is_the_clients_error(said):
    with pytest.raises(RequestError) as caught:
        named_check(said, CHECKS)
    assert caught.value.status == 400 and caught.value.param == "x-suffice-check"
