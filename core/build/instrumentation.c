/* SPDX-License-Identifier: MIT */
#include "core/build/instrumentation.h"

const int highmem_instrumentation = INSTRUMENTATION_HERE;
