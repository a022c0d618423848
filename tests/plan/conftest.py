"""One thread for torch: these networks are so small that a second one only waits."""

from tests.network.conftest import _one_thread

__all__ = ["_one_thread"]
