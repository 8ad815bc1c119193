# SPDX-License-Identifier: MIT
"""Cells of the matrix: one technique, one core, one seed, one verdict."""

import concurrent.futures
import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

HEALTHY = "healthy"
KILLED, SURVIVED, ERROR = "killed", "survived", "error"

# What a bounded program may take more than its healthy self before it counts
# as hung; and what any other may take beyond its limit, to minimise a finding.
HANG_FACTOR = 10
GRACE_SECONDS = 15

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Unusable(Exception):
    """A sentence for the user."""


@dataclass(frozen=True)
class Technique:
    """How a program judges a core.

    In args, {seed}, {limit}, {scratch}, {files} and {core} are filled in.
    """

    program: str
    args: tuple
    core: str  # the core's file, {name} for the mutant
    red: tuple  # exit statuses of a finding
    says: str  # the line of its output worth keeping
    found: str = ""  # what it prints when the search ends: in how many s
    small: str = ""  # and when the finding is small: operations and choices
    draws: bool = True  # does a seed make a difference?
    preload: bool = True  # or is the core an argument?


def _explore(strategy):
    return Technique(
        "matrix_explore",
        ("run", "--generate", "--strategy=" + strategy, "--time={limit}s",
         "--seed={seed}", "--out={scratch}"),
        "{name}.sim.so", (77,), r"^BUG: (.*)", r"schedules in ([\d.]+) s",
        r"minimised to (\d+) operations and (\d+) choices")


def _libfuzzer(program):
    return Technique(
        program,
        ("-seed={seed}", "-len_control=0", "-max_len=520", "-timeout=10",
         "-max_total_time={limit}", "-artifact_prefix={scratch}/"),
        "{name}.fuzz.so", (70, 77),
        r"oracle: (.*)|ERROR: (AddressSanitizer.*|libFuzzer: .*)|"
        r"(runtime error: .*)")


# The cheap ones first: `check` is done with a mutant at its first kill.
TECHNIQUES = {
    "replay": Technique(
        "matrix_replay", ("{files}/matrix_fuzz_corpus",), "{name}.sim.so",
        (77,), r"oracle: (.*)|BUG: (.*)", draws=False),
    "sched_replay": Technique(
        "matrix_sched_replay", ("{files}/matrix_sched_fuzz_corpus",),
        "{name}.sim.so", (77,), r"oracle: (.*)|BUG: (.*)", draws=False),
    "explore": _explore("portfolio"),
    "dfs": _explore("dfs"),
    "unit": Technique(
        "matrix_unit", ("--fail-fast",), "{name}.sim.so", (1,),
        r"\[(?:FAIL|CRASH)\] ([\w:]+)|: Unexpected signal.*(\w+)",
        draws=False),
    "fuzz": _libfuzzer("matrix_fuzz_bin"),
    "sched_fuzz": _libfuzzer("matrix_sched_fuzz_bin"),
    "tsan": Technique(
        "matrix_torture",
        ("--seed={seed}", "--time={limit}s", "--stall=2s", "--out={scratch}"),
        "{name}.tsan.so", (70, 77),
        r"(ThreadSanitizer: [^(]*)|!!! round \d+: (.*)"),
    "kernel": Technique(
        "../kernel/run_kernel.py", ("--kernel={core}", "--timeout=45s",
                                      "--smp=3", "--accel=tcg-single"),
        "{name}.kernel.elf", (70, 77), r"^(not ok .*)|BUG: (.*)", draws=False,
        preload=False),
}

SHORT = ["replay", "sched_replay", "explore", "unit"]


class Files:
    """Where Bazel put the programs and the cores."""

    def __init__(self, here):
        self.here = here
        try:
            text = (here / "matrix.json").read_text(encoding="utf-8")
        except OSError:
            raise Unusable("matrix.json is missing; use bazel run "
                           "//stress/mutate:kill_matrix") from None
        self.mutants = json.loads(text)

    def core(self, technique, name):
        """What differs between mutants; None: it does not suit the technique.

        A mutant of a port is in a program of its own.
        """
        shared = self.here / TECHNIQUES[technique].core.format(name=name)
        own = self.here / f"{name}.{technique}"
        return next((path for path in (shared, own) if path.exists()), None)

    def program(self, technique, name):
        """The program, and what it preloads or None."""
        how, core = TECHNIQUES[technique], self.core(technique, name)
        if core.name == f"{name}.{technique}":
            return core, None
        return self.here / how.program, core if how.preload else None

    def left_out(self, name, techniques):
        """Why these techniques need not kill the mutant, or ''."""
        if not any(self.core(technique, name) for technique in techniques):
            return f"no {' or '.join(techniques)} runs on its port"
        return self.mutants[name]["slow"]

    def has(self, technique):
        return self.core(technique, HEALTHY) is not None


@dataclass
class Cell:
    files: Files
    mutant: str
    technique: str
    seed: int
    limit: float
    digest: str = field(default="")

    def key(self):
        return (self.mutant, self.technique, self.seed, self.limit,
                self.digest)

    def command(self, scratch):
        how = TECHNIQUES[self.technique]
        program, _ = self.files.program(self.technique, self.mutant)
        core = self.files.core(self.technique, self.mutant)
        words = {"seed": self.seed, "limit": f"{self.limit:g}", "core": core,
                 "scratch": scratch, "files": self.files.here}
        return [program, *(arg.format(**words) for arg in how.args)]

    def environment(self):
        environment = dict(os.environ)
        environment.pop("BUILD_WORKING_DIRECTORY", None)
        _, preload = self.files.program(self.technique, self.mutant)
        if preload:
            environment["LD_PRELOAD"] = str(preload)
        return environment


def _in_order(files, mutant, techniques):
    """The one that mutants.bzl says is the first to kill it comes first."""
    first = files.mutants.get(mutant, {}).get("first")
    return sorted(techniques, key=lambda technique: technique != first)


def plan(files, mutants, techniques, seeds, limit):
    """All cells, those of the healthy core first."""
    cells = []
    for mutant in [HEALTHY, *mutants]:
        for technique in _in_order(files, mutant, techniques):
            core = files.core(technique, mutant)
            if core is None:
                continue
            digest = hashlib.sha256(core.read_bytes()).hexdigest()[:16]
            for seed in range(1, 1 + seeds):
                if seed == 1 or TECHNIQUES[technique].draws:
                    cells.append(Cell(files, mutant, technique, seed, limit,
                                      digest))
    return cells


# ---- One cell ------------------------------------------------------------------


def plain(text):
    """As it may stand in a line on a terminal: a broken core says anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def finding_in(technique, output):
    """The first line worth keeping, without colours."""
    for line in output.splitlines():
        match = re.search(technique.says, _ANSI.sub("", line).strip())
        if match:
            said = next((g for g in match.groups() if g), match.group())
            return plain(said[:160])
    return ""


def seconds_to_find(technique, output, took):
    """Less the time that it took to make the finding small."""
    match = technique.found and re.search(technique.found, output)
    return float(match.group(1)) if match else took


def size_of(technique, output, took):
    """What was left of a finding, and how long it took to get there."""
    match = technique.small and re.search(technique.small, output)
    if not match:
        return {}
    searched = seconds_to_find(technique, output, took)
    return {"operations": int(match.group(1)), "choices": int(match.group(2)),
            "minimised_in": round(took - searched, 2)}


def verdict_of(technique, status, hung):
    if hung:
        return KILLED
    if status == 0:
        return SURVIVED
    if status in technique.red or -status in (
            signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL,
            signal.SIGFPE, signal.SIGTRAP):
        return KILLED
    return ERROR


def run_cell(cell, patience):
    """A record of the verdict. patience: seconds before it counts as hung."""
    how = TECHNIQUES[cell.technique]
    with tempfile.TemporaryDirectory(prefix="kill_matrix.") as scratch:
        with open(f"{scratch}/output", "w+b") as output:
            start = time.monotonic()
            process = subprocess.Popen(
                cell.command(scratch), cwd=scratch, env=cell.environment(),
                stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
            hung = False
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                hung = True
            finally:
                took = time.monotonic() - start
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            output.seek(0)
            text = output.read(1 << 20).decode(errors="replace")
    verdict = verdict_of(how, process.returncode, hung)
    says = finding_in(how, text)
    if verdict == ERROR:
        last = (text.strip().splitlines() or ["nothing"])[-1]
        says = plain(f"status {process.returncode}: {last[:160]}")
    elif hung:
        says = says or "does not end"
    size = {}
    if verdict == KILLED:
        size = size_of(how, text, took)
        took = seconds_to_find(how, text, took)
    return {"mutant": cell.mutant, "technique": cell.technique,
            "seed": cell.seed, "limit": cell.limit, "core": cell.digest,
            "verdict": verdict, "seconds": round(took, 2), "says": says,
            **size}


# ---- All cells -------------------------------------------------------------------


def estimate(cells, jobs):
    total = sum(cell.limit for cell in cells) / jobs
    return f"{total / 60:.0f} min" if total >= 120 else f"{total:.0f} s"


class Progress:
    def __init__(self, total):
        self.total, self.done = total, 0
        self.start = time.monotonic()

    def say(self, record):
        self.done += 1
        took = time.monotonic() - self.start
        left = took / self.done * (self.total - self.done)
        print(f"[{self.done}/{self.total}, {left:.0f} s left] "
              f"{record['mutant']} {record['technique']} "
              f"seed {record['seed']}: {record['verdict']} "
              f"in {record['seconds']:.1f} s {record['says']}", flush=True)


def _check_healthy(record):
    """What the healthy core got; a technique that kills it is no use."""
    if record["verdict"] != SURVIVED:
        raise Unusable(f"{record['technique']} calls the healthy core "
                       f"{record['verdict']}: {record['says']}")


def run_all(cells, jobs, keep, first_kill=False):
    """Runs the cells; keep(record) is called under a lock."""
    lock, killed = threading.Lock(), set()
    progress = Progress(len(cells))
    healthy_took = {}
    stopped = threading.Event()

    def patience(cell):
        if TECHNIQUES[cell.technique].draws:
            return cell.limit + GRACE_SECONDS
        healthy = healthy_took.get(cell.technique, cell.limit)
        return max(cell.limit, HANG_FACTOR * healthy)

    def work(cell):
        if stopped.is_set():
            return
        if first_kill and cell.mutant in killed:
            progress.done += 1
            return
        record = run_cell(cell, patience(cell))
        with lock:
            if stopped.is_set():
                return
            keep(record)
            progress.say(record)
            if cell.mutant == HEALTHY:
                _check_healthy(record)
                healthy_took[cell.technique] = record["seconds"]
            if record["verdict"] == KILLED:
                killed.add(cell.mutant)

    groups = {}
    for cell in cells:
        one = cell.mutant if first_kill else id(cell)
        groups.setdefault((cell.mutant == HEALTHY, one), []).append(cell)
    for healthy in (True, False):
        _run_groups([group for (is_healthy, _), group in groups.items()
                     if is_healthy == healthy], jobs, work, stopped)


def _run_groups(groups, jobs, work, stopped):
    """Each group one after the other, `jobs` groups at a time."""
    def work_through(group):
        for cell in group:
            work(cell)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(work_through, group) for group in groups]
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
        except BaseException:
            stopped.set()
            pool.shutdown(cancel_futures=True, wait=False)
            raise


# ---- Results ---------------------------------------------------------------------


def _key_of(record):
    """Which cell it is of; an exception if it is no record of ours."""
    for name in ("mutant", "technique", "core", "verdict", "says"):
        if not isinstance(record[name], str):
            raise TypeError(name)
        record[name] = plain(record[name])
    for name in ("seconds", "limit", "operations", "choices", "minimised_in"):
        if name in record and not 0 <= record[name] < 1e9:
            raise ValueError(name)
    record["seconds"], record["limit"]
    return (record["mutant"], record["technique"], record["seed"],
            record["limit"], record["core"])


class Results:
    """JSON lines, one record each, written in one piece."""

    def __init__(self, path):
        self.path = Path(path)

    def set_aside(self):
        if self.path.exists():
            self.path.rename(f"{self.path}.old")

    def load(self):
        """{key: record}; a later record of a cell replaces the earlier."""
        records = {}
        if not self.path.exists():
            return records
        lines = self.path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                record = json.loads(line)
                key = _key_of(record)
            except (ValueError, KeyError, TypeError, RecursionError):
                if number == len(lines):
                    continue  # cut off by a kill; append() starts a new line
                raise Unusable(f"{self.path}:{number}: not a result; move the "
                               "file away or run with --fresh") from None
            if record["verdict"] != ERROR:
                records[key] = record
        return records

    def append(self, record):
        line = json.dumps(record) + "\n"
        with open(self.path, "a+b") as file:
            if file.tell() and not self._ends_whole(file):
                file.truncate(self._end_of_last_line(file))
            file.write(line.encode())

    def append_nothing(self):
        """Raises OSError now, not after minutes, if nothing can be written."""
        with open(self.path, "ab"):
            pass

    @staticmethod
    def _ends_whole(file):
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"

    @staticmethod
    def _end_of_last_line(file):
        file.seek(0)
        return file.read().rfind(b"\n") + 1


def replace_file(path, text):
    """All of the text or none of it."""
    temporary = f"{path}.new"
    Path(temporary).write_text(text, encoding="utf-8")
    os.replace(temporary, path)
