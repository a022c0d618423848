"""Cases: which there are, their names, how one ended."""
