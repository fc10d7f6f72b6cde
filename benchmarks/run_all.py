"""Regenerates the numbers of docs/benchmarks.md: runs every benchmark here and prints its output.

python benchmarks/run_all.py --data speech_commands/ [--models FOLDER_WITH_KWS_REF_MODEL]
    [--ecg ECG5000 --motion MOTION] [--gestures MOTION_FILES]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run(name: str, *arguments: str | Path) -> bool:
    """Runs one benchmark; its output goes to the terminal."""
    print(f"== {name} {' '.join(map(str, arguments))}", flush=True)
    return subprocess.run([sys.executable, HERE / name, *arguments], check=False).returncode == 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="real clips, Speech Commands layout")
    parser.add_argument("--models", type=Path, help="a folder with kws_ref_model.tflite")
    parser.add_argument("--ecg", type=Path, help="ECG5000 as text")
    parser.add_argument("--motion", type=Path, help="motion as JSON, Idle and Terrestrial among it")
    parser.add_argument("--gestures", type=Path, help="motion as CSV, 25 takes of each gesture")
    parser.add_argument("--strokes", type=Path, help="the wand's strokes as JSON")
    parser.add_argument("--images", type=Path, help="small photographs, a folder per class")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="for what takes long")
    chosen = parser.parse_args()
    done = [run("start_up.py"), run("front_end.py")]
    if chosen.models:
        done.append(run("parity.py", "--model", chosen.models / "kws_ref_model.tflite"))
        int8 = [path for path in sorted(chosen.models.glob("*.tflite")) if "float" not in path.stem]
        done.append(run("profile_models.py", *int8))
        done.append(run("kernels.py", *int8))
    if chosen.data:
        done.append(run("kws_accuracy.py", "--data", chosen.data, "--out", chosen.out))
    if chosen.ecg and chosen.motion:
        options = ("--ecg", chosen.ecg, "--motion", chosen.motion)
        done.append(run("anomaly.py", "--out", chosen.out / "anomaly", *options))
    if chosen.gestures:
        done.append(run("wand_imu.py", "--data", chosen.gestures, "--out", chosen.out / "wand"))
    if chosen.strokes:
        done.append(run("wand.py", "--data", chosen.strokes, "--out", chosen.out / "strokes"))
    data = {"speech": chosen.data, "images": chosen.images, "strokes": chosen.strokes, "series": chosen.ecg}
    given = [part for name, path in data.items() if path for part in (f"--{name}", path)]
    if given:
        done.append(run("compression.py", "--out", chosen.out / "compression", *given))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
