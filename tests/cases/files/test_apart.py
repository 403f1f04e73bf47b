"""Files are read in processes of their own: what a file does there costs a refusal, and nobody else anything."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from cases.files import apart_child
from cases.files.apart import Apart, Bounds
from domain.errors import Defect, Refused, Unavailable
from tests.cases.files import sheets

OPTIONS = {"kind": "xlsx", "encoding": None, "words": ["namezh", "identitynumber"]}


async def _read(content: bytes, bounds: Bounds | None = None, **options: Any) -> bytes:
    return await Apart(bounds).run("read_sheet", content, OPTIONS | options, whose="emp-a")


async def _refusal(content: bytes, bounds: Bounds | None = None) -> Refused:
    with pytest.raises(Refused) as refused:
        await _read(content, bounds)
    return refused.value


@pytest.mark.parametrize("name", sorted(sheets.HOSTILE))
async def test_a_file_made_to_kill_its_reader_is_refused(name: str) -> None:
    begun = time.monotonic()
    refused = await _refusal(sheets.HOSTILE[name]())
    assert refused.status in (413, 422)
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("name", ["a shared text shown thousands of times", "a merged text filled down"])
async def test_a_text_counts_each_time_that_it_is_shown(name: str) -> None:
    refused = await _refusal(sheets.HOSTILE[name]())
    assert [(e.code, e.words) for e in refused.errors] == [("too_long", "too_much_text")]


async def test_what_a_file_says_is_wrong_comes_back_from_the_process() -> None:
    refused = await _refusal(b"no zip")
    assert [(e.field, e.code, e.words) for e in refused.errors] == [("file", "bad_characters", "not_xlsx")]


async def test_a_file_that_takes_more_memory_than_it_may_is_refused() -> None:
    many = sheets.many_numbers(5000)
    assert await _read(many)
    refused = await _refusal(many, Bounds(memory_bytes=64 * 1024 * 1024))
    assert [(e.code, e.words) for e in refused.errors] == [("too_long", "too_much")]


async def test_a_file_that_takes_more_time_than_it_may_is_refused() -> None:
    long = sheets.many_numbers(20_000)
    for bounds in (Bounds(cpu_seconds=1), Bounds(wall_seconds=0.5)):
        refused = await _refusal(long, bounds)
        assert [(e.code, e.words) for e in refused.errors] == [("too_long", "too_much")]


async def test_an_answer_larger_than_it_may_be_is_refused() -> None:
    refused = await _refusal(sheets.workbook(("word",) * 60), Bounds(answer_bytes=100))
    assert refused.errors[0].words == "too_much"


async def test_no_process_outlives_its_bound_or_its_caller() -> None:
    long = sheets.many_numbers(20_000)
    await _refusal(long, Bounds(wall_seconds=0.5))
    task = asyncio.create_task(_read(long))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _children() == set()


async def test_the_event_loop_goes_on_while_a_file_is_read() -> None:
    reading = asyncio.create_task(_read(sheets.many_numbers(1000)))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0.01)
        turns += 1
    await reading
    assert turns > 5


async def test_a_few_files_are_read_at_a_time_and_few_of_one_caller() -> None:
    apart = Apart(Bounds(at_once=1, of_one=2, waiting=2))
    content = sheets.workbook(("word",))
    mine = [asyncio.create_task(apart.run("read_sheet", content, OPTIONS, whose="emp-a")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await apart.run("read_sheet", content, OPTIONS, whose="emp-a")
    assert refused.value.code == "too_many_requests"
    other = asyncio.create_task(apart.run("read_sheet", content, OPTIONS, whose="emp-b"))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await apart.run("read_sheet", content, OPTIONS, whose="emp-c")
    assert len({*await asyncio.gather(*mine, other)}) == 1
    assert await apart.run("read_sheet", content, OPTIONS, whose="emp-a")


async def test_the_process_gets_no_secret_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HETAO_KEYS_FILE", "/secret")
    started: list[dict[str, str]] = []
    start = asyncio.create_subprocess_exec

    async def noted(*command: str, env: dict[str, str], **how: Any) -> Any:
        started.append(env)
        return await start(*command, env=env, **how)

    monkeypatch.setattr("cases.files.apart.asyncio.create_subprocess_exec", noted)
    await _read(sheets.workbook(("word",)))
    assert not any(name.startswith(("HETAO", "TEMPORAL", "PG")) for name in started[0])


async def test_a_fault_of_ours_is_no_refusal() -> None:
    with pytest.raises(Defect):
        await Apart().run("read_sheet", b"", {"words": []}, whose="emp-a")


async def test_a_machine_without_processes_left_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_command: str, **_how: Any) -> Any:
        raise BlockingIOError

    monkeypatch.setattr("cases.files.apart.asyncio.create_subprocess_exec", full)
    with pytest.raises(Unavailable):
        await _read(b"")


def test_every_work_that_is_done_apart_is_there() -> None:
    for work in apart_child.WORKS:
        assert callable(apart_child.work_named(work))


def _children() -> set[int]:
    """Return the readers of files that this process started and that are still there."""
    found = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        for pid in (task / "children").read_text().split():
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and b"cases.files.apart_child" in command.read_bytes():
                found.add(int(pid))
    return found
