/* SPDX-License-Identifier: MIT */
#include "core/port/port.h"
#include "core/ports/sim/sim.h"
#include "stress/schedule/test_controlled.h"

/*
 * The liveness phase: whoever was only kept waiting, by faults or by a chooser
 * that never took it, gets done. Who waits for what does not come is a bug.
 */

static void expect_said(const char *sentence)
{
	cr_expect_eq(result.exec.verdict, EXEC_BUG);
	cr_expect_str_eq(result.exec.sentence, sentence);
}

/* ---- It may begin anywhere -------------------------------------------------------- */

#define MIXED \
	"machine cpus=3 slots=2 depth=8\n" \
	"task A cpu=0: kmap p0; kmap p1; write p1; local p2; check\n" \
	"task B cpu=1: kmap p2; kunmap p2; flush; killable p3; kunmap p3\n" \
	"task C cpu=2: timeout p3; kmap p0; check\n" \
	"irq I cpu=1: local p1; get p1; check\n" \
	"A: unlocal; kunmap p0; kunmap p1\n"

static bool unsettled;

/* In the calm phase no store is under way. */
static void look_for_what_is_late(void *arg, const struct sim_event *event)
{
	(void)arg;
	(void)event;
	for (unsigned int c = 0; sim_calm_since() && c < 3; c++)
		unsettled |= sim.cpus[c].nr_stores > 0;
}

/* Everything that can happen does, and tasks change all the time. */
static unsigned int stir(void *arg, uint32_t step, enum sim_question question,
			 const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)options;
	cr_assert_eq(sim_calm_since(), 0, "asked in the calm phase");
	if (question == SIM_DRAIN || question == SIM_ACK)
		return 0;
	return step % 3 == 0 ? 0 : nr - 1;
}

Test(calm, it_may_begin_at_any_step)
{
	struct controlled_options options = {
		.choose = stir,
		.event = look_for_what_is_late,
		.faults = CONTROLLED_ALL_FAULTS & ~(uint32_t)FAULT_SPURIOUS,
	};
	unsigned int calm_runs = 0;

	parse(MIXED);
	do {
		options.max_steps++;
		controlled_run(&program, &options, &result);
		cr_assert_eq(result.exec.verdict, EXEC_OK, "%u: %s",
			     options.max_steps, result.exec.sentence);
		cr_expect_not(unsettled, "%u", options.max_steps);
		cr_expect(result.calm_since == 0 ||
			  result.calm_since > options.max_steps);
		calm_runs += result.calm_since != 0;
	} while (result.calm_since != 0);
	cr_expect_gt(calm_runs, 100, "%u", calm_runs);
}

Test(calm, a_deadlock_is_still_the_programs_own)
{
	const struct controlled_options options = { .max_steps = 1 };

	parse("machine cpus=2 slots=2\ntask A cpu=0: kmap p0; kmap p1; kmap p2");
	controlled_run(&program, &options, &result);
	cr_expect_eq(result.calm_since, 2);
	cr_expect_eq(result.exec.verdict, EXEC_DEADLOCK, "%s",
		     result.exec.sentence);
}

/* ---- Who sleeps is woken for nothing, again and again ------------------------------- */

static unsigned int nr_stray_wakes;

static unsigned int wake_for_nothing(void *arg, uint32_t step,
				     enum sim_question question,
				     const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)step;
	for (unsigned int i = 0; i < nr; i++) {
		if ((question != SIM_NEXT && question != SIM_WHO) ||
		    !(options[i] & SIM_SPURIOUS))
			continue;
		nr_stray_wakes++;
		return i;
	}
	return 0;
}

Test(calm, a_chooser_that_starves_a_task)
{
	const struct controlled_options options = {
		.choose = wake_for_nothing,
		.faults = FAULT_SPURIOUS,
		.max_steps = 200,
	};

	parse("machine cpus=2 slots=2\ntask A cpu=0: kmap p0; kmap p1\n"
	      "task B cpu=1: kmap p2\nA: kunmap p1; kunmap p0\n");
	controlled_run(&program, &options, &result);
	cr_expect_eq(result.exec.verdict, EXEC_OK, "%s", result.exec.sentence);
	cr_expect_eq(result.calm_since, 201);
	cr_expect_gt(nr_stray_wakes, 20, "%u", nr_stray_wakes);
}

/* ---- A core that spins ------------------------------------------------------------ */

static port_atomic_t go_on;
static uint32_t spinner; /* task id */
static bool interrupted; /* it spins in an interrupt only */
static bool spins;

/* At the spinner's first access of a slot's lock: as if the core did it. */
static void spin(void *arg, const struct sim_event *event)
{
	(void)arg;
	if (spins || event->task != spinner || event->access != SIM_CAS ||
	    (event->irq_depth > 0) != interrupted)
		return;
	spins = true;
	while (port_atomic_load(&go_on) == 0)
		;
}

static void let_go(void *arg, const char *task, const char *op,
		   const char *outcome)
{
	(void)arg;
	(void)task;
	(void)outcome;
	if (strcmp(op, "kmap p3") == 0)
		port_atomic_store(&go_on, 1);
}

static void run_spinner(const char *text, uint32_t id)
{
	const struct controlled_options options = { .event = spin,
						    .trace = let_go };

	parse(text);
	spinner = id;
	go_on = (port_atomic_t){ 0 };
	controlled_run(&program, &options, &result);
	cr_expect(spins);
	cr_expect_eq(result.calm_since, CONTROLLED_MAX_STEPS + 1);
}

/* By default who runs runs on: A does not come to its kmap p3. */
Test(calm, a_spinner_that_is_let_go)
{
	run_spinner("machine cpus=2 slots=2\n"
		    "task A cpu=0: kmap p0; kmap p0; kunmap p0; kmap p3",
		    1);
	cr_expect_eq(result.exec.verdict, EXEC_BUG, "it waits for itself");
	spins = false;
	run_spinner("machine cpus=2 slots=2\n"
		    "task A cpu=0: kmap p0; kmap p0\n"
		    "task B cpu=1: kmap p3",
		    1);
	cr_expect_eq(result.exec.verdict, EXEC_OK, "%s", result.exec.sentence);
}

Test(calm, a_spinner_that_nobody_lets_go)
{
	run_spinner("machine cpus=2 slots=2\n"
		    "task A cpu=0: kmap p0; kunmap p0\n"
		    "task B cpu=1: kmap p1; kunmap p1; kmap p2",
		    2);
	expect_said("liveness: B gets nowhere in kunmap p1, though nothing "
		    "disturbs it any more and every task has its turns");
}

Test(calm, who_holds_a_slot_at_its_end)
{
	run_spinner("machine cpus=2 slots=2\ntask A cpu=0: kmap p0", 1);
	expect_said("liveness: A gets nowhere in undoing what it holds, though "
		    "nothing disturbs it any more and every task has its "
		    "turns");
}

Test(calm, a_handler_that_spins)
{
	interrupted = true;
	run_spinner("machine cpus=2 slots=2\n"
		    "task A cpu=0: kmap p0\n"
		    "irq I cpu=0: get p0\n"
		    "A: raise I",
		    1);
	expect_said("liveness: I gets nowhere in get p0, though nothing "
		    "disturbs it any more and every task has its turns");
}

/* ---- Where nothing is asked -------------------------------------------------------- */

static void spin_for_ever(void *arg)
{
	(void)arg;
	while (port_atomic_load(&go_on) == 0)
		;
}

static unsigned int by_default(void *arg, enum sim_question question,
			       const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)question;
	(void)options;
	(void)nr;
	return 0;
}

static enum machine_verdict run_alone(bool freeze)
{
	const struct machine_config config = { .nr_cpus = 1,
					       .nr_slots = 2,
					       .nr_colours = 1,
					       .nr_pages = 2,
					       .local_depth = 2 };
	const struct sim_control control = { .choose = by_default,
					     .max_steps = 1000 };
	enum machine_verdict verdict;

	sim_set_control(&control);
	machine_boot(&config);
	if (freeze)
		sim_freeze(true);
	machine_spawn(0, spin_for_ever, NULL);
	verdict = machine_run();
	machine_shutdown();
	sim_set_control(NULL);
	return verdict;
}

/* The oracle's last flush, by a core that does not return from it. */
Test(calm, a_spinner_under_a_frozen_machine)
{
	cr_expect_eq(run_alone(true), MACHINE_STALLED);
	cr_expect_eq(sim_steps(), 0);
}

Test(calm, a_run_without_a_calm_phase)
{
	cr_expect_eq(run_alone(false), MACHINE_STALLED);
	cr_expect_eq(sim_steps(), 1001);
	cr_expect_eq(sim_gave_up_on(), 1);
}
