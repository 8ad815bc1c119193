#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Boots the i686 test kernel in QEMU and judges what it prints.

The verdict counts only if the log is whole: every planned case has a result,
the totals are there, and QEMU's exit status says the same.

exit status:
  0   every case passed, but for those skipped for a reason
  77  a case failed, the kernel died, or its log is not whole
  70  the kernel hung
  4   skipped: QEMU is not installed, KVM does not work here, or this kernel
      cannot do what was asked for (as two CPUs)
  1   wrong usage, or QEMU could not run the kernel
  130 interrupted
"""

import os
import random
import re
import shlex
import shutil
import sys

# Beside this file, also where Bazel puts a link to it.
sys.dont_write_bytecode = True  # the tree may be read-only
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../ci/lib")]
import qemu  # noqa: E402
import results  # noqa: E402
from command import Parser, number, seconds, whole_seconds, wrong  # noqa: E402
from screen import Screen, Silent  # noqa: E402
from verdict import FAILED, HUNG, SKIPPED, USAGE, judge  # noqa: E402

INTERRUPTED = 130

BREAK_KINDS = ["fail", "bug", "fault", "text", "overflow", "hang", "stall",
               "cut", "reset", "lockup", "elsewhere", "twice", "asleep"]
RUNS = ["suite", "torture", "bench"]

FOR_EVER = 10 * 365 * 24 * 3600.0


def complain(sentence):
    print(f"run_kernel: {sentence}", file=sys.stderr, flush=True)


# ---- The command line ------------------------------------------------------


def up_to_a_week(text):
    """More is not for the kernel's clock."""
    return whole_seconds(text, 7 * 86400)


def memory(text):
    if not re.fullmatch(r"[1-9]\d{0,5}[MG]", text):
        raise wrong("a size such as 1G or 512M", text)
    return text


def cpu_model(text):
    if not re.fullmatch(r"[\w.,+=-]{1,60}", text):
        raise wrong("a CPU as QEMU calls it", text)
    return text


def word(text):
    if not re.fullmatch(r"[\w.-]{1,60}", text):
        raise wrong("a part of a case's name", text)
    return text


def kernel_words(text):
    if not re.fullmatch(r"[ -~]{1,100000}", text):
        raise wrong("printable ASCII, up to 100000 characters", text[:60])
    return text.split()


def add_pc_options(parser):
    parser.add_argument("--kernel", required=True, metavar="IMG",
                        help="the multiboot image, //stress/kernel:kernel")
    parser.add_argument("--accel", default="auto",
                        choices=["auto", *qemu.ACCELERATORS],
                        help="auto is tcg, the reference; kvm runs if a probe "
                        "boots on it")
    parser.add_argument("--mem", type=memory, default="1G", metavar="SIZE",
                        help="of the PC (default: 1G)")
    parser.add_argument("--cpu", type=cpu_model, default="max",
                        metavar="MODEL", help="as QEMU calls it, with its "
                        "features: pentium3, max,-nx (default: max)")
    parser.add_argument("--smp", type=number(1, 8),
                        default=1, metavar="N", help="CPUs (default: 1)")
    pae = parser.add_mutually_exclusive_group()
    pae.add_argument("--pae", dest="pae", action="store_const", const="pae",
                     help="page tables with 64-bit entries")
    pae.add_argument("--nopae", dest="pae", action="store_const",
                     const="nopae", help="with 32-bit entries")
    parser.add_argument("--module", nargs="+", default=[], metavar="FILE",
                        help="boot modules: .hmt programs, or packs of "
                        "programs, which are replayed")
    parser.add_argument("--icount", action="store_true",
                        help="the PC's clocks count instructions: the same "
                        "run each time")
    parser.add_argument("--gdb", action="store_true",
                        help="wait for a debugger; no time limit")


def add_run_options(parser):
    parser.add_argument("--run", choices=RUNS, default="suite",
                        help="what (default: suite, and torture if there is "
                        "a --time)")
    parser.add_argument("--case", type=word, metavar="TEXT",
                        help="only cases with TEXT in their names")
    parser.add_argument("--time", type=up_to_a_week, metavar="TIME",
                        help="how long to torture it, as 60s")
    parser.add_argument("--seed", type=number(0, 2**32 - 1),
                        metavar="N", help="of what is random (default: 1 for "
                        "the suite, another each time for torture)")
    parser.add_argument("--timeout", type=seconds, default=60.0,
                        metavar="TIME", help="for the run, beyond --time "
                        "(default: 60s)")
    parser.add_argument("--append", type=kernel_words, default=[],
                        metavar="WORDS", help="more words for the kernel's "
                        "command line; stress/kernel/README.md has the list")
    parser.add_argument("--out", metavar="DIR",
                        help="keep the results there (default: a new one in "
                        "~/.cache/highmem-kernel)")
    parser.add_argument("--skip-passes", action="store_true",
                        help="exit with 0, not 4, when skipped, for Bazel")
    parser.add_argument("--break", dest="break_kind", choices=BREAK_KINDS,
                        help="let the kernel go wrong in this way, to see "
                        "that it is noticed")


def parse_arguments():
    parser = Parser("run_kernel", __doc__)
    add_pc_options(parser)
    add_run_options(parser)
    return parser.parse_args()


def users_path(path):
    """`bazel run` changes the directory: paths are from where the user is."""
    home = os.environ.get("BUILD_WORKING_DIRECTORY")
    theirs = os.path.join(home, path) if home else path
    return os.path.abspath(theirs if os.path.exists(theirs) else path)


def new_path(path):
    home = os.environ.get("BUILD_WORKING_DIRECTORY")
    return os.path.abspath(os.path.join(home, path) if home else path)


def module_problem(path):
    """One sentence, or None: QEMU itself would end without a word."""
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        return f"cannot read the module {path}"
    if os.path.getsize(path) == 0:
        return f"the module {path} is empty"
    if re.search(r"\s", path):
        return f"the module {path} has a blank in its path: QEMU ends it there"
    return None


def problem(options):
    """One sentence on what the options name, or None."""
    if not os.access(options.kernel, os.R_OK):
        return (f"cannot read the kernel {options.kernel}; "
                "bazel build //stress/kernel:kernel makes one")
    image_end = qemu.image_end(options.kernel)
    if not image_end:
        return f"{options.kernel} is no ELF file for i386"
    if qemu.memory_bytes(options.mem) < image_end:
        return (f"--mem {options.mem} is too little: the kernel alone ends at "
                f"{image_end / 2**20:.1f} MiB")
    if options.icount and options.accel in ("kvm", "tcg-multi"):
        return f"--icount does not go with --accel {options.accel}"
    for module in options.module:
        if module_problem(module):
            return module_problem(module)
    return None


# ---- A run -----------------------------------------------------------------


def words_for_kernel(options):
    """Its command line. What is not asked for is not said."""
    words = [options.pae] if options.pae else []
    for key, value in [
            ("smp", options.smp if options.smp > 1 else None),
            ("run", options.run if options.run != "suite" else None),
            ("time", options.time), ("seed", options.seed),
            ("case", options.case), ("break", options.break_kind)]:
        if value is not None:
            words.append(f"{key}={value}")
    return words + options.append


def replay_line(options, ktap):
    """The command that does the same again; of one case if one failed."""
    case = options.case
    if not case and ktap.failed and not options.break_kind and (
            options.run == "suite" and not options.module):
        case = ktap.failed[0]
    words = ["bazel run //stress/kernel:run --"]
    for flag, value, usual in [
            ("--run", options.run, "suite"), ("--smp", options.smp, 1),
            ("--mem", options.mem, "1G"), ("--cpu", options.cpu, "max"),
            ("--accel", options.accel, "auto"),
            ("--time", options.time and f"{options.time}s", None),
            ("--seed", options.seed, None), ("--case", case, None),
            ("--break", options.break_kind, None)]:
        if value != usual:
            words.append(f"{flag} {value}")
    words += [f"--{options.pae}"] if options.pae else []
    words += ["--icount"] if options.icount else []
    if options.append:
        words.append("--append " + shlex.quote(" ".join(options.append)))
    if options.module:
        words.append("--module " + shlex.join(options.module))
    return "replay: " + " ".join(words)


def wait_for_debugger(options):
    """The port, having said how to come to it."""
    port = qemu.free_port()
    print("waiting for a debugger; in another terminal:\n"
          f"gdb -ex 'target remote 127.0.0.1:{port}' "
          f"{shlex.quote(options.kernel)}", flush=True)
    return port


def conclude(options, kept, boot):
    """Say what came of it, and keep that."""
    code, sentence = judge(boot)
    if kept.failed:
        complain(kept.failed)
        code = code or USAGE
    if code == SKIPPED:
        print(f"skipped: kernel: {sentence}")
    elif sentence:
        complain(sentence)
    if code in (FAILED, HUNG):
        print(replay_line(options, boot.ktap))
    kept.note(verdict=f"{code} {sentence or 'ok'}")
    if code != SKIPPED:
        print(boot.ktap.summary())
    return code


def boot_and_judge(options, accel, kept):
    port = wait_for_debugger(options) if options.gdb else None
    command = qemu.command_line(options, accel, words_for_kernel(options),
                                port)
    kept.note(command=shlex.join(sys.argv), qemu=shlex.join(command),
              seed=options.seed if options.seed is not None else "the default")
    timeout = FOR_EVER if options.gdb else options.timeout + (
        options.time or 0)
    try:
        boot = qemu.boot_kernel(command, timeout, Screen(options.kernel), kept)
    except KeyboardInterrupt:
        kept.note(verdict=f"{INTERRUPTED} interrupted")
        raise
    return conclude(options, kept, boot)


def run(options):
    accel = qemu.choose_accelerator(options)
    if accel == "kvm" and not qemu.kvm_boots(options, Silent()):
        print("skipped: kvm: the probe did not boot")
        return SKIPPED
    if options.seed is None and (options.time or options.run == "torture"):
        options.seed = random.getrandbits(32)
    try:
        kept = results.Results(new_path(options.out) if options.out
                               else results.default_directory())
    except results.Unwritable as error:
        complain(error)
        return USAGE
    print(f"accelerator: {qemu.ACCELERATORS[accel]}\nresults: {kept.path}",
          flush=True)
    return boot_and_judge(options, accel, kept)


def checked_run(options):
    if not shutil.which(qemu.QEMU):
        print(f"skipped: kernel: {qemu.QEMU} is not installed; "
              "ci/setup installs it")
        return SKIPPED
    options.kernel = users_path(options.kernel)
    options.module = [users_path(module) for module in options.module]
    wrong = problem(options)
    if wrong:
        complain(wrong)
        return USAGE
    try:
        return run(options)
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED


def main():
    options = parse_arguments()
    code = checked_run(options)
    return 0 if code == SKIPPED and options.skip_passes else code


if __name__ == "__main__":
    sys.exit(main())
