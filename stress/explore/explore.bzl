# SPDX-License-Identifier: MIT
"""The explorer, on the healthy core or on another one."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load("//core/build:highmem.bzl", "port_constraints")
load("//core/build:variant.bzl", "variant_binary")

# Files, signals and processes of POSIX.
EXPLORE_COPTS = HIGHMEM_COPTS + ["-D_DEFAULT_SOURCE"]

def explore_binary(name, core = "//core:highmem_sim", subject = None, **kwargs):
    """The explore program. Optimised: it is made to run many schedules.

    Args:
      name: of the binary.
      core: the core that it explores; and the machine is built with it.
      subject: a subject_library() in the core's place.
      **kwargs: handed on to the binary.
    """
    cc_binary(
        name = name + "_raw_",
        testonly = True,
        linkstatic = True,
        tags = ["manual"],
        target_compatible_with = port_constraints("sim"),
        deps = ([subject] if subject else []) + [
            "//stress/explore:verbs",
            core,
        ],
    )
    variant_binary(
        name = name,
        testonly = True,
        binary = ":%s_raw_" % name,
        mode = "opt",
        **kwargs
    )
