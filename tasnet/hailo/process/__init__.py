"""One command in a process tree of its own.

In go a command, a request (JSON), a limit in seconds and one in bytes of memory; out comes a `ProcessEnd`: its
messages, its exit code or signal, and the limit that it exceeded. Its output is a log of bounded size on disk. No
process of it is left, even if this one is killed. `hold_memory` keeps processes that share a machine within its memory.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
