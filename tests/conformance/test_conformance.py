"""What the runner itself does with the suites' reports. The suites run in `make test-conformance`."""

from __future__ import annotations

import json
import tomllib

import pytest
from tests.conformance import sdk_suites, specification, wire_suites
from tests.conformance.installing import LOCK, ROOT, SDKS, Absent, locked
from tests.conformance.outcome import Outcome, Row
from tests.conformance.page import page
from tests.conformance.subject import DIALECTS, configuration

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.api_resources.test_models.TestModels" name="test_method_delete[loose]"><failure message="405"/></testcase>
<testcase classname="tests.api_resources.test_models.TestModels" name="test_method_list[loose]"/>
<testcase classname="tests.api_resources.test_x.TestX" name="test_y"><error message="broke&#10;here"/></testcase>
<testcase classname="tests.api_resources.test_x.TestX" name="test_z"><skipped message="no"/></testcase>
</testsuite></testsuites>"""


def test_a_junit_report() -> None:
    rows, left_out = sdk_suites.read(JUNIT, sdk_suites.OTHER_ENDPOINTS["openai"])
    assert [(row.name, row.result, row.why) for row in rows] == [
        ("test_models.TestModels.test_method_list[loose]", "passed", ""),
        ("test_x.TestX.test_y", "failed", "broke here"),
        ("test_x.TestX.test_z", "skipped", "no"),
    ]
    assert left_out == {"a gateway's client cannot delete models": 1}


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("test_method_create_with_all_params_overload_1[loose]", False),
        ("test_raw_response_list[strict]", True),
        ("test_method_list_with_all_params[aiohttp]", True),
        ("test_streaming_response_retrieve", True),
    ],
)
def test_which_tests_are_of_other_endpoints(name: str, left_out: bool) -> None:
    case = f'<a><testcase classname="tests.api_resources.chat.test_completions.T" name="{name}"/></a>'
    rows, others = sdk_suites.read(case, sdk_suites.OTHER_ENDPOINTS["openai"])
    assert (len(rows), sum(others.values())) == ((0, 1) if left_out else (1, 0))


def test_an_outcome_is_good_only_when_all_passed() -> None:
    good = Row(name="a", result="passed")
    assert Outcome(suite="s", rows=(good,)).good
    assert not Outcome(suite="s", rows=(good, Row(name="b", result="skipped", why="w"))).good
    assert not Outcome(suite="s").good
    absent = Outcome(suite="s", absent="no network")
    assert "did not run: no network" in absent.line() and absent.as_json()["absent"] == "no network"
    assert Outcome(suite="s", version="1", rows=(good,)).as_json()["passed"] == 1


def test_reports_of_the_other_suites() -> None:
    told = {"results": [{"id": "a", "status": "passed", "warnings": ["w"]}, {"id": "b", "status": "exploded"}]}
    assert [(row.result, row.why) for row in wire_suites.rows(told)] == [("passed", "w"), ("failed", "")]
    found = specification.rows(
        {
            "valid_rates": {"GET /a": {}, "POST /b": {}},
            "failures": [{"title": "Server error", "operations": ["POST /b"]}],
            "errors": [],
        }
    )
    assert [(row.name, row.result) for row in found] == [("GET /a", "passed"), ("POST /b", "failed")]


def test_the_lock_holds_the_suites_with_hashes() -> None:
    for name in (*SDKS, "llm-comply", "schemathesis"):
        assert "--hash=sha256:" in locked(LOCK.read_text(), name)
    with pytest.raises(Absent):
        locked(LOCK.read_text(), "no-such-package")


def test_the_configuration_serves_every_dialect_under_names_that_leave_no_test_out() -> None:
    told = tomllib.loads(configuration("http://127.0.0.1:1", {"string": "chat"}))
    assert [told["endpoints"][d]["dialects"] for d in DIALECTS] == [[d] for d in DIALECTS]
    assert told["aliases"]["gpt-5-over-gemini"] == ["google-gemini/gemini-model"]
    assert told["aliases"]["string"] == ["openai/chat-model"]


def test_the_page_is_that_of_the_results() -> None:
    told = json.loads((ROOT / "docs" / "results" / "conformance.json").read_text())
    text = page(told)
    assert (ROOT / "docs" / "conformance.md").read_text() == text
    for each in (row for rows in told["suites"].values() for row in rows):
        assert each["version"] in text and (each.get("absent") or str(each["passed"])) in text
