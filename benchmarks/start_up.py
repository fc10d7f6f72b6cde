"""Time and memory of `tinyml --help`: the best and the median of twenty starts."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time


def main() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for _ in range(20):
        started = time.monotonic()
        command = [sys.executable, "-m", "tinyml_cli", "--help"]
        subprocess.run(command, check=True, capture_output=True, env=environment)
        seconds.append(time.monotonic() - started)
    print(
        json.dumps(
            {
                "evidence": "host",
                "help_best_ms": round(1000 * min(seconds)),
                "help_median_ms": round(1000 * statistics.median(seconds)),
                "help_peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
