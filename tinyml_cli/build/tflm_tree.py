"""A source tree of TensorFlow Lite Micro as a PlatformIO library: an Arduino package, or TFLM's own.

TFLM's own is the output of its create_tflm_tree.py: `tensorflow/` and `third_party/`. It needs include
folders and macros that the Arduino package has built in, and C++17 for its sources and for whatever includes
its kernels' headers: application and engine. Arduino's core does not compile as C++17, so the rest does not.
"""

from __future__ import annotations

import json
from pathlib import Path

from tinyml_cli.errors import TinymlError

_UNUSED = (
    "peripherals/",
    "third_party/flatbuffers/",  # headers alone are needed of it
    "**/experimental/",
    "**/system_setup.*",
    "**/debug_log.*",
    "**/all_ops_resolver.*",
    "**/test_*",
    "**/*_test.*",
    "**/fake_*",
    "**/mock_*",
    "**/recording_*",
)
_THIRD_PARTY = (
    "flatbuffers/include",
    "gemmlowp",
    "ruy",
    "kissfft",
    "cmsis/CMSIS/Core/Include",
    "cmsis_nn",
    "cmsis_nn/Include",
)


def check_tree(given: Path | None) -> Path:
    """The absolute path of a tree.

    Raises:
        TinymlError: none was given, or the folder holds no TensorFlow Lite Micro.
    """
    advice = "Give a TensorFlow Lite Micro source tree with --tflm DIR, or use --engine aot."
    if given is None:
        raise TinymlError("Engine tflm needs the TensorFlow Lite Micro sources", "--tflm", advice)
    root = Path(given).resolve()
    if not (sources_dir(root) / "tensorflow" / "lite" / "micro").is_dir():
        raise TinymlError("The folder does not contain `tensorflow/lite/micro`", str(given), advice)
    return root


def sources_dir(tree: Path) -> Path:
    """The folder that holds `tensorflow/`."""
    return tree / "src" if (tree / "src" / "tensorflow").is_dir() else tree


def flags(tree: Path) -> list[str]:
    """What every source that includes TFLM's headers must be compiled with."""
    if _is_arduino_library(tree):
        return ["-DARDUINO=10819"]  # chooses between its kernel sets
    folders = [sources_dir(tree) / "third_party" / part for part in _THIRD_PARTY]
    found = [f'-I "{folder.as_posix()}"' for folder in folders if folder.is_dir()]
    optimised = ["-DCMSIS_NN"] if (sources_dir(tree) / "third_party" / "cmsis_nn").is_dir() else []
    # TFLM's own name for a build outside its Makefile: without it, trees for Cortex-M read a chip's counters.
    return ["-DTF_LITE_STATIC_MEMORY", "-DPROJECT_GENERATION", *optimised, *found]


def cxx_standard(tree: Path) -> str | None:
    """The C++ standard that the tree's headers need, None where the usual one does; as GCC 7 calls it."""
    return None if _is_arduino_library(tree) else "gnu++1z"


def render_library(tree: Path) -> str:
    """`library.json` of the tree: its sources where they lie, without tests and Arduino glue."""
    sources = sources_dir(tree)
    document = {
        "name": "tflm",
        "version": "1.0.0",
        "build": {
            "srcDir": sources.as_posix(),
            "includeDir": sources.as_posix(),
            "srcFilter": ["+<*>", *(f"-<{pattern}>" for pattern in _UNUSED)],
            "flags": ["-w", *([f"-std={standard}"] if (standard := cxx_standard(tree)) else [])],
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _is_arduino_library(tree: Path) -> bool:
    return (tree / "library.properties").is_file()
