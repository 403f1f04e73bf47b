"""Stand-ins as real processes, for tests that talk to them and kill them."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sandbox.stack.ports import free_port
from tests.sandbox.receiver import SECRET

TOKEN = "agreed-token"


@dataclass
class Program:
    """One stand-in on a port of its own, its books in a directory."""

    name: str
    directory: Path
    api_url: str = "http://127.0.0.1:9"
    port: int = field(default_factory=free_port)
    smtp_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Program":
        further = ["--smtp-port", str(self.smtp_port)] if self.name == "mail" else []
        arguments = ["--dir", str(self.directory), "--port", str(self.port), *further]
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"sandbox.standins.{self.name}", *arguments],
            env=os.environ
            | {
                "HETAO_ENV": "test",
                "SANDBOX_API_URL": self.api_url,
                "SANDBOX_AUTHORITY_TOKEN": TOKEN,
                "SANDBOX_SMS_TOKEN": TOKEN,
                "SANDBOX_CALLBACK_SECRET": SECRET,
                "SANDBOX_RECEIPTS_SECRET": SECRET,
            },
        )
        end = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{self.url}/openapi.json", trust_env=False)
                return self
            except httpx.TransportError:
                assert self.process.poll() is None, f"{self.name} ended"
                assert time.monotonic() < end, f"{self.name} does not answer"
                time.sleep(0.05)

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        assert self.process
        self.process.terminate()
        self.process.wait(10)

    def get(self, path: str, **params: Any) -> Any:
        return self.ask("GET", path, params=params).raise_for_status().json()

    def post(self, path: str, body: Any = None, *, key: str | None = None, token: str = TOKEN) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        return self.ask("POST", path, json=body, headers=headers)

    def mood(self, name: str, **further: Any) -> None:
        self.post("/sandbox/mood", {"mood": name, **further}).raise_for_status()

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=20) as client:
            content.setdefault("headers", {"Authorization": f"Bearer {TOKEN}"})
            return client.request(method, self.url + path, **content)
