"""What went into a version: packages and data, as a CycloneDX document.

CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json.
"""

from __future__ import annotations

import functools
import json
import re
from importlib import metadata

from tinyml_cli.manifest import Manifest

_DISTRIBUTION = "tinyml-cli"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def sbom(manifest: Manifest) -> str:
    """The document: packages that are installed here and tinyml leads to, the data, the model they were for.

    Equal inputs give equal text: it holds no time and no random number.
    """
    packages = [
        {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
        }
        for name, version in sorted(_packages().items())
    ]
    data = manifest.data
    described = [] if data is None else [_data_component(data.source, data.snapshot)]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "machine-learning-model",
                "name": manifest.model.name if manifest.model else manifest.task,
                "version": manifest.tinyml_version,
                "hashes": [
                    {"alg": "SHA-256", "content": artifact.sha256}
                    for name, artifact in sorted(manifest.artifacts.items())
                    if name.endswith(".tflite")
                ],
            }
        },
        "components": [*packages, *described],
    }
    return json.dumps(document, indent=1) + "\n"


def _data_component(source: str, digest: str | None) -> dict[str, object]:
    hashes = [] if digest is None else [{"alg": "SHA-256", "content": digest}]
    return {"type": "data", "name": f"training data ({source})", "hashes": hashes}


@functools.cache
def _packages() -> dict[str, str]:
    """Name -> version of tinyml and all that its requirements lead to, of any extra, as far as installed."""
    found: dict[str, str] = {}
    waiting = [_DISTRIBUTION]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = distribution.version
        waiting += [match[0] for line in distribution.requires or () if (match := _NAME.match(line))]
    return found
