from suffice.wire.codec import Target


def test_a_target_takes_what_it_knows_of_a_catalogue_row():
    target = Target.of("m", {"tool_id": "alnum9", "notes": ("x",), "model": "y", "max_stop": None}, issuer="mistral")
    assert (target.model, target.tool_id, target.issuer, target.max_stop) == ("m", "alnum9", "mistral", None)
