/* SPDX-License-Identifier: MIT */

/*
 * Torture: for as long as time=SECONDS says, round after round, each with a
 * machine that the seed draws. Three of four rounds are the tight loops of
 * torture_task.c: a million maps need code that does little else, and op
 * programs know 14 pages, not thousands all over the RAM. The fourth is a
 * random op program, repeated, with the interrupts and switches of the loops:
 * the words that all of this project speaks, and what fails can be taken to
 * the explorer.
 */

#include <highmem/format.h>

#include "core/build/prng.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "core/ports/i686/words.h"
#include "stress/kernel/print.h"
#include "stress/kernel/torture.h"
#include "stress/oracle/exec.h"

#define STAT_INTERVAL 5 /* seconds */
#define ROUND_SECONDS 3
#define PATIENCE 60 /* seconds, for a round on a host that is busy */

#define PROGRAM_REPEAT 40
#define OPS_PER_TASK 16

/* What counts beyond 32 bits. */
struct sum {
	uint32_t billions, rest;
};

#define BILLION 1000000000u

static struct {
	uint32_t seed;
	uint32_t seconds, began, spoke;
	unsigned int cpus;
	uint32_t round_began;
	uint32_t first, rounds, programs, deadlocks;
	struct sum pairs, in_irqs, refusals, timeouts, operations;
	struct sum stats[HM_NR_STATS];
	struct sum invlpgs, full_flushes, ipis, switches, migrations;
} run;

/* ---- Sums -------------------------------------------------------------------- */

static void add(struct sum *sum, uint32_t number)
{
	uint32_t rest = number % BILLION;

	sum->billions += number / BILLION;
	sum->rest += rest; /* less than 2 billion */
	if (sum->rest >= BILLION) {
		sum->rest -= BILLION;
		sum->billions++;
	}
}

/* Decimal; one of the last few texts, for one console_printf(). */
static const char *text(const struct sum *sum)
{
	static char texts[8][24];
	static unsigned int turn;
	char *buf = texts[turn++ % 8];
	uint32_t place = BILLION / 10;
	size_t len;

	if (!sum->billions) {
		hm_format(buf, sizeof(texts[0]), "%u", sum->rest);
		return buf;
	}
	len = hm_format(buf, sizeof(texts[0]), "%u", sum->billions);
	for (; place; place /= 10)
		buf[len++] = (char)('0' + sum->rest / place % 10);
	buf[len] = '\0';
	return buf;
}

/* ---- What is said -------------------------------------------------------------- */

static void banner(void)
{
	console_printf("# torture: --- Start of test: seed=%u time=%us "
		       "cpus=%u pae=%s pages=%u round=%us stat_interval=%us\n",
		       run.seed, run.seconds, run.cpus,
		       port_facts()->pae ? "yes" : "no", TORTURE_PAGES,
		       ROUND_SECONDS, STAT_INTERVAL);
}

static void say_statistics(uint32_t now)
{
	console_printf("# torture: %u s: rounds %u, pairs %s (in interrupts "
		       "%s), refused %s, timed out %s, programs %u "
		       "(operations %s, deadlocks %u)\n",
		       now - run.began, run.rounds, text(&run.pairs),
		       text(&run.in_irqs), text(&run.refusals),
		       text(&run.timeouts), run.programs, text(&run.operations),
		       run.deadlocks);
	console_printf("# torture:   hits %s, misses %s, waits %s, handovers "
		       "%s, wakeups %s, shared %s, killed %s\n",
		       text(&run.stats[HM_STAT_HIT]),
		       text(&run.stats[HM_STAT_MISS]),
		       text(&run.stats[HM_STAT_WAIT]),
		       text(&run.stats[HM_STAT_HANDOVER]),
		       text(&run.stats[HM_STAT_WAKEUP]),
		       text(&run.stats[HM_STAT_SHARE]),
		       text(&run.stats[HM_STAT_KILLED]));
	console_printf("# torture:   shootdowns %s, IPIs %s, invlpgs %s, full "
		       "flushes %s, switches %s, migrations %s\n",
		       text(&run.stats[HM_STAT_FLUSH]), text(&run.ipis),
		       text(&run.invlpgs), text(&run.full_flushes),
		       text(&run.switches), text(&run.migrations));
	run.spoke = now;
}

/* ---- Rounds ------------------------------------------------------------------- */

static bool time_is_over(void)
{
	return i686_wall_seconds() - run.began >= run.seconds;
}

static bool round_is_over(void)
{
	return i686_wall_seconds() - run.round_began >= ROUND_SECONDS ||
	       time_is_over();
}

static void add_stats(const uint32_t *stats)
{
	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		add(&run.stats[s], stats[s]);
}

static void draw_machine(struct machine_config *machine, uint64_t *seed)
{
	bool all = prng_below(seed, 4) != 0;

	*machine = (struct machine_config){
		.nr_cpus = all ? run.cpus : 1 + prng_below(seed, run.cpus),
		.nr_slots = 2 + prng_below(seed, 7),
		.nr_colours = 1,
		.nr_pages = prng_below(seed, 4) ? TORTURE_PAGES / 8
						: TORTURE_PAGES,
		.local_depth = KM_MAX_IDX,
		.pae = port_facts()->pae,
		.force_map = prng_below(seed, 4) == 0,
	};
	if (machine->nr_slots % 2 == 0)
		machine->nr_colours = 1 + prng_below(seed, 2);
	if (prng_below(seed, 8) == 0)
		machine->nr_pages = 1 + prng_below(seed, 16);
}

static const char *loops(uint64_t *seed)
{
	struct torture_round round;
	struct torture_counts counts;
	const char *why;

	draw_machine(&round.machine, seed);
	/* One more is needed for the last flush. */
	round.nr_tasks = 2 + prng_below(seed, MACHINE_MAX_TASKS - 2);
	round.hz = 250u << prng_below(seed, 6);
	why = torture_loops(&round, (uint32_t)prng_next(seed), round_is_over,
			    &counts);
	add(&run.pairs, counts.pairs);
	add(&run.in_irqs, counts.in_irqs);
	add(&run.refusals, counts.refusals);
	add(&run.timeouts, counts.timeouts);
	add_stats(counts.stats);
	return why;
}

static void switch_often(void *unused)
{
	(void)unused;
	i686_resched();
}

/*
 * An op program's handler belongs to one CPU, and its state is not made for
 * two at a time; but here a task may raise it from anywhere it has moved to.
 */
static void drop_interrupts(struct program *it)
{
	for (unsigned int i = 0; i < it->nr_ops; i++)
		if (it->ops[i].kind == OP_RAISE)
			it->ops[i].kind = OP_YIELD;
}

static const char *run_program(uint64_t *seed)
{
	static const struct exec_options options = {
		.repeat = PROGRAM_REPEAT,
		.parallel = true,
	};
	static struct exec_result result;
	static struct program it;
	struct machine_config machine;

	draw_machine(&machine, seed);
	machine.nr_pages = 4 + prng_below(seed, PROGRAM_MAX_HIGHMEM - 3);
	program_generate(&it, &machine, PROGRAM_MAX_TASKS, OPS_PER_TASK, seed);
	drop_interrupts(&it);
	i686_timer(4000, switch_often, NULL);
	exec_program(&it, &options, &result);
	i686_timer(I686_TIMER_HZ, NULL, NULL);
	run.programs++;
	run.deadlocks += result.verdict == EXEC_DEADLOCK;
	add(&run.operations, result.nr_performed);
	add_stats(result.stats);
	if (result.verdict != EXEC_BUG)
		return NULL;
	print_program(&it);
	return result.sentence;
}

static const char *programs(uint64_t *seed)
{
	const char *why;

	do
		why = run_program(seed);
	while (!why && !round_is_over());
	return why;
}

static void count_machine(const struct i686_counts *before)
{
	struct i686_counts after = i686_counts();

	add(&run.invlpgs, after.invlpgs - before->invlpgs);
	add(&run.full_flushes, after.full_flushes - before->full_flushes);
	add(&run.ipis, after.ipis - before->ipis);
	add(&run.switches, after.switches - before->switches);
	add(&run.migrations, after.migrations - before->migrations);
}

static const char *run_round(void)
{
	struct i686_counts before = i686_counts();
	uint32_t round = run.first + run.rounds;
	uint64_t seed = (uint64_t)run.seed << 32 | round;
	const char *why;

	i686_watchdog(PATIENCE);
	run.round_began = i686_wall_seconds();
	if (round % 4 == 3)
		why = programs(&seed);
	else
		why = loops(&seed);
	count_machine(&before);
	run.rounds++;
	return why;
}

static const char *run_rounds(void)
{
	const char *why = NULL;
	uint32_t now;

	while (!why && !time_is_over()) {
		why = run_round();
		if (why)
			console_printf("# torture: !!! round %u: %s\n",
				       run.first + run.rounds - 1, why);
		now = i686_wall_seconds();
		if (now - run.spoke >= STAT_INTERVAL)
			say_statistics(now);
	}
	return why;
}

static const char *torture(void)
{
	const char *why;

	run.seed = (uint32_t)word_number("seed", 1);
	run.first = (uint32_t)word_number("round", 0);
	run.seconds = (uint32_t)word_number("time", 10);
	run.cpus = i686_nr_cpus();
	run.began = run.spoke = i686_wall_seconds();
	banner();
	i686_set_parallel(true);
	why = run_rounds();
	i686_set_parallel(false);
	say_statistics(i686_wall_seconds());
	if (!why && run.pairs.rest == 0 && run.pairs.billions == 0)
		why = "nothing was mapped";
	console_printf("# torture: --- End of test: %s: seed=%u\n",
		       why ? "FAILURE" : "SUCCESS", run.seed);
	return why;
}

const struct conformance_case torture_case = { "torture", torture };
