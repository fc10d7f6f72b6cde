"""Networks compiled ahead of time on the emulated Cortex-M4: same bytes as TFLM, and what they cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engines import zoo
from tests.engines.network_builds import generate, random_inputs, run_sim, tflm_outputs

# Name, inputs to run, the most instructions: a share of what TensorFlow Lite Micro with CMSIS-NN takes on the
# same emulator (RECORDED in benchmarks/kernels.py), a few percent above what the kernels take today.
PUBLIC_MODELS = [
    ("kws_ref_model", 20, 0.42 * 7_846_379),
    ("vww_96_int8", 4, 0.40 * 24_735_611),
    ("pretrainedResnet_quant", 4, 0.46 * 29_876_556),
    ("ad01_int8", 20, 0.57 * 583_303),
]
# And flash: 0.45 of what the interpreter takes with the keyword model, 184,560 bytes.
KWS_FLASH_BYTES = 0.45 * 184_560


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sim_networks")


@pytest.mark.parametrize("name", zoo.NAMES)
def test_outputs_equal_those_of_tflm(name: str, builds: Path) -> None:
    model = zoo.model(name)
    network = generate(model, builds / name)
    inputs = random_inputs(network, 200, seed=4)
    np.testing.assert_array_equal(
        run_sim(network, builds / name, inputs).outputs, tflm_outputs(model, inputs)
    )


@pytest.mark.parametrize(("name", "count", "most_instructions"), PUBLIC_MODELS)
def test_public_models(name: str, count: int, most_instructions: float, builds: Path, shared: Path) -> None:
    model = (shared / "models" / f"{name}.tflite").read_bytes()
    network = generate(model, builds / name)
    inputs = random_inputs(network, count, seed=5)
    run = run_sim(network, builds / name, inputs)
    print(f"\n{name}: {run.instructions:,} instructions, {run.flash_bytes:,} B flash, "
          f"{run.ram_bytes:,} B RAM without stack, arena {network.plan.arena_bytes:,} B")  # fmt: skip
    np.testing.assert_array_equal(run.outputs, tflm_outputs(model, inputs))
    assert most_instructions / 10 < run.instructions <= most_instructions
    if name == "kws_ref_model":
        assert run.flash_bytes <= KWS_FLASH_BYTES
