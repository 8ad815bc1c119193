#!/bin/sh
# SPDX-License-Identifier: MIT
exec /usr/bin/python3 -B ci/recipes/recipes_test.py
