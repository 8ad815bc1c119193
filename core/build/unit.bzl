# SPDX-License-Identifier: MIT
"""Unit tests: Criterion, on the build machine, with the core on the sim."""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load("//core/build:highmem.bzl", "port_constraints")

# What nearly each of them includes.
_DEPS = [
    "//core:headers",
    "//core/build:criterion",
    "//core/port",
    "//core/port:machine",
    "//core/ports/sim",
]

def unit_test(
        name,
        deps,
        srcs = None,
        copts = HIGHMEM_COPTS,
        core = "//core:highmem_sim",
        **kwargs):
    """A test of its own.

    Args:
      name: of the test.
      deps: what it includes beside the usual.
      srcs: by default NAME.c.
      copts: options of the compiler.
      core: the one to link.
      **kwargs: handed on to cc_test.
    """
    cc_test(
        name = name,
        size = "small",
        srcs = srcs or [name + ".c"],
        copts = copts,
        # Criterion 2.4.1 binds /tmp/criterion_PID.sock, and in a sandbox every
        # test has the same PID: two at a time would collide.
        tags = ["no-sandbox"],
        target_compatible_with = port_constraints("sim"),
        deps = depset([core] + deps + _DEPS).to_list(),
        **kwargs
    )

def unit_tests(name, tests, deps, hdrs = []):
    """A test for each file, and all of them in one program without a core.

    stress/mutate puts a broken core under that one, stress/i386 one for i386.

    Args:
      name: of the library with all of them.
      tests: the files, without their suffix.
      deps: what they include beside the usual.
      hdrs: what they share.
    """
    for test in tests:
        unit_test(test, deps, srcs = [test + ".c"] + hdrs)
    cc_library(
        name = name,
        testonly = True,
        srcs = [test + ".c" for test in tests] + hdrs,
        copts = HIGHMEM_COPTS,
        tags = ["manual"],
        target_compatible_with = port_constraints("sim"),
        visibility = ["//stress:__subpackages__"],
        deps = depset(deps + _DEPS).to_list(),
        alwayslink = True,
    )
