"""Compiles sources as the Arduino core for the Nano 33 BLE does, with that core's own flags and headers.

TINYML_ARDUINO_CORE=<folder of ArduinoCore-mbed>. Beside it, or in TINYML_ARDUINO_LIBRARIES=<folder>, lie
ArduinoCore-API, Arduino_LSM9DS1 and Arduino_BMI270_BMM150; for the camera also Arduino_OV767X, a clone
with the pinned commit checked out, for Bluetooth ArduinoBLE.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

SIBLINGS = ("ArduinoCore-API", "Arduino_LSM9DS1", "Arduino_BMI270_BMM150")
# platform.txt and boards.txt of the core, board nano33ble.
DEFINES = ("ARDUINO=10819", "ARDUINO_ARDUINO_NANO33BLE", "ARDUINO_ARCH_NRF52840", "ARDUINO_ARCH_MBED")
# mbed tells by #warning that it falls back to its own settings of flash.
STRICT = ("-Werror", "-Wno-error=deprecated-declarations", "-Wno-cpp")


@dataclass(frozen=True)
class ArduinoCore:
    """The core's folders."""

    root: Path
    siblings: Path

    @classmethod
    def from_environment(cls) -> ArduinoCore:
        """Skips the test, with the reason, where something is missing."""
        given = os.environ.get("TINYML_ARDUINO_CORE")
        if not given:
            pytest.skip("TINYML_ARDUINO_CORE names no folder of ArduinoCore-mbed")
        root = Path(given).absolute()
        siblings = Path(os.environ.get("TINYML_ARDUINO_LIBRARIES", root.parent))
        for folder in (root / "variants" / "ARDUINO_NANO33BLE", *(siblings / name for name in SIBLINGS)):
            if not folder.is_dir():
                pytest.skip(f"{folder} is not there")
        if shutil.which("arm-none-eabi-g++") is None:
            pytest.skip("no arm-none-eabi-g++ here")
        return cls(root, siblings)

    @property
    def libraries(self) -> list[Path]:
        """Source folders of the core's and the sensors' libraries."""
        core = [self.root / "libraries" / name for name in ("PDM/src", "Wire", "SPI")]
        return core + [self.siblings / name / "src" for name in SIBLINGS[1:]]

    def library_sources(self) -> list[Path]:
        """What PlatformIO compiles of those libraries for this board."""
        found = [
            path for folder in self.libraries for path in folder.rglob("*") if path.suffix in (".c", ".cpp")
        ]
        others = ("rp2040", "STM32H747_SAI", "STM32H747_dfsdm")
        return [path for path in found if not any(part in path.parts for part in others)]

    def flags(self, source: Path) -> list[str]:
        """The core's flags for one source; its headers are system headers, so that only ours warn."""
        variant = self.root / "variants" / "ARDUINO_NANO33BLE"
        core = self.root / "cores" / "arduino"
        api = self.siblings / "ArduinoCore-API"
        mbed = [
            str(core) + line.removeprefix("-iwithprefixbefore").strip()
            for line in (variant / "includes.txt").read_text().splitlines()
            if line.startswith("-iwithprefixbefore")
        ]
        folders = [core, api, api / "api" / "deprecated", variant, *mbed, *self.libraries]
        words = (variant / ("cflags.txt" if source.suffix == ".c" else "cxxflags.txt")).read_text().split()
        return [
            f"@{variant / 'defines.txt'}",
            *(f"-D{name}" for name in DEFINES),
            *(word for word in words if word != "-Os"),
            "-O3",
            *(part for folder in folders for part in ("-isystem", str(folder))),
        ]

    def compile(self, source: Path, target: Path, includes: list[Path], *extra: str) -> str:
        """Compiles one source; returns what the compiler said, "" where all is well."""
        tool = "arm-none-eabi-gcc" if source.suffix == ".c" else "arm-none-eabi-g++"
        command = [tool, *self.flags(source), *(f"-I{folder}" for folder in includes), *extra]
        done = subprocess.run(
            [*command, str(source), "-o", str(target)], capture_output=True, text=True, check=False
        )
        text = done.stderr.strip()
        return f"{source}:\n{text[-1500:]}" if done.returncode or text else ""

    def compile_all(
        self, sources: list[Path], folder: Path, includes: list[Path], *extra: str
    ) -> tuple[list[Path], list[str]]:
        """Objects and complaints of many sources."""
        folder.mkdir(parents=True, exist_ok=True)
        targets = [folder / f"{index:03d}_{source.stem}.o" for index, source in enumerate(sources)]
        with ThreadPoolExecutor(max_workers=2) as pool:
            said = pool.map(
                lambda pair: self.compile(pair[0], pair[1], includes, *extra),
                zip(sources, targets, strict=True),
            )
            complaints = [text for text in said if text]
        return targets, complaints


def symbols(objects: list[Path]) -> dict[str, str]:
    """Name -> kind (nm's letter) of the global symbols that the objects define or ask for."""
    listing = subprocess.run(
        ["arm-none-eabi-nm", "-g", *map(str, objects)], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, str] = {}
    for line in listing.splitlines():
        words = line.split()
        if len(words) >= 2 and len(words[-2]) == 1:
            name, kind = words[-1], words[-2]
            found[name] = kind if found.get(name, "U") == "U" else found[name]
    return found
