"""Whose bytes a program's are, as the linker's map tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml_cli.build import link_map

OBJECTS = {
    "model": ".pio/build/nano33ble/lib3a1/model/network.c.o",
    "kernels": ".pio/build/nano33ble/libA07/tinyml_nn/conv.c.o",
    "firmware": ".pio/build/nano33ble/src/kws.cpp.o",
    "libraries": ".pio/build/nano33ble/libF0c/Arduino_LSM9DS1/LSM9DS1.cpp.o",
    "core": "/packages/framework-arduino-mbed/libs/libmbed.a(mbed_boot.o)",
}


def text(model: str, kernels: str, firmware: str, libraries: str, core: str) -> str:
    return f"""\
Discarded input sections

 .text.unused   0x00000000     0x1000 {firmware}

Linker script and memory map

LOAD {core}

.text           0x00010000      0x400
 *(.vectors)
 .vectors       0x00010000      0x100 {core}
 .text.loop     0x00010100       0x18 {firmware}
 .text.convolve 0x00010118       0x08 {kernels}
 .text.a_name_that_is_too_long_for_its_column
                0x00010120       0x30 {libraries}
                0x00010120                a_name_that_is_too_long_for_its_column
 *fill*         0x00010150        0xe
 .rodata.weights
                0x00010160       0x40 {model}

.data           0x20000000       0x10 load address 0x00010400
 .data.state    0x20000000       0x10 {libraries}

.bss            0x20000010      0x200
 .bss.arena     0x20000010       0x80 {firmware}
 COMMON         0x20000090       0x08 {core}

.debug_info     0x00000000     0x9000
 .debug_info    0x00000000     0x9000 {firmware}
"""


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_each_object_s_bytes_are_its_owner_s(separator: str, tmp_path: Path) -> None:
    names = {part: name.replace("/", separator) for part, name in OBJECTS.items()}
    (tmp_path / "firmware.map").write_text(text(**names))
    found = {
        each.part: (each.flash_bytes, each.ram_bytes) for each in link_map.read(tmp_path / "firmware.map")
    }
    assert found == {
        "model": (0x40, 0),
        "kernels": (0x08, 0),
        "firmware": (0x18, 0x80),
        "libraries": (0x30 + 0x10, 0x10),
        "core": (0x100, 0x08),
    }


def test_without_a_map_nothing_is_said(tmp_path: Path) -> None:
    assert link_map.read(tmp_path / "firmware.map") == []
