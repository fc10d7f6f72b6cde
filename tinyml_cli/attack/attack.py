"""`tinyml attack`: how little has to be added to an item until the board reports something else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tinyml_cli import checks, registry, variants
from tinyml_cli.attack import defence
from tinyml_cli.attack import victims as choice
from tinyml_cli.attack.attempt import Perturbed, attempts, share, snr_at_half
from tinyml_cli.attack.options import AttackOptions
from tinyml_cli.attack.surface import AttackSurface
from tinyml_cli.attack.victims import Victims
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.evaluation.frame import ATTACK, ATTACK_SECTION, show_attack
from tinyml_cli.files import write_atomic
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.attacks import Attacked, AttackedOnBoard, AttackPoint, Defence
from tinyml_cli.run import MODEL, MODEL_INT8, Run, writes

EXAMPLE = "report/attack-example"
PICTURE = "report/attack.png"


@writes
def attack(run: Run, options: AttackOptions, data_dir: Path | None = None) -> Attacked:
    """Attacks a run's own model and writes report/attack.json, a picture and an example; for report.html too,
    which keeps the newest attack of each kind.

    Args:
        run: trained and converted.
        options: how.
        data_dir: labelled items; those that `train` kept aside by default.

    Raises:
        TinymlError: a model or data are missing, no such label, an unreadable item, or nothing to attack.
    """
    options.check()
    surface = surface_of(run, data_dir)
    label = _label(surface, options.target)
    example = options.out or run.file(EXAMPLE + surface.suffix)
    _check(run, surface, options, example)
    victims = choice.choose(surface, options, label)
    found = list(attempts(run, surface, victims, options))
    points = [each.point for each in found]
    shown = _example(found)
    device = None if options.board is None else _on_board(surface, options, victims, found[shown])
    defended = None
    if options.defend:
        defended = defence.defend(run, victims, options, data_dir)
    outcome = Attacked(
        run=str(run.path),
        data=None if data_dir is None else str(data_dir),
        task=run.manifest().task,
        target=options.target,
        method="scores" if options.black_box else "gradient",
        universal=options.universal,
        rooms=options.rooms,
        carrier="noise" if options.static else "items" if options.item is None else "file",
        steps=options.steps,
        seed=options.seed,
        n=len(victims.items),
        not_used=victims.not_used,
        points=points,
        snr_at_half_db=snr_at_half(points),
        device=device,
        defence=defended,
        example=str(example),
        example_snr_db=points[shown].snr_db,
        picture=str(run.file(PICTURE)),
        verdict=_verdict(points, options, defended),
    )
    _write(run, surface, victims, found[shown], outcome)
    return outcome


def surface_of(run: Run, data_dir: Path | None) -> AttackSurface:
    """What is attacked of a run.

    Raises:
        TinymlError: its task cannot be attacked, or models or data are missing.
    """
    found: AttackSurface = registry.task(run.manifest().task).attack_surface(run, data_dir)
    return found


def _label(surface: AttackSurface, target: str | None) -> int | None:
    if target is None:
        return None
    if target not in surface.names:
        known = ", ".join(surface.names)
        advice = f"{did_you_mean(target, surface.names)}Labels: {known}."
        raise TinymlError(f"The model has no label `{target}`", "--target", advice)
    return surface.names.index(target)


def _check(run: Run, surface: AttackSurface, options: AttackOptions, example: Path) -> None:
    """All that is known before the first step."""
    if options.rooms and surface.sample_rate_hz is None:
        raise TinymlError("Only sound is changed by rooms", "--rooms", "Omit --rooms.")
    if options.static and surface.static_rms is None:
        raise TinymlError("Noise is no item of this task", "--static", "Omit --static.")
    if options.board is not None and not surface.plays:
        raise TinymlError(
            "Only sounds and images are given to a board by an attack",
            "--on",
            "Omit --on: this computer asks the int8 model and the board's rule for reporting.",
        )
    if not options.black_box and not surface.has_slope:
        raise TinymlError(
            "The features of this task have no slope to follow",
            str(run.path),
            f"By scores alone: {next_step('attack', run.path, '--black-box')}",
        )
    if not options.black_box:
        checks.tensorflow("An attack by gradients")
        run.require(run.manifest(), MODEL)
    if example.suffix.lower() != surface.suffix:
        raise TinymlError(
            f"`{example.name}` is not the name of a {surface.suffix} file",
            "--out",
            f"Give --out a name that ends in {surface.suffix}.",
        )
    if options.item is not None and options.item.resolve() == example.resolve():
        raise TinymlError("The example would replace the item", str(example), "Give --out another name.")
    (checks.output_file if options.out is None else checks.new_file)(example)
    if options.defend:
        registry.task(run.manifest().task).labelled_inputs(run)
        variants.place_of(run, defence.NAME)
    checks.room(run.path, checks.ROOM_FOR_A_RUN_BYTES, "the report's files")


def _example(found: Sequence[Perturbed]) -> int:
    """The quietest ratio with at least half of the best share; the loudest where nothing succeeds."""
    best = max(each.point.device.share for each in found)
    good = [n for n, each in enumerate(found) if each.point.device.share >= max(best / 2, 1e-9)]
    return good[0] if good else len(found) - 1


def _on_board(
    surface: AttackSurface, options: AttackOptions, victims: Victims, found: Perturbed
) -> AttackedOnBoard:
    assert options.board is not None
    with console.progress(len(found.items), options.board.board.name) as bar:
        device, reported = surface.on_board(options.board, found.items, bar.advance)
    hits = surface.is_reported(reported, victims.labels) == (options.target is not None)
    differ = int((reported != surface.reported(found.items)).sum())
    return AttackedOnBoard.extending(device, snr_db=found.point.snr_db, hits=share(hits), differ=differ)


def _verdict(points: Sequence[AttackPoint], options: AttackOptions, defended: Defence | None) -> str:
    goal = f"taken for `{options.target}`" if options.target else "no longer reported right"
    told = []
    for point in points:
        hits, chance = point.device, point.noise_device
        told.append(f"{point.snr_db:g} dB {hits.share:.0%} (noise {chance.share:.0%})")
    text = f"{goal[0].upper()}{goal[1:]}, by the board's rule, n = {points[0].device.n}: {', '.join(told)}."
    if defended is not None:
        before, after = defended.clean_before, defended.clean_after
        shares = ", ".join(f"{point.snr_db:g} dB {point.device.share:.0%}" for point in defended.points)
        text += (
            f" Defended: {shares}; accuracy on unchanged items {before.accuracy:.3f} "
            f"before, {after.accuracy:.3f} after (n = {after.n})."
        )
    return text


def _write(run: Run, surface: AttackSurface, victims: Victims, found: Perturbed, outcome: Attacked) -> None:
    from tinyml_cli.attack.picture import draw
    from tinyml_cli.attack.section import section, with_earlier

    row = int(found.hits.argmax())
    pair = victims.items[row], found.items[row]
    alone = surface.to_items(found.perturbation[0]) if outcome.universal else pair[1]
    surface.write(Path(outcome.example), alone)
    draw(run.file(PICTURE), surface, pair, outcome)
    write_atomic(run.file(ATTACK), json.dumps(outcome.as_dict(), indent=2, ensure_ascii=False) + "\n")
    manifest = run.manifest()
    is_same_model = run.is_fresh(manifest, ATTACK_SECTION)
    earlier = run.file(ATTACK_SECTION).read_text(encoding="utf-8") if is_same_model else ""
    page = with_earlier(earlier, section(surface, pair, alone, outcome), outcome)
    write_atomic(run.file(ATTACK_SECTION), page)
    for name in (ATTACK, ATTACK_SECTION, PICTURE):
        run.record(manifest, name, "tinyml attack", [MODEL_INT8])
    show_attack(run, manifest)
    run.save(manifest)


def sentence(outcome: Attacked) -> str:
    """The last lines."""
    return f"{outcome.verdict}\nPicture: {outcome.picture}\nTo play or show: {outcome.example}"


def show(outcome: Attacked) -> None:
    """A table: success at each ratio, and noise of the same energy."""
    columns = ["dB", "int8 window", "board's rule", "95 %", "noise, board's rule"]
    rows = [_row(point) for point in outcome.points]
    if outcome.rooms:
        columns.append("in rooms")
        for row, point in zip(rows, outcome.points, strict=True):
            row.append("-" if point.in_rooms is None else f"{point.in_rooms.share:.3f}")
    console.table(f"Attack, n = {outcome.n}", columns, rows)
    if outcome.defence is not None:
        rows = [_row(point) for point in outcome.defence.points]
        console.table(f"The same on {outcome.defence.run}", columns[:5], rows)
    for reason, count in outcome.not_used.items():
        console.info(f"Not attacked: {count}, {reason}.")


def _row(point: AttackPoint) -> list[object]:
    low, high = point.device.ci95
    return [
        f"{point.snr_db:g}",
        f"{point.model.share:.3f}",
        f"{point.device.share:.3f}",
        f"{low:.3f}–{high:.3f}",
        f"{point.noise_device.share:.3f}",
    ]
