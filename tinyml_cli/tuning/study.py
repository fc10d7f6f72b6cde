"""The study: a journal file to which any number of processes append, also from several computers.

T. Akiba et al., "Optuna: A Next-generation Hyperparameter Optimization Framework", arXiv:1907.10902.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyml_cli.errors import TinymlError

if TYPE_CHECKING:
    import optuna

DIRECTIONS = ("maximize", "minimize")
"""Quality on the validation split, and instructions of one inference."""

_NAME = "tinyml"
_BEAT_S = 20.0
_SILENT_S = 120.0
_BEAT, _WORKER, TRAINED = "beat", "worker", "trained"


def require_optuna() -> Any:
    """The module optuna, without its log output.

    Raises:
        TinymlError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise TinymlError(
            "Tuning needs Optuna, which is not installed", "optuna", "Run: pip install 'tinyml-cli[tune]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna


def open_study(path: Path, settings: dict[str, Any], start: Mapping[str, Any] | None = None) -> optuna.Study:
    """Opens or creates a study.

    Args:
        path: the journal.
        settings: the subject of the study; an existing study with another one is refused.
        start: parameters that a new study tries first.

    Raises:
        TinymlError: Optuna is missing, the file cannot be written or is not a study, or is another search's.
    """
    module = require_optuna()
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(path)))
        study: optuna.Study = module.create_study(
            storage=storage,
            study_name=_NAME,
            directions=list(DIRECTIONS),
            load_if_exists=True,
        )
    # A file with other contents makes Optuna's reader raise nearly any exception.
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise TinymlError(
            f"Cannot open the study ({error})", str(path), "Choose another file with --study."
        ) from error
    known = study.user_attrs.get("settings")
    if known is None:
        study.set_user_attr("settings", settings)
        if start:
            study.enqueue_trial(dict(start), user_attrs={"own": True}, skip_if_exists=True)
    elif known != settings:
        different = sorted(k for k in {*known, *settings} if known.get(k) != settings.get(k))
        raise TinymlError(
            f"The study was created with different options ({', '.join(different)})",
            str(path),
            "Use the same options to join it, or another file with --study.",
        )
    return study


def ask(study: optuna.Study, seed: int) -> optuna.Trial:
    """The next trial. Its suggestions depend on the seed, its number and the results so far.

    So workers that start alike do not try the same values, and a resumed search does not start over.
    """
    study.sampler = _sampler(seed, len(study.get_trials(deepcopy=False)))
    trial = study.ask()
    study.sampler = _sampler(seed, trial.number)  # another worker may have been faster
    return trial


def _sampler(seed: int, number: int) -> Any:
    mixed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return require_optuna().samplers.TPESampler(
        multivariate=True, group=True, seed=mixed, n_startup_trials=8, constant_liar=True
    )


@contextlib.contextmanager
def beating(study: optuna.Study, number: int) -> Iterator[None]:
    """Signals to others that a trial's process is alive while the block runs."""
    trial_id = study._storage.get_trial_id_from_study_id_trial_number(study._study_id, number)
    stop = threading.Event()

    def beat() -> None:
        while True:
            study._storage.set_trial_user_attr(trial_id, _BEAT, time.time())
            if stop.wait(_BEAT_S):
                return

    study._storage.set_trial_user_attr(trial_id, _WORKER, f"{socket.gethostname()}:{os.getpid()}")
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def revive(study: optuna.Study) -> int:
    """Requeues trials whose process died, with their parameters and training state; returns their number."""
    module = require_optuna()
    running = study.get_trials(deepcopy=False, states=(module.trial.TrialState.RUNNING,))
    revived = 0
    for trial in running:
        started = 0.0 if trial.datetime_start is None else trial.datetime_start.timestamp()
        if not _is_dead(trial.user_attrs, started):
            continue
        # Another process may have been faster.
        with contextlib.suppress(ValueError, RuntimeError, module.exceptions.UpdateFinishedTrialError):
            study.tell(trial.number, state=module.trial.TrialState.FAIL)
            study.enqueue_trial(trial.params, user_attrs={"again": trial.number})
            revived += 1
    return revived


def _is_dead(attributes: dict[str, Any], started: float) -> bool:
    """Whether a trial's process has ended; on another computer, whether it has not reported for long."""
    host, _, process = str(attributes.get(_WORKER, "")).rpartition(":")
    # Signal 0 tests whether a process is alive; on Windows it would end it.
    if host == socket.gethostname() and process.isdigit() and os.name == "posix":
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return int(process) == os.getpid()
    return time.time() - float(attributes.get(_BEAT, started)) > _SILENT_S


def trained_trials(study: optuna.Study) -> list[Any]:
    """Trials with some training: finished ones, and those stopped early."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.user_attrs.get(TRAINED)]
