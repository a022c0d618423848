"""Cases are run: the pipeline, its store and toolchains."""
