"""A model onto boards that run firmware with slots: sent, cut, forged, rolled back."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.engines.retrained import retrained
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build import slots
from tinyml_cli.build.build import build
from tinyml_cli.build.target import SlotOptions, build_target
from tinyml_cli.engines.model_tables import Lifted
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_INPUT_BYTES, Ready, Slots
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.updates import image, keys
from tinyml_cli.updates.delivery import deliver
from tinyml_cli.updates.keys import SigningKey
from tinyml_cli.updates.model_only import UpdateOrder, flash_model

pytestmark = pytest.mark.slow
_BUILT_IN = 10


@dataclass(frozen=True)
class Site:
    """Firmware with slots, and a run whose model was trained again, under other labels."""

    board: str
    elf: Path
    first: Run
    second: Run
    key: SigningKey
    folder: Path

    def update(self, release: int, run: Run | None = None, key: SigningKey | None = None) -> bytes:
        return image.make(slots.lifted(run or self.second), release, key or self.key)

    def boot(self, flash: Path, cut_at: int = 0) -> VirtualDevice:
        return VirtualDevice(self.board, self.elf, flash=flash, cut_at=cut_at)

    def running(self, flash: Path) -> tuple[Ready, Slots]:
        with self.boot(flash) as device, Link(device.url) as link:
            return link.wait_ready(), link.slots()


@pytest.fixture(scope="module", params=["native", "sim"])
def site(request: pytest.FixtureRequest, firmware_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Site:
    board = load_board(request.param)
    if missing := [need.tool for need in board.needs if not need.present]:
        pytest.skip(f"board {board.name} cannot run here (missing: {', '.join(missing)})")
    folder = tmp_path_factory.mktemp("updates")
    first, second = (Run(Path(shutil.copytree(firmware_run.path, folder / name))) for name in ("old", "new"))
    second.file(MODEL_INT8).write_bytes(retrained(first.file(MODEL_INT8).read_bytes(), seed=4))
    manifest = second.manifest()
    manifest.labels = ["silence", "unknown", *(f"mot {number}" for number in range(10))]
    second.record(manifest, MODEL_INT8, made_by="tinyml convert")
    second.save(manifest)
    key = keys.new(folder / "key.pem")
    options = SlotOptions(key.public, _BUILT_IN)
    built = build(first, replace(build_target(board.name, "aot"), slots=options))
    return Site(board.name, Path(built.elf), first, second, key, folder)


def test_a_model_is_replaced_without_new_firmware(site: Site) -> None:
    target = build_target(site.board, "aot")
    sent = flash_model(site.second, target, UpdateOrder(site.key, release=20, firmware=site.first))
    assert (sent.previous_release, sent.release, sent.slot) == (_BUILT_IN, 20, "a")
    again = flash_model(site.first, target, UpdateOrder(site.key, release=21, firmware=site.first))
    assert (again.previous_release, again.slot) == (20, "b")
    assert again.form in ("packed", "changes") and again.sent_bytes < again.update_bytes - image.HEADER_BYTES
    flash_model(site.second, target, UpdateOrder(site.key, release=22, firmware=site.first))
    model = site.second.file(MODEL_INT8).read_bytes()
    values = np.random.default_rng(1).integers(-128, 128, (3, 49, 10, 1), np.int8)
    expected = interpret.run_int8(model, values, interpret.reference_runtime())
    with site.boot(site.elf.with_name("flash.bin")) as device, Link(device.url) as link:
        assert link.wait_ready().labels == site.second.manifest().labels
        for value, output in zip(values, expected, strict=True):
            link.write_input(value)
            assert link.run_inference().data == output.tobytes()


def test_what_the_board_must_not_run_is_refused(site: Site, tmp_path: Path) -> None:
    stranger = keys.new(tmp_path / "stranger.pem")
    lifted = slots.lifted(site.second)
    damaged = bytearray(site.update(30))
    damaged[-1] ^= 1
    other = image.make(Lifted({}, lifted.tables, bytes(32)), 30, site.key)
    shorter = image.make(Lifted({}, lifted.tables[:-8], lifted.architecture), 30, site.key)
    flash = tmp_path / "flash"
    for update, message in (
        (site.update(_BUILT_IN), "this release or a newer one"),
        (site.update(30, key=stranger), "does not accept the update's signature"),
        (bytes(damaged), "does not accept the update's signature"),
        (other, "another architecture"),
        (shorter, "another architecture"),
        (bytes(1000), "This is no update"),
    ):
        with site.boot(flash) as device, Link(device.url) as link:
            before = link.wait_ready()
            with pytest.raises(TinymlError, match=message):
                deliver(link, update, "the board")
        ready, now = site.running(flash)
        assert (ready.model, now.running) == (before.model, "built-in")


def test_a_model_that_fails_its_self_test_is_never_used(site: Site, tmp_path: Path) -> None:
    lifted = slots.lifted(site.second)
    golden = lifted.golden_output
    assert lifted.tables.count(golden) == 1
    wrong = lifted.tables.replace(golden, bytes(len(golden)))
    flash = tmp_path / "flash"
    with site.boot(flash) as device, Link(device.url) as link:
        link.wait_ready()
        deliver(link, image.make(replace(lifted, tables=wrong), 30, site.key), "the board")
    for _ in range(2):
        _, now = site.running(flash)
        assert (now.running, now.a) == ("built-in", "rejected")


def test_changes_are_sent_where_they_are_less_and_only_to_a_board_that_runs_what_they_change(
    site: Site, tmp_path: Path
) -> None:
    tables = slots.lifted(site.first).tables
    new, golden = bytearray(tables), slots.lifted(site.first).golden_output
    at = tables.index(golden) - 64  # the golden input's last byte: the self-test may fail, the transfer not
    new[at] ^= 1
    lifted = replace(slots.lifted(site.first), tables=bytes(new))
    for base, form in ((tables, "changes"), (bytes(len(tables)), "packed"), (None, "packed")):
        flash = tmp_path / f"flash {form} {base is None}"
        with site.boot(flash) as device, Link(device.url) as link:
            link.wait_ready()
            sent = deliver(link, image.make(lifted, 30, site.key), "the board", base)
            assert link.slots().a == "complete"
        assert (sent.form == "changes") == (form == "changes")
        if form == "changes":
            assert sent.sent_bytes < len(tables) / 20
            assert flash.read_bytes()[4096 : 4096 + len(tables)] == new


def test_an_interrupted_update_goes_on_where_it_ended(site: Site, tmp_path: Path) -> None:
    update, flash = site.update(30), tmp_path / "flash"
    with site.boot(flash) as device, Link(device.url) as link:
        link.wait_ready()
        link.update(0, update[: image.HEADER_BYTES])
        for offset in range(0, 5 * MAX_INPUT_BYTES, MAX_INPUT_BYTES):
            at = image.HEADER_BYTES + offset
            link.update(at, update[at : at + MAX_INPUT_BYTES])
        assert link.slots().received == 5 * MAX_INPUT_BYTES
        at = image.HEADER_BYTES + 2 * MAX_INPUT_BYTES
        link.update(at, update[at : at + MAX_INPUT_BYTES])  # as where an answer was lost
        assert link.slots().received == 5 * MAX_INPUT_BYTES
    with site.boot(flash) as device, Link(device.url) as link:
        link.wait_ready()
        assert deliver(link, update, "the board").resumed_bytes == 4 * MAX_INPUT_BYTES, "whole pages are kept"
    assert site.running(flash)[1].release == 30


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("step", [pytest.param(3, marks=pytest.mark.nightly), 37])
def test_power_may_fail_at_every_operation(site: Site, step: int, tmp_path: Path) -> None:
    """The old model is in slot a; the new one goes into slot b."""
    old, new = site.update(20, run=site.first), site.update(21)
    kept = tmp_path / "kept"
    with site.boot(kept) as device, Link(device.url) as link:
        link.wait_ready()
        deliver(link, old, "the board")
    assert site.running(kept)[1].a == "confirmed"
    cut, cuts = 1, 0
    while True:
        flash = Path(shutil.copy(kept, tmp_path / f"flash {cut}"))
        if not (_dies(site, flash, cut, new) or _dies(site, flash, cut - _OPERATIONS, None)):
            break
        ready, now = site.running(flash)
        assert now.release in (20, 21) and now.model == ready.model
        assert ready.labels == (site.first if now.release == 20 else site.second).manifest().labels
        if now.release == 20:
            with site.boot(flash) as device, Link(device.url) as link:
                link.wait_ready()
                deliver(link, new, "the board")
        assert site.running(flash)[1].release == 21
        cut, cuts = cut + step, cuts + 1
    assert cuts >= (_OPERATIONS + 2) // step


# Erasures of the header's page and 9 of the tables, the header, 131 unpacked blocks, 9 pages' marks and the
# last one.
_OPERATIONS = 1 + 9 + 1 + 131 + 9 + 1


def _dies(site: Site, flash: Path, cut: int, update: bytes | None) -> bool:
    """Whether power fails: during an update, or at the boot that follows one."""
    if cut < 1:
        return False
    try:
        with site.boot(flash, cut) as device, Link(device.url) as link:
            link.wait_ready()
            if update is not None:
                deliver(link, update, "the board")
    except TinymlError:
        return True
    return False
