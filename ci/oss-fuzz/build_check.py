#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Looks at fuzz targets as OSS-Fuzz does before it takes a build.

Its rules, as bad_build_check and test_all.py of its base-runner image have them:

* a target is an executable ELF file with LLVMFuzzerTestOneInput in it, its name
  of letters, digits, '-' and '_'; at least one is there;
* it is built for the right architecture;
* it calls the runtime of its sanitizer often, and of others hardly ever;
* it has edges to count, a hundred or more;
* it runs from another place than where it was built, four inputs of its own,
  and all of its seeds.

And of ours: a target has seeds, a dictionary and options, all of which can be
read; it needs no library but libc's and the compiler's; the core itself counts
edges, and refuses to run without its sanitizer (so it does not start).

exit status: 0 a good build, 77 a bad one, 1 wrong usage
"""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True  # the tree may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "../lib"))
from command import Parser  # noqa: E402

GOOD, BAD, USAGE = 0, 77, 1

OBJDUMP = os.environ.get("OBJDUMP", "/usr/lib/llvm-19/bin/llvm-objdump")
RUNS = 4
FEWEST_EDGES = 100
SECONDS = 120
LAST_LINES = 100  # with all of ASan's report

# Calls of each runtime: at least so many with the sanitizer, at most so many
# without.
CALLS = {
    "asan": ("address", 1000, 0),
    "msan": ("memory", 1000, 3),
    "ubsan": ("undefined", 168, 200),
    "dfsan": ("dataflow", 100, 0),
}
UBSAN_OF_OTHERS_I386 = 280

MACHINES = {"x86_64": (2, 62), "i386": (1, 3)}  # ELF class and machine

# Of libc, of the compiler's runtime, of C++ (libFuzzer is written in it).
LIBRARIES = re.compile(
    r"(linux-vdso|linux-gate|libc|libm|libdl|libpthread|librt|libresolv"
    r"|libgcc_s|libstdc\+\+|libc\+\+|libc\+\+abi|libunwind)\.so\.\d+\Z"
    r"|/.*/ld-linux[^/]*\.so\.\d+\Z"
)

ENTRY = re.compile(
    r'(?:[\w.-]+(?:@\d+)?\s*=\s*)?"(?:[^"\\]|\\[\\"]|\\x[0-9a-fA-F]{2})+"\Z'
)
EDGES = re.compile(r"INFO: Loaded \d+ modules?.*(?:counters|guards)\): (\d+)")


def run(command, cwd, seconds=SECONDS):
    """(exit status or None, all that it said)"""
    env = {k: v for k, v in os.environ.items() if not k.endswith("SAN_OPTIONS")}
    env["UBSAN_OPTIONS"] = "silence_unsigned_overflow=1"
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as stopped:
        return None, (stopped.stdout or b"").decode(errors="replace")
    except OSError as error:
        return None, str(error)
    return done.returncode, done.stdout.decode(errors="replace")


def targets(out):
    """The fuzz targets among what was built."""
    found = []
    for path in sorted(Path(out).iterdir()):
        if not path.is_file() or not os.access(path, os.X_OK):
            continue
        data = path.read_bytes()
        if data[:4] == b"\x7fELF" and b"LLVMFuzzerTestOneInput" in data:
            found.append(path)
    return found


def check_name(path):
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", path.name):
        yield "its name has more than letters, digits, '-' and '_'"


def check_architecture(path, architecture):
    head = path.read_bytes()[:20]
    found = head[4], int.from_bytes(head[18:20], "little")
    if found != MACHINES[architecture]:
        yield f"it is not built for {architecture}: ELF class and machine {found}"


def runtime_calls(path):
    """{runtime: how many instructions call it}"""
    status, text = run([OBJDUMP, "-d", "--no-show-raw-insn", str(path)], None)
    if status != 0:
        raise OSError(f"{OBJDUMP} does not read {path}: {text[-200:]}")
    called = re.findall(r"\bcallq?l?\s+\S+\s+<__(\w+?)_", text)
    return {runtime: called.count(runtime) for runtime in CALLS}


def check_sanitizer(path, sanitizer, architecture):
    for runtime, calls in runtime_calls(path).items():
        name, least, most = CALLS[runtime]
        if runtime == "ubsan" and architecture == "i386":
            most = UBSAN_OF_OTHERS_I386
        if name == sanitizer and calls < least:
            yield (f"it does not seem to be compiled with {runtime}: "
                   f"{calls} calls of its runtime, fewer than {least}")
        if name != sanitizer and calls > most:
            yield (f"it seems to be compiled with {runtime}, too: "
                   f"{calls} calls of its runtime, more than {most}")


def check_libraries(path):
    status, text = run(["ldd", str(path)], None)
    if status != 0:
        yield f"ldd cannot read it: {text.strip()}"
        return
    for line in text.splitlines():
        words = line.split()
        if "not found" in line:
            yield f"a library is not there: {line.strip()}"
        elif words and not LIBRARIES.match(words[0]):
            yield f"it needs {words[0]}, which the runner may not have"


def check_options(path):
    """(complaints, libFuzzer's flags)"""
    parser = configparser.ConfigParser()
    try:
        with open(f"{path}.options", encoding="ascii") as file:
            parser.read_file(file)
        found = dict(parser["libfuzzer"])
    except (OSError, configparser.Error, KeyError) as error:
        return [f"no options that can be read: {error}"], []
    return [], [f"-{key}={value}" for key, value in found.items()]


def check_dictionary(path):
    try:
        with open(f"{path}.dict", encoding="ascii") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        yield f"no dictionary that can be read: {error}"
        return
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        yield "its dictionary is empty"
    for line in lines:
        if not ENTRY.match(line):
            yield f"in its dictionary: {line}"


def unpack_seeds(path, scratch):
    """(complaints, directory)"""
    seeds = Path(scratch, "seeds")
    try:
        with zipfile.ZipFile(f"{path}_seed_corpus.zip") as archive:
            bad = archive.testzip()
            names = archive.namelist()
            archive.extractall(seeds)
    except (OSError, zipfile.BadZipFile) as error:
        return [f"no seeds that can be read: {error}"], seeds
    if bad or not names:
        return [f"no seeds, or a broken one: {bad}"], seeds
    return [], seeds


def last_words(text):
    return "\n".join("    " + line for line in text.splitlines()[-LAST_LINES:])


def check_start(command, scratch):
    """Four inputs of libFuzzer's own making."""
    status, text = run(command + ["-seed=1337", f"-runs={RUNS}"], scratch)
    if "no interesting inputs were found" in text:
        yield "it has no edges to count"
        return
    edges = EDGES.search(text)
    if edges and int(edges[1]) < FEWEST_EDGES:
        yield f"only {edges[1]} edges are counted: part of it at most"
    if status != 0 or f"Done {RUNS} runs" not in text:
        yield f"it does not start, or crashes at once:\n{last_words(text)}"


def check_seeds(command, seeds, scratch):
    status, text = run(command + ["-runs=0", str(seeds)], scratch)
    if status != 0:
        yield f"it crashes on its own seeds:\n{last_words(text)}"


def check_target(path, sanitizer, architecture, scratch):
    """Sentences about what is wrong with one target."""
    yield from check_name(path)
    yield from check_architecture(path, architecture)
    yield from check_sanitizer(path, sanitizer, architecture)
    yield from check_libraries(path)
    complaints, flags = check_options(path)
    yield from complaints
    yield from check_dictionary(path)
    command = [str(path), *flags]
    if Path(f"{path}.dict").is_file():
        command.append(f"-dict={path}.dict")
    yield from check_start(command, scratch)
    complaints, seeds = unpack_seeds(path, scratch)
    yield from complaints
    if not complaints:
        yield from check_seeds(command, seeds, scratch)


def check(out, sanitizer, architecture):
    """Sentences about what is wrong with a build; none if nothing is."""
    with tempfile.TemporaryDirectory(prefix="highmem-build-check-") as scratch:
        # What looks for its files where it was built must not find them.
        moved = Path(scratch, "not-out")
        shutil.copytree(out, moved)
        found = targets(moved)
        if not found:
            return ["there is no fuzz target in it"]
        return [
            f"{path.name}: {complaint}"
            for path in found
            for complaint in check_target(
                path, sanitizer, architecture,
                tempfile.mkdtemp(dir=scratch))
        ]


def main():
    parser = Parser("build_check", __doc__)
    parser.add_argument("--sanitizer", default="address",
                        choices=["address", "memory", "undefined"])
    parser.add_argument("--architecture", default="x86_64",
                        choices=sorted(MACHINES))
    parser.add_argument("out", metavar="OUT", help="what build.sh filled")
    args = parser.parse_args()
    if not os.path.isdir(args.out):
        parser.error(f"there is no directory {args.out}")
    complaints = check(args.out, args.sanitizer, args.architecture)
    for complaint in complaints:
        print(f"BAD BUILD: {complaint}")
    return BAD if complaints else GOOD


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("build_check: interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as problem:
        print(f"build_check: {problem}", file=sys.stderr)
        sys.exit(USAGE)
