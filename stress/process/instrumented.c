/* SPDX-License-Identifier: MIT */
#include "stress/process/instrumented.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <highmem/format.h>

#include "core/build/instrumentation.h"

enum {
	REQUIRED = 0
#ifdef REQUIRE_ASAN
		   | INSTRUMENTED_ASAN
#endif
#ifdef REQUIRE_UBSAN
		   | INSTRUMENTED_UBSAN
#endif
#ifdef REQUIRE_TSAN
		   | INSTRUMENTED_TSAN
#endif
#ifdef REQUIRE_MSAN
		   | INSTRUMENTED_MSAN
#endif
};

/* A build for another machine says itself where it is, or nothing. */
#ifndef SYMBOLIZER
#define SYMBOLIZER \
	":external_symbolizer_path=/usr/lib/llvm-19/bin/llvm-symbolizer"
#endif

/* The runtimes look these up by name; each is unused without its runtime. */
const char *__asan_default_options(void);
const char *__msan_default_options(void);
const char *__ubsan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
	return "exitcode=77" SYMBOLIZER;
}

const char *__msan_default_options(void)
{
	return "exitcode=77" SYMBOLIZER;
}

const char *__ubsan_default_options(void)
{
	return "exitcode=77:print_stacktrace=1" SYMBOLIZER;
}

const char *__tsan_default_options(void)
{
	return "exitcode=77:halt_on_error=1:atexit_sleep_ms=0" SYMBOLIZER;
}

static _Noreturn void refuse(const char *what, const char *where)
{
	fprintf(stderr,
		"instrumented: %s is required by this build and missing in %s; "
		"use the clang toolchain of ci/toolchain and no \"-feature\"\n",
		what, where);
	exit(1);
}

static void require_sanitizers(int present, const char *where)
{
	int missing = REQUIRED & ~present;

	if (missing & INSTRUMENTED_ASAN)
		refuse("AddressSanitizer", where);
	if (missing & INSTRUMENTED_UBSAN)
		refuse("UndefinedBehaviorSanitizer", where);
	if (missing & INSTRUMENTED_TSAN)
		refuse("ThreadSanitizer", where);
	if (missing & INSTRUMENTED_MSAN)
		refuse("MemorySanitizer", where);
}

#ifdef REQUIRE_LIBFUZZER

/*
 * The linker gathers libFuzzer's edge counters in one section and, in the same
 * order, the address of each edge in another. Weak: an uninstrumented program
 * has neither.
 */
struct edge {
	uintptr_t pc;
	uintptr_t flags;
};

#define SECTION_BOUND __attribute__((weak, visibility("hidden")))

extern const volatile uint8_t __start___sancov_cntrs[] SECTION_BOUND;
extern const volatile uint8_t __stop___sancov_cntrs[] SECTION_BOUND;
extern const struct edge __start___sancov_pcs[] SECTION_BOUND;
extern const struct edge __stop___sancov_pcs[] SECTION_BOUND;

static const volatile uint8_t *counter_of(uintptr_t function)
{
	const struct edge *edge;

	for (edge = __start___sancov_pcs; edge != __stop___sancov_pcs; edge++)
		if (edge->pc == function)
			return &__start___sancov_cntrs[edge -
						       __start___sancov_pcs];
	return NULL;
}

/* Run one function of the core and see its counter move. */
static void require_counters(void)
{
	const volatile uint8_t *counter = counter_of((uintptr_t)hm_format);
	char word[8];

	if (__stop___sancov_cntrs - __start___sancov_cntrs !=
	    __stop___sancov_pcs - __start___sancov_pcs)
		refuse("one address per edge counter", "this program");
	if (counter == NULL)
		refuse("libFuzzer's edge counter", "the core");
	hm_format(word, sizeof(word), "counted");
	if (*counter == 0)
		refuse("a counter that counts", "the core");
}

#else

static void require_counters(void)
{
}

#endif

void require_instrumented(void)
{
	require_sanitizers(INSTRUMENTATION_HERE, "the harness");
	require_sanitizers(highmem_instrumentation, "the core");
	require_counters();
}
