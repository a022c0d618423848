"""Rounds a file of test durations: digits below the millisecond are noise, and would change in every commit.

python -m benchmarks.durations .test_durations
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(path: Path) -> None:
    durations = json.loads(path.read_text(encoding="utf-8"))
    rounded = {name: round(seconds, 3) for name, seconds in sorted(durations.items())}
    path.write_text(json.dumps(rounded, indent=0) + "\n", encoding="utf-8")
    print(f"{path}: {len(rounded)} tests, {sum(rounded.values()):.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
