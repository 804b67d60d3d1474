import pytest

from suffice.wire.neutral import Loss, Message, Request, Text, loss_header


def test_losses_are_named_once_and_in_order():
    losses = [Loss(kind="dropped", field="logprobs"), Loss(kind="emulated", field="tools.custom")]
    assert loss_header([*losses, losses[0]]) == "dropped=logprobs, emulated=tools.custom"
    assert loss_header([]) == ""


def test_values_are_compared_by_content_and_cannot_change():
    one = Request(dialect="chat", messages=(Message(role="user", parts=(Text(text="a"),)),))
    assert one == Request(dialect="chat", messages=(Message(role="user", parts=(Text(text="a"),)),))
    with pytest.raises(AttributeError):
        one.model = "x"  # type: ignore[misc]
