"""Trains on synthetic speech alone and judges by real recordings.

python benchmarks/kws_synthetic.py --data speech_commands/ [--engines espeak]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from kws_common import report, tinyml, train_to_int8


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="real clips, Speech Commands layout")
    parser.add_argument("--words", default="yes,no")
    parser.add_argument("--engines", default="espeak,flite", help="speech engines, separated by commas")
    parser.add_argument("--seed", default="1")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tinyml-benchmark-") as folder:
        run = Path(folder) / "run"
        engines = f"synthesis.engines=[{chosen.engines}]"
        made = train_to_int8(run, "--words", chosen.words, "--seed", chosen.seed, "--set", engines)
        report(made, tinyml("evaluate", run, "--data", chosen.data, "--split", "all"))


if __name__ == "__main__":
    main()
