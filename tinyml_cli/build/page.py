"""The board `browser`: one HTML file with the firmware as WebAssembly, and the senses of its device."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinyml_cli.features.image_settings import GateRule
from tinyml_cli.files import firmware_dir, write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.pages import templates
from tinyml_cli.run import Run

PAGE = "page.html"
_KEPT_WORD_MS, _KEPT_STROKE_MS, _MOST_KEPT_MS = 2000, 10_000, 30_000
# In an order in which each needs only those before it: they become one module.
_MODULES = ("board.mjs", "senses.mjs", "sound.mjs", "page.mjs")
_IMPORT = re.compile(r"^import .*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def write_page(runs: Sequence[Run], program: Path) -> Path:
    """Writes `page.html` beside a program.

    Args:
        runs: whose models the program holds; they give the page its name.
        program: the firmware, in WebAssembly.
    """
    page = program.with_name(PAGE)
    write_atomic(page, page_text(runs, program))
    return page


def page_text(runs: Sequence[Run], program: Path) -> str:
    """The page; see `write_page`. Of what lies in the runs it holds WebAssembly and text, but no script."""
    from markupsafe import Markup

    wasm = program.read_bytes()
    models = {run.path.resolve().name: run.manifest() for run in runs}
    return templates.html(
        "board.html",
        title=" and ".join(models),
        facts=_facts(models),
        details=_details(models, len(wasm)),
        firmware=base64.b64encode(wasm).decode(),
        script=Markup(script()),  # our own
    )


def senses(manifest: Manifest) -> list[str]:
    """What the page feeds the board by: microphone, camera, motion."""
    return [
        *(["microphone"] if manifest.features else []),
        *(["camera"] if manifest.image else []),
        *(["motion"] if _motion_hz(manifest) else []),
    ]


def _facts(models: Mapping[str, Manifest]) -> dict[str, Any]:
    """What the page cannot ask the firmware."""
    first, *others = models.values()
    looks = next((each for each in models.values() if each.image), None)
    wanted = [sense for each in models.values() for sense in senses(each)]
    accepted = {"microphone": "audio/*", "camera": "image/*"}
    return {
        "models": [
            {"name": name, "labels": each.labels, "looks": each.image is not None}
            for name, each in models.items()
            if each.labels and not each.anomaly
        ],
        "senses": list(dict.fromkeys(wanted)),
        "verb": {"microphone": "Listen", "camera": "Look", "motion": "Feel"}[wanted[0]] if wanted else "",
        "accepts": ",".join(accepted[each] for each in dict.fromkeys(wanted) if each in accepted),
        "sampleRateHz": first.features.sample_rate_hz if first.features else None,
        "motionHz": _motion_hz(first),
        "keptMs": _kept_ms(first),
        "frame": _frame(looks) if looks else None,
        "gate": _gate(others[0]) if others and looks else None,
    }


def _frame(looks: Manifest) -> dict[str, Any]:
    image = looks.image
    assert image is not None
    return {
        "width": image.frame_width,
        "height": image.frame_height,
        "isColour": image.frame_format == "rgb565",
        "forASight": looks.presence.frames_on if looks.presence else 1,
    }


def _gate(looks: Manifest) -> dict[str, Any]:
    """The camera is used from a word on, for so long."""
    return {"seconds": (looks.gate or GateRule()).hold_ms / 1000}


def _kept_ms(manifest: Manifest) -> int:
    """How much of what led to a report may be kept as an example."""
    if manifest.gesture is not None:
        return _KEPT_STROKE_MS
    anomaly = manifest.anomaly
    if anomaly is None:
        return _KEPT_WORD_MS
    stride_ms = manifest.features.stride_ms if manifest.features else 0
    step_s = anomaly.window_s(stride_ms)
    if anomaly.sound is not None:
        window_s = anomaly.sound.frames * stride_ms / 1000
    else:
        assert anomaly.signal is not None
        window_s = anomaly.signal.window_samples / anomaly.signal.sample_rate_hz
    wanted_ms = round(1000 * (window_s + step_s * anomaly.alarm.raise_windows))
    return min(max(wanted_ms, _KEPT_WORD_MS), _MOST_KEPT_MS)


def _motion_hz(manifest: Manifest) -> float | None:
    """The rate of the motion sensor, where the model takes motion."""
    if manifest.gesture is not None:
        return manifest.gesture.rate_hz
    anomaly = manifest.anomaly
    return anomaly.signal.sample_rate_hz if anomaly and anomaly.signal and anomaly.sensor == "imu" else None


def _details(models: Mapping[str, Manifest], program_bytes: int) -> list[tuple[str, str]]:
    found = []
    for name, manifest in models.items():
        found.append(("task" if len(models) == 1 else name, manifest.task))
        if manifest.model is not None:
            found.append(("network", f"{manifest.model.name}, {manifest.model.parameters:,} parameters"))
    return [*found, ("firmware", f"{program_bytes / 1000:.0f} kB of WebAssembly")]


def script() -> str:
    """All that the page executes besides the firmware."""
    texts = [(firmware_dir() / "page" / name).read_text(encoding="utf-8") for name in _MODULES]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)
