"""tinyml build"""

from __future__ import annotations

from tinyml_cli.commands import board_options, options
from tinyml_cli.console import console
from tinyml_cli.next_step import next_step


def command(
    run: options.RunArgument = None,
    board: board_options.Board = "sim",
    engine: board_options.Engine = None,
    tflm: board_options.TflmDir = None,
    app: board_options.App = None,
    other: board_options.With = None,
    runs: board_options.Runs = None,
    update_key: board_options.UpdateKey = None,
    release: board_options.Release = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compile the firmware with the run's model, using PlatformIO, and report its flash and RAM use.

    \b
    Examples:
      tinyml build --board sim
      tinyml build --board nano33ble
      tinyml build --board browser
      tinyml build runs/kws-yes-no --board native --json
      tinyml build runs/kws-yes-no --with runs/kws-marvin --board nano33ble
      tinyml build --run runs/kws-yes-no --run runs/vww-person --app cascade --board sim
      tinyml build other_model.tflite --board sim
      tinyml build --board sim --engine tflm --tflm ../tflite-micro-library
      tinyml build --board nano33ble --update-key ~/keys/doorbell.pem
    """
    from tinyml_cli.build.build import build
    from tinyml_cli.build.target import build_target
    from tinyml_cli.build.tenants import monitor_step, open_runs
    from tinyml_cli.teaching.firmware import learner
    from tinyml_cli.updates.keys import slot_options

    first, neighbour = open_runs(run, runs or [], other)
    slots = slot_options(update_key, release)
    target = learner(first, build_target(board, engine, tflm, app=app, second=neighbour, slots=slots))
    outcome = build(first, target)
    sizes = ", ".join(
        f"{part} {size:,} B"
        for part, size in (
            ("flash", outcome.flash_bytes),
            ("RAM", outcome.ram_bytes),
            ("arena", outcome.arena_bytes),
        )
        if size is not None
    )
    following = monitor_step(first, target)
    if outcome.app == "bench":
        following = next_step("profile", first.path, "--board", board)
    if outcome.page is not None:
        following = f"open {outcome.page} in a browser, on this computer or a phone"
    if outcome.parts and not outcome.fresh:
        console.info(
            "Of it: "
            + "; ".join(
                f"{each.part} {each.flash_bytes:,} B of flash, {each.ram_bytes:,} B of RAM"
                for each in outcome.parts
            )
        )
    by = "" if outcome.compiler == "gcc" else f" with {outcome.compiler}"
    console.result(outcome, f"Built {outcome.page or outcome.elf}{by}: {sizes}. Next: {following}")
