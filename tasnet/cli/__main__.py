"""`python -m tasnet.cli` is `tasnet`."""

import sys

from tasnet.cli import main

sys.exit(main())
