#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs op programs in the kernel and on the simulated machine: do they agree?

Each program's outcome is compared, line by line: what each operation gave, the
sentences about misuse, what is in the pages in the end, the statistics.
stress/kernel/outcome.h says what may differ. FILE is a program as text, or a
folder of them; with --bytes, of inputs of a fuzz target.

exit status:
  0   the outcomes are the same
  77  one differs, or the kernel or the host found a bug
  4   skipped: there is no QEMU, or not the --machine asked for
  1   wrong usage, something could not run, or no program could on any machine
"""

import os
import random
import re
import shlex
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the tree may be read-only
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../ci/lib")]
import pack  # noqa: E402
from command import Parser, number  # noqa: E402
from verdict import ALL_SKIPPED, FAILED, OK, SKIPPED, USAGE  # noqa: E402

OUTCOME = re.compile(r"= (\S+) (.*)")
RESULT = re.compile(r"(ok|not ok) \d+ (\S+)(?: # SKIP (.*))?$")

PER_BOOT = 2000  # programs, to stay below the runner's time limit


class Unusable(Exception):
    """One sentence on why there is nothing to compare."""


def complain(sentence):
    print(f"equivalence: {sentence}", file=sys.stderr, flush=True)


def parse_arguments():
    parser = Parser("equivalence", __doc__)
    parser.add_argument("--kernel", required=True, metavar="IMG")
    parser.add_argument("--host", required=True, metavar="PROGRAM",
                        help="//stress/kernel:outcomes")
    parser.add_argument("--machine", action="append", metavar="OPTIONS",
                        help="a kernel to compare with, as options of "
                        "run_kernel, like --machine='--smp 4 --pae'; may come "
                        "several times (default: one CPU)")
    less = parser.add_mutually_exclusive_group()
    less.add_argument("--plain", dest="less", action="store_const",
                      const="plain", help="run each program without nested "
                      "interrupts, and with whatever page tables there are")
    less.add_argument("--one-cpu", dest="less", action="store_const",
                      const="one_cpu", help="the same, and on one CPU")
    parser.add_argument("--random", type=number(0, 10**7), default=0, metavar="N",
                        help="and N programs of random bytes")
    parser.add_argument("--drafted", type=number(0, 10**6), default=0, metavar="N",
                        help="and N random programs whose tasks get in each "
                        "other's way, and whose deadlines come due together")
    parser.add_argument("--seed", type=number(0, 2**64 - 1), default=1, metavar="N",
                        help="of both (default: 1)")
    parser.add_argument("--bytes", action="store_true",
                        help="FILE is an input of a fuzz target, or a folder "
                        "of them, such as a corpus")
    parser.add_argument("--keep", metavar="DIR", default="differs",
                        help="where programs that differ are put, to replay "
                        "them (default: ./differs)")
    parser.add_argument("file", nargs="*", metavar="FILE")
    return parser.parse_args()


# ---- Programs --------------------------------------------------------------


def users_path(path):
    """`bazel run` changes the directory: paths are from where the user is."""
    home = os.environ.get("BUILD_WORKING_DIRECTORY")
    theirs = os.path.join(home, path) if home else path
    return theirs if os.path.exists(theirs) else path


def is_text(data):
    """What a fuzz target takes for text: program_is_text() has the rule."""
    return (data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or
            (b"machine" in data and
             not re.search(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", data)))


def read_programs(options):
    """[(name, bytes)], in the order of the names; no name twice."""
    found = {}
    options.origin = {}  # a name's file
    for path in options.file:
        for file in pack.files(users_path(path)):
            try:
                with open(file, "rb") as opened:
                    data = opened.read()
            except OSError as error:
                raise Unusable(f"{file}: {error.strerror}") from None
            name = pack.name_of(file)
            if not data:
                raise Unusable(f"{file} is empty, which is no program")
            if not options.bytes and not is_text(data):
                raise Unusable(
                    f"{file}: expected a text with a machine line, such as "
                    "'machine cpus=2'; an input of a fuzz target is read with "
                    "--bytes")
            if found.setdefault(name, data) != data:
                raise Unusable(f"two programs have the name {name}")
            options.origin[name] = os.path.abspath(file)
    return sorted(found.items())


def random_programs(count, seed):
    """Any bytes are a program."""
    numbers = random.Random(seed)
    found = []
    while len(found) < count:
        data = numbers.randbytes(numbers.randint(24, 200))
        if not is_text(data):
            found.append((f"random/{seed}.{len(found)}", data))
    return found


def drafted_programs(options):
    """What `outcomes --drafts` writes."""
    with tempfile.TemporaryDirectory() as folder:
        module = os.path.join(folder, "drafts.pack")
        run = subprocess.run([options.host, f"--drafts={options.drafted}",
                              f"--seed={options.seed}", module],
                             capture_output=True, text=True, check=False)
        if run.returncode:
            raise Unusable(run.stderr.strip() or
                           f"{options.host} ended with {run.returncode}")
        with open(module, "rb") as file:
            return pack.unpack(file.read())


# ---- Both sides ------------------------------------------------------------


class Side:
    """What one of them said of each program."""

    def __init__(self, lines):
        self.outcome = {}
        self.skipped = {}
        self.bad = []
        for line in lines:
            self._take(line)

    def _take(self, line):
        match = OUTCOME.match(line)
        if match and match.group(2).startswith("skipped "):
            self.skipped[match.group(1)] = match.group(2)[len("skipped "):]
        elif match:
            self.outcome.setdefault(match.group(1), []).append(match.group(2))
        match = RESULT.match(line)
        if match and match.group(3):
            self.skipped[match.group(2)] = match.group(3)
        elif match and match.group(1) != "ok":
            self.bad.append(match.group(2))


def less_flag(options):
    """As the host and this command have it."""
    return ["--" + options.less.replace("_", "-")] if options.less else []


def run_host(options, module):
    command = [options.host, *less_flag(options), module]
    result = subprocess.run(command, capture_output=True, text=True,
                            check=False)
    if result.returncode not in (OK, FAILED):
        raise Unusable(result.stderr.strip() or
                       f"{options.host} ended with {result.returncode}")
    return Side(result.stdout.splitlines())


def run_kernel(options, machine, module, folder):
    """None: this kernel cannot be that machine, which was said."""
    command = ["/usr/bin/python3", os.path.join(HERE, "run_kernel.py"),
               "--kernel", options.kernel, "--icount", "--timeout", "600s",
               "--out", folder, *shlex.split(machine),
               *(["--append", options.less] if options.less else []),
               "--module", module]
    result = subprocess.run(command, capture_output=True, text=True,
                            check=False)
    if result.returncode == SKIPPED and ALL_SKIPPED not in result.stdout:
        why = result.stdout.strip().rsplit("\n", 1)[-1]
        print(f"{why} (machine: {machine or 'one CPU'})")
        return None
    if result.returncode not in (OK, FAILED, SKIPPED) or (
            result.stderr and "run_kernel: failed: " not in result.stderr):
        raise Unusable(result.stderr.strip())
    with open(os.path.join(folder, "console.log"), encoding="ascii",
              errors="backslashreplace") as log:
        return Side(log.read().splitlines())


# ---- The comparison --------------------------------------------------------


def place_to_keep(options):
    """The folder of --keep, which is made when there is something to keep."""
    return os.path.join(
        os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR")
        or os.environ.get("BUILD_WORKING_DIRECTORY", "."), options.keep)


def check_place(folder):
    """Could it be made? That is better known before an hour of comparisons."""
    there = os.path.abspath(folder)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there) or not os.access(there, os.W_OK | os.X_OK):
        raise Unusable(f"--keep {folder}: {there} is no directory that can be "
                       "written to")


def keep(options, name, data):
    """What replays a program: the words for its file, or for where it came
    from, if it cannot be written."""
    folder = place_to_keep(options)
    path = os.path.join(folder, name.replace("/", "-"))
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        complain(f"{path}: {error.strerror}; the replay line says where the "
                 "program came from")
        if name not in options.origin:
            return [f"--random={options.random}", f"--seed={options.seed}"]
        path = options.origin[name]
    return ([] if is_text(data) else ["--bytes"]) + [shlex.quote(path)]


def show_difference(options, machine, program, host, kernel):
    name, data = program
    print(f"not ok: {name}: the kernel's outcome is not the host's")
    for who, lines, others in (("host", host, kernel), ("kernel", kernel,
                                                        host)):
        if not lines:
            print(f"  {who:6}   nothing")
        for line in lines:
            print(f"  {who:6} {' ' if line in others else '!'} {line}")
    words = ["bazel run //stress/kernel:equivalence --"]
    words += ["--machine=" + shlex.quote(machine)] if machine else []
    words += less_flag(options)
    words += keep(options, name, data)
    print("replay: " + " ".join(words), flush=True)


class Tally:
    """Comparisons, and the programs that could not be compared at all."""

    def __init__(self):
        self.same = self.different = 0
        self.compared = set()
        self.why_not = {}

    def judge(self, options, machine, program, host, kernel):
        name = program[0]
        ours, theirs = host.outcome.get(name, []), kernel.outcome.get(name, [])
        why = kernel.skipped.get(name) or host.skipped.get(name)
        if why and not (ours and theirs):
            self.why_not[name] = why
            return
        self.compared.add(name)
        if ours and ours == theirs and name not in kernel.bad:
            self.same += 1
        else:
            self.different += 1
            show_difference(options, machine, program, ours, theirs)

    def summary(self, programs):
        left = [name for name, _ in programs if name not in self.compared]
        for name in left:
            print(f"skipped: {name}: {self.why_not.get(name, 'no kernel')}")
        print(f"{len(programs)} programs, {len(left)} of them skipped; "
              f"{self.same} outcomes are the same, {self.different} are not")
        print(f"cases: {self.same} passed, {self.different} failed")
        if self.different:
            return FAILED
        if self.why_not and not self.same:
            name, why = next(iter(self.why_not.items()))
            raise Unusable(
                f"nothing was compared: {name}: {why}; --machine='--smp N "
                "--pae' asks for another machine, --one-cpu and --plain for "
                "less of the programs")
        return OK if self.same else SKIPPED


def compare(options, programs, tally):
    with tempfile.TemporaryDirectory() as folder:
        module = os.path.join(folder, "programs.pack")
        with open(module, "wb") as file:
            file.write(pack.pack(programs))
        host = run_host(options, module)
        for machine in options.machine or [""]:
            kernel = run_kernel(options, machine, module, folder)
            for program in programs if kernel else []:
                tally.judge(options, machine, program, host, kernel)


def compare_all(options):
    check_place(place_to_keep(options))
    programs = read_programs(options)
    programs += random_programs(options.random, options.seed)
    if options.drafted:
        programs += drafted_programs(options)
    if not programs:
        raise Unusable("no program to run; see --help")
    tally = Tally()
    for start in range(0, len(programs), PER_BOOT):
        compare(options, programs[start:start + PER_BOOT], tally)
        if sys.stderr.isatty() and start + PER_BOOT < len(programs):
            complain(f"{start + PER_BOOT} of {len(programs)} programs")
    return tally.summary(programs)


def main():
    options = parse_arguments()
    try:
        return compare_all(options)
    except Unusable as error:
        complain(error)
        return USAGE


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("equivalence: interrupted; the same command begins anew",
              file=sys.stderr)
        sys.exit(130)
