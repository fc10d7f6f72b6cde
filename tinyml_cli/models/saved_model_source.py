"""A SavedModel as a network to convert."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.models import bounds
from tinyml_cli.models.keras_file import not_loaded
from tinyml_cli.models.saved_model import loadable
from tinyml_cli.models.source_network import Array, batches, endpoint, input_spec, joined, tensor_specs
from tinyml_cli.next_step import next_step
from tinyml_cli.quiet_import import import_quietly
from tinyml_cli.silence import silenced
from tinyml_cli.wording import counted

_SIGNATURES = ("serving_default", "serve")


class SavedModelSource:
    """A SavedModel folder, by its serving signature."""

    rescaling: float | None = None
    layer_names: frozenset[str] = frozenset()

    def __init__(self, path: Path, signature: str | None = None) -> None:
        self._tf = import_quietly("tensorflow")
        self.path = path
        try:
            with silenced():
                # Assets are read from the folder for as long as the model lives.
                self._folder = loadable(path)
                self._loaded = self._tf.saved_model.load(str(self._folder.path))
            signatures = dict(self._loaded.signatures)
        except TinymlError:
            raise
        # TensorFlow raises many kinds, some of them not public.
        except Exception as error:
            raise not_loaded(error, path) from error
        chosen = self._chosen(signatures, signature)
        self.signature: str | None = chosen
        self._function = signatures[chosen]
        specs = sorted(self._function.structured_input_signature[1].items())
        for name, spec in specs:
            if spec.shape.rank is None or spec.shape.rank < 1 or spec.shape[0] not in (None, 1):
                raise TinymlError(
                    f"The input `{name}` of the SavedModel has the shape {spec.shape}: its batch size is "
                    "fixed",
                    str(path),
                    "Save it with a signature of shape [None, …].",
                )
        self._names = [name for name, _ in specs]
        batch = bounds.graph_batch(path, self._function)
        self._batch = 1 if any(spec.shape[0] == 1 for _, spec in specs) else batch
        self.inputs = tuple(input_spec(name, tuple(spec.shape), spec.dtype.name) for name, spec in specs)
        variables = getattr(self._loaded, "variables", None) or self._function.variables
        self.parameters = sum(int(np.prod(variable.shape)) for variable in variables)

    def predict(self, samples: Sequence[Array]) -> list[Array]:
        """Outputs [n, ...] in alphabetical order of their names, for one array [n, ...] per input."""
        with silenced():
            return joined([self._call(batch) for batch in batches(samples, self._batch)])

    def recurrence(self) -> dict[str, str]:
        """What becomes of recurrent layers: their operators are traced already, and nothing is known."""
        return {}

    def function(self, shapes: Sequence[Sequence[int]]) -> Any:
        """None: tables and variables of whoever wrote the SavedModel need not be constants."""
        return None

    def export(self, folder: str, shapes: Sequence[Sequence[int]]) -> None:
        """Writes a SavedModel whose one signature has batch 1 and inputs of these shapes."""
        module = self._tf.Module()
        module.loaded = self._loaded
        module.serve = self._tf.function(
            endpoint(self._call), input_signature=tensor_specs(self._tf, self.inputs, shapes)
        )
        with silenced():
            self._tf.saved_model.save(module, folder, signatures=module.serve)

    def _call(self, samples: Sequence[Any]) -> list[Any]:
        given = {
            name: self._tf.convert_to_tensor(each) for name, each in zip(self._names, samples, strict=True)
        }
        return [value for _, value in sorted(self._function(**given).items())]

    def _chosen(self, signatures: dict[str, Any], wanted: str | None) -> str:
        names = sorted(signatures)
        listed = ", ".join(f"`{each}`" for each in names) or "none"
        if not names:
            step = "Save it with model.export('folder')."
            raise TinymlError("The SavedModel has no signature", str(self.path), step)
        if wanted is not None and wanted not in names:
            raise TinymlError(
                f"The SavedModel has no signature `{wanted}`; it has {listed}",
                str(self.path),
                "Check --signature.",
            )
        default = next((each for each in (*_SIGNATURES, *names[: len(names) == 1]) if each in names), None)
        if (chosen := wanted or default) is None:
            raise TinymlError(
                f"The SavedModel has {counted(len(names), 'signature')}: {listed}",
                str(self.path),
                f"Choose one: {next_step('convert', self.path, '--signature', names[0])}",
            )
        if wanted is None and set(names) - {*_SIGNATURES}:
            console.info(f"Of the signatures {listed}, `{chosen}` is converted; --signature chooses another.")
        return chosen
