"""Settings, from the environment: every variable `MINDGAP_*` is one field below."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from topics.table import SHADOW

_PREFIX = "MINDGAP_"
_TOPIC = re.compile(r"[A-Za-z0-9._-]{0,100}")


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and says what to do."""


class Settings(BaseModel):
    """How this process runs. Durations in seconds, sizes in bytes, as their names say."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    env: Literal["development", "production"] = "development"
    broker: str = "127.0.0.1:9092"
    """Bootstrap servers: `host:port`, several separated by commas; a leading `kafka://` is accepted."""
    broker_kind: Literal["kafka", "embedded"] = "kafka"
    """`embedded` for Tansu: shorter sessions, no idempotent producer, nothing survives it."""
    topic_prefix: str = ""
    shadow: bool = False
    """Run beside a live system of this prefix: read its input, write to topics of its own, `shadow.` before them."""
    first_start: Literal["backfill", "live"] = "backfill"
    """What a deployment that never worked does with what waits already: `backfill` takes all of it in before it says
    anything, so that what is over pages nobody; `live` goes through it at its own times."""
    partitions: Annotated[int, Field(ge=1, le=1024)] = 12
    replication: Annotated[int, Field(ge=1, le=15)] = 1
    policy: Path | None = None
    """Policy document in force from the beginning."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: Path | None = None

    batch_records_max: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Most records that one batch holds."""
    batch_bytes_max: Annotated[int, Field(ge=1024)] = 1024 * 1024
    """Most bytes that one batch holds; a single larger record is a batch of its own."""
    buffered_batches_max: Annotated[int, Field(ge=1, le=64)] = 4
    """Batches that wait per queue before fetching from a partition pauses."""
    fetch_bytes_max: Annotated[int, Field(ge=1024)] = 1024 * 1024
    """Most bytes fetched from one partition at a time, as they stand there: compressed."""
    linger_s: Annotated[float, Field(ge=0, le=1)] = 0.0
    compression: Literal["zstd", "lz4", "snappy", "gzip", "none"] | None = None
    """How workers compress what they write; default `zstd`, or `none` on the embedded broker. All are read."""
    session_s: Annotated[float, Field(gt=1, le=300)] | None = None
    """How long a worker may be silent before others get its partitions; default 30, or 6 on the embedded broker."""
    commit_interval_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    instance_id: str | None = None
    """Static membership: the same name after a restart keeps the partitions (Apache Kafka only)."""

    watermark_interval_s: Annotated[float, Field(ge=0.1, le=10)] = 1.0
    """How often a worker tells the others how far it has come, where nobody waits for it."""
    watermark_prompt_s: Annotated[float, Field(ge=0.02, le=10)] = 0.1
    """Shortest time between two such records, where somebody may wait."""

    redis: SecretStr | None = None
    """URL of the Redis that holds the read model (`redis://127.0.0.1:6379/0`, `rediss://` with TLS, a password)."""

    web_enabled: bool = True
    web_host: str = "127.0.0.1"
    web_port: Annotated[int, Field(ge=0, le=65535)] = 8480
    """Port of /healthz, /readyz and /metrics."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "console"] = "auto"
    """`auto`: readable on a terminal, JSON elsewhere and in production."""

    @field_validator("broker")
    @classmethod
    def _servers(cls, value: str) -> str:
        servers = [part.strip().removeprefix("kafka://") for part in re.split(r"[,;]", value)]
        for server in servers:
            host, _, port = server.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                msg = f"{server!r} is not host:port"
                raise ValueError(msg)
        return ",".join(servers)

    @field_validator("topic_prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        if not _TOPIC.fullmatch(value.removesuffix(SHADOW)):
            msg = "letters, digits, '.', '_' and '-' only, at most 100"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _beside(self) -> "Settings":
        if self.shadow and not self.topic_prefix.endswith(SHADOW):
            object.__setattr__(self, "topic_prefix", self.topic_prefix + SHADOW)
        return self

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if self.env == "production" and self.broker_kind == "embedded":
            msg = "broker_kind: the embedded broker keeps everything in memory and is not for production"
            raise ValueError(msg)
        if self.security_protocol.startswith("SASL") and (self.sasl_username is None or self.sasl_password is None):
            msg = "sasl_username: SASL needs a user name and a password"
            raise ValueError(msg)
        return self

    @property
    def app_id(self) -> str:
        """Name of the consumer group; two prefixes are two deployments."""
        return f"{self.topic_prefix.replace('|', '')}mindgap"

    @property
    def session_timeout_s(self) -> float:
        """How long a worker may be silent before its partitions go to others."""
        return self.session_s or (6.0 if self.broker_kind == "embedded" else 30.0)

    @property
    def compression_type(self) -> str | None:
        """As a producer wants it."""
        chosen = self.compression or ("none" if self.broker_kind == "embedded" else "zstd")
        return None if chosen == "none" else chosen

    @property
    def heartbeat_s(self) -> float:
        """Interval of heartbeats to the group's coordinator."""
        return min(1.0 if self.broker_kind == "embedded" else 3.0, self.session_timeout_s / 6)

    def environment(self) -> dict[str, str]:
        """The variables that give another process on this machine the same deployment, without secrets."""
        return {
            "MINDGAP_BROKER": self.broker,
            "MINDGAP_BROKER_KIND": self.broker_kind,
            "MINDGAP_PARTITIONS": str(self.partitions),
            "MINDGAP_SESSION_S": str(self.session_timeout_s),
            "MINDGAP_TOPIC_PREFIX": self.topic_prefix,
        }


def settings_from(environment: Mapping[str, str], **overrides: object) -> Settings:
    """The settings that `environment` gives, `overrides` (None: not given) before them. Raises SettingsError."""
    given: dict[str, object] = {
        name: environment[variable]
        for name in Settings.model_fields
        if environment.get(variable := _PREFIX + name.upper())
    }
    given.update({name: value for name, value in overrides.items() if value is not None})
    try:
        return Settings.model_validate(given)
    except ValidationError as problem:
        lines = [_explain(error["loc"], error["msg"]) for error in problem.errors(include_input=False)]
        raise SettingsError("; ".join(lines)) from None


def _explain(place: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    if place:
        return f"{_PREFIX}{str(place[0]).upper()}: {text}"
    name, colon, rest = text.partition(":")
    return f"{_PREFIX}{name.upper()}{colon}{rest}"
