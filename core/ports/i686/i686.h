/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_I686_H
#define CORE_PORTS_I686_I686_H

/*
 * What this port offers to the kernel that boots on it, beyond machine.h:
 * the way in and out, memory, time, and interrupts placed where they hurt most.
 */

#include <highmem/layout.h>
#include <highmem/pgtable.h>
#include <highmem/types.h>

#include "core/ports/i686/refuse.h"

struct highmem;

#define I686_PAGE_OFFSET ((vaddr_t)0xc0000000)

/* ---- In and out ---------------------------------------------------------- */

/*
 * Supplied by the kernel; called with paging, interrupts and the clock on.
 * Must not return.
 */
_Noreturn void kernel_main(void);

/*
 * Supplied by the kernel, too: its words of the command line, as words.h has
 * them, up to NULL. One that neither it nor the port knows ends the boot.
 */
extern const char *const kernel_words[];

/* CPUs that run; a machine can have as many. */
unsigned int i686_nr_cpus(void);

/* A file that the loader put into memory. */
struct i686_module {
	const char *name; /* of the file, without its directory */
	const void *data;
	size_t size;
};

unsigned int i686_nr_modules(void);

/* NULL from i686_nr_modules() on. */
const struct i686_module *i686_get_module(unsigned int nr);

/* What the host sees of it: QEMU's exit status is 2 * code + 1. */
enum i686_exit {
	I686_EXIT_PASS = 0x10,
	I686_EXIT_FAIL = 0x11,
	I686_EXIT_STALL = 0x12,
	I686_EXIT_UNFIT = 0x13, /* not the PC that this needs */
};

_Noreturn void i686_exit(enum i686_exit code);

/* What is being done, for the report when it fails; NULL: nothing. */
void i686_set_activity(const char *name);

/*
 * Any context: one more event in this CPU's ring of the last ones, which is
 * printed when the run dies. @what has to stay where it is.
 */
void i686_note(const char *what, uint32_t a, uint32_t b);

/*
 * "Bail out!" with a sentence, backtraces of all CPUs and the last events,
 * then the end of the run.
 */
_Noreturn void i686_panic(const char *format, ...);

/*
 * Prints what all CPUs and tasks are at, and what the kernel adds for the
 * machine that is up: for a run that dies, which prints it by itself, or one
 * that comes to nothing. The printer is called with other CPUs stopped where
 * they were, so it takes no locks and trusts no list.
 */
void i686_print_state(void);
void i686_set_state_printer(void (*print)(void));

/*
 * How many sentences port_bug() got that no machine_take_bug() took before
 * the machine was shut down, since the last call. They were printed.
 */
unsigned int i686_unexpected_bugs(void);

/* ---- Memory -------------------------------------------------------------- */

/* The address map and what RAM there is, as they are since boot. */
const struct layout *i686_layout(void);

/* The kernel's page tables. */
const struct pgtable *i686_pgtable(void);

/*
 * Any frame of RAM, through a window of this CPU that has nothing to do with
 * the core. Valid until this CPU's next call. pre: interrupts are off.
 */
uint32_t *i686_window(pfn_t pfn);

/* One access, or a call of what returns at once. False: it faulted. */
bool i686_probe_load(const void *vaddr, uint32_t *value);
bool i686_probe_store(void *vaddr, uint32_t value);
bool i686_probe_call(const void *vaddr);

/* ---- Time ---------------------------------------------------------------- */

/*
 * Ticks per second from now on, 19 to 20000, and what to call at each, in
 * its interrupt (or NULL): on each CPU that belongs to the machine. When it
 * returns, no CPU is in the hook of before. Not from a hook.
 */
void i686_timer(unsigned int hz, void (*hook)(void *arg), void *arg);

#define I686_TIMER_HZ 1000

/*
 * Bail out, as stalled, unless called again within @seconds. 0: never.
 * Each CPU's clock interrupt looks, also at the other CPUs: one that has had
 * no such interrupt for half of that time has interrupts off, and is named.
 */
void i686_watchdog(unsigned int seconds);

/*
 * Seconds of the PC's calendar since some time. Right if the boot CPU asks at
 * least once a minute, and nobody else does.
 */
uint32_t i686_wall_seconds(void);

/* ---- Interrupts and switches at will ------------------------------------- */

/*
 * From a timer or step hook: the current task loses the CPU when the hook
 * returns, or as soon after that as preemption is enabled.
 */
void i686_resched(void);

/* Tasks take turns; off, the one of the lowest rank is next (machine.h). */
void i686_set_round_robin(bool on);

/*
 * How the next machine runs its tasks. Off, as after boot, one runs at a
 * time, each on the CPU that machine_spawn() gave it: at machine_yield(), or
 * where it sleeps or ends, the next one is chosen among all CPUs. Time passes
 * at yields, and when all of them sleep. So a program ends as it does on the
 * sim. On, all CPUs run tasks side by side, each for a tick at most, and a
 * task that holds no local map goes on wherever there is room.
 */
void i686_set_parallel(bool on);

/* Of all CPUs since boot; the difference of two is what happened between. */
struct i686_counts {
	uint32_t invlpgs;      /* single pages forgotten */
	uint32_t full_flushes; /* CR3 loaded to forget all */
	uint32_t ipis;	       /* interrupts sent from CPU to CPU */
	uint32_t switches;     /* from task to task */
	uint32_t migrations;   /* a task goes on, on another CPU */
};

struct i686_counts i686_counts(void);

struct i686_step_count {
	uint32_t instructions; /* executed by the body */
	uint32_t interrupts;   /* of them: interrupts were on after it */
};

/*
 * Task: run @body with the trap flag set: after each of its instructions that
 * leaves interrupts on, @hook runs as an interrupt, so that one comes at
 * every place where one can.
 */
struct i686_step_count i686_step(void (*body)(void *arg), void *body_arg,
				 void (*hook)(void *arg), void *hook_arg);

/* From the hook: the instruction that the interrupt came before. */
uint32_t i686_step_eip(void);

/* Where the task comes with interrupts on, for the @pass-th time (from 0). */
struct i686_place {
	uint32_t eip;
	uint32_t pass;
};

/*
 * Task: run @body, with @hook as an interrupt when it comes to @place.
 * Returns whether it came there.
 */
bool i686_break(void (*body)(void *arg), void *body_arg,
		const struct i686_place *place, void (*hook)(void *arg),
		void *hook_arg);

#endif
