"""What is shown of runs. In: records of cases, stored runs and the ledger. Out: text, one HTML page, SVG, markdown.

Nothing here knows pytest.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
