"""Sections of report.html about curves, confidence, noise, and what a board answered."""

from __future__ import annotations

from html import escape

from tinyml_cli.evaluation import report_charts as charts
from tinyml_cli.evaluation.report_parts import Figures, interval, level, percent, section, table


def curves(outcome: Figures) -> str:
    """ROC and DET of every label against the rest."""
    curves = outcome["curves"]
    if not curves:
        return ""
    rows = [
        [
            escape(label),
            f"{curve['auc']:.3f}",
            percent(curve["equal_error_rate"]),
            str(curve["n_positive"]),
            str(curve["n_negative"]),
        ]
        for label, curve in curves.items()
    ]
    pictures = (
        f"<div class='pair'><figure>{charts.roc(curves)}<figcaption>ROC</figcaption></figure>"
        f"<figure>{charts.det(curves)}<figcaption>DET, on normal-deviate axes</figcaption></figure></div>"
    )
    columns = ["", "AUC", "equal error rate", "n", "n of the rest"]
    text = "Every label against all others, at every threshold of the int8 score of single clips."
    body = pictures + charts.legend(list(curves)) + table(columns, rows)
    return section("Telling one from the rest", body, text)


def calibration(outcome: Figures) -> str:
    """The reliability diagram."""
    calibration = outcome["calibration"]
    if calibration is None:
        return ""
    difference = calibration["confidence"] - calibration["accuracy"]
    tendency = "more" if difference > 0 else "less"
    text = (
        f"The model is {percent(calibration['confidence'])} confident on average and right in "
        f"{percent(calibration['accuracy'])}: {tendency} confident than right. Expected calibration error "
        f"{calibration['ece']:.3f}. Large dots stand for many clips, lines for 95 % intervals."
    )
    return section(
        "Can its confidence be believed?",
        f"<figure class='one'>{charts.reliability(calibration)}</figure>",
        text,
    )


def noise(outcome: Figures) -> str:
    """Quality from clean clips to loud noise."""
    sweep = outcome["noise"]
    if sweep is None:
        return ""
    source = (
        "the data folder's own background recordings, which training may have used too"
        if sweep["noise"] == "recordings"
        else "generated noise, from white to brown"
    )
    text = (
        f"The same {sweep['n']} clips with {source}. The ratio refers to the level of the speech; the thick "
        "line is the accuracy with its 95 % interval."
    )
    legend = charts.legend(outcome["labels"], whole="accuracy")
    rows = [
        [
            "none added" if point["snr_db"] is None else f"{point['snr_db']:g} dB",
            percent(point["accuracy"]),
            interval(point["ci95"]),
            *(percent(point["recall"][label]) for label in outcome["labels"]),
        ]
        for point in sweep["points"]
    ]
    columns = ["noise", "accuracy", "95 %", *(f"recall of {label}" for label in outcome["labels"])]
    body = f"<figure>{charts.noise(sweep, outcome['labels'])}</figure>{legend}{table(columns, rows)}"
    return section("In noise", body, text)


def device(outcome: Figures) -> str:
    """What a board answered, by the model alone or from sound on."""
    device = outcome["device"]
    if device is None:
        return ""
    badge = level(device["level"])
    if device["path"] == "model":
        count = device["instructions_per_inference"]
        instructions = f"{count:,} instructions per inference. " if count else ""
        wrong = device["mismatches"]
        different = f"{wrong} outputs differ" if wrong else "No output differs"
        text = (
            f"{device['n']} inputs through the firmware's engine ({escape(device['engine'])}) {badge}: "
            f"accuracy {percent(device['accuracy'])} ({interval(device['ci95'])}). {different} in any byte "
            f"from that of {escape(device['reference'])} on a computer. {instructions}"
        )
        return section(f"On {device['board']}", "", text)
    alarms = device["false_alarms"]
    text = (
        f"{device['n']} clips played as the microphone's samples {badge}, each between a second of quiet: "
        "front end, model, smoothing and threshold take part. A word was reported in "
        f"{alarms['clips']} of {alarms['of']} clips without one."
    )
    columns = ["word", "heard", "95 %"]
    rows = [
        [escape(word), percent(share), interval(device["recall_ci95"][word])]
        for word, share in device["recall"].items()
    ]
    return section(f"On {device['board']}, from sound to report", table(columns, rows), text)
