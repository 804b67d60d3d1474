from decimal import Decimal

from suffice.config.schema import RepairSettings, Settings
from suffice.config.secret import Secret
from suffice.config.sections import EndpointSettings
from suffice.values.task import TASK_TYPES


def test_defaults_are_safe():
    settings = Settings()
    assert settings.server.host == settings.server.control_host == "127.0.0.1"
    assert (settings.server.port, settings.server.control_port) == (4000, 4001)
    assert settings.server.control_secret is None
    assert settings.verify.sandbox == "required"


def test_repair_cost_of_every_task_type():
    repair = RepairSettings()
    names = set(RepairSettings.__dataclass_fields__) - {"default"}
    assert names == {task.replace("-", "_") for task in TASK_TYPES}
    assert repair.usd("complete") == Decimal("0.03")
    assert repair.usd("bug-fix") == 3
    assert repair.usd("generate") == repair.usd("unheard-of") == repair.usd("usd") == repair.default


def test_text_of_settings_hides_secrets():
    settings = Settings(endpoints={"a": EndpointSettings(provider="openai", api_key=Secret("canary"))})
    assert "canary" not in repr(settings)
