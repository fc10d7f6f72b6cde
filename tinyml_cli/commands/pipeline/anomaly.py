"""tinyml pipeline anomaly"""

from __future__ import annotations

from tinyml_cli.commands import anomaly_options, options
from tinyml_cli.wording import counted


def command(
    method: anomaly_options.Method = None,
    data: anomaly_options.Data = None,
    normal: anomaly_options.Normal = None,
    rate: anomaly_options.Rate = None,
    fpr: anomaly_options.Fpr = None,
    false_alarms_per_hour: anomaly_options.PerHour = None,
    board: options.Board = "sim",
    port: options.Port = None,
    engine: options.Engine = None,
    tflm: options.TflmDir = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    resume: options.Resume = False,
    gate: options.Gate = True,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Normal running in, firmware out; then the board is fed recordings not used for training.

    Stages already done for the same recipe are skipped, and an interrupted training is resumed.

    \b
    Examples:
      tinyml pipeline anomaly --board sim
      tinyml pipeline anomaly --method gmm --board native
      tinyml pipeline anomaly --data vibration/ --normal normal,idle --board native
    """
    from tinyml_cli.pipeline import run_pipeline
    from tinyml_cli.stages import common as stages

    values = anomaly_options.values(method, normal, rate, fpr, false_alarms_per_hour)
    opened, recipe = stages.prepare("anomaly", values, data, config, set_ or [], run, seed)
    outcome = run_pipeline(opened, recipe, board, engine, tflm, None, port, resume)
    fed = outcome["monitor"]
    options.end_pipeline(
        outcome,
        f"Done in {outcome['seconds']:.0f} s: the alarm was raised by {fed['hits']} of "
        f"{counted(fed['hits'] + fed['misses'], 'fault recording')} and {fed['false_accepts']} of "
        f"{fed['false_accepts'] + fed['rejections']} normal. Run: {outcome['run']}",
        gate,
    )
