"""Events to MLflow. Sending one twice changes nothing, so a sender may be killed between any two."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tinyml_cli.tracking import journal
from tinyml_cli.tracking.journal import Begin, Journal, Sent

IDENTITY = "tinyml.id"
# MLflow's limits of a batch.
_MOST_METRICS, _MOST_OTHERS = 900, 90


@dataclass
class _EventBatch:
    """Events that one request can carry, and the offset behind them."""

    offset: int = 0
    metrics: list[tuple[str, float, int, int]] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.metrics or self.params or self.tags)


def send(each: Journal, sent: Sent, is_open: bool) -> None:
    """Sends the events of a journal from where the last attempt came to.

    Args:
        each: the journal.
        sent: how far it was sent.
        is_open: whether its command was still running when this was called.

    Raises:
        Exception: whatever MLflow raises; what was sent before is noted in the journal.
    """
    first = each.begin()
    if first is None:
        if each.is_empty():
            return
        raise ValueError("the record's beginning is damaged, so nobody knows where to send it")
    target = each.target()
    client = _client(target.uri)
    experiment = _experiment(client, target.experiment)
    if not sent.run or not _is_there(client, sent.run):
        # A server whose database was replaced knows nothing of what it was sent.
        sent = Sent(run=_run(client, experiment, first))
        each.note(sent)
    for batch in _batches(each.events(sent.offset)):
        if isinstance(batch, _EventBatch):
            _log(client, sent.run, batch)
            sent = sent.model_copy(update={"offset": batch.offset, "error": ""})
        else:
            offset, event = batch
            if event["event"] == journal.ARTIFACT:
                folder = event["name"].rpartition("/")[0]
                client.log_artifact(sent.run, str(each.file(event["file"])), folder or None)
            elif event["event"] == journal.REGISTER:
                register(client, sent.run, event)
            elif event["event"] == journal.END:
                client.set_terminated(sent.run, event["status"], event["at_ms"])
                sent = sent.model_copy(update={"is_ended": True})
            sent = sent.model_copy(update={"offset": offset, "error": ""})
        each.note(sent)
    if not is_open and not sent.is_ended:  # its command was killed
        client.set_terminated(sent.run, journal.KILLED)


def _batches(
    events: Iterator[tuple[int, dict[str, Any]]],
) -> Iterator[_EventBatch | tuple[int, dict[str, Any]]]:
    """Joins neighbouring events that one request can carry; others come alone, in order."""
    batch = _EventBatch()
    for offset, event in events:
        metrics, params, tags = (event.get(key, {}) for key in ("metrics", "params", "tags"))
        alone = event["event"] not in (journal.METRICS, journal.PARAMS, journal.TAGS)
        others = len(batch.params | params) + len(batch.tags | tags)
        if batch and (alone or others > _MOST_OTHERS or len(batch.metrics) + len(metrics) > _MOST_METRICS):
            yield batch
            batch = _EventBatch()
        if alone:
            if event["event"] != journal.BEGIN:
                yield offset, event
            continue
        batch.offset = offset
        batch.metrics += [(key, value, event["at_ms"], event["step"]) for key, value in metrics.items()]
        batch.params |= params
        batch.tags |= tags
    if batch:
        yield batch


def _log(client: Any, run: str, batch: _EventBatch) -> None:
    from mlflow.entities import Metric, Param, RunTag

    metrics = [Metric(*each) for each in batch.metrics]
    tags = [RunTag(*each) for each in batch.tags.items()]
    params = [Param(*each) for each in batch.params.items()]
    for start in range(0, max(1, len(params), len(tags)), _MOST_OTHERS):
        rows = slice(start, start + _MOST_OTHERS)
        _log_part(client, run, [] if start else metrics, params[rows], tags[rows])


def _log_part(client: Any, run: str, metrics: list[Any], params: list[Any], tags: list[Any]) -> None:
    """A parameter of MLflow never changes: what a later command says instead becomes a tag."""
    from mlflow.entities import RunTag

    known = client.get_run(run).data.params if params else {}
    fresh = [param for param in params if known.get(param.key, param.value) == param.value]
    changed = [RunTag(f"changed.{p.key}"[:250], p.value) for p in params if p not in fresh]
    client.log_batch(run, metrics, fresh, [*tags, *changed])


@functools.cache
def _client(uri: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(uri, uri)


def _experiment(client: Any, name: str) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name))
        except MlflowException:  # somebody else was faster
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


def _is_there(client: Any, run: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        client.get_run(run)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
    return True


def _run(client: Any, experiment: str, first: Begin) -> str:
    """MLflow's id of the run of an identity, which is made where it is missing; again running."""
    found = _known_run(client, experiment, first.id)
    if found is None:
        tags = {**first.tags, IDENTITY: first.id}
        if first.parent and (parent := _known_run(client, experiment, first.parent)) is not None:
            tags["mlflow.parentRunId"] = parent
        return str(client.create_run(experiment, first.at_ms, tags, first.title).info.run_id)
    client.update_run(found, status="RUNNING")
    return found


def _known_run(client: Any, experiment: str, identity: str) -> str | None:
    found = client.search_runs([experiment], f"tags.`{IDENTITY}` = '{identity}'", max_results=1)
    return str(found[0].info.run_id) if found else None


def register(client: Any, run: str, event: dict[str, Any]) -> None:
    """Registers a model version of the run, unless it is there; it has the aliases that it has here.

    Raises:
        Exception: whatever MLflow raises.
    """
    from mlflow.exceptions import MlflowException

    model, tags = event["model"], event["tags"]
    try:
        client.create_registered_model(model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    known = client.search_model_versions(f"name = '{model}'")
    version = next((each.version for each in known if tags.items() <= each.tags.items()), None)
    if version is None:
        source = client.get_run(run).info.artifact_uri
        version = client.create_model_version(model, source, run, tags).version
    there = client.get_registered_model(model).aliases
    for alias, holds in event["aliases"].items():
        if holds:
            client.set_registered_model_alias(model, alias, str(version))
        elif str(there.get(alias)) == str(version):
            client.delete_registered_model_alias(model, alias)
