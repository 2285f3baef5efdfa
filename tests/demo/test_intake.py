"""How far the worker is, told from its metrics."""

from prometheus_client import generate_latest

from agents.demo.intake import Counts, Intake, counts
from agents.worker.metrics import Metrics

A, B, INBOX = "interactions.email", "interactions.phone", "customer-inbox"


def test_counts_are_read_from_what_a_worker_really_serves():
    """The worker's own metrics, in Prometheus' text form, are understood."""
    metrics = Metrics()
    metrics.events_in.labels(A).inc(3)
    metrics.events_in.labels(INBOX).inc(2)
    metrics.outputs.labels(INBOX).inc(5)
    metrics.outputs.labels("escalations").inc(7)
    assert counts(generate_latest(metrics.registry).decode()) == Counts({A: 3, INBOX: 2}, {INBOX: 5})


def test_a_position_counts_when_every_topic_has_reached_it():
    """One topic that runs ahead does not hide another that lags."""
    intake = Intake()
    intake.sent(A)
    intake.sent(B)
    intake.fed(100)
    intake.sent(A)
    intake.fed(200)
    assert intake.sample(Counts({A: 2}, {})) is None
    assert intake.sample(Counts({A: 1, B: 1}, {})) == 100
    assert intake.sample(Counts({A: 2, B: 1}, {})) == 200
    assert intake.taken == 3


def test_records_in_the_inboxes_hold_time_back():
    """What travels through inboxes must have been read too, and what that has sent on in turn."""
    intake = Intake()
    intake.sent(A)
    intake.fed(100)
    assert intake.sample(Counts({A: 1}, {INBOX: 1})) is None
    assert intake.sample(Counts({A: 1, INBOX: 1}, {INBOX: 2})) is None
    assert intake.sample(Counts({A: 1, INBOX: 2}, {INBOX: 2})) == 100


def test_time_without_records_passes():
    """Where nothing was fed, time goes on."""
    intake = Intake()
    intake.fed(50)
    assert intake.sample(Counts({}, {})) == 50
    assert intake.sample(Counts({}, {})) is None
