"""`python -m tasnet` is `tasnet`."""

import sys

from tasnet.cli import main

sys.exit(main())
