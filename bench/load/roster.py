"""A roster of many people through the whole embedded stack, from its request to its last row."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
from rich.console import Console

from bench.compare.sides.base import Running
from bench.compare.sides.hetao import HetaoSide
from bench.people import identity_number

_ROWS: Final = {True: 10_000, False: 200}
_LOOK_SECONDS: Final = {True: 3.0, False: 0.5}
_HEADINGS: Final = (
    "client_reference,name_zh,identity_number,permit_card_number,permit_card_valid_until,position,work_site,"
    "employment_kind,contract_start,email,language,destinations,state_worker"
)


async def measure(directory: Path, *, full: bool) -> dict[str, Any]:
    """Send a roster through the stack, and time it to its last row."""
    rows = _ROWS[full]
    async with HetaoSide().open(directory) as running:
        begun = time.perf_counter()
        async with httpx.AsyncClient(base_url=running.api, timeout=120, trust_env=False) as http:
            roster_id = await send_roster(http, running, rows)
            answered = time.perf_counter() - begun
            status = await _until_done(http, running, roster_id, _LOOK_SECONDS[full])
        taken = time.perf_counter() - begun
    shutil.rmtree(directory, ignore_errors=True)
    return {
        "rows": rows,
        "answered_in_s": round(answered, 2),
        "done_in_s": round(taken, 1),
        "rows_a_second": round(rows / taken, 1),
        "registered": status["totals"].get("registered", 0),
    }


async def send_roster(http: httpx.AsyncClient, running: Running, rows: int) -> str:
    """Hand in a roster of so many new people of employer A and return its id."""
    people = (
        f"roster-{number},测试员,{identity_number(2_000_000 + number)},C{20_000_000 + number},2035-03-16,研究员,"
        f"SZP-001,contract,2025-01-01,person-{number}@example.com,zh-Hans,HK+MO,no"
        for number in range(1, rows + 1)
    )
    body = "\n".join([_HEADINGS, *people]).encode()
    headers = running.headers("employer-a") | {"Idempotency-Key": str(uuid4()), "Content-Type": "text/csv"}
    answer = await http.post("/v1/rosters?act=register&on_defect=skip", content=body, headers=headers)
    if answer.status_code != 202:
        raise RuntimeError(f"{answer.status_code} {answer.text[:500]}")
    return str(answer.json()["id"])


async def _until_done(http: httpx.AsyncClient, running: Running, roster_id: str, pause: float) -> dict[str, Any]:
    while True:
        await asyncio.sleep(pause)
        answer = await http.get(f"/v1/rosters/{roster_id}", headers=running.headers("employer-a"))
        found: dict[str, Any] = answer.json()
        if found.get("status") in ("done", "failed"):
            return found


def show(console: Console, found: dict[str, Any]) -> None:
    """Print how long it took."""
    console.print("roster:", found)
