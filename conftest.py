"""Options, marks, fixtures and the report of the suite are the plugin's."""

pytest_plugins = ["tasnet.suite.plugin"]
