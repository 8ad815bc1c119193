# SPDX-License-Identifier: MIT
"""Every command, by the file that has its main().

commands_test asks each for --help and --version, and gives each of its options
what is wrong. ci/lint looks for files with a main() that stand in neither list.
"""

# file: (what it is called, label or "" if the file itself is run, what it needs)
COMMANDS = {
    "bench/compare.py": ("compare.py", "", "--a x --b x"),
    "bench/instructions.py": ("instructions.py", "", "x"),
    "bench/main.cc": ("bench", "//bench:pkmap_bench_opt", ""),
    "bench/plot.py": ("plot.py", "", "x --output x.svg"),
    "ci/coverage": ("ci/coverage", "", ""),
    "ci/fuzz": ("ci/fuzz", "", ""),
    "ci/lint": ("ci/lint", "", ""),
    "ci/oss-fuzz/build_check.py": ("build_check", "", "x"),
    "ci/setup": ("ci/setup", "", ""),
    "ci/test": ("ci/test", "", ""),
    "fuzz/engine/launcher.py": ("launcher", "//fuzz:kmap_fuzz_test_run", ""),
    "fuzz/engine/replay_main.c": ("replay", "//fuzz:kmap_fuzz_test_raw_", ""),
    "stress/explore/main.c": ("explore", "//stress/explore", ""),
    "stress/hmt/hmt_main.c": ("hmt", "//stress/hmt", ""),
    "stress/kernel/bench.py": ("bench", "", "--kernel x"),
    "stress/kernel/equivalence.py": (
        "equivalence",
        "",
        "--kernel x --host x",
    ),
    "stress/kernel/outcomes_main.c": (
        "outcomes",
        "//stress/kernel:outcomes",
        "",
    ),
    "stress/kernel/run_kernel.py": ("run_kernel", "", "--kernel x"),
    "stress/mutate/auto.py": ("auto", "", ""),
    "stress/mutate/kill_matrix.py": ("kill_matrix", "", ""),
    "stress/mutate/reseed.py": ("reseed", "", "x"),
    "stress/torture/torture.c": ("torture", "//stress/torture", ""),
}

# file: why nobody calls it
OTHERS = {
    ".ci/run": "is ci/test",
    ".clusterfuzzlite/build.sh": "is called by ClusterFuzzLite",
    "ci/lib/coverage/__main__.py": "is ci/coverage",
    "ci/lib/coverage/lcov.py": "is called by Bazel",
    "ci/lib/docs/run.sh": "runs tests",
    "ci/lib/fuzz/__main__.py": "is ci/fuzz",
    "ci/lib/test/__main__.py": "is ci/test",
    "ci/lib/test/lint.py": "is ci/lint",
    "ci/oss-fuzz/build.sh": "is called by OSS-Fuzz",
    "ci/recipes/bisect.sh": "is called by git bisect",
    "core/build/small_criterion/runner.c": "is in test programs",
    "core/port/conformance/conformance_main.c": "is a test",
    "fuzz/engine/pack.py": "is called by Bazel and OSS-Fuzz's build.sh",
    "stress/mutate/canary.py": "is called by tests, with a program's own options",
    "stress/oracle/finding_kinds_main.c": "is called by its test",
    "stress/subjects/launch/subject.py": "is called by explore and hmt",
}
