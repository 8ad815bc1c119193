# SPDX-License-Identifier: MIT
"""Every mutant under every technique, and few things to build for it.

A mutant differs from the core in one file. So the other files are compiled once
for each file that mutants break, and the whole becomes a shared library. The
programs that judge it are linked once, without a core: the loader gives them
the library that LD_PRELOAD names. Only the kernel is linked for each mutant.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load("//core/build:highmem.bzl", "port_constraints", "port_library")
load("//core/build:variant.bzl", "variant_binary", "variant_file")
load("//fuzz:fuzz.bzl", "cc_fuzz_test")
load("//stress/kernel:kernel.bzl", "kernel_image")

_SOURCES = [
    "format.c",
    "init.c",
    "kmap_local.c",
    "page.c",
    "pkmap.c",
    "pkmap_queue.c",
    "report.c",
    "stats.c",
    "validate.c",
]

_HEADERS = [
    "//core/lib:internal.h",
    "//core/lib:pkmap_queue.h",
]

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

def _library(name, port, srcs):
    port_library(
        name = name,
        testonly = True,
        srcs = srcs + _HEADERS,
        port = port,
        tags = ["manual"],
        alwayslink = True,
        deps = ["//core/build:instrumentation"],
    )

def _rest(port, source):
    return "matrix_rest_of_%s_%s" % (source.split(".")[0], port)

def _rests(port, sources):
    for source in sources:
        _library(
            name = _rest(port, source),
            port = port,
            srcs = ["//core/lib:" + s for s in _SOURCES if s != source] +
                   ["//core/build:instrumentation.c"],
        )

def _core(name, port, source, mutated):
    """[labels] that make up the core in which `mutated` stands for `source`."""
    one = "matrix_%s_%s" % (name, port)
    _library(one, port, [mutated])
    return [one, _rest(port, source)]

def _shared(name, flavour, parts):
    cc_binary(
        name = "%s.%s.so" % (name, flavour),
        testonly = True,
        linkshared = True,
        linkstatic = True,
        tags = ["manual"],
        deps = parts,
    )
    return "%s.%s.so" % (name, flavour)

def _cores(mutants):
    """{flavour: its shared libraries}, and the kernels."""
    shared = {flavour: [] for flavour in _FLAVOURS}
    kernels = []
    for name, (source, mutated) in mutants.items():
        parts = {
            port: _core(name, port, source, mutated)
            for port in ["host", "i686", "sim"]
        }
        for flavour in _FLAVOURS:
            shared[flavour].append(
                _shared(name, flavour, parts[_FLAVOURS[flavour].port]),
            )
        cc_library(
            name = name + "_matrix_i686",
            testonly = True,
            tags = ["manual"],
            deps = parts["i686"],
        )
        kernel_image(
            name = name + ".kernel",
            core = name + "_matrix_i686",
            tags = ["manual"],
        )
        kernels.append(name + ".kernel")
    return shared, kernels

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
    variant_binary(
        name = name,
        testonly = True,
        binary = name + "_raw_",
        mode = "opt",
        sanitizers = sanitizers,
        tags = ["manual"],
    )

def _programs():
    # Without matrix_preload.c: Criterion starts this program for each test.
    _program("matrix_unit", [
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
            "//core/testing:testing_host",
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
    fuzz_deps = [
        "//core/testing:testing_sim",
        "//fuzz:fuzz_program",
    ]
    _program(
        "matrix_replay",
        fuzz_deps + ["//fuzz/engine"],
        srcs = ["//fuzz:kmap_fuzz_test.c"],
    )

    # The engine looks for the edge counters of this file in the program.
    _library("matrix_format", "sim", ["//core/lib:format.c"])
    cc_fuzz_test(
        name = "matrix_fuzz",
        srcs = [
            "matrix_preload.c",
            "//fuzz:kmap_fuzz_test.c",
        ],
        corpus = ["//fuzz:kmap_seeds"],
        linkopts = _WITHOUT_CORE,
        tags = ["manual"],
        deps = fuzz_deps + ["matrix_format"],
    )

def kill_matrix_files(name, mutants):
    """What kill_matrix.py needs.

    Targets: NAME_short, what the techniques unit, replay and explore need;
    NAME, what all need; NAME.json, the list of mutants.

    Args:
      name: of the targets.
      mutants: as in mutants.bzl.
    """
    cores = {
        n: (mutant["source"], n + "_source")
        for n, mutant in mutants.items()
    }
    cores[HEALTHY] = ("pkmap.c", "//core/lib:pkmap.c")
    for port in ["host", "i686", "sim"]:
        _rests(port, depset([s for s, _ in cores.values()]).to_list())
    shared, kernels = _cores(cores)
    _programs()
    for flavour, f in _FLAVOURS.items():
        variant_file(
            name = "matrix_cores_" + flavour,
            testonly = True,
            srcs = shared[flavour],
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
            ":matrix_unit",
        ],
        tags = ["manual"],
    )
    native.filegroup(
        name = name,
        testonly = True,
        srcs = [
            ":%s_short" % name,
            ":matrix_cores_fuzz",
            ":matrix_cores_tsan",
            ":matrix_fuzz_bin",
            ":matrix_torture",
            "//stress/kernel:ktap.py",
            "//stress/kernel:run_kernel.py",
        ] + kernels,
        tags = ["manual"],
    )
