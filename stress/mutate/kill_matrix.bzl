# SPDX-License-Identifier: MIT
"""Every mutant under every technique, and few things to build for it.

A broken core (broken.bzl) becomes a shared library.
The programs that judge it are linked once, without a core: the loader gives
them the library that LD_PRELOAD names. Only the kernel is linked for each
mutant.

A mutant of a port is in the program, not in the core. It gets a kernel of its
own, or MUTANT.TECHNIQUE, linked with its port.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load("//core/build:highmem.bzl", "port_constraints")
load("//core/build:variant.bzl", "variant_binary", "variant_file")
load("//fuzz:fuzz.bzl", "cc_fuzz_test")
load("//stress/torture:torture.bzl", "torture_binary")
load(":broken.bzl", "breaks_port", "broken_ports")

# The core of a flavour: NAME.FLAVOUR.so.
_FLAVOURS = {
    "fuzz": struct(port = "sim", sanitizers = ["asan", "libfuzzer", "ubsan"]),
    "sim": struct(port = "sim", sanitizers = []),
    "tsan": struct(port = "host", sanitizers = ["tsan"]),
}

# A program for which the core comes at run time.
_WITHOUT_CORE = [
    "-rdynamic",
    "-Wl,--unresolved-symbols=ignore-in-object-files",
]

HEALTHY = "healthy"

def _shared(name, flavour):
    cc_binary(
        name = "%s.%s.so" % (name, flavour),
        testonly = True,
        linkshared = True,
        linkstatic = True,
        tags = ["manual"],
        deps = ["%s_%s" % (name, _FLAVOURS[flavour].port)],
    )

def _pinned(name, raw, sanitizers = []):
    variant_binary(
        name = name,
        testonly = True,
        binary = raw,
        mode = "opt",
        sanitizers = sanitizers,
        tags = ["manual"],
    )
    return name

def _unit_of_port(name, core):
    """The tests of the port, and of the core on it."""
    cc_binary(
        name = name + ".unit_raw_",
        testonly = True,
        tags = ["manual"],
        deps = [
            core,
            "//core/boot:tests",
            "//core/lib:tests",
            "//core/ports/sim:tests",
        ],
    )
    return _pinned(name + ".unit", name + ".unit_raw_")

def _tsan_of_port(name, core):
    torture_binary(
        name = name + ".tsan_raw_",
        core = core,
        tags = ["manual"],
    )
    return _pinned(name + ".tsan", name + ".tsan_raw_", ["tsan"])

# What judges a mutant of a port that is no kernel.
_OF_PORT = {
    "host": _tsan_of_port,
    "sim": _unit_of_port,
}

def _port_mutant(name, port):
    """Returns the program that judges the broken port."""
    if port == "i686":
        return name + ".kernel"
    return _OF_PORT[port](name, "%s_%s" % (name, port))

def _program(name, deps, srcs = [], sanitizers = [], **kwargs):
    cc_binary(
        name = name + "_raw_",
        testonly = True,
        srcs = srcs,
        copts = HIGHMEM_COPTS,
        linkopts = _WITHOUT_CORE,
        linkstatic = True,
        tags = ["manual"],
        deps = deps,
        **kwargs
    )
    _pinned(name, name + "_raw_", sanitizers)

def _programs():
    # Without matrix_preload.c: Criterion starts this program for each test.
    _program("matrix_unit", [
        "//core/boot:tests",
        "//core/lib:tests",
        "//core/ports/sim",
    ])
    _program(
        "matrix_explore",
        ["//stress/explore:verbs"],
        srcs = ["matrix_preload.c"],
    )
    _program(
        "matrix_torture",
        [
            "//core/ports/host",
            "//stress/process:write_whole",
            "//stress/program:program_file_host",
            "//stress/torture:parts",
        ],
        srcs = [
            "matrix_preload.c",
            "//stress/torture:failure.c",
        ],
        local_defines = [
            "TORTURE_LABEL=\\\"//stress/torture:torture\\\"",
        ],
        sanitizers = ["tsan"],
        target_compatible_with = port_constraints("host"),
    )
    fuzz_deps = ["//fuzz:fuzz_program"]
    _program(
        "matrix_replay",
        fuzz_deps + ["//fuzz/engine"],
        srcs = ["//fuzz:kmap_fuzz_test.c"],
    )

    _program(
        "matrix_sched_replay",
        fuzz_deps + ["//fuzz/engine", "//fuzz:sched_target"],
        srcs = ["//fuzz:highmem_sched_fuzz_test.c"],
    )

    # The engine looks for the edge counters of format_sim in the program.
    cc_fuzz_test(
        name = "matrix_fuzz",
        srcs = [
            "matrix_preload.c",
            "//fuzz:kmap_fuzz_test.c",
        ],
        corpus = ["//fuzz:kmap_seeds"],
        linkopts = _WITHOUT_CORE,
        tags = [
            "manual",
            "no-oss-fuzz",
        ],
        deps = fuzz_deps + ["format_sim"],
    )
    cc_fuzz_test(
        name = "matrix_sched_fuzz",
        srcs = [
            "matrix_preload.c",
            "//fuzz:highmem_sched_fuzz_test.c",
        ],
        corpus = ["//fuzz:sched_seeds"],
        linkopts = _WITHOUT_CORE,
        tags = [
            "manual",
            "no-oss-fuzz",
        ],
        deps = fuzz_deps + [
            "format_sim",
            "//fuzz:sched_target",
        ],
    )

def kill_matrix_files(name, mutants):
    """What kill_matrix.py needs.

    Targets: NAME_short, what the techniques of the short version need;
    NAME_programs, the programs of all but the kernel; NAME, what all need;
    NAME.json, the list of mutants.

    Args:
      name: of the targets.
      mutants: as in mutants.bzl.
    """
    whole = [HEALTHY]
    programs, short = [HEALTHY + ".kernel"], []
    for n, mutant in mutants.items():
        source = mutant["source"]
        if not breaks_port(source):
            whole.append(n)
            programs.append(n + ".kernel")
        elif broken_ports(source) == ["sim"]:
            short.append(_port_mutant(n, "sim"))
        else:
            programs.append(_port_mutant(n, broken_ports(source)[0]))
    _programs()
    for flavour, f in _FLAVOURS.items():
        for n in whole:
            _shared(n, flavour)
        variant_file(
            name = "matrix_cores_" + flavour,
            testonly = True,
            srcs = ["%s.%s.so" % (n, flavour) for n in whole],
            mode = "opt",
            sanitizers = f.sanitizers,
            tags = ["manual"],
        )
    table = {
        n: {
            "first": mutant.get("first", ""),
            "slow": mutant.get("slow", ""),
        }
        for n, mutant in mutants.items()
    }
    native.genrule(
        name = name + "_json",
        testonly = True,
        outs = [name + ".json"],
        cmd = "cat > $@ <<'END'\n%s\nEND" % json.encode_indent(table),
        tags = ["manual"],
    )
    native.filegroup(
        name = name + "_short",
        testonly = True,
        srcs = [
            ":%s.json" % name,
            ":matrix_cores_sim",
            ":matrix_explore",
            ":matrix_fuzz_corpus",
            ":matrix_replay",
            ":matrix_sched_fuzz_corpus",
            ":matrix_sched_replay",
            ":matrix_unit",
        ] + short,
        tags = ["manual"],
    )
    native.filegroup(
        name = name + "_programs",
        testonly = True,
        srcs = [
            ":%s_short" % name,
            ":matrix_fuzz_bin",
            ":matrix_sched_fuzz_bin",
            ":matrix_torture",
        ],
        tags = ["manual"],
    )
    native.filegroup(
        name = name,
        testonly = True,
        srcs = [
            ":%s_programs" % name,
            ":matrix_cores_fuzz",
            ":matrix_cores_tsan",
            "//stress/kernel:runner_files",
            "//stress/kernel:run_kernel.py",
        ] + programs,
        tags = ["manual"],
    )
