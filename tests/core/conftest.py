"""Profiles: quick by default; `pytest tests/core --hypothesis-profile=thorough` looks much further."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "thorough", max_examples=3000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("seek", max_examples=400, deadline=None, phases=[*settings().phases][:3])
