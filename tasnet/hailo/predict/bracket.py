"""The one bracket that all outcomes share: rows up to a size have compiled, rows from another on have not."""

from __future__ import annotations

from dataclasses import dataclass

ROW_PASS = 384_000
"""elements: rows up to this have compiled"""
ROW_FAIL = 512_000
"""elements: no row of this size or more has compiled"""


@dataclass(frozen=True)
class Bracket:
    """Elements of a row: the widest that has compiled, and the narrowest that has not; None where any may."""

    passes: int = ROW_PASS
    fails: int | None = ROW_FAIL

    def fails_at(self, elements: int) -> bool:
        """Whether a row of this size, or a narrower one, is taken to fail."""
        return self.fails is not None and elements >= self.fails

    def open_at(self, elements: int) -> bool:
        """Whether nothing is known of a row of this size."""
        return elements > self.passes and not self.fails_at(elements)


PUBLIC_BRACKET = Bracket()
"""by the public outcomes alone"""
