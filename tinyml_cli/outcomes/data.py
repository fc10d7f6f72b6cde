"""What the commands of `data` print."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, LeftOut, Outcome, Sha256


class Dataset(Outcome):
    """A public data set."""

    name: str
    version: str
    description: str
    bytes: Count
    licence: str


class DatasetList(Outcome):
    """Without a name."""

    datasets: list[Dataset]


class Downloaded(Outcome):
    """With a name."""

    dataset: str
    version: str
    folder: str
    files: Count
    bytes: Count = Field(description="downloaded by this call")
    licence: str
    source: str
    fresh: bool = Field(description="it was already there")


class ImportedLabel(Outcome):
    """The files of a label."""

    label: str
    kind: str = Field(description="sound or motion")
    files: Count


class SkippedFile(Outcome):
    """A file that was not imported."""

    file: str
    reason: str


class Imported(Outcome):
    """Recordings of another tool in the layout for training."""

    source: str
    folder: str
    n: Count
    speakers: Count
    labels: list[ImportedLabel]
    skipped: list[SkippedFile]
    guessed_speakers: Count = Field(description="files that do not name the speaker")
    reading: str | None = Field(description="how series were read")


class CheckedLabel(Outcome):
    """The items of a label, under the name of their kind."""

    clips: Count | None = Field(default=None, description="sound")
    images: Count | None = Field(default=None, description="images")
    recordings: Count | None = Field(default=None, description="motion")
    speakers: Count | None = Field(default=None, description="sound")
    people: Count | None = Field(default=None, description="images, motion")
    seconds: float | None = None
    bad: Count


class DataFinding(Outcome):
    """Something about a file, or the folder of a label."""

    kind: str
    severity: str
    place: str
    detail: str


class Checked(Outcome):
    """Exit code 1: bad files are left."""

    folder: str
    kind: str = Field(description="sound, images or motion")
    n: Count
    reading: str | None = Field(description="how series were read")
    speakers: Count | None = Field(default=None, description="sound")
    people: Count | None = Field(default=None, description="images, motion")
    words: dict[str, CheckedLabel] | None = Field(default=None, description="sound")
    labels: dict[str, CheckedLabel] | None = Field(default=None, description="images, motion")
    counts: dict[str, Count] = Field(description="kind of finding -> findings")
    findings: list[DataFinding]
    left_out: LeftOut
    bad_files: Count
    moved: Count = Field(description="by --fix")
    quarantine: str | None = Field(description="where to")
    picture: str | None
    ok: bool

    @property
    def of_labels(self) -> dict[str, CheckedLabel]:
        """`words` or `labels`, whichever the kind has."""
        return self.words or self.labels or {}


class Restored(Outcome):
    """With --undo."""

    folder: str
    restored: Count
    kept: list[str] = Field(description="files in quarantine whose place is taken")


class BuiltVww(Outcome):
    """Images with and without a box."""

    out: str = Field(description="folder")
    category: str
    rule: str
    n: Count
    counts: dict[str, dict[str, Count]] = Field(description="split -> label -> images")
    missing: Count = Field(description="annotated images without a file")
    skipped: list[str] = Field(description="reasons")


class SpokenWord(Outcome):
    """Clips of a word."""

    word: str
    label: str
    clips: Count
    asked: Count | None = Field(description="number requested; null for other words")


class Spoken(Outcome):
    """Synthesised speech."""

    folder: str
    n: Count
    voices: Count
    languages: list[str] = Field(description="codes of those that were spoken")
    words: list[SpokenWord]


class RecordedWord(Outcome):
    """Clips of a word."""

    word: str
    kept: Count = Field(description="now")
    rejected: Count = Field(description="now")
    clips: Count = Field(description="of this speaker in all")


class RecordedWords(Outcome):
    """Recorded speech."""

    folder: str
    speaker: str
    source: str = Field(description="name of the microphone, board or file")
    words: list[RecordedWord]
    n: Count = Field(description="kept now")
    complete: bool
    quit: bool


class RecordedClass(Outcome):
    """Images of a class."""

    class_: str = Field(alias="class")
    kept: Count = Field(description="now")
    empty: Count = Field(description="frames that were skipped")
    images: Count = Field(description="in all")


class RecordedImages(Outcome):
    """Images of a camera."""

    folder: str
    source: str
    classes: list[RecordedClass]
    n: Count = Field(description="kept now")
    complete: bool


class RecordedGesture(Outcome):
    """Strokes of a gesture."""

    gesture: str
    kept: Count = Field(description="now")
    strokes: Count = Field(description="of this person in all")


class RecordedStrokes(Outcome):
    """Strokes of a wand."""

    folder: str
    source: str
    gestures: list[RecordedGesture]
    n: Count = Field(description="kept now")
    undone: Count
    complete: bool
    quit: bool


class PreviewedItem(Outcome):
    """An item on the sheet."""

    label: str
    name: str = Field(description="of its file, or of the item in it")


class Previewed(Outcome):
    """Random variations of some items, as training makes them."""

    folder: str
    task: str
    items: list[PreviewedItem]
    left_out: dict[str, int] = Field(description="reason: files that are not used or cannot be read")
    variations: Count = Field(description="of each item")
    picture: str


class SnapshotDifference(Outcome):
    """What changed since an earlier snapshot; a file is known by its content, wherever it lies."""

    same: bool = Field(description="whether the digests are equal")
    added: list[str]
    removed: list[str]
    changed: list[str] = Field(description="other content under the same name")
    relabelled: list[str] = Field(description="the same content under another label")
    leaked: list[str] = Field(description="content or speaker held out for the test in only one of the two")
    texts_changed: list[str] = Field(description="licences and other texts about the data")


class SnapshotTaken(Outcome):
    """A snapshot of data."""

    data: str = Field(description="path of the folder, or of the snapshot that was read")
    digest: Sha256 = Field(description="over names and contents of all files")
    files: Count
    bytes: Count
    labels: dict[str, Count]
    splits: dict[str, Count] = Field(description="the empty name: training chooses the split")
    texts: list[str] = Field(description="files that state licence or origin")
    leaked: list[str] = Field(description="files whose content or speaker is in training and test at once")
    snapshot: str | None = Field(description="the file that was written; null without --out")
    written: bool = Field(description="false where the file held the same already")
    difference: SnapshotDifference | None = Field(description="null without --against")
