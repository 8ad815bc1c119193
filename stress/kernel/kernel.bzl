# SPDX-License-Identifier: MIT
"""Links the test kernel with any core: the healthy one, or a canary."""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("@rules_shell//shell:sh_test.bzl", "sh_test")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load("//core/build:highmem.bzl", "port_constraints")
load("//core/build:variant.bzl", "variant_file")

_LINK_SCRIPT = "//core/ports/i686:link.ld"

def kernel_image(name, core = "//core:highmem_i686", mode = "opt", **kwargs):
    """A multiboot image that tests `core`, built for i686 from any platform.

    Args:
      name: of the target whose one file is the image.
      core: a highmem_library(port = "i686").
      mode: compilation mode.
      **kwargs: handed on to the target of that name.
    """
    cc_binary(
        name = name + ".elf",
        testonly = True,
        copts = HIGHMEM_COPTS,
        additional_linker_inputs = [_LINK_SCRIPT],
        linkopts = ["-Wl,-T,$(location %s)" % _LINK_SCRIPT],
        # Built through the target below.
        tags = ["manual"],
        target_compatible_with = port_constraints("i686"),
        deps = [
            core,  # first: a canary may bring a file of the port
            "//core/ports/i686",
            "//stress/kernel:cases",
        ],
    )
    variant_file(
        name = name,
        testonly = True,
        srcs = [":" + name + ".elf"],
        mode = mode,
        platform = "i686",
        **kwargs
    )

def kernel_test(name, kernel, args = [], **kwargs):
    """Boots an image in QEMU; passes if every case does and the log is whole.

    What this kernel cannot do (as two CPUs) is printed as skipped, and passes.

    Args:
      name: of the test.
      kernel: a kernel_image.
      args: more arguments of run_kernel.py.
      **kwargs: handed on to sh_test.
    """
    sh_test(
        name = name,
        srcs = ["//stress/kernel:run_kernel.py"],
        args = [
            "--kernel",
            "$(location %s)" % kernel,
            # Less than bazel's own, to end with a sentence.
            "--timeout=45s",
            "--skip-passes",
        ] + args,
        data = [
            kernel,
            "//stress/kernel:runner_files",
        ],
        **kwargs
    )
