"""What a wheel carries beside the package: the checkout's own suite, for `tasnet init`. pyproject.toml has the rest."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
STARTER = Path("tasnet", "suite", "starter")


class BuildWithSuite(build_py):
    """Copies the files of a suite into the built package; an editable installation has them where they are."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source, target in self._suite().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *(() if self.editable_mode else self._suite().values())]

    def _suite(self) -> dict[str, str]:
        patterns = (ROOT / STARTER / "files.txt").read_text(encoding="utf-8").split()
        files = [path.relative_to(ROOT) for pattern in patterns for path in sorted(ROOT.glob(pattern))]
        return {str(each): str(Path(self.build_lib, STARTER, "files", each)) for each in files}


setup(cmdclass={"build_py": BuildWithSuite})
