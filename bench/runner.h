/* SPDX-License-Identifier: MIT */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

/* What main.cc sees of the benchmarks. C and C++. */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Exit status of all commands of this project. */
enum bench_status {
	BENCH_FINE = 0,
	BENCH_STALLED = 70,
	BENCH_BUG = 77,
};

#define BENCH_MAX_COUNTERS 8

struct bench_result {
	double seconds; /* for all operations together */
	unsigned int nr_counters;
	struct {
		const char *name;
		double value;
	} counter[BENCH_MAX_COUNTERS];
	enum bench_status status;
	char why[256]; /* unless BENCH_FINE */
};

unsigned int bench_count(void);
const char *bench_name(unsigned int nr);

/*
 * Boot a machine for benchmark @nr, perform @n operations, shut it down. The
 * tasks share the operations evenly; the clock runs from when all are ready
 * until the last one is done.
 */
void bench_measure(unsigned int nr, uint64_t n, struct bench_result *result);

#ifdef __cplusplus
}
#endif

#endif
