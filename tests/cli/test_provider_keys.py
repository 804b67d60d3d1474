from suffice.cli.provider_keys import provider_env


def test_variables_that_mean_something_else_are_left_out():
    every = [name for names in provider_env().values() for name in names]
    assert len(every) == len(set(every)) > 25
    assert not {"GITHUB_TOKEN", "HF_TOKEN", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"} & set(every)
