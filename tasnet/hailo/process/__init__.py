"""One command in a process of its own, with limits, whose end is told."""
