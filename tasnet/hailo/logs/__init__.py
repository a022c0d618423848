"""The compiler's output: a log on disk, or the text of an exception.

In goes a log in any encoding and of any size, or a text; out comes how it ended (`read_log`), the failure that it names
in the compiler's families (`classify_failure`), what a person can do about a fault of the machine or of the set-up
(`remedy`), and the lines that say how it ended. Failures here are observed: in a log the compiler speaks for itself.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
