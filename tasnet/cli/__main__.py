"""`python -m tasnet.cli` is `tasnet`."""

import sys

from tasnet.cli.app import main

sys.exit(main())
