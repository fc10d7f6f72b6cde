"""Where tracked commands are sent: MLflow's own variables, or its database in the current folder."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.errors import TinymlError

URI, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
_SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks")
_DATABASE = "mlflow.db"  # where `mlflow ui` looks, too
_REMEDY = "Run: pip install 'tinyml-cli[mlflow]'"


@dataclass(frozen=True)
class TrackingTarget:
    """A tracking server or database, and the experiment there.

    Attributes:
        uri: as MLflow takes it; a path in it is absolute.
        experiment: its name; it is made where it is missing.
    """

    uri: str
    experiment: str

    def how_to_look(self) -> str:
        """The command that shows a database; a server has its pages."""
        if not self.uri.startswith("sqlite:"):
            return ""
        is_default = self.uri == f"sqlite:///{Path(_DATABASE).absolute().as_posix()}"
        return f" To look at it: mlflow ui{'' if is_default else f' --backend-store-uri {self.uri}'}"

    def __str__(self) -> str:
        return re.sub(r"//[^/@]*@", "//", self.uri)  # a password may stand there


def require_mlflow() -> None:
    """Looks for MLflow without the seconds that its import takes.

    Raises:
        TinymlError: it is not installed.
    """
    checks.package("mlflow", "Tracking", _REMEDY)


def of_environment() -> TrackingTarget:
    """The target of commands in this folder and environment.

    Raises:
        TinymlError: MLflow is not installed, or the URI is none that it can write to.
    """
    require_mlflow()
    uri = os.environ.get(URI) or f"sqlite:///{_DATABASE}"
    scheme = re.match(r"([a-z]+)(\+\w+)?(:|$)", uri)
    if scheme is None or scheme[1] not in _SCHEMES:
        raise TinymlError(
            f"MLflow cannot write to `{uri}`",
            URI,
            f"Use an http:// address or a database, such as sqlite:///{_DATABASE}, or unset it.",
        )
    if not uri.startswith(("http:", "https:", "databricks")):
        checks.package("sqlalchemy", "MLflow's database", _REMEDY)
    if (file := uri.removeprefix("sqlite:///")) != uri:
        uri = f"sqlite:///{Path(file).absolute().as_posix()}"
    return TrackingTarget(uri.rstrip("/"), os.environ.get(EXPERIMENT) or "tinyml")
