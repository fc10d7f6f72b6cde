"""The public data sets that can be downloaded: their origin, and the bytes that are expected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.download import download_npm, uplot
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import cache_dir
from tinyml_cli.outcomes.data import Dataset, DatasetList


@dataclass(frozen=True)
class Archive:
    """A file to download, pinned.

    Attributes:
        url: where its publisher keeps it; `npm:NAME@VERSION` where that is a package for Node.
        size_bytes: its size.
        checksum: SHA-256 of its bytes in hex, or `md5:` and their MD5 where its publisher gives that alone.
        unpacked_bytes: at most so much lies in it: for the check of the disk, and against endless archives.
    """

    url: str
    size_bytes: int
    checksum: str
    unpacked_bytes: int

    @property
    def file_name(self) -> str:
        """The last part of its address."""
        if self.url.startswith(download_npm.SCHEME):
            return download_npm.archive_name(self.url)
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PublicDataset:
    """A data set in one version.

    Attributes:
        name: as it is typed.
        version: as it is typed; the first of a name is the default.
        description: one line.
        licence: SPDX identifier, or words where there is none.
        source: the publication to cite.
        folder: name of the folder it goes to by default.
        archives: what it consists of, all unpacked into that folder.
        is_tool: it is no data to train on but a part of tinyml, and goes to tinyml's own folder.
    """

    name: str
    version: str
    description: str
    licence: str
    source: str
    folder: str
    archives: tuple[Archive, ...]
    is_tool: bool = False


_SPEECH_COMMANDS = "P. Warden, arXiv:1804.03209"
_OPENSLR = "https://www.openslr.org/resources"
_TENSORFLOW = "https://storage.googleapis.com/download.tensorflow.org/data"
# A one-second clip fills at most eight blocks of 4 KiB.
_CLIP_BYTES = 32_768

# COCO 2014 has 123,287 images for training and validation; a small one fills two blocks of the disk at most.
_VWW_IMAGES, _SMALL_IMAGE_BYTES = 123_287, 8192

# The rest is less than this share of the archive: FLAC does not shrink.
_UNPACKED = 1.1


def _librispeech(part: str, size_bytes: int, sha256: str, hours: str) -> PublicDataset:
    return PublicDataset(
        f"librispeech-{part}",
        "slr12",
        f"{hours} of read English, to test or train a keyword spotter by what it must not hear",
        "CC-BY-4.0",
        "V. Panayotov et al., ICASSP 2015",
        f"librispeech_{part.replace('-', '_')}",
        (Archive(f"{_OPENSLR}/12/{part}.tar.gz", size_bytes, sha256, round(size_bytes * _UNPACKED)),),
    )


# SHA-256 as TensorFlow Datasets and torchaudio publish them for the speech, and MLPerf EDU for the images;
# OpenSLR gives the MD5 of MUSAN. That of the voices is of the archive with the SHA-512 that npm publishes.
DATASETS = (
    PublicDataset(
        "speech-commands",
        "v0.02",
        "105,829 one-second clips of 35 words, with lists for validation and testing",
        "CC-BY-4.0",
        _SPEECH_COMMANDS,
        "speech_commands_v0.02",
        (
            Archive(
                f"{_TENSORFLOW}/speech_commands_v0.02.tar.gz",
                2_428_923_189,
                "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
                105_829 * _CLIP_BYTES,
            ),
        ),
    ),
    _librispeech(
        "dev-clean",
        337_926_286,
        "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
        "5.4 hours",
    ),
    _librispeech(
        "dev-other",
        314_305_928,
        "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365",
        "5.3 hours",
    ),
    _librispeech(
        "test-clean",
        346_663_984,
        "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
        "5.4 hours",
    ),
    _librispeech(
        "train-clean-100",
        6_387_309_499,
        "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
        "101 hours",
    ),
    PublicDataset(
        "musan",
        "slr17",
        "109 hours of music, speech and noise",
        "CC-BY-4.0 or public domain, by file",
        "D. Snyder et al., arXiv:1510.08484",
        "musan",
        (
            Archive(
                f"{_OPENSLR}/17/musan.tar.gz",
                11_086_114_085,
                "md5:0c472d4fc0c5141eca47ad1ffeb2a7df",
                14_000_000_000,
            ),
        ),
    ),
    PublicDataset(
        "vww",
        "coco2014-96",
        "MLPerf Tiny's visual wake words: 96 x 96 images with and without a person",
        "COCO terms of use; each photograph has its own licence",
        "A. Chowdhery et al., arXiv:1906.05721; C. Banbury et al., arXiv:2106.07597",
        "vww_coco2014_96",
        (
            Archive(
                "https://www.silabs.com/public/files/github/machine_learning/benchmarks/datasets/"
                "vw_coco2014_96.tar.gz",
                234_810_765,
                "f8746b9e44f8a7a4293f73be9ba6e8da9239fe69798d42364aae62b915cfab58",
                _VWW_IMAGES * _SMALL_IMAGE_BYTES,
            ),
        ),
    ),
    PublicDataset(
        "kokoro",
        "1.2.1",
        "54 voices of the speech engine Kokoro-82M; its weights come with the extra `kokoro`",
        "Apache-2.0",
        "hexgrad, Kokoro-82M v1.0",
        "kokoro-js-1.2.1",
        (
            Archive(
                "npm:kokoro-js@1.2.1",
                26_887_218,
                "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860",
                40_000_000,
            ),
        ),
        is_tool=True,
    ),
    PublicDataset(
        "uplot",
        uplot.VERSION,
        "the charts of `tinyml studio`",
        uplot.LICENCE,
        "L. Sorokin, uPlot",
        uplot.FOLDER,
        (Archive(uplot.ADDRESS, uplot.SIZE_BYTES, uplot.SHA256, 2_000_000),),
        is_tool=True,
    ),
)


def available() -> DatasetList:
    """Every data set of the table."""
    return DatasetList(
        datasets=[
            Dataset(
                name=each.name,
                version=each.version,
                description=each.description,
                bytes=sum(archive.size_bytes for archive in each.archives),
                licence=each.licence,
            )
            for each in DATASETS
        ]
    )


def show_available(outcome: DatasetList) -> None:
    """The table of `available` for people."""
    rows = [
        (each.name, each.version, _size(each.bytes), each.licence, each.description)
        for each in outcome.datasets
    ]
    console.table("Datasets", ("name", "version", "download", "licence", "what"), rows)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def find(name: str, version: str | None = None) -> PublicDataset:
    """A data set of the table; the newest version by default.

    Raises:
        TinymlError: there is none of that name or version.
    """
    same = [dataset for dataset in DATASETS if dataset.name == name]
    if not same:
        names = ", ".join(dict.fromkeys(d.name for d in DATASETS))
        raise TinymlError(f"Unknown dataset `{name}`", "tinyml data download", f"Choose from: {names}.")
    for dataset in same:
        if version in (None, dataset.version):
            return dataset
    versions = ", ".join(dataset.version for dataset in same)
    raise TinymlError(f"`{name}` has no version `{version}`", "--version", f"Choose from: {versions}.")


def default_folder(dataset: PublicDataset) -> Path:
    """Where a data set goes unless it is said."""
    return cache_dir() / dataset.folder if dataset.is_tool else Path(dataset.folder)
