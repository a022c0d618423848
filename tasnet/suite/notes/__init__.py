"""The conversion notes' night runs, read and written."""
