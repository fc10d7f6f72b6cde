"""The front end as firmware: built with sanitizers for this computer and run by QEMU's Cortex-M4."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.features.synthetic_audio import GOLDEN, SETTINGS, clips
from tests.store import kept
from tinyml_cli.features.audio_frontend import feature_multiplier, quantize_features
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.features.tables import render_header

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "firmware" / "lib" / "audio_frontend"
HARNESS = Path(__file__).parent / "frontend_harness"
SIM_SCRIPT = REPOSITORY / "firmware" / "platforms" / "tinyml-local" / "ldscripts" / "sim.ld"
TABLES = "audio_frontend_tables.h"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
SANITIZERS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
CORTEX_M4 = ["-O3", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
QEMU = ["qemu-system-arm", "-M", "mps2-an386", "-cpu", "cortex-m4", "-icount", "shift=0", "-nographic"]
INSTRUCTIONS_PER_STEP = 40  # SysTick counts at 25 MHz while -icount shift=0 runs 10^9 instructions a second
SCALE, ZERO_POINT = 26 / 255, -128


@dataclass(frozen=True)
class Result:
    """What a run of the harness wrote."""

    features: NDArray[np.uint16]
    quantized: NDArray[np.int8]
    instructions: int


def build(settings: AudioFrontendSettings, target: str) -> list[str]:
    """Compiles the harness with the tables of `settings`, once; returns the command that runs it."""
    tools = {"native": ["gcc"], "sim": ["arm-none-eabi-gcc", "qemu-system-arm"]}[target]
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    tables = render_header(settings)
    shared = [HARNESS / "main.c", *sorted(LIBRARY.glob("*.c"))]
    if target == "native":
        options = [*SANITIZERS, *shared, HARNESS / "host_io_native.c"]
    else:
        options = [*CORTEX_M4, "-nostartfiles", "-nodefaultlibs", "-T", SIM_SCRIPT]
        options += [*shared, HARNESS / "host_io_semihosting.c", "-lc_nano", "-lgcc"]

    def make(folder: Path) -> None:
        (folder / TABLES).write_text(tables)
        command = [tools[0], *STRICT, f"-I{LIBRARY}", f"-I{folder}", "-o", folder / "frontend", *options]
        subprocess.run(command, check=True)

    ingredients = [tables, target, Path(__file__), HARNESS, LIBRARY, SIM_SCRIPT]
    program = kept("frontend", ingredients, make) / "frontend"
    if target == "native":
        return [str(program)]
    return [*QEMU, "-monitor", "none", "-serial", "none", "-semihosting", "-kernel", str(program)]


def run(
    folder: Path, runner: list[str], audio: NDArray[np.int16], channels: int, block_samples: int
) -> Result:
    """Feeds the clips int16 [clips, samples] through a built harness."""
    multiplier, shift = feature_multiplier(SCALE)
    job = np.array([*audio.shape, block_samples, multiplier, shift, ZERO_POINT], np.int32)
    (folder / "job.bin").write_bytes(job.tobytes() + audio.tobytes())
    process = subprocess.run(runner, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr
    shape = (len(audio), -1, channels)
    return Result(
        np.fromfile(folder / "features.bin", np.uint16).reshape(shape),
        np.fromfile(folder / "quantized.bin", np.int8).reshape(shape),
        int(np.fromfile(folder / "steps.bin", np.uint32)[0]) * INSTRUCTIONS_PER_STEP,
    )


@pytest.mark.parametrize("target", ["native", "sim"])
@pytest.mark.parametrize("name", SETTINGS)
def test_matches_the_golden_file(name: str, target: str, tmp_path: Path) -> None:
    settings = SETTINGS[name]
    runner = build(settings, target)
    result = run(tmp_path, runner, clips(), settings.channels, settings.stride_samples)
    np.testing.assert_array_equal(result.features, np.load(GOLDEN)[f"features_{name}"])
    np.testing.assert_array_equal(result.quantized, quantize_features(result.features, SCALE, ZERO_POINT))


@pytest.mark.parametrize("target", ["native", "sim"])
@pytest.mark.parametrize("name", SETTINGS)
def test_matches_the_reference_front_end(name: str, target: str, tmp_path: Path, shared: Path) -> None:
    golden = np.load(shared / "data" / "golden" / "micro_frontend.npz")
    settings = SETTINGS[name]
    runner = build(settings, target)
    result = run(tmp_path, runner, golden["audio"], settings.channels, settings.stride_samples)
    np.testing.assert_array_equal(result.features, golden[f"features_{name}"])


@pytest.mark.parametrize("block_samples", [1, 7, 481, 1024])
def test_streaming_in_any_block_size(block_samples: int, tmp_path: Path) -> None:
    settings = AudioFrontendSettings()
    runner = build(settings, "native")
    result = run(tmp_path, runner, clips(), settings.channels, block_samples)
    np.testing.assert_array_equal(result.features, np.load(GOLDEN)["features_w30_s20_c40"])


def test_a_frame_costs_a_small_part_of_its_stride(tmp_path: Path) -> None:
    settings = AudioFrontendSettings()
    runner = build(settings, "sim")
    result = run(tmp_path, runner, clips(), settings.channels, settings.stride_samples)
    per_frame = result.instructions / result.features[..., 0].size
    # A 64 MHz core has 1.28 million cycles in 20 ms.
    assert 10_000 < per_frame < 120_000


def test_a_configuration_beyond_the_build_is_refused(tmp_path: Path) -> None:
    settings = AudioFrontendSettings(window_ms=64, stride_ms=20)
    runner = build(settings, "native")
    small = tmp_path / "small"
    small.mkdir()
    (small / TABLES).write_text(render_header(settings))
    command = ["gcc", *STRICT, "-DAUDIO_FRONTEND_MAX_FFT_SIZE=512", f"-I{LIBRARY}", f"-I{small}"]
    sources = [HARNESS / "main.c", HARNESS / "host_io_native.c", *sorted(LIBRARY.glob("*.c"))]
    subprocess.run([*command, *SANITIZERS, *sources, "-o", small / "frontend"], check=True)
    job = np.array([0, 0, 320, 1, 1, 0], np.int32)
    for folder, status in ((tmp_path, 0), (small, 3)):
        (folder / "job.bin").write_bytes(job.tobytes())
        program = runner[0] if folder == tmp_path else small / "frontend"
        assert subprocess.run([program], cwd=folder, check=False).returncode == status
