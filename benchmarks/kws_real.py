"""Trains on recordings split by speaker and judges by speakers that training never met.

python benchmarks/kws_real.py --data speech_commands/
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
    parser.add_argument("--seed", default="1")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tinyml-benchmark-") as folder:
        run = Path(folder) / "run"
        made = train_to_int8(run, "--words", chosen.words, "--seed", chosen.seed, "--data", chosen.data)
        report(made, tinyml("evaluate", run, "--data", chosen.data, "--split", "test"))


if __name__ == "__main__":
    main()
