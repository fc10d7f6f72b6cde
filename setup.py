"""What pyproject.toml cannot say: the optional C extension and the packaged data folders."""

import shutil
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_py import build_py

FRONTEND = Path("firmware/lib/audio_frontend")


class BuildWithFolders(build_py):
    """Puts `firmware/`, `configs/` and `docs/course/` into the wheel as `tinyml_cli/_firmware` and so on."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for folder in ("firmware", "configs", "docs/course"):
            target = Path(self.build_lib, "tinyml_cli", f"_{Path(folder).name}")
            ignored = shutil.ignore_patterns("__pycache__", ".pio")
            shutil.copytree(folder, target, dirs_exist_ok=True, ignore=ignored)


setup(
    packages=find_packages(include=["tinyml_cli", "tinyml_cli.*"]),
    package_data={
        "tinyml_cli": ["py.typed"],
        "tinyml_cli.boards": ["*.yaml"],
        "tinyml_cli.pages": ["templates/*"],
        "tinyml_cli.lineage": ["templates/*"],
        "tinyml_cli.project": ["templates/*"],
        "tinyml_cli.retraining": ["templates/*"],
        "tinyml_cli.speech": ["*.tsv"],
    },
    cmdclass={"build_py": BuildWithFolders},
    ext_modules=[
        # Optional: without a compiler the numpy port does the same, bit for bit, more slowly.
        Extension(
            "tinyml_cli.features._frontend",
            ["tinyml_cli/features/_frontend.c", *sorted(path.as_posix() for path in FRONTEND.glob("*.c"))],
            include_dirs=[FRONTEND.as_posix()],
            extra_compile_args=["-O3"],
            optional=True,
        )
    ],
)
