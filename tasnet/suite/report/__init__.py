"""What is shown of a run: records of cases in, text and files out. Knows no pytest."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
