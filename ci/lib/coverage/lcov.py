#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""Stands in for Bazel's coverage tools: one test's lcov, then the sum of all.

Bazel calls it with --coverage_dir after each test, and with --reports_file (a
list of those results) at the end; the second prints a table as well.
"""

import argparse
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

LLVM = Path("/usr/lib/llvm-19/bin")

# What the report is about: tests are not to cover themselves.
OURS = re.compile(
    r"core/(boot|include|lib|port|ports)/(?!rules/|conformance/)"
    r"(?!.*_test\.c$)(?!.*\btest_\w+\.h$)")

KINDS = ["FNDA:", "DA:", "BRDA:"]

# strip_include_prefix compiles headers through symlinks in here.
VIRTUAL = re.compile(r"bazel-out/[^/]+/bin/(.*)_virtual_includes/[^/]+/")


def parse_arguments():
    """Bazel's flags; those about Java are of no use here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverage_dir", type=Path)
    parser.add_argument("--reports_file", type=Path)
    parser.add_argument("--output_file", type=Path, required=True)
    return parser.parse_known_args()[0]


def export(folder):
    """lcov text of a test that left only clang's raw counters behind.

    Bazel does this itself, but not for a test made by a rule of our own
    (core/build/variant.bzl).
    """
    raw = sorted(folder.glob("*.profraw"))
    binary = Path(
        os.environ["RUNFILES_DIR"],
        os.environ["TEST_WORKSPACE"],
        os.environ["TEST_BINARY"],
    )
    if not raw:
        return ""
    data = folder / "merged.profdata"
    subprocess.run(
        [LLVM / "llvm-profdata", "merge", "-o", data, *raw], check=True
    )
    run = subprocess.run(
        [LLVM / "llvm-cov", "export", "-format=lcov"]
        + ["-instr-profile", data, binary],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout if run.returncode == 0 else ""  # a script, say


def texts_of(arguments):
    """The lcov texts to add up."""
    if arguments.reports_file:
        names = arguments.reports_file.read_text().split()
        return [Path(name).read_text() for name in names]
    ready = sorted(arguments.coverage_dir.glob("*.dat"))
    if ready:
        return [path.read_text() for path in ready]
    return [export(arguments.coverage_dir)]


def source_name(path):
    """The path of a source file inside the tree."""
    name = os.path.normpath(path.split("/proc/self/cwd/")[-1])
    name = VIRTUAL.sub(r"\1", name)
    return re.sub(r"^core/highmem/", "core/include/highmem/", name)


def add(texts):
    """{source file: {lcov key: times it was reached}}."""
    files = defaultdict(Counter)
    for text in texts:
        counts = Counter()
        for line in text.splitlines():
            key, _, value = line.partition(":")
            if key == "SF":
                name = source_name(value)
                counts = files[name] if OURS.match(name) else Counter()
            elif key == "DA":
                number, times = value.split(",")[:2]
                counts["DA:" + number] += int(times)
            elif key == "BRDA":
                branch, _, times = value.rpartition(",")
                counts["BRDA:" + branch] += 0 if times == "-" else int(times)
            elif key == "FN":
                # A static function is called FILE:NAME, by whatever path.
                number, _, function = value.partition(",")
                counts[f"FN:{number},{function.split(':')[-1]}"] += 0
            elif key == "FNDA":
                times, _, function = value.partition(",")
                counts["FNDA:" + function.split(":")[-1]] += int(times)
    return files


def record(name, counts):
    """One file as lcov's text, in the order that lcov writes it."""
    yield f"SF:{name}"
    for key in sorted(k for k in counts if k.startswith("FN:")):
        yield key
    for key in sorted(k for k in counts if k.startswith("FNDA:")):
        yield f"FNDA:{counts[key]},{key[5:]}"
    for kind, total, hit in [("FNDA", "FNF", "FNH"), ("BRDA", "BRF", "BRH"),
                             ("DA", "LF", "LH")]:
        times = [n for k, n in counts.items() if k.startswith(kind + ":")]
        if kind != "FNDA":
            yield from (f"{k},{n}" for k, n in counts.items()
                        if k.startswith(kind + ":"))
        yield f"{total}:{len(times)}"
        yield f"{hit}:{sum(n > 0 for n in times)}"
    yield "end_of_record"


def write(files, output):
    """The sum, as lcov text."""
    with output.open("w") as file:
        for name in sorted(files):
            file.writelines(line + "\n" for line in record(name, files[name]))


def share(counts, prefix):
    """How much of one kind of thing was reached: "12/14  85.7 %"."""
    times = [n for key, n in counts.items() if key.startswith(prefix)]
    if not times:
        return "-"
    hit = sum(n > 0 for n in times)
    return f"{hit}/{len(times)} {100 * hit / len(times):5.1f} %"


def show(files):
    """The table for a reader."""
    print(f"{'file':44}{'functions':>18}{'lines':>18}{'branches':>18}")
    total = Counter()
    for name in sorted(files):
        counts = files[name]
        total.update({f"{key}@{name}": n for key, n in counts.items()})
        shares = [f"{share(counts, kind):>18}" for kind in KINDS]
        print(f"{name:44}{''.join(shares)}")
    shares = [f"{share(total, kind):>18}" for kind in KINDS]
    print(f"{'all':44}{''.join(shares)}")


def main():
    """One call by Bazel."""
    arguments = parse_arguments()
    if not arguments.coverage_dir and not arguments.reports_file:
        sys.exit("lcov.py: needs --coverage_dir or --reports_file")
    files = add(texts_of(arguments))
    write(files, arguments.output_file)
    if arguments.reports_file:
        show(files)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("lcov.py: interrupted", file=sys.stderr)
        sys.exit(130)
