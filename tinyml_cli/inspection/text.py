"""An inspection as text: summary first."""

from __future__ import annotations

import textwrap

from tinyml_cli.console import console
from tinyml_cli.outcomes.inspection import (
    ChangedOperator,
    ChangedTensor,
    Difference,
    Inspected,
    Interface,
    Scale,
    Support,
)
from tinyml_cli.wording import counted

_LONGEST_NAME = 300  # in a file from anywhere it could be a megabyte
_LISTED_NAMES = 5


def show(document: Inspected, *, tensors: bool = False, operators: bool = False) -> None:
    """Prints the document of `report.inspect`.

    Args:
        tensors: list every tensor and the statistics of constants.
        operators: list every operator.
    """
    for line in summary(document):
        console.info("\n".join(_wrapped(line)))
    _kinds(document)
    if document.layers:
        _layers(document)
    if operators:
        _operators(document)
    if tensors:
        _tensors(document)
        _statistics(document)
    for note in document.notes:
        console.info(note)


def summary(document: Inspected) -> list[str]:
    """A few lines that say what the model is."""
    constants = [t for t in document.tensors if t.constant]
    lines = [
        f"{document.model}",
        f"  {document.kind}; {document.bytes:,} bytes, {document.gzip_bytes:,} with gzip; "
        f"{counted(len(document.operators), 'operator')}, "
        f"{counted(len(document.tensors), 'tensor')}, {counted(document.subgraphs, 'subgraph')}",
        f"  constants {sum(t.bytes for t in constants):,} bytes; "
        f"{document.macs:,} multiply-accumulates per inference",
    ]
    for side, tensors in (("input", document.inputs), ("output", document.outputs)):
        lines += [f"  {side:<7} {_tensor_line(each)}" for each in tensors]
    if document.description:
        lines.append(f"  description: {_cut(document.description, 80)}")
    if document.labels:
        lines.append(f"  labels: {_cut(', '.join(document.labels), 80)}")
    for each in document.signatures:
        names = f"{', '.join(each.inputs)} → {', '.join(each.outputs)}"
        lines.append(f"  signature {_cut(each.key, 30)}: {_cut(names, 50)}")
    for entry in document.metadata:
        shown = f": {_cut(entry.text, 40)}" if entry.text else ""
        lines.append(f"  metadata {_cut(entry.name, 34)}, {entry.bytes:,} bytes{shown}")
    for file in document.attached:
        lines.append(f"  attached file {_cut(file.name, 40)}, {file.bytes:,} bytes")
    for name, answer in document.engines.items():
        lines.append(f"  engine {name}: {_engine(name, answer)}")
    return lines


def show_difference(document: Difference) -> None:
    """Prints the document of `report.compare`."""
    console.info(f"old {document.old}\nnew {document.new}")
    for label, (old, new) in (("bytes", document.bytes), ("bytes with gzip", document.gzip_bytes)):
        console.info(f"  {label}: {old:,} → {new:,} ({new - old:+,})")
    for key, (old, new) in document.about.as_dict().items():
        console.info(f"  {key}: {_cut(str(old), 40)} → {_cut(str(new), 40)}")
    if document.operators:
        rows = [[o.name, o.version, o.old, o.new] for o in document.operators]
        console.table("Operators", ["Operator", "Version", "Old", "New"], rows)
    for change in document.operators_changed:
        console.info(f"  operator {change.index} {change.name}: {_options(change)}")
    for side, names in (("old", document.only_old), ("new", document.only_new)):
        if names:
            listed = ", ".join(_cut(name or "(no name)") for name in names[:_LISTED_NAMES])
            more = f", and {len(names) - _LISTED_NAMES} more" if len(names) > _LISTED_NAMES else ""
            console.info(
                "\n".join(_wrapped(f"  {counted(len(names), 'tensor')} only in {side}: {listed}{more}"))
            )
    rows = [
        _change_row(change)
        for change in document.tensors
        if change.model_fields_set - {"index", "name", "renamed"}
    ]
    if rows:
        columns = ["Tensor", "Changed", "Max. difference", "Share changed", "Name"]
        console.table("Tensors that differ", columns, rows)
    renamed = sum(change.renamed is not None for change in document.tensors)
    if renamed:
        console.info(f"  {counted(renamed, 'tensor')} renamed")


def difference_sentence(document: Difference) -> str:
    """The outcome of a comparison in one line."""
    if document.same_bytes:
        return "The files are equal."
    if document.same_computation:
        return "The models compute the same results; only names, text or file layout differ."
    return "The models compute different results."


def sentence(document: Inspected) -> str:
    """The inspection in one line."""
    takers = [name for name, answer in document.engines.items() if answer.supported]
    return (
        f"{document.kind}, {document.bytes:,} bytes, "
        f"{counted(len(document.operators), 'operator')}; engines: {', '.join(takers) or 'none'}"
    )


def _engine(name: str, answer: Support) -> str:
    if not answer.supported:
        return f"no: {answer.reason}"
    how = "planned" if name == "aot" else "computed, plus a margin"
    return f"yes, arena {answer.arena_bytes:,} bytes ({how})"


def _kinds(document: Inspected) -> None:
    macs: dict[tuple[str, int], int] = {}
    for op in document.operators:
        key = (op.name, op.version)
        macs[key] = macs.get(key, 0) + op.macs
    rows = [[o.name, o.version, o.count, macs[o.name, o.version]] for o in document.ops]
    console.table("Operators", ["Operator", "Version", "Count", "MACs"], rows)


def _layers(document: Inspected) -> None:
    weights = {row.name: row.sqnr_db for row in document.weights}
    rows: list[list[object]] = [
        [
            row.op,
            row.scale,
            row.zero_point,
            round(row.sqnr_db, 1),
            f"{row.clipped_share:.3%}",
            f"{weights[row.name]:.1f}" if row.name in weights else "",
            _cut(row.name),
        ]
        for row in document.layers
    ]
    columns = ["Operator", "Scale", "Zero", "SQNR dB", "Clipped", "Weights dB", "Layer"]
    console.table("int8 against float32 on calibration samples, up to each layer", columns, rows)


def _operators(document: Inspected) -> None:
    rows = [
        [
            op.index,
            op.name,
            op.version,
            " ".join(map(str, op.inputs)),
            " ".join(map(str, op.outputs)),
            op.macs,
        ]
        for op in document.operators
    ]
    columns = ["#", "Operator", "Version", "Reads tensors", "Makes", "MACs"]
    console.table("Operators in order", columns, rows)


def _tensors(document: Inspected) -> None:
    rows = [
        [
            tensor.index,
            "×".join(map(str, tensor.shape)) or "scalar",
            tensor.dtype + (" const" if tensor.constant else ""),
            _grid(tensor.quantization),
            tensor.bytes,
            _cut(tensor.name),
        ]
        for tensor in document.tensors
    ]
    console.table("Tensors", ["#", "Shape", "Type", "Scale, zero or ×channels", "Bytes", "Name"], rows)


def _statistics(document: Inspected) -> None:
    rows: list[list[object]] = []
    for tensor in document.tensors:
        numbers = tensor.statistics
        if numbers is None:
            continue
        grid = numbers.grid_share
        rows.append(
            [
                tensor.index,
                numbers.min,
                numbers.max,
                numbers.std,
                f"{numbers.zeros_share:.1%}",
                numbers.distinct,
                "" if grid is None else f"{grid:.0%}",
                _cut(tensor.name),
            ]
        )
    columns = ["#", "Min", "Max", "Std", "Zeros", "Distinct", "Codes used", "Name"]
    console.table("Constants, in real units", columns, rows)


def _tensor_line(tensor: Interface) -> str:
    shape = ", ".join(map(str, tensor.shape))
    quantization = tensor.quantization
    name = f" {_cut(tensor.name, 40)}" if tensor.name else ""
    grid = ""
    if quantization and not quantization.per_channel:
        grid = f", value = {quantization.scales[0]:.6g} × (q − {quantization.zero_points[0]})"
        grid = grid.replace("− -", "+ ")
    return f"{tensor.dtype} [{shape}]{name}{grid}"


def _grid(quantization: Scale | None) -> str:
    if quantization is None:
        return ""
    scales = quantization.scales
    if quantization.per_channel:
        return f"×{len(scales)}: {min(scales):.2g}…{max(scales):.2g}"
    return f"{scales[0]:.4g}, {quantization.zero_points[0]}"


def _change_row(change: ChangedTensor) -> list[object]:
    changed: list[str] = [
        key
        for key in ("shape", "dtype", "quantization", "constant", "data")
        if key in change.model_fields_set
    ]
    if change.changed_share is not None:
        changed.append("values")
    old, new = change.index
    return [
        f"{old}" if old == new else f"{old} → {new}",
        ", ".join(changed),
        f"{change.max_abs_difference:.4g}" if change.max_abs_difference is not None else "",
        f"{change.changed_share:.1%}" if change.changed_share is not None else "",
        _cut(change.name),
    ]


def _options(change: ChangedOperator) -> str:
    parts = [f"{key} {old} → {new}" for key, (old, new) in change.options.items()]
    if change.version is not None:
        parts.append(f"version {change.version[0]} → {change.version[1]}")
    return ", ".join(parts)


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, console.width, subsequent_indent="    ")


def _cut(text: str, longest: int = _LONGEST_NAME) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
