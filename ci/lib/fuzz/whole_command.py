# SPDX-License-Identifier: MIT
"""The whole command ci/fuzz for tests: only Bazel, hmt and the fuzzer are
fakes. Each of them can send the command a signal, at a moment by name."""

import os
import subprocess
import sys

import corpus_dir

from .in_directory import InDirectory
from .targets import HMT, file_of

TARGET = "a_fuzz_test"

# Sends $SIG to the command once, when it does what $AT names.
_AT = r"""#!/bin/sh
at() {
	[ "$AT" = "$1" ] && [ ! -e "$MARK" ] || return 1
	: > "$MARK"
	kill -"$SIG" $PPID
	sleep 0.1
}
"""
_BAZEL = _AT + r"""
label=//fuzz:a_fuzz_test
case "$1 $2" in
"query attr("*) at targets; echo $label ;;
query*) at rules; printf '%s\n' $label ${label}_bin ;;
build*)
	trap 'exit 8' INT
	at build && for i in 1 2 3 4 5 6 7 8 9; do sleep 1; done
	true ;;
"info bazel-bin") at info; echo "$BINARIES" ;;
esac
"""
_HMT = _AT + r"""
case $1 in
print) at print; echo "machine cpus=1"; echo "# $(cat "$3")" ;;
run) at run; exit 77 ;;
check) at check; exit 0 ;;
esac
"""
# An input that begins with "boom" crashes, if $CRASHES; else fuzzing finds
# one input and no crash.
_FUZZER = _AT + r"""
for last; do :; done
for arg; do
	case $arg in
	-exact_artifact_path=*) exact=${arg#*=} ;;
	-artifact_prefix=*) prefix=${arg#*=} ;;
	-max_total_time=*) seconds=${arg#*=} ;;
	-set_cover_merge=1) merge=yes ;;
	esac
	previous=$before before=$arg
done
if [ "$merge" ]; then
	at merge && exec sleep 20
	cp "$last"/* "$previous"
elif [ "$exact" ]; then
	at minimize && exec sleep 20
	printf boom > "$exact"
elif [ "$seconds" ]; then
	echo "INFO: Loaded 1 modules   (30 inline 8-bit counters): 30 [0x1,"
	echo "#3	INITED cov: 7 ft: 8 corp: 1/6b exec/s: 0 rss: 32Mb"
	at fuzz
	printf good > "$previous/$(printf good | sha1sum | cut -c-40)"
	printf more > "$previous/$(printf more | sha1sum | cut -c-40)"
	echo "#9	NEW    cov: 9 ft: 8 corp: 2/6b exec/s: 0 rss: 32Mb"
	if [ "$CRASHES" ] && [ ! -e "$prefix/../../boomed" ]; then
		: > "$prefix/../../boomed"
		printf 'boom and more' > "$prefix/crash-$(printf 'boom and more' |
			sha1sum | cut -c-40)"
		echo "oracle: A is lost" >&2
		exit 77
	fi
	sleep "$seconds"
	echo "stat::number_of_executed_units: 1234"
else
	at replay
	[ "$CRASHES" ] || exit 0
	case $(cat "$last") in
	boom*) echo "assertion failed: task is lost"
	       echo "oracle: A is lost in $(wc -c < "$last") bytes"
	       echo "==1== ERROR: libFuzzer: deadly signal"
	       exit 77 ;;
	esac
fi
"""

# Runs the module after it has arranged a signal for the writing of a file, or
# that there is no room for one.
_START = """
import errno, os, runpy, sys
from fuzz import place
write = place.write_atomic
def writes(path, data):
    if path.endswith(os.environ["AT"] or "-") and not os.path.exists(
            os.environ["MARK"]):
        open(os.environ["MARK"], "w").close()
        os.kill(os.getpid(), int(os.environ["SIG"]))
    if path.endswith(os.environ["FULL"] or "-"):
        raise OSError(errno.ENOSPC, "No space left on device", path)
    write(path, data)
place.write_atomic = writes
sys.argv[0] = "fuzz"
runpy.run_module("fuzz", run_name="__main__", alter_sys=True)
"""


class WholeCommand(InDirectory):
    """ci/fuzz with fakes, in a directory of its own."""

    def setUp(self):
        super().setUp()
        self.out = self.path("out")
        binaries = self.path("bin")
        for text, name in ((_BAZEL, "bazel"),
                           (_HMT, file_of("bin", HMT)),
                           (_FUZZER, f"bin/fuzz/{TARGET}_bin")):
            self.script(text, name)
        self.write(b"seed", f"bin/fuzz/{TARGET}_corpus", "seed")
        self.write(b"[libfuzzer]\n", f"bin/fuzz/{TARGET}.options")
        self.environment = dict(
            os.environ, BAZEL=self.path("bazel"), BINARIES=binaries, AT="",
            SIG="0", FULL="", MARK=self.path("mark"), CRASHES="",
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONPATH=os.pathsep.join(map(os.path.abspath, sys.path)))

    def fuzz(self, *arguments, out=None, **environment):
        """(exit status, what it says, its last words on stderr)."""
        # Files, not pipes: after kill -9 a fake may live on for a while.
        with open(self.path("stdout"), "w+b") as stdout, \
             open(self.path("stderr"), "w+b") as stderr:
            done = subprocess.run(
                [sys.executable, "-c", _START, "--time=1s", "--jobs=1",
                 f"--out={self.out if out is None else out}", *arguments],
                env={**self.environment, **environment}, cwd=self.dir,
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                check=False, timeout=60)
        said, wrong = (corpus_dir.read(self.path(name)).decode()
                       for name in ("stdout", "stderr"))
        self.assertNotIn("Traceback", wrong)
        return done.returncode, said, wrong

    def home(self, *parts):
        return os.path.join(self.out, TARGET, *parts)

    def inputs(self):
        """The contents of the corpus."""
        corpus = self.home("corpus")
        return sorted(corpus_dir.read(os.path.join(corpus, name))
                      for name in os.listdir(corpus))

    def files(self, directory=None):
        """{path: bytes} of everything there."""
        top = directory or self.out
        found = {}
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                found[os.path.relpath(path, top)] = (
                    os.readlink(path).encode() if os.path.islink(path)
                    else corpus_dir.read(path))
        return found
