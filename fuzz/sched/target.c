/* SPDX-License-Identifier: MIT */
#include "fuzz/sched/target.h"

#include <string.h>

#include "core/build/prng.h"
#include "fuzz/engine/arguments.h"
#include "fuzz/fuzz_crash.h"
#include "fuzz/fuzz_program.h"
#include "fuzz/sched/run.h"
#include "fuzz/sched/search.h"

static struct program program;
static struct controlled_result result;

/* Of the input that ran last. */
static struct sched_profile profile;
static uint8_t last[PROGRAM_MAX_BYTES];
static size_t last_size = SIZE_MAX;

static bool load(struct program *to, const uint8_t *data, size_t size)
{
	if (!fuzz_load(to, data, size))
		return false;
	if (to->nr_ops > SCHED_LONGEST)
		engine_refuse("it has more than 64 operations");
	return to->nr_ops <= SCHED_LONGEST;
}

static void run(const uint8_t *data, size_t size)
{
	sched_run(&program, &profile, &result);
	last_size = size <= sizeof(last) ? size : SIZE_MAX;
	if (last_size == size && size > 0)
		memcpy(last, data, size);
}

int sched_target_run(const uint8_t *data, size_t size)
{
	const char *why;

	if (!load(&program, data, size))
		return -1;
	fuzz_crash_watch(&program);
	run(data, size);
	why = sched_verdict(&result);
	if (why)
		fuzz_crash_bug(why);
	return 0;
}

size_t sched_target_mutate(uint8_t *data, size_t size, size_t max_size,
			   unsigned int seed)
{
	uint64_t random = seed;

	if (prng_below(&random, 10) == 0 || !load(&program, data, size))
		return 0;
	if (size != last_size || memcmp(data, last, size) != 0)
		run(data, size);
	do {
		sched_mutate(&program, &profile, &random);
	} while (prng_below(&random, 4) == 0);
	if (prng_below(&random, 8) == 0 && !program_can(&program))
		sched_search(&program, &profile, &random);
	return sched_encode(&program, data, max_size, &random);
}

/* libFuzzer asks for one of the two with equal chance: decline most. */
size_t sched_target_cross_over(const uint8_t *data, size_t size,
			       const uint8_t *other_data, size_t other_size,
			       uint8_t *out, size_t max_size, unsigned int seed)
{
	static struct program other;
	uint64_t random = seed;

	if (prng_below(&random, 8) != 0 || !load(&program, data, size) ||
	    !load(&other, other_data, other_size))
		return 0;
	sched_cross_over(&program, &other, &random);
	return sched_encode(&program, out, max_size, &random);
}
