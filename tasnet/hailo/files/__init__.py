"""The chip's files: HN, HAR and HEF, read and written."""
