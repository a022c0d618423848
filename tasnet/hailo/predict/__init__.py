"""What the embedded toolchain predicts of a graph."""
