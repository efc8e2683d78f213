"""Runs our command and its peers in turn and prints what each of them took. Called by run.sh."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import jobs
from environments import NotInstalled, python_of, variables
from peers import PEERS
from running import run_ours, run_peer
from settings import SETTINGS, UNLIMITED

OURS = "chat-limiter (ours)"
LIMITED_COLUMNS = (
    "client",
    "limits",
    "succeeded",
    "makespan s",
    "/ minimum",
    "429s",
    "sent beyond the job",
    "CPU s",
    "CPU ms / request",
)
CPU_COLUMNS = ("client", "limits", "succeeded", "CPU s / 1,000 requests", "CPU s in all", "seconds")


class Comparison:
    def __init__(self, binary, environments, only_ours, as_json, work):
        self.binary = binary
        self.environments = environments
        self.peers = () if only_ours else PEERS
        self.as_json = as_json
        self.work = work
        self.goals = []
        self.ready = {}

    def say(self, line):
        """A line of the tables, as soon as it is known."""
        print(line, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def install(self):
        """Every environment first: one of them may have data that another needs."""
        pythons = {}
        for peer in self.peers:
            try:
                pythons[peer] = python_of(self.environments, peer)
            except NotInstalled as error:
                self.ready[peer] = error
        for peer, python in pythons.items():
            try:
                self.ready[peer] = (python, variables(self.environments, peer, python))
            except NotInstalled as error:
                self.ready[peer] = error

    def clients(self, unlimited):
        """(label, told or found, a way to run it or why it cannot be run), for the table asked for."""
        yield OURS, "found", run_ours
        for peer in self.peers:
            if peer.unlimited and not unlimited:
                continue
            ready = self.ready[peer]
            limits = "told" if peer.told else "none" if peer.unlimited else "found"
            if isinstance(ready, NotInstalled):
                yield peer.label, limits, f"not installed: {peer.environment}: {ready}"
            else:
                yield peer.label, limits, lambda *given, peer=peer, ready=ready: run_peer(*given, peer, *ready)

    def charged(self, setting, bodies, job):
        """The tokens that the whole job is charged in this setting."""
        prompts = sum(map(jobs.prompt_tokens, bodies))
        if setting.charge == "prompt-only":
            return prompts
        if setting.charge == "produced":
            # The simulated provider answers a request always alike: one without limits tells what it will produce.
            outcome = run_ours(self.binary, UNLIMITED, job, 0, self.work)
            if outcome.succeeded != len(bodies):
                raise SystemExit("not every request was answered by a provider without limits")
            summary = json.loads((self.work / "summary.json").read_text())
            return summary["input_tokens"] + summary["output_tokens"]
        return prompts + sum(body["max_tokens"] for body in bodies)

    def job(self, setting):
        bodies = jobs.job(**setting.job)
        path = self.work / f"{setting.name}.jsonl"
        jobs.write(bodies, path)
        return bodies, path

    def limited(self, setting):
        """The table of a server with limits."""
        bodies, path = self.job(setting)
        charged = self.charged(setting, bodies, path)
        minimum = setting.minimum(charged)
        self.say(f"\n## {setting.name}: {setting.title}\n")
        self.say(
            f"{len(bodies)} requests, charged {charged:,} tokens; {setting.requests_per_minute:,} requests and"
            f" {setting.tokens_per_minute:,} tokens a minute, {setting.bucket_seconds} s of it at the start;"
            f" theoretical minimum {minimum:.2f} s.\n"
        )
        self.head(LIMITED_COLUMNS)
        for label, limits, client in self.clients(unlimited=False):
            if isinstance(client, str):
                self.row(LIMITED_COLUMNS, label, limits, client)
                continue
            outcome = client(self.binary, setting, path, minimum, self.work)
            ratio = outcome.seconds / minimum
            # A client that loses requests is done early; its time says nothing.
            whole = outcome.ended is None and outcome.succeeded == outcome.answered == len(bodies)
            self.row(
                LIMITED_COLUMNS,
                label,
                limits,
                succeeded(outcome, len(bodies)),
                outcome.ended or f"{outcome.seconds:.2f}",
                f"{ratio:.3f}" if whole else f"({ratio:.3f})",
                outcome.refusals,
                max(0, outcome.requests - len(bodies)),
                f"{outcome.cpu:.2f}",
                f"{1000 * outcome.cpu_of_requests / len(bodies):.2f}",
            )
            if label == OURS:
                self.judge(setting, outcome, minimum, ratio, whole)

    def judge(self, setting, outcome, minimum, ratio, whole):
        """Our figures beside our goals."""
        if setting.makespan_goal is not None:
            met = whole and ratio <= setting.makespan_goal
            self.goal(f"{setting.name}: makespan", round(outcome.seconds, 3), "s", round(minimum, 3), round(ratio, 4),
                      setting.makespan_goal, met)
        if setting.refusals_goal is not None:
            met = whole and outcome.refusals <= setting.refusals_goal
            self.goal(f"{setting.name}: 429s", outcome.refusals, "answers", None, None, setting.refusals_goal, met)

    def goal(self, *fields):
        names = ("name", "value", "unit", "versus", "ratio", "goal", "met")
        self.goals.append(dict(zip(names, fields)))

    def cpu(self):
        """The table of a server whose limits nobody meets."""
        bodies, path = self.job(UNLIMITED)
        self.say(f"\n## {UNLIMITED.name}: {UNLIMITED.title}\n")
        self.say(f"{len(bodies):,} requests on a server whose limits are never met.\n")
        self.head(CPU_COLUMNS)
        for label, limits, client in self.clients(unlimited=True):
            if isinstance(client, str):
                self.row(CPU_COLUMNS, label, limits, client)
                continue
            outcome = client(self.binary, UNLIMITED, path, 0, self.work)
            self.row(
                CPU_COLUMNS,
                label,
                limits,
                succeeded(outcome, len(bodies)),
                f"{1000 * outcome.cpu_of_requests / len(bodies):.3f}",
                f"{outcome.cpu:.2f}",
                outcome.ended or f"{outcome.seconds:.2f}",
            )

    def head(self, columns):
        self.say("| " + " | ".join(columns) + " |")
        self.say("|---" * len(columns) + "|")

    def row(self, columns, *cells):
        padded = [str(cell).replace("|", "/") for cell in cells] + [""] * (len(columns) - len(cells))
        self.say("| " + " | ".join(padded) + " |")


def succeeded(outcome, count):
    """The server's count, and the client's own where it differs."""
    text = f"{outcome.answered} of {count}"
    if outcome.succeeded is not None and outcome.succeeded != outcome.answered:
        text += f" (client says {outcome.succeeded})"
    return text


def main():
    names = [setting.name for setting in (*SETTINGS, UNLIMITED)]
    parser = argparse.ArgumentParser(prog="scripts/peers/run.sh", description="See scripts/peers/README.md.")
    parser.add_argument("--only", choices=["ours"], help="run our command alone")
    parser.add_argument("--setting", choices=names, action="append", help="one setting; can be repeated")
    parser.add_argument("--json", action="store_true", help="our goals as a JSON array; the tables go to standard error")
    parser.add_argument("--binary", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--environments", type=Path, required=True, help=argparse.SUPPRESS)
    given = parser.parse_args()
    wanted = given.setting or names
    with tempfile.TemporaryDirectory() as work:
        # A build beside this must not change what is measured.
        binary = Path(work) / "chat-limiter"
        binary.write_bytes(given.binary.read_bytes())
        binary.chmod(0o755)
        comparison = Comparison(binary, given.environments.resolve(), given.only == "ours", given.json, Path(work))
        comparison.install()
        for setting in SETTINGS:
            if setting.name in wanted:
                comparison.limited(setting)
        if UNLIMITED.name in wanted:
            comparison.cpu()
    if given.json:
        print(json.dumps(comparison.goals, indent=2))


if __name__ == "__main__":
    main()
