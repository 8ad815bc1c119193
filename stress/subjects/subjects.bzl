# SPDX-License-Identifier: MIT
"""The programs that test a subject."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//core/build:highmem.bzl", "port_library")
load("//fuzz:fuzz.bzl", "cc_fuzz_test")
load("//stress/explore:explore.bzl", "explore_binary")

def subject_library(name, srcs, deps = [], **kwargs):
    """What defines the_subject, for the sim.

    It is linked as a whole, and so takes the place of our core's, which is left
    in its archive.

    Args:
      name: of the library.
      srcs: one of them has the_subject.
      deps: besides the machine and the contract.
      **kwargs: handed on to port_library.
    """
    port_library(
        name = name,
        testonly = True,
        srcs = srcs,
        port = "sim",
        alwayslink = True,
        deps = deps + [
            "//core/port:machine",
            "//stress/subjects:subject",
        ],
        **kwargs
    )

def subject_binaries(name, subject, tags = ["manual"]):
    """explore_NAME, hmt_NAME, and the fuzz target NAME_fuzz_test: programs with
    their schedules.

    Args:
      name: of the subject.
      subject: its subject_library().
      tags: of all.
    """
    explore_binary(
        name = "explore_" + name,
        subject = subject,
        tags = tags,
        visibility = ["//stress:__subpackages__"],
    )
    cc_binary(
        name = "hmt_" + name,
        testonly = True,
        tags = tags,
        visibility = ["//stress:__subpackages__"],
        deps = [
            subject,
            "//core:highmem_sim",
            "//stress/hmt:main",
        ],
    )
    cc_fuzz_test(
        name = name + "_fuzz_test",
        srcs = ["//fuzz:highmem_sched_fuzz_test.c"],
        corpus = ["//fuzz:kmap_seeds"],
        tags = tags + ["no-oss-fuzz"],
        deps = [
            subject,
            "//core:highmem_sim",
            "//fuzz:fuzz_program",
            "//fuzz:sched_target",
            "//stress/oracle:oracle_sim",
        ],
    )
