"""Releases onto a board with slots: over a broker, back again, and with power cut on the way."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.engines.retrained import retrained
from tests.fleet.test_broker import address  # noqa: F401 - a fixture
from tinyml_cli.build.build import build
from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import SlotOptions, build_target
from tinyml_cli.engines.model_tables import Lifted
from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet import broker, database, releases, rollout, signed
from tinyml_cli.fleet.board_member import BoardMember
from tinyml_cli.fleet.broker import Broker, MqttLine, together
from tinyml_cli.fleet.database import FleetDatabase
from tinyml_cli.fleet.gateway import Gateway, GatewayOptions
from tinyml_cli.fleet.gateway_state import GatewayState
from tinyml_cli.fleet.members import HeldRelease, InstallError, PowerCutError
from tinyml_cli.fleet.plan import RolloutPlan, latest
from tinyml_cli.fleet.programs import Programs
from tinyml_cli.fleet.server import FleetServer
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Slots
from tinyml_cli.link.virtual import VirtualDevice, flash_file
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.updates import image, keys
from tinyml_cli.updates.delivery import slots_of
from tinyml_cli.updates.keys import SigningKey

pytestmark = pytest.mark.slow
AT_ONCE = RolloutPlan(stages=[100], soak_s=0, silent_s=4)
# Erasures of the header's page and 9 of the tables, the header, 131 unpacked blocks, 9 pages' marks and the
# last one.
_OPERATIONS = 1 + 9 + 1 + 131 + 9 + 1


@dataclass(frozen=True)
class Site:
    """A virtual board with slots that runs the first of three models."""

    runs: list[Run]
    key: SigningKey
    elf: Path

    def slots(self) -> Slots:
        with (
            VirtualDevice("native", self.elf, flash=flash_file(self.elf)) as device,
            Link(device.url) as link,
        ):
            link.wait_ready()
            return slots_of(link)


@pytest.fixture(scope="module")
def site(firmware_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("boards")
    runs = [Run(Path(shutil.copytree(firmware_run.path, folder / f"model-{n}"))) for n in range(3)]
    for seed, run in enumerate(runs[1:], 1):
        run.file(MODEL_INT8).write_bytes(retrained(run.file(MODEL_INT8).read_bytes(), seed=seed))
        manifest = run.manifest()
        run.record(manifest, MODEL_INT8, made_by="tinyml convert")
        run.save(manifest)
    key = keys.new(folder / "key.pem")
    target = build_target("native", "aot")
    build(runs[0], replace(target, slots=SlotOptions(key.public, 10)))
    elf = project_dir(runs[0], "native", target.application(runs[0])) / "firmware.elf"
    return Site(runs, key, elf)


@pytest.fixture
def member(site: Site, tmp_path: Path) -> BoardMember:
    """The board, with empty slots."""
    flash_file(site.elf).unlink(missing_ok=True)
    target = build_target("native", "aot")
    return BoardMember("board", site.runs[0], target, GatewayState(tmp_path), Programs(tmp_path / "releases"))


def _held(site: Site, index: int, number: int, folder: Path, key: SigningKey | None = None) -> HeldRelease:
    from tinyml_cli.build import slots

    document, package = releases.of_run(site.runs[index])
    programs = Programs(folder / "held")
    programs.keep(document, package)
    update = image.make(slots.lifted(site.runs[index]), number, key or site.key)
    (folder / f"{index}-{number}").write_bytes(update)
    found = programs.held(document.id)
    assert found is not None
    return replace(found, update=folder / f"{index}-{number}")


def test_a_rollout_reaches_a_board_and_an_abort_brings_it_back(
    site: Site,
    member: BoardMember,
    tmp_path: Path,
    address: Broker,  # noqa: F811
) -> None:
    (tmp_path / "fleet").mkdir()
    state = FleetDatabase(tmp_path / "fleet")
    options = GatewayOptions("g", report_s=0.2, bytes_per_s=1e6, heartbeat_s=0.5)
    gateway = Gateway(address, options, [member], member._state, member._programs, MqttLine())
    names = [run.manifest().artifacts[MODEL_INT8].sha256[:12] for run in site.runs]

    def start(index: int) -> None:
        signed.start(state, releases.of_run(site.runs[index]), AT_ONCE, key=site.key)

    async def until(state_of: str, model: str) -> None:
        def told() -> bool:
            with state.reading() as table:
                found = latest(table)
                row = table.execute("select model, release from devices").fetchone()
            return found is not None and (found.state, row and row["model"]) == (state_of, model)

        try:
            await _until(told)
        except AssertionError as error:  # says where it stands
            with state.reading() as table:
                row = table.execute("select * from devices").fetchone()
                raise AssertionError(latest(table), row and dict(row)) from error

    async def steps() -> None:
        start(0)
        await until("done", names[0])
        start(1)
        await until("done", names[1])
        start(2)
        await until("running", names[2])
        with state.writing() as table:
            rollout.abort(table)  # as where a gate fails
        await until("rolled back", names[1])

    try:
        broker.run(lambda: together(FleetServer(address, state).serve(), gateway.serve(), steps()))
    finally:
        member.close()
    now = site.slots()
    assert now.model == names[1] and {now.a, now.b} == {"confirmed"}
    assert abs(now.a_release - now.b_release) == 1, "the way back was signed with the next number"
    with state.reading() as table:
        assert {row["reason"] for row in table.execute("select reason from devices")} == {""}
    assert member._state.member("board").failed is None


async def _until(is_true: Callable[[], bool], most_s: float = 60.0) -> None:
    until_s = time.monotonic() + most_s
    while not is_true():
        assert time.monotonic() < until_s
        await asyncio.sleep(0.1)


def test_power_that_fails_during_an_installation_leaves_old_or_new(
    site: Site, member: BoardMember, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway tries again until the release runs, and knows nothing but what the board says."""
    monkeypatch.setattr("tinyml_cli.fleet.board_member._AGAIN_S", 0.0)
    cuts: list[int] = []

    class Failing(VirtualDevice):
        def __init__(self, board: str, elf: Path, *, flash: Path | None = None) -> None:
            super().__init__(board, elf, flash=flash, cut_at=cuts.pop(0) if cuts else 0)

    monkeypatch.setattr("tinyml_cli.connect.VirtualDevice", Failing)
    names = [run.manifest().artifacts[MODEL_INT8].sha256[:12] for run in site.runs]
    # Operations of the start that takes the update, and of the next one, which tries it.
    for number, cut in enumerate(([1], [2], [3], [19], [_OPERATIONS], [0, 1], [0, 2]), 30):
        index = 1 + number % 2
        release = _held(site, index, number, tmp_path)
        before, cuts[:] = site.slots().model, cut
        with pytest.raises(PowerCutError):
            member.install(release, 1)
        assert not cuts
        assert site.slots().model in (before, names[index])
        member.install(release, 1)
        assert member.model() == names[index] and site.slots().release == number
        member.close()


def test_what_a_board_refuses_is_a_reason_and_it_runs_on(
    site: Site, member: BoardMember, tmp_path: Path
) -> None:
    stranger = keys.new(tmp_path / "stranger.pem")
    good = _held(site, 1, 20, tmp_path)
    document = good.document
    for release, why in (
        (replace(good, update=None), "signed for no board"),
        (forged := _held(site, 2, 21, tmp_path, stranger), "signature"),
        (_held(site, 2, 9, tmp_path), "no newer"),
    ):
        with pytest.raises(InstallError, match=why):
            member.install(release, 1)
        member.open()
        assert site.runs[0].manifest().artifacts[MODEL_INT8].sha256.startswith(member.model())
    assert forged.update is not None and not forged.update.exists(), "what was refused is fetched anew"
    member.install(good, 1)
    assert document.model_sha256.startswith(member.model())
    member.install(replace(good, update=None), 2)  # it runs already
    member.close()


def test_architectures_that_no_board_can_take_in_turn_are_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinyml_cli.build import slots

    state = FleetDatabase(tmp_path)
    signed.start(state, releases.of_run(site.runs[0]), AT_ONCE, key=site.key)
    with state.writing() as table:
        database.set_setting(table, "champion", releases.of_run(site.runs[0])[0].id)
        table.execute("update rollouts set state = 'done'")
    real, models = slots.lifted, [run.manifest().artifacts[MODEL_INT8].sha256 for run in site.runs]

    def other(run: Run) -> Lifted:  # of the second model alone
        is_second = run.manifest().artifacts[MODEL_INT8].sha256 == models[1]
        return replace(real(run), architecture=bytes([is_second]) * 32)

    monkeypatch.setattr(slots, "lifted", other)
    with pytest.raises(TinymlError, match="different architectures"):
        signed.start(state, releases.of_run(site.runs[1]), AT_ONCE, key=site.key)
    with state.reading() as table:
        assert table.execute("select count(*) from rollouts").fetchone()[0] == 1
    # Another version of tinyml, and boards that were flashed anew with it: the way back is made by it, too.
    monkeypatch.setattr(slots, "lifted", lambda run: replace(real(run), architecture=bytes(32)))
    signed.start(state, releases.of_run(site.runs[1]), AT_ONCE, key=site.key)
    with state.reading() as table:
        updates = [row[0] for row in table.execute("select bytes from updates order by number")]
    assert [image.read_header(each, "").architecture for each in updates] == [bytes(32)] * 2
