# SPDX-License-Identifier: MIT
"""Compiles one mutant after the other, and lets the techniques judge it."""

import concurrent.futures
import hashlib
import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import auto_mutations as mutations
import matrix_cells as cells

CLANG = "/usr/lib/llvm-19/bin/clang"

# As ci/toolchain compiles with -c opt, less what is for people. Warnings say
# nothing here: a mutant may well leave a variable unused.
FLAGS = ["-std=c17", "-O2", "-fPIC", "-fno-common", "-fno-omit-frame-pointer",
         "-fstack-protector-strong", "-w"]

# What a technique's library is for: its port, and what its programs need.
FLAVOURS = {
    "sim": ("sim", []),
    "fuzz": ("sim", [
        "-fsanitize=address", "-fsanitize-address-use-after-return=never",
        "-fsanitize=undefined", "-fno-sanitize-recover=all",
        "-fsanitize=fuzzer-no-link", "-fno-sanitize-coverage=trace-cmp",
        "-DREQUIRE_ASAN", "-DREQUIRE_UBSAN", "-DREQUIRE_LIBFUZZER"]),
    "tsan": ("host", ["-fsanitize=thread", "-DREQUIRE_TSAN"]),
}

# The cheap ones first.
TECHNIQUES = ["replay", "sched_replay", "unit", "explore", "dfs", "fuzz",
              "sched_fuzz", "tsan"]


def flavour_of(technique):
    return cells.TECHNIQUES[technique].core.split(".")[1]


EQUIVALENT, DUPLICATE, INVALID = "equivalent", "duplicate", "invalid"

# A bounded program that takes so much more than with the healthy core hangs.
HANG_FACTOR, HANG_SECONDS = 4, 5


@dataclass(frozen=True)
class Mutant:
    """One change to one file. `key` knows this file, and no other of the core:
    what was killed counts as killed until its own file changes."""

    file: str  # core/boot/... or core/lib/...
    operator: str
    line: int
    old: tuple
    new: tuple
    text: str
    key: str

    def record(self, **more):
        return {"key": self.key, "file": self.file, "line": self.line,
                "operator": self.operator, "old": list(self.old),
                "new": list(self.new), **more}


def _hash(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()[:16]


class Core:
    """The sources of the healthy core, below `root`."""

    def __init__(self, root):
        self.root = root
        keep = [p for folder in ("core/boot", "core/lib")
                for p in sorted((root / folder).glob("*.[ch]"))
                if not p.name.endswith("_test.c")
                and not p.name.startswith("test_")]
        self.text = {str(p.relative_to(root)): p.read_text("utf-8")
                     for p in keep}
        self.units = [f for f in self.text if f.endswith(".c")]
        self.units.append("core/build/instrumentation.c")
        self.digest = _hash(*(f + t for f, t in sorted(self.text.items())))

    def mutants(self, files, every=1):
        found = []
        for file in files:
            text = self.text[file]
            for mutation in mutations.mutations_of(text):
                mutated = mutation.apply(text)
                line, old, new = mutations.lines_changed(text, mutated)
                found.append(Mutant(file, mutation.operator, line, tuple(old),
                                    tuple(new), mutated,
                                    _hash(file, mutated)))
        return found[::every]


class Compiler:
    """Objects of the healthy core, and libraries with another file in it."""

    def __init__(self, core, folder, flavour):
        self.core, self.folder = core, Path(folder, flavour)
        port, self.flags = FLAVOURS[flavour]
        self.flags = FLAGS + self.flags + ["-Icore/include",
                                           f"-Icore/ports/{port}"]
        self.healthy = {}
        overlay = self.folder / "healthy"
        for unit in core.units:
            text = (core.root / unit).read_text("utf-8")
            self._write(overlay, unit, text)
            self.healthy[unit] = self._compile(overlay, unit, "healthy")
            if self.healthy[unit] is None:
                raise cells.Unusable(f"{unit} does not compile with {CLANG}")

    @staticmethod
    def _write(overlay, file, text):
        """With the path that its own checks name."""
        path = overlay / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#line 1 "{file}"\n{text}', "utf-8")

    def _compile(self, overlay, unit, name):
        """An object file, from the overlay where that has the file."""
        source = overlay / unit
        if not source.exists():
            source = self.folder / "healthy" / unit
        out = self.folder / f"{name}.{Path(unit).stem}.o"
        run = subprocess.run(
            [CLANG, *self.flags, "-iquote", str(overlay), "-iquote", ".",
             "-c", str(source), "-o", str(out)],
            cwd=self.core.root, capture_output=True, check=False)
        return out if run.returncode == 0 else None

    def link(self, objects, name):
        library = self.folder / f"{name}.so"
        subprocess.run(
            [CLANG, "-shared", "-fuse-ld=lld", "-o", str(library),
             *(str(o) for o in objects)], check=True, capture_output=True)
        return library

    def objects(self, mutant):
        """{unit: object} that differ from the healthy ones; None: invalid."""
        overlay = self.folder / mutant.key
        self._write(overlay, mutant.file, mutant.text)
        units = [mutant.file] if mutant.file.endswith(".c") else self.core.units
        different = {}
        for unit in units:
            made = self._compile(overlay, unit, mutant.key)
            if made is None:
                return None
            if made.read_bytes() != self.healthy[unit].read_bytes():
                different[unit] = made
        return different

    def library(self, mutant, different=None):
        """Of the core with that mutant in it."""
        if different is None:
            different = self.objects(mutant)
        return self.link({**self.healthy, **different}.values(), mutant.key)

    def clean(self, mutant):
        subprocess.run(["rm", "-rf", str(self.folder / mutant.key),
                        *(str(p) for p in self.folder.glob(mutant.key + ".*"))],
                       check=False)


class Files:
    """What matrix_cells asks of the kill matrix' own Files."""

    def __init__(self, here, library):
        self.here, self.library = here, library

    def core(self, technique, _name):
        return self.library

    def program(self, technique, _name):
        return self.here / cells.TECHNIQUES[technique].program, self.library


class Judge:
    """Runs techniques until one kills."""

    def __init__(self, core, here, folder, limit, techniques):
        self.here, self.limit = here, limit
        self.took = {}
        self.techniques = techniques
        self.compilers = {
            f: Compiler(core, folder, f)
            for f in sorted({"sim", *map(flavour_of, techniques)})}
        # What a survivor has met: this core, with these programs.
        self.digest = _hash(core.digest, *techniques, *(
            (here / cells.TECHNIQUES[t].program).read_bytes()
            for t in self.techniques))

    def _run(self, technique, library, patience):
        cell = cells.Cell(Files(self.here, library), "m", technique, 1,
                          self.limit)
        return cells.run_cell(cell, patience)

    def try_healthy(self):
        libraries = {f: c.link(c.healthy.values(), "healthy")
                     for f, c in self.compilers.items()}
        for technique in self.techniques:
            record = self._run(technique, libraries[flavour_of(technique)], 300)
            if record["verdict"] != cells.SURVIVED:
                raise cells.Unusable(f"{technique} calls the healthy core "
                                     f"{record['verdict']}: {record['says']}")
            self.took[technique] = record["seconds"]

    def clean(self, mutant):
        for compiler in self.compilers.values():
            compiler.clean(mutant)

    def _patience(self, technique):
        if cells.TECHNIQUES[technique].draws:
            return self.limit + cells.GRACE_SECONDS
        return HANG_FACTOR * self.took[technique] + HANG_SECONDS

    def judge(self, mutant, seen):
        """A record. seen(digest) says whether it has been there before."""
        start = time.monotonic()
        sim = self.compilers["sim"]
        different = sim.objects(mutant)
        if different is None:
            return mutant.record(verdict=INVALID)
        if not different:
            return mutant.record(verdict=EQUIVALENT)
        code = _hash(*(unit.encode() + made.read_bytes()
                       for unit, made in sorted(different.items())))
        if seen(code, mutant.key):
            return mutant.record(verdict=DUPLICATE)
        libraries = {"sim": sim.library(mutant, different)}
        for technique in self.techniques:
            flavour = flavour_of(technique)
            if flavour not in libraries:
                libraries[flavour] = self.compilers[flavour].library(mutant)
            record = self._run(technique, libraries[flavour],
                               self._patience(technique))
            if record["verdict"] == cells.ERROR:
                raise cells.Unusable(f"{technique}: {record['says']}")
            if record["verdict"] == cells.KILLED:
                return mutant.record(
                    verdict=cells.KILLED, by=technique, says=record["says"],
                    seconds=round(time.monotonic() - start, 2))
        return mutant.record(verdict=cells.SURVIVED, programs=self.digest,
                             seconds=round(time.monotonic() - start, 2))


def run(core, mutants, judging, jobs, known, keep):
    """Judges the mutants that `known` has no lasting verdict on.

    judging: a Judge's arguments, but for its folder, by name. known: {key:
    record} of earlier runs. keep(record, done, total) is called under a lock.
    """
    lock, first = threading.Lock(), {}

    def seen(code, key):
        with lock:
            return first.setdefault(code, key) != key

    with tempfile.TemporaryDirectory(prefix="auto.") as folder:
        judge = Judge(core, folder=folder, **judging)
        todo = [m for m in mutants if _is_open(known.get(m.key), judge.digest)]
        print(f"{len(mutants)} mutants, {len(mutants) - len(todo)} of them "
              "done", flush=True)
        if not todo:
            return
        judge.try_healthy()
        done = 0

        def work(mutant):
            nonlocal done
            try:
                record = judge.judge(mutant, seen)
            finally:
                judge.clean(mutant)
            with lock:
                done += 1
                keep(record, done, len(todo))

        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            futures = [pool.submit(work, m) for m in todo]
            try:
                for future in concurrent.futures.as_completed(futures):
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True, wait=False)
                raise


def _is_open(record, programs):
    """No verdict yet, or it met programs that may have learned since."""
    if record is None:
        return True
    return record["verdict"] == cells.SURVIVED and \
        record["programs"] != programs
