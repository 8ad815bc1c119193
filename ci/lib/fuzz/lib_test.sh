#!/bin/sh
# SPDX-License-Identifier: MIT
export PYTHONPATH=ci/lib:fuzz/engine
exec /usr/bin/python3 -B -m fuzz.lib_test "$1"
