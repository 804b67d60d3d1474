import io
import json
import logging
from collections.abc import Iterator

import pytest

from suffice.telemetry.logs import LineFormatter, configure


def masked(text: bytes) -> bytes:
    return text.replace(b"canary", b"******")


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    known = logging.getLogger()
    before, level = list(known.handlers), known.level
    yield
    known.handlers[:] = before
    known.setLevel(level)


def logged(form: str, message: str, *values: object, level: str = "info") -> str:
    stream = io.StringIO()
    configure(stream, level=level, form=form, mask=masked)
    logging.getLogger("suffice.test").info(message, *values)
    return stream.getvalue()


def test_json_lines():
    event = json.loads(logged("json", "request %s: %s", "r1", "it broke"))
    assert (event["level"], event["logger"], event["message"]) == ("info", "suffice.test", "request r1: it broke")
    assert event["at"].endswith("+00:00")


@pytest.mark.parametrize("form", ["json", "text"])
def test_one_event_is_one_line_without_secrets(form: str):
    text = logged(form, "model %s", 'a\r\nERROR forged: \x1b[31m\u2028 "q" canary')
    assert text.count("\n") == 1
    assert "\r" not in text
    assert "\x1b" not in text
    assert "canary" not in text


def test_auto_is_json_where_no_terminal_is():
    assert json.loads(logged("auto", "hi"))["message"] == "hi"


def test_the_level_is_the_least_serious_that_shows():
    assert logged("text", "hi", level="warning") == ""


def test_a_traceback_is_shown_masked():
    stream = io.StringIO()
    configure(stream, level="info", form="text", mask=masked)
    try:
        raise ValueError("canary")
    except ValueError:
        logging.getLogger("suffice.test").exception("it broke")
    assert "ValueError: ******" in stream.getvalue()


def test_what_cannot_be_checked_is_not_written():
    def broken(text: bytes) -> bytes:
        raise ZeroDivisionError

    record = logging.LogRecord("x", logging.INFO, "f", 1, "canary", (), None)
    assert "canary" not in LineFormatter(as_json=True, mask=broken).format(record)


def test_a_repeat_replaces_the_handler():
    first, second = io.StringIO(), io.StringIO()
    configure(first, level="info", form="text", mask=masked)
    configure(second, level="info", form="text", mask=masked)
    logging.getLogger("suffice.test").info("hi")
    assert (first.getvalue(), second.getvalue().count("hi")) == ("", 1)
