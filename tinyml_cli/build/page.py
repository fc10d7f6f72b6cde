"""The board `browser`: one HTML file with the firmware as WebAssembly, and the senses of its device."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from tinyml_cli.files import firmware_dir, write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.pages import templates
from tinyml_cli.run import Run

PAGE = "page.html"
# In an order in which each needs only those before it: they become one module.
_MODULES = ("board.mjs", "senses.mjs", "sound.mjs", "page.mjs")
_IMPORT = re.compile(r"^import .*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def write_page(run: Run, manifest: Manifest, program: Path) -> Path:
    """Writes `page.html` beside a program.

    Args:
        run: gives the page its name.
        manifest: of the run.
        program: the firmware, in WebAssembly.
    """
    page = program.with_name(PAGE)
    write_atomic(page, page_text(run, manifest, program))
    return page


def page_text(run: Run, manifest: Manifest, program: Path) -> str:
    """The page; see `write_page`. Of what lies in the run it holds WebAssembly and text, but no script."""
    from markupsafe import Markup

    wasm = program.read_bytes()
    return templates.html(
        "board.html",
        title=run.path.resolve().name,
        facts=_facts(manifest),
        details=_details(manifest, len(wasm)),
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


def _facts(manifest: Manifest) -> dict[str, Any]:
    """What the page cannot ask the firmware."""
    image, motion_hz = manifest.image, _motion_hz(manifest)
    wanted = senses(manifest)
    verbs = {"microphone": "Listen", "camera": "Look", "motion": "Feel"}
    return {
        "labels": manifest.labels,
        "senses": wanted,
        "verb": verbs[wanted[0]] if wanted else "",
        "accepts": "audio/*" if manifest.features else "image/*" if image else "",
        "showsScores": bool(manifest.labels) and not manifest.anomaly,
        "sampleRateHz": manifest.features.sample_rate_hz if manifest.features else None,
        "motionHz": motion_hz,
        "frame": {
            "width": image.frame_width,
            "height": image.frame_height,
            "isColour": image.frame_format == "rgb565",
        }
        if image
        else None,
    }


def _motion_hz(manifest: Manifest) -> float | None:
    """The rate of the motion sensor, where the model takes motion."""
    if manifest.gesture is not None:
        return manifest.gesture.rate_hz
    anomaly = manifest.anomaly
    return anomaly.signal.sample_rate_hz if anomaly and anomaly.signal and anomaly.sensor == "imu" else None


def _details(manifest: Manifest, program_bytes: int) -> list[tuple[str, str]]:
    found = [("task", manifest.task)]
    if manifest.model is not None:
        found.append(("network", f"{manifest.model.name}, {manifest.model.parameters:,} parameters"))
    return [*found, ("firmware", f"{program_bytes / 1000:.0f} kB of WebAssembly")]


def script() -> str:
    """All that the page executes besides the firmware."""
    texts = [(firmware_dir() / "page" / name).read_text(encoding="utf-8") for name in _MODULES]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)
