"""Outcomes of evaluations of every task, with any text in the place of every name."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.evaluation.answers import Answers
from tinyml_cli.evaluation.measures import measure
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact, Data, Model
from tinyml_cli.outcomes.anomalies import (
    EvaluatedRecordings,
    FaultFigures,
    RecordingsOnDevice,
    ScoreCurve,
    Separated,
    SeparatedInt8,
    WorstRecording,
)
from tinyml_cli.outcomes.comparisons import Compared, ComparedPair, ComparedRow
from tinyml_cli.outcomes.curves import CurveError, CurveOnDevice, CurvePoint, EvaluatedCurve
from tinyml_cli.outcomes.evaluations import (
    AccuracySpread,
    AtThreshold,
    ClipsPerSpeaker,
    Condition,
    EvaluatedClips,
    EvaluatedGestures,
    EvaluatedImages,
    Fairness,
    FalseAlarms,
    Measured,
    ModelOnDevice,
    Noise,
    NoisePoint,
    Parity,
    SoundOnDevice,
    SpeakerGroup,
    Speakers,
)
from tinyml_cli.outcomes.stages import Threshold
from tinyml_cli.tasks.vww.held_out import LabelledImages

_N = 24


def manifest(task: str, name: str) -> Manifest:
    """Whose labels, notes, network and words are all `name`.

    Unchecked: pages must not lean on a manifest's refusal of some names.
    """
    return Manifest.model_construct(
        task=task,
        seed=1,
        labels=labels(name),
        features=AudioFrontendSettings() if task == "kws" else None,
        data=Data(
            source="folder",
            path=name,
            split_by=name,
            counts={name: dict.fromkeys(labels(name), 1)},
            notes=[name],
        ),
        model=Model(name=name, parameters=1, macs=1),
        artifacts={
            file: Artifact(sha256="0" * 64, bytes=1, made_by=name)
            for file in ("model_int8.tflite", "model_float32.tflite")
        },
    )


def labels(name: str) -> list[str]:
    """Three that differ."""
    return ["unknown", name, f"{name} 2"]


def clips(name: str) -> EvaluationSet:
    """Noise of speakers and words that are called `name`."""
    rng = np.random.default_rng(0)
    truth = np.arange(_N) % 3
    texts = np.array([name] * _N)
    return EvaluationSet(
        rng.integers(-99, 99, (_N, 160)).astype(np.int16),
        rng.integers(0, 600, (_N, 4, 5)).astype(np.uint16),
        truth,
        texts,
        name,
        texts,
    )


def images(name: str) -> LabelledImages:
    """Grey noise."""
    pixels = np.random.default_rng(0).integers(0, 255, (_N, 4, 4, 1)).astype(np.uint8)
    return LabelledImages(pixels, np.arange(_N) % 3, np.array([name] * _N), np.full(_N, 0.1), name)


def measured(name: str) -> Measured:
    """What follows from the answers of a model that tells classes apart; two mistakes."""
    rng = np.random.default_rng(1)
    scores = rng.dirichlet(np.ones(3), _N)
    answers = Answers(
        float32=scores.astype(np.float32),
        int8=np.rint(scores * 255 - 128).astype(np.int8),
        scores=scores,
        tflm=Parity(compared=0, mismatches=None, max_difference=None),
    )
    found = measure(tuple(labels(name)), clips(name), answers)
    return found.model_copy(update={"mistakes": found.mistakes[:2]})


def about(name: str) -> dict[str, Any]:
    """What every evaluation says of itself."""
    return {"run": name, "data": name, "note": name, "left_out": {name: 1}, "verdict": name}


def answered(name: str) -> ModelOnDevice:
    """What a board's model answered, without the sensor."""
    return ModelOnDevice(
        path="model",
        board=name,
        engine=name,
        level=name,
        n=3,
        accuracy=0.5,
        ci95=(0.2, 0.8),
        mismatches=1,
        max_difference=1,
        reference=name,
        instructions_per_inference=9,
    )


def heard(name: str) -> EvaluatedClips:
    """Of kws, with groups of speakers, noise and a board's microphone."""
    share = SpeakerGroup(group=name, n=3, speakers=1, correct=1, accuracy=0.5, ci95=(0.2, 0.8))
    return EvaluatedClips.extending(
        measured(name),
        **about(name),
        n=_N,
        labels=labels(name),
        groups=3,
        device=SoundOnDevice(
            path="audio",
            board=name,
            engine=name,
            level=name,
            n=1,
            heard={name: {name: 1}},
            recall={name: 0.5},
            recall_ci95={name: (0.1, 0.9)},
            false_alarms=FalseAlarms(clips=0, of=1, share=0.0, ci95=(0.0, 0.9)),
        ),
        speakers=Speakers(
            n=3,
            clips_per_speaker=ClipsPerSpeaker(min=1, median=2.0, max=3),
            accuracy=AccuracySpread(min=0.0, p10=0.5, median=0.5, mean=0.5),
            perfect=0.5,
            ci95=(0.2, 0.8),
            worst=[share],
        ),
        fairness=[
            Fairness(
                attribute=name,
                groups=[share],
                minimum_n=3,
                worst=name,
                best=name,
                gap=0.1,
                gap_ci95=(0.0, 0.2),
            )
        ],
        noise=Noise(
            lead_in_s=2.0,
            noise="generated",
            n=3,
            points=[
                NoisePoint(
                    snr_db=snr, n=3, accuracy=0.5, ci95=(0.2, 0.8), recall=dict.fromkeys(labels(name), 0.5)
                )
                for snr in (None, 0)
            ],
        ),
    )


def seen(name: str) -> EvaluatedImages:
    """Of images; in the dark the accuracy rises while the second label is found less often."""
    row = Condition(name=name, n=3, correct=1, share=0.5, ci95=(0.2, 0.8))
    half = dict.fromkeys(labels(name), 0.5)
    dark = [
        Condition.extending(
            row.model_copy(update={"share": share}), stops=stops, recall=half | {name: recall}, precision=half
        )
        for stops, share, recall in ((0, 0.5, 0.9), (1, 0.6, 0.3))
    ]
    return EvaluatedImages.extending(
        measured(name),
        **about(name),
        n=_N,
        labels=labels(name),
        device=answered(name),
        sizes=[row],
        low_light=dark,
    )


def moved(name: str) -> EvaluatedGestures:
    """Of the wand."""
    point = AtThreshold(
        threshold=0.6,
        n_gestures=3,
        n_unknown=3,
        accuracy=0.5,
        ci95=(0.2, 0.8),
        false_accepts=0.5,
        false_accepts_ci95=(0.2, 0.8),
        missed=0.5,
        missed_ci95=(0.2, 0.8),
    )
    return EvaluatedGestures.extending(
        measured(name),
        **about(name),
        n=_N,
        labels=labels(name),
        device=answered(name),
        at_threshold={"float32": point, "int8": point},
    )


def abnormal(name: str) -> EvaluatedRecordings:
    """Of anomaly detection."""
    scored = Separated(
        auc=0.9,
        auc_ci95=(0.8, 1.0),
        accuracy=0.9,
        accuracy_ci95=(0.8, 1.0),
        n_normal=3,
        n_anomalous=3,
        false_positive_rate=0.1,
        false_positive_rate_ci95=(0.0, 0.2),
        recall=0.9,
        recall_ci95=(0.8, 1.0),
        precision=0.9,
    )
    curve = ScoreCurve(is_fault=False, n=2, score=[0.5, 2.0, 2.0], share=[1.0, 0.5, 0.0], at_threshold=0.5)
    return EvaluatedRecordings(
        **about(name),
        n=6,
        recordings=2,
        method=name,
        threshold=Threshold(
            score=9,
            level=3,
            share_ppm=100,
            target=name,
            windows=9,
            hours=1.0,
            exceeded=1,
            rate=0.1,
            rate_upper=0.2,
            confidence=0.95,
            float_score=1.0,
        ),
        int8=SeparatedInt8.extending(scored, better_than_chance=True),
        float32=scored,
        by_recording=scored,
        faults=[
            FaultFigures(fault=name, n=3, auc=0.9, auc_ci95=(0.8, 1.0), recall=0.9, recall_ci95=(0.8, 1.0))
        ],
        score_curves={"normal": curve, name: curve.model_copy(update={"is_fault": True})},
        worst_recordings=[WorstRecording(name=name, condition=name, n=3, share=0.5, highest=1.5)],
        device=RecordingsOnDevice(
            board=name, engine=name, level=name, path="samples", recordings=1, n=3, mismatches=0
        ),
    )


def drawn(name: str) -> EvaluatedCurve:
    """Of a sine."""
    error = CurveError(mean=0.02, mean_ci95=(0.01, 0.03), largest=0.1, r_squared=0.9)
    return EvaluatedCurve(
        **about(name),
        n=2,
        float32=error,
        int8=error,
        tolerance=0.05,
        tflm=Parity(compared=2, mismatches=1, max_difference=1),
        points=[CurvePoint(x=x, truth=0, float32=0, int8=0.01) for x in (0, 3)],
        device=CurveOnDevice(
            board=name, engine=name, level=name, path="model", n=2, mismatches=0, reference=name
        ),
    )


def compared(name: str) -> Compared:
    """Of two models."""
    first, second = (
        ComparedRow(
            name=each,
            kind="int8",
            path=name,
            sha256="0" * 64,
            measure="accuracy",
            value=0.5,
            ci95=(0.2, 0.8),
            n=9,
            bytes=9000,
            gzip_bytes=8000,
            macs=7,
            flash_bytes=9000,
            ram_bytes=900,
            arena_bytes=100,
            instructions=5000,
            why_not=name,
            front=True,
            difference=0.1,
            p=0.5,
            within_chance=True,
        )
        for each in (f"{name} int8", name)
    )
    pair = ComparedPair(
        first=first.name, second=second.name, n=9, only_first=1, only_second=2, p=0.5, within_chance=True
    )
    return Compared(
        reference=first.name,
        models=[first, second],
        pairs=[pair],
        notes=[name],
        evidence={"accuracy": "host"},
        picture=None,
        page=None,
    )
