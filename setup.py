"""What pyproject.toml cannot say: the optional C extension and the packaged data folders."""

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
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
        try:
            carry_uplot(Path(self.build_lib, "tinyml_cli", "studio", "web", "vendor"))
        except Exception as error:  # the charts of `tinyml studio`, which also works without them
            self.warn(f"no uPlot in this wheel: {error}")


def carry_uplot(target: Path) -> None:
    """Puts uPlot into the wheel, from $TINYML_VENDOR_DIR or through npm, verified by the pin of downloads."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from tinyml_cli.download import download_npm, uplot

    with tempfile.TemporaryDirectory() as folder:
        name = download_npm.archive_name(uplot.ADDRESS)
        archive = Path(os.environ.get("TINYML_VENDOR_DIR", folder), name)
        if not archive.is_file():
            archive = Path(folder, name)
            download_npm.pack(uplot.ADDRESS, archive)
        if hashlib.sha256(archive.read_bytes()).hexdigest() != uplot.SHA256:
            raise ValueError(f"{name} has other bytes than the pinned ones")
        with tarfile.open(archive) as packed:
            for file in (*uplot.FILES, uplot.LICENCE_FILE):
                if (member := packed.extractfile(f"{uplot.INSIDE}/{file}")) is None:
                    raise ValueError(f"{name} lacks {file}")
                target.mkdir(parents=True, exist_ok=True)
                Path(target, Path(file).name).write_bytes(member.read())


setup(
    packages=find_packages(include=["tinyml_cli", "tinyml_cli.*"]),
    package_data={
        "tinyml_cli": ["py.typed"],
        "tinyml_cli.boards": ["*.yaml"],
        "tinyml_cli.container": ["requirements.lock"],
        "tinyml_cli.pages": ["templates/*"],
        "tinyml_cli.lineage": ["templates/*"],
        "tinyml_cli.training.federated": ["flower/*"],
        "tinyml_cli.project": ["templates/*"],
        "tinyml_cli.retraining": ["templates/*"],
        "tinyml_cli.speech": ["*.tsv"],
        "tinyml_cli.word_embedding": ["*.tflite", "*.json", "*.npy", "*.npz"],
        "tinyml_cli.studio": ["web/*"],
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
