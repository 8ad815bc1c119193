#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Boots the i686 test kernel in QEMU and judges what it prints.

The verdict counts only if the log is whole: every planned case has a result,
the totals are there, and QEMU's exit status says the same.

exit status:
  0   every case passed or was skipped for a reason
  77  a case failed, the kernel died, or its log is not whole
  70  the kernel hung
  4   skipped: QEMU is not installed, or KVM does not work here
  1   wrong usage, or QEMU could not run the kernel
"""

import argparse
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

# Beside this file, also where Bazel puts a link to it.
sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from ktap import Ktap  # noqa: E402

OK, USAGE, SKIPPED, HUNG, FAILED = 0, 1, 4, 70, 77

QEMU = "qemu-system-i386"
SYMBOLIZER = "llvm-symbolizer-19"

# isa-debug-exit: QEMU's status is 2 * value + 1 (core/ports/i686/i686.h).
STATUS_PASS, STATUS_FAIL, STATUS_STALL, STATUS_UNFIT = 33, 35, 37, 39

BREAK_KINDS = ["fail", "bug", "fault", "text", "overflow", "hang", "stall",
               "cut", "reset"]

PROBE_SECONDS = 5
PR_SET_PDEATHSIG = 1


def complain(sentence):
    print(f"run_kernel: {sentence}", file=sys.stderr, flush=True)


def seconds(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text)
    if not match or not float(match.group(1)):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a time like 60s or 2m")
    return float(match.group(1)) * {"m": 60, "h": 3600}.get(match.group(2), 1)


def memory(text):
    if not re.fullmatch(r"[1-9]\d*[MG]", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a size like 1G")
    return text


def word(text):
    if not re.fullmatch(r"[\w.-]{1,60}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no part of a case name")
    return text


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        complain(message)
        sys.exit(USAGE)


def parse_arguments():
    parser = Parser(prog="run_kernel", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", required=True, metavar="IMG",
                        help="the multiboot image, //stress/kernel:kernel")
    parser.add_argument("--accel", choices=["auto", "tcg", "kvm"],
                        default="auto",
                        help="auto is tcg, the reference; kvm runs if a probe "
                        "boots on it")
    parser.add_argument("--mem", type=memory, default="1G", metavar="SIZE",
                        help="of the PC; more than 912M (default: 1G)")
    parser.add_argument("--timeout", type=seconds, default=60.0,
                        metavar="TIME", help="for the run (default: 60s)")
    parser.add_argument("--case", type=word, metavar="TEXT",
                        help="only cases with TEXT in their names")
    parser.add_argument("--log", metavar="FILE", help="keep the console there")
    parser.add_argument("--break", dest="break_kind", choices=BREAK_KINDS,
                        help="let the kernel go wrong in this way, to see "
                        "that it is noticed")
    return parser.parse_args()


# ---- QEMU ------------------------------------------------------------------


class Boot:
    """One boot of the kernel, and what came of it."""

    def __init__(self):
        self.ktap = Ktap()
        self.status = None  # None: it had to be stopped
        self.complaint = ""  # QEMU's own


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start_qemu(options, accel, append):
    command = [
        QEMU, "-accel", accel, "-m", options.mem, "-kernel", options.kernel,
        "-append", "-- " + append, "-nodefaults", "-vga", "none", "-display", "none",
        "-no-reboot", "-chardev", "stdio,id=console,signal=off",
        "-serial", "chardev:console",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
    ]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=die_with_parent)


def pump(boot, process, deadline, show, log):
    """Read the console until it ends; False when the time is over."""
    line = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        if not select.select([process.stdout], [], [], left)[0]:
            continue
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            return True
        log.write(data)
        *lines, line = (line + data).split(b"\n")
        for text in lines:
            text = text.decode("ascii", "replace").rstrip("\r")
            boot.ktap.feed(text)
            show(text)


def boot_kernel(options, accel, append, timeout, show, log):
    boot = Boot()
    process = start_qemu(options, accel, append)
    try:
        if pump(boot, process, time.monotonic() + timeout, show, log):
            boot.status = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
        boot.complaint = process.communicate()[1].decode("utf-8", "replace")
    return boot


def kvm_boots(options):
    """KVM may exist and still run no paged 32-bit guest: try it."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = boot_kernel(options, "kvm", "case=no.such.case", PROBE_SECONDS,
                       lambda line: None, Log(None))
    return boot.status == STATUS_PASS and boot.ktap.totals == (0, 0, 0)


# ---- What is printed -------------------------------------------------------


class Screen:
    """Shows the console, with names beside the addresses of a backtrace."""

    ADDRESS = re.compile(r"#   (0x[0-9a-f]{8})$")

    def __init__(self, kernel):
        self.kernel = kernel
        self.symbolizer = shutil.which(SYMBOLIZER)

    def __call__(self, line):
        match = self.ADDRESS.match(line)
        if match and self.symbolizer:
            line += "  " + self._name(match.group(1))
        print(line, flush=True)

    def _name(self, address):
        command = [self.symbolizer, f"--obj={self.kernel}", "--basenames",
                   "--output-style=GNU", "--pretty-print", address]
        found = subprocess.run(command, capture_output=True, text=True,
                               check=False)
        return found.stdout.strip().replace("\n", "; ")


class Log:
    """The console as it came, written while it comes; or nothing."""

    def __init__(self, path):
        self.path = path
        self.file = None
        self.failed = False
        if path:
            self._try(self._open)

    def _open(self):
        self.file = open(self.path, "wb", buffering=0)

    def _try(self, action, *arguments):
        try:
            action(*arguments)
        except OSError as error:
            complain(f"cannot write the log {self.path}: {error.strerror}")
            self.failed, self.file = True, None

    def write(self, data):
        if self.file:
            self._try(self.file.write, data)


# ---- The verdict -----------------------------------------------------------


def judge_death(boot):
    """The kernel did not come to its own end: a code and a sentence."""
    ktap, where = boot.ktap, f"after {boot.ktap.count()} cases"
    if boot.status is None:
        return HUNG, f"the kernel hung {where}: it was stopped"
    if boot.status == STATUS_STALL:
        return HUNG, f"the kernel stalled {where}: {ktap.bail_out}"
    if boot.status == STATUS_UNFIT:
        return USAGE, f"the kernel cannot run on this PC: {ktap.bail_out}"
    if ktap.bail_out:
        return FAILED, f"the kernel died {where}: {ktap.bail_out}"
    if boot.status == 0:
        return FAILED, f"the kernel reset the PC {where} (triple fault?)"
    if boot.status not in (STATUS_PASS, STATUS_FAIL):
        said = boot.complaint.strip().split("\n")[0] or "it gave no reason"
        return USAGE, f"QEMU ended with status {boot.status}: {said}"
    return None


def judge(boot):
    """The exit code, and one sentence unless all is well."""
    ktap, death = boot.ktap, judge_death(boot)
    if death:
        return death
    wrong = ktap.inconsistency()
    if wrong:
        return FAILED, wrong
    if (boot.status == STATUS_PASS) == bool(ktap.failed):
        return FAILED, (f"QEMU's exit status {boot.status} contradicts "
                        f"{len(ktap.failed)} failed cases")
    if ktap.plan == 0:
        return USAGE, "no case has that text in its name"
    if ktap.failed:
        return FAILED, "failed: " + ", ".join(ktap.failed)
    return OK, None


def replay_line(options, boot):
    words = ["bazel run //stress/kernel:run --"]
    if options.mem != "1G":
        words.append(f"--mem {options.mem}")
    if options.case:
        words.append(f"--case {options.case}")
    elif boot.ktap.failed and not options.break_kind:
        words.append(f"--case {boot.ktap.failed[0]}")
    if options.break_kind:
        words.append(f"--break {options.break_kind}")
    return "replay: " + " ".join(words)


def run(options):
    accel = "tcg" if options.accel == "auto" else options.accel
    if accel == "kvm" and not kvm_boots(options):
        print("kvm: skipped: the probe did not boot")
        return SKIPPED
    append = " ".join(
        f"{key}={value}" for key, value in
        [("case", options.case), ("break", options.break_kind)] if value)
    print(f"accelerator: {accel}", flush=True)
    log = Log(options.log)
    if log.failed:
        return USAGE
    boot = boot_kernel(options, accel, append, options.timeout,
                       Screen(options.kernel), log)
    code, sentence = judge(boot)
    if log.failed:
        code = code or USAGE
    if sentence:
        complain(sentence)
    if code in (FAILED, HUNG):
        print(replay_line(options, boot))
    ktap = boot.ktap
    print(f"cases: {len(ktap.passed)} passed, {len(ktap.failed)} failed, "
          f"{len(ktap.skipped)} skipped")
    return code


def main():
    options = parse_arguments()
    if not shutil.which(QEMU):
        print(f"skipped: kernel: {QEMU} is not installed; "
              "ci/setup installs it")
        return SKIPPED
    if not os.access(options.kernel, os.R_OK):
        complain(f"cannot read the kernel {options.kernel}; "
                 "bazel build //stress/kernel:kernel makes one")
        return USAGE
    try:
        return run(options)
    except KeyboardInterrupt:
        complain("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
