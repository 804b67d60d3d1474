import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.telemetry import otlp_intake

AT = "1800000000000000000"


def attributes(**said):
    return [{"key": k.replace("__", "."), "value": {"stringValue": v}} for k, v in said.items()]


def metric(name, temporality=1, amount="1", **said):
    point = {"attributes": attributes(session__id="s1", **said), "timeUnixNano": AT, "asInt": amount}
    made = {"name": name, "sum": {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": [point]}}
    return json.dumps({"resourceMetrics": [{"resource": {}, "scopeMetrics": [{"metrics": [made]}]}]}).encode()


def log(**said):
    record = {"timeUnixNano": AT, "body": {"stringValue": "x"}, "attributes": attributes(**said)}
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()


def kinds(intake):
    return [(e.agent, e.session, e.kind, e.at_s) for e in intake.events]


def test_claude_codes_metrics():
    for name, kind in (
        ("claude_code.commit.count", "committed"),
        ("claude_code.pull_request.count", "pull_request"),
    ):
        assert kinds(otlp_intake.metrics(metric(name))) == [("claude-code", "s1", kind, 1.8e9)]
    edit = "claude_code.code_edit_tool.decision"
    assert kinds(otlp_intake.metrics(metric(edit, tool_name="Edit", decision="accept")))[0][2] == "accepted"
    assert kinds(otlp_intake.metrics(metric(edit, tool_name="Write", decision="reject")))[0][2] == "rejected"
    by_setting = otlp_intake.metrics(metric(edit, tool_name="Edit", decision="accept", source="config"))
    assert (by_setting.events, by_setting.ignored) == ([], 1)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"decision": "approved", "tool_name": "apply_patch", "source": "User"}, "accepted"),
        ({"decision": "approved_for_session", "tool_name": "apply_patch", "source": "User"}, "accepted"),
        ({"decision": "denied", "tool_name": "apply_patch", "source": "User"}, "rejected"),
        ({"decision": "approved", "tool_name": "apply_patch", "source": "Config"}, None),
        ({"decision": "approved", "tool_name": "shell", "source": "User"}, None),
        ({"decision": "abort", "tool_name": "apply_patch", "source": "User"}, None),
    ],
)
def test_codexs_decisions(said, kind):
    intake = otlp_intake.logs(log(event__name="codex.tool_decision", conversation__id="c1", **said))
    assert [e.kind for e in intake.events] == ([kind] if kind else [])


def test_prompts_and_unknown_names_are_dropped():
    prompt = otlp_intake.logs(log(event__name="codex.user_prompt", conversation__id="c", prompt="the secret plan"))
    assert prompt.ignored == 1 and "secret" not in repr(prompt)
    taken = otlp_intake.logs(
        log(event__name="tool_decision", session__id="s", decision="accept", tool_name="Edit", prompt="the secret plan")
    )
    assert len(taken.events) == 1 and "secret" not in repr(taken)
    assert otlp_intake.metrics(metric("claude_code.token.usage")).ignored == 1


def test_cumulative_sums_and_floods_are_refused_with_the_reason():
    many = otlp_intake.metrics(metric("claude_code.commit.count", temporality=2))
    assert (many.events, many.rejected) == ([], 1) and "=delta" in many.problem
    body = json.loads(metric("claude_code.commit.count"))
    points = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]
    points["dataPoints"] *= 500
    flood = otlp_intake.metrics(json.dumps(body).encode())
    assert (len(flood.events), flood.rejected) == (otlp_intake.MOST, 300)
    assert otlp_intake.metrics(metric("claude_code.commit.count", amount="0")).events == []


def test_long_values_are_no_sessions():
    assert otlp_intake.logs(log(event__name="tool_decision", session__id="s" * 500, decision="accept")).events == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceMetrics", "scopeMetrics", "metrics", "sum", "dataPoints", "attributes", "name"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_body_breaks_it(body):
    for read in (otlp_intake.metrics, otlp_intake.logs):
        try:
            assert isinstance(read(body).events, list)
        except RequestError as error:
            assert error.status == 400
