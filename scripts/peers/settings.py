"""The servers, and the time below which no client can end the job on them."""

from dataclasses import dataclass
from typing import Optional

import jobs

LATENCY = 0.05


@dataclass(frozen=True)
class Setting:
    name: str
    title: str
    job: dict
    requests_per_minute: int
    tokens_per_minute: int
    bucket_seconds: int = 60
    charge: str = "prompt-plus-max-tokens"
    # What our makespan may be as a multiple of the minimum, and how many refusals it may earn.
    makespan_goal: Optional[float] = None
    refusals_goal: Optional[int] = None

    def server(self):
        """The options of `chat-limiter simulate`."""
        return [
            f"--requests-per-minute={self.requests_per_minute}",
            f"--tokens-per-minute={self.tokens_per_minute}",
            f"--bucket-seconds={self.bucket_seconds}",
            f"--charge={self.charge}",
            f"--latency-ms={LATENCY * 1000:.0f}",
        ]

    def minimum(self, charged):
        """Seconds until the last of the job is admitted, by a bucket that is full at the start, and its answer is there."""

        def wait(amount, per_minute):
            return (amount - per_minute * self.bucket_seconds / 60) / (per_minute / 60)

        admitted = max(0, wait(self.job["count"], self.requests_per_minute), wait(charged, self.tokens_per_minute))
        return admitted + LATENCY


SETTINGS = (
    Setting("tokens", "bound by tokens", jobs.LONG, 600, 60_000, makespan_goal=1.02, refusals_goal=0),
    Setting("shallow", "a bucket of 6 s", jobs.LONG, 600, 60_000, bucket_seconds=6, makespan_goal=1.03),
    Setting("requests", "bound by requests", jobs.SMALL, 60, 60_000, makespan_goal=1.03),
    Setting("produced", "charges what was produced", jobs.LONG, 600, 40_000, charge="produced"),
    Setting("prompt-only", "charges the prompt alone", jobs.LONG, 600, 30_000, charge="prompt-only"),
)
UNLIMITED = Setting("cpu", "CPU per 1,000 requests", jobs.MANY, 100_000_000, 1_000_000_000_000)
