# SPDX-License-Identifier: MIT
"""One run: fuzz, tidy up, report."""

import os
import platform
import shutil
import threading
import time

import corpus_dir

from . import crashes, report, results, runner
from .place import SPACE_TO_GO_ON, free_space, full_sentence, point_to
from .words import clock, count, duration, short

# After its time a round gets this long to end by itself: an input may take
# what -timeout= in .options allows.
GRACE = 15


class Session:
    """The state that the workers, the status line and the report share."""

    def __init__(self, place, targets, hmt, args, screen):
        self.place = place
        self.targets = targets
        self.args = args
        self.seed = args.seed
        self.jobs = args.jobs
        self.total = args.time
        self.screen = screen
        self.earlier = place.runs()
        self.started = time.strftime("%Y-%m-%d %H:%M:%S")
        self.run_dir = self.history = None
        per_worker = -(-len(targets) // args.jobs)
        self.round_seconds = runner.round_seconds(args.time, per_worker)
        to_minimize = max(5, min(20, args.time // 6))
        self.books = {t.name: crashes.Book(t, hmt, to_minimize, self.stopped)
                      for t in targets}
        self.before = {}        # target -> its record in the last run, if
                                # that had the same binary
        self.progress = {}
        self.at_start = {}      # target -> names in its corpus
        self.new_before_merge = {}
        self.merge_problems = {}
        self.workers = []
        self.begin = self.end = None
        self.status = "running"
        self.interrupted = False
        self.trouble = None     # the sentence that ended the run early
        self.error = None       # a worker's exception
        self.unkept = []        # (target, artifact) of crashes, then
        self._stop = threading.Event()
        self._written = 0.0

    # ---- what the workers ask ------------------------------------------

    def time_left(self):
        return self.begin + self.total - time.monotonic()

    def stopped(self):
        """Ended from outside, before or after its time."""
        return self._stop.is_set()

    def stopping(self):
        return self.stopped() or self.time_left() <= 0

    def triage(self, target, artifact, log, seed):
        try:
            crash = self.books[target.name].add(artifact, log, seed,
                                                hurry=self.stopped())
        except OSError:
            # It is where the fuzzer wrote it: the next run takes it up.
            self.unkept.append((target, artifact))
            raise
        if crash:
            self.screen.say(crashes.block(crash, self.place.out))

    def worker_failed(self, error):
        self.error = self.error or error
        self._stop.set()

    def interrupt(self):
        self.interrupted = True
        self._stop.set()

    # ---- during --------------------------------------------------------

    def fuzz(self):
        self.run_dir = self.place.new_run(time.strftime("%Y%m%d-%H%M%S"))
        self.history = results.History(self.run_dir, self.total)
        self.begin = time.monotonic()
        for target in self.targets:
            last = self.before[target.name] or {"cov": 0, "ft": 0}
            self.progress[target.name] = runner.Progress(last["cov"],
                                                         last["ft"])
        self.write_run()
        for number in range(self.jobs):
            mine = self._targets_of(number)
            worker = runner.Worker(self, number, mine)
            self.workers.append(worker)
            self.screen.say(f"worker {number}: " + ", ".join(
                f"{t.name} -seed={self.first_seed(t, number)}" for t in mine))
        for worker in self.workers:
            worker.start()
        while any(worker.is_alive() for worker in self.workers):
            self._tick()
            time.sleep(0.2)
        self.end = time.monotonic()
        self.screen.end()
        self.history.sample(self.elapsed, self.progress, last=True)
        if self.error:
            raise self.error

    def _targets_of(self, number):
        """With fewer jobs than targets, a worker takes several in turn."""
        if self.jobs >= len(self.targets):
            return [self.targets[number % len(self.targets)]]
        return self.targets[number::self.jobs]

    def first_seed(self, target, number):
        turn = self._targets_of(number).index(target)
        return runner.derive_seed(self.seed, target.name, number, turn)

    @property
    def elapsed(self):
        return (self.end or time.monotonic()) - self.begin

    def _tick(self):
        self._watch_rounds()
        if free_space(self.place.out) < SPACE_TO_GO_ON and not self.trouble:
            self.trouble = full_sentence(self.place.out)
            self._stop.set()
        self.history.sample(self.elapsed, self.progress)
        if time.monotonic() - self._written > max(5, self.history.interval):
            self.write_run()
        self.screen.status(self._status_line(), self._status_line(brief=True))

    def _watch_rounds(self):
        late = self.stopped() or self.time_left() < -GRACE
        for worker in self.workers:
            if worker.round and worker.round.overdue():
                worker.round.kill()
            elif worker.round and late:
                worker.round.stop()

    def _status_line(self, brief=False):
        rate = sum(state.execs for state in self.progress.values())
        parts = [f"{clock(self.time_left())} left, "
                 f"{short(rate / max(self.elapsed, 1))} exec/s"]
        for name, state in self.progress.items():
            bugs = len(self.books[name].counts)
            crashed = f", {count(bugs, 'crash', 'crashes')}" if bugs else ""
            parts.append(
                f"{name.replace('_fuzz_test', '')} {short(state.execs)}, "
                f"{state.cov} edges{crashed}" if brief else
                f"{name}: {short(state.execs)} execs, {state.cov} edges, "
                f"{state.ft} features{crashed}")
        return " | ".join(parts)

    # ---- after ---------------------------------------------------------

    def finish(self):
        """Smaller corpora, the verdict of each target, the report."""
        for target in self.targets:
            state = self.progress[target.name]
            if not self.stopped() and not state.failure and not (
                    state.execs and state.good_rounds):
                state.failure = (f"{target.name} was not fuzzed: "
                                 + (state.last_words or "nothing was run"))
            if not self.stopped() and self._new_inputs(target):
                self._merge(target)
        self.status = ("stopped" if self.trouble else
                       "interrupted" if self.interrupted else "done")
        self.write_run()
        paths = report.write(self.run_dir, self.earlier)
        point_to(os.path.join(self.place.out, "latest"),
                 os.path.relpath(self.run_dir, self.place.out))
        for target in self.targets:
            shutil.rmtree(target.path("work"), ignore_errors=True)
        return paths

    def _merge(self, target):
        fuzzer = self.books[target.name].fuzzer
        inputs = len(os.listdir(target.corpus))
        self.new_before_merge[target.name] = self._new_inputs(target)
        self.screen.status(f"{target.name}: merging {inputs} inputs")
        problem = corpus_dir.merge(
            lambda arguments: fuzzer.run(arguments[:-1], arguments[-1],
                                         120 + inputs // 20, self.stopped)[0],
            target.corpus)
        if problem and not self.stopped():
            self.merge_problems[target.name] = (
                f"{target.name}: {problem}; its corpus stays as it is")

    def record(self, target):
        state = self.progress[target.name]
        before = self.before[target.name] or {}
        return {
            "label": target.label,
            "fuzzer": target.digest,
            "execs": state.execs,
            "rate": round(state.execs / max(state.seconds, 0.1)),
            "cov": state.cov,
            "ft": state.ft,
            "new_cov": state.gain("cov"),
            "new_ft": state.gain("ft"),
            "edges": state.edges,
            "inputs": len(os.listdir(target.corpus)),
            "new_inputs": self._new_inputs(target),
            "dry_edges": state.dry("cov", before.get("dry_edges", 0)),
            "dry_features": state.dry("ft", before.get("dry_features", 0)),
            "seeds": [self.first_seed(target, n) for n in range(self.jobs)
                      if target in self._targets_of(n)],
            "crashes": [vars(c) for c in
                        self.books[target.name].of_this_run()],
            "failure": self._moveable(state.failure),
            "merge_problem": self._moveable(
                self.merge_problems.get(target.name)),
        }

    def _moveable(self, sentence):
        """Results may be moved, so they do not say where they are."""
        return sentence and sentence.replace(self.place.out, "$OUT")

    def _new_inputs(self, target):
        if target.name in self.new_before_merge:
            return self.new_before_merge[target.name]
        now = set(os.listdir(target.corpus))
        return len(now - self.at_start[target.name])

    def write_run(self):
        self._written = time.monotonic()
        results.write_run(self.run_dir, {
            "version": results.VERSION,
            "started": self.started,
            "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, "
                       f"{platform.system()} {platform.release()}",
            "seconds": self.total,
            "elapsed": round(self.elapsed, 1),
            "jobs": self.jobs,
            "seed": self.seed,
            "status": self.status,
            "trouble": self._moveable(self.trouble),
            "targets": {t.name: self.record(t) for t in self.targets},
        })

    def found(self):
        """As much of a record of the run as has its crashes."""
        return {"targets": {
            name: {"crashes": [vars(c) for c in book.of_this_run()]}
            for name, book in self.books.items()}}

    def found_bug(self):
        return bool(self.unkept) or any(crash.status in crashes.THERE
                   for book in self.books.values()
                   for crash in book.of_this_run())
