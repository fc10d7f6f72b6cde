"""Models with one or a few things wrong: types, ranks, sizes, axes, scales, constants, options."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.engines import (
    random_graphs,
    random_operators,
    random_plain_operators,
    random_s16_operators,
    random_signal_operators,
    recurrent_models,
)
from tests.engines.flatbuffer_models import Model, schema
from tests.engines.test_operators import CASES
from tests.engines.test_states_and_boundaries import CASES as STATES

SIZES = (-(1 << 31), -2, -1, 0, 1, 2, 3, 7, 255, 65_536, (1 << 31) - 1)
FLOATS = (0.0, -1.0, 1e-38, 1e-9, 0.05, 2.0, 1e9, 3e38, float("inf"), float("nan"))
_RANDOM = (random_operators, random_s16_operators, random_plain_operators, random_signal_operators)


@functools.cache
def sound_models() -> list[Callable[[], bytes]]:
    """Makers of models that compile, of every operator that the engine has."""
    return [
        *(functools.partial(_alone, *each) for each in _ALONE),
        *CASES.values(),
        *STATES.values(),
        *(functools.partial(kind.model, name, 1) for kind in _RANDOM for name in kind.MAKERS),
        *(functools.partial(recurrent_models.svdf, seed) for seed in (1, 2)),
        *(functools.partial(recurrent_models.lstm, seed) for seed in (1, 2)),
        *(functools.partial(random_graphs.model, seed) for seed in range(20)),
    ]


_ALONE = (
    ("GELU", "int8"), ("RELU_N1_TO_1", "int8"), ("LOG", "float32"),
    ("SQUEEZE", "int8"), ("EXPAND_DIMS", "int8"),
)  # fmt: skip


def _alone(name: str, dtype: str) -> bytes:
    """An operator of one computed input that no other model here has."""
    model = Model()
    shape = {"SQUEEZE": (4, 6), "EXPAND_DIMS": (1, 1, 4, 6)}.get(name, (1, 4, 6))
    x, y = model.tensor((1, 4, 6), dtype=dtype), model.tensor(shape, dtype=dtype)
    given = [x, model.integers(np.array(0))] if name == "EXPAND_DIMS" else [x]
    model.operator(name, given, [y])
    return model.build([x], [y])


@functools.cache
def sound(number: int) -> bytes:
    """One of them."""
    return sound_models()[number]()


def mutated(number: int, seed: int) -> bytes | None:
    """A sound model with one to three mutations; None where a file cannot hold them."""
    rng = np.random.default_rng([number, seed])
    model = schema().ModelT.InitFromPackedBuf(sound(number), 0)
    for _ in range(int(rng.integers(1, 4))):
        _MUTATIONS[int(rng.integers(len(_MUTATIONS)))](model, rng)
    import flatbuffers

    builder = flatbuffers.Builder(4096)
    try:
        builder.Finish(model.Pack(builder), b"TFL3")
    except (TypeError, ValueError, OverflowError, flatbuffers.builder.BuilderNotFinishedError):
        return None
    return bytes(builder.Output())


def _pick(rng: np.random.Generator, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def _tensor(model: Any, rng: np.random.Generator) -> Any:
    return _pick(rng, _pick(rng, model.subgraphs).tensors)


def _operator(model: Any, rng: np.random.Generator) -> Any:
    graph = _pick(rng, [each for each in model.subgraphs if each.operators])
    return _pick(rng, graph.operators)


def _type(model: Any, rng: np.random.Generator) -> None:
    _tensor(model, rng).type = int(rng.integers(0, 20))


def _rank(model: Any, rng: np.random.Generator) -> None:
    tensor = _tensor(model, rng)
    shape = list(tensor.shape if tensor.shape is not None else [])
    tensor.shape = _pick(rng, [[], shape[1:], shape[:-1], [1, *shape], [*shape, 1], [1] * 9, shape[::-1]])


def _size(model: Any, rng: np.random.Generator) -> None:
    tensor = _tensor(model, rng)
    if tensor.shape is not None and len(tensor.shape):
        shape = [int(size) for size in tensor.shape]
        shape[int(rng.integers(len(shape)))] = _pick(rng, SIZES)
        tensor.shape = shape


def _scale(model: Any, rng: np.random.Generator) -> None:
    tensor = _tensor(model, rng)
    given = tensor.quantization
    if given is None or given.scale is None or rng.random() < 0.2:
        tensor.quantization = None
        return
    scales = [float(x) for x in given.scale]
    zeros = [] if given.zeroPoint is None else [int(x) for x in given.zeroPoint]
    kind = int(rng.integers(5))
    if kind == 0:
        given.scale = [_pick(rng, FLOATS) for _ in scales]
    elif kind == 1:
        given.zeroPoint = [_pick(rng, (*SIZES, -129, 128, 1 << 40)) for _ in zeros]
    elif kind == 2:
        given.quantizedDimension = _pick(rng, SIZES)
    elif kind == 3:
        given.scale = _pick(rng, [[], scales[:1], scales * 2, scales[:-1]])
    else:
        given.zeroPoint = _pick(rng, [[], zeros * 2, None])


def _constant(model: Any, rng: np.random.Generator) -> None:
    buffer = _pick(rng, model.buffers)
    if buffer.data is None or len(buffer.data) == 0:
        return
    data = np.array(buffer.data, np.uint8)
    kind = int(rng.integers(4))
    if kind == 0:
        buffer.data = None
    elif kind == 1:
        buffer.data = data[: int(rng.integers(len(data)))]
    elif len(data) % 4 == 0:
        words = data.view("<i4")
        words[int(rng.integers(len(words)))] = _pick(rng, SIZES)
        buffer.data = words.view(np.uint8)


def _buffer(model: Any, rng: np.random.Generator) -> None:
    _tensor(model, rng).buffer = int(rng.integers(0, len(model.buffers) + 1))


def _wiring(model: Any, rng: np.random.Generator) -> None:
    operator = _operator(model, rng)
    side = _pick(rng, ["inputs", "outputs"])
    given = getattr(operator, side)
    if given is None or len(given) == 0:
        return
    indices = [int(x) for x in given]
    place = int(rng.integers(len(indices)))
    kind = int(rng.integers(4))
    if kind == 0:
        del indices[place]
    elif kind == 1:
        indices.append(indices[place])
    else:
        indices[place] = _pick(rng, (-1, -5, 0, 1, 2, 3, 4, 5, 1000))
    setattr(operator, side, indices)


def _option(model: Any, rng: np.random.Generator) -> None:
    options = _operator(model, rng).builtinOptions
    fields = [] if options is None else [n for n, v in vars(options).items() if isinstance(v, (int, float))]
    if fields:
        setattr(options, _pick(rng, fields), _pick(rng, (*SIZES, True, False)))


def _options(model: Any, rng: np.random.Generator) -> None:
    operator = _operator(model, rng)
    if rng.random() < 0.5:
        operator.builtinOptions, operator.builtinOptionsType = None, 0
    elif operator.customOptions is not None:
        data = np.array(operator.customOptions, np.uint8)
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
        operator.customOptions = data


def _signature(model: Any, rng: np.random.Generator) -> None:
    graph = model.subgraphs[0]
    side = _pick(rng, ["inputs", "outputs"])
    setattr(graph, side, _pick(rng, [[], [0], [len(graph.tensors) - 1], [-1], [10_000], [0, 0]]))


_MUTATIONS = (
    _type, _rank, _size, _size, _scale, _scale, _constant, _constant, _buffer, _wiring, _option, _option,
    _options, _signature,
)  # fmt: skip
