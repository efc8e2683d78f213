"""One run: a fresh simulated provider, one client, and what both of them say afterwards."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Optional

from environments import last_line
from peers import HERE

CLOSING = re.compile(r"^(\d+) requests: (\d+) answered, (\d+) rate limited", re.MULTILINE)
PATIENCE = 5
# A client is not ended earlier than this, however short the job.
LEAST_SECONDS = 60


@dataclass
class Outcome:
    requests: int
    answered: int
    refusals: int
    # What the client says; `None` where it did not come to say it.
    succeeded: Optional[int]
    seconds: float
    cpu: float
    # Without what it took until the first request.
    cpu_of_requests: float
    ended: Optional[str] = None


class Provider:
    """A running `chat-limiter simulate`."""

    def __init__(self, binary, options, work):
        self.log = work / "provider.log"
        with open(self.log, "w") as log:
            command = [binary, "simulate", "--port=0", *options]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            self.process.wait()
            raise SystemExit(f"the simulated provider did not start: {last_line(self.log.read_text())}")

    def end(self):
        """Ends it; returns the requests it has seen, answered and refused for the rate."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        closing = CLOSING.search(self.log.read_text())
        if not closing:
            raise SystemExit(f"the simulated provider did not close: {last_line(self.log.read_text())}")
        return tuple(map(int, closing.groups()))


@contextmanager
def provider(binary, options, work):
    """A provider that does not outlive the block, whatever happens in it."""
    running = Provider(binary, options, work)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def run_ours(binary, setting, job, minimum, work):
    """Our command, which is not told the limits. Everything it does counts, from its start to its end."""
    summary = work / "summary.json"

    def command(url):
        options = f"--provider openai --base-url {url} --api-key-env SIMULATED_KEY --quiet".split()
        return [binary, "run", job, *options, "--output", work / "ours.results", "--summary", summary]

    variables = {**os.environ, "SIMULATED_KEY": "none"}
    return run(binary, setting, minimum, work, command, variables, summary)


def run_peer(binary, setting, job, minimum, work, peer, python, variables):
    """A peer through its driver."""
    report = work / "report.json"
    told = (setting.requests_per_minute, setting.tokens_per_minute) if peer.told else (0, 0)

    def command(url):
        return [python, HERE / peer.driver, url, job, report, *map(str, told)]

    return run(binary, setting, minimum, work, command, variables, report)


def run(binary, setting, minimum, work, command, variables, report):
    report.unlink(missing_ok=True)
    limit = max(LEAST_SECONDS, PATIENCE * minimum)
    with provider(binary, setting.server(), work) as server:
        wall, usage, status, gave_up = measure(command(server.url), variables, work / "client.log", limit)
        requests, answered, refusals = server.end()
    # Who was ended may have left an empty file.
    said = json.loads(report.read_text()) if report.exists() and report.stat().st_size else {}
    cpu = usage.ru_utime + usage.ru_stime
    if gave_up:
        ended = f"gave up after {limit:.0f} s"
    elif not said:
        ended = f"exit status {status}: {last_line((work / 'client.log').read_text(errors='replace'))}"
    else:
        ended = None
    return Outcome(
        requests,
        answered,
        refusals,
        said.get("succeeded"),
        said.get("seconds", wall),
        cpu,
        cpu - said.get("cpu_before", 0),
        ended,
    )


def measure(command, variables, log, limit):
    """Runs a command of a process group of its own: its seconds, resource usage, exit status, and whether it had to be ended."""
    late = threading.Event()
    started = time.monotonic()
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=variables, start_new_session=True)

    def end():
        late.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit, end)
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - started, usage, process.returncode, late.is_set()
