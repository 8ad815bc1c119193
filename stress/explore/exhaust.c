/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stress/explore/certificate.h"
#include "stress/explore/options.h"

/*
 * All programs of a size (programs.h), each with all its schedules within the
 * bound. Worker processes take them one by one from a counter and leave what
 * they found in shared memory; the parent adds that up in the order of the
 * programs, so that the sums do not depend on the number of workers. A
 * checkpoint has the sums of the first so many programs: who goes on from it
 * begins with the next.
 */

#define REPORT_SECONDS 5.0
#define SAVE_SECONDS 2.0
#define POLL_NANOSECONDS 5000000

struct one_result {
	uint64_t schedules;
	uint64_t steps;
	uint64_t states;
	uint64_t pruned;
	uint64_t loops;
	uint64_t outcomes;
	bool deadlocks;
	atomic_bool done;
};

struct shared {
	atomic_ullong next; /* program that nobody has taken yet */
	atomic_bool stop;
	atomic_bool too_long; /* some run was too long to try all it offers */
	atomic_ullong schedules; /* of programs under way, for the eye */
	atomic_bool found;
	struct program finding;
	struct one_result results[];
};

struct walk {
	const struct options *options;
	struct shared *shared;
	struct certificate sums;
	char search[768];
	uint64_t from; /* programs that an earlier run has done */
	double started;
	double stop_at;
	double next_report;
	double next_save;
	pid_t parent;
	pid_t pids[256];
	unsigned int running;
	bool lost_worker;
	bool unsaved;  /* the last checkpoint could not be written */
	uint64_t told; /* worker: schedules of this program that were counted */
	const struct search_result *result;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* ---- Workers ---------------------------------------------------------------------- */

static bool should_stop(void *arg)
{
	struct walk *w = arg;

	atomic_fetch_add(&w->shared->schedules, w->result->schedules - w->told);
	w->told = w->result->schedules;
	return atomic_load(&w->shared->stop) || getppid() != w->parent;
}

static void leave_result(struct walk *w, uint64_t index,
			 const struct search_result *r)
{
	struct one_result *one = &w->shared->results[index];

	one->schedules = r->schedules;
	one->steps = r->steps;
	one->states = r->states;
	one->pruned = r->pruned;
	one->loops = r->loops;
	one->outcomes = r->outcomes;
	one->deadlocks = r->deadlocks > 0;
	atomic_store(&one->done, true);
}

static void leave_finding(struct walk *w, struct program *program,
			  const struct search_result *r)
{
	if (atomic_exchange(&w->shared->found, true))
		return;
	controlled_record(program, &r->run);
	w->shared->finding = *program;
	atomic_store(&w->shared->stop, true);
}

static void work(struct walk *w)
{
	static struct program program;
	static struct search_result result;
	struct search_options search = w->options->search;
	uint64_t seed = 0;

	search.strategy = SEARCH_DFS;
	search.should_stop = should_stop;
	search.arg = w;
	w->result = &result;
	while (!atomic_load(&w->shared->stop)) {
		uint64_t index = atomic_fetch_add(&w->shared->next, 1);
		enum search_end end;

		if (index >= space_size())
			return;
		space_program(index, &program);
		w->told = 0;
		end = search_program(&program, &search, &seed, &result);
		if (end == SEARCH_DONE)
			leave_result(w, index, &result);
		if (end == SEARCH_BUG)
			leave_finding(w, &program, &result);
		if (result.incomplete) {
			atomic_store(&w->shared->too_long, true);
			atomic_store(&w->shared->stop, true);
		}
	}
}

/* ---- The parent --------------------------------------------------------------------- */

static void add(struct certificate *sums, const struct one_result *r)
{
	sums->programs++;
	sums->schedules += r->schedules;
	sums->steps += r->steps;
	sums->states += r->states;
	sums->pruned += r->pruned;
	sums->loops += r->loops;
	sums->deadlocks += r->deadlocks;
	sums->outcomes = (sums->outcomes ^ r->outcomes) * 0x100000001b3u;
}

static void add_all_done(struct walk *w)
{
	while (w->sums.programs < space_size()) {
		const struct one_result *r =
			&w->shared->results[w->sums.programs];

		if (!atomic_load(&r->done))
			return;
		add(&w->sums, r);
	}
}

static void report(struct walk *w, double now)
{
	uint64_t here = w->sums.programs - w->from;
	double spent = now - w->started;

	fprintf(stderr,
		"explore: program %llu of %llu, %llu schedules, %.0f s, ",
		(unsigned long long)w->sums.programs,
		(unsigned long long)space_size(),
		(unsigned long long)atomic_load(&w->shared->schedules), spent);
	if (here == 0)
		fprintf(stderr, "no estimate yet of how long it takes\n");
	else
		fprintf(stderr, "about %.0f s left\n",
			spent / (double)here *
				(double)(space_size() - w->sums.programs));
	w->next_report = now + REPORT_SECONDS;
}

/*
 * A disk that is full now may have room later: it is said once, and the search
 * goes on.
 */
static void save(struct walk *w)
{
	w->next_save = now_seconds() + SAVE_SECONDS;
	if (!w->options->checkpoint)
		return;
	if (!w->unsaved)
		w->unsaved = !checkpoint_save(w->options->checkpoint, w->search,
					      &w->sums);
	else if (checkpoint_try(w->options->checkpoint, w->search, &w->sums))
		w->unsaved = false;
}

static void collect_workers(struct walk *w)
{
	int how;

	while (w->running > 0 && waitpid(-1, &how, WNOHANG) > 0) {
		w->running--;
		if (WIFEXITED(how) && WEXITSTATUS(how) == EXIT_FINE)
			continue;
		w->lost_worker = true;
		atomic_store(&w->shared->stop, true);
	}
}

static bool start_workers(struct walk *w)
{
	for (unsigned int i = 0; i < w->options->jobs; i++) {
		fflush(NULL);
		w->pids[i] = fork();
		if (w->pids[i] == 0) {
			signal(SIGINT, SIG_IGN); /* the parent tells */
			work(w);
			_exit(EXIT_FINE);
		}
		if (w->pids[i] < 0) {
			fprintf(stderr, "explore: no more processes: %s\n",
				strerror(errno));
			atomic_store(&w->shared->stop, true);
			return false;
		}
		w->running++;
	}
	return true;
}

/* False if not all workers could be started. */
static bool look_after(struct walk *w)
{
	const struct timespec pause = { .tv_nsec = POLL_NANOSECONDS };
	bool good = start_workers(w);

	while (w->running > 0) {
		double now = now_seconds();

		add_all_done(w);
		if (now >= w->next_report)
			report(w, now);
		if (now >= w->next_save)
			save(w);
		if (!good || interrupted ||
		    (w->stop_at != 0 && now >= w->stop_at))
			atomic_store(&w->shared->stop, true);
		nanosleep(&pause, NULL);
		collect_workers(w);
	}
	add_all_done(w);
	save(w);
	return good;
}

static bool write_outcomes(const struct walk *w)
{
	static struct program program;
	FILE *file = fopen(w->options->outcomes, "w");
	bool good = file != NULL;

	for (uint64_t i = 0; good && i < space_size(); i++) {
		space_program(i, &program);
		good = write_outcome(file, w->shared->results[i].outcomes,
				     &program);
	}
	good = file && fclose(file) == 0 && good;
	if (!good)
		fprintf(stderr, "explore: %s: %s\n", w->options->outcomes,
			strerror(errno));
	return good;
}

static int finish(struct walk *w)
{
	struct shared *shared = w->shared;

	if (atomic_load(&shared->found))
		return report_finding(&shared->finding, w->options->out);
	if (w->lost_worker) {
		fprintf(stderr, "explore: a worker died: no certificate\n");
		return EXIT_BAD;
	}
	if (atomic_load(&shared->too_long)) {
		fprintf(stderr,
			"explore: some runs take more choices than a program "
			"holds, or more steps than --max-steps: no "
			"certificate; lower --ops or --tasks\n");
		return EXIT_BAD;
	}
	if (w->sums.programs == space_size()) {
		if (w->options->outcomes && !write_outcomes(w))
			return EXIT_BAD;
		certificate_print(w->options, w->search, &w->sums);
		return EXIT_FINE;
	}
	printf("stopped after %llu of %llu programs: no certificate%s\n",
	       (unsigned long long)w->sums.programs,
	       (unsigned long long)space_size(),
	       w->options->checkpoint == NULL
		       ? "; --checkpoint=FILE would let it go on"
	       : w->unsaved ? "; the same command goes on from the last "
			      "checkpoint that could be written"
			    : "; the same command goes on from here");
	return EXIT_BAD;
}

static bool share_memory(struct walk *w)
{
	size_t size = sizeof(struct shared) +
		      space_size() * sizeof(struct one_result);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		fprintf(stderr, "explore: no memory for the results: %s\n",
			strerror(errno));
		return false;
	}
	w->shared = memory;
	atomic_store(&w->shared->next, w->from);
	atomic_store(&w->shared->schedules, w->sums.schedules);
	return true;
}

int verb_exhaust(const struct options *o)
{
	static struct walk w;
	struct sigaction action = { .sa_handler = on_signal };
	const char *why = space_open(&o->space);
	bool good;

	if (why) {
		fprintf(stderr, "explore: %s\n", why);
		return EXIT_BAD;
	}
	w.options = o;
	w.sums.outcomes = 0xcbf29ce484222325u;
	w.parent = getpid();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	certificate_describe(o, w.search, sizeof(w.search));
	if (o->checkpoint && !checkpoint_load(o->checkpoint, w.search, &w.sums))
		return EXIT_BAD;
	if (!out_is_there(o) ||
	    (o->checkpoint &&
	     !checkpoint_save(o->checkpoint, w.search, &w.sums)))
		return EXIT_BAD;
	w.from = w.sums.programs;
	if (!share_memory(&w))
		return EXIT_BAD;
	w.started = now_seconds();
	w.stop_at = o->seconds != 0 ? w.started + o->seconds : 0;
	w.next_report = w.started + REPORT_SECONDS;
	w.next_save = w.started + SAVE_SECONDS;
	good = look_after(&w);
	/* What was found is there, whatever else went wrong. */
	return good || atomic_load(&w.shared->found) ? finish(&w) : EXIT_BAD;
}
