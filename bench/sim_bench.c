/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/runner.h"
#include "core/build/prng.h"
#include "core/ports/sim/control.h"
#include "stress/explore/explore.h"
#include "stress/schedule/controlled.h"

/*
 * The instrument itself: how fast the simulated machine runs programs under
 * the full oracle, and what of it costs how much. All of it is one thread, so
 * the clock is that thread's own: what else the host does hardly moves it.
 */

/* Three tasks of about 20 points: one map that misses, and its unmap, each. */
static const char three_tasks[] = "machine cpus=3 slots=2 pages=3\n"
				  "task A cpu=0: kmap p0; kunmap p0\n"
				  "task B cpu=1: kmap p1; kunmap p1\n"
				  "task C cpu=2: kmap p0; kunmap p0\n";

/* Inputs as a fuzzer has them, drawn once. */
#define INPUT_BYTES 64
#define NR_INPUTS 256

static double cpu_seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(struct bench_result *result, const char *why)
{
	if (result->status != BENCH_FINE)
		return;
	result->status = BENCH_BUG;
	snprintf(result->why, sizeof(result->why), "%s", why);
}

static void add_counter(struct bench_result *result, const char *name,
			double value)
{
	assert(result->nr_counters < BENCH_MAX_COUNTERS);
	result->counter[result->nr_counters].name = name;
	result->counter[result->nr_counters].value = value;
	result->nr_counters++;
}

static void load(struct program *program)
{
	struct program_error error;
	bool good = program_parse(program, three_tasks, sizeof(three_tasks) - 1,
				  &error);

	assert(good);
	(void)good;
}

/* ---- Schedules ----------------------------------------------------------- */

/* A depth-first search that is through begins anew. */
static void search(const struct search_options *options, uint64_t n,
		   struct bench_result *result)
{
	static struct search_result found;
	static struct program program;
	struct search_options rest = *options;
	uint64_t steps = 0, pruned = 0;
	uint64_t seed = 1;
	double began;

	load(&program);
	began = cpu_seconds();
	for (uint64_t left = n; left > 0; left -= found.schedules) {
		rest.iterations = left;
		if (search_program(&program, &rest, &seed, &found) ==
		    SEARCH_BUG) {
			fail(result, found.run.exec.sentence);
			break;
		}
		steps += found.steps;
		pruned += found.pruned;
	}
	result->seconds = cpu_seconds() - began;
	add_counter(result, "points", (double)steps / (double)n);
	add_counter(result, "pruned", (double)pruned / (double)n);
}

static void schedule_random(uint64_t n, struct bench_result *result)
{
	search(&(struct search_options){ .strategy = SEARCH_RANDOM }, n,
	       result);
}

static void schedule_faults(uint64_t n, struct bench_result *result)
{
	search(&(struct search_options){ .strategy = SEARCH_RANDOM,
					 .faults = CONTROLLED_ALL_FAULTS },
	       n, result);
}

static void schedule_dfs(uint64_t n, struct bench_result *result)
{
	search(&(struct search_options){ .strategy = SEARCH_DFS,
					 .max_preemptions = 3 },
	       n, result);
}

static void schedule_dfs_pruned(uint64_t n, struct bench_result *result)
{
	search(&(struct search_options){ .strategy = SEARCH_DFS,
					 .max_preemptions = 3,
					 .prune = true },
	       n, result);
}

/* ---- The state as a number ----------------------------------------------- */

struct hashing {
	uint64_t n;
	double seconds;
	bool done;
	bool differs;
};

/* Once, where all three tasks are in the middle of something. */
static unsigned int hash_here(void *arg, uint32_t step,
			      enum sim_question question,
			      const uint8_t *options, unsigned int nr)
{
	struct hashing *h = arg;
	uint64_t first = sim_state_hash() ^ exec_state_hash();
	double began;

	(void)options;
	if (step < 30 || h->done)
		return question == SIM_WHO && step % 7 == 0 ? nr - 1 : 0;
	began = cpu_seconds();
	for (uint64_t i = 0; i < h->n; i++)
		h->differs |= (sim_state_hash() ^ exec_state_hash()) != first;
	h->seconds = cpu_seconds() - began;
	h->done = true;
	return 0;
}

static void state_hash(uint64_t n, struct bench_result *result)
{
	static struct controlled_result run;
	static struct program program;
	struct hashing hashing = { .n = n };
	const struct controlled_options options = {
		.choose = hash_here,
		.arg = &hashing,
	};

	load(&program);
	controlled_run(&program, &options, &run);
	result->seconds = hashing.seconds;
	if (run.exec.verdict == EXEC_BUG)
		fail(result, run.exec.sentence);
	if (!hashing.done || hashing.differs)
		fail(result, "one state has two numbers, or none was reached");
}

/* ---- One program after the other ----------------------------------------- */

/* A header and 28 operations, no choices: those are for controlled runs. */
static void draw_input(uint8_t *bytes, uint64_t *seed)
{
	for (unsigned int b = 0; b < INPUT_BYTES; b++)
		bytes[b] = (uint8_t)prng_next(seed);
	for (unsigned int b = PROGRAM_HEADER_BYTES; b < INPUT_BYTES; b += 2)
		bytes[b] = (uint8_t)(prng_below(seed, OP_NR_KINDS) << 3 |
				     (bytes[b] & 7));
}

static const uint8_t *input(uint64_t i)
{
	static uint8_t bytes[NR_INPUTS][INPUT_BYTES];
	uint64_t seed = 1;

	for (unsigned int nr = 0; i == 0 && nr < NR_INPUTS; nr++)
		draw_input(bytes[nr], &seed);
	return bytes[i % NR_INPUTS];
}

static void execute(uint64_t n, struct bench_result *result)
{
	static const struct exec_options options = { .repeat = 1 };
	static struct exec_result run;
	static struct program program;
	uint64_t performed = 0;
	double began = cpu_seconds();

	for (uint64_t i = 0; i < n; i++) {
		program_decode(&program, input(i), INPUT_BYTES);
		exec_program(&program, &options, &run);
		performed += run.nr_performed;
		if (run.verdict == EXEC_BUG)
			fail(result, run.sentence);
	}
	result->seconds = cpu_seconds() - began;
	add_counter(result, "performed", (double)performed / (double)n);
}

static void decode(uint64_t n, struct bench_result *result)
{
	static struct program program;
	uint64_t ops = 0;
	double began = cpu_seconds();

	for (uint64_t i = 0; i < n; i++) {
		program_decode(&program, input(i), INPUT_BYTES);
		ops += program.nr_ops;
	}
	result->seconds = cpu_seconds() - began;
	add_counter(result, "ops", (double)ops / (double)n);
}

static void boot(uint64_t n, struct bench_result *result)
{
	static const struct machine_config config = {
		.nr_cpus = 3,
		.nr_slots = 2,
		.nr_colours = 1,
		.nr_pages = 3,
		.local_depth = 4,
	};
	double began = cpu_seconds();

	for (uint64_t i = 0; i < n; i++) {
		machine_boot(&config);
		machine_shutdown();
	}
	result->seconds = cpu_seconds() - began;
	if (machine_take_bug())
		fail(result, "a machine does not boot");
}

/* ---- For main.cc --------------------------------------------------------- */

/* The figure of a fuzz target is one of a build with sanitizers. */
#ifdef __has_feature
#define AS_FUZZ_TARGET __has_feature(address_sanitizer)
#else
#define AS_FUZZ_TARGET 0
#endif

/* Operations per second on one core; 0: nobody asks. */
static const struct {
	const char *name;
	void (*measure)(uint64_t n, struct bench_result *result);
	double gate;
	double goal;
} rows[] = {
#if AS_FUZZ_TARGET
	{ "schedule/random", schedule_random, 0, 0 },
	{ "exec/bytes:64", execute, 30000, 100000 },
#else
	{ "schedule/random", schedule_random, 100000, 200000 },
	{ "exec/bytes:64", execute, 0, 0 },
#endif
	{ "schedule/faults", schedule_faults, 0, 0 },
	{ "schedule/dfs", schedule_dfs, 0, 0 },
	{ "schedule/dfs_pruned", schedule_dfs_pruned, 0, 0 },
	{ "decode/bytes:64", decode, 0, 0 },
	{ "state_hash", state_hash, 0, 0 },
	{ "boot", boot, 0, 0 },
};

unsigned int bench_count(void)
{
	return sizeof(rows) / sizeof(rows[0]);
}

const char *bench_name(unsigned int nr)
{
	return rows[nr].name;
}

/* What is asked of the row, and whether it does that: 1 or 0. */
static void judge(unsigned int nr, double rate, struct bench_result *result)
{
	add_counter(result, "per_second", rate);
	if (rows[nr].goal == 0)
		return;
	add_counter(result, "gate", rows[nr].gate);
	add_counter(result, "gate_holds", rate >= rows[nr].gate);
	add_counter(result, "goal", rows[nr].goal);
	add_counter(result, "goal_holds", rate >= rows[nr].goal);
}

void bench_measure(unsigned int nr, uint64_t n, struct bench_result *result)
{
	assert(nr < bench_count());
	memset(result, 0, sizeof(*result));
	rows[nr].measure(n, result);
	if (result->seconds > 0)
		judge(nr, (double)n / result->seconds, result);
}
