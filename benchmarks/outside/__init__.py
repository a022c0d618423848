"""What comes from outside: how much of it was tried, and how much of that was read wrong.

Each module tries one kind of input and has `figures()`: a line for each figure, its number first, its goal last.
Nothing binary is kept: each module writes what it tries.
"""
