/* SPDX-License-Identifier: MIT */
#include "fuzz/sched/run.h"

#include <string.h>

#include "fuzz/fuzz_program.h"

/* ---- Who met whom ------------------------------------------------------------ */

/*
 * Counters that libFuzzer treats like those of edges. An edge tells that code
 * ran; these tell that two places in the code touched the same word one right
 * after the other, in different tasks, and one of them changed it. An input
 * that makes two places meet for the first time is kept, so schedules are
 * guided as paths are.
 */
#define NR_COUNTERS 8192

__attribute__((section(
	"__libfuzzer_extra_counters"))) static uint8_t counters[NR_COUNTERS];

/* One access to a word that several tasks may share. */
struct visit {
	const void *caller;
	uint32_t step;
	uint32_t before; /* the word's visit before this one, 0: none */
	uint8_t who;	 /* task and whether in an interrupt */
	bool change;
};

#define NR_VISITS SCHED_PROFILE_POINTS

struct word {
	const void *address;
	uint32_t run;
	uint32_t last; /* visit */
};

#define NR_WORDS 1024

struct session {
	struct sched_profile *profile;
	const struct program *program;
	uint32_t run;
	struct word words[NR_WORDS]; /* by hash; the newer one stays */
	unsigned int nr_visits;	     /* the first is no visit */
	struct visit visits[NR_VISITS];
	uint8_t is_hot[SCHED_PROFILE_POINTS];
	unsigned int next_op[PROGRAM_MAX_ACTORS];
	uint32_t last_end;
};

static struct session session;

static uint32_t mix(uint64_t value)
{
	return (uint32_t)((value * 0x9e3779b97f4a7c15u) >> 32);
}

/* Code moves from one process to the next; distances in it do not. */
static uint64_t place(const void *caller)
{
	return (uint64_t)((uintptr_t)caller - (uintptr_t)&mix);
}

static void count_meeting(const void *first, const void *second)
{
	uint32_t hash = mix(place(first) << 32 ^ place(second));
	uint8_t *counter = &counters[hash % NR_COUNTERS];

	if (*counter < UINT8_MAX)
		(*counter)++;
}

/* What comes @now could also come before the access at @step. */
static void mark_hot(const struct visit *before, const struct visit *now)
{
	struct sched_profile *profile = session.profile;
	uint8_t task = now->who & 1 ? SCHED_HANDLER : now->who >> 1;
	uint32_t step = before->step;

	if (step >= SCHED_PROFILE_POINTS || session.is_hot[step] >> task & 1 ||
	    profile->nr_hot == SCHED_PROFILE_HOT)
		return;
	session.is_hot[step] |= (uint8_t)(1U << task);
	profile->hot[profile->nr_hot++] = (struct sched_hot){ (uint16_t)step,
							      task };
}

static struct word *word_of(const void *address)
{
	struct word *word =
		&session.words[mix((uintptr_t)address >> 2) % NR_WORDS];

	if (word->run != session.run || word->address != address)
		*word = (struct word){ .address = address, .run = session.run };
	return word;
}

/*
 * All accesses of others that this one could have come before: back to its own
 * task's last, whose turn it was to look further.
 */
static void look_back(const struct visit *now)
{
	const struct visit *before = &session.visits[now->before];

	if (now->before != 0 && before->who != now->who &&
	    (before->change || now->change))
		count_meeting(before->caller, now->caller);
	while (before != session.visits && before->who != now->who) {
		if (before->change || now->change)
			mark_hot(before, now);
		before = &session.visits[before->before];
	}
}

static void visit(const struct sim_event *e)
{
	struct word *word = word_of(e->word);
	struct visit *now = &session.visits[session.nr_visits];

	if (session.nr_visits == NR_VISITS)
		return;
	*now = (struct visit){
		.caller = e->caller,
		.step = e->step,
		.before = word->last,
		.who = (uint8_t)(e->task << 1 | (e->irq_depth > 0)),
		.change = e->access != SIM_LOAD && e->access != SIM_MEM_LOAD,
	};
	word->last = session.nr_visits++;
	look_back(now);
}

/* ---- The profile --------------------------------------------------------------- */

static void event(void *arg, const struct sim_event *e)
{
	struct sched_profile *profile = session.profile;

	(void)arg;
	if (e->word != NULL)
		visit(e);
	if (e->step < SCHED_PROFILE_POINTS &&
	    profile->task[e->step] == SCHED_NOBODY) {
		profile->task[e->step] = (uint8_t)e->task;
		profile->access[e->step] = (uint8_t)e->access;
	}
}

static unsigned int actor_of(const char *name)
{
	return *name < 'I' ? (unsigned int)(*name - 'A')
			   : PROGRAM_MAX_TASKS + (unsigned int)(*name - 'I');
}

/* @name has performed its next operation. A handler's count the first time. */
static void operation(void *arg, const char *name, const char *op,
		      const char *outcome)
{
	const struct program *program = session.program;
	unsigned int actor = actor_of(name);
	unsigned int at = session.next_op[actor];

	(void)arg;
	(void)op;
	(void)outcome;
	while (at < program->nr_ops && program->ops[at].actor != actor)
		at++;
	session.next_op[actor] = at + 1;
	if (at >= program->nr_ops)
		return;
	session.profile->op_begin[at] = session.last_end + 1;
	session.profile->op_end[at] = sim_steps() + 1;
	session.last_end = sim_steps();
}

static void reset(const struct program *program, struct sched_profile *profile)
{
	unsigned int known = profile->steps < SCHED_PROFILE_POINTS
				     ? profile->steps + 1
				     : SCHED_PROFILE_POINTS;

	memset(profile->task, SCHED_NOBODY, known);
	while (profile->nr_hot > 0)
		session.is_hot[profile->hot[--profile->nr_hot].step] = 0;
	memset(profile->op_end, 0, sizeof(profile->op_end));
	session.profile = profile;
	session.program = program;
	session.run++;
	session.nr_visits = 1;
	session.last_end = 0;
	memset(session.next_op, 0, sizeof(session.next_op));
}

void sched_run(const struct program *program, struct sched_profile *profile,
	       struct controlled_result *result)
{
	static struct controlled_options options = {
		.event = event,
		.trace = operation,
	};

	if (session.run == 0)
		options.look = fuzz_look();
	/* No class without need: with store buffers there is no refinement. */
	options.faults = controlled_faults_of(program);
	reset(program, profile);
	controlled_run(program, &options, result);
	profile->steps = result->steps;
	profile->nr_played = result->nr_choices;
	memcpy(profile->played, result->choices,
	       result->nr_choices * sizeof(result->choices[0]));
}

const char *sched_verdict(const struct controlled_result *result)
{
	return result->exec.verdict == EXEC_BUG ? result->exec.sentence : NULL;
}
