"""An environment with the pinned packages of each peer, made once and kept."""

import os
import shutil
import subprocess
import sys

from peers import HERE, pins

# LiteLLM ships the data of tiktoken's encodings, which tiktoken itself fetches over the network.
ENCODINGS = "litellm/lib/python*/site-packages/litellm/litellm_core_utils/tokenizers"


class NotInstalled(Exception):
    """The peer cannot be run; the message says why in one line."""


def last_line(text, otherwise="no reason given"):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else otherwise


def python_of(root, peer):
    """The interpreter of the peer's environment, which is made where it is missing."""
    place = root / peer.environment
    requirements = "".join(f"{package}=={pins()[package]}\n" for package in peer.packages)
    complete = place / "requirements.txt"
    python = place / "bin" / "python"
    if complete.is_file() and complete.read_text() == requirements and python.exists():
        return python
    shutil.rmtree(place, ignore_errors=True)
    print(f"installing {peer.label.replace(',', '')}", file=sys.stderr)
    wanted = root / f"{peer.environment}.txt"
    root.mkdir(parents=True, exist_ok=True)
    wanted.write_text(requirements)
    execute(peer, [sys.executable, "-m", "venv", place])
    execute(peer, [python, "-m", "pip", "install", "--quiet", "--requirement", wanted])
    wanted.rename(complete)
    return python


def execute(peer, command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=peer.install_seconds)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"not done after {peer.install_seconds} s") from None
    if done.returncode:
        raise NotInstalled(last_line(done.stderr))


def variables(root, peer, python):
    """The environment variables of the peer: no credentials, no proxies, nothing that leads to another network."""
    passed = ("PATH", "HOME", "LANG", "TMPDIR", "TIKTOKEN_CACHE_DIR")
    kept = {name: os.environ[name] for name in passed if name in os.environ}
    kept["PYTHONPATH"] = str(HERE)
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    # Has LiteLLM use the prices it ships.
    kept["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    if peer.needs_tokenizer:
        for shipped in root.glob(ENCODINGS):
            kept.setdefault("TIKTOKEN_CACHE_DIR", str(shipped))
        check = "import tiktoken; tiktoken.get_encoding('o200k_base')"
        done = subprocess.run([python, "-c", check], capture_output=True, text=True, env=kept)
        if done.returncode:
            raise NotInstalled(f"tiktoken has no data: {last_line(done.stderr)}")
    return kept
