/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stress/torture/test_cases.h"

/* What is drawn for a round: the same again, possible, and free of deadlock. */

#define ROUNDS 500

static char said[512];

/* In place of say.c: keep the line. */
void say_detail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
}

static struct torture_options options = {
	.seed = 42,
	.threads = PROGRAM_MAX_TASKS,
	.repeat = 100,
};

static struct round round_a, round_b;

static bool same_seed_same_round(void)
{
	for (uint64_t nr = 0; nr < ROUNDS; nr++) {
		round_draw(&round_a, &options, nr);
		round_draw(&round_b, &options, nr);
		if (strcmp(round_a.text, round_b.text) != 0 ||
		    round_a.repeat != round_b.repeat)
			return false;
	}
	return true;
}

static bool other_round_other_program(void)
{
	struct torture_options next = options;
	unsigned int same = 0;

	next.seed++;
	for (uint64_t nr = 0; nr < ROUNDS; nr++) {
		round_draw(&round_a, &options, nr);
		round_draw(&round_b, &options, nr + 1);
		same += strcmp(round_a.text, round_b.text) == 0;
		round_draw(&round_b, &next, nr);
		same += strcmp(round_a.text, round_b.text) == 0;
	}
	return same == 0;
}

static bool machine_can_be_built(void)
{
	for (uint64_t nr = 0; nr < ROUNDS; nr++) {
		const struct program *program = &round_a.program;

		round_draw(&round_a, &options, nr);
		if (program_can(program) || program->nr_tasks < 2 ||
		    program->nr_tasks > options.threads ||
		    program->machine.nr_pages < program->machine.nr_slots)
			return false;
	}
	return true;
}

static bool slots_are_as_asked(void)
{
	struct torture_options asked = options;

	for (asked.slots = 2; asked.slots <= PROGRAM_MAX_SLOTS; asked.slots++)
		for (uint64_t nr = 0; nr < 20; nr++) {
			round_draw(&round_a, &asked, nr);
			if (round_a.program.machine.nr_slots != asked.slots ||
			    machine_can(&round_a.program.machine))
				return false;
		}
	return true;
}

/* The text is the program: what is written at a failure can be run. */
static bool text_is_the_program(void)
{
	struct program_error error;
	static struct program again;
	static char text[sizeof(round_a.text)];

	for (uint64_t nr = 0; nr < ROUNDS; nr++) {
		round_draw(&round_a, &options, nr);
		if (!program_parse(&again, round_a.text, round_a.text_len,
				   &error))
			return false;
		if (program_print(&again, text, sizeof(text)) !=
			    round_a.text_len ||
		    strcmp(text, round_a.text) != 0)
			return false;
	}
	return true;
}

static bool is_map(uint8_t kind)
{
	return kind == OP_KMAP || kind == OP_TRY || kind == OP_TIMEOUT ||
	       kind == OP_GET || kind == OP_KILLABLE;
}

/* The most maps that @task holds at once, if all of them succeed. */
static unsigned int most_held(const struct program *program, unsigned int task)
{
	unsigned int held[PROGRAM_MAX_PAGES] = { 0 };
	unsigned int now = 0, most = 0;

	for (unsigned int i = 0; i < program->nr_ops; i++) {
		const struct op *op = &program->ops[i];

		if (op->actor != task)
			continue;
		if (is_map(op->kind)) {
			held[op->arg]++;
			now++;
		} else if (op->kind == OP_KUNMAP && held[op->arg] > 0) {
			held[op->arg]--;
			now--;
		}
		if (now > most)
			most = now;
	}
	return most;
}

/* All tasks wait with one map short of their most: a slot is still left. */
static bool safe_rounds_cannot_deadlock(void)
{
	unsigned int nr_safe = 0;

	for (uint64_t nr = 0; nr < ROUNDS; nr++) {
		const struct machine_config *m = &round_a.program.machine;
		unsigned int held = 0;

		round_draw(&round_a, &options, nr);
		if (!round_a.safe)
			continue;
		nr_safe++;
		for (unsigned int t = 0; t < round_a.program.nr_tasks; t++) {
			unsigned int most = most_held(&round_a.program, t);

			held += most > 0 ? most - 1 : 0;
		}
		if (held >= m->nr_slots / m->nr_colours)
			return false;
	}
	return nr_safe > ROUNDS / 2 && nr_safe < ROUNDS;
}

static bool announcement_names_it(void)
{
	round_draw(&round_a, &options, 7);
	round_announce(&round_a);
	return strstr(said, "round 7: tasks=") != NULL &&
	       said[strlen(said) - 1] == '\n';
}

static const struct test_case cases[] = {
	CASE(same_seed_same_round),  CASE(other_round_other_program),
	CASE(machine_can_be_built),  CASE(slots_are_as_asked),
	CASE(text_is_the_program),   CASE(safe_rounds_cannot_deadlock),
	CASE(announcement_names_it),
};

int main(void)
{
	return run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}
