"""A suite of one's own, for who has tasnet and no checkout of it.

In: a folder. Out: the ledger, limits, settings and tests of tasnet's own checkout in it, written where there are none,
and which they are. The files are the checkout's: a wheel carries a copy, made when it is built (setup.py).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
