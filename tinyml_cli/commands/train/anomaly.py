"""tinyml train anomaly"""

from __future__ import annotations

from tinyml_cli.commands import anomaly_options, options
from tinyml_cli.console import console


def command(
    method: anomaly_options.Method = None,
    data: anomaly_options.Data = None,
    normal: anomaly_options.Normal = None,
    rate: anomaly_options.Rate = None,
    fpr: anomaly_options.Fpr = None,
    false_alarms_per_hour: anomaly_options.PerHour = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    resume: options.Resume = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Learn normal running from time series, motion or machine sound; without data, a machine is simulated.

    Only normal running is used for training. Anomalies in the data are kept for `tinyml evaluate`.

    \b
    Examples:
      tinyml train anomaly
      tinyml train anomaly --method kmeans --data vibration/ --normal normal,idle --fpr 0.01
      tinyml train anomaly --data toycar/ --false-alarms-per-hour 2
      tinyml train anomaly --data pump.csv --normal pump --set autoencoder.network=mlperf_fc
    """
    from tinyml_cli.stages import common as stages

    values = anomaly_options.values(method, normal, rate, fpr, false_alarms_per_hour)
    opened, recipe = stages.prepare("anomaly", values, data, config, set_ or [], run, seed)
    outcome = stages.train(opened, recipe, resume)
    console.result(outcome, stages.train_text(outcome))
