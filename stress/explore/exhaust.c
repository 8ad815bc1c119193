/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress/explore/checkpoint.h"
#include "stress/explore/options.h"

/*
 * All programs of a size over an alphabet, each with all its schedules within
 * the bound.
 *
 * The alphabet is kmap and kunmap of EXHAUST_PAGES pages, on two slots, so
 * that a third page has to wait. A task's sequence is legal when it unmaps only
 * what it has mapped; other programs equal shorter ones. All lengths up to
 * --ops are tried. Of programs that are the same but for the names of pages
 * and tasks only the first in order is run: tasks sit on CPUs of their own,
 * and pages differ in nothing but their number.
 */

#define EXHAUST_PAGES 3
#define EXHAUST_SLOTS 2
#define MAX_SEQUENCES 100000
#define MAX_OPS 8
#define REPORT_SECONDS 5.0

struct sequence {
	uint8_t nr;
	uint8_t op[MAX_OPS]; /* 2 * page, + 1 for kunmap */
};

static struct sequence sequences[MAX_SEQUENCES];
static unsigned int nr_sequences;
static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* ---- Programs --------------------------------------------------------------------- */

static void grow(struct sequence sequence, const uint8_t *held,
		 unsigned int ops)
{
	if (nr_sequences < MAX_SEQUENCES)
		sequences[nr_sequences++] = sequence;
	if (sequence.nr == ops)
		return;
	for (uint8_t op = 0; op < 2 * EXHAUST_PAGES; op++) {
		struct sequence next = sequence;
		uint8_t now[EXHAUST_PAGES];

		memcpy(now, held, sizeof(now));
		if (op % 2 == 0)
			now[op / 2]++;
		else if (now[op / 2]-- == 0)
			continue;
		next.op[next.nr++] = op;
		grow(next, now, ops);
	}
}

/* Pages must first appear in the order 0, 1, 2 when read task by task. */
static bool pages_in_order(const unsigned int *pick, unsigned int tasks)
{
	unsigned int next = 0;

	for (unsigned int t = 0; t < tasks; t++) {
		const struct sequence *s = &sequences[pick[t]];

		for (unsigned int i = 0; i < s->nr; i++) {
			if (s->op[i] / 2U > next)
				return false;
			if (s->op[i] / 2U == next)
				next++;
		}
	}
	return true;
}

static unsigned int rename_page(uint8_t *names, unsigned int *next,
				unsigned int page)
{
	if (names[page] == 0)
		names[page] = (uint8_t)++*next;
	return names[page] - 1U;
}

/* The programs as strings, with the tasks in the order @order, pages renamed. */
static int compare_orders(const unsigned int *pick, unsigned int tasks,
			  const unsigned int *order)
{
	uint8_t names[EXHAUST_PAGES] = { 0 };
	unsigned int next = 0;

	for (unsigned int t = 0; t < tasks; t++) {
		const struct sequence *a = &sequences[pick[t]];
		const struct sequence *b = &sequences[pick[order[t]]];

		if (a->nr != b->nr)
			return a->nr < b->nr ? 1 : -1;
		for (unsigned int i = 0; i < a->nr; i++) {
			unsigned int page = rename_page(names, &next,
							b->op[i] / 2);
			unsigned int renamed = 2 * page + b->op[i] % 2;

			if (a->op[i] != renamed)
				return a->op[i] < renamed ? -1 : 1;
		}
	}
	return 0;
}

/* No other order of the tasks gives a smaller string. */
static bool tasks_in_order(const unsigned int *pick, unsigned int tasks)
{
	unsigned int order[PROGRAM_MAX_TASKS];

	for (unsigned int i = 0; i < tasks; i++) {
		for (unsigned int j = i + 1; j < tasks; j++) {
			for (unsigned int t = 0; t < tasks; t++)
				order[t] = t;
			order[i] = j;
			order[j] = i;
			if (compare_orders(pick, tasks, order) > 0)
				return false;
		}
	}
	return true;
}

static void build(struct program *program, const unsigned int *pick,
		  unsigned int tasks)
{
	*program = (struct program){
		.machine = { .nr_cpus = tasks,
			     .nr_slots = EXHAUST_SLOTS,
			     .nr_colours = 1,
			     .nr_pages = EXHAUST_PAGES,
			     .local_depth = 1 },
		.nr_tasks = tasks,
	};
	for (unsigned int t = 0; t < tasks; t++) {
		const struct sequence *s = &sequences[pick[t]];

		program->task_cpu[t] = (uint8_t)t;
		for (unsigned int i = 0; i < s->nr; i++)
			program->ops[program->nr_ops++] = (struct op){
				.kind = s->op[i] % 2 ? OP_KUNMAP : OP_KMAP,
				.actor = (uint8_t)t,
				.arg = (uint8_t)(MACHINE_LOWMEM_PAGES +
						 s->op[i] / 2),
			};
	}
}

/* The next tuple of sequences; false after the last. */
static bool next_pick(unsigned int *pick, unsigned int tasks)
{
	for (unsigned int t = tasks; t-- > 0;) {
		if (++pick[t] < nr_sequences)
			return true;
		pick[t] = 0;
	}
	return false;
}

/* ---- The walk --------------------------------------------------------------------- */

struct walk {
	const struct options *options;
	struct certificate sums;
	double started;
	double stop_at;
	double next_report;
	uint64_t from; /* programs an earlier run has done */
	uint64_t total;
	const struct search_result *result;
};

static uint64_t count_programs(unsigned int tasks)
{
	unsigned int pick[PROGRAM_MAX_TASKS] = { 0 };
	uint64_t nr = 0;

	do {
		nr += pages_in_order(pick, tasks) &&
		      tasks_in_order(pick, tasks);
	} while (next_pick(pick, tasks));
	return nr;
}

static void report(struct walk *w, double now)
{
	uint64_t here = w->sums.programs - w->from;
	uint64_t schedules = w->sums.schedules + w->result->schedules;
	double spent = now - w->started;
	double left = here ? spent / (double)here *
				      (double)(w->total - w->sums.programs)
			   : 0;

	fprintf(stderr,
		"explore: program %llu of %llu, %llu schedules, %.0f s, about "
		"%.0f s left\n",
		(unsigned long long)w->sums.programs,
		(unsigned long long)w->total, (unsigned long long)schedules,
		spent, left);
	w->next_report = now + REPORT_SECONDS;
}

static bool should_stop(void *arg)
{
	struct walk *w = arg;
	double now = now_seconds();

	if (now >= w->next_report)
		report(w, now);
	return interrupted || (w->stop_at != 0 && now >= w->stop_at);
}

static void add(struct certificate *sums, const struct search_result *r)
{
	sums->programs++;
	sums->schedules += r->schedules;
	sums->steps += r->steps;
	sums->states += r->states;
	sums->pruned += r->pruned;
	sums->deadlocks += r->deadlocks > 0;
	sums->hash = (sums->hash ^ r->outcomes) * 0x100000001b3u;
}

static bool save(const struct walk *w)
{
	return !w->options->checkpoint ||
	       checkpoint_save(w->options->checkpoint, &w->sums);
}

static enum search_end search_all(struct walk *w, struct program *program,
				  struct search_result *result)
{
	struct search_options search = w->options->search;
	unsigned int tasks = w->options->tasks;
	unsigned int pick[PROGRAM_MAX_TASKS] = { 0 };
	uint64_t index = 0;
	double saved = now_seconds();
	uint64_t seed = 0;

	search.strategy = SEARCH_DFS;
	search.faults = 0;
	search.iterations = 0;
	search.should_stop = should_stop;
	search.arg = w;
	w->result = result;
	do {
		enum search_end end;

		if (!pages_in_order(pick, tasks) ||
		    !tasks_in_order(pick, tasks) || index++ < w->from)
			continue;
		build(program, pick, tasks);
		end = search_program(program, &search, &seed, result);
		if (end != SEARCH_DONE)
			return end;
		add(&w->sums, result);
		memset(result, 0, sizeof(*result));
		if (now_seconds() - saved > REPORT_SECONDS) {
			saved = now_seconds();
			if (!save(w))
				return SEARCH_STOPPED;
		}
	} while (next_pick(pick, tasks));
	return SEARCH_DONE;
}

static void print_certificate(const struct walk *w)
{
	const struct certificate *c = &w->sums;

	printf("certificate\n"
	       "  alphabet         kmap and kunmap of %u pages, %u slots\n"
	       "  tasks            %llu, each on a CPU of its own\n"
	       "  operations       0 to %llu for each task\n"
	       "  preemptions      up to %llu, at any access to a shared word; any\n"
	       "                   order at the ends of operations\n"
	       "  memory           sequentially consistent; TLBs keep and load\n"
	       "                   all that they may; no interrupts\n"
	       "  programs         %llu, the same up to names counted once\n"
	       "  schedules        %llu, %llu of them cut at a known state\n"
	       "  states           %llu%s\n"
	       "  steps            %llu\n"
	       "  deadlocks        %llu programs can deadlock by themselves\n"
	       "  hash             %016llx\n"
	       "no bug within these bounds\n",
	       EXHAUST_PAGES, EXHAUST_SLOTS, (unsigned long long)c->tasks,
	       (unsigned long long)c->ops, (unsigned long long)c->preemptions,
	       (unsigned long long)c->programs,
	       (unsigned long long)c->schedules, (unsigned long long)c->pruned,
	       (unsigned long long)c->states, c->pruning ? "" : " (no pruning)",
	       (unsigned long long)c->steps, (unsigned long long)c->deadlocks,
	       (unsigned long long)c->hash);
}

static int finish(struct walk *w, enum search_end end, struct program *program,
		  const struct search_result *result)
{
	if (end == SEARCH_DONE) {
		print_certificate(w);
		return save(w) ? EXIT_FINE : EXIT_BAD;
	}
	if (end == SEARCH_STOPPED) {
		if (!save(w))
			return EXIT_BAD;
		printf("stopped after %llu of %llu programs: no certificate%s\n",
		       (unsigned long long)w->sums.programs,
		       (unsigned long long)w->total,
		       w->options->checkpoint
			       ? "; the same command goes on from here"
			       : "; --checkpoint=FILE would let it go on");
		return EXIT_BAD;
	}
	program->nr_choices = result->run.nr_choices;
	memcpy(program->choices, result->run.choices, sizeof(program->choices));
	return report_finding(program, w->options->out);
}

int verb_exhaust(const struct options *o)
{
	static struct program program;
	static struct search_result result;
	struct sigaction action = { .sa_handler = on_signal };
	const struct sequence empty = { 0 };
	const uint8_t held[EXHAUST_PAGES] = { 0 };
	struct walk w = {
		.options = o,
		.sums = { .tasks = o->tasks,
			  .ops = o->ops,
			  .preemptions = o->search.max_preemptions,
			  .pruning = o->search.prune,
			  .hash = 0xcbf29ce484222325u },
	};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	grow(empty, held, o->ops);
	if (nr_sequences == MAX_SEQUENCES) {
		fprintf(stderr, "explore: too many programs: fewer --ops\n");
		return EXIT_BAD;
	}
	if (o->checkpoint && !checkpoint_load(o->checkpoint, &w.sums))
		return EXIT_BAD;
	w.from = w.sums.programs;
	w.total = count_programs(o->tasks);
	w.started = now_seconds();
	w.stop_at = o->seconds != 0 ? w.started + o->seconds : 0;
	w.next_report = w.started + REPORT_SECONDS;
	return finish(&w, search_all(&w, &program, &result), &program, &result);
}
