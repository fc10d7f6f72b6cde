"""A model card as Markdown.

The sections follow M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_cli.evaluation import card_anomaly
from tinyml_cli.evaluation.card_answers import QUESTIONS, block
from tinyml_cli.evaluation.markdown import percent, percent_range, table

Facts = Mapping[str, Any]

_SYNTHETIC = {
    "kws": "It was trained on synthetic voices alone: real voices, rooms and microphones differ.",
    "anomaly": "It learnt the running of a simulated machine: it is an exercise, and knows no real one.",
}


def render(facts: Facts, answers: dict[str, str]) -> str:
    """The whole card; `answers` are what people wrote, by the names of QUESTIONS."""
    parts = [
        f"# Model card: {facts['name']}",
        _identity(facts),
        "## What it is for\n\n" + block("intended-use", answers),
        "### What it is not for\n\n" + block("not-for", answers),
        _data(facts, answers),
        _quality(facts),
        _limits(facts, answers),
        _cost(facts),
        _carbon(facts),
        _origin(facts, answers),
    ]
    other = [f"### {name}\n\n{block(name, answers)}" for name in answers if name not in QUESTIONS]
    if other:
        parts.append("## Other answers\n\n" + "\n\n".join(other))
    return "\n\n".join(part for part in parts if part) + "\n"


def _identity(facts: Facts) -> str:
    labels, model = facts["labels"], facts["model"]
    names = ", ".join(f"`{label}`" for label in labels)
    known = f" with the labels {names}" if labels else ""
    sentences = [f"A model for the task `{facts['task']}`{known}."]
    if facts["task"] == "kws":
        sentences.append(f"It listens for {', '.join(f'*{word}*' for word in labels[2:])}.")
    if model:
        sentences.append(
            f"Network: `{model['name']}`, {model['parameters']:,} parameters, {model['macs']:,} MACs."
        )
    sentences.append(
        f"Written by tinyml {facts['tinyml_version']}; figures carry how they were come by: *host* (computed "
        "on a computer), *emulated*, *estimated*, *linked* (read off the files), *on the board*."
    )
    return " ".join(sentences)


def _data(facts: Facts, answers: dict[str, str]) -> str:
    data = facts["data"]
    lines = ["## Data", ""]
    if data is None:
        lines.append("The run does not know what the model was trained on.")
    else:
        lines += _sources(facts, data)
    rights, people = block("data-rights", answers), block("people", answers)
    return "\n".join([*lines, "", "### Rights", "", rights, "", "### People", "", people])


def _sources(facts: Facts, data: Facts) -> list[str]:
    anomaly = facts["task"] == "anomaly"
    labels = facts["labels"] or sorted({label for counts in data["counts"].values() for label in counts})
    made = "A simulated machine" if anomaly else "Synthetic speech"
    source = made if data["source"] == "synthetic" else f"Recordings (folder `{data['path']}`)"
    notes = "".join(f" {note[:1].upper()}{note[1:]}." for note in data["notes"])
    rows = [
        [split, str(data["groups"].get(split, "–")), *(str(counts.get(label, 0)) for label in labels)]
        for split, counts in data["counts"].items()
    ]
    lines = [
        f"{source}, split by {data['split_by']}.{notes}",
        "",
        table(["split", "sessions" if anomaly else "speakers", *labels], rows),
    ]
    if data["licence_files"]:
        names = ", ".join(f"`{name}`" for name in data["licence_files"])
        lines += ["", f"The folder of recordings holds {names}."]
    return lines


def _quality(facts: Facts) -> str:
    quality = facts["quality"]
    if quality is None:
        return (
            "## Quality\n\nNot evaluated since the model was made: run `tinyml evaluate`, then `tinyml card`."
        )
    if quality.get("threshold"):
        return "\n".join(["## Quality", "", *card_anomaly.quality(quality)])
    rounded, exact = quality["int8"], quality["float32"]
    lines = [
        "## Quality",
        "",
        f"{quality['note']}. Evidence: {quality['level']}, clip by clip, without smoothing over time.",
        "",
        f"* int8 accuracy **{percent(rounded['accuracy'])}** (95 %: {percent_range(rounded['ci95'])}, "
        f"n = {quality['n']})",
        f"* float32 accuracy {percent(exact['accuracy'])} (95 %: {percent_range(exact['ci95'])}); the same "
        f"answer in {percent(quality['agreement'])} of clips",
    ]
    if quality["auc"] is not None:
        lines.append(f"* area under the ROC curve, mean of one against the rest: {quality['auc']:.3f}")
    if quality["calibration"]:
        lines.append(f"* expected calibration error: {quality['calibration']['ece']:.3f}")
    rows = [
        [label, percent(rounded["recall"][label]), percent(rounded["precision"][label]), str(sum(counts))]
        for label, counts in zip(facts["labels"], rounded["confusion"], strict=True)
    ]
    lines += ["", table(["label", "recall", "precision", "n"], rows)]
    return "\n".join([*lines, *_noise(quality), *_groups(quality), *_device(quality)])


def _noise(quality: Facts) -> list[str]:
    sweep = quality["noise"]
    if not sweep:
        return []
    rows = [
        [
            "none added" if point["snr_db"] is None else f"{point['snr_db']:g} dB",
            percent(point["accuracy"]),
            percent_range(point["ci95"]),
        ]
        for point in sweep["points"]
    ]
    kind = "background recordings" if sweep["noise"] == "recordings" else "generated noise"
    lines = ["", "### In noise", "", f"{sweep['n']} clips with {kind}.", ""]
    return [*lines, table(["signal to noise", "int8 accuracy", "95 %"], rows)]


def _groups(quality: Facts) -> list[str]:
    lines = ["", "### By group", ""]
    speakers = quality["speakers"]
    if speakers:
        lines.append(
            f"{speakers['n']} speakers; {percent(speakers['perfect'])} of them without a mistake. Accuracy "
            f"on speech {percent_range(speakers['ci95'])} (95 %) when speakers, not clips, are drawn again."
        )
    if not quality["fairness"]:
        lines += ["", "Groups of speakers were not compared: `tinyml evaluate --groups FILE` does it."]
    for entry in quality["fairness"]:
        rows = [
            [
                row["group"],
                percent(row["accuracy"]),
                percent_range(row["ci95"]),
                str(row["n"]),
                str(row["speakers"]),
            ]
            for row in entry["groups"]
        ]
        lines += ["", table([entry["attribute"], "int8 accuracy", "95 %", "n", "speakers"], rows)]
        if entry["gap"] is not None:
            low, high = entry["gap_ci95"]
            lines += [
                "",
                f"Served worst: {entry['worst']}, {100 * entry['gap']:.1f} points behind {entry['best']} "
                f"(95 %: {100 * low:.1f} to {100 * high:.1f}; the pair was chosen after the fact).",
            ]
    return lines


def _device(quality: Facts) -> list[str]:
    device = quality["device"]
    if not device:
        return []
    lead = f"On `{device['board']}` ({device['engine']}, {device['level']}), n = {device['n']}: "
    if device["path"] == "model":
        text = (
            f"accuracy {percent(device['accuracy'])}; {device['mismatches']} outputs differ in any byte "
            f"from those of {device['reference']} on a computer."
        )
    else:
        alarms = device["false_alarms"]
        words = ", ".join(f"{word} {percent(share)}" for word, share in device["recall"].items())
        text = f"recall {words}; a word reported in {alarms['clips']} of {alarms['of']} clips without one."
    return ["", "### Through the firmware", "", lead + text]


def _limits(facts: Facts, answers: dict[str, str]) -> str:
    known = []
    data, quality = facts["data"], facts["quality"]
    if data and data["source"] == "synthetic":
        known.append(_SYNTHETIC.get(facts["task"], _SYNTHETIC["kws"]))
    if quality and quality["noise"]:
        clean, loud = quality["noise"]["points"][0], quality["noise"]["points"][-1]
        known.append(
            f"In noise of {loud['snr_db']:g} dB its accuracy falls from {percent(clean['accuracy'])} to "
            f"{percent(loud['accuracy'])}."
        )
    if quality and quality["n"] < 200:
        known.append(f"It was judged by {quality['n']} clips: the intervals above are wide.")
    if facts["task"] == "kws":
        known.append("False accepts per hour of other sound follow from no figure above.")
    text = "\n".join(f"* {line}" for line in known)
    return (
        f"## Limits\n\n{text}\n\n### When it errs\n\n{block('errors', answers)}\n\n### Privacy\n\n"
        f"{block('privacy', answers)}"
    )


def _cost(facts: Facts) -> str:
    size, latency = facts["size"], facts["latency"]
    rows = [["int8 model", f"{size['int8_bytes']:,} bytes", "linked"]]
    for engine, count in size["arena_bytes"].items():
        rows.append([f"arena, engine {engine}", f"{count:,} bytes", "linked"])
    for name, sizes in size["firmware"].items():
        if sizes["flash_bytes"] is not None:
            figures = f"{sizes['flash_bytes']:,} / {sizes['ram_bytes']:,} bytes"
            rows.append([f"firmware for {name}, flash / RAM", figures, "linked"])
    rows += _speed(latency) if latency else []
    text = "## Size and speed\n\n" + table(["what", "figure", "evidence"], rows)
    if not latency:
        text += "\n\nLatency and energy are not known: run `tinyml profile`, then `tinyml card`."
    return text


def _speed(latency: Facts) -> list[list[str]]:
    texts = {"instructions": "{:,}", "time_ms": "{:.3g} ms", "energy_uj": "{:.3g} µJ"}
    names = {"instructions": "instructions", "time_ms": "time", "energy_uj": "energy"}
    evidence = latency["evidence"] or {}
    return [
        [
            f"{names[key]} an inference ({latency['chip'] or latency['board']})",
            text.format(latency[key]),
            evidence.get(key, "not stated"),
        ]
        for key, text in texts.items()
        if latency[key] is not None
    ]


def _carbon(facts: Facts) -> str:
    carbon = facts["carbon"]
    if carbon is None:
        text = (
            "Not estimated: the run does not say how long its training took. State it with "
            "`tinyml card --train-seconds`."
        )
    else:
        text = (
            f"About **{carbon['grams_co2e']:.2g} g CO2e** (*estimated*): {carbon['seconds']:,.0f} s at an "
            f"assumed {carbon['watts']:g} W are {carbon['energy_kwh']:.2g} kWh, at an assumed "
            f"{carbon['grams_per_kwh']:g} g CO2e a kWh. Neither power nor grid was measured. Earlier "
            "attempts, speech synthesis and making the devices are not counted."
        )
    return f"## Carbon of the training\n\n{text}"


def _origin(facts: Facts, answers: dict[str, str]) -> str:
    rows = [[f"`{name}`", f"`{digest}`"] for name, digest in facts["hashes"].items()]
    return (
        f"## Where it comes from\n\nSeed {facts['seed']}.\n\n{table(['file', 'SHA-256'], rows)}\n\n"
        f"### Licence of the model\n\n{block('licence', answers)}\n\n### Contact\n\n"
        f"{block('contact', answers)}"
    )
