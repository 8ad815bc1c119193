# SPDX-License-Identifier: MIT
"""What a run leaves behind, so that a report can be made at any time.

run.json is rewritten whole, by rename, every few seconds; history.jsonl only
grows. After kill -9 both tell how far the run came: its status is still
"running".
"""

import json
import os

from .place import write_atomic
from .words import count

SAMPLES = 600   # of one target in one run, whatever its length


class History:
    """Samples of every target, appended line by line."""

    def __init__(self, run_dir, total_seconds):
        self.interval = max(1.0, total_seconds / SAMPLES)
        self._next = 0.0
        self._file = open(os.path.join(run_dir, "history.jsonl"), "a",
                          encoding="ascii")

    def sample(self, elapsed, progress, last=False):
        """True if it was time for a sample."""
        if elapsed < self._next and not last:
            return False
        self._next = elapsed + self.interval
        for name, state in progress.items():
            self._file.write(json.dumps({
                "t": round(elapsed, 1), "target": name,
                "execs": state.execs, "cov": state.cov, "ft": state.ft,
                "corpus": state.corpus}) + "\n")
        self._file.flush()
        return True


def read_history(run_dir):
    """{target: [sample]}; a last line cut short is left out."""
    samples = {}
    try:
        with open(os.path.join(run_dir, "history.jsonl"),
                  encoding="ascii", errors="replace") as file:
            for line in file:
                try:
                    sample = json.loads(line)
                    samples.setdefault(sample["target"], []).append(sample)
                except (ValueError, KeyError, TypeError):
                    continue
    except FileNotFoundError:
        pass
    return samples


def write_run(run_dir, run):
    write_atomic(os.path.join(run_dir, "run.json"),
                 json.dumps(run, indent=1) + "\n")


def read_run(run_dir):
    """The run, or None if there is nothing readable."""
    try:
        with open(os.path.join(run_dir, "run.json"),
                  encoding="utf-8") as file:
            run = json.load(file)
        return run if isinstance(run.get("targets"), dict) else None
    except (OSError, ValueError, AttributeError):
        return None


def last_of(run_dirs, name):
    """The latest of these runs that fuzzed a target, and its record there."""
    for run_dir in reversed(run_dirs):
        run = read_run(run_dir)
        if run and name in run["targets"] and run["targets"][name]["execs"]:
            return run, run["targets"][name]
    return None, None


def news(now, before):
    """What one target's record says that the one before did not."""
    said = []
    if before is None:
        said.append("the first run")
    elif now["fuzzer"] != before["fuzzer"]:
        said.append("the binary changed since the last run: its coverage "
                    "does not compare")
    else:
        said.append(f"{now['cov'] - before['cov']:+,} edges, "
                    f"{now['ft'] - before['ft']:+,} features")
    said.append(count(now["new_inputs"], "new input"))
    for status, words in (("new", "new"), ("known", "still there"),
                          ("fixed", "fixed"), ("gone", "not seen again")):
        crashes = [c for c in now["crashes"] if c["status"] == status]
        if crashes:
            said.append(count(len(crashes), "crash", "crashes") + " " + words)
    return "; ".join(said)
