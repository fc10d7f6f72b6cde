"""The application `bench` as a whole, compiled for this computer with sanitizers, under hostile bytes."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.native import LIBRARIES, REPOSITORY, STRICT, run
from tests.firmware.test_protocol_parser import model_input

BUILD_H = """\
#pragma once
#define TINYML_HAL_NATIVE 1
#define TINYML_BOARD_NAME "native"
#define TINYML_ENGINE_AOT 1
#define TINYML_APP_BENCH 1
#define TINYML_APP_NAME "bench"
"""
MODEL_H = """\
#pragma once
#define TINYML_VERSION "0.0.0"
#define TINYML_MODEL_SHA256 "0123456789ab"
#define INPUT_TYPE "int8"
#define OUTPUT_TYPE "int8"
"""
# Outputs 3 ... 0 minus the first input byte: enough to tell inputs apart. Its memory ends where ASan looks.
NETWORK_H = """\
#pragma once
#include <stdint.h>
#define NETWORK_ARENA_ALIGNMENT 16
#define NETWORK_ARENA_BYTES 20
#define NETWORK_INPUT_COUNT 1
#define NETWORK_OUTPUT_COUNT 1
#define NETWORK_INPUTS_BYTES {16}
#define NETWORK_OUTPUTS_BYTES {4}
static inline int8_t* network_input(uint8_t* arena) { return (int8_t*)arena; }
static inline const int8_t* network_output(const uint8_t* arena) { return (const int8_t*)arena + 16; }
static inline void* network_input_at(uint8_t* arena, int) { return arena; }
static inline const void* network_output_at(const uint8_t* arena, int) { return arena + 16; }
static inline void network_reset(uint8_t*) {}
static inline int network_invoke(uint8_t* arena) {
  for (int i = 0; i < 4; ++i) arena[16 + i] = (uint8_t)(3 - i - arena[0]);
  return 0;
}
"""
BENCH_H = """\
#pragma once
#define BENCH_MODEL "test"
#define BENCH_BUFFER_BYTES {bytes}
#define BENCH_INPUT_{format} 1
#define BENCH_RESULT_{result} 1
#define BENCH_RESULT_DECIMALS 3
#define BENCH_INPUT_SCALE 0.5
#define BENCH_INPUT_ZERO_POINT (3)
#define BENCH_OUTPUT_SCALE 0.25
#define BENCH_OUTPUT_ZERO_POINT (1)
"""


# Inputs of 6 and 10 bytes in two places; outputs of 1 and 3 bytes: sums, which state adds up until a reset.
TWO_TENSORS_H = """\
#pragma once
#include <stdint.h>
#define NETWORK_ARENA_ALIGNMENT 16
#define NETWORK_ARENA_BYTES 64
#define NETWORK_INPUT_COUNT 2
#define NETWORK_OUTPUT_COUNT 2
#define NETWORK_INPUTS_BYTES {6, 10}
#define NETWORK_OUTPUTS_BYTES {1, 3}
static inline void* network_input_at(uint8_t* arena, int i) { return arena + 32 * i; }
static inline const void* network_output_at(const uint8_t* arena, int i) { return arena + 16 + 32 * i; }
static inline void network_reset(uint8_t* arena) { arena[20] = 0; }
static inline int network_invoke(uint8_t* arena) {
  for (int i = 0; i < 6; ++i) arena[20] = (uint8_t)(arena[20] + arena[i]);
  arena[16] = arena[20];
  arena[48] = arena[32];
  arena[49] = arena[41];
  arena[50] = 7;
  return 0;
}
"""


@pytest.fixture(scope="module", params=["INT8", "FLOAT32"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_app(tmp_path_factory.mktemp("app"), NETWORK_H, request.param)


def compile_app(folder: Path, network: str, input_format: str) -> Path:
    compiler = shutil.which("g++")
    if compiler is None or sys.platform == "win32":
        pytest.skip("needs g++ and POSIX")
    float32 = input_format == "FLOAT32"
    bench = BENCH_H.format(
        bytes=64 if float32 else 16,
        format=input_format,
        result="SQUARED_ERROR" if float32 else "SCORES",
    )
    headers = {"tinyml_build.h": BUILD_H, "model_settings.h": MODEL_H, "network.h": network}
    for name, text in {**headers, "bench_settings.h": bench}.items():
        (folder / name).write_text(text)
    source = REPOSITORY / "firmware" / "src"
    parts = [LIBRARIES / name for name in ("protocol", "hal", "engine")]
    sources = [source / f"{name}.cpp" for name in ("main", "bench", "mlperf", "session", "inference")]
    hal = LIBRARIES / "hal"
    sources += [*parts[0].glob("*.cpp"), *hal.glob("native/h*.cpp"), *hal.glob("virtual/*.cpp")]
    command = [compiler, *STRICT, "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command += [f"-I{path}" for path in (folder, source, *parts)]
    program = folder / f"bench_{input_format.lower()}"
    subprocess.run([*command, *sources, "-o", program], check=True)
    return program


def talk(app: Path, stream: bytes) -> list[str]:
    return run(app, stdin=stream).decode("utf-8", "replace").replace("\r", "").splitlines()


def test_greeting(app: Path) -> None:
    ready, mode, lap, done, m_ready = talk(app, b"")
    assert json.loads(ready)["app"] == "bench"
    assert (mode, done, m_ready) == ("m-timestamp-mode-performance", "m-init-done", "m-ready")
    assert lap.startswith("m-lap-us-")


def test_results(app: Path) -> None:
    float32 = app.name.endswith("float32")
    # 1.0 in little endian: the int8 input becomes 1.0 / 0.5 + 3 = 5, the outputs -2, -3, -4, -5, which are
    # -0.75, -1, -1.25, -1.5: the mean of (-1.75)^2, (-2)^2, (-2.25)^2, (-2.5)^2 is 4.59375.
    data, scores = ("0000803f" * 16, "4.594") if float32 else ("05" * 16, "-0.750,-1.000,-1.250,-1.500")
    lines = talk(app, f"db load {len(data) // 2}%db {data}%infer 2 0%results%".encode())[5:]
    assert lines.count(f"m-results-[{scores}]") == 2


def test_several_inputs_and_outputs_lie_one_after_another(tmp_path: Path) -> None:
    app = compile_app(tmp_path, TWO_TENSORS_H, "INT8")
    data = bytes([1, 2, 3, 4, 5, 6, 40, 1, 1, 1, 1, 1, 1, 1, 1, 50])
    stream = model_input(1, 0, data[:9]) + b"\n" + model_input(2, 9, data[9:]) + b"\nrun 3\nrun 3\nrun 4\n"
    stream += b"reset 5\nrun 6\n" + model_input(7, 8, bytes(9)) + b"\n"
    stream += b"db load 16%db " + data.hex().encode() + b"%infer 1 0%"
    lines = talk(app, stream)
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert (events[0]["input_bytes"], events[0]["output_bytes"]) == (16, 4)
    outputs = [event["data"] for event in events if event["event"] == "output"]
    # 1 + ... + 6 = 21; a repeated number is no second inference; state grows until the reset.
    assert outputs == ["15283207", "15283207", "2a283207", "15283207"]
    assert events[-1] == {"event": "nak", "seq": 7, "reason": "range"}
    # The first output after one inference more: 0.25 (42 - 1).
    assert [line for line in lines if line.startswith("m-results")] == ["m-results-[10.250]"]


def test_not_a_number_is_the_smallest_input(app: Path) -> None:
    if not app.name.endswith("float32"):
        pytest.skip("only of float input")
    for odd in ("0000c07f", "0000807f", "000080ff", "ffffff7f"):
        lines = talk(app, f"db load 64%db {odd * 16}%infer 1 0%".encode())
        assert any(line.startswith("m-results-[") for line in lines)


def test_hostile_bytes(app: Path) -> None:
    rng = random.Random(40)
    words = [b"db ", b"load ", b"16%", b"64%", b"db load 16%", b"db load 64%", b"db " + b"7f" * 16 + b"%"]
    words += [b"db " + b"00" * 64 + b"%", b"infer 1 0%", b"infer 3 2%", b"results%", b"db print 99 3%", b"%"]
    words += [b"db print%", b"help%", b"name%", b"\n", b"reset 1\n", b"run 0\n", b"run 5\n", b"info 2\n"]
    words += [model_input(3, offset, bytes(8)) + b"\n" for offset in (0, 8, 12, 16, 999)]
    words += [b"trace 1 scores,status\n", b"led 1 1 2 3\n", b"sensors 1\n", b"pcm 1 AAAA 00000000\n"]
    stream = b"".join(
        rng.choice(words) if rng.random() < 0.9 else rng.randbytes(rng.randrange(60)) for _ in range(6000)
    )
    lines = talk(app, stream + b"\n%info 77\nname%")
    assert lines[-2:] == ["m-name-dut-[native]", "m-ready"]
    assert json.loads(lines[-3]) == {"event": "ack", "seq": 77}
    assert any(line.startswith("m-results-[") for line in lines)
    talk(app, rng.randbytes(100_000))
