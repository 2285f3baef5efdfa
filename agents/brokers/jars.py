"""Apache Kafka's jars: fetched once by Maven, checked against the hashes in the repository, and kept.

The folder they are kept in is named after what they should be (`pom.xml` and `SHA256SUMS`), and appears only when all
of them are there and right: who finds it need not look again, and two that fetch at once do not disturb each other.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import agents
from agents.brokers.process import BrokerError

ROOT = Path(agents.__path__[0]).parent
SOURCE = ROOT / "deploy" / "kafka"
CACHE = ROOT / ".kafka"
FETCH_TIMEOUT_S = 600
_MAVEN = ("--batch-mode", "--strict-checksums", "--no-transfer-progress", "--quiet")


def kafka_jars(source: Path = SOURCE, cache: Path = CACHE) -> Path:
    """The folder that holds the jars, fetched where they are not there yet.

    Raises BrokerError where Maven is missing or fails, or where a jar is not the one that it should be.
    """
    pom, sums = source / "pom.xml", source / "SHA256SUMS"
    if not pom.exists():
        raise BrokerError(f"{pom} is not here: Apache Kafka is started from a checkout of the repository only")
    name = hashlib.sha256(pom.read_bytes() + sums.read_bytes()).hexdigest()[:16]
    folder = cache / name
    if folder.is_dir():
        return folder
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=cache) as scratch:
        fetched = Path(scratch) / "jars"
        fetch(pom, fetched)
        wrong = differences(fetched, sums)
        if wrong:
            raise BrokerError(f"the jars are not those of {sums}: {'; '.join(wrong[:5])}")
        if not folder.is_dir():
            try:
                fetched.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was faster: as good
                    raise
    return folder


def fetch(pom: Path, folder: Path) -> None:
    """Have Maven copy what the pom names, and all that it needs at run time, into the folder. Raises BrokerError."""
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerError("Apache Kafka is fetched by Maven, which is not here (Debian: apt-get install maven)")
    command = [maven, *_MAVEN, f"--file={pom}", "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as problem:
        raise BrokerError(f"Maven did not bring Apache Kafka within {FETCH_TIMEOUT_S} s") from problem
    if done.returncode != 0:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise BrokerError(f"Maven could not bring Apache Kafka: {said[0] if said else done.stderr[-500:]}")


def differences(folder: Path, sums: Path) -> list[str]:
    """What is missing, more or other than the sums say (lines `HASH  NAME`); empty where all is right."""
    expected = {name: digest for digest, name in (line.split() for line in sums.read_text().splitlines())}
    found = {path.name: _digest(path) for path in folder.iterdir()} if folder.is_dir() else {}
    changed = [name for name in expected.keys() & found.keys() if expected[name] != found[name]]
    return [
        *(f"{name} is missing" for name in sorted(expected.keys() - found.keys())),
        *(f"{name} is not expected" for name in sorted(found.keys() - expected.keys())),
        *(f"{name} has another content" for name in sorted(changed)),
    ]


def java() -> str:
    """The Java program: that of JAVA_HOME, else the one on the path. Raises BrokerError where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin") if home else None
    program = program or shutil.which("java")
    if program is None:
        raise BrokerError("Apache Kafka needs Java 17 or later (Debian: apt-get install default-jre-headless)")
    return program


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
