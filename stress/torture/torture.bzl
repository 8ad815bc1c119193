# SPDX-License-Identifier: MIT
"""The torture program, with the healthy core or with another one under it."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load("//core/build:highmem.bzl", "port_constraints")

def torture_binary(name, core = "//core:highmem_host", **kwargs):
    """The torture program.

    Args:
      name: of the cc_binary.
      core: a highmem_library() for the host port. A canary names its own.
      **kwargs: handed on to cc_binary.
    """
    label = "//%s:%s" % (native.package_name(), name)
    cc_binary(
        name = name,
        testonly = True,
        # What is said of a failure names the program that can repeat it.
        srcs = ["//stress/torture:failure.c"],
        copts = HIGHMEM_COPTS,
        local_defines = ["TORTURE_LABEL=\\\"%s\\\"" % label],
        target_compatible_with = port_constraints("host"),
        deps = [
            core,
            "//core/ports/host",
            "//stress/process:write_whole",
            "//stress/program:program_file_host",
            "//stress/torture:parts",
        ],
        **kwargs
    )
