"""The model of a run onto a board that runs firmware with slots, without new firmware."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.build import slots
from tinyml_cli.build.emulated import plugged_in
from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.build.tenants import monitor_step
from tinyml_cli.connect import open_port
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_new
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Slots
from tinyml_cli.link.virtual import VirtualDevice, flash_file
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.updates import ModelUpdated
from tinyml_cli.run import MANIFEST, Run, board_model
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.updates import image, keys
from tinyml_cli.updates.delivery import deliver, slots_of
from tinyml_cli.updates.keys import SigningKey

_LARGEST_UPDATE_BYTES = 2 << 20
_MOST_RUNS = 200


@dataclass(frozen=True)
class UpdateOrder:
    """Where an update comes from: `key` signs it now, or `file` holds it.

    Attributes:
        release: of one that is signed now; None takes the next one that the board accepts.
        firmware: the run whose firmware a virtual board runs; None is the model's own.
    """

    key: SigningKey | None = None
    file: Path | None = None
    release: int | None = None
    firmware: Run | None = None


def ordered(
    model_only: bool, key: Path | None, release: int | None, file: Path | None, firmware: str | None
) -> UpdateOrder | None:
    """What the options of `flash` order; None: whole firmware.

    Raises:
        TinymlError: options that do not go together, no such run, or a file that holds no key.
    """
    if not model_only:
        for option, value in (("--update", file), ("--firmware", firmware)):
            if value is not None:
                raise TinymlError(f"{option} is about the model alone", option, "Add --model-only.")
        return None
    if file is not None:
        checks.exclusive("--update", {"--update-key": key, "--release": release})
        checks.input_file(file, "--update")
    elif key is None:
        raise TinymlError(
            "Nothing signs the model", "--model-only", "Give --update-key FILE, or --update FILE."
        )
    signing = None if key is None else keys.load(key)
    return UpdateOrder(signing, file, release, None if firmware is None else open_run(firmware))


def write_update(run: Run, key: SigningKey, release: int | None, path: Path) -> ModelUpdated:
    """Makes a signed update of a run's model and writes it to a new file.

    Raises:
        TinymlError: no converted model, or a file that exists.
    """
    started = time.monotonic()
    checks.new_file(path)
    release = slots.release_of(run) if release is None else release
    update = image.make(slots.lifted(run), release, key)
    write_new(path, update)
    return ModelUpdated(
        model=_model(run),
        release=release,
        update_bytes=len(update),
        file=str(path),
        seconds=_since(started),
    )


def flash_model(run: Run, target: BuildTarget, order: UpdateOrder) -> ModelUpdated:
    """Sends a model to a board, starts the board anew and asks which model it runs.

    Raises:
        TinymlError: a board without slots, an update that it refuses, or a model that it does not run then.
    """
    started = time.monotonic()
    make = _maker(run, order)
    with _board(order.firmware or run, target) as connect:
        with connect() as link:
            before = _awake(link)
            update = make(before)
            release = image.read_header(update, str(order.file or run.path)).release
            base = known_tables(before.model, (order.firmware, run, *_beside(run)))
            sent = deliver(link, update, target.port or target.board.name, base)
            link.restart()
            after = _awake(link) if target.is_usb else None
            url = link.url
        if after is None:
            with connect() as link:
                after = _awake(link)
    if after.release != release or (order.file is None and after.model != _model(run)):
        raise TinymlError(
            f"The board went back to model {after.model} of release {after.release}: the new one did not "
            "pass its self-test",
            url,
            "Check the model on this computer: tinyml evaluate",
        )
    return ModelUpdated(
        board=target.board.name,
        port=url if target.is_usb else None,
        model=after.model,
        release=release,
        previous_release=before.release,
        slot=after.running,
        update_bytes=len(update),
        sent_bytes=sent.sent_bytes,
        form=sent.form,
        resumed_bytes=sent.resumed_bytes,
        seconds=_since(started),
    )


def text(sent: ModelUpdated, run: Run, target: BuildTarget) -> str:
    """The outcome in a sentence, and how to listen to the firmware of `run`, which has taken the model."""
    where = sent.port or sent.board
    resumed = f", {sent.resumed_bytes:,} of them from an earlier attempt" if sent.resumed_bytes else ""
    forms = {"packed": "packed", "changes": "as changes of the model before"}
    form = f", sent {forms[sent.form]} in {sent.sent_bytes:,} B" if sent.form in forms else ""
    return (
        f"{where} runs model {sent.model}, release {sent.release}, from slot {sent.slot} "
        f"({sent.update_bytes:,} B{form}{resumed}; {sent.seconds:.1f} s). Next: {monitor_step(run, target)}"
    )


def known_tables(model: str, among: Iterable[Run | None]) -> bytes | None:
    """The tables of the model that a board runs, where one of these runs has it.

    Args:
        model: the first digits of its SHA-256.
    """
    for run in among:
        with contextlib.suppress(TinymlError):
            if run is not None and model and _model(run) == model[:12]:
                return slots.lifted(run).tables
    return None


def _beside(run: Run) -> list[Run]:
    """The runs in the same folder."""
    folders = sorted(run.path.resolve().parent.glob(f"*/{MANIFEST}"))
    return [Run(path.parent) for path in folders[:_MOST_RUNS]]


def _maker(run: Run, order: UpdateOrder) -> Callable[[Slots], bytes]:
    """What makes the update for a board in this state. Whatever can fail without the board fails here."""
    if order.file is not None:
        size = order.file.stat().st_size
        if size > _LARGEST_UPDATE_BYTES:
            raise TinymlError(
                f"An update of {size:,} bytes fits no board", str(order.file), "Check the name."
            )
        update = order.file.read_bytes()
        return lambda before: update
    assert order.key is not None
    key, model, own = order.key, slots.lifted(run), slots.release_of(run)
    return lambda before: image.make(model, order.release or max(own, before.release + 1), key)


@contextlib.contextmanager
def _board(firmware: Run, target: BuildTarget) -> Iterator[Callable[[], AbstractContextManager[Link]]]:
    """What opens a link to the board; a virtual one starts with it and keeps its flash."""
    if target.is_usb:
        with plugged_in(firmware, target):
            yield lambda: open_port(target.board, target.port)
        return
    elf = project_dir(firmware, target.board.name, target.application(firmware)) / "firmware.elf"
    if not elf.is_file():
        once = next_step("flash", firmware.path, "--board", target.board.name, "--update-key", "KEY")
        raise TinymlError(
            "The virtual board has no firmware yet that could take an update",
            str(elf),
            f"Flash it once: {once}",
        )

    @contextlib.contextmanager
    def start() -> Iterator[Link]:
        with VirtualDevice(target.board.name, elf, flash=flash_file(elf)) as device, Link(device.url) as link:
            yield link

    yield start


def _awake(link: Link) -> Slots:
    link.wait_ready()
    return slots_of(link)


def _model(run: Run) -> str:
    manifest = run.manifest()
    model = manifest.artifacts.get(board_model(manifest))
    return "" if model is None else model.sha256[:12]


def _since(started: float) -> float:
    return round(time.monotonic() - started, 2)
