"""The clients that are compared: their packages, their drivers, and whether they are told the limits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Tuple

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Peer:
    name: str
    packages: Tuple[str, ...]
    driver: str
    told: bool
    # Without limits of its own it says nothing on a server that has some.
    unlimited: bool = False
    needs_tokenizer: bool = False
    install_seconds: int = 240

    @property
    def label(self):
        return f"{self.name} {pins()[self.packages[0]]}"

    @property
    def environment(self):
        return self.packages[0]


PEERS = (
    Peer("openai-python, 10 retries, 50 at once,", ("openai",), "drive_openai.py", told=False),
    Peer("Python chat-limiter, batch,", ("chat-limiter", "pyrate-limiter"), "drive_chat_limiter.py", told=True),
    Peer("Python chat-limiter, batch,", ("chat-limiter", "pyrate-limiter"), "drive_chat_limiter.py", told=False),
    Peer("lionagi", ("lionagi", "tiktoken"), "drive_lionagi.py", told=True, needs_tokenizer=True),
    Peer("LiteLLM router, 10 retries, 50 at once,", ("litellm", "openai"), "drive_litellm.py", told=True),
    Peer(
        "token-throttle, in memory,",
        ("token-throttle", "openai", "tiktoken"),
        "drive_token_throttle.py",
        told=True,
        needs_tokenizer=True,
    ),
    Peer("aiohttp", ("aiohttp",), "drive_aiohttp.py", told=False, unlimited=True),
)


def pins():
    """The version of each package in requirements.txt."""
    lines = (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)
