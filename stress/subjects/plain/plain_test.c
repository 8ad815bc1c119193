/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/ports/sim/sim.h"
#include "core/build/prng.h"
#include "stress/subjects/plain/plain.h"
#include "stress/subjects/plain/sample.h"

/* What came out of two tasks of the file's, on two CPUs, in many schedules. */

#define SCHEDULES 3000

static uint64_t seed;

static unsigned int choose(void *arg, enum sim_question question,
			   const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)question;
	(void)options;
	return prng_below(&seed, nr);
}

static void run_task(void *arg)
{
	void (*task)(void);

	memcpy(&task, arg, sizeof(task));
	task();
	plain_settle();
}

static void run_both(void (*a)(void), void (*b)(void), bool buffers)
{
	const struct machine_config machine = { .nr_cpus = 2,
						.nr_slots = 2,
						.nr_colours = 1,
						.nr_pages = 2,
						.local_depth = 2 };
	const struct sim_control control = { .choose = choose,
					     .store_buffers = buffers,
					     .max_steps = 1000 };

	sim_set_control(&control);
	machine_boot(&machine);
	plain_boot(sample_init);
	machine_spawn(0, run_task, &a);
	machine_spawn(1, run_task, &b);
	cr_assert_eq(machine_run(), MACHINE_DONE);
	sim_set_control(NULL);
	machine_shutdown();
}

static bool seen[4];

/* seen[n]: some schedule read the two bits of n. */
static void try_litmus(void (*a)(void), void (*b)(void), bool buffers)
{
	memset(seen, 0, sizeof(seen));
	for (seed = 0; seed < SCHEDULES; seed++) {
		uint64_t keep = seed;

		run_both(a, b, buffers);
		seen[(sample_read[0] & 1) << 1 | (sample_read[1] & 1)] = true;
		seed = keep;
	}
}

Test(plain, without_buffers_one_sees_the_other)
{
	try_litmus(sample_store_x_load_y, sample_store_y_load_x, false);
	cr_expect_not(seen[0]);
	cr_expect(seen[1] && seen[2] && seen[3]);
}

Test(plain, with_buffers_nobody_need_see_anything)
{
	try_litmus(sample_store_x_load_y, sample_store_y_load_x, true);
	cr_expect(seen[0] && seen[1] && seen[2] && seen[3]);
}

Test(plain, a_fence_and_an_exchange_empty_the_buffer)
{
	try_litmus(sample_fence_x, sample_exchange_y, true);
	cr_expect_not(seen[0]);
	cr_expect(seen[1] && seen[2] && seen[3]);
	try_litmus(sample_fence_x, sample_store_y_load_x, true);
	cr_expect(seen[0], "one fence alone is not enough");
}

static bool can_lose_a_count(void (*count)(void))
{
	for (seed = 0; seed < SCHEDULES; seed++) {
		uint64_t keep = seed;

		run_both(count, count, false);
		if (sample_x == 1)
			return true;
		seed = keep;
	}
	return false;
}

Test(plain, a_count_is_a_load_and_a_store)
{
	cr_expect(can_lose_a_count(sample_count));
	cr_expect_not(can_lose_a_count(sample_count_atomically));
}

static void nothing(void)
{
}

Test(plain, a_cpu_sees_its_own_stores)
{
	for (seed = 0; seed < SCHEDULES; seed++) {
		uint64_t keep = seed;

		run_both(sample_see_own, nothing, true);
		cr_assert_eq(sample_read[0], 0x04031201);
		cr_assert_eq(sample_read[1], 4);
		seed = keep;
	}
}

Test(plain, many_bytes_are_written_piece_by_piece)
{
	bool torn = false;

	for (seed = 0; seed < SCHEDULES && !torn; seed++) {
		uint64_t keep = seed;

		run_both(sample_fill, sample_look, false);
		torn = sample_read[0] == -1 && sample_read[1] == 0;
		seed = keep;
	}
	cr_expect(torn);
}

/* ---- State ---------------------------------------------------------------------------- */

Test(plain, each_boot_is_the_first)
{
	plain_boot(sample_init);
	for (int i = 0; i < 300; i++) {
		cr_assert_eq(sample_calls(), 1);
		cr_assert_eq(sample.rows[0].b, 2);
		cr_assert_eq(sample.next, &sample);
		sample_fill();
		plain_boot(sample_init);
	}
}

Test(plain, the_hash_is_of_what_differs)
{
	uint64_t new, written;

	plain_boot(sample_init);
	new = plain_hash(0);
	sample_forget_calls(2);
	cr_expect_eq(plain_hash(0), new, "it wrote what was there");
	sample_calls();
	written = plain_hash(0);
	cr_expect_neq(written, new);
	plain_boot(sample_init);
	cr_expect_eq(plain_hash(0), new);
	sample_calls();
	sample_forget_calls(1);
	cr_expect_eq(plain_hash(0), written, "in another order");
}

Test(plain, a_write_behind_its_back_is_refused, .exit_code = EXIT_FAILURE)
{
	plain_boot(sample_init);
	sample.rows[2].a = 7;
	plain_boot(sample_init);
}

Test(plain, a_write_that_is_told_of_is_none)
{
	plain_boot(sample_init);
	plain_touch(&sample.rows[2].a, sizeof(int));
	sample.rows[2].a = 7;
	plain_boot(sample_init);
	cr_expect_eq(sample.rows[2].a, 0);
}

/* ---- Names ------------------------------------------------------------------------------ */

Test(plain, variables_have_names)
{
	cr_expect_str_eq(plain_word(&sample_x), "sample_x");
	cr_expect_str_eq(plain_word(&sample.rows[1].b), "sample+12");
	cr_expect(plain_is_variable(&sample_read[1]));
	cr_expect_null(plain_word(&seed));
}
