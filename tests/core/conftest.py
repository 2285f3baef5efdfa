"""Profiles: quick by default; `pytest tests/core --hypothesis-profile=thorough --timeout=0` looks much further.

`seek` looks a little further without making what it finds smaller, which takes long on a busy machine.
"""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "thorough", max_examples=3000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "seek", max_examples=400, deadline=None, print_blob=True, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
