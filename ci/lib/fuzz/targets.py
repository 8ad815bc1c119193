# SPDX-License-Identifier: MIT
"""Which fuzz targets there are, built and copied to where they run.

The run has copies of its own, so a build that goes on beside it cannot pull
the binary from under it.
"""

import os
import shlex
import signal
import subprocess
from typing import List, NamedTuple, Optional

import corpus_dir

from .place import Trouble, check_no_links, copy_atomic, copy_fresh
from .words import one_line

SECONDS_TO_STOP = 20
HMT = "//stress/hmt:hmt"
ALL = ("attr(tags, '[\\[ ]fuzz-test[,\\]]', //fuzz/...) except "
       "attr(tags, '[\\[ ]manual[,\\]]', //fuzz/...)")


class Target(NamedTuple):
    """A fuzz target; every path is below the output directory."""
    label: str
    name: str           # of its directory there
    home: str
    flags: List[str]    # libFuzzer's, from <label>.options
    dictionary: Optional[str]
    digest: str         # of the binary

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    @property
    def fuzzer(self):
        return self.path("fuzzer")

    @property
    def corpus(self):
        return self.path("corpus")

    @property
    def seeds(self):
        return self.path("seeds")


class Bazel:
    """Bazel in one workspace; $BAZEL may hold the command and its options."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.command = shlex.split(os.environ.get("BAZEL", "bazel"))

    def ask(self, *args):
        done = self.run([*args], stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines()
                      if "ERROR" in line] or done.stderr.splitlines()[-1:]
            raise Trouble(f"bazel {args[0]} failed: {' '.join(errors[:1])}")
        return done.stdout.split()

    def build(self, labels):
        if self.run(["build", "--show_result=0", *labels]).returncode:
            raise Trouble("the fuzz targets do not build; bazel's words are "
                          "above")

    def run(self, args, **kwargs):
        try:
            process = subprocess.Popen(
                self.command + args, cwd=self.workspace,
                stdin=subprocess.DEVNULL, encoding="utf-8", errors="replace",
                **kwargs)
        except OSError as error:
            raise Trouble(f"cannot run {self.command[0]}: {error.strerror}; "
                          "run ci/setup") from error
        with process:
            try:
                output, errors = process.communicate()
            except BaseException:
                # Bazel ends in order what it was asked to do, if it is let.
                process.send_signal(signal.SIGINT)
                try:
                    process.communicate(timeout=SECONDS_TO_STOP)
                except subprocess.TimeoutExpired:
                    process.kill()
                raise
        return subprocess.CompletedProcess(args, process.returncode, output,
                                           errors)


def directory_name(label):
    """//fuzz:a -> a, //stress/x:b -> stress.x.b"""
    package, name = label[2:].split(":")
    if package == "fuzz":
        return name
    return f"{package}/{name}".replace("/", ".")


def choose(bazel, wanted):
    """Labels for the names given, or of all targets."""
    known = sorted(bazel.ask("query", ALL))
    if not wanted:
        if not known:
            raise Trouble("there is no fuzz target in //fuzz")
        return known
    by_name = {label.split(":")[1]: label for label in known}
    chosen = []
    for name in wanted:
        if not name.startswith("//") and name not in by_name:
            raise Trouble(f"there is no fuzz target {one_line(name)}; there "
                          "are: "
                          + ", ".join(sorted(by_name)))
        label = by_name.get(name, name)
        if ":" not in label:
            label += ":" + label.split("/")[-1]
        if label not in chosen:
            chosen.append(label)
    return chosen


def file_of(binaries, label):
    return os.path.join(binaries, *label[2:].split(":"))


def install(binaries, label, place, has_dictionary):
    """Copies what Bazel built for one target to its home."""
    home = place.target(directory_name(label))
    os.makedirs(home, exist_ok=True)
    check_no_links(home)
    built = file_of(binaries, label)
    copy_atomic(built + "_bin", os.path.join(home, "fuzzer"))
    copy_fresh(built + "_corpus", os.path.join(home, "seeds"))
    dictionary = None
    if has_dictionary:
        dictionary = os.path.join(home, "dictionary")
        copy_atomic(built + ".dict", dictionary)
    return Target(
        label=label, name=directory_name(label), home=home,
        flags=corpus_dir.libfuzzer_flags(built + ".options"),
        dictionary=dictionary,
        digest=corpus_dir.sha1_of(corpus_dir.read(
            os.path.join(home, "fuzzer"))))


def prepare(bazel, labels, place):
    """Builds the targets and the tool that prints programs."""
    packages = {label.split(":")[0] for label in labels}
    rules = set(bazel.ask("query", " + ".join(
        f"{package}:all" for package in sorted(packages))))
    missing = [label for label in labels if label + "_bin" not in rules]
    if missing:
        raise Trouble(f"{missing[0]} is no cc_fuzz_test: there is no "
                      f"{missing[0]}_bin")
    wanted = [HMT]
    for label in labels:
        wanted += [label + "_bin", label + "_corpus", label + "_options"]
        if label + "_dict" in rules:
            wanted.append(label + "_dict")
    bazel.build(wanted)
    binaries = bazel.ask("info", "bazel-bin")[0]
    hmt = os.path.join(place.out, "hmt")
    copy_atomic(file_of(binaries, HMT), hmt)
    return hmt, [install(binaries, label, place, label + "_dict" in rules)
                 for label in labels]
