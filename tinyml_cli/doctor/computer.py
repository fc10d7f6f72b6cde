"""What this computer has for each stage, and how to get what it lacks."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence

from tinyml_cli import processes
from tinyml_cli.boards.boards import load_board
from tinyml_cli.doctor import packages
from tinyml_cli.doctor.finding import DoctorCheck
from tinyml_cli.errors import TinymlError
from tinyml_cli.flash.upload_tool import find_tool, require_tool
from tinyml_cli.installed import spec_of
from tinyml_cli.link.port_errors import UDEV_RULES_FILE, serial_access, udev_rule
from tinyml_cli.speech import kokoro_files
from tinyml_cli.wording import counted

_ARM_GCC, _QEMU, _UPLOADER = "arm-none-eabi-gcc", "qemu-system-arm", "bossac"


def examine() -> list[DoctorCheck]:
    """Looks for every tool; runs each at most once, for its version."""
    return [
        DoctorCheck("Python", "everything", sys.version.split()[0], "", True),
        DoctorCheck("TensorFlow", "train, quantize, convert", _package("tensorflow"), _pip("train"), False),
        DoctorCheck(
            "espeak-ng", "training without recordings", _package("espeakng_loader"), _pip("speech"), False
        ),
        DoctorCheck(
            "flite", "more voices for synthesised speech", _program("flite"), packages.way("flite"), False
        ),
        DoctorCheck(
            "Kokoro", "neural voices for synthesised speech", _kokoro(), kokoro_files.remedy(), False
        ),
        DoctorCheck("C front end", "features five times faster", _frontend(), _compiler_remedy(), False),
        _installable("g++", "--board native", _compiler("native"), "g++", False),
        _installable("WebAssembly", "--board browser", _compiler("browser"), "clang", False),
        _installable(_ARM_GCC, "--board sim", _program(_ARM_GCC), _ARM_GCC, True),
        _installable("newlib for Arm", "--board sim", _newlib(), "newlib", True),
        _installable("QEMU", "--board sim", _program(_QEMU), _QEMU, True),
        DoctorCheck("PlatformIO", "build", _package("platformio"), "pip install tinyml-cli", True),
        DoctorCheck("serial ports", "flash, monitor of a board", serial_access(), _serial_remedy(), False),
        DoctorCheck(_UPLOADER, "flash a Nano 33 BLE", _uploader(), "tinyml flash fetches it", False),
        DoctorCheck(
            "TFLM runtime",
            "parity checks",
            _package("tflite_micro"),
            "wheels exist only for Linux on x86-64",
            False,
        ),
    ]


def _pip(extra: str) -> str:
    return f"pip install 'tinyml-cli[{extra}]'"


def _kokoro() -> str:
    return "" if kokoro_files.missing() else counted(len(kokoro_files.VOICE_SHA256), "voice")


def _installable(name: str, purpose: str, found: str, program: str, required: bool) -> DoctorCheck:
    return DoctorCheck(name, purpose, found, packages.way(program), required, program)


def mend(findings: Sequence[DoctorCheck]) -> list[str]:
    """Installs missing compilers, emulator and upload tool; returns what is left to be done by hand.

    Raises:
        TinymlError: an installation failed.
    """
    missing = [finding for finding in findings if not finding.found]
    left = packages.install([finding.program for finding in missing if finding.program])
    if any(finding.name == _UPLOADER for finding in missing):
        try:
            require_tool()
        except TinymlError as error:  # needed for a real board alone
            left.append(f"{error.what}. {error.next_step}")
    return left


def _compiler(board: str) -> str:
    compiler = load_board(board).needs[0]
    if not compiler.present:
        return ""
    if compiler.is_replaced:
        return f"ziglang {_package(compiler.instead)}"
    return f"{compiler.tool} {_program(compiler.tool)}" if compiler.target else _program(compiler.tool)


def _compiler_remedy() -> str:
    # pip keeps the wheel that it made without a compiler.
    again = "pip install --force-reinstall --no-deps --no-cache-dir tinyml-cli"
    return f"{packages.way_to_extensions()}, then {again}"


def _serial_remedy() -> str:
    return f"add this line to {UDEV_RULES_FILE} and plug the board in again: {udev_rule()}"


def _uploader() -> str:
    return str(find_tool() or "")


def _package(name: str) -> str:
    if spec_of(name) is None:
        return ""
    from importlib import metadata

    names = metadata.packages_distributions().get(name, [name])
    return metadata.version(names[0])


def _program(*names: str) -> str:
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        return ""
    answer = _ask(path, "--version")
    version = re.search(r"\d+\.\d+[\w.]*", answer)
    return version.group() if version else path


def _newlib() -> str:
    compiler = shutil.which(_ARM_GCC)
    specs = _ask(compiler, "-print-file-name=nano.specs").strip() if compiler else ""
    return "nano.specs" if "/" in specs or "\\" in specs else ""


def _ask(*command: str) -> str:
    try:
        answer = processes.run(command, timeout_s=20)
    except (OSError, processes.TimeoutExpired):
        return ""
    return answer.stdout + answer.stderr


def _frontend() -> str:
    return "built" if spec_of("tinyml_cli.features._frontend") else ""
