/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fuzz/sched/mutation.h"

static bool comes_after(const struct choice *a, const struct choice *b)
{
	return a->step != b->step
		       ? a->step > b->step
		       : choice_order(a->kind) > choice_order(b->kind);
}

void delete_choice(struct program *program, unsigned int at)
{
	program->nr_choices--;
	memmove(&program->choices[at], &program->choices[at + 1],
		(program->nr_choices - at) * sizeof(program->choices[0]));
}

static void insert_choice(struct program *program, struct choice choice)
{
	unsigned int at = program->nr_choices++;

	for (; at > 0 && comes_after(&program->choices[at - 1], &choice); at--)
		program->choices[at] = program->choices[at - 1];
	program->choices[at] = choice;
}

static uint32_t clamp_step(int64_t step)
{
	if (step < 1)
		return 1;
	return step > CHOICE_MAX_STEP ? CHOICE_MAX_STEP : (uint32_t)step;
}

void shift_choices(const struct mutation *m, uint32_t from, int delta)
{
	struct program *program = m->program;

	for (unsigned int i = 0; i < program->nr_choices; i++) {
		struct choice *choice = &program->choices[i];
		int64_t step = (int64_t)choice->step + delta;

		if (choice->step >= from && choice->step > 0)
			choice->step = clamp_step(step < from ? from : step);
	}
}

/* Somewhere in the run, often near a choice that is already there. */
static uint32_t any_step(const struct mutation *m)
{
	const struct program *program = m->program;
	uint32_t steps = m->profile->steps ? m->profile->steps : 64;

	if (program->nr_choices > 0 && one_in(m, 3)) {
		unsigned int near = below(m, program->nr_choices);

		return clamp_step((int64_t)program->choices[near].step +
				  below(m, 24) - 4);
	}
	return 1 + below(m, steps < CHOICE_MAX_STEP ? steps : CHOICE_MAX_STEP);
}

static bool has_access(const struct mutation *m, uint32_t step,
		       enum sim_access access)
{
	const struct sched_profile *profile = m->profile;

	return step < SCHED_PROFILE_POINTS && step <= profile->steps &&
	       profile->task[step] != SCHED_NOBODY &&
	       profile->access[step] == access;
}

/* The first step with this access from a random one on; 0 if there is none. */
static uint32_t step_with(const struct mutation *m, enum sim_access access)
{
	uint32_t step = any_step(m);

	for (; step < SCHED_PROFILE_POINTS && step <= m->profile->steps; step++)
		if (has_access(m, step, access))
			return step;
	return 0;
}

/* Who had the access at @step, as a task number; PROGRAM_MAX_TASKS if unknown. */
static unsigned int task_at(const struct mutation *m, uint32_t step)
{
	unsigned int id = SCHED_NOBODY;

	if (step < SCHED_PROFILE_POINTS && step <= m->profile->steps)
		id = m->profile->task[step];
	return id == SCHED_NOBODY ? PROGRAM_MAX_TASKS : id - 1;
}

static struct choice run_other(const struct mutation *m, uint32_t step)
{
	unsigned int nr_tasks = m->program->nr_tasks;
	unsigned int now = task_at(m, step);
	struct choice choice = { .step = step, .kind = CHOICE_RUN };

	if (now < nr_tasks && nr_tasks > 1)
		choice.arg = (uint8_t)other_than(m, nr_tasks, now);
	else
		choice.arg = (uint8_t)below(m, nr_tasks);
	return choice;
}

/* A wake-up is for somebody who sleeps: after a park. */
static bool wake(const struct mutation *m, struct choice *choice)
{
	uint32_t park = step_with(m, SIM_PARK);
	unsigned int sleeper = task_at(m, park);

	if (sleeper >= m->program->nr_tasks)
		return false;
	choice->step = clamp_step((int64_t)park + 1 + below(m, 32));
	choice->kind = one_in(m, 2) ? CHOICE_TIMEOUT : CHOICE_SPURIOUS;
	choice->arg = (uint8_t)sleeper;
	return true;
}

/* A signal, too: most work for one that is about to sleep, or does. */
static bool cancel(const struct mutation *m, struct choice *choice)
{
	if (!wake(m, choice))
		return false;
	choice->kind = CHOICE_CANCEL;
	return true;
}

static bool hold(const struct mutation *m, struct choice *choice)
{
	choice->step = step_with(m, SIM_STORE);
	choice->kind = CHOICE_HOLD;
	choice->arg = 0;
	return choice->step != 0;
}

/* A handler cuts in where a task of its CPU runs. */
static bool interrupt(const struct mutation *m, struct choice *choice)
{
	const struct program *program = m->program;
	unsigned int nr_irqs = program->nr_irqs;

	if (nr_irqs == 0)
		return false;
	choice->kind = CHOICE_IRQ;
	choice->arg = (uint8_t)below(m, nr_irqs);
	for (unsigned int tries = 0; tries < 8; tries++) {
		unsigned int task;

		choice->step = any_step(m);
		task = task_at(m, choice->step);
		if (task < program->nr_tasks &&
		    program->task_cpu[task] == program->irq_cpu[choice->arg])
			break;
	}
	return true;
}

/* One at most, and there is nothing at its step but it. */
static bool fail_alloc(const struct mutation *m, struct choice *choice)
{
	const struct program *program = m->program;

	if (program->nr_choices > 0 && program->choices[0].step == 0)
		return false;
	choice->step = 0;
	choice->kind = one_in(m, 2) ? CHOICE_ALLOC : CHOICE_ALLOC_ON;
	choice->arg = (uint8_t)below(m, program_nr_allocs(&program->machine));
	return true;
}

/* A CPU goes; or one that has gone by then comes back. */
static bool come_and_go(const struct mutation *m, struct choice *choice)
{
	const struct program *program = m->program;

	choice->step = any_step(m);
	choice->kind = CHOICE_OFFLINE;
	choice->arg = (uint8_t)below(m, program->machine.nr_cpus);
	for (unsigned int i = 0; i < program->nr_choices; i++) {
		const struct choice *other = &program->choices[i];

		if (other->kind == CHOICE_OFFLINE &&
		    other->step < choice->step && one_in(m, 2)) {
			choice->kind = CHOICE_ONLINE;
			choice->arg = other->arg;
		}
	}
	return program->machine.nr_cpus > 1;
}

/* Something befalls a CPU: any of them, at any step. */
static bool on_some_cpu(const struct mutation *m, struct choice *choice)
{
	static const uint8_t kinds[] = { CHOICE_DRAIN, CHOICE_MIGRATE,
					 CHOICE_DROP };

	choice->step = any_step(m);
	choice->kind = kinds[below(m, sizeof(kinds))];
	choice->arg = (uint8_t)below(m, m->program->machine.nr_cpus);
	return true;
}

/*
 * A CPU answers a shootdown later; or some CPU answers, when the others have
 * gone on for a while.
 */
static bool late_answer(const struct mutation *m, struct choice *choice)
{
	uint32_t shootdown = step_with(m, SIM_SHOOTDOWN);
	bool answers = one_in(m, 3);

	choice->step = clamp_step((int64_t)shootdown +
				  (answers ? 1 + below(m, 24) : 0));
	choice->kind = answers ? CHOICE_ACK : CHOICE_DELAY;
	choice->arg = (uint8_t)(answers ? below(m, m->program->machine.nr_cpus)
					: 0);
	return shootdown != 0;
}

/* A fault, if there is what it needs. */
static bool fault(const struct mutation *m, struct choice *choice)
{
	switch (below(m, 9)) {
	case 0:
		return hold(m, choice);
	case 1:
		return cancel(m, choice);
	case 2:
		return late_answer(m, choice);
	case 3:
	case 4:
	case 5:
		return on_some_cpu(m, choice);
	case 6:
		return fail_alloc(m, choice);
	case 7:
		return come_and_go(m, choice);
	default:
		return wake(m, choice);
	}
}

/* Where two meet, the one that was later comes first. */
static struct choice turn_round(const struct mutation *m)
{
	const struct sched_profile *profile = m->profile;
	const struct sched_hot *hot = &profile->hot[below(m, profile->nr_hot)];
	struct choice choice = { .step = hot->step };

	if (hot->task == SCHED_HANDLER && m->program->nr_irqs > 0) {
		choice.kind = CHOICE_IRQ;
		choice.arg = (uint8_t)below(m, m->program->nr_irqs);
	} else if (hot->task != SCHED_HANDLER &&
		   hot->task <= m->program->nr_tasks) {
		choice.kind = CHOICE_RUN;
		choice.arg = hot->task - 1;
	} else {
		choice = run_other(m, hot->step);
	}
	return choice;
}

/* After an operation another task goes on than in the order of the text. */
static bool other_next(const struct mutation *m, struct choice *choice)
{
	const struct program *program = m->program;
	unsigned int at;

	if (program->nr_ops == 0)
		return false;
	at = below(m, program->nr_ops);
	choice->step = m->profile->op_end[at];
	choice->kind = CHOICE_RUN;
	choice->arg = (uint8_t)below(m, program->nr_tasks);
	return choice->step != 0;
}

static struct choice any_choice(const struct mutation *m)
{
	struct choice choice = { .step = 0 };

	if (one_in(m, 4) && interrupt(m, &choice))
		return choice;
	if (m->profile->nr_hot > 0 && !one_in(m, 3))
		return turn_round(m);
	if (one_in(m, 3) && other_next(m, &choice))
		return choice;
	if (one_in(m, 2) && fault(m, &choice))
		return choice;
	return run_other(m, any_step(m));
}

bool mutate_insert_choice(const struct mutation *m)
{
	if (m->program->nr_choices >= SCHED_MOST_CHOICES)
		return false;
	insert_choice(m->program, any_choice(m));
	return true;
}

bool mutate_delete_choice(const struct mutation *m)
{
	if (m->program->nr_choices == 0)
		return false;
	delete_choice(m->program, below(m, m->program->nr_choices));
	return true;
}

/* By one to three steps, to either side. */
bool mutate_move_choice(const struct mutation *m)
{
	struct program *program = m->program;
	unsigned int at;
	struct choice choice;
	int distance = 1 + (int)below(m, 3);

	if (program->nr_choices == 0)
		return false;
	at = below(m, program->nr_choices);
	choice = program->choices[at];
	if (choice.step == 0)
		return false;
	if (one_in(m, 2))
		distance = -distance;
	choice.step = clamp_step((int64_t)choice.step + distance);
	delete_choice(program, at);
	insert_choice(program, choice);
	return true;
}

/* Something else at the same step. */
bool mutate_change_choice(const struct mutation *m)
{
	struct program *program = m->program;
	unsigned int at;
	struct choice choice;

	if (program->nr_choices == 0)
		return false;
	at = below(m, program->nr_choices);
	choice = any_choice(m);
	if (choice.step == 0 || program->choices[at].step == 0)
		return false;
	choice.step = program->choices[at].step;
	delete_choice(program, at);
	insert_choice(program, choice);
	return true;
}

/* The step after which the next operation of @task, begun at @step, ends. */
static uint32_t end_of_next(const struct mutation *m, unsigned int task,
			    uint32_t *from, uint32_t step)
{
	const struct sched_profile *profile = m->profile;

	for (unsigned int i = 0; i < m->program->nr_ops; i++) {
		if (m->program->ops[i].actor != task ||
		    profile->op_begin[i] < *from || profile->op_end[i] == 0)
			continue;
		*from = profile->op_end[i];
		return step + profile->op_end[i] - profile->op_begin[i];
	}
	return 0;
}

/*
 * Another task runs, and goes on after its operation. How long that takes in
 * its new place, where it took so long in the old one, is a good guess.
 */
static void stay(const struct mutation *m, struct choice there)
{
	struct program *program = m->program;
	unsigned int nr = 1 + below(m, 3);
	uint32_t from = there.step;

	while (nr-- > 0 && program->nr_choices < SCHED_MOST_CHOICES) {
		there.step = end_of_next(m, there.arg, &from, there.step);
		if (there.step == 0 || there.step > CHOICE_MAX_STEP)
			return;
		insert_choice(program, there);
	}
}

/* Another task runs, and back after a few accesses of it. */
static void come_back(const struct mutation *m, struct choice there)
{
	unsigned int was = task_at(m, there.step);

	there.step = clamp_step((int64_t)there.step + 1 + below(m, 16));
	there.arg = (uint8_t)(was < m->program->nr_tasks
				      ? was
				      : below(m, m->program->nr_tasks));
	insert_choice(m->program, there);
}

bool mutate_burst(const struct mutation *m)
{
	struct program *program = m->program;
	struct choice there = m->profile->nr_hot > 0
				      ? turn_round(m)
				      : run_other(m, any_step(m));

	if (program->nr_choices + 2 > SCHED_MOST_CHOICES ||
	    program->nr_tasks < 2 || there.kind != CHOICE_RUN)
		return false;
	insert_choice(program, there);
	if (one_in(m, 2))
		stay(m, there);
	else
		come_back(m, there);
	return true;
}

static bool drains(const struct mutation *m, uint32_t step)
{
	static const enum sim_access locked[] = {
		SIM_CAS,  SIM_ADD,     SIM_EXCHANGE,  SIM_FENCE,
		SIM_LOCK, SIM_PTE_SET, SIM_PTE_CLEAR, SIM_UNPARK,
	};

	for (unsigned int i = 0; i < sizeof(locked) / sizeof(locked[0]); i++)
		if (has_access(m, step, locked[i]))
			return true;
	return false;
}

/*
 * Stores in a row wait in their CPU's buffer while it goes on and loads; then,
 * before something drains the buffer, another task runs and does not see them.
 */
bool mutate_delay_stores(const struct mutation *m)
{
	struct program *program = m->program;
	struct choice choice = { .step = 0 };
	uint32_t first = step_with(m, SIM_STORE);
	uint32_t step = first;

	if (first == 0)
		return false;
	for (; step <= m->profile->steps && !drains(m, step) &&
	       program->nr_choices + 1 < SCHED_MOST_CHOICES;
	     step++) {
		if (!has_access(m, step, SIM_STORE))
			continue;
		choice = (struct choice){ .step = step, .kind = CHOICE_HOLD };
		insert_choice(program, choice);
	}
	if (step > first)
		insert_choice(program,
			      run_other(m, first + 1 + below(m, step - first)));
	return step > first;
}

bool mutate_tidy(const struct mutation *m)
{
	const struct sched_profile *profile = m->profile;

	if (profile->steps == 0 || profile->nr_played >= m->program->nr_choices)
		return false;
	m->program->nr_choices = profile->nr_played;
	memcpy(m->program->choices, profile->played,
	       profile->nr_played * sizeof(profile->played[0]));
	return true;
}
