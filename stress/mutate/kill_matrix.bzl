# SPDX-License-Identifier: MIT
"""Every mutant under every technique, and few things to build for it.

Most mutants differ from the core in one file. So the other files are compiled
once for each file that mutants break, and the whole becomes a shared library.
The programs that judge it are linked once, without a core: the loader gives
them the library that LD_PRELOAD names. Only the kernel is linked for each
mutant.

A mutant of a port is in the program, not in the core. It gets a kernel of its
own, or MUTANT.TECHNIQUE, linked with its port.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load(
    "//core/build:highmem.bzl",
    "CORE_HEADERS",
    "CORE_SOURCES",
    "label_of",
    "port_constraints",
    "port_library",
)
load("//core/build:variant.bzl", "variant_binary", "variant_file")
load("//fuzz:fuzz.bzl", "cc_fuzz_test")
load("//stress/kernel:kernel.bzl", "kernel_image")
load("//stress/torture:torture.bzl", "torture_binary")
load(
    ":broken.bzl",
    "PORTS",
    "breaks_port",
    "broken_header",
    "broken_ports",
    "source_path",
)

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

def _library(name, port, srcs, headers_first = {}):
    port_library(
        name = name,
        testonly = True,
        srcs = srcs + [label_of(h) for h in CORE_HEADERS],
        headers_first = headers_first,
        port = port,
        tags = ["manual"],
        alwayslink = True,
        deps = ["//core/build:instrumentation"],
    )

def _all_but(path):
    return [label_of(s) for s in CORE_SOURCES if s != path] + \
           ["//core/build:instrumentation.c"]

def _rest(port, path):
    stem = path.split("/")[-1].split(".")[0]
    return "matrix_rest_of_%s_%s" % (stem, port)

def _rests(port, paths):
    for path in paths:
        _library(_rest(port, path), port, _all_but(path))

def _core(name, source, port):
    """[labels] that make up the broken core."""
    one = "matrix_%s_%s" % (name, port)
    header = broken_header(name, source)
    if header:
        _library(one, port, _all_but(None), header)
        return [one]
    path = source_path(source)
    healthy = name == HEALTHY
    _library(one, port, [label_of(path) if healthy else name + "_source"])
    return [one, _rest(port, path)]

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

def _kernel(name, core):
    kernel_image(
        name = name + ".kernel",
        core = core,
        tags = ["manual"],
    )
    return name + ".kernel"

def _core_mutant(name, source, shared):
    """Its shared libraries go to `shared`; returns its kernel."""
    parts = {port: _core(name, source, port) for port in PORTS}
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
    return _kernel(name, name + "_matrix_i686")

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

# What judges a mutant of a port.
_OF_PORT = {
    "host": _tsan_of_port,
    "i686": _kernel,
    "sim": _unit_of_port,
}

def _port_mutant(name, source):
    """Returns the program that judges the core that canary() declares."""
    port = broken_ports(source)[0]
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
        tags = [
            "manual",
            "no-oss-fuzz",
        ],
        deps = fuzz_deps + ["matrix_format"],
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
            "matrix_format",
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
    sources = {n: mutant["source"] for n, mutant in mutants.items()}
    sources[HEALTHY] = "pkmap.c"
    paths = [source_path(s) for s in sources.values() if not breaks_port(s)]
    for port in PORTS:
        _rests(port, depset([p for p in paths if p.endswith(".c")]).to_list())
    shared = {flavour: [] for flavour in _FLAVOURS}
    programs, short = [], []
    for n, source in sources.items():
        if not breaks_port(source):
            programs.append(_core_mutant(n, source, shared))
        elif broken_ports(source) == ["sim"]:
            short.append(_port_mutant(n, source))
        else:
            programs.append(_port_mutant(n, source))
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
