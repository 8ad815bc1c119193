/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_LIB_TEST_SCHEDULES_H
#define HIGHMEM_LIB_TEST_SCHEDULES_H

/*
 * Every way to run a few tasks in which the machine leaves its default at most
 * a few times: switches to another task, interrupts and deadlines, before any
 * access that others could notice (core/ports/sim/control.h).
 */

#include "core/lib/test_machine.h"

#include "core/ports/sim/control.h"

#define MAX_QUESTIONS 2000
#define MAX_DEVIATIONS 3

struct scenario {
	struct machine_config machine;
	void (*setup)(void);	     /* after boot, before the tasks */
	void (*tasks[4])(void *arg); /* round the CPUs */
	void (*handler)(void *arg);  /* an interrupt on CPU 0, or NULL */
	const char *(*wrong)(void);  /* at the end; NULL: all is well */
	bool timeouts;		     /* deadlines before their time */
};

/* "At question number n, answer a." */
struct deviation {
	unsigned int question;
	unsigned int answer;
};

static struct highmem *hm;

static unsigned int nr_runs;

/*
 * In tasks and handlers: Criterion sends a message for each of its own
 * assertions, too slow for a hundred thousand.
 */
static const char *seen_wrong;

#define SEE(cond) ((cond) ? (void)0 : (void)(seen_wrong = "not true: " #cond))

static struct deviation deviations[MAX_DEVIATIONS];
static unsigned int nr_deviations;
static unsigned int nr_asked;
static uint8_t nr_answers[MAX_QUESTIONS];

static inline unsigned int choose_deviation(void *arg,
					    enum sim_question question,
					    const uint8_t *options,
					    unsigned int nr)
{
	unsigned int answer = 0;

	(void)arg;
	(void)question;
	(void)options;
	for (unsigned int i = 0; i < nr_deviations; i++)
		if (deviations[i].question == nr_asked)
			answer = deviations[i].answer;
	if (nr_asked < MAX_QUESTIONS)
		nr_answers[nr_asked] = (uint8_t)nr;
	nr_asked++;
	return answer;
}

static inline void interrupt_now(void *arg, unsigned int irq)
{
	const struct scenario *scenario = arg;

	(void)irq;
	machine_interrupt(scenario->handler, NULL);
}

/* At rest a slot has an owner or is free. */
static inline const char *lost_slot(void)
{
	for (unsigned int s = 0; s < hm->config.nr_slots; s++)
		if (slot_count(hm, s) == 0 && !slot_is_free(hm, s))
			return "a slot is neither owned nor free";
	return NULL;
}

static inline const char *run_schedule(const struct scenario *scenario)
{
	enum machine_verdict verdict;
	const char *why;

	nr_asked = 0;
	nr_runs++;
	seen_wrong = NULL;
	hm = boot(scenario->machine);
	if (scenario->setup)
		scenario->setup();
	for (unsigned int t = 0; t < 4 && scenario->tasks[t]; t++)
		machine_spawn(t % scenario->machine.nr_cpus, scenario->tasks[t],
			      NULL);
	verdict = machine_run();
	if (seen_wrong)
		return seen_wrong;
	why = unsound(hm);
	if (*why)
		return why;
	if (verdict != MACHINE_DONE)
		return "a task never ends";
	why = lost_slot();
	if (!why && scenario->wrong)
		why = scenario->wrong();
	machine_shutdown();
	return why ? why : "";
}

static inline void tell_failure(const char *why)
{
	cr_log_error("%s, after %u runs, with %u deviations\n", why, nr_runs,
		     nr_deviations);
	for (unsigned int i = 0; i < nr_deviations; i++)
		cr_log_error("question %u: answer %u\n", deviations[i].question,
			     deviations[i].answer);
}

/* All schedules that go on from the present deviations with @left more. */
static inline bool explore_from(const struct scenario *scenario,
				unsigned int first, unsigned int left)
{
	uint8_t answers[MAX_QUESTIONS];
	const char *why = run_schedule(scenario);
	unsigned int nr = nr_asked;

	if (*why || nr > MAX_QUESTIONS) {
		tell_failure(*why ? why : "too many questions");
		return false;
	}
	memcpy(answers, nr_answers, sizeof(answers));
	for (unsigned int q = first; left > 0 && q < nr; q++) {
		for (unsigned int a = 1; a < answers[q]; a++) {
			deviations[nr_deviations++] = (struct deviation){ q,
									  a };
			if (!explore_from(scenario, q + 1, left - 1))
				return false;
			nr_deviations--;
		}
	}
	return true;
}

static struct sim_control schedule_control;

static inline void take_control(struct scenario *scenario)
{
	schedule_control = (struct sim_control){
		.arg = scenario,
		.choose = choose_deviation,
		.irqs = { scenario->handler ? 1 : 0 },
		.interrupt = interrupt_now,
		.timeouts = scenario->timeouts,
		.max_steps = 10000,
	};
	sim_set_control(&schedule_control);
}

static inline void explore(struct scenario *scenario, unsigned int bound)
{
	take_control(scenario);
	cr_expect(explore_from(scenario, 0, bound));
	cr_log_info("%u runs\n", nr_runs);
	sim_set_control(NULL);
}

/* explore() a scenario, given by its members. */
#define EXPLORE(deviations, ...) \
	explore(&(struct scenario){ __VA_ARGS__ }, deviations)

/* Is there a schedule with one deviation that ends with this check? */
static inline bool can_end_with(struct scenario *scenario, const char *file,
				const char *condition)
{
	bool found = false;

	take_control(scenario);
	nr_deviations = 1;
	deviations[0] = (struct deviation){ 0, 1 };
	do {
		found = is_check_of(run_schedule(scenario), file, condition);
	} while (!found && ++deviations[0].question <= nr_asked);
	nr_deviations = 0;
	sim_set_control(NULL);
	return found;
}

#endif
