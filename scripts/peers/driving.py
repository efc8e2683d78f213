"""What the drivers of peers have in common: what they are given, and what they report.

A driver is called as `drive_X.py URL JOB REPORT REQUESTS TOKENS`; the last two are the limits per minute, 0 where the peer is not
told. What it measures begins after its imports and ends with the last request.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import List


@dataclass
class Task:
    url: str
    bodies: List[dict]
    requests_per_minute: int
    tokens_per_minute: int

    @property
    def told(self):
        return self.requests_per_minute > 0


def drive(run):
    """Runs `run(task)`, which returns how many requests succeeded, and writes the report."""
    url, job, report, requests, tokens = sys.argv[1:]
    with open(job, encoding="utf-8") as file:
        bodies = [json.loads(line) for line in file]
    task = Task(url, bodies, int(requests), int(tokens))
    cpu_before = time.process_time()
    started = time.monotonic()
    succeeded = asyncio.run(run(task))
    seconds = time.monotonic() - started
    with open(report, "w", encoding="utf-8") as file:
        json.dump({"succeeded": succeeded, "seconds": seconds, "cpu_before": cpu_before}, file)


async def all_of(calls):
    """How many of these awaitables end without an exception. The last exception is shown."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    if failures:
        print(f"{len(failures)} failed, the last with {failures[-1]!r:.500}", file=sys.stderr)
    return len(outcomes) - len(failures)
