"""What is assumed wherever something is inferred, in a module that loads nothing: every run's end may say it."""

ASSUMED = "assumed: more layers, wider rows, more channels are never easier; what is inferred rests on that"
