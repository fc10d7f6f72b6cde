"""Random chains of the Signal operators of TensorFlow Lite Micro's audio preprocessor, all from one seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.engines.random_operators import RandomOperator


class SignalChain(RandomOperator):
    """Makes models of some of the Signal operators."""

    def new(self, shape: tuple[int, ...], dtype: str, data: np.ndarray | None = None) -> int:
        """A tensor without a scale."""
        return self.model.tensor(shape, None, dtype=dtype, data=data)

    def add(self, name: str, inputs: list[int], outputs: list[int], **options: int) -> None:
        """An operator of the family."""
        self.model.operator(f"CUSTOM Signal{name}", inputs, outputs, **options)

    def cast(self, source: int, shape: tuple[int, ...], dtype: str) -> int:
        """The same values in another type."""
        target = self.new(shape, dtype)
        self.model.operator("CAST", [source], [target], "CastOptions")
        return target

    def window(self) -> bytes:
        """SignalWindow of several rows."""
        rows, size = self.pick(1, 3), self.pick(1, 7, 480)
        x, y = self.new((rows, size), "int16"), self.new((rows, size), "int16")
        weights = self.new((size,), "int16", self.rng.integers(-(1 << 15), 1 << 15, size))
        self.add("Window", [x, weights], [y], shift=self.pick(0, 12, 15))
        return self.model.build([x], [y])

    def spectrum(self) -> bytes:
        """SignalFftAutoScale, SignalRfft and SignalEnergy; of which only the bins asked for are compared."""
        size = 1 << self.pick(2, 3, 4, 5, 6, 9)
        length = size - self.pick(0, 0, 1, size // 3)
        bins = size // 2 + 1
        x, scaled, bits = self.new((length,), "int16"), self.new((length,), "int16"), self.new((), "int32")
        self.add("FftAutoScale", [x], [scaled, bits])
        spectrum, energy = self.new((2 * bins,), "int16"), self.new((bins,), "uint32")
        self.add("Rfft", [scaled], [spectrum], T=7, fft_length=size)
        start = int(self.rng.integers(0, bins))
        end = int(self.rng.integers(start + 1, bins + 1))
        self.add("Energy", [spectrum], [energy], start_index=start, end_index=end)
        whole = self.cast(energy, (bins,), "int32")
        y = self.new((end - start,), "int32")
        bounds = [self.model.integers([start]), self.model.integers([end - start])]
        self.model.operator("SLICE", [whole, *bounds], [y], "SliceOptions")
        return self.model.build([x], [bits, spectrum, y])

    def bands(self) -> bytes:
        """SignalFilterBank, its square root, the noise reduction, the gain and the logarithm."""
        channels = self.pick(1, 2, 9)
        widths = self.rng.integers(0, 5, channels + 1)
        first = np.concatenate([[0], np.cumsum(widths)[:-1]])
        bins, weights = int(widths.sum()) + 3, max(int(widths.sum()), 1)
        x, samples = self.new((bins,), "int32"), self.new((16,), "int16")
        scaled, bits = self.new((16,), "int16"), self.new((), "int32")
        self.add("FftAutoScale", [samples], [scaled, bits])
        tables = [self.rng.integers(0, 4097, weights) for _ in range(2)]
        constants = [*tables, first + self.pick(0, 3), first, widths]
        sums, roots = self.new((channels,), "uint64"), self.new((channels,), "uint32")
        arrays = [self.new((len(values),), "int16", values) for values in constants]
        self.add("FilterBank", [self.cast(x, (bins,), "uint32"), *arrays], [sums], num_channels=channels)
        self.add("FilterBankSquareRoot", [sums, bits], [roots])
        clean, noise, loud = (self.new((channels,), "uint32") for _ in range(3))
        shares = self.rng.integers(0, 1 << 14, 2)
        self.add(
            "FilterBankSpectralSubtraction", [roots], [clean, noise], smoothing=int(shares[0]),
            one_minus_smoothing=int((1 << 14) - shares[0]), alternate_smoothing=int(shares[1]),
            alternate_one_minus_smoothing=int((1 << 14) - shares[1]), clamping=self.chance(),
            min_signal_remaining=int(self.rng.integers(0, 1 << 14)), num_channels=channels,
            smoothing_bits=self.pick(0, 10), spectral_subtraction_bits=14,
        )  # fmt: skip
        gains = self.new((125,), "int16", self.rng.integers(-(1 << 15), 1 << 15, 125))
        self.add("PCAN", [clean, noise, gains], [loud], snr_shift=self.pick(0, 6, 20))
        y = self.new((channels,), "int16")
        self.add("FilterBankLog", [loud], [y], input_correction_bits=self.pick(0, 3), output_scale=64)
        outputs = [self.cast(each, (channels,), "int32") for each in (roots, clean, noise, loud)]
        return self.model.build([x, samples], [*outputs, y])

    def framer(self) -> bytes:
        """SignalFramer: the frames where all are complete from the start, else whether they are."""
        size, rows, frames = self.pick(1, 5, 30), self.pick(1, 2), self.pick(1, 3)
        step = int(self.rng.integers(1, size + 1))
        prefill = self.chance()
        x, y = self.new((rows, frames * step), "int16"), self.new((rows, frames, size), "int16")
        valid = self.new((), "bool")
        self.add("Framer", [x], [y, valid], frame_size=size, frame_step=step, prefill=prefill)
        is_valid = self.cast(valid, (), "int32")
        return self.model.build([x], [y, is_valid] if prefill or size == step else [is_valid])


MAKERS: dict[str, Callable[[SignalChain], bytes]] = {
    "window": SignalChain.window,
    "spectrum": SignalChain.spectrum,
    "bands": SignalChain.bands,
    "framer": SignalChain.framer,
}


def model(name: str, seed: int) -> bytes:
    """The .tflite of a chain and a seed."""
    return MAKERS[name](SignalChain(name, seed))
