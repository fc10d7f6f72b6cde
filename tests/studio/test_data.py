"""Listing, relabelling, deleting, trimming, undoing, mending: what the page Data does to files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from starlette.testclient import TestClient

from tests.corpus import whistle
from tests.studio.conftest import HOST, ORIGIN
from tinyml_cli.collect.record_strokes import GesturePlan
from tinyml_cli.data.clip_files import save_clip
from tinyml_cli.studio import history
from tinyml_cli.studio.app import application
from tinyml_cli.studio.history import PLACE, ChangeHistory
from tinyml_cli.studio.studio import Studio

RATE_HZ = 16_000


def clip(word: str, number: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    return whistle({"yes": "up", "no": "down"}[word], number, number)


@pytest.fixture
def recordings(studio: Studio) -> Path:
    """Four clips of two words by two speakers."""
    folder = studio.root / "recordings"
    for number, (word, speaker) in enumerate(
        [("yes", "anna"), ("yes", "ben"), ("no", "anna"), ("no", "ben")]
    ):
        save_clip(folder / word, speaker, clip(word, number), RATE_HZ)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Every file that is not hidden."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if "/." not in f"/{name}"}


def items(owner: TestClient, folder: str = "recordings", **query: object) -> list[dict[str, Any]]:
    answer = owner.get("/api/data/items", params={"folder": folder, **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def named(owner: TestClient, place: str) -> dict[str, str]:
    folder = place.split("/")[0]
    return next({"id": i["id"], "version": i["version"]} for i in items(owner, folder) if i["id"] == place)


def post(owner: TestClient, path: str, status: int = 200, **body: object) -> Any:
    answer = owner.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_folders_are_told_by_what_they_hold(owner: TestClient, studio: Studio, recordings: Path) -> None:
    (studio.root / "runs" / "demo").mkdir(parents=True)
    save_clip(studio.root / "runs" / "yes", "anna", clip("yes", 0), RATE_HZ)
    (studio.root / "photos" / "cup").mkdir(parents=True)
    Image.new("RGB", (40, 30), "red").save(studio.root / "photos" / "cup" / "1.png")
    GesturePlan(("wing",), "anna", studio.root / "strokes").keep("wing", np.array([[0, 0], [9, 9]], np.int8))
    found = {each["name"]: each for each in owner.get("/api/data").json()["folders"]}
    assert {name: each["kind"] for name, each in found.items()} == {
        "recordings": "sound", "photos": "images", "strokes": "strokes",
    }  # fmt: skip
    assert found["recordings"]["labels"] == [
        {"name": "no", "n": 2, "people": 2}, {"name": "yes", "n": 2, "people": 2},
    ]  # fmt: skip
    assert [i["id"] for i in items(owner, "strokes")] == ["strokes/wing_anna.json#0"]


def test_a_data_folder_is_no_folder_of_data_folders(
    monkeypatch: pytest.MonkeyPatch, recordings: Path
) -> None:
    inner = Studio(recordings)
    client = TestClient(application(inner, {HOST}), base_url=ORIGIN)
    client.headers["authorization"] = f"Bearer {inner.access.token}"
    assert client.get("/api/data").json() == {"folders": [], "is_data": True}


def test_items_are_filtered_and_paged(owner: TestClient, recordings: Path) -> None:
    assert len(items(owner)) == 4
    assert {i["label"] for i in items(owner, label="no")} == {"no"}
    assert {i["person"] for i in items(owner, person="ben")} == {"ben"}
    assert len(items(owner, offset=3)) == 1
    assert owner.get("/api/data/items", params={"folder": "recordings", "limit": 0}).status_code == 422
    assert owner.get("/api/data/items", params={"folder": "nothing"}).status_code == 404


def test_a_clip_is_heard_and_a_picture_seen(owner: TestClient, studio: Studio, recordings: Path) -> None:
    answer = owner.get("/api/data/file", params={"id": "recordings/yes/anna_nohash_0.wav"})
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.content == (recordings / "yes" / "anna_nohash_0.wav").read_bytes()
    soundfile.write(recordings / "yes" / "x.flac", clip("yes", 3), RATE_HZ)
    answer = owner.get("/api/data/file", params={"id": "recordings/yes/x.flac"})
    assert soundfile.read(BytesIO(answer.content), dtype="int16")[0].tolist() == clip("yes", 3).tolist()
    (studio.root / "pics" / "a").mkdir(parents=True)
    (studio.root / "pics" / "a" / "b.png").write_bytes(b"<svg onload=alert(1)>")
    answer = owner.get("/api/data/file", params={"id": "pics/a/b.png"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    (recordings / "yes" / "page.html").write_text("<script>")
    assert owner.get("/api/data/file", params={"id": "recordings/yes/page.html"}).status_code == 404


@pytest.mark.parametrize("change", ["delete", "label", "person", "both", "trim"])
def test_every_change_can_be_undone(owner: TestClient, studio: Studio, recordings: Path, change: str) -> None:
    before = files(studio.root)
    chosen = [named(owner, f"recordings/yes/{who}_nohash_0.wav") for who in ("anna", "ben")]
    if change == "delete":
        post(owner, "/api/data/delete", items=chosen)
        assert set(files(recordings)) == {"no/anna_nohash_0.wav", "no/ben_nohash_0.wav"}
    elif change == "trim":
        post(owner, "/api/data/trim", **chosen[0], start_s=0.1, end_s=0.4)
        assert soundfile.info(recordings / "yes" / "anna_nohash_0.wav").frames == round(0.3 * RATE_HZ)
    else:
        new = {"label": {"label": "no"}, "person": {"person": "cy"}, "both": {"label": "go", "person": "cy"}}
        post(owner, "/api/data/relabel", items=chosen, **new[change])
        expected = {
            "label": {"no/anna_nohash_1.wav", "no/ben_nohash_1.wav"},
            "person": {"yes/cy_nohash_0.wav", "yes/cy_nohash_1.wav"},
            "both": {"go/cy_nohash_0.wav", "go/cy_nohash_1.wav"},
        }[change]
        assert set(files(recordings)) == {"no/anna_nohash_0.wav", "no/ben_nohash_0.wav"} | expected
        assert sorted(files(recordings).values()) == sorted(before.values())
    assert len(owner.get("/api/data/changes").json()["changes"]) == 1
    post(owner, "/api/data/undo")
    assert files(studio.root) == before
    post(owner, "/api/data/undo", status=404)


def test_motion_and_pictures_keep_their_layout(owner: TestClient, studio: Studio) -> None:
    """`LABEL/PERSON/FILE.csv`, and pictures that name nobody; names that are taken get a number."""
    for place in ("m/idle/anna/a.csv", "m/idle/ben/a.csv", "p/cup/1.png", "p/none/1.png"):
        (studio.root / place).parent.mkdir(parents=True, exist_ok=True)
        (studio.root / place).write_bytes(place.encode())
    before = files(studio.root)
    post(owner, "/api/data/relabel", items=[named(owner, "m/idle/anna/a.csv")], person="cy")
    assert items(owner, "m", person="cy")[0]["id"] == "m/idle/cy/a.csv"
    post(owner, "/api/data/relabel", items=[named(owner, "m/idle/cy/a.csv")], label="run", person="ben")
    post(owner, "/api/data/relabel", items=[named(owner, "m/run/ben/a.csv")], label="idle")
    post(owner, "/api/data/relabel", items=[named(owner, "p/cup/1.png")], label="none")
    assert set(files(studio.root)) == {
        "m/idle/ben/a.csv",
        "m/idle/ben/a-1.csv",
        "p/none/1.png",
        "p/none/1-1.png",
    }
    for _ in range(4):
        post(owner, "/api/data/undo")
    assert files(studio.root) == before


def test_strokes_are_relabelled_and_undone(owner: TestClient, studio: Studio) -> None:
    plan = GesturePlan(("wing", "ring"), "anna", studio.root / "strokes")
    for gesture, size in [("wing", 5), ("wing", 6), ("ring", 7)]:
        plan.keep(gesture, np.array([[0, 0], [size, size]], np.int8))
    before = files(studio.root)
    second = named(owner, "strokes/wing_anna.json#1")
    post(owner, "/api/data/relabel", items=[second], label="ring")
    assert [stroke.points[1, 0] for stroke in plan.strokes("ring")] == [7, 6]
    assert len(plan.strokes("wing")) == 1
    post(owner, "/api/data/delete", items=[named(owner, "strokes/wing_anna.json#0")])
    assert not plan.file("wing").exists()
    post(owner, "/api/data/undo")
    post(owner, "/api/data/undo")
    assert files(studio.root) == before


def test_two_windows_do_not_overwrite_each_other(owner: TestClient, recordings: Path) -> None:
    """Both saw the same clip; the second one's change is refused, and loses nothing."""
    seen = named(owner, "recordings/yes/anna_nohash_0.wav")
    post(owner, "/api/data/trim", **seen, start_s=0.1, end_s=0.4)
    after = files(recordings)
    error = post(owner, "/api/data/delete", items=[seen], status=409)["error"]
    assert "another window" in error["what"]
    post(owner, "/api/data/trim", **seen, start_s=0.0, end_s=0.2, status=409)
    post(owner, "/api/data/relabel", items=[seen], label="no", status=409)
    assert files(recordings) == after
    other = named(owner, "recordings/no/anna_nohash_0.wav")
    post(owner, "/api/data/delete", items=[other])
    post(owner, "/api/data/delete", items=[other], status=404)


def test_an_undo_does_not_overwrite_what_came_later(owner: TestClient, recordings: Path) -> None:
    path = recordings / "yes" / "anna_nohash_0.wav"
    post(owner, "/api/data/delete", items=[named(owner, "recordings/yes/anna_nohash_0.wav")])
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"recorded anew")
    post(owner, "/api/data/undo", status=409)
    assert path.read_bytes() == b"recorded anew"


def test_an_undo_reads_one_log_of_many(
    owner: TestClient, studio: Studio, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recordings / "note.txt"
    for number in range(9):
        studio.history.change(f"Change {number}", {path: str(number).encode()})
    read, logs = history._read, set()
    monkeypatch.setattr(history, "_read", lambda entry: (logs.add(entry.name), read(entry))[1])
    assert owner.get("/api/data/changes", params={"most": 1}).json()["changes"][0]["what"] == "Change 8"
    assert post(owner, "/api/data/undo", number=9)["what"] == "Change 8"
    assert logs == {"000009"} and path.read_bytes() == b"7"


@pytest.mark.parametrize(
    "item", ["recordings/yes", "recordings", "recordings/yes/../../x.wav", "/etc/passwd", "runs/a/b.png"]
)
def test_only_items_are_changed(owner: TestClient, studio: Studio, recordings: Path, item: str) -> None:
    (studio.root / "runs" / "a").mkdir(parents=True)
    (studio.root / "runs" / "a" / "b.png").write_bytes(b"x")
    before = files(studio.root)
    answer = owner.post("/api/data/delete", json={"items": [{"id": item, "version": "x"}]})
    assert answer.status_code in (404, 422)
    assert files(studio.root) == before


@pytest.mark.parametrize("label", ["../x", "a/b", ".hidden", "", "con", "x" * 300, "a\nb", "a\\b"])
def test_a_label_is_a_name_of_a_folder(owner: TestClient, recordings: Path, label: str) -> None:
    before = files(recordings.parent)
    seen = named(owner, "recordings/yes/anna_nohash_0.wav")
    assert owner.post("/api/data/relabel", json={"items": [seen], "label": label}).status_code == 422
    assert files(recordings.parent) == before


def test_a_change_that_was_cut_off_is_taken_back(studio: Studio, recordings: Path) -> None:
    """Killed after the first file of three: the next studio finds everything as it was."""
    before = files(studio.root)
    paths = [recordings / name for name in sorted(files(recordings))]
    calls = 0

    class KilledError(BaseException):
        pass

    def die(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KilledError
        ChangeHistory._apply(studio.history, *arguments)  # type: ignore[arg-type]

    studio.history._apply = die  # type: ignore[method-assign]
    studio.history._take_back = lambda *arguments: None  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        studio.history.change("Deleted", dict.fromkeys(paths))
    assert len(files(recordings)) == 3
    Studio(studio.root)
    assert files(studio.root) == before
    assert list((studio.root / PLACE).iterdir()) == []


def test_what_a_check_finds_can_be_mended(owner: TestClient, recordings: Path) -> None:
    save_clip(recordings / "yes", "anna", np.zeros(RATE_HZ, np.int16), RATE_HZ)
    found = owner.get("/api/data/check", params={"folder": "recordings"}).json()
    silent = next(finding for finding in found["findings"] if finding["kind"] == "silent")
    assert silent["severity"] == "bad"
    item = {key: silent["item"][key] for key in ("id", "version")}
    post(owner, "/api/data/delete", items=[item])
    assert owner.get("/api/data/check", params={"folder": "recordings"}).json()["bad_files"] == 0
    post(owner, "/api/data/undo")
    assert post(owner, "/api/data/move-away", folder="recordings") == {"moved": 1}
    assert post(owner, "/api/data/move-back", folder="recordings") == {"moved": 1}
    assert (recordings / "yes" / "anna_nohash_1.wav").is_file()
    post(owner, "/api/data/move-back", folder="recordings", status=404)


def test_the_map_puts_alike_beside_alike(owner: TestClient, studio: Studio) -> None:
    folder = studio.root / "words"
    for number in range(10):
        for word in ("yes", "no"):
            save_clip(folder / word, f"s{number}", clip(word, number), RATE_HZ)
    save_clip(folder / "no", "wrong", clip("yes", 20), RATE_HZ)
    save_clip(folder / "yes", "copy", clip("yes", 0), RATE_HZ)
    save_clip(
        folder / "yes", "noise", np.random.default_rng(0).integers(-9000, 9000, RATE_HZ, np.int16), RATE_HZ
    )
    (folder / "yes" / "broken_nohash_0.wav").write_bytes(b"RIFF")
    found = owner.get("/api/data/map", params={"folder": "words"}).json()
    assert found["labels"] == ["no", "yes"]
    assert found["unreadable"] == 1
    points = {point["id"].removeprefix("words/"): point for point in found["points"]}
    assert len(points) == 23
    assert points["no/wrong_nohash_0.wav"]["stranger"] == 1
    assert points["yes/noise_nohash_0.wav"]["outlier"]
    twins = [points[f"yes/{who}_nohash_0.wav"]["twin"] for who in ("copy", "s0")]
    assert twins.count(None) == 1
    assert sum(point["stranger"] is not None for point in points.values()) <= 2
    again = owner.get("/api/data/map", params={"folder": "words"}).json()
    assert [point["id"] for point in again["points"]] == [point["id"] for point in found["points"]]
