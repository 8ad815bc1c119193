# SPDX-License-Identifier: MIT
"""Runs one fuzz target with libFuzzer.

usage: bazel run //fuzz:NAME_run -- [flags] [libFuzzer's own flags and files]

The binary, its seeds, its dictionary and its flags come from the environment
(FUZZER_*, rules_fuzzing's engine contract). Found inputs are kept in
ROOT/NAME/corpus, crashing ones in ROOT/NAME/artifacts.
"""

import os
import shutil
import sys

import corpus_dir

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../ci/lib"))
from command import Parser, number  # noqa: E402

EXIT_USAGE = 1
EXIT_BUG = 77

# How many tries without success end the minimiser.
MINIMIZE_RUNS = 100000


def refuse(sentence):
    raise SystemExit(f"launcher: {sentence}")


class Launch:
    """What to run, and where its output goes."""

    def __init__(self, args):
        env = os.environ
        self.target = env["FUZZER_TARGET"]
        self.binary = env["FUZZER_BINARY"]
        self.seeds = env["FUZZER_SEED_CORPUS_DIR"]
        self.dictionary = env.get("FUZZER_DICTIONARY_PATH")
        self.options = env["FUZZER_OPTIONS_PATH"]
        self.replay_engine = env.get("FUZZER_ENGINE") == "replay"
        root = os.path.join(args.fuzzing_output_root, self.target)
        self.corpus = os.path.join(root, "corpus")
        self.artifacts = os.path.join(root, "artifacts")
        if args.clean:
            shutil.rmtree(root, ignore_errors=True)
        os.makedirs(self.artifacts, exist_ok=True)
        corpus_dir.recover(self.corpus)

    def flags(self):
        flags = corpus_dir.libfuzzer_flags(self.options)
        flags.append(f"-artifact_prefix={self.artifacts}/")
        if self.dictionary:
            flags.append(f"-dict={self.dictionary}")
        return flags


def announce(command):
    print("+", " ".join(command), file=sys.stderr, flush=True)


def execute(command):
    """Becomes the command: its signals and exit status are the user's."""
    announce(command)
    os.execv(command[0], command)


def fuzz(launch, args, rest):
    if launch.replay_engine:
        execute([launch.binary, launch.seeds] + rest)
    if args.regression:
        limit = ["-runs=0"]
        corpora = [launch.seeds]
    else:
        limit = [f"-max_total_time={args.timeout_secs}"]
        corpora = [launch.corpus, launch.seeds]
    command = [launch.binary] + launch.flags() + limit
    if args.jobs > 1:
        return fuzz_forked(launch, args, command + rest + corpora)
    execute(command + rest + corpora)


def fuzz_forked(launch, args, command):
    """-fork goes on after a crash, so the artifacts tell what happened."""
    before = set(os.listdir(launch.artifacts))
    command[1:1] = [f"-fork={args.jobs}", "-ignore_crashes=1"]
    announce(command)
    status = os.spawnv(os.P_WAIT, command[0], command)
    found = sorted(set(os.listdir(launch.artifacts)) - before)
    for name in found:
        print(f"found: {os.path.join(launch.artifacts, name)}")
    return EXIT_BUG if found else abs(status)


def merge(launch):
    def run(arguments):
        command = [launch.binary] + launch.flags() + arguments
        status, output = corpus_dir.run_quietly(command)
        if status:
            sys.stderr.write(output)
        return status

    before = len(os.listdir(launch.corpus))
    if not before:
        refuse(f"{launch.corpus} is empty; fuzz first")
    problem = corpus_dir.merge(run, launch.corpus)
    if problem:
        refuse(f"{problem}; {launch.corpus} is unchanged")
    after = len(os.listdir(launch.corpus))
    print(f"merged {launch.corpus}: {before} inputs before, {after} after")
    return 0


def minimize(launch, args, rest):
    smaller = args.minimize + ".min"
    limit = [f"-runs={MINIMIZE_RUNS}"]
    if args.timeout_secs:
        limit.append(f"-max_total_time={args.timeout_secs}")
    execute([launch.binary, "-minimize_crash=1"] + limit +
            [f"-exact_artifact_path={smaller}"] + rest + [args.minimize])


def parse(argv):
    parser = Parser(
        "launcher", "Runs one fuzz target with libFuzzer.",
        usage="bazel run //fuzz:NAME_run -- [flags] "
        "[libFuzzer's own flags and files]")
    add = parser.add_argument
    add("--clean", action="store_true",
        help="first delete what earlier runs found")
    add("--noclean", dest="clean", action="store_false", help="the default")
    add("--fuzzing_output_root", default="/tmp/fuzzing", metavar="DIR",
        help="where corpus and artifacts go (default %(default)s)")
    add("--regression", action="store_true",
        help="run the seeds once and stop")
    add("--noregression", dest="regression", action="store_false",
        help="the default")
    add("--timeout_secs", type=number(0, 10**8), default=0, metavar="N",
        help="stop after N seconds (default 0: never)")
    add("--jobs", type=number(1, 1024), default=1, metavar="N",
        help="N processes that go on after a crash")
    add("--merge", action="store_true",
        help="drop inputs that add no coverage from the corpus")
    add("--minimize", metavar="FILE",
        help="make a crashing input smaller; writes FILE.min")
    add("--reproduce", metavar="FILE",
        help="run one input, bytes or .hmt")
    args, rest = parser.parse_known_args(argv)
    for word in rest:
        if word.startswith("--"):   # libFuzzer's begin with one
            parser.unknown(word)
    return args, rest


def need_file(path):
    if not os.path.isfile(path):
        refuse(f"there is no file {path}")


def main(argv):
    args, rest = parse(argv)
    # `bazel run` starts us elsewhere; the user's paths are relative to this.
    os.chdir(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    launch = Launch(args)
    if args.reproduce:
        need_file(args.reproduce)
        execute([launch.binary] + rest + [args.reproduce])
    if args.minimize:
        need_file(args.minimize)
        minimize(launch, args, rest)
    if args.merge:
        return merge(launch)
    return fuzz(launch, args, rest)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("launcher: interrupted; what was found is kept", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        print(f"launcher: {error}", file=sys.stderr)
        sys.exit(EXIT_USAGE)
