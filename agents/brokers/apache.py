"""Apache Kafka without containers: brokers from the jars of `deploy/kafka`, on the loopback, for tests and developers.

Each broker is one Java process that is also a controller (KRaft). What they store is thrown away at the end.
"""

import os
import signal
import ssl
import subprocess
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path

from agents.brokers.certificates import Authority
from agents.brokers.jars import java, kafka_jars
from agents.brokers.ports import lasting_ports
from agents.brokers.process import BrokerError, Process, answers, stop, tail, wait_until
from agents.brokers.properties import LOGGING, Place, Security, server_properties, text

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
ATTEMPTS = 3
HEAP_MB = 384
_JAVA = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # half the time to start, and less of the cores that the tests need
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dlog4j2.disableJmx=true",
)
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
"""Nothing of ours: KAFKA_OPTS or JAVA_TOOL_OPTIONS of a developer's shell must not change what tests see."""


class Broker:
    """One broker of a cluster. What it stores and its ports outlive its process."""

    def __init__(self, place: Place, command: Sequence[str], tls: ssl.SSLContext | None) -> None:
        self.number = place.number
        self.address = f"127.0.0.1:{place.client}"
        self.log = place.folder / "broker.log"
        self.data = place.folder / "data"
        self._place = place
        self._command = command
        self._tls = tls
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The id of its process, which may have ended."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """True while its process is there, also where it is paused."""
        return self._process is not None and self._process.poll() is None

    def spawn(self) -> None:
        """Begin to start it; `wait` tells when it serves. Several that depend on one another start together."""
        if self.is_running:
            raise BrokerError(f"broker {self.number} runs already")
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd=self._place.folder,
                start_new_session=True,  # Ctrl-C is for whoever started it
            )

    def wait(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Return when it serves clients. Raises BrokerError where it ends before, or not within the limit."""
        name = f"Kafka broker {self.number}"
        wait_until(lambda: answers(self._place.client, self._tls), self._running(), self.log, name, timeout_s)

    def start(self) -> None:
        """Start it, with what it stored before. Raises BrokerError."""
        self.spawn()
        self.wait()

    def stop(self) -> None:
        """End it cleanly: it hands its partitions to others first. One that does not go is killed."""
        stop(self._running(), STOP_TIMEOUT_S)

    def kill(self) -> None:
        """Kill -9."""
        process = self._running()
        process.kill()
        process.wait(STOP_TIMEOUT_S)

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing, from when this returns."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # the signal alone takes a moment

    def resume(self) -> None:
        """SIGCONT."""
        self._running().send_signal(signal.SIGCONT)

    def last_words(self) -> str:
        """The end of its log, as one line."""
        return tail(self.log)

    def _running(self) -> Process:
        if self._process is None:
            raise BrokerError(f"broker {self.number} was not started")
        return self._process


@dataclass(frozen=True, slots=True)
class Cluster:
    """Brokers that serve. With security, `cafile` is what clients trust and `users` who they may be."""

    brokers: tuple[Broker, ...]
    cafile: Path | None = None
    users: Mapping[str, str] | None = None
    tls_address: str | None = None
    """Bootstrap servers of the listener with TLS and no name (everybody is `User:ANONYMOUS` there)."""

    @property
    def address(self) -> str:
        """Bootstrap servers for clients, separated by commas; with security they need TLS, a name and a password."""
        return ",".join(broker.address for broker in self.brokers)

    @property
    def replication(self) -> int:
        """How many copies of a topic the cluster can hold, at most 3."""
        return min(3, len(self.brokers))

    def environment(self, user: str = "admin") -> dict[str, str]:
        """The settings of a process of ours that uses this cluster, with security as this user."""
        found = {
            "MINDGAP_BROKER": self.address,
            "MINDGAP_BROKER_KIND": "kafka",
            "MINDGAP_REPLICATION": str(self.replication),
        }
        if self.cafile is not None and self.users is not None:
            found |= {
                "MINDGAP_SECURITY_PROTOCOL": "SASL_SSL",
                "MINDGAP_SASL_MECHANISM": "SCRAM-SHA-512",
                "MINDGAP_SASL_USERNAME": user,
                "MINDGAP_SASL_PASSWORD": self.users[user],
                "MINDGAP_SSL_CAFILE": str(self.cafile),
            }
        return found


@contextmanager
def apache_kafka(
    brokers: int = 1,
    *,
    security: Security | None = None,
    folder: Path | None = None,
    ports: tuple[int, ...] = (),
    properties: Mapping[str, str] | None = None,
    heap_mb: int = HEAP_MB,
) -> Iterator[Cluster]:
    """A cluster for the length of the block; every broker of it serves when the block begins.

    `folder` is where its logs and data go, and stays (default: a temporary one); `ports` are for the first clients'
    listeners, used where they are free; `properties` go before those of `agents.brokers.properties`. At the end every
    process is killed: there is nothing to be kept. Raises BrokerError where it cannot start.
    """
    jars, program = kafka_jars(), java()
    command = [program, f"-Xmx{heap_mb}m", *_JAVA, "-cp", f"{jars}/*"]
    with tempfile.TemporaryDirectory(prefix="mindgap-kafka-", ignore_cleanup_errors=True) as scratch:
        base = Path(folder or scratch)
        base.mkdir(parents=True, exist_ok=True)
        choose = partial(_places, base, brokers, ports, secure=security is not None)
        cluster = _started(command, choose, security, properties or {})
        try:
            yield cluster
        finally:
            _end(cluster)


def _started(
    command: Sequence[str],
    choose: Callable[[], list[Place]],
    security: Security | None,
    properties: Mapping[str, str],
) -> Cluster:
    """A cluster that serves; at other places where somebody else was faster to take a port."""
    attempt = 1
    while True:
        places = choose()
        cluster = _cluster(command, places, security, properties)
        try:
            _start(command, cluster, places, security)
        except BrokerError:
            ended = not all(broker.is_running for broker in cluster.brokers)
            _end(cluster)
            if attempt == ATTEMPTS or not ended:
                raise
            attempt += 1
        except BaseException:
            _end(cluster)
            raise
        else:
            return cluster


def _places(base: Path, brokers: int, wanted: tuple[int, ...], *, secure: bool) -> list[Place]:
    free = lasting_ports(brokers * (4 if secure else 2), wanted)
    clients, others = free[:brokers], iter(free[brokers:])
    places = []
    for number, client in enumerate(clients, start=1):
        folder = Path(tempfile.mkdtemp(prefix=f"broker-{number}-", dir=base))
        more = (next(others), next(others)) if secure else ()
        places.append(Place(number, folder, client, next(others), *more))
    return places


def _cluster(
    command: Sequence[str], places: Sequence[Place], security: Security | None, more: Mapping[str, str]
) -> Cluster:
    """The brokers with their files, none of them started."""
    tls = authority = None
    for place in places:
        (place.folder / "server.properties").write_text(
            text(server_properties(place, places, security, more)), encoding="utf-8"
        )
        (place.folder / "log4j2.properties").write_text(LOGGING)
    if security is not None:
        authority = Authority(places[0].folder / "authority")
        identity = authority.issue("broker").read_bytes()
        for place in places:
            (place.folder / "broker.pem").write_bytes(identity)
            (place.folder / "ca.pem").write_bytes(authority.cafile.read_bytes())
        tls = ssl.create_default_context(cafile=str(authority.cafile))
    brokers = tuple(Broker(place, _java(command, place, "kafka.Kafka", "server.properties"), tls) for place in places)
    if security is None or authority is None:
        return Cluster(brokers)
    open_to_all = ",".join(f"127.0.0.1:{place.tls}" for place in places)
    return Cluster(brokers, authority.cafile, dict(security.users), open_to_all)


def _start(command: Sequence[str], cluster: Cluster, places: Sequence[Place], security: Security | None) -> None:
    """Format every broker's storage, all with the same controllers and users; then start them together."""
    voters = ",".join(f"{p.number}@127.0.0.1:{p.controller}:{_id(f'directory {p.number}')}" for p in places)
    arguments = ["format", "--cluster-id", _id("cluster"), "--config", "server.properties"]
    arguments += ["--initial-controllers", voters]
    for name, password in security.users.items() if security else ():
        arguments += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
    for place in places:
        _format([*_java(command, place, "kafka.tools.StorageTool"), *arguments], place)
    for broker in cluster.brokers:
        broker.spawn()
    for broker in cluster.brokers:
        broker.wait()


def _format(command: Sequence[str], place: Place) -> None:
    log = place.folder / "format.log"
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd=place.folder,
            timeout=START_TIMEOUT_S,
            check=False,
        )
    if done.returncode != 0:
        raise BrokerError(f"the storage of Kafka broker {place.number} was not formatted: {tail(log)}")


def _java(command: Sequence[str], place: Place, *program: str) -> list[str]:
    """The command line; native libraries are unpacked beside the broker's data, where its end removes them."""
    logging = place.folder / "log4j2.properties"
    java, *options = command
    return [java, f"-Dlog4j2.configurationFile={logging}", f"-Djava.io.tmpdir={place.folder}", *options, *program]


def _id(name: str) -> str:
    """An id as Kafka writes them: 16 bytes in base64."""
    return urlsafe_b64encode(blake2b(name.encode(), digest_size=16).digest()).decode().rstrip("=")


def _end(cluster: Cluster) -> None:
    for broker in cluster.brokers:
        if broker.is_running:
            broker.kill()
