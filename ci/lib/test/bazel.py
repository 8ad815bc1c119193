# SPDX-License-Identifier: MIT
"""Runs Bazel and reads what it says about each target."""

import json
import os
import pwd
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

BAZEL = "/usr/bin/bazel"

# Exit codes of `bazel test` that need no word of their own.
OK, NO_TESTS = 0, 4
INTERRUPTED = 8

# What Bazel has to end in, once it was asked to.
END_SECONDS = 60


@dataclass
class Result:
    """One test target, after the run."""

    label: str
    # PASSED, FAILED, TIMEOUT, ..., SKIPPED, NOT BUILT, NOT RUN
    status: str
    log: str = ""
    seconds: float = 0.0
    xml: str = ""  # test.xml
    lcov: str = ""  # of `bazel coverage`


def _startup_options():
    """Bazel keeps its files under $HOME; do without one if need be."""
    home = os.environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir
    if os.path.isdir(home) and os.access(home, os.W_OK):
        os.environ["HOME"] = home
        return []
    root = Path(tempfile.gettempdir()) / f"highmem-bazel-{os.getuid()}"
    return [f"--output_user_root={root}"]


def command(*arguments):
    """The command line for one Bazel command."""
    return [BAZEL, *_startup_options(), *arguments]


def output_of(*arguments):
    """Standard output of a query; raises RuntimeError with what went wrong."""
    run = subprocess.run(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        last = "\n".join(run.stderr.strip().splitlines()[-12:])
        raise RuntimeError(f"bazel {arguments[0]} failed:\n{last}")
    return run.stdout


def _without_header(text):
    head, rule, rest = text.partition("\n" + 77 * "-" + "\n")
    return rest if rule and "Executing tests from" in head else text


def _output(result, name):
    for output in result.get("testActionOutput", []):
        if output["name"] == name:
            path = Path(unquote(urlparse(output["uri"]).path))
            if path.is_file():
                return path.read_text(errors="replace")
    return ""


def _read_event(event, results):
    name = next(iter(event["id"]))
    label = event["id"][name].get("label")
    if name == "targetConfigured":
        kind = event.get("configured", {}).get("targetKind", "")
        if kind.endswith("_test rule"):
            results[label] = Result(label, "NOT BUILT")
    elif name == "targetCompleted" and label in results:
        if event.get("aborted", {}).get("reason") == "SKIPPED":
            results[label].status = "SKIPPED"
    elif name == "testResult":
        result = event["testResult"]
        seconds = int(result.get("testAttemptDurationMillis", 0)) / 1000
        results[label] = Result(
            label,
            result["status"],
            _without_header(_output(result, "test.log")),
            seconds,
            _output(result, "test.xml"),
            _output(result, "test.lcov"),
        )


def _read_events(path):
    results = {}
    for line in path.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the last line of a Bazel that was killed
        if event.get("id"):
            _read_event(event, results)
    return results


def _run(arguments):
    """Exit code of Bazel; INTERRUPTED if we were, and Bazel with us."""
    bazel = subprocess.Popen(arguments, stdin=subprocess.DEVNULL)
    try:
        return bazel.wait()
    except KeyboardInterrupt:
        # From a terminal Bazel had its own; else nobody told it.
        try:
            bazel.send_signal(signal.SIGINT)
            bazel.wait(END_SECONDS)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            bazel.kill()
            bazel.wait()
        return INTERRUPTED


def test(patterns, verb="test", options=()):
    """`bazel test` of the patterns: (exit code, [Result]).

    If that was interrupted, with what has ended before.
    """
    with tempfile.TemporaryDirectory(prefix="highmem-test-") as scratch:
        events = Path(scratch) / "events.json"
        events.touch()
        code = _run(
            command(
                verb,
                *options,
                "--keep_going",
                "--test_output=summary",
                "--test_summary=none",
                "--show_progress_rate_limit=10",
                f"--build_event_json_file={events}",
                "--",
                *patterns,
            )
        )
        results = _read_events(events)
    if code == INTERRUPTED:
        for result in results.values():
            if result.status == "NOT BUILT":
                result.status = "NOT RUN"
    return code, [results[label] for label in sorted(results)]
