"""What pyproject.toml cannot say: the optional C extension and the packaged data folders."""

from pathlib import Path

from setuptools import Extension, find_packages, setup

FRONTEND = Path("firmware/lib/audio_frontend")


def data_packages(folder: str) -> dict[str, str]:
    """Maps `firmware/x` to the package `tinyml_cli._firmware.x`, so that wheels carry the sources."""
    directories = [Path(folder), *(p for p in Path(folder).rglob("*") if p.is_dir() and "." not in p.name[:1])]
    return {f"tinyml_cli._{'.'.join(d.parts)}": str(d) for d in directories if d.name != "__pycache__"}


packaged = data_packages("firmware") | data_packages("configs")

setup(
    packages=[*find_packages(include=["tinyml_cli", "tinyml_cli.*"]), *packaged],
    package_dir=packaged,
    package_data={"": ["*"]},
    ext_modules=[
        # Optional: without a compiler the numpy port does the same, bit for bit, more slowly.
        Extension(
            "tinyml_cli.features._frontend",
            ["tinyml_cli/features/_frontend.c", *sorted(str(p) for p in FRONTEND.glob("*.c"))],
            include_dirs=[str(FRONTEND)],
            extra_compile_args=["-O3"],
            optional=True,
        )
    ],
)
