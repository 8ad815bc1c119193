# SPDX-License-Identifier: MIT
"""clang-19 for the host, in 64 and 32 bits, and for an i686 with nothing on it.

Compiler flags that change what the program *is* (target, sanitizers, debug
information) live here as features; warnings live in core/build/copts.bzl.
Bazel adds its own features (include paths, libraries, archiver, copts last)
around these.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "feature_set",
    "flag_group",
    "flag_set",
    "tool_path",
    "with_feature_set",
)

_LLVM = "/usr/lib/llvm-19"

_TOOLS = {
    "ar": _LLVM + "/bin/llvm-ar",
    "cpp": _LLVM + "/bin/clang-cpp",
    "dwp": _LLVM + "/bin/llvm-dwp",
    "gcc": _LLVM + "/bin/clang",
    "gcov": _LLVM + "/bin/llvm-profdata",
    "ld": _LLVM + "/bin/ld.lld",
    "llvm-cov": _LLVM + "/bin/llvm-cov",
    "nm": _LLVM + "/bin/llvm-nm",
    "objcopy": _LLVM + "/bin/llvm-objcopy",
    "objdump": _LLVM + "/bin/llvm-objdump",
    "strip": _LLVM + "/bin/llvm-strip",
}

_C = [ACTION_NAMES.c_compile]
_CXX = [ACTION_NAMES.cpp_compile, ACTION_NAMES.linkstamp_compile]
_ASM = [ACTION_NAMES.assemble, ACTION_NAMES.preprocess_assemble]
_COMPILE = _C + _CXX + _ASM
_LINK = [
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

def _flags(actions, flags, when = None, unless = None):
    with_features = []
    if when or unless:
        with_features = [with_feature_set(
            features = when or [],
            not_features = unless or [],
        )]
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)],
        with_features = with_features,
    )

def _iterated(actions, variable, flags):
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(iterate_over = variable, flags = flags)],
    )

# For whoever unwinds in a hurry: sanitizers, the kernel as it dies. A plain
# opt build does without, which is worth 5 % of the simulated machine's speed.
_FRAMES = ["-fno-omit-frame-pointer"]

# Common to all toolchains: the language, the compilation modes, and what
# makes two builds of one tree the same bytes.  There is no -DNDEBUG in opt:
# the core's own tiers are set by HIGHMEM_DEBUG, and a test whose assert()
# vanishes when it is built fast would test nothing.
_BASE = [
    _flags(_C, ["-std=c17"]),
    _flags(_CXX, ["-std=c++17"]),
    _flags(_COMPILE, [
        "-no-canonical-prefixes",
        "-Wno-builtin-macro-redefined",
        "-D__DATE__=\"redacted\"",
        "-D__TIME__=\"redacted\"",
        "-D__TIMESTAMP__=\"redacted\"",
        "-ffile-compilation-dir=.",
        "-fno-common",
    ]),
    _flags(_COMPILE, _FRAMES, unless = ["opt"]),
    _flags(_COMPILE, ["-O0", "-g"], when = ["dbg"]),
    _flags(_COMPILE, ["-O0", "-g"], when = ["fastbuild"]),
    _flags(_COMPILE, ["-O2", "-gline-tables-only"], when = ["opt"]),
]

_HOST = [
    _flags(_COMPILE, ["-fstack-protector-strong"]),
    _flags(_LINK, ["-fuse-ld=lld", "-Wl,-z,relro,-z,now"]),
]

# The host with 32-bit pointers. Debian's gcc-multilib has the libraries.
_I386 = [
    _flags(_COMPILE, ["-m32"]),
    _flags(_LINK, ["-m32"]),
]

# Compiled for a bare ELF target, so that __linux__ is not defined; linked as
# if for Linux, because for a bare target the driver calls gcc to link.
# -nostdlibinc keeps clang's own freestanding headers and hides all others.
_I686 = [
    _flags(_COMPILE, _FRAMES, when = ["opt"]),
    _flags(_COMPILE, [
        "--target=i686-elf",
        "-march=i686",
        "-ffreestanding",
        "-nostdlibinc",
        "-fno-pic",
        "-fno-stack-protector",
        "-fno-asynchronous-unwind-tables",
    ]),
    _flags(_C + _CXX, [
        "-mno-80387",
        "-mno-mmx",
        "-mno-sse",
        "-mno-implicit-float",
    ]),
    _flags(_LINK, [
        "--target=i686-linux-gnu",
        "-fuse-ld=lld",
        "-nostdlib",
        "-static",
        "-Wl,--build-id=none",
        "-Wl,-z,noexecstack",
        # 64-bit division and shifts.
        _LLVM + "/lib/clang/19/lib/linux/libclang_rt.builtins-i386.a",
    ]),
]

def _sanitizer(name, compile, link):
    return feature(name = name, flag_sets = [
        _flags(_C + _CXX, _FRAMES, when = ["opt"]),
        _flags(_C + _CXX, compile),
        _flags(_LINK, link),
    ])

# `libfuzzer` instruments everything and lets any program link with its own
# main(); `libfuzzer_main` brings libFuzzer's, and only fuzz targets ask for it
# (`features = ["libfuzzer_main"]`).  It stays off when libFuzzer is not asked
# for, so the same target builds with the replay engine.
def _sanitizers():

    # No fake stacks: the sim makes a fiber for each task of each run, and ASan
    # would map and unmap a stack beside each.
    address = [
        "-fsanitize=address",
        "-fsanitize-address-use-after-return=never",
    ]
    undefined = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
    thread = ["-fsanitize=thread"]

    # An input is an op program in which every byte string is valid: there are
    # no magic values to find, and the hooks on comparisons cost more than all
    # the rest.
    edges = [
        "-fsanitize=fuzzer-no-link",
        "-fno-sanitize-coverage=trace-cmp",
    ]
    return [
        _sanitizer("asan", address, address),
        _sanitizer("ubsan", undefined, undefined),
        _sanitizer("tsan", thread, thread),
        _sanitizer("libfuzzer", edges, edges),
        feature(
            name = "libfuzzer_main",
            flag_sets = [_flags(
                [ACTION_NAMES.cpp_link_executable],
                ["-fsanitize=fuzzer"],
            )],
            requires = [feature_set(features = ["libfuzzer"])],
        ),
    ]

# clang's layering check: each target is a module, and a file may include only
# headers of its own module and of those its target names in deps.
def _layering():
    return [
        feature(name = "module_maps", enabled = True),
        # Else clang reads the maps of what our deps need, too, and without a
        # sandbox Bazel refuses a file that was read and not declared.
        feature(name = "module_map_without_extern_module", enabled = True),
        feature(
            name = "use_module_maps",
            flag_sets = [_flags(_C + _CXX, [
                "-fmodule-name=%{module_name}",
                "-fmodule-map-file=%{module_map_file}",
            ])],
            requires = [feature_set(features = ["module_maps"])],
        ),
        feature(
            name = "layering_check",
            flag_sets = [
                _flags(_C + _CXX, [
                    "-fmodules-strict-decluse",
                    "-Wprivate-header",
                ]),
                _iterated(
                    _C + _CXX,
                    "dependent_module_map_files",
                    ["-fmodule-map-file=%{dependent_module_map_files}"],
                ),
            ],
            implies = ["use_module_maps"],
        ),
    ]

# As Bazel's own, but for `includes = [...]`: -I, not -isystem, since our
# warnings are to be seen in our headers too.
def _include_paths():
    return feature(
        name = "include_paths",
        enabled = True,
        flag_sets = [
            _iterated(_COMPILE, "quote_include_paths", ["-iquote", "%{quote_include_paths}"]),
            _iterated(_COMPILE, "include_paths", ["-I%{include_paths}"]),
            _iterated(_COMPILE, "system_include_paths", ["-I%{system_include_paths}"]),
        ],
    )

def _linux_features(width):
    return [
        feature(name = "default_flags", enabled = True, flag_sets = _BASE + _HOST + width),
        feature(name = "supports_pic", enabled = True),
        feature(name = "supports_start_end_lib", enabled = True),
    ] + _sanitizers()

def _i686_features():
    return [
        feature(name = "default_flags", enabled = True, flag_sets = _BASE + _I686),
        feature(name = "supports_start_end_lib", enabled = True),
        # Instead of Bazel's own: there is nowhere to write counters to.
        feature(name = "coverage"),
    ]

def _clang_config_impl(ctx):
    bare = ctx.attr.os == "none"
    width = _I386 if ctx.attr.cpu == "i386" else []
    features = _i686_features() if bare else _linux_features(width)
    features += [_include_paths()] + _layering()
    features += [feature(name = mode) for mode in ["dbg", "fastbuild", "opt"]]
    system_headers = [_LLVM + "/lib/clang/19/include"]
    if not bare:
        system_headers += ["/usr/include", _LLVM + "/lib/clang/19/share"]
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        abi_libc_version = ctx.attr.os,
        abi_version = ctx.attr.os,
        compiler = "clang",
        cxx_builtin_include_directories = system_headers,
        features = features,
        host_system_name = "x86_64-linux",
        target_cpu = ctx.attr.cpu,
        target_libc = ctx.attr.os,
        target_system_name = ctx.attr.cpu + "-" + ctx.attr.os,
        tool_paths = [tool_path(name = n, path = p) for n, p in _TOOLS.items()],
        toolchain_identifier = ctx.attr.cpu + "-" + ctx.attr.os,
    )

clang_config = rule(
    implementation = _clang_config_impl,
    attrs = {
        "cpu": attr.string(mandatory = True),
        "os": attr.string(mandatory = True, values = ["linux", "none"]),
    },
    provides = [CcToolchainConfigInfo],
)
