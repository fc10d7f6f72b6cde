"""Random models of one operator on float32 or int32, of DIV and of CAST: extreme shapes and values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.engines.random_operators import RandomOperator

_BINARY = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions",
           "MAXIMUM": "MaximumMinimumOptions", "MINIMUM": "MaximumMinimumOptions"}  # fmt: skip
_OPTIONS = {"SOFTMAX": ("SoftmaxOptions", "beta"), "LEAKY_RELU": ("LeakyReluOptions", "alpha")}
_CASTS = [(source, target) for source in ("int8", "int16", "int32", "float32")
          for target in ("int8", "int16", "int32", "float32") if source != target]  # fmt: skip


class PlainOperator(RandomOperator):
    """Makes models of one operator whose name is followed by a type: "ADD float32"."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(name, seed)
        self.operator, self.dtype = name.split()

    def plain(self, shape: tuple[int, ...], data: np.ndarray | None = None, dtype: str = "") -> int:
        """A tensor without a scale."""
        return self.model.tensor(shape, None, dtype=dtype or self.dtype, data=data)

    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Two that meet, and what they make."""
        target = self.shape(self.pick(1, 2, 3, 4), 6)
        a, b = (tuple(n if self.chance(0.75) else 1 for n in target) for _ in range(2))
        b = b[self.pick(0, 0, *range(len(b))) :]
        joint = np.broadcast_shapes(a, b)
        return a, b, tuple(int(n) for n in joint)

    def constant(self, shape: tuple[int, ...]) -> np.ndarray:
        """Values other than 0 of both signs and many sizes; none by which a division overflows."""
        if self.dtype == "int32":
            return self.rng.choice([-(1 << 31), -7, -2, 1, 2, 255, (1 << 31) - 1], shape)
        return (self.rng.choice([-1, 1], shape) * np.exp(self.rng.uniform(-20, 20, shape))).astype(np.float32)

    def binary(self) -> bytes:
        """With broadcasting and a fused activation; one operand is a constant now and then."""
        a, b, target = self.shapes()
        fixed = (self.operator == "DIV" and self.dtype == "int32") or self.chance()
        x, y = self.plain(a), self.plain(b, self.constant(b) if fixed else None)
        z = self.plain(target)
        # TensorFlow Lite Micro's int32 ADD ignores an activation.
        activation = 0 if self.name == "ADD int32" else self.pick(0, 0, 1, 2, 3)
        fields = {} if "IMUM" in self.operator else {"fusedActivationFunction": activation}
        self.model.operator(self.operator, [x, y], [z], _BINARY[self.operator], **fields)
        return self.model.build([x] if fixed else [x, y], [z])

    def unary(self) -> bytes:
        """A function of one value, after a factor that makes values tiny or huge."""
        shape = (self.pick(1, 3), self.pick(1, 10, 300))
        x, factor = self.plain(shape), self.plain((1,), self.constant((1,)) if self.chance() else np.ones(1))
        scaled, y = self.plain(shape), self.plain(shape)
        self.model.operator("MUL", [x, factor], [scaled], "MulOptions")
        options, field = _OPTIONS.get(self.operator, ("", ""))
        fields = {field: self.scale(0.01, 3)} if field else {}
        self.model.operator(self.operator, [scaled], [y], options, **fields)
        return self.model.build([x], [y])

    def dense(self) -> bytes:
        """FULLY_CONNECTED after DEQUANTIZE."""
        rows, inputs, outputs = self.pick(1, 3), self.pick(1, 7, 40), self.pick(1, 10)
        x, values = self.model.tensor((rows, inputs), self.scale(), self.zero()), self.plain((rows, inputs))
        self.model.operator("DEQUANTIZE", [x], [values], "DequantizeOptions")
        weights = self.rng.normal(0, 1, (outputs, inputs)).astype(np.float32)
        bias = [self.plain((outputs,), self.constant((outputs,)))] if self.chance() else [-1]
        y = self.plain((rows, outputs))
        inputs_ = [values, self.plain((outputs, inputs), weights), *bias]
        self.model.operator(
            self.operator, inputs_, [y], "FullyConnectedOptions", fusedActivationFunction=self.pick(0, 1, 3)
        )
        return self.model.build([x], [y])

    def arg_extremum(self) -> bytes:
        """ARG_*: any axis."""
        shape = self.shape(self.pick(1, 2, 3))
        axis = int(self.rng.integers(len(shape)))
        x = self.plain(shape)
        y = self.plain((*shape[:axis], *shape[axis + 1 :]), dtype="int32")
        options = {"ARG_MAX": "ArgMaxOptions", "ARG_MIN": "ArgMinOptions"}[self.operator]
        self.model.operator(
            self.operator, [x, self.model.integers(np.array(axis))], [y], options, outputType=2
        )
        return self.model.build([x], [y])

    def cast(self) -> bytes:
        """CAST to `dtype` from any other, and on to float32 by way of uint32 now and then."""
        source = self.rng.choice([source for source, target in _CASTS if target == self.dtype])
        shape = self.shape(2, 20)
        x, y = self.plain(shape, dtype=str(source)), self.plain(shape)
        self.model.operator("CAST", [x], [y], "CastOptions")
        if self.dtype == "int32" and self.chance():
            unsigned, real = self.plain(shape, dtype="uint32"), self.plain(shape, dtype="float32")
            self.model.operator("CAST", [y], [unsigned], "CastOptions")
            self.model.operator("CAST", [unsigned], [real], "CastOptions")
            y = real
        return self.model.build([x], [y])

    def div(self) -> bytes:
        """DIV of int8; MAXIMUM keeps a computed divisor from 0, where C++ leaves the result open."""
        a, b, target = self.shapes()
        zero = self.pick(-128, -1, 3, 100)
        scales = self.scale(1e-3, 1), self.scale(1e-3, 1)
        x = self.model.tensor(a, scales[0], self.zero())
        inputs = [x]
        if self.chance():
            values = self.values(b)
            divisor = self.model.tensor(b, scales[1], zero, data=np.where(values == zero, zero + 1, values))
        else:
            given, divisor = (self.model.tensor(b, scales[1], zero) for _ in range(2))
            least = self.model.tensor((1,), scales[1], zero, data=[zero + 1])
            self.model.operator("MAXIMUM", [given, least], [divisor], "MaximumMinimumOptions")
            inputs.append(given)
        # Outside of these, shifts of more than 31 bits are undefined in TensorFlow Lite Micro.
        ratio = float(np.exp(self.rng.uniform(np.log(70), np.log(1 << 12))))
        y = self.model.tensor(target, scales[0] / scales[1] / ratio, self.zero())
        self.model.operator("DIV", [x, divisor], [y], "DivOptions", fusedActivationFunction=self.pick(0, 1))
        return self.model.build(inputs, [y])


_FUNCTIONS = (
    "ABS", "ELU", "EXP", "HARD_SWISH", "LEAKY_RELU", "LOG_SOFTMAX", "LOGISTIC", "RELU", "RELU6", "SOFTMAX",
    "TANH",
)  # fmt: skip
MAKERS: dict[str, Callable[[PlainOperator], bytes]] = {
    **{f"{name} {dtype}": PlainOperator.binary for name in _BINARY for dtype in ("float32", "int32")},
    **{f"{name} float32": PlainOperator.unary for name in _FUNCTIONS},
    **{f"CAST {dtype}": PlainOperator.cast for dtype in ("int8", "int16", "int32", "float32")},
    "ARG_MAX float32": PlainOperator.arg_extremum,
    "ARG_MIN float32": PlainOperator.arg_extremum,
    "DIV int8": PlainOperator.div,
    "FULLY_CONNECTED float32": PlainOperator.dense,
}


def model(name: str, seed: int) -> bytes:
    """The .tflite of an operator and a seed."""
    return MAKERS[name](PlainOperator(name, seed))
