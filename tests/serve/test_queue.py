"""The queue: nothing accepted is lost, nothing is taken twice, whatever ends the server."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.refusals import BusyError, NoSpaceError, NotThereError
from tinyml_cli.serve import job_queue
from tinyml_cli.serve.job_queue import JobQueue
from tinyml_cli.serve.orders import JobOrder

ORDER = JobOrder(kind="c", run="kws")


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(tmp_path / "jobs.sqlite3")


def test_each_job_is_taken_once_in_order_and_urgent_ones_first(queue: JobQueue) -> None:
    wanted = [queue.add(ORDER).id for _ in range(20)]
    urgent = queue.add(ORDER, urgent=True).id
    first = queue.claim()
    assert first is not None
    assert first.id == urgent
    taken: list[str] = []

    def take() -> None:
        while (job := queue.claim()) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(wanted)
    numbers = {job.id: job.started_s for job in queue.all()}
    assert [numbers[id] for id in wanted] == sorted(numbers[id] for id in wanted)


def test_a_new_server_takes_up_what_ran_and_gives_up_after_three(tmp_path: Path) -> None:
    id = JobQueue(tmp_path / "q").add(ORDER).id
    for attempt in (1, 2, 3):
        queue = JobQueue(tmp_path / "q")  # the last one was killed: nothing was closed
        assert queue.recover() == []
        job = queue.claim()
        assert job is not None
        assert (job.id, job.attempts) == (id, attempt)
        assert queue.claim() is None
    queue = JobQueue(tmp_path / "q")
    assert queue.recover() == [id]
    job = queue.find(id)
    assert job.state == "failed"
    assert job.error is not None
    assert "3 times" in job.error.what


def test_a_job_that_is_put_back_was_not_tried(queue: JobQueue) -> None:
    id = queue.add(ORDER).id
    for _ in range(5):
        assert queue.claim()
        queue.put_back(id)
        assert queue.recover() == []
    assert (queue.find(id).state, queue.find(id).attempts) == ("queued", 0)


def test_what_has_ended_stays_as_it_ended(queue: JobQueue) -> None:
    id = queue.add(ORDER).id
    assert queue.cancel_waiting(id)
    assert not queue.cancel_waiting(id)
    queue.end(id, "done", result={"x": 1})
    assert queue.find(id).state == "cancelled"
    queue.forget(id)
    with pytest.raises(NotThereError):
        queue.find(id)


def test_a_full_queue_says_so(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "MOST_QUEUED", 2)
    queue.add(ORDER)
    queue.add(ORDER)
    with pytest.raises(BusyError, match="2 jobs are waiting"):
        queue.add(ORDER)


def test_a_full_disk_refuses_and_keeps_the_queue_whole(queue: JobQueue) -> None:
    queue.add(ORDER)
    pages = queue._connection.execute("pragma page_count").fetchone()[0]
    queue._connection.execute(f"pragma max_page_count = {pages}")
    large = ORDER.model_copy(update={"budget": "flash=1," * 30})
    with pytest.raises(NoSpaceError, match="full"):
        for _ in range(100):
            queue.add(large)
    kept = len(queue.all())
    queue._connection.execute("pragma max_page_count = 100000")
    queue.add(ORDER)
    assert len(queue.all()) == kept + 1


def test_another_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q").write_bytes(b"no database at all" * 100)
    with pytest.raises(TinymlError, match="cannot be opened"):
        JobQueue(tmp_path / "q")


def test_old_jobs_are_found(queue: JobQueue) -> None:
    ended, waiting = queue.add(ORDER).id, queue.add(ORDER).id
    assert queue.claim()
    queue.end(ended, "done")
    assert queue.old(days=1) == []
    assert queue.old(days=-1) == [ended]
    assert waiting in [job.id for job in queue.all("queued")]
