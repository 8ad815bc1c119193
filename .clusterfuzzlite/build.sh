#!/bin/bash -eu
# SPDX-License-Identifier: MIT
#
# The same build as OSS-Fuzz's.

exec bash -eux "$SRC/highmem/ci/oss-fuzz/build.sh"
