# SPDX-License-Identifier: MIT
"""Triage: which bug a crash is, made small, printed, with a replay line.

A kind of crash lives in OUT/<target>/crashes/<key>/:

    crash.bin    the input, minimised      original.bin  as it was found
    crash.hmt    the same as a program     log.txt       the fuzzer's words
    crash.json   what is known of it

which appears complete, by a rename. OUT/<target>/held/<key>/ has inputs of
the corpus that crash the same way; they return when it is fixed.
"""

import collections
import dataclasses
import hashlib
import json
import os
import re
import shlex
import shutil
import threading
import time
from typing import NamedTuple, Optional

import corpus_dir

from . import runner
from .place import write_atomic

MINIMIZE_TRIES = 100000     # inputs without success that end the minimiser
REPLAY_SECONDS = 30         # an input that takes longer hangs
MOST_KINDS = 200            # of one target; more are counted, not kept
TIMEOUT = "an input does not come to an end"

# A line of the input, as the target itself reads it.
_TOLD = "input: "

# The oracle and the core say what is wrong in one sentence.
_SENTENCE = re.compile(r"(?:^|\s)((?:highmem: )?BUG: .*|oracle: .*)")
_UBSAN = re.compile(r"(\S+:\d+):\d+: runtime error: (.*)")
_SANITIZER = re.compile(
    r"ERROR: (AddressSanitizer|LeakSanitizer|libFuzzer): ?([^(]*)")
_FRAME = re.compile(r"\s+#\d+ 0x[0-9a-f]+ in (\S+) (\S+?)(?::\d+)?(?::\d+)?$")
_OUTSIDE = re.compile(
    r"__(?:asan|ubsan|sanitizer|lsan|interceptor|libc|assert)|fuzzer::|"
    r"(?:abort|raise|gsignal|main|_start|malloc|calloc|free|pthread_kill)$")


class Signature(NamedTuple):
    """Crashes with one key are one bug."""
    key: str
    title: str


def normal(text):
    """Without what differs between two crashes of one bug."""
    text = re.sub(r"0x[0-9a-fA-F]+", "0x#", text)
    text = re.sub(r"\b[A-DIJ]\b", "#", text)      # tasks and handlers
    text = re.sub(r"\b[lp]\d+\b", "page #", text)
    return re.sub(r"\d+", "#", text)


def frames(lines):
    """The innermost functions of ours in the first stack of the log."""
    found = []
    for line in lines:
        match = _FRAME.match(line)
        if not match:
            if found:
                break
            continue
        if match[1] == "LLVMFuzzerTestOneInput" and found:
            break
        if not _OUTSIDE.match(match[1]):
            found.append(f"{match[1]} {os.path.basename(match[2])}")
    return found[:3]


def describe(log):
    """(what makes it this bug, title) of a crash from the fuzzer's words."""
    sentence = None
    for number, line in enumerate(log):
        match = _UBSAN.search(line)
        if match:
            where = os.path.basename(match[1])
            return f"{where} {normal(match[2])}", f"{where}: {match[2]}"
        match = _SANITIZER.search(line)
        if match:
            # What was said last before the crash belongs to it.
            if sentence:
                return normal(sentence), sentence
            what = f"{match[1]}: {normal(match[2]).split(' on ')[0].strip()}"
            if "timeout" in what:
                return TIMEOUT, TIMEOUT
            stack = frames(log[number:])
            place = f" in {stack[0]}" if stack else ""
            return " < ".join([what, *stack]), what + place
        match = _SENTENCE.search(line)
        sentence = match[1].strip() if match else sentence
    if sentence:
        return normal(sentence), sentence
    return "unknown", "a crash without a word"


def signature(log):
    what, title = describe(log)
    return Signature(hashlib.sha256(what.encode()).hexdigest()[:10], title)


@dataclasses.dataclass
class Crash:
    """A kind of crash, as in crash.json; count and status are of this run."""
    target: str
    key: str
    title: str
    path: str
    replay: str
    found: str
    seed: int
    reproduces: bool            # alone, in a process of its own
    bytes: int
    original_bytes: int
    program: Optional[str]
    status: str = "new"         # new, known, fixed; gone: never did alone
    count: int = 1


class Fuzzer:
    """Runs a target's binary on single inputs, and the hmt tool."""

    def __init__(self, target, hmt):
        self.target = target
        self.hmt = hmt
        self.work = target.path("work", "triage")

    def run(self, flags, path, seconds=REPLAY_SECONDS):
        os.makedirs(self.work, exist_ok=True)
        command = [self.target.fuzzer, *self.target.flags,
                   f"-artifact_prefix={self.work}/", *flags, path]
        return corpus_dir.run_quietly(runner.die_with_parent(command), seconds)

    def crash_of(self, path):
        """The signature of the crash an input makes alone, if it does."""
        status, log = self.run([], path)
        if status == 0:
            return None
        return signature(log.splitlines())

    def minimize(self, path, same, seconds):
        """A smaller input of the same bug and what it says, or None."""
        smaller = os.path.join(self.work, "smaller")
        self.run(["-minimize_crash=1", f"-runs={MINIMIZE_TRIES}",
                  f"-exact_artifact_path={smaller}"], path, seconds)
        if not os.path.exists(smaller) or os.path.getsize(smaller) == 0:
            return None
        found = self.crash_of(smaller)
        return (smaller, found) if found and found.key == same.key else None

    def told(self, path):
        """What a target whose inputs are no op programs says of one: a text
        that is an input, too; or None."""
        _, log = self.run([], path)
        lines = [line[len(_TOLD):] for line in log.splitlines()
                 if line.startswith(_TOLD)]
        return "\n".join(lines) + "\n" if lines else None

    def program(self, path):
        status, text = corpus_dir.run_quietly(
            [self.hmt, "print", path], REPLAY_SECONDS)
        return text if status == 0 else None

    def understands(self, program):
        """Not if its choices are of another version, or the text of another
        form: nobody can tell whether such a crash is still there."""
        status, _ = corpus_dir.run_quietly([self.hmt, "check", program],
                                           REPLAY_SECONDS)
        return status == 0

    def replay_line(self, part, final):
        """A line that was seen to replay it; with the program if that does."""
        program = os.path.join(part, "crash.hmt")
        if os.path.exists(program):
            status, _ = corpus_dir.run_quietly([self.hmt, "run", program],
                                               REPLAY_SECONDS)
            # A plain build may crash or hang where the oracle saw no bug.
            if status is None or status == 77 or status < 0:
                return ("bazel run //core/testing:hmt -- run "
                        + shlex.quote(os.path.join(final, "crash.hmt")))
        name = "crash.bin"
        text = os.path.join(part, "crash.txt")
        if os.path.exists(text) and self.crash_of(text):
            name = "crash.txt"
        return (f"bazel run {self.target.label}_run -- --reproduce="
                + shlex.quote(os.path.join(final, name)))


class Book:
    """The crashes of one target: those of earlier runs and of this one."""

    def __init__(self, target, hmt, seconds_to_minimize):
        self.target = target
        self.fuzzer = Fuzzer(target, hmt)
        self.seconds_to_minimize = seconds_to_minimize
        self.crashes = {}       # key -> Crash
        self.counts = collections.Counter()     # key -> times seen
        self._lock = threading.Lock()
        os.makedirs(target.path("crashes"), exist_ok=True)

    def load(self):
        """Runs the crashes of earlier runs: which are still there?"""
        directory = self.target.path("crashes")
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            try:
                with open(os.path.join(path, "crash.json"),
                          encoding="utf-8") as file:
                    crash = Crash(**json.load(file))
            except (OSError, ValueError, TypeError):
                crash = None
            program = os.path.join(path, "crash.hmt")
            if crash is None or (os.path.exists(program) and
                                 not self.fuzzer.understands(program)):
                aside = self.target.path("aside")
                os.makedirs(aside, exist_ok=True)
                os.rename(path, corpus_dir.free_name(aside, name))
                continue
            self._check_again(crash)
        self._release_held()

    def _check_again(self, crash):
        now = self.fuzzer.crash_of(os.path.join(crash.path, "crash.bin"))
        crash.count = 0
        crash.status = "known" if now else "fixed"
        if not now and not crash.reproduces:
            crash.status = "gone"
        if crash.status == "fixed":
            self._retire(crash)
        if now:
            crash.title = now.title     # the core may have changed
            self.counts[now.key] = 0
        self.crashes[now.key if now else crash.key] = crash

    def _to_corpus(self, path):
        data = corpus_dir.read(path)
        name = corpus_dir.sha1_of(data)
        write_atomic(os.path.join(self.target.corpus, name), data)

    def _retire(self, crash):
        """Fixed: its inputs become a part of the corpus."""
        for name in ("crash.bin", "original.bin"):
            self._to_corpus(os.path.join(crash.path, name))
        fixed = self.target.path("fixed")
        os.makedirs(fixed, exist_ok=True)
        retired = corpus_dir.free_name(fixed, crash.key)
        os.rename(crash.path, retired)
        crash.path = retired

    def _release_held(self):
        """Inputs held back for a crash that is no more."""
        held = self.target.path("held")
        os.makedirs(held, exist_ok=True)
        for key in os.listdir(held):
            if key in self.counts:
                continue
            directory = os.path.join(held, key)
            for name in os.listdir(directory):
                self._to_corpus(os.path.join(directory, name))
            shutil.rmtree(directory)

    def add(self, artifact, log, seed, hurry=False):
        """Returns the Crash if its kind is new, else None."""
        same = signature(log)
        alone = None
        if same.title != TIMEOUT or same.key not in self.counts:
            # Run alone, the input's words are not mixed with those of others.
            alone = self.fuzzer.crash_of(artifact)
            same = alone or same
        self._take_from_corpus(artifact, same.key)
        with self._lock:
            known = same.key in self.counts or len(self.counts) >= MOST_KINDS
            self.counts[same.key] += 1
        if known:
            return None
        crash = self._keep(artifact, log, seed, same, alone, hurry)
        with self._lock:
            self.crashes[same.key] = crash
        return crash

    def _keep(self, artifact, log, seed, same, alone, hurry):
        """Writes the directory of a new kind, whole or not at all."""
        part = self.target.path("work", f"crash-{same.key}")
        final = corpus_dir.free_name(self.target.path("crashes"), same.key)
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        smaller = None
        if alone and not hurry and same.title != TIMEOUT:
            smaller = self.fuzzer.minimize(artifact, same,
                                           self.seconds_to_minimize)
        # The title has the numbers of the program that stands below it.
        smallest, same = smaller or (artifact, same)
        shutil.copyfile(artifact, os.path.join(part, "original.bin"))
        shutil.copyfile(smallest, os.path.join(part, "crash.bin"))
        write_atomic(os.path.join(part, "log.txt"), "\n".join(log) + "\n")
        program = self.fuzzer.told(smallest)
        if program:
            write_atomic(os.path.join(part, "crash.txt"), program)
        else:
            program = self.fuzzer.program(smallest)
            if program:
                write_atomic(os.path.join(part, "crash.hmt"), program)
        crash = Crash(
            target=self.target.name, key=same.key, title=same.title,
            path=final, found=time.strftime("%Y-%m-%d %H:%M:%S"), seed=seed,
            reproduces=bool(alone), program=program,
            bytes=os.path.getsize(smallest),
            original_bytes=os.path.getsize(artifact),
            replay=self.fuzzer.replay_line(part, final))
        write_atomic(os.path.join(part, "crash.json"),
                     json.dumps(dataclasses.asdict(crash), indent=1) + "\n")
        os.rename(part, final)
        return crash

    def _take_from_corpus(self, artifact, key):
        """An input of the corpus that crashes would end every round."""
        data = corpus_dir.read(artifact)
        digest = corpus_dir.sha1_of(data)
        in_corpus = os.path.join(self.target.corpus, digest)
        if os.path.exists(in_corpus):
            held = self.target.path("held", key)
            os.makedirs(held, exist_ok=True)
            os.replace(in_corpus, os.path.join(held, digest))
        for name in os.listdir(self.target.seeds):
            path = os.path.join(self.target.seeds, name)
            if corpus_dir.read(path) == data:
                os.unlink(path)     # a copy, made for this run

    def of_this_run(self):
        """Every kind, with how often it was seen."""
        with self._lock:
            for key, crash in self.crashes.items():
                crash.count = self.counts[key]
            return list(self.crashes.values())


def block(crash):
    """What the user reads: the program and exactly one replay line."""
    lines = [f"CRASH in {crash.target} ({crash.status}): {crash.title}"]
    program = crash.program or f"(no program; its bytes: {crash.path})"
    lines += ["    " + line for line in program.rstrip().splitlines()]
    if not crash.reproduces:
        lines.append("    It does not crash alone: the target keeps "
                     "something from one input to the next.")
    lines.append(f"  {crash.bytes} bytes (found with "
                 f"{crash.original_bytes}), -seed={crash.seed}, "
                 f"{crash.found}")
    lines.append(f"replay: {crash.replay}")
    return "\n".join(lines)
