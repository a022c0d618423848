"""What every room may use: errors, files, words. Knows nothing of networks, chips or tests."""
