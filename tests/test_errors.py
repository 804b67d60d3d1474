from suffice import errors


def every_class() -> list[type[errors.SufficeError]]:
    return [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.SufficeError)]


def test_few_classes_and_distinct_codes():
    classes = every_class()
    assert len(classes) <= 16
    assert len({c.default_code for c in classes}) == len(classes)


def test_text_carries_the_hint_and_fields_override_the_class():
    error = errors.RequestError("bad field", hint="send a string", param="model", status=422, retryable=True)
    assert str(error) == "bad field (send a string)"
    assert (error.code, error.status, error.retryable, error.param) == ("invalid_request", 422, True, "model")
    assert errors.RequestError("x").status == 400
