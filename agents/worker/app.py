"""The Faust application, made by a function: topics, tables, agents and what they share."""

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import faust
from faust.types import StreamT
from faust.types.auth import CredentialsT
from faust.types.topics import TopicT

from agents import log, transport
from agents.clock import Clock
from agents.connection import client_options, tls
from agents.ends import end_offsets
from agents.settings import Settings
from agents.transport import BatchLimits
from agents.web import Web
from agents.worker import source, store
from agents.worker.paging import Paging
from agents.worker.partitions import Partitions
from agents.worker.policies import PolicyFeed
from agents.worker.ports import Kit
from topics.table import (
    AGGREGATE_INBOX,
    CHANGELOGS,
    COMMANDS,
    CUSTOMER_INBOX,
    IDENTITY_INBOX,
    INTERACTIONS,
    LINKS,
    TOPICS,
    physical,
)

AGENTS: dict[str, tuple[str, ...]] = {
    "interactions": INTERACTIONS,
    "links": (LINKS,),
    "commands": (COMMANDS,),
    "identities": (IDENTITY_INBOX,),
    "customers": (CUSTOMER_INBOX,),
    "aggregates": (AGGREGATE_INBOX,),
}
"""Every agent by name, with the topics that it reads. A queue of its own keeps one kind from starving another."""

PRODUCE_BYTES_MAX = max(topic.bytes_max for topic in TOPICS.values())
PRODUCE_BATCH_BYTES = 256 * 1024
"""One request at a time carries one batch of a partition: with Faust's 16 KiB each state would be a request of its own.
Less than any topic takes, so that a record which is too large is alone in its batch, and no other refused with it."""
_RECOVERY_BATCHES = 8
_OBSERVE_S = 1.0
_EMBEDDED_FETCH_WAIT_MS = 100
"""The embedded broker looks for new records but a few times in a fetch's wait: a short wait, a short latency."""
_FETCH_WAIT_MS = 250
"""Time goes on with the broker's answers, those that say there is nothing included: Faust's 1.5 s would be its lag."""
_log = log.get("mindgap.worker")


class App(faust.App):
    """Faust's app with what its agents share. Read the policies first, close the lanes before the consumer stops."""

    partitions: Partitions
    policies: PolicyFeed
    paging: Paging
    health: Web
    batch_limits: BatchLimits
    idempotent_producer: bool
    has_holes: bool
    """The broker may show a record before the one before it."""
    fetch_wait_ms: int | None
    """How long a fetch waits at the broker for the first record; None for as long as Faust says."""
    confirm_ends: Callable[..., Any] | None
    """Asks a broker whose answers cannot be trusted where partitions end; None where they can."""

    async def on_start(self) -> None:
        """Serve health and metrics, and read the policies, before anything is fetched."""
        await super().on_start()
        await self.health.start()
        await self.policies.start()
        self.paging.start()
        await self.partitions.timekeeper.start()

    async def on_stop(self) -> None:
        """End the policy feed and the web server, last of all."""
        await super().on_stop()
        await self.partitions.timekeeper.stop()
        await self.paging.stop()
        await self.policies.stop()
        await self.health.stop()

    @property
    def is_ready(self) -> bool:
        """Its partitions are recovered and worked on."""
        return self.partitions.are_open and not self.rebalancing and not self.in_recovery


def make_app(settings: Settings, clock: Clock, kit: Kit) -> App:
    """The application, not yet started."""
    source.register()
    store.register()
    app = App(settings.app_id, **_options(settings))
    app.idempotent_producer = settings.broker_kind == "kafka"
    app.has_holes = settings.broker_kind == "embedded"
    app.fetch_wait_ms = _EMBEDDED_FETCH_WAIT_MS if settings.broker_kind == "embedded" else _FETCH_WAIT_MS
    app.confirm_ends = partial(end_offsets, client_options(settings)) if settings.broker_kind == "embedded" else None
    tables = {name: _table(app, settings, name) for name in CHANGELOGS}
    partitions = Partitions(app, settings, clock, kit, lambda: {name: table.data for name, table in tables.items()})
    app.partitions = partitions
    app.policies = PolicyFeed(settings, _policy_taker(kit, partitions))
    app.paging = Paging(clock, kit, partitions.metrics)
    app.health = Web(settings, app)
    _connect(app, tables["customers"], partitions)
    for name, topics in AGENTS.items():
        app.agent(_topic(app, settings, topics), name=name, concurrency=1)(_forwarder(partitions))
    return app


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "broker": [f"{transport.SCHEME}://{server}" for server in settings.broker.split(",")],
        "broker_credentials": _credentials(settings),
        "ssl_context": tls(settings),
        "broker_session_timeout": settings.session_timeout_s,
        "broker_heartbeat_interval": settings.heartbeat_s,
        "broker_commit_interval": settings.commit_interval_s,
        "broker_max_poll_records": settings.batch_records_max * 4,
        "consumer_max_fetch_size": max(settings.fetch_bytes_max, 1),
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": settings.instance_id,
        "producer_linger": settings.linger_s,
        "producer_max_request_size": PRODUCE_BYTES_MAX,
        "producer_max_batch_size": PRODUCE_BATCH_BYTES,
        "producer_compression_type": settings.compression_type,
        "stream_buffer_maxsize": settings.buffered_batches_max,
        "stream_wait_empty": False,  # batches that are not done come again; waiting would hold up the group
        "store": f"{store.SCHEME}://",
        "table_standby_replicas": 0,
        "topic_partitions": settings.partitions,
        "topic_replication_factor": settings.replication,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "web_enabled": False,
        "worker_redirect_stdouts": False,
        "datadir": Path(tempfile.gettempdir()) / "mindgap",
        "autodiscover": False,
    }


def _credentials(settings: Settings) -> CredentialsT | None:
    context = tls(settings)
    if settings.security_protocol.startswith("SASL") and settings.sasl_password is not None:
        return faust.SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password.get_secret_value(),
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None


def _topic(app: App, settings: Settings, names: Iterable[str], **options: Any) -> TopicT:
    return app.topic(
        *(physical(settings.topic_prefix, name) for name in names),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=settings.partitions,
        allow_empty=True,
        **options,
    )


def _table(app: App, settings: Settings, name: str) -> Any:
    changelog = _topic(app, settings, [CHANGELOGS[name]], acks=False, maxsize=_RECOVERY_BATCHES * 4)
    return app.Table(
        name,
        partitions=settings.partitions,
        key_type=bytes,
        value_type=bytes,
        changelog_topic=changelog,
        recovery_buffer_size=_RECOVERY_BATCHES,
    )


def _forwarder(partitions: Partitions) -> Any:
    async def forward(stream: StreamT[Any]) -> None:
        """Give each batch to its lane. Nothing here can raise: Faust takes an exception for an acknowledgement."""
        async for event in stream.events():
            await partitions.put(event.message.value)

    return forward


def _connect(app: App, table: Any, partitions: Partitions) -> None:
    async def recovered() -> None:
        try:
            await partitions.open()
        except Exception as problem:  # noqa: BLE001 - Faust drops what is raised here, and would go on without lanes
            _log.critical("recovery_failed", error=type(problem).__name__, exc_info=True)
            await app.crash(problem)

    async def closing(*_: Any, **__: Any) -> None:
        await partitions.close()

    async def observing() -> None:
        while not app.should_stop:
            partitions.observe()
            await partitions.look_after()
            await app.sleep(_OBSERVE_S)

    table.on_recover(recovered)
    app.on_partitions_revoked.connect(closing, weak=False)
    app.on_before_shutdown.connect(closing, weak=False)
    app.task(observing)


def _policy_taker(kit: Kit, partitions: Partitions) -> Any:
    def take(value: bytes, arrived_at: int) -> None:
        try:
            new = kit.policy(value, arrived_at)
        except Exception as problem:  # noqa: BLE001 - a bad document must not stop the worker
            partitions.metrics.policies.labels("refused").inc()
            _log.error("policy_refused", error=type(problem).__name__, bytes=len(value))
            return
        partitions.metrics.policies.labels("taken" if new else "known").inc()
        if new:
            _log.info("policy_taken", arrived_at=arrived_at)
            partitions.policy_changed()

    return take
