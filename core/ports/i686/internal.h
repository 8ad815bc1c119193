/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_INTERNAL_H
#define CORE_PORTS_I686_INTERNAL_H

/* What the files of this port know of each other. */

#include "core/port/port.h"
#include "core/ports/i686/i686.h"

#include <highmem/highmem.h>

#include "core/testing/machine.h"

/* ---- trap.c, step.c, timer.c --------------------------------------------------- */

/* The stack as entry.S leaves it for i686_trap(), lowest address first. */
struct trap_frame {
	uint32_t edi, esi, ebp, esp_at_pusha, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags;
	/* What was on the interrupted stack: the ring does not change. */
};

enum i686_vector {
	VECTOR_DEBUG = 1,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_TIMER = 32,
	VECTOR_SPURIOUS = 39,
	VECTOR_SOFT = 48, /* machine_interrupt() */
	I686_NR_VECTORS = 49,
};

void trap_init(void);
void trap_set_cr3(uint32_t cr3);
void i686_trap(struct trap_frame *frame);

/* Ends the run with the sentence and the registers of @frame. */
_Noreturn void trap_die(const struct trap_frame *frame, enum i686_exit code,
			const char *sentence);

/* A debug trap; false when nobody asked for it. */
bool step_trap(struct trap_frame *frame);

void timer_init(void);
void timer_interrupt(const struct trap_frame *frame);

/* Virtual time: is it on? Let it pass up to @now; interrupts are off. */
bool timer_is_virtual(void);
void timer_pass(uint64_t now);

/* ---- modules.c --------------------------------------------------------------- */

/* What the provisional tables map of physical memory. */
#define PROVISIONAL_BYTES (8U << 20)

/* Remember the loader's list of @nr. NULL, or what is wrong with it. */
const char *modules_init(uint32_t list_phys, uint32_t nr);

/* ---- paging.c -------------------------------------------------------------- */

void paging_init(void);

/*
 * This CPU goes from the provisional tables of boot.S to the final ones:
 * CR3 and whatever must be set with it (CR4, EFER). paging_init() calls it for
 * the boot CPU, each other CPU does so itself, on its way up.
 */
void paging_activate(void);

/* No PTE in the pkmap area and the fixmap, no translation of them. */
void paging_reset(void);

/* NULL, or one sentence on PTEs and TLB: see machine_audit(). */
const char *paging_audit(const struct highmem_config *config);

/* Is there no page on purpose, to stop a stack that grows into it? */
bool paging_is_guard(vaddr_t vaddr);

/*
 * Any RAM, by frame, through a window of this CPU. Valid until this CPU's next
 * call; interrupts are off.
 */
uint32_t *paging_frame(pfn_t pfn);

/* The page of a device's registers, uncached: the local APIC's. Call once. */
volatile uint32_t *paging_map_device(uint32_t address);

/* entry.S: one access; false when the page faults. */
bool i686_probe_load(const void *vaddr, uint32_t *value);
bool i686_probe_store(void *vaddr, uint32_t value);

/* ---- port_i686.c ----------------------------------------------------------- */

/* Since the last tlb_stats_reset(). */
struct machine_tlb_stats tlb_stats(void);
void tlb_stats_reset(void);

/* i686_counts() of the TLB, which nobody resets. */
struct i686_counts tlb_counts(void);

/* Print the sentences that nobody took. */
void drop_bugs(void);

/* ---- sched.c -------------------------------------------------------------- */

enum task_state {
	TASK_READY,
	TASK_ASLEEP,
	TASK_ENDED,
};

struct port_task {
	uint32_t esp;  /* while it does not run */
	uint32_t id;   /* 0: the controlling context */
	uint32_t rank; /* see machine_yield() */
	enum task_state state;
	bool woken;	      /* an unpark not yet used by a park */
	port_atomic_t signal; /* machine_kill() */
	uint64_t deadline;    /* while asleep */
	unsigned int migrate_disabled;
	struct kmap_ctrl kmap;
	void (*entry)(void *arg);
	void *arg;
};

/* Forget all tasks; context switches are those of @hm's, or of nobody's. */
void sched_reset(struct highmem *hm);

/* Context switches since boot. */
uint32_t sched_switches(void);

/* A tick: wake whose deadline has come. Interrupts are off. */
void sched_tick(uint64_t now);

/* Like i686_preempt(), at the end of a trap: interrupts are off. */
void sched_preempt(void);

#endif
