/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <criterion/criterion.h>

#include "core/build/prng.h"
#include "fuzz/sched/mutator.h"

#define ROUNDS 100000
#define MOST_BYTES 520 /* fuzz.bzl's max_len */

static struct program program;
static struct program again;
static struct sched_profile profile;
static uint8_t bytes[PROGRAM_MAX_BYTES];
static uint8_t bytes_again[PROGRAM_MAX_BYTES];

static void random_bytes(uint8_t *to, size_t len, uint64_t *seed)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)prng_next(seed);
}

/* Like a run's, but as wrong as it may get: numbers within their limits. */
static void random_profile(uint64_t *seed)
{
	profile.steps = prng_below(seed, 4) ? prng_below(seed, 300)
					    : prng_below(seed, 20000);
	random_bytes(profile.access, sizeof(profile.access), seed);
	for (unsigned int i = 0; i < SCHED_PROFILE_POINTS; i++)
		profile.task[i] = (uint8_t)prng_below(seed,
						      PROGRAM_MAX_TASKS + 2);
	for (unsigned int i = 0; i < PROGRAM_MAX_OPS; i++) {
		profile.op_begin[i] = 1 + prng_below(seed, 200);
		profile.op_end[i] = prng_below(seed, 2) *
				    (profile.op_begin[i] + prng_below(seed, 50));
	}
	profile.nr_hot = prng_below(seed, 20);
	for (unsigned int i = 0; i < profile.nr_hot; i++)
		profile.hot[i] = (struct sched_hot){
			.step = (uint16_t)(1 + prng_below(seed, 300)),
			.task = (uint8_t)(1 + prng_below(seed, SCHED_HANDLER)),
		};
}

/* Any program, from bytes; the choices played are some of its own. */
static void random_input(uint64_t *seed)
{
	size_t len = prng_below(seed, 16) ? prng_below(seed, 80)
					  : prng_below(seed, MOST_BYTES + 1);

	random_bytes(bytes, len, seed);
	bytes[0] = (uint8_t)((bytes[0] & 15) | PROGRAM_CHOICES_VERSION << 4);
	program_decode(&program, bytes, len);
	profile.nr_played = program.nr_choices / 2;
	memcpy(profile.played, program.choices,
	       profile.nr_played * sizeof(profile.played[0]));
}

/* What was encoded decodes to a program that encodes to the same. */
static void expect_round_trip(size_t len, size_t size)
{
	size_t len_again;

	cr_assert_leq(len, size);
	program_decode(&again, bytes, len);
	cr_assert_eq(again.nr_ops, program.nr_ops);
	cr_assert_eq(again.nr_choices, program.nr_choices);
	len_again = program_encode(&again, bytes_again, sizeof(bytes_again));
	cr_assert_eq(len, len_again);
	cr_assert_eq(memcmp(bytes, bytes_again, len), 0);
}

static void expect_in_order(const struct program *p)
{
	for (unsigned int i = 0; i < p->nr_choices; i++) {
		cr_assert_geq(p->choices[i].step,
			      i == 0 ? 0 : p->choices[i - 1].step);
		cr_assert_leq(p->choices[i].step, CHOICE_MAX_STEP);
		cr_assert_eq(p->choices[i].step == 0,
			     choice_of_boot(p->choices[i].kind));
	}
}

static bool has_alloc(const struct program *p)
{
	return p->nr_choices > 0 && p->choices[0].step == 0;
}

Test(sched_mutator, mutants_are_programs_and_every_kind_happens)
{
	unsigned int happened[SCHED_NR_MUTATIONS] = { 0 };
	unsigned int came = 0;
	uint64_t seed = 1;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		size_t size = PROGRAM_HEADER_BYTES +
			      prng_below(&seed, MOST_BYTES);
		size_t len;
		enum sched_mutation which;
		bool had;

		if (i % 16 == 0)
			random_profile(&seed);
		if (i % 4 == 0)
			random_input(&seed);
		had = has_alloc(&program);
		which = sched_mutate(&program, &profile, &seed);
		happened[which]++;
		expect_in_order(&program);
		came += !had && has_alloc(&program);
		/* It has no step to move to, and goes only if it is taken. */
		if (which != SCHED_DELETE_CHOICE && which != SCHED_TIDY)
			cr_assert(!had || has_alloc(&program), "by %u", which);
		len = sched_encode(&program, bytes, size, &seed);
		cr_assert_gt(len, 0);
		expect_round_trip(len, size);
	}
	for (unsigned int k = 0; k < SCHED_NR_MUTATIONS; k++)
		cr_expect_gt(happened[k], ROUNDS / 1000, "mutation %u", k);
	cr_expect_gt(came, ROUNDS / 1000, "failing allocations");
}

static size_t mutant_of_random_input(uint64_t input, uint64_t mutation,
				     uint8_t *to)
{
	random_profile(&input);
	random_input(&input);
	sched_mutate(&program, &profile, &mutation);
	return sched_encode(&program, to, MOST_BYTES, &mutation);
}

Test(sched_mutator, same_seed_same_mutant)
{
	unsigned int different = 0;

	for (uint64_t i = 0; i < ROUNDS / 10; i++) {
		size_t len = mutant_of_random_input(i, i, bytes_again);
		static uint8_t first[PROGRAM_MAX_BYTES];

		memcpy(first, bytes_again, len);
		cr_assert_eq(mutant_of_random_input(i, i, bytes_again), len);
		cr_assert_eq(memcmp(first, bytes_again, len), 0);
		different += mutant_of_random_input(i, i + 1, bytes_again) !=
				     len ||
			     memcmp(first, bytes_again, len) != 0;
	}
	cr_expect_gt(different, ROUNDS / 10 * 9 / 10);
}

Test(sched_mutator, children_are_programs)
{
	static struct program other;
	unsigned int happened[SCHED_NR_CROSS_OVERS] = { 0 };
	uint64_t seed = 3;

	for (unsigned int i = 0; i < ROUNDS / 10; i++) {
		size_t len;

		random_input(&seed);
		other = program;
		random_input(&seed);
		happened[sched_cross_over(&program, &other, &seed)]++;
		expect_in_order(&program);
		len = sched_encode(&program, bytes, MOST_BYTES, &seed);
		expect_round_trip(len, MOST_BYTES);
	}
	for (unsigned int k = 0; k < SCHED_NR_CROSS_OVERS; k++)
		cr_expect_gt(happened[k], ROUNDS / 100, "cross-over %u", k);
}

/* ---- What mutations mean -------------------------------------------------------- */

static const char text[] = "machine cpus=2 slots=2 pages=3\n"
			   "task A cpu=0: kmap p0; kunmap p0\n"
			   "task B cpu=1: kmap p0; kunmap p0\n"
			   "irq I cpu=1: get p0; kunmap p0\n"
			   "choices v2: 3=B 25=A\n";

/* Its run: each operation of a task takes ten steps; A stores at 4 and 6. */
static void start(void)
{
	struct program_error error;

	cr_assert(program_parse(&program, text, sizeof(text) - 1, &error));
	memset(&profile, 0, sizeof(profile));
	profile.steps = 40;
	for (unsigned int step = 1; step <= 40; step++) {
		profile.task[step] = step <= 20 ? 1 : 2;
		profile.access[step] = SIM_LOAD;
	}
	for (unsigned int i = 0; i < 4; i++) {
		profile.op_begin[i] = 10 * i + 1;
		profile.op_end[i] = 10 * i + 11;
	}
	profile.access[4] = SIM_STORE;
	profile.access[6] = SIM_STORE;
	profile.access[9] = SIM_CAS;
}

/* Mutants of the program above, of one kind only. */
static void mutate_until(enum sched_mutation wanted, uint64_t *seed)
{
	do {
		start();
	} while (sched_mutate(&program, &profile, seed) != wanted);
}

Test(sched_mutator, choices_move_with_their_operation)
{
	uint64_t seed = 4;

	for (unsigned int i = 0; i < 100; i++) {
		mutate_until(SCHED_DELETE_OP, &seed);
		cr_assert_eq(program.nr_ops, 5);
		cr_assert_leq(program.choices[0].step, 3);
		/* Before it: nothing moves. In it: to its begin. After: by 10. */
		cr_assert(program.choices[1].step == 25 ||
			  program.choices[1].step == 21 ||
			  program.choices[1].step == 15);
	}
}

Test(sched_mutator, a_choice_moves_by_three_at_most)
{
	uint64_t seed = 5;

	for (unsigned int i = 0; i < 100; i++) {
		mutate_until(SCHED_MOVE_CHOICE, &seed);
		cr_assert_leq(program.choices[0].step, 6);
		cr_assert_geq(program.choices[1].step, 22);
		cr_assert_leq(program.choices[1].step, 28);
	}
}

static unsigned int count_choices(enum choice_kind kind)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < program.nr_choices; i++)
		nr += program.choices[i].kind == kind;
	return nr;
}

Test(sched_mutator, delayed_stores_end_before_a_locked_access)
{
	uint64_t seed = 6;
	unsigned int both = 0;

	for (unsigned int i = 0; i < 100; i++) {
		mutate_until(SCHED_DELAY_STORES, &seed);
		both += count_choices(CHOICE_HOLD) == 2;
		for (unsigned int c = 0; c < program.nr_choices; c++)
			if (program.choices[c].kind == CHOICE_HOLD)
				cr_assert(program.choices[c].step == 4 ||
					  program.choices[c].step == 6);
		/* The two that were there, and one more in time. */
		cr_assert_eq(count_choices(CHOICE_RUN), 3);
	}
	cr_expect_gt(both, 10);
}

Test(sched_mutator, a_conflict_is_turned_round)
{
	uint64_t seed = 7;
	unsigned int turned = 0;

	for (unsigned int i = 0; i < 100; i++) {
		do {
			start();
			profile.nr_hot = 1;
			profile.hot[0] = (struct sched_hot){ 14, 2 };
		} while (sched_mutate(&program, &profile, &seed) !=
			 SCHED_INSERT_CHOICE);
		cr_assert_eq(program.nr_choices, 3);
		turned += program.choices[1].step == 14 &&
			  program.choices[1].kind == CHOICE_RUN &&
			  program.choices[1].arg == 1;
	}
	cr_expect_gt(turned, 30);
}

/* Nothing that the simulated machine asks is beyond its reach. */
Test(sched_mutator, makes_choices_of_every_kind)
{
	static const struct choice gone = { 5, CHOICE_OFFLINE, 1 };
	unsigned int made[CHOICE_NR_KINDS] = { 0 };
	uint64_t seed = 10;

	for (unsigned int i = 0; i < 100000; i++) {
		start();
		profile.access[12] = SIM_PARK;
		profile.access[32] = SIM_SHOOTDOWN;
		program.choices[0] = gone; /* in every second run */
		program.nr_choices = i % 2;
		sched_mutate(&program, &profile, &seed);
		for (unsigned int c = 0; c < program.nr_choices; c++) {
			unsigned int kind = program.choices[c].kind;

			made[kind] += kind == CHOICE_ONLINE || i % 2 == 0;
		}
	}
	for (unsigned int k = 0; k < CHOICE_NR_KINDS; k++)
		cr_expect_gt(made[k], 9, "choices of kind %u: %u", k, made[k]);
}

Test(sched_mutator, tidy_keeps_what_was_played)
{
	uint64_t seed = 8;

	do {
		start();
		profile.nr_played = 1;
		profile.played[0] = program.choices[1];
	} while (sched_mutate(&program, &profile, &seed) != SCHED_TIDY);
	cr_assert_eq(program.nr_choices, 1);
	cr_assert_eq(program.choices[0].step, 25);
}

Test(sched_mutator, what_does_not_fit_is_left_out)
{
	uint64_t seed = 9;
	size_t len;

	start();
	len = sched_encode(&program, bytes, PROGRAM_HEADER_BYTES + 5, &seed);
	cr_assert_eq(len, PROGRAM_HEADER_BYTES + 4);
	cr_assert_eq(program.nr_ops + program.nr_choices, 2);
	start();
	cr_assert_eq(sched_encode(&program, bytes, 3, &seed), 0);
}
