#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Instructions per operation in the kernel, beside those on the host.

The kernel's are exact: QEMU's clock counts instructions (bench.c). The host's
are counted by callgrind in //bench, for rows of the same name; it is another
processor (64 bits) with another port, so compare a row with itself, not the
two columns. Behind them: TLB work of the kernel's CPUs, per operation.

exit status:
  0  counted
  4  skipped: QEMU is missing, or the kernel cannot do what was asked for
  1  wrong usage, or something went wrong
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # the tree may be read-only
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../ci/lib")]
from command import Parser, number  # noqa: E402
from verdict import OK, SKIPPED, USAGE  # noqa: E402

ROW = re.compile(r"# bench: (\S+) " + " ".join([r"(\d+\.\d{3})"] * 5) + "$")
NO_ROW = re.compile(r"# bench: (\S+) skipped: (.*)$")
COLUMNS = ["instructions", "host", "shootdowns", "invlpgs", "full", "IPIs"]

# Benchmarks of the host that the kernel has, too.
HOST_ROWS = {
    "pkmap": r"^(hit/pages:(1|512)|miss/held:(0|512)|"
             r"flush/idle:(1|8|32|64|512))(/|$)",
    "kmap_local": r"^(local/same_page|nested|atomic|switch)(/|$)",
}


def complain(sentence):
    print(f"bench: {sentence}", file=sys.stderr, flush=True)


def parse_arguments():
    parser = Parser("bench", __doc__)
    parser.add_argument("--kernel", required=True, metavar="IMG")
    parser.add_argument("--instructions", metavar="SCRIPT",
                        help="bench/instructions.py")
    parser.add_argument("--host", action="append", default=[],
                        metavar="BINARY", help="of //bench; may be repeated")
    parser.add_argument("--no-host", action="store_true",
                        help="the kernel only; valgrind takes a minute")
    parser.add_argument("--smp", type=number(1, 8), default=1, metavar="N",
                        help="CPUs of the kernel (default: 1)")
    parser.add_argument("--pae", action="store_true",
                        help="page tables with 64-bit entries")
    return parser.parse_args()


def run_kernel(options):
    """(status, console)"""
    command = ["/usr/bin/python3", os.path.join(HERE, "run_kernel.py"),
               "--kernel", options.kernel, "--run", "bench", "--icount",
               "--smp", str(options.smp), "--timeout", "300s"]
    command += ["--pae"] if options.pae else []
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                            check=False)
    return result.returncode, result.stdout.splitlines()


def kernel_rows(console):
    """{name: [numbers as text]}, in order."""
    matches = [ROW.match(line) for line in console]
    return {match.group(1): list(match.groups()[1:])
            for match in matches if match}


def host_rows(options):
    """{name: text}; what cannot be counted is not there."""
    rows = {}
    if options.no_host or not options.host:
        return rows
    if not shutil.which("valgrind"):
        print("skipped: host: valgrind is not installed; ci/setup installs it")
        return rows
    for binary in options.host:
        table = "pkmap" if "pkmap" in os.path.basename(binary) else "kmap_local"
        if sys.stderr.isatty():
            complain(f"counting {os.path.basename(binary)} with callgrind")
        result = subprocess.run(
            ["/usr/bin/python3", options.instructions, binary, "--filter",
             HOST_ROWS[table], "--operations", "1024"],
            stdout=subprocess.PIPE, text=True, check=False)
        for line in result.stdout.splitlines():
            match = re.match(r"(\S+)\s+(~?\d+\.\d+)$", line)
            if match:
                rows[match.group(1)] = match.group(2)
    return rows


def print_table(rows, host):
    print(f"{'operation':24}" + "".join(f"{name:>14}" for name in COLUMNS))
    for name, numbers in rows.items():
        cells = [numbers[0], host.get(name, "-"), *numbers[1:]]
        print(f"{name:24}" + "".join(f"{cell:>14}" for cell in cells))


def main():
    options = parse_arguments()
    status, console = run_kernel(options)
    rows = kernel_rows(console)
    if status not in (OK, SKIPPED) or (status == OK and not rows):
        skips = [line for line in console if " # SKIP " in line]
        complain(skips[0] if skips else "the kernel gave no numbers")
        return USAGE
    for line in console:
        match = NO_ROW.match(line)
        if match:
            print(f"skipped: {match.group(1)}: {match.group(2)}")
    if status == SKIPPED:
        print(console[-1] if console else "skipped: kernel")
        return SKIPPED
    print_table(rows, host_rows(options))
    return OK


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("bench: interrupted, nothing measured", file=sys.stderr)
        sys.exit(130)
