# SPDX-License-Identifier: MIT
"""A core with one deliberate bug, under each lane that must find it.

A lane is a way in which `bazel test //...` tests the core. Here it is linked
once more, with another core, and canary.py sees to it that it goes red.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("@rules_python//python:defs.bzl", "py_test")
load("//core/build:highmem.bzl", "conformance_test")
load("//core/build:variant.bzl", "variant_binary")
load("//fuzz:fuzz.bzl", "cc_fuzz_test")
load("//stress/i386:i386.bzl", "i386_binary")
load("//stress/torture:torture.bzl", "torture_binary")
load(":broken.bzl", "broken", "broken_ports")

# How long a lane may take to find a bug: canary.py stops it then. A healthy
# core is given less, because a fuzzer never ends.
_LIMIT_SECONDS = 10
_HEALTHY_SECONDS = 2

# The schedule fuzzer gets so many inputs for each second of these, so that the
# load of the machine decides nothing.
_SCHED_RUNS = 1000

# ---- Lanes ------------------------------------------------------------------

# Each function declares the program of one lane around a core, and returns its
# label, its arguments, and the files that these name.

def _program(label, args, data = []):
    return struct(label = label, args = args, data = data)

def _pinned(name, binary, sanitizers = []):
    """NAME_bin: a cc_binary as it is built for its lane."""
    variant_binary(
        name = name + "_bin",
        testonly = True,
        binary = binary,
        mode = "opt",
        sanitizers = sanitizers,
        tags = ["manual"],
    )
    return name + "_bin"

def _unit(name, core, seconds):
    """The Criterion tests beside the code, all in one program."""
    cc_binary(
        name = name,
        testonly = True,
        tags = ["manual"],
        deps = [
            core,
            "//core/boot:tests",
            "//core/lib:tests",
        ],
    )
    return _program(_pinned(name, name), [])

def _i386(name, core, seconds):
    """The same tests with 32-bit pointers, built as //stress/i386 builds them."""
    cc_binary(
        name = name,
        testonly = True,
        tags = ["manual"],
        deps = [
            core,
            "//core/boot:tests",
            "//core/lib:tests",
        ],
    )
    i386_binary(
        name = name + "_bin",
        testonly = True,
        binary = name,
        tags = ["manual"],
    )

    # Of init, layout, page, pgtable: where addresses are added up.
    return _program(name + "_bin", [
        "--filter=[ilp][nag]*",
        "--skip=*race/*",
        "--timeout=1",
    ])

def _conformance(name, core, seconds):
    """The suite that every port passes, on the simulated machine."""
    conformance_test(
        name = name,
        core = core,
        port = "sim",
        tags = ["manual"],
    )
    return _program(_pinned(name, name), [])

def _fuzz_target(name, core, source = "kmap_fuzz_test.c", deps = []):
    cc_fuzz_test(
        name = name,
        srcs = ["//fuzz:" + source],
        corpus = ["//fuzz:kmap_seeds"],
        tags = [
            "manual",
            "no-oss-fuzz",
        ],
        deps = [
            core,
            "//fuzz:fuzz_program",
        ] + deps,
    )

# From nothing: neither the seeds nor the dictionary help it. Long inputs from
# the start: a bug takes several tasks that do something.
_FROM_NOTHING = [
    "-seed=1",
    "-len_control=0",
    "-max_len=520",
    "-artifact_prefix={scratch}/",
]

def _fuzz(name, core, seconds):
    """libFuzzer, op programs."""
    _fuzz_target(name, core)
    return _program(
        name + "_bin",
        _FROM_NOTHING + ["-max_total_time=%d" % seconds],
    )

def _sched_fuzz(name, core, seconds):
    """libFuzzer, programs with their schedules: so many, however long it takes."""
    _fuzz_target(
        name,
        core,
        "highmem_sched_fuzz_test.c",
        ["//fuzz:sched_target"],
    )
    return _program(
        name + "_bin",
        _FROM_NOTHING + ["-runs=%d" % (_SCHED_RUNS * seconds)],
    )

def _replay(name, core, seconds):
    """Every seed once, as //fuzz:kmap_fuzz_test does it."""
    _fuzz_target(name, core)
    return _program(
        name,
        ["$(rootpath %s_corpus)" % name],
        [name + "_corpus"],
    )

def _kernel_on(pc, core):
    image = core.replace("_i686", ".kernel")
    return _program(
        "//stress/kernel:run_kernel.py",
        [
            "--kernel=$(rootpath %s)" % image,
            # One thread for all CPUs: the same each time, on a busy host too.
            "--smp=3",
            "--accel=tcg-single",
        ] + pc,
        [
            image,
            "//stress/kernel:runner_files",
        ],
    )

def _kernel(name, core, seconds):
    """The i686 kernel in QEMU: three CPUs, interrupts at each instruction."""
    return _kernel_on([], core)

def _kernel_pae(name, core, seconds):
    """The same with PAE, and frames above 4 GiB."""
    return _kernel_on(["--mem=6G", "--pae"], core)

def _torture_with(sanitizers, name, core, seconds):
    torture_binary(
        name = name,
        core = core,
        tags = ["manual"],
    )
    return _program(_pinned(name, name, sanitizers), [
        "--seed=1",
        "--time=%ds" % seconds,
        "--stall=2s",
        "--out={scratch}",
    ])

def _torture(name, core, seconds):
    """Threads as CPUs, at full speed."""
    return _torture_with([], name, core, seconds)

def _tsan(name, core, seconds):
    """The same threads, each access of theirs under ThreadSanitizer."""
    return _torture_with(["tsan"], name, core, seconds)

# Which core a lane takes, and how its program says that it found a bug.
_LANES = {
    "conformance": struct(port = "sim", program = _conformance, red = [77]),
    "fuzz": struct(port = "sim", program = _fuzz, red = [77]),
    "i386": struct(port = "sim", program = _i386, red = [1]),
    "kernel": struct(port = "i686", program = _kernel, red = [70, 77]),
    "kernel_pae": struct(port = "i686", program = _kernel_pae, red = [70, 77]),
    "replay": struct(port = "sim", program = _replay, red = [77]),
    "sched_fuzz": struct(port = "sim", program = _sched_fuzz, red = [77]),
    "torture": struct(port = "host", program = _torture, red = [70, 77]),
    "tsan": struct(port = "host", program = _tsan, red = [77]),
    "unit": struct(port = "sim", program = _unit, red = [1]),
}

# What a test of the lane asks of Bazel: both cores, for whoever uses them.
_TAGS = {
    "torture": ["cpu:2"],
    "tsan": ["cpu:2"],
    # Criterion runs tests side by side; and it names a socket in /tmp after
    # its PID, which is the same in every sandbox.
    "unit": [
        "cpu:2",
        "no-sandbox",
    ],
}

# ---- Mutants ----------------------------------------------------------------

def _quoted(text):
    """For `args`, which Bazel splits into words as a shell does."""
    return "'%s'" % text.replace("'", "'\\''")

def _lane_test(name, mutant, lane, core, says, seconds, patch = None):
    program = _LANES[lane].program("%s_%s" % (mutant, lane), core, seconds)
    args = [
        "--mutant=" + mutant,
        "--lane=" + lane,
        "--limit=%ds" % _LIMIT_SECONDS,
        "--red=" + ",".join([str(status) for status in _LANES[lane].red]),
        "--says=" + says.replace("$", "$$"),
    ]
    args.append("--patch=$(rootpath %s)" % patch if patch else "--healthy")
    args += ["$(rootpath %s)" % program.label] + program.args
    py_test(
        name = name,
        size = "small",
        srcs = ["canary.py"],
        args = [_quoted(arg) for arg in args],
        data = [program.label] + program.data + ([patch] if patch else []),
        main = "canary.py",
        tags = ["canary", lane] + _TAGS.get(lane, []),
        deps = ["//ci/lib/command:py"],
    )

def canary(name, source, lanes):
    """A mutant, and a test for each lane that has to find it.

    The bug is mutants/NAME.patch; a patch that does not apply fails the build.
    Targets: NAME_LANE_test for each lane; NAME_fuzz_run and the others of
    cc_fuzz_test for the lane `fuzz`.

    Args:
      name: of the mutant.
      source: the file that the patch breaks, as in mutants.bzl.
      lanes: {lane: regular expression}, a sentence of the lane's output that
        belongs to this bug and no other.
    """
    broken(name, source)
    for lane in lanes:
        if _LANES[lane].port not in broken_ports(source):
            fail("%s: %s does not see %s" % (name, lane, source))
    for lane, says in lanes.items():
        _lane_test(
            name = "%s_%s_test" % (name, lane),
            core = "%s_%s" % (name, _LANES[lane].port),
            lane = lane,
            mutant = name,
            patch = "mutants/%s.patch" % name,
            says = says,
            seconds = 2 * _LIMIT_SECONDS,
        )

def canary_controls(name):
    """The same for the healthy core, with the verdict the other way round.

    A canary that passes on it would pass on anything. NAME_LANE_test for every
    lane.

    Args:
      name: stands where the mutant's does.
    """
    for lane in _LANES:
        _lane_test(
            name = "%s_%s_test" % (name, lane),
            core = "%s_%s" % (name, _LANES[lane].port),
            lane = lane,
            mutant = name,
            says = ".",
            seconds = _HEALTHY_SECONDS,
        )
