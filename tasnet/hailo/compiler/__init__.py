"""The Dataflow Compiler's adapter: found, run, its end read."""
