/* SPDX-License-Identifier: MIT */
#ifndef CORE_BUILD_INSTRUMENTATION_H
#define CORE_BUILD_INSTRUMENTATION_H

/*
 * What the compiler was told to instrument, seen from the file that includes
 * this. highmem_library() puts instrumentation.c among the core's sources, so
 * that highmem_instrumentation speaks for the core's own objects.
 */

#ifndef __has_feature
#define __has_feature(x) 0
#endif

enum {
	INSTRUMENTED_ASAN = 1,
	INSTRUMENTED_UBSAN = 2,
	INSTRUMENTED_TSAN = 4,
	INSTRUMENTED_MSAN = 8,
};

#define INSTRUMENTATION_HERE \
	((__has_feature(address_sanitizer) ? INSTRUMENTED_ASAN : 0) | \
	 (__has_feature(undefined_behavior_sanitizer) ? INSTRUMENTED_UBSAN \
						      : 0) | \
	 (__has_feature(thread_sanitizer) ? INSTRUMENTED_TSAN : 0) | \
	 (__has_feature(memory_sanitizer) ? INSTRUMENTED_MSAN : 0))

extern const int highmem_instrumentation;

#endif
