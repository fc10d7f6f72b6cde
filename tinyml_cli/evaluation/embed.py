"""Sounds and pictures as data URIs, so that a report is one file."""

from __future__ import annotations

import base64
import wave
from io import BytesIO

import numpy as np
import numpy.typing as npt


def wav_uri(audio: npt.NDArray[np.int16], sample_rate_hz: int) -> str:
    """int16 [samples] as a mono 16-bit WAV."""
    stream = BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(audio.astype("<i2").tobytes())
    return f"data:audio/wav;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def motion_uri(samples: npt.NDArray[np.int16]) -> str:
    """Samples [n, channels] as a PNG: time to the right, a row per channel, colours over its own range."""
    span = np.abs(samples).max(axis=0, keepdims=True)
    scaled = np.rint(samples / np.maximum(span, 1) * 32000 + 32000)
    return features_uri(scaled.astype(np.uint16)[:, ::-1])


def features_uri(features: npt.NDArray[np.uint16]) -> str:
    """A feature map [frames, channels] as a PNG: time to the right, low channels at the bottom, colours over
    its own range."""
    from matplotlib.image import imsave

    stream = BytesIO()
    # No software version in the file: equal results must give equal files.
    imsave(stream, features.T, cmap="magma", origin="lower", format="png", metadata={"Software": ""})
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
