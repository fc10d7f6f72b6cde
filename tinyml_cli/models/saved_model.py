"""SavedModel folders without the parts needed only for training."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tinyml_cli import temporary
from tinyml_cli.models import bounds
from tinyml_cli.quiet_import import import_quietly

_FILE = "saved_model.pb"


@dataclass
class Folder:
    """A SavedModel that can be loaded; a copy lives as long as this object."""

    path: Path
    _copy: TemporaryDirectory[str] | None = None


def loadable(path: Path) -> Folder:
    """The folder, or a copy without its optimiser's slots: TensorFlow finds no class for old optimisers.

    Raises:
        google.protobuf.message.DecodeError: the file is no SavedModel.
        OSError: it cannot be read.
        TinymlError: it would take too much memory.
    """
    protocol = import_quietly("tensorflow.core.protobuf.saved_model_pb2")
    model = protocol.SavedModel.FromString((path / _FILE).read_bytes())
    bounds.check_saved_model(path, model)
    nodes = [node for graph in model.meta_graphs for node in graph.object_graph_def.nodes]
    if not any(node.slot_variables for node in nodes):
        return Folder(path)
    for node in nodes:
        node.ClearField("slot_variables")
    copy = temporary.folder("model")
    target = Path(copy.name) / "model"
    shutil.copytree(path, target)
    (target / _FILE).write_bytes(model.SerializeToString())
    return Folder(target, copy)
