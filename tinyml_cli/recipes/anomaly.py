"""The recipe of anomaly detection."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from tinyml_cli.features.anomaly_settings import Method
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.recipes.base import BaseRecipe, RecipeSection
from tinyml_cli.recipes.federation import FederationRecipe
from tinyml_cli.recipes.series import SeriesRecipe


def _steady_frontend() -> AudioFrontendSettings:
    """Log-mel alone: what reduces steady noise for speech would reduce the machine.

    Windows of 64 ms that overlap by half, as the baselines of DCASE's task 2 have them (arXiv:2006.05822).
    """
    return AudioFrontendSettings(
        window_ms=64, stride_ms=32, lower_hz=60.0, min_signal_remaining=1.0, pcan_strength=0.0
    )


class SimulationRecipe(RecipeSection):
    """The simulated machine, when no data is given."""

    normal_sessions: int = Field(default=40, ge=6, le=2000)
    fault_sessions: int = Field(default=4, ge=1, le=200, description="of each fault, from faint to strong")
    session_s: float = Field(default=60.0, ge=10, le=3600)
    drift_share: float = Field(default=0.05, ge=0, le=1)


class SignalRecipe(RecipeSection):
    """Windows of motion, vibration and other series."""

    window_samples: int | None = Field(
        default=None, ge=2, le=4096, description="the data's own, else 128 with bands and 64 without"
    )
    stride_samples: int | None = Field(default=None, ge=1, le=4096, description="half a window")
    bands: int | None = Field(default=None, ge=0, le=64, description="0: the samples themselves")
    floor_lsb: int = Field(
        default=4, ge=1, le=1000, description="amplitude that counts as the sensor's noise"
    )


class SoundRecipe(RecipeSection):
    """Windows of machine sound."""

    frames: int = Field(default=8, ge=1, le=256)
    stride_frames: int = Field(default=4, ge=1, le=256)
    frontend: AudioFrontendSettings = Field(default_factory=_steady_frontend)


class AutoencoderRecipe(RecipeSection):
    """The network that learns to reproduce normal windows."""

    network: Literal["small_fc", "mlperf_fc", "conv1d"] = "small_fc"
    hidden: list[int] = Field(default=[64, 32], min_length=1, max_length=6)
    bottleneck: int = Field(default=8, ge=1, le=256)


class MixtureRecipe(RecipeSection):
    """Clusters in whitened principal components."""

    clusters: int = Field(default=8, ge=1, le=64)
    dimensions: int = Field(default=16, ge=1, le=64, description="principal components, at most")
    residual_directions: int = Field(default=16, ge=0, le=64, description="random, outside of them")
    radius_quantile: float = Field(default=0.99, gt=0.5, le=1, description="of distances within a cluster")


class AnomalyTraining(RecipeSection):
    """Optimisation, and how much normal data is kept from it."""

    epochs: int = Field(default=80, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1, le=4096)
    learning_rate: float = Field(default=2e-3, gt=0, le=1)
    noise: float = Field(default=0.1, ge=0, le=2, description="added to inputs in training, in deviations")
    clip: float = Field(default=8.0, gt=1, le=100, description="features are clipped at so many deviations")
    headroom: float = Field(default=1.5, ge=1, le=8, description="the int8 input reaches so far past normal")
    threshold_share: float = Field(default=0.25, gt=0, lt=0.6, description="normal groups for the threshold")
    test_share: float = Field(default=0.2, gt=0, lt=0.6, description="normal groups for evaluation alone")


class ThresholdRecipe(RecipeSection):
    """The false alarms that are put up with."""

    fpr: float | None = Field(default=None, gt=0, le=0.5, description="share of normal windows; 0.01")
    false_alarms_per_hour: float | None = Field(default=None, gt=0, le=3600)
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="of the upper limit that is reported")

    @model_validator(mode="after")
    def _one_of_them(self) -> ThresholdRecipe:
        if self.fpr is not None and self.false_alarms_per_hour is not None:
            raise ValueError("give fpr or false_alarms_per_hour, not both")
        return self


class AlarmRecipe(RecipeSection):
    """When the alarm goes on and off."""

    raise_windows: int = Field(default=3, ge=1, le=10_000, description="in a row at the threshold")
    clear_windows: int = Field(default=3, ge=1, le=10_000, description="in a row below the release level")
    minimum_s: float = Field(default=3.0, ge=0, le=3600)
    release_share: float = Field(default=0.8, gt=0, le=1, description="release level, of the threshold")
    level_shift: int = Field(default=7, ge=1, le=16, description="the slow level spans 2^this windows")


class AnomalyRecipe(BaseRecipe):
    """Anomaly detection."""

    data_may_be_file: ClassVar[bool] = True

    task: str = "anomaly"
    method: Method = "autoencoder"
    normal: list[str] = Field(default_factory=list, description="conditions that count as normal")
    rate_hz: float | None = Field(
        default=None, gt=0, le=1e6, description="of series; files of another rate are resampled"
    )
    data: SeriesRecipe = Field(default_factory=SeriesRecipe)
    simulation: SimulationRecipe = Field(default_factory=SimulationRecipe)
    signal: SignalRecipe = Field(default_factory=SignalRecipe)
    sound: SoundRecipe = Field(default_factory=SoundRecipe)
    autoencoder: AutoencoderRecipe = Field(default_factory=AutoencoderRecipe)
    mixture: MixtureRecipe = Field(default_factory=MixtureRecipe)
    training: AnomalyTraining = Field(default_factory=AnomalyTraining)
    threshold: ThresholdRecipe = Field(default_factory=ThresholdRecipe)
    alarm: AlarmRecipe = Field(default_factory=AlarmRecipe)
    federation: FederationRecipe | None = Field(default=None, description="null: the data are in one place")

    @model_validator(mode="after")
    def _only_networks_are_averaged(self) -> AnomalyRecipe:
        if self.federation is not None and self.method != "autoencoder":
            raise ValueError(f"federation: clusters of the method {self.method} cannot be averaged")
        return self

    @model_validator(mode="after")
    def _only_networks_start_from_weights(self) -> AnomalyRecipe:
        if self.start_from is not None and self.method != "autoencoder":
            raise ValueError(f"start_from: the method {self.method} has no weights to start from")
        return self

    @property
    def title(self) -> tuple[str, ...]:
        """The method, where the data comes from, and whether clients learned it."""
        source = self.data_path.rstrip("/\\").replace("\\", "/").rpartition("/")[2] if self.data_path else ""
        learned = "federated" if self.federation else ""
        return tuple(filter(None, (self.method, source, learned)))
