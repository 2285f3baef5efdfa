"""`pytest tests/calendar --hypothesis-profile=calendar-deep` looks much further than the quick run."""

from hypothesis import settings

settings.register_profile("calendar-deep", max_examples=5000, deadline=None)
