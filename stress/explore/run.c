/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/build/prng.h"
#include "stress/explore/options.h"
#include "stress/process/output.h"

/*
 * How many schedules a random program gets before the next one comes, and how
 * many a small one whose schedules are gone through in order.
 */
#define SCHEDULES_PER_PROGRAM 200
#define SCHEDULES_PER_SMALL_PROGRAM 20000
#define MOST_PREEMPTIONS 3
#define PROGRESS_SECONDS 5.0

static volatile sig_atomic_t interrupted;

struct budget {
	double started;
	double end; /* 0: no limit */
	double next_progress;
	uint64_t schedules; /* of earlier searches */
	uint64_t limit;	    /* 0: none */
	unsigned int worker;
	const struct search_result *result;
	struct program *program; /* whose ends go to @outcomes */
	FILE *outcomes;		 /* or NULL */
};

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void progress(const struct budget *b, double now)
{
	uint64_t done = b->schedules + b->result->schedules;

	fprintf(stderr, "explore: worker %u: %llu schedules, %.0f/s, %.0f s\n",
		b->worker, (unsigned long long)done,
		(double)done / (now - b->started), now - b->started);
}

static bool should_stop(void *arg)
{
	struct budget *b = arg;
	double now = now_seconds();

	if (now >= b->next_progress) {
		progress(b, now);
		b->next_progress = now + PROGRESS_SECONDS;
	}
	return interrupted || (b->end != 0 && now >= b->end);
}

static enum search_end search_with(struct search_options search,
				   struct budget *b, struct program *program,
				   uint64_t *seed, struct search_result *result)
{
	search.should_stop = should_stop;
	search.arg = b;
	b->result = result;
	return search_program(program, &search, seed, result);
}

/* What the program's own actors and operations make room for. */
static uint32_t faults_of_use(const struct program *program)
{
	uint32_t faults = program->nr_irqs ? FAULT_IRQ : 0;

	for (unsigned int i = 0; i < program->nr_ops; i++) {
		faults |= program->ops[i].kind == OP_TIMEOUT ? FAULT_TIMEOUT
							     : 0;
		faults |= program->ops[i].kind == OP_KILLABLE ? FAULT_CANCEL
							      : 0;
	}
	return faults;
}

/*
 * Half of the other classes: each takes steps, and with store buffers there is
 * no refinement.
 */
static uint32_t draw_some_faults(const struct program *program,
				 uint32_t allowed, uint64_t *seed)
{
	uint32_t some = prng_below(seed, 1U << CONTROLLED_NR_FAULTS);

	return (faults_of_use(program) | some) & allowed;
}

static void new_end(void *arg, const struct controlled_result *run)
{
	const struct budget *b = arg;

	controlled_record(b->program, run);
	write_outcome(b->outcomes, run->exec.outcome, b->program);
}

/* All schedules of a file, as far as the budget goes. */
static enum search_end search_file(const struct options *o, struct budget *b,
				   struct program *program, uint64_t *seed,
				   struct search_result *result)
{
	static struct program ends;
	struct search_options search = o->search;
	enum search_end end;

	search.iterations = o->iterations;
	if (!o->outcomes)
		return search_with(search, b, program, seed, result);
	ends = *program;
	b->program = &ends;
	b->outcomes = fopen(o->outcomes, "w");
	if (!b->outcomes) {
		fprintf(stderr, "explore: %s: %s\n", o->outcomes,
			strerror(errno));
		exit(EXIT_BAD);
	}
	search.new_end = new_end;
	end = search_with(search, b, program, seed, result);
	fclose(b->outcomes);
	return end;
}

/* Any program, some schedules of it. */
static enum search_end try_any(const struct options *o, struct budget *b,
			       struct program *program, uint64_t *seed,
			       struct search_result *result)
{
	static const enum search_strategy any_order[] = {
		SEARCH_RANDOM,
		SEARCH_PCT,
		SEARCH_URW,
	};
	struct search_options search = o->search;

	if (prng_below(seed, 2))
		program_generate_small(program, seed);
	else
		program_draft(program, 2 + prng_below(seed, 3),
			      4 + prng_below(seed, 9), seed);
	search.faults = draw_some_faults(program, o->search.faults, seed);
	search.iterations = SCHEDULES_PER_PROGRAM;
	if (search.strategy == SEARCH_PORTFOLIO)
		search.strategy = any_order[prng_below(seed, 3)];
	return search_with(search, b, program, seed, result);
}

/* As few classes as make sense: the fewer, the further the search gets. */
static uint32_t draw_faults(const struct program *program, uint32_t allowed,
			    uint64_t *seed)
{
	uint32_t faults = faults_of_use(program);

	if (faults == 0 && prng_below(seed, 8) == 0)
		faults = 1U << prng_below(seed, CONTROLLED_NR_FAULTS);
	return faults & allowed;
}

/* Rather a wide one: what is within a narrow one is within it, too. */
static unsigned int draw_bound(unsigned int most, uint64_t *seed)
{
	unsigned int one = prng_below(seed, most + 1);
	unsigned int other = prng_below(seed, most + 1);

	return one > other ? one : other;
}

/* The fewer, the further the search gets; four can wait for two others. */
static unsigned int draw_nr_tasks(uint64_t *seed)
{
	unsigned int die = prng_below(seed, 6);

	return die < 3 ? 2 : die < 5 ? 3 : 4;
}

/* A small program, its schedules in order, as far as the budget goes. */
static enum search_end try_small(const struct options *o, struct budget *b,
				 struct program *program, uint64_t *seed,
				 struct search_result *result)
{
	struct search_options search = o->search;

	program_draft(program, draw_nr_tasks(seed), 3 + prng_below(seed, 6),
		      seed);
	search.strategy = SEARCH_DFS;
	search.faults = draw_faults(program, o->search.faults, seed);
	if (search.max_preemptions > MOST_PREEMPTIONS)
		search.max_preemptions = MOST_PREEMPTIONS;
	search.max_preemptions = draw_bound(search.max_preemptions, seed);
	search.iterations = SCHEDULES_PER_SMALL_PROGRAM;
	return search_with(search, b, program, seed, result);
}

static enum search_end search_generated(const struct options *o,
					struct budget *b,
					struct program *program, uint64_t *seed,
					struct search_result *result)
{
	bool portfolio = o->search.strategy == SEARCH_PORTFOLIO;
	bool in_order_only = o->search.strategy == SEARCH_DFS;
	enum search_end end = SEARCH_STOPPED;
	uint64_t in_order = 0;

	while (end != SEARCH_BUG && !interrupted &&
	       (b->limit == 0 || b->schedules < b->limit)) {
		bool small = in_order_only ||
			     (portfolio && in_order <= b->schedules / 2);

		end = small ? try_small(o, b, program, seed, result)
			    : try_any(o, b, program, seed, result);
		b->schedules += result->schedules;
		in_order += small ? result->schedules : 0;
		if (b->end != 0 && now_seconds() >= b->end)
			break;
	}
	return end;
}

static int judge(const struct options *o, enum search_end end,
		 struct program *program, const struct search_result *result,
		 const struct budget *b)
{
	uint64_t done = o->generate ? b->schedules : result->schedules;

	printf("worker %u: %llu schedules in %.1f s%s\n", b->worker,
	       (unsigned long long)done, now_seconds() - b->started,
	       end == SEARCH_DONE && !o->generate
		       ? ", all there are within the bound"
		       : "");
	if (end != SEARCH_BUG) {
		print_not_demanded();
		return EXIT_FINE;
	}
	controlled_record(program, &result->run);
	return report_finding(program, o->out);
}

static int work(const struct options *o, unsigned int worker, uint64_t seed)
{
	static struct program program;
	static struct search_result result;
	struct budget b = { .worker = worker, .limit = o->iterations };
	enum search_end end;

	b.started = now_seconds();
	b.end = o->seconds != 0 ? b.started + o->seconds : 0;
	b.next_progress = b.started + PROGRESS_SECONDS;
	if (o->generate) {
		end = search_generated(o, &b, &program, &seed, &result);
	} else {
		if (!load_program(&program, o))
			return EXIT_BAD;
		end = search_file(o, &b, &program, &seed, &result);
	}
	return judge(o, end, &program, &result, &b);
}

/* The first worker that finds something ends the others. */
static int wait_for_workers(pid_t *pids, unsigned int nr)
{
	int status = EXIT_FINE;

	for (unsigned int left = nr; left > 0; left--) {
		int how;
		pid_t pid = wait(&how);
		int one = WIFEXITED(how) ? WEXITSTATUS(how) : EXIT_BAD;

		if (pid < 0 && errno == EINTR) {
			left++;
			continue;
		}
		if (status != EXIT_BUG && one != EXIT_FINE)
			status = one;
		if (one == EXIT_BUG)
			for (unsigned int i = 0; i < nr; i++)
				if (pids[i] != pid)
					kill(pids[i], SIGTERM);
	}
	return status;
}

static int fork_workers(const struct options *o, uint64_t seed)
{
	pid_t pids[256];

	for (unsigned int i = 0; i < o->jobs; i++) {
		uint64_t own = seed + i;

		fflush(NULL);
		pids[i] = fork();
		if (pids[i] == 0)
			exit(output_finish("explore",
					   work(o, i, prng_next(&own))));
		if (pids[i] < 0) {
			fprintf(stderr, "explore: no more processes: %s\n",
				strerror(errno));
			return EXIT_BAD;
		}
	}
	return wait_for_workers(pids, o->jobs);
}

int verb_run(const struct options *o)
{
	struct sigaction action = { .sa_handler = on_signal };
	uint64_t seed = o->seed_given ? o->seed : (uint64_t)time(NULL);

	if (!out_is_there(o))
		return EXIT_BAD;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	printf("seed %llu\n", (unsigned long long)seed);
	return o->jobs > 1 ? fork_workers(o, seed) : work(o, 0, seed);
}
