"""What is measured, for Prometheus. Labels are of bounded number; none holds anything personal."""

from collections import Counter as Numbers
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agents.worker.ports import Send
from schemas.codec import JSONDecodeError, loads
from topics.table import CHANGELOGS, ESCALATIONS

_LAG_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
_BATCH_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """The metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.events_in = Counter("mindgap_events_in", "Records read.", ["topic"], registry=registry)
        self.dead = Counter("mindgap_dead_letters", "Records refused.", ["reason", "topic"], registry=registry)
        self.escalations = Counter(
            "mindgap_escalations", "Revisions sent.", ["kind", "severity", "change"], registry=registry
        )
        self.detection_lag = Histogram(
            "mindgap_detection_lag_seconds",
            "From the instant that an escalation became true to its detection.",
            buckets=_LAG_S,
            registry=registry,
        )
        self.outputs = Counter("mindgap_outputs", "Records sent.", ["topic"], registry=registry)
        self.core = Counter("mindgap_core", "What the core counts.", ["what"], registry=registry)
        self.batch_seconds = Histogram(
            "mindgap_batch_seconds", "A batch, from start to confirmed.", buckets=_BATCH_S, registry=registry
        )
        self.core_seconds = Histogram(
            "mindgap_core_seconds", "A batch, in the core alone.", buckets=_BATCH_S, registry=registry
        )
        self.batch_records = Histogram(
            "mindgap_batch_records", "Records per batch.", buckets=(1, 10, 100, 1_000, 10_000), registry=registry
        )
        self.state_bytes = Counter("mindgap_changelog_bytes", "State written.", registry=registry)
        self.foreign_state = Counter(
            "mindgap_foreign_state", "State records of another owner that were overwritten.", registry=registry
        )
        self.unreadable_state = Gauge(
            "mindgap_unreadable_state",
            "Stored values that are damaged and held back.",
            ["partition", "table"],
            registry=registry,
        )
        self.send_retries = Counter("mindgap_send_retries", "Sends repeated.", registry=registry)
        self.outputs_refused = Counter("mindgap_outputs_refused", "Outputs no broker takes.", registry=registry)
        self.internal_errors = Counter("mindgap_internal_errors", "Defects met.", ["where"], registry=registry)
        self.lag = Gauge("mindgap_lag_records", "Records not worked off.", ["partition"], registry=registry)
        self.watermark_age = Gauge(
            "mindgap_watermark_age_seconds", "Partition's time behind the clock.", ["partition"], registry=registry
        )
        self.stalled_inputs = Gauge(
            "mindgap_stalled_inputs", "Partitions that time waits for, and that do not move.", registry=registry
        )
        self.provisional = Gauge(
            "mindgap_time_provisional", "Partitions without which time goes on.", registry=registry
        )
        self.paging_off = Gauge("mindgap_paging_off", "1 while the policy stops every page, else 0.", registry=registry)
        self.partitions = Gauge("mindgap_partitions", "Partitions owned.", registry=registry)
        self.open_timers = Gauge("mindgap_open_timers", "Timers that wait.", ["partition"], registry=registry)
        self.backlog = Gauge(
            "mindgap_first_start",
            "1 while what was there before the first start is taken in, and nothing is said.",
            ["partition"],
            registry=registry,
        )
        self.policies = Counter("mindgap_policies", "Policy documents read.", ["outcome"], registry=registry)
        self.recoveries = Counter("mindgap_recoveries", "Assignments recovered.", registry=registry)

    def dead_lettered(self, reason: str, topic: str) -> None:
        """Count a dead letter."""
        self.dead.labels(reason, topic).inc()

    def counted(self, counts: Mapping[Any, int]) -> None:
        """Add what the core counted."""
        for what, number in counts.items():
            self.core.labels(str(what)).inc(number)

    def sent(self, sends: Sequence[Send]) -> None:
        """Count outputs, escalations by what they say."""
        for topic, number in Numbers(send.topic for send in sends).items():
            self.outputs.labels(topic).inc(number)
        for send in sends:
            if send.topic == ESCALATIONS and send.value is not None:
                self._escalation(send.value)

    def forget(self, partition: int) -> None:
        """Drop the gauges of a partition that is no longer ours."""
        for gauge in (self.lag, self.watermark_age, self.open_timers, self.backlog):
            with suppress(KeyError):
                gauge.remove(str(partition))
        for table in CHANGELOGS:
            with suppress(KeyError):
                self.unreadable_state.remove(str(partition), table)

    def _escalation(self, value: bytes) -> None:
        try:
            record = loads(value)
            self.escalations.labels(record["kind"], record["severity"], record["change"]).inc()
            if record["change"] == "opened" and not record.get("backfilled"):
                self.detection_lag.observe(record["detection_lag_s"])
        except (JSONDecodeError, KeyError, TypeError):
            self.internal_errors.labels("metrics").inc()
