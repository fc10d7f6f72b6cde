"""What docs/serve.md tells people to type is what the server takes."""

from __future__ import annotations

import json
import re
from typing import get_args
from urllib.parse import parse_qsl

from tests.conftest import REPOSITORY
from tinyml_cli.serve.app import ENDPOINTS
from tinyml_cli.serve.job_endpoints import FileNamed
from tinyml_cli.serve.model_endpoints import InferAsked
from tinyml_cli.serve.orders import JobKind, JobOrder

PAGE = (REPOSITORY / "docs" / "serve.md").read_text(encoding="utf-8")


def test_every_address_of_the_page_is_an_endpoint() -> None:
    known = [re.sub(r"{\w+}", "[^/]+", each.path) for each in ENDPOINTS]
    paths = re.findall(r"\$URL(/v1/[^\s?\"'`]*)", PAGE)
    assert len(paths) > 8
    assert [path for path in paths if not any(re.fullmatch(each, path) for each in known)] == []


def test_every_query_and_body_of_the_page_is_valid() -> None:
    models = {"/v1/jobs": JobOrder, "/v1/files": FileNamed}
    asked = re.findall(r"\$URL(/v1/\w+)\?([^\"'`\s]+)", PAGE)
    assert len(asked) > 3
    for path, query in asked:
        models[path].model_validate_strings(dict(parse_qsl(query.replace("$ID", "0" * 64))))
    (body,) = re.findall(r"/v1/infer -d '([^']+)'", PAGE)
    InferAsked.model_validate(json.loads(body))


def test_the_page_names_every_kind_of_job() -> None:
    assert set(get_args(JobKind)) <= set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
