# SPDX-License-Identifier: MIT
"""What a run leaves behind, so that a report can be made at any time.

run.json is rewritten whole, by rename, every few seconds; history.jsonl only
grows. After kill -9 both tell how far the run came: its status is still
"running".

Both are read again later, from a directory that anybody may have written. A
run.json that is not of our form is none at all; no path in it is used but
below the output directory.
"""

import json
import os
import re

import corpus_dir

from . import crashes, kept
from .place import write_atomic
from .words import count, one_line

VERSION = 2
SAMPLES = 600               # of one target in one run, whatever its length
LARGEST_RUN = 64 << 20      # bytes, of either file
LARGEST_TEXT = 1 << 16      # characters of a line
MANY = kept.MANY

_LABEL = re.compile(r"//[\w./+-]*:[\w.+-]+\Z", re.ASCII)
_DIRECTORY = re.compile(r"(?:crashes|fixed)/([^/]+)\Z")


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
                "corpus": state.corpus, "runs": state.running}) + "\n")
        self._file.flush()
        return True


# ---- forms -------------------------------------------------------------


def _is_number(value):
    return (isinstance(value, (int, float)) and not isinstance(value, bool)
            and 0 <= value < MANY)


def _is_count(value):
    return _is_number(value) and isinstance(value, int)


def _is_text(value):
    return isinstance(value, str)


def _or_none(form):
    return lambda value: value is None or form(value)


_SAMPLE = {"t": _is_number, "target": _is_text, "execs": _is_count,
           "cov": _is_count, "ft": _is_count, "corpus": _is_count}

_RUN = {"started": _is_text, "machine": _is_text, "seconds": _is_number,
        "elapsed": _is_number, "jobs": _is_count, "seed": _is_count,
        "status": lambda value: value in ("running", "done", "interrupted",
                                          "stopped"),
        "trouble": _or_none(_is_text),
        "targets": lambda value: isinstance(value, dict)}

_RECORD = {
    **dict.fromkeys(("execs", "rate", "cov", "ft", "new_cov", "new_ft",
                     "edges", "inputs", "new_inputs", "dry_edges",
                     "dry_features"), _is_count),
    "label": lambda value: _is_text(value) and _LABEL.match(value),
    "fuzzer": _is_text, "failure": _or_none(_is_text),
    "merge_problem": _or_none(_is_text),
    "seeds": lambda value: (isinstance(value, list)
                            and all(map(_is_count, value))),
    "crashes": lambda value: isinstance(value, list)}

_CRASH = {
    "target": _is_text, "key": _is_text, "title": _is_text,
    "label": _RECORD["label"], "found": _is_text,
    "home": lambda value: (_is_text(value) and _DIRECTORY.match(value) and
                           kept.is_name(_DIRECTORY.match(value)[1])),
    "replays": lambda value: value in kept.INPUTS,
    "seed": _or_none(_is_count), "original_bytes": _or_none(_is_count),
    "bytes": _is_count, "count": _is_count, "program": _or_none(_is_text),
    "reproduces": lambda value: isinstance(value, bool),
    "status": lambda value: value in ("new", "known", "fixed", "gone")}


def _has_form(value, form):
    return isinstance(value, dict) and all(
        key in value and fits(value[key]) for key, fits in form.items())


def _clean(value, lines=False):
    """Nothing in its words steers a terminal, or looks like lines of ours."""
    if isinstance(value, str):
        return "\n".join(one_line(line, LARGEST_TEXT) for line in
                         (value.split("\n") if lines else [value]))
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item, lines=key == "program")
                for key, item in value.items()}
    return value


def _record_is_ours(name, record, version):
    if version != VERSION and isinstance(record, dict):
        # Of before gains; and their paths were absolute.
        record.update(new_cov=0, new_ft=0, crashes=[])
    if not kept.is_name(name) or not _has_form(record, _RECORD):
        return False
    return all(_has_form(crash, _CRASH) and crash["target"] == name
               for crash in record["crashes"])


# ---- reading and writing -----------------------------------------------


def read_history(run_dir):
    """{target: [sample]}; a line cut short, or not ours, is left out."""
    samples = {}
    try:
        text = corpus_dir.read_file(os.path.join(run_dir, "history.jsonl"),
                                    LARGEST_RUN)
    except OSError:
        return samples
    for line in text.splitlines():
        try:
            sample = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if _has_form(sample, _SAMPLE):
            samples.setdefault(sample["target"], []).append(sample)
    return samples


def write_run(run_dir, run):
    write_atomic(os.path.join(run_dir, "run.json"),
                 json.dumps(run, indent=1) + "\n")


def read_run(run_dir):
    """The run, or None if there is nothing readable."""
    try:
        run = json.loads(corpus_dir.read_file(
            os.path.join(run_dir, "run.json"), LARGEST_RUN))
    except (OSError, ValueError, RecursionError):
        return None
    if not _has_form(run, _RUN) or not all(
            _record_is_ours(name, record, run.get("version"))
            for name, record in run["targets"].items()):
        return None
    return _clean(run)


def crashes_of(run):
    """[Crash] of all targets, by their names."""
    return [crashes.Crash(**{key: crash[key] for key in _CRASH})
            for _, record in sorted(run["targets"].items())
            for crash in record["crashes"]]


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
        found = [c for c in now["crashes"] if c["status"] == status]
        if found:
            said.append(count(len(found), "crash", "crashes") + " " + words)
    return "; ".join(said)
