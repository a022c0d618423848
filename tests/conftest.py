"""How hypothesis runs here: no test asserts times, so a slow machine breaks none."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
