"""The configuration of Apache Kafka brokers on the loopback: small, quick to start, and strict where tests look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BROKER_SESSION_MS = 6_000
"""How long the controller waits for a silent broker before others lead its partitions."""

LOGGING = """\
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %-5p %c{1}: %m %ex{short}%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
"""
"""For Log4j: warnings, one line each, to standard output, which is a file."""

_COMMON = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",  # topics are made by `mindgap topics create`, with their settings
    "unclean.leader.election.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "broker.session.timeout.ms": str(BROKER_SESSION_MS),
    "broker.heartbeat.interval.ms": "1000",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "2",
    "share.coordinator.state.topic.num.partitions": "2",
    "log.index.size.max.bytes": "1048576",  # mapped into memory whole, for each of hundreds of partitions
    "log.cleaner.backoff.ms": "1000",
    "file.delete.delay.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.threads": "1",
    "background.threads": "2",
}
_PLAIN = {
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENT",
}


@dataclass(frozen=True, slots=True)
class Security:
    """A cluster that asks who is there: TLS on every listener, SCRAM-SHA-512 for clients, and ACLs.

    `users`: passwords by name. Whoever is not one of `super_users` may do what an ACL allows, and nothing else.
    """

    users: Mapping[str, str]
    super_users: Sequence[str] = ("admin",)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one broker is: its number from 1, its folder, and its ports. Without security, two of them are None."""

    number: int
    folder: Path
    client: int
    controller: int
    internal: int | None = None
    tls: int | None = None

    @property
    def listeners(self) -> str:
        """Every listener with its address; clients use CLIENT, or with security TLS, which asks for no name."""
        ports = {"CLIENT": self.client, "TLS": self.tls, "INTERNAL": self.internal, "CONTROLLER": self.controller}
        return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items() if port is not None)


def server_properties(
    place: Place, places: Sequence[Place], security: Security | None, more: Mapping[str, str]
) -> dict[str, str]:
    """The settings of the broker at `place`, one of `places`; `more` goes before our own."""
    copies = str(min(3, len(places)))
    safe = str(2 if len(places) >= 3 else 1)
    return {
        **_COMMON,
        "node.id": str(place.number),
        "controller.quorum.bootstrap.servers": ",".join(f"127.0.0.1:{other.controller}" for other in places),
        "listeners": place.listeners,
        "advertised.listeners": place.listeners,
        "log.dirs": str(place.folder / "data"),
        "default.replication.factor": copies,
        "min.insync.replicas": safe,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": safe,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": safe,
        **(_PLAIN if security is None else _secure(security, place.folder)),
        **more,
    }


def text(properties: Mapping[str, str]) -> str:
    """The properties as Java reads them."""
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def _secure(security: Security, folder: Path) -> dict[str, str]:
    supers = [f"User:{name}" for name in security.super_users]
    return {
        "listener.security.protocol.map": "CLIENT:SASL_SSL,TLS:SSL,INTERNAL:SSL,CONTROLLER:SSL",
        "inter.broker.listener.name": "INTERNAL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(folder / "ca.pem"),
        "listener.name.internal.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.client.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": ";".join(["User:CN=broker", *supers]),
        "allow.everyone.if.no.acl.found": "false",
    }
