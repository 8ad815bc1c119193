# SPDX-License-Identifier: MIT
"""Triage: which bug a crash is, made small, printed, with a replay line.

A kind of crash lives in OUT/<target>/crashes/<key>/:

    crash.bin    the input, minimised      original.bin  as it was found
    crash.hmt    the same as a program     log.txt       the fuzzer's words
    crash.json   what else is known of it  crash.txt     or as a text

which appears complete, by a rename. OUT/<target>/held/<key>/ has inputs of
the corpus that crash the same way; they return when it is fixed. No file
there says where it is, so OUT may be moved and copied.
"""

import collections
import dataclasses
import os
import shlex
import shutil
import threading
import time
from typing import Optional

import corpus_dir

from . import kept
from .fuzzer import Fuzzer, is_input
from .place import check_no_links, write_atomic
from .signature import TIMEOUT, signature
from .targets import HMT

MOST_KINDS = 200            # of one target; more are counted, not kept
THERE = ("new", "known")    # the status of what must be mended


@dataclasses.dataclass
class Crash:
    """A kind of crash, as in run.json."""
    target: str
    label: str                  # of the target
    key: str
    title: str
    home: str                   # its directory, below the target's
    replays: str                # the file there that does
    found: str
    seed: Optional[int]
    reproduces: bool            # alone, in a process of its own
    bytes: int
    original_bytes: Optional[int]
    program: Optional[str]
    status: str = "new"         # new, known, fixed; gone: never did alone
    count: int = 1              # in this run


class Book:
    """The crashes of one target: those of earlier runs and of this one."""

    def __init__(self, target, hmt, seconds_to_minimize,
                 stop=lambda: False):
        self.target = target
        self.fuzzer = Fuzzer(target, hmt, stop)
        self.seconds_to_minimize = seconds_to_minimize
        self.crashes = []
        self.counts = collections.Counter()     # key -> times seen
        self.remarks = []       # what a reader should know, in sentences
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        os.makedirs(target.path("crashes"), exist_ok=True)

    # ---- those of earlier runs ----------------------------------------

    def load(self):
        """Runs the crashes of earlier runs: which are still there?"""
        for name in sorted(os.listdir(self.target.path("crashes"))):
            path = self.target.path("crashes", name)
            wrong = self._fault(path)
            if wrong:
                self._set_aside(path, wrong)
            else:
                self._check_again(path)
        self._release_held()

    def _fault(self, path):
        """Why nobody can tell whether this crash is still there; or None."""
        if os.path.islink(path) or not os.path.isdir(path):
            return "it is no directory"
        if not kept.is_name(os.path.basename(path)):
            return "it has the name of no crash"
        if not kept.input_of(path):
            return ("no input that can be read is in it; if it is yours, "
                    "chmod -R u+rX it and move it back")
        program = os.path.join(path, "crash.hmt")
        if is_input(program) and not self.fuzzer.understands(program):
            return ("this build does not take its crash.hmt: hmt check on "
                    "it says why")
        return None

    def _set_aside(self, path, wrong):
        aside = self.target.path("aside")
        os.makedirs(aside, exist_ok=True)
        there = corpus_dir.free_name(aside, os.path.basename(path))
        os.rename(path, there)
        self.remarks.append(f"the crash {path} cannot be tried again: "
                            f"{wrong}; it is in {there} now")

    def _check_again(self, path):
        said, wrong = kept.read(path)
        if wrong:
            self.remarks.append(
                f"{path}/crash.json cannot be used: {wrong}; when the crash "
                "was found is lost, but it is tried again all the same")
        source = kept.input_of(path)
        now = self.fuzzer.crash_of(source)
        name = os.path.basename(source)
        if not now and name != "crash.bin":
            self._set_aside(path, "its crash.bin cannot be read, and its "
                            f"{name} does not crash")
            return
        crash = Crash(
            target=self.target.name, label=self.target.label,
            key=os.path.basename(path), home=self._below(path),
            replays=name, bytes=os.path.getsize(source),
            program=kept.program_of(path), count=0, **said)
        if now:
            crash.status = "known"
            crash.key, crash.title = now    # the core may have changed
            crash.replays = self.fuzzer.replays(path, name)
            self.counts[now.key] = 0
            if wrong:
                kept.write(path, crash)
        elif crash.reproduces:
            crash.status = "fixed"
            self._retire(crash, path)
        else:
            crash.status = "gone"
        self.crashes.append(crash)

    def _below(self, path):
        return os.path.relpath(path, self.target.home)

    def _to_corpus(self, path):
        data = corpus_dir.read(path)
        name = corpus_dir.sha1_of(data)
        write_atomic(os.path.join(self.target.corpus, name), data)

    def _retire(self, crash, path):
        """Fixed: its inputs become a part of the corpus."""
        for name in ("crash.bin", "original.bin"):
            if is_input(os.path.join(path, name)):
                self._to_corpus(os.path.join(path, name))
        fixed = self.target.path("fixed")
        os.makedirs(fixed, exist_ok=True)
        retired = corpus_dir.free_name(fixed, os.path.basename(path))
        os.rename(path, retired)
        crash.home = self._below(retired)

    def _release_held(self):
        """Inputs held back for a crash that is no more."""
        held = self.target.path("held")
        os.makedirs(held, exist_ok=True)
        check_no_links(held)
        for key in os.listdir(held):
            if key in self.counts:
                continue
            directory = os.path.join(held, key)
            if os.path.isdir(directory):
                for name in os.listdir(directory):
                    if is_input(os.path.join(directory, name)):
                        self._to_corpus(os.path.join(directory, name))
                shutil.rmtree(directory)

    # ---- those of this run --------------------------------------------

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
            self.crashes.append(crash)
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
        self._write_texts(part, smallest, log)
        crash = Crash(
            target=self.target.name, label=self.target.label, key=same.key,
            title=same.title, home=self._below(final),
            replays=self.fuzzer.replays(part),
            found=time.strftime("%Y-%m-%d %H:%M:%S"), seed=seed,
            reproduces=bool(alone), program=kept.program_of(part),
            bytes=os.path.getsize(smallest),
            original_bytes=os.path.getsize(artifact))
        kept.write(part, crash)
        os.rename(part, final)
        return crash

    def _write_texts(self, part, smallest, log):
        """What a reader reads, without the name of the place."""
        words = "\n".join(log).replace(self.target.home, "$OUT/"
                                       + self.target.name)
        write_atomic(os.path.join(part, "log.txt"),
                     (words + "\n").encode("utf-8", "replace"))
        for name, text in (("crash.txt", self.fuzzer.told),
                           ("crash.hmt", self.fuzzer.program)):
            said = text(smallest)
            if said:
                write_atomic(os.path.join(part, name), said)
                return

    def _take_from_corpus(self, artifact, key):
        """An input of the corpus that crashes would end every round. Two
        workers may crash at the same one: they take turns."""
        with self._taking:
            self._take(corpus_dir.read(artifact), key)

    def _take(self, data, key):
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
            for crash in self.crashes:
                crash.count = self.counts[crash.key]
            return list(self.crashes)


# ---- what the user reads -----------------------------------------------

HOW_TO_REPLAY = ('In the replay lines OUT is the directory that has "runs" in '
                 'it, wherever that is now: cd to it, and OUT="$PWD".')

def file_of(crash, out, name=""):
    """Its directory, or a file there, as a shell takes it. Without out: below
    $OUT, for a report, which may be moved with the rest."""
    below = os.path.join(crash.target, crash.home, name).rstrip("/")
    if out is None:
        return '"$OUT"/' + shlex.quote(below)
    return shlex.quote(os.path.join(out, below))


def _reproduce(label, path):
    return f"replay: bazel run {label}_run -- --reproduce={path}"


def replay_line(crash, out):
    path = file_of(crash, out, crash.replays)
    if crash.replays == "crash.hmt":
        return f"replay: bazel run {HMT} -- run {path}"
    return _reproduce(crash.label, path)


def replay_line_of(label, artifact):
    """Of a crash that is in no directory of its own yet."""
    return _reproduce(label, shlex.quote(artifact))


def block(crash, out=None):
    """The program and exactly one replay line."""
    lines = [f"CRASH in {crash.target} ({crash.status}): {crash.title}"]
    program = (crash.program or
               f"(no program; its bytes: {file_of(crash, out)})")
    lines += ["    " + line for line in program.rstrip().splitlines()]
    if not crash.reproduces:
        lines.append("    It does not crash alone: the target keeps "
                     "something from one input to the next.")
    size = f"  {crash.bytes} bytes"
    if crash.original_bytes is not None:
        size += f" (found with {crash.original_bytes})"
    if crash.seed is not None:
        size += f", -seed={crash.seed}"
    lines.append(f"{size}, {crash.found}")
    lines.append(replay_line(crash, out))
    return "\n".join(lines)


def kinds(crashes):
    """Those that must be mended, [[Crash]]: one sentence, one list, whichever
    targets it was found by."""
    found = {}
    for crash in crashes:
        if crash.status in THERE:
            found.setdefault(crash.key, []).append(crash)
    return list(found.values())
