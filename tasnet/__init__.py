"""tasnet: what happens to every form of a Conv-TasNet on its way to a Hailo-8, held against what is expected."""

__version__ = "0.1.0"
