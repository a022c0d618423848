"""What is shown of a run: records of cases in, text and files out. Knows no pytest."""
