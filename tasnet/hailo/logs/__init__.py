"""What the compiler's output says: lines, messages, failures."""
