"""How a process reads its configuration: one frozen settings class per role, all problems told at once.

Roles subclass `ProcessSettings` in their own package. Behavioural numbers are campaign data, never environment.
"""

from typing import Any, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict


class ConfigurationError(Exception):
    """The environment cannot be used; `problems` names every variable, its fault and the fix."""

    def __init__(self, role: str, problems: tuple[str, ...]) -> None:
        self.role = role
        self.problems = problems
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{role} cannot start: {len(problems)} problem(s) in the configuration\n{listed}")


class ProcessSettings(BaseSettings):
    """What every process of Trunkline needs."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str = Field(
        description="SQLAlchemy URL of the Postgres database, e.g. postgresql+psycopg://user@host/db"
    )
    redis_url: str = Field(
        default="", description="URL of Redis, used as the broker unless CELERY_BROKER_URL names another"
    )
    celery_broker_url: str = Field(default="", description="URL of the Celery broker: Redis or RabbitMQ (amqp://…)")
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="least severe event that is logged"
    )

    @property
    def broker_url(self) -> str:
        """The broker to use: CELERY_BROKER_URL, else REDIS_URL."""
        return self.celery_broker_url or self.redis_url

    def problems(self) -> tuple[str, ...]:
        """List faults that only several fields together show; roles extend it."""
        if not self.broker_url:
            return ("REDIS_URL: not set; set it, or CELERY_BROKER_URL, to the broker's address",)
        return ()

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the environment once.

        Raises:
            ConfigurationError: with the full list of problems.
        """
        try:
            settings = cls(**given)
        except ValidationError as error:
            faults = {str(item["loc"][0]).upper() if item["loc"] else "": dict(item) for item in error.errors()}
            named = tuple(_problem(cls, item) for item in faults.values())
            others = cls.model_construct(**{**EnvSettingsSource(cls)(), **given}).problems()
            together = tuple(problem for problem in others if problem.partition(":")[0] not in faults)
            raise ConfigurationError(cls.__name__, named + together) from None
        if problems := settings.problems():
            raise ConfigurationError(cls.__name__, problems)
        return settings


def _problem(cls: type[ProcessSettings], item: dict[str, Any]) -> str:
    name = str(item["loc"][0]) if item["loc"] else "configuration"
    declared = cls.model_fields.get(name)
    meaning = f" ({declared.description})" if declared is not None and declared.description else ""
    fault = "not set; set it" if item["type"] == "missing" else f"{item['input']!r} is not valid: {item['msg']}"
    return f"{name.upper()}: {fault}{meaning}"
