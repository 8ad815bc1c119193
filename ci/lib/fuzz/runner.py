# SPDX-License-Identifier: MIT
"""The fuzzing processes.

A worker runs libFuzzer in rounds, one process after the other, each with a
seed of its own, until the time is over. A round ends when its time is over or
with a crash; the next one begins with all that was found so far.
"""

import collections
import contextlib
import hashlib
import math
import os
import shutil
import signal
import subprocess
import threading
import time

from . import libfuzzer

# A round that ends well before its time and left no artifact is a strike.
STRIKES = 3
# What a round may take beyond its time before it is killed: the time limit
# of an input (see .options), and loading a large corpus.
PATIENCE = 60
SECONDS_TO_STOP = 10


def die_with_parent(command):
    """kill -9 of ci/fuzz must not leave fuzzers behind."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *command]


def derive_seed(base, name, worker, number):
    """The -seed= of a round: any round can be run again from the base."""
    text = f"{base} {name} {worker} {number}".encode()
    return 1 + int.from_bytes(hashlib.sha256(text).digest()[:4], "big") // 2


def round_seconds(total, targets_per_worker):
    """Short enough for exact counts and a fair turn for every target."""
    return max(1, min(120, max(15, total // 8), total // targets_per_worker))


class Progress:
    """What a target has reached in this run, from all its workers.

    Its time is that in which at least one worker ran it: where workers take
    several targets in turn, that is less than the run's.
    """

    def __init__(self, best_cov=0, best_ft=0):
        self.lock = threading.Lock()
        self.best = {"cov": best_cov, "ft": best_ft}
        self.last_new = {"cov": None, "ft": None}   # in its own time
        self.at_start = {"cov": None, "ft": None}   # with what was kept
        self.cov = self.ft = self.corpus = self.edges = 0
        self.good_rounds = 0
        self.last_words = ""    # of the last round that was not good
        self.failure = None     # why the target was given up
        self._finished = 0      # executions of rounds that ended
        self._running = {}      # worker -> last Status, None before it
        self._before = 0.0      # its time before it last began
        self._since = None      # when that was

    def begin_round(self, worker):
        with self.lock:
            if not self._running:
                self._since = time.monotonic()
            self._running[worker] = None

    def feed(self, worker, status):
        with self.lock:
            self._running[worker] = status
            if status.event == "INITED" and self.at_start["cov"] is None:
                self.at_start = {"cov": status.cov, "ft": status.ft}
            self.cov = max(self.cov, status.cov)
            self.ft = max(self.ft, status.ft)
            self.corpus = max(self.corpus, status.corpus)
            for key, value in (("cov", status.cov), ("ft", status.ft)):
                if value > self.best[key]:
                    self.best[key] = value
                    self.last_new[key] = self._time()

    def end_round(self, worker, executed):
        """executed: libFuzzer's exact count, or None if it did not say."""
        with self.lock:
            last = self._running.pop(worker, None)
            seen = last.execs if last else 0
            self._finished += max(executed or 0, seen)
            if not self._running and self._since is not None:
                self._before += time.monotonic() - self._since
                self._since = None

    def _time(self):
        return self._before + (time.monotonic() - self._since
                               if self._since is not None else 0)

    @property
    def seconds(self):
        with self.lock:
            return self._time()

    def dry(self, key, before):
        """Seconds of its time without anything new; @before: of earlier
        runs."""
        if self.last_new[key] is None:
            return int(before + self.seconds)
        return int(self.seconds - self.last_new[key])

    def gain(self, key):
        """What this run added to what was kept."""
        start = self.at_start[key]
        return 0 if start is None else max(0, getattr(self, key) - start)

    @property
    def running(self):
        with self.lock:
            return bool(self._running)

    @property
    def execs(self):
        with self.lock:
            return self._finished + sum(
                status.execs for status in self._running.values() if status)


class Round:
    """One libFuzzer process and what it said."""

    def __init__(self, target, work, seconds, seed):
        self.seed = seed
        self.work = work
        self.seconds = seconds
        self.tail = collections.deque(maxlen=400)
        self.executed = None
        self.told_to_stop = None
        self.killed = False
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        self.command = [
            target.fuzzer, *target.flags,
            f"-seed={seed}", f"-max_total_time={seconds}",
            f"-artifact_prefix={work}/", "-print_final_stats=1",
            *([f"-dict={target.dictionary}"] if target.dictionary else []),
            target.corpus, target.seeds]
        self.begin = time.monotonic()
        self.process = subprocess.Popen(
            die_with_parent(self.command), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", errors="replace", start_new_session=True)

    def read(self, progress, worker):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            status = libfuzzer.parse_status(line)
            if status:
                progress.feed(worker, status)
                continue
            self.tail.append(line)
            executed = libfuzzer.parse_executed(line)
            if executed is not None:
                self.executed = executed
            progress.edges = libfuzzer.parse_edges(line) or progress.edges
        return self.process.wait()

    def stop(self):
        """Asks libFuzzer to end; insists when it does not."""
        if self.told_to_stop is None:
            self.told_to_stop = time.monotonic()
            self._signal(signal.SIGINT)
        elif time.monotonic() - self.told_to_stop > SECONDS_TO_STOP:
            self.kill()

    def kill(self):
        self.killed = True
        self._signal(signal.SIGKILL)

    def _signal(self, signum):
        with contextlib.suppress(ProcessLookupError):   # it ends just now
            if self.process.poll() is None:
                os.killpg(self.process.pid, signum)

    @property
    def elapsed(self):
        return time.monotonic() - self.begin

    def overdue(self):
        return self.elapsed > self.seconds + PATIENCE

    def artifacts(self):
        return libfuzzer.artifacts(self.work)

    def last_words(self):
        """The line that says why, if there is one."""
        lines = [line for line in self.tail if line.strip()]
        errors = [line for line in lines if "ERROR" in line]
        return (errors or lines or ["nothing was printed"])[-1].strip()


class Worker(threading.Thread):
    """A process slot: runs rounds of its targets in turn."""

    def __init__(self, session, number, targets):
        super().__init__(name=f"worker {number}", daemon=True)
        self.session = session
        self.number = number
        self.targets = targets
        self.round = None
        self.strikes = {target.name: 0 for target in targets}

    def run(self):
        try:
            turn = 0
            while not self.session.stopping():
                alive = [target for target in self.targets if not
                         self.session.progress[target.name].failure]
                if not alive:
                    return
                self.fuzz(alive[turn % len(alive)], turn)
                turn += 1
        except BaseException as error:  # goes to the main thread, all of it
            self.session.worker_failed(error)

    def fuzz(self, target, turn):
        session, progress = self.session, self.session.progress[target.name]
        seconds = min(session.round_seconds, math.ceil(session.time_left()))
        progress.begin_round(self.number)
        self.round = Round(
            target, target.path("work", str(self.number)), max(1, seconds),
            derive_seed(session.seed, target.name, self.number, turn))
        status = self.round.read(progress, self.number)
        progress.end_round(self.number, self.round.executed)
        artifacts = self.round.artifacts()
        for path in artifacts:
            session.triage(target, path, list(self.round.tail),
                           self.round.seed)
        self.judge(target, progress, status, artifacts)
        shutil.rmtree(self.round.work, ignore_errors=True)

    def judge(self, target, progress, status, artifacts):
        """A round without an artifact must have lasted, and ended well."""
        this = self.round
        lasted = status == 0 and this.elapsed >= this.seconds / 2
        if not this.killed and (artifacts or lasted or this.told_to_stop):
            self.strikes[target.name] = 0
            progress.good_rounds += 1
            if lasted and not progress.cov:
                progress.failure = (f"{target.name} does not fuzz: no edge "
                                    "was seen; is it instrumented?")
            return
        progress.last_words = (
            f"status {status} after {this.elapsed:.1f} s: {this.last_words()}")
        self.strikes[target.name] += 1
        if self.strikes[target.name] >= STRIKES or this.killed:
            progress.failure = (
                f"{target.name} does not fuzz: it ended without a crash, and "
                f"not when its time was over ({progress.last_words})")
            return
        time.sleep(0.5)
