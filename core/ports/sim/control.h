/* SPDX-License-Identifier: MIT */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

/*
 * Every choice the simulated machine can make, in the hands of one function.
 *
 * Without control, operations run one at a time (sim.h). With it, the machine
 * stops before each access that another CPU or an interrupt could notice, a
 * point, and asks. Option 0 is always the default: run on, no interrupt, the
 * store reaches memory at once. So a run is described by the few questions
 * that were answered otherwise, and it repeats exactly.
 *
 * A run has two phases. In the first, the safety phase, anything may go wrong.
 * After max_steps the second begins, the liveness phase: the machine is *calm*.
 * What was held back arrives, nothing is asked any more, and each task that can
 * run has its turn. Then everybody must be served, and soon.
 */

#include "core/port/machine.h"

/* What is about to happen, or has just happened, at a point. */
enum sim_access {
	SIM_LOAD,
	SIM_STORE,
	SIM_CAS,
	SIM_ADD,
	SIM_EXCHANGE,
	SIM_FENCE,
	SIM_LOCK,
	SIM_UNLOCK,
	SIM_PTE_SET,
	SIM_PTE_CLEAR,
	SIM_FLUSH_LOCAL,
	SIM_SHOOTDOWN,
	SIM_PARK,
	SIM_UNPARK,
	SIM_MEM_LOAD, /* by the program, through a kernel address */
	SIM_MEM_STORE,
	SIM_NR_ACCESSES
};

const char *sim_access_name(enum sim_access access);

enum sim_question {
	/*
	 * Who runs on? Asked at each point. An option is a task's id, plus
	 * SIM_TIMEOUT or SIM_SPURIOUS for one that sleeps and would be woken by
	 * its deadline or for no reason. Option 0 is the current task.
	 */
	SIM_WHO,
	/* The same when the current task cannot run on; option 0: by rank. */
	SIM_NEXT,
	/*
	 * An interrupt here, on the current CPU? Or on one that spins with
	 * interrupts on, for a lock or for answers to its shootdown? An option
	 * is a handler + 1; no handler interrupts itself.
	 */
	SIM_IRQ,
	/* A signal now? An option is the id of the task it is for. */
	SIM_CANCEL,
	/*
	 * On which CPU does the task go on that was just chosen? Asked when it
	 * may leave its own: nothing pins it, and no interrupt is on its stack.
	 * Option 0: where it is; else a CPU + 1.
	 */
	SIM_MIGRATE,
	/* Does this store stay in the CPU's store buffer for now? 0 or 1. */
	SIM_HOLD,
	/*
	 * A shootdown interrupts a CPU with interrupts on: does it answer later?
	 * 0 or 1. It then goes on with old translations, at most until its
	 * interrupts come on again, it switches, or nobody else can run.
	 */
	SIM_DELAY,
	/* Who answers a shootdown now that it has not answered yet? CPU + 1. */
	SIM_ACK,
	/* Whose TLB forgets all that it has? A CPU + 1. */
	SIM_DROP,
	/* Whose oldest buffered store reaches memory now? A CPU + 1. */
	SIM_DRAIN,
	/*
	 * Which allocation of the boot fails? Asked once, at step 0. Option 0:
	 * none; else its number, from 1, plus SIM_ALLOC_ON if all after it fail,
	 * too. SIM_STOP_RUN is no answer, for no run has begun.
	 */
	SIM_ALLOC,
	/*
	 * Which CPU goes offline now: a CPU + 1? Its tasks go on on the first
	 * one that is online. Or which comes back: the same, plus SIM_ONLINE.
	 */
	SIM_HOTPLUG,
	SIM_NR_QUESTIONS
};

#define SIM_TIMEOUT 0x40u
#define SIM_SPURIOUS 0x80u
#define SIM_ALLOC_ON 0x80u
#define SIM_ONLINE 0x40u
#define SIM_MAX_OPTIONS 32

/*
 * Instead of an index: end the run here. machine_run() then says STALLED, and
 * who chose knows why.
 */
#define SIM_STOP_RUN UINT32_MAX

/* One access, as it happened. */
struct sim_event {
	uint32_t step; /* the point's number, from 1 */
	uint32_t task; /* id */
	unsigned int cpu;
	unsigned int irq_depth; /* handlers on the CPU's stack */
	enum sim_access access;
	const void *word; /* of the core's state, or the kernel address */
	uint64_t before;
	uint64_t after;
	const void *caller; /* an address in the code that did it */
};

struct sim_control {
	void *arg;
	/* Returns an index below @nr, or SIM_STOP_RUN. 0 is the default. */
	unsigned int (*choose)(void *arg, enum sim_question question,
			       const uint8_t *options, unsigned int nr);
	/* After each access; or NULL. */
	void (*event)(void *arg, const struct sim_event *event);
	/* Handlers that may interrupt a CPU: one bit for each; each has one CPU. */
	uint32_t irqs[HIGHMEM_MAX_CPUS];
	/* Run handler @irq now: calls machine_interrupt(). */
	void (*interrupt)(void *arg, unsigned int irq);
	uint32_t killable;  /* tasks a signal may come for: one bit per id */
	bool store_buffers; /* ask SIM_HOLD and SIM_DRAIN */
	bool migrate;	    /* ask SIM_MIGRATE */
	bool drops;	    /* ask SIM_DROP */
	bool allocs;	    /* ask SIM_ALLOC */
	bool delays;	    /* ask SIM_DELAY */
	bool hotplug;	    /* ask SIM_HOTPLUG */
	bool spurious;	    /* offer wake-ups for no reason */
	bool timeouts;	    /* offer deadlines before their time */
	uint32_t max_steps; /* of the safety phase */
	/*
	 * It is over: how many steps may the rest of the run take? If they are
	 * not enough, it ends there. NULL: none.
	 */
	uint32_t (*calm)(void *arg);
};

/*
 * From the next machine_boot() on, until NULL is given. @chooser stays the
 * caller's and may change between runs.
 */
void sim_set_control(const struct sim_control *chooser);

/*
 * The core's sentence if it refused the last machine_boot() at first, because
 * an allocation failed, and booted from what it had given back; else NULL.
 */
const char *sim_boot_refused(void);

/*
 * No questions while an oracle looks; then go on. Does not nest. Returns
 * whether all store buffers are empty.
 */
bool sim_freeze(bool on);

/* Points of the current or last run. */
uint32_t sim_steps(void);

/*
 * From inside choose(): a number for the state of the whole machine at this
 * question: core, page tables, TLBs, store buffers, tasks with what is live on
 * their stacks. Equal numbers mean equal futures, up to a hash collision.
 * Counters that only observers read are left out.
 */
uint64_t sim_state_hash(void);

/* From inside choose(): the calm phase begins with the next step. */
void sim_calm_after_this_step(void);

/* The first step of the calm phase of the current or last run; 0: none yet. */
uint32_t sim_calm_since(void);

/*
 * The steps of the calm phase did not suffice: the id of the task that was
 * running in the end. 0: they did.
 */
uint32_t sim_gave_up_on(void);

#endif
