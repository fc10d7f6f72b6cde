"""Sections of report.html that many tasks share: figures, confusion, curves, confidence, noise, boards."""

from __future__ import annotations

from html import escape

from tinyml_cli.evaluation import report_charts as charts
from tinyml_cli.evaluation.report_parts import Figures, interval, level, percent, section, table, tile


def summary(outcome: Figures, unit: str, text: str) -> str:
    """The first figures: accuracy of both models, their agreement, AUC, calibration, other runtimes.

    Args:
        outcome: of an evaluation.
        unit: what is counted, such as clip.
        text: how the figures were come by, as HTML.
    """
    rounded, exact, tflm = outcome["int8"], outcome["float32"], outcome["tflm"]
    counted = f"95 %: {interval(rounded['ci95'])}, n = {outcome['n']}"
    tiles = [
        tile(percent(rounded["accuracy"]), "int8 accuracy", counted),
        tile(percent(exact["accuracy"]), "float32 accuracy", f"95 %: {interval(exact['ci95'])}"),
        tile(percent(outcome["agreement"]), "same answer", f"float32 and int8, {unit} by {unit}"),
    ]
    if outcome["auc"] is not None:
        tiles.append(tile(f"{outcome['auc']:.3f}", "AUC", "mean of one against rest"))
    if outcome["calibration"]:
        tiles.append(tile(f"{outcome['calibration']['ece']:.3f}", "calibration error", "0 is perfect"))
    if tflm["mismatches"] is not None:
        differing = f"{tflm['mismatches']} of {tflm['compared']}"
        tiles.append(tile(differing, "outputs differ", "LiteRT against TFLM, in bytes"))
    return section("In short", f'<div class="tiles">{"".join(tiles)}</div>', text)


def confusion(outcome: Figures, corner: str, text: str = "") -> str:
    """What is taken for what, with recall and precision of every label.

    Args:
        outcome: of an evaluation.
        corner: names rows and columns.
        text: an explanation.
    """
    labels, result = outcome["labels"], outcome["int8"]
    rows = []
    for label, counts in zip(labels, result["confusion"], strict=True):
        total = sum(counts)
        cells = [
            f'<span class="cell" style="--share:{count / total if total else 0:.3f}">{count}</span>'
            for count in counts
        ]
        shares = [percent(result["recall"][label]), percent(result["precision"][label])]
        rows.append([escape(label), *cells, *shares, str(total)])
    columns = [corner, *labels, "recall", "precision", "n"]
    return section("What is taken for what", table(columns, rows, "confusion"), text)


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
