"""Options, marks, fixtures and the report of the suite are the plugin's."""

import os
import sys

pytest_plugins = ["tasnet.suite.plugin"]

# A run starts workers and dozens of commands: where bytecode isn't kept each of them compiles the package anew, which
# is half of what they do.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
