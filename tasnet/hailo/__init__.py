"""The chip and its files: HN graphs, HARs, translation, constraints. Knows nothing of Conv-TasNet or pytest."""
