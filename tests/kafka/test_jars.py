"""The jars are the ones that the repository names, or there are none."""

import re
import shutil
import subprocess

import pytest

from agents.brokers import BrokerError
from agents.brokers.jars import SOURCE, differences, kafka_jars

POM = (SOURCE / "pom.xml").read_text()
SUMS = (SOURCE / "SHA256SUMS").read_text()


@pytest.fixture
def source(tmp_path):
    """A copy of deploy/kafka that may be changed."""
    return shutil.copytree(SOURCE, tmp_path / "source")


def test_every_version_is_fixed():
    """No range, no property, no snapshot: one version for each dependency and plugin."""
    versions = re.findall(r"<version>(.*?)</version>", POM)[1:]  # the first is the pom's own
    assert versions
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in versions)
    assert len(versions) == POM.count("<dependency>") + POM.count("<plugin>")


def test_what_the_pom_names_is_what_the_sums_name():
    """The version of Kafka in the pom is that of the jars whose hashes are kept."""
    for artifact, version in re.findall(r"<artifactId>(.*?)</artifactId>.*\s+<version>(.*?)</version>", POM):
        if artifact not in ("kafka-for-tests", "maven-dependency-plugin"):
            assert f"  {artifact}-{version}.jar\n" in SUMS


def test_a_jar_that_is_other_missing_or_more_is_named(tmp_path):
    """Each difference is one sentence."""
    (tmp_path / "sums").write_text(f"{'0' * 64}  a.jar\n{'0' * 64}  b.jar\n")
    jars = tmp_path / "jars"
    jars.mkdir()
    (jars / "a.jar").write_text("other")
    (jars / "c.jar").write_text("more")
    found = differences(jars, tmp_path / "sums")
    assert found == ["b.jar is missing", "c.jar is not expected", "a.jar has another content"]


def test_without_maven_what_to_install_is_said(source, tmp_path, monkeypatch):
    """The message names Maven and Debian's package; nothing is left in the cache."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerError, match="apt-get install maven"):
        kafka_jars(source, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_outside_a_checkout_that_is_said(tmp_path):
    """Where the pom is not, as in an image, the message says so."""
    with pytest.raises(BrokerError, match="checkout"):
        kafka_jars(tmp_path, tmp_path / "cache")


@pytest.mark.kafka
def test_a_jar_with_another_hash_is_refused(source, tmp_path):
    """What Maven brings and the sums do not name is not used, and not kept."""
    sums = source / "SHA256SUMS"
    sums.write_text(re.sub(r"^\w{64}(  zstd)", "0" * 64 + r"\1", SUMS, flags=re.MULTILINE))
    with pytest.raises(BrokerError, match=r"zstd-jni.* has another content"):
        kafka_jars(source, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.kafka
def test_they_are_fetched_once(source, tmp_path, monkeypatch):
    """The second time neither Maven nor the network is asked."""
    first = kafka_jars(source, tmp_path / "cache")
    assert differences(first, source / "SHA256SUMS") == []
    monkeypatch.setattr(subprocess, "run", None)
    assert kafka_jars(source, tmp_path / "cache") == first
