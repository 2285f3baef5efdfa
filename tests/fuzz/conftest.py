"""Quick by default; `pytest tests/fuzz --hypothesis-profile=fuzz --timeout=0` looks for half an hour."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fuzz", max_examples=20_000, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
