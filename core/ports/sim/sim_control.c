/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim_mmu.h"

bool sim_controlled;

static const struct sim_control *wanted;
static const struct sim_control *control;
static uint32_t step;
static uint32_t limit; /* steps of the safety phase */
static bool frozen;
static uint32_t frozen_points;
static bool has_irqs;

void sim_set_control(const struct sim_control *chooser)
{
	wanted = chooser;
}

void sim_control_reset(void)
{
	control = wanted;
	step = 0;
	limit = control ? control->max_steps : 0;
	has_irqs = false;
	for (unsigned int c = 0; control && c < HIGHMEM_MAX_CPUS; c++)
		has_irqs |= control->irqs[c] != 0;
	frozen = false;
	sim_calm_reset();
}

bool sim_has_control(void)
{
	return control != NULL;
}

void sim_control_begin(void)
{
	sim_controlled = control != NULL;
}

void sim_control_end(void)
{
	sim_controlled = false;
}

bool sim_buffers_stores(void)
{
	return control && control->store_buffers;
}

static bool nothing_waits(void)
{
	bool any = false;

	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		any |= sim.cpus[c].nr_stores > 0;
	return !any;
}

/*
 * With nothing left in store buffers, memory is what everybody sees, and the
 * oracle's loads need not go the long way.
 */
bool sim_freeze(bool on)
{
	static bool controlled;
	bool settled = !sim_buffers_stores() || nothing_waits();

	if (on)
		controlled = sim_controlled;
	sim_controlled = controlled && !(on && settled);
	frozen = on;
	frozen_points = 0;
	return settled;
}

bool sim_is_frozen(void)
{
	return frozen;
}

uint32_t sim_steps(void)
{
	return step;
}

void sim_calm_after_this_step(void)
{
	limit = step;
}

const char *sim_access_name(enum sim_access access)
{
	static const char *const names[SIM_NR_ACCESSES] = {
		[SIM_LOAD] = "load",
		[SIM_STORE] = "store",
		[SIM_CAS] = "cas",
		[SIM_ADD] = "add",
		[SIM_EXCHANGE] = "exchange",
		[SIM_FENCE] = "fence",
		[SIM_LOCK] = "lock",
		[SIM_UNLOCK] = "unlock",
		[SIM_PTE_SET] = "pte_set",
		[SIM_PTE_CLEAR] = "pte_clear",
		[SIM_FLUSH_LOCAL] = "flush_local",
		[SIM_SHOOTDOWN] = "shootdown",
		[SIM_PARK] = "park",
		[SIM_UNPARK] = "unpark",
		[SIM_MEM_LOAD] = "read",
		[SIM_MEM_STORE] = "write",
	};

	return names[access];
}

/* ---- Questions ------------------------------------------------------------------ */

struct options {
	uint8_t option[SIM_MAX_OPTIONS];
	unsigned int nr;
};

static void offer(struct options *options, uint32_t option)
{
	if (options->nr < SIM_MAX_OPTIONS)
		options->option[options->nr++] = (uint8_t)option;
}

static uint8_t ask(enum sim_question question, const struct options *options)
{
	unsigned int answer;

	if (options->nr < 2 || step > limit)
		return options->option[0];
	answer = control->choose(control->arg, question, options->option,
				 options->nr);
	if (answer == SIM_STOP_RUN)
		sim_stop_run();
	return options->option[answer < options->nr ? answer : 0];
}

static void offer_task(struct options *options, const struct port_task *task)
{
	if (sim_can_run(task)) {
		offer(options, task->id);
		return;
	}
	if (task->state != SIM_TASK_PARKED || !sim_cpu_yields_to(task))
		return;
	if (control->timeouts && task->deadline != PORT_NO_DEADLINE)
		offer(options, task->id | SIM_TIMEOUT);
	if (control->spurious)
		offer(options, task->id | SIM_SPURIOUS);
}

/* The task that an option names, woken if need be. */
static struct port_task *chosen_task(uint8_t option)
{
	struct port_task *task =
		&sim.tasks[(option & ~(SIM_TIMEOUT | SIM_SPURIOUS)) - 1];

	if (option & (SIM_TIMEOUT | SIM_SPURIOUS))
		sim_wake(task, (option & SIM_TIMEOUT) != 0);
	return task;
}

static uint8_t ask_who(enum sim_question question,
		       const struct port_task *first)
{
	struct options options;

	options.nr = 0;
	offer(&options, first->id);
	for (unsigned int i = 0; i < sim.nr_tasks; i++)
		if (&sim.tasks[i] != first)
			offer_task(&options, &sim.tasks[i]);
	return ask(question, &options);
}

/* Where @task goes on; it has just been chosen. */
static void ask_migrate(struct port_task *task)
{
	struct options options = { .nr = 0 };
	uint8_t option;

	offer(&options, 0);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		if (sim_can_migrate(task, c))
			offer(&options, c + 1);
	option = ask(SIM_MIGRATE, &options);
	if (option != 0)
		sim_migrate(task, option - 1U);
}

/* No more questions; whoever chose has had its say. */
static void calm_down(void)
{
	if (!sim_calm_since())
		sim_calm_begin(control->calm ? control->calm(control->arg) : 0);
}

/* Counts as a step of its own, so that a step names one question of a kind. */
struct port_task *sim_choose_next(struct port_task *fallback)
{
	struct port_task *task;

	if (!sim_controlled || frozen)
		return fallback;
	if (++step > limit) {
		calm_down();
		return sim_calm_next();
	}
	task = chosen_task(ask_who(SIM_NEXT, fallback));
	if (control->migrate)
		ask_migrate(task);
	return task;
}

/* Handlers that could interrupt @cpu now. */
static uint32_t irqs_of(unsigned int cpu)
{
	const struct sim_cpu *c = &sim.cpus[cpu];

	return c->irq_off ? 0 : control->irqs[cpu] & ~c->irqs_active;
}

/* Its task spins, for a lock or for answers; interrupts may be on. */
static bool waits_busily(const struct sim_cpu *cpu)
{
	const struct port_task *task = cpu->current;

	return task && (task->state == SIM_TASK_SPINNING ||
			task->state == SIM_TASK_FLUSHING);
}

static void offer_irqs(struct options *options, unsigned int cpu)
{
	for (uint32_t irqs = irqs_of(cpu); irqs != 0; irqs &= irqs - 1)
		offer(options, (uint32_t)__builtin_ctz(irqs) + 1);
}

static unsigned int cpu_of_irq(unsigned int irq)
{
	unsigned int cpu = 0;

	while (!(control->irqs[cpu] >> irq & 1))
		cpu++;
	return cpu;
}

static void take_irq(unsigned int irq)
{
	struct sim_cpu *cpu = &sim.cpus[sim.cpu];

	/* The handler sees this CPU's own stores; let memory have them too. */
	sim_drain(sim.cpu);
	cpu->irqs_active |= 1U << irq;
	control->interrupt(control->arg, irq);
	cpu->irqs_active &= ~(1U << irq);
}

void sim_take_irq(void)
{
	struct port_task *self = sim_running();
	uint32_t option = self->irq;

	self->irq = 0;
	if (option != 0)
		take_irq(option - 1);
}

/* Who spins makes no steps at which it could be asked: others' are used. */
static bool ask_irq(void)
{
	struct options options = { .nr = 0 };
	unsigned int cpu;
	uint8_t option;

	offer(&options, 0);
	offer_irqs(&options, sim.cpu);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		if (control->irqs[c] != 0 && waits_busily(&sim.cpus[c]))
			offer_irqs(&options, c);
	option = ask(SIM_IRQ, &options);
	if (option == 0)
		return false;
	cpu = cpu_of_irq(option - 1U);
	if (cpu == sim.cpu) {
		take_irq(option - 1U);
	} else {
		sim.cpus[cpu].current->irq = option;
		sim_switch_to(sim.cpus[cpu].current);
	}
	return true;
}

/* Whose turn is it, among the CPUs that @may? An option is a CPU + 1. */
static inline __attribute__((always_inline)) uint8_t
ask_cpus(enum sim_question question, bool (*may)(const struct sim_cpu *cpu))
{
	struct options options = { .nr = 0 };

	offer(&options, 0);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		if (may(&sim.cpus[c]))
			offer(&options, c + 1);
	return ask(question, &options);
}

static bool may_answer(const struct sim_cpu *cpu)
{
	return cpu->shootdowns != 0 && !cpu->irq_off;
}

static void ask_ack(void)
{
	uint8_t option = ask_cpus(SIM_ACK, may_answer);

	if (option != 0)
		sim_answer(option - 1U);
}

static bool may_forget(const struct sim_cpu *cpu)
{
	return cpu->nr_cached > 0 && !cpu->offline;
}

static void ask_drop(void)
{
	uint8_t option = ask_cpus(SIM_DROP, may_forget);

	if (option != 0)
		sim_tlb_drop(option - 1U);
}

static void ask_hotplug(void)
{
	struct options options = { .nr = 0 };
	uint8_t option;

	offer(&options, 0);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++) {
		if (sim.cpus[c].offline)
			offer(&options, (c + 1) | SIM_ONLINE);
		else if (sim_can_go_offline(c))
			offer(&options, c + 1);
	}
	option = ask(SIM_HOTPLUG, &options);
	if (option & SIM_ONLINE)
		sim_come_online((option & ~SIM_ONLINE) - 1U);
	else if (option != 0)
		sim_go_offline(option - 1U);
}

/* Nobody on it who could use an old translation. */
static bool is_idle(const struct sim_cpu *cpu)
{
	return !cpu->current || cpu->current->state == SIM_TASK_PARKED ||
	       cpu->current->state == SIM_TASK_DONE;
}

bool sim_answers_late(unsigned int cpu)
{
	const struct options options = { .option = { 0, 1 }, .nr = 2 };

	if (!sim_controlled || frozen || cpu == sim.cpu ||
	    is_idle(&sim.cpus[cpu]))
		return false;
	return sim.cpus[cpu].irq_off ||
	       (control->delays && ask(SIM_DELAY, &options) != 0);
}

static void ask_cancel(void)
{
	struct options options = { .nr = 0 };
	uint8_t option;

	offer(&options, 0);
	for (unsigned int i = 0; i < sim.nr_tasks; i++) {
		const struct port_task *task = &sim.tasks[i];

		if ((control->killable >> task->id & 1) &&
		    task->signal.value == 0 && task->state != SIM_TASK_DONE)
			offer(&options, task->id);
	}
	option = ask(SIM_CANCEL, &options);
	if (option != 0)
		sim_kill(&sim.tasks[option - 1]);
}

static bool may_drain(const struct sim_cpu *cpu)
{
	return cpu->nr_stores > 0;
}

static void ask_drain(void)
{
	uint8_t option = ask_cpus(SIM_DRAIN, may_drain);

	if (option != 0)
		sim_drain_one(&sim.cpus[option - 1]);
}

uint8_t sim_choose_alloc(unsigned int nr)
{
	struct options options = { .nr = 0 };

	if (!control || !control->allocs)
		return 0;
	offer(&options, 0);
	for (unsigned int i = 1; i <= nr; i++)
		offer(&options, i);
	for (unsigned int i = 1; i <= nr; i++)
		offer(&options, i | SIM_ALLOC_ON);
	return ask(SIM_ALLOC, &options);
}

void *sim_point_sp;

static void ask_all(int access, void *sp)
{
	struct port_task *self = sim_running();
	struct port_task *next;
	uint8_t who;

	(void)access;
	sim_point_sp = sp;
	if (control->store_buffers)
		ask_drain(); /* else nothing ever waits */
	if (sim.silent != 0)
		ask_ack();
	if (control->drops)
		ask_drop();
	if (control->hotplug)
		ask_hotplug();
	if (has_irqs && ask_irq())
		step++; /* the handler had steps of its own */
	if (control->killable != 0)
		ask_cancel();
	sim_point_sp = sp;
	who = ask_who(SIM_WHO, self);
	next = chosen_task(who);
	if (control->migrate)
		ask_migrate(next);
	if (next != self)
		sim_switch_to(next);
}

/* No oracle's look takes that many. What does, never returns. */
#define MOST_FROZEN_POINTS 1000000

void sim_stop_at(enum sim_access access)
{
	if (frozen) {
		if (++frozen_points == MOST_FROZEN_POINTS)
			sim_stop_run();
	} else if (++step > limit) {
		calm_down();
		sim_calm_point();
	} else {
		fiber_with_registers(ask_all, (int)access);
	}
}

void sim_tell(enum sim_access access, const void *word, uint64_t before,
	      uint64_t after, const void *caller)
{
	if (!sim_controlled || frozen || !control->event)
		return;

	const struct sim_event event = {
		.step = step,
		.task = sim_running()->id,
		.cpu = sim.cpu,
		.irq_depth = sim.cpus[sim.cpu].irq_depth,
		.access = access,
		.word = word,
		.before = before,
		.after = after,
		.caller = caller,
	};

	control->event(control->arg, &event);
}

bool sim_holds_store(void)
{
	const struct options options = { .option = { 0, 1 }, .nr = 2 };

	return control->store_buffers && !frozen &&
	       sim_running() != &sim.controller && ask(SIM_HOLD, &options) != 0;
}
