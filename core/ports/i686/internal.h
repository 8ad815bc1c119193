/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_INTERNAL_H
#define CORE_PORTS_I686_INTERNAL_H

/* What the files of this port know of each other. */

#include "core/port/port.h"
#include "core/ports/i686/bootmem.h"
#include "core/ports/i686/i686.h"

#include <highmem/highmem.h>

#include "core/port/machine.h"

/* ---- trap.c, die.c, step.c, timer.c, watchdog.c -------------------------------- */

/* The stack as entry.S leaves it for i686_trap(), lowest address first. */
struct trap_frame {
	uint32_t edi, esi, ebp, esp_at_pusha, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags;
	/* What was on the interrupted stack: the ring does not change. */
};

enum i686_vector {
	VECTOR_DEBUG = 1,
	VECTOR_NMI = 2,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_TIMER = 32,
	VECTOR_SPURIOUS = 39,
	VECTOR_SOFT = 48, /* machine_interrupt() */
	VECTOR_APIC_TIMER = 49,
	VECTOR_CALL = 50, /* smp_call() */
	VECTOR_KICK = 51, /* smp_kick() */
	VECTOR_APIC_SPURIOUS = 63,
	I686_NR_VECTORS = 64,
};

/* This CPU's descriptor tables. It is @cpu from then on. */
void trap_init(unsigned int cpu);
void trap_set_cr3(uint32_t cr3);
void i686_trap(struct trap_frame *frame);

/*
 * Stops the other CPUs and ends the run with the sentence, the registers of
 * @frame, and what everybody did last.
 */
_Noreturn void trap_die(const struct trap_frame *frame, enum i686_exit code,
			const char *sentence);

/* A debug trap; false when nobody asked for it. */
bool step_trap(struct trap_frame *frame);

/* The local APIC has a clock: the old one is to be quiet. */
void pic_mask_all(void);

void timer_init(void);

/* Another CPU, on its way up: start this CPU's timer. */
void timer_start_cpu(void);

void timer_interrupt(const struct trap_frame *frame);

/* At this CPU's tick, which comes @microseconds after the last one. */
void watchdog_tick(const struct trap_frame *frame, uint32_t microseconds);

/* ---- modules.c --------------------------------------------------------------- */

/* What the provisional tables map of physical memory. */
#define PROVISIONAL_BYTES (8U << 20)

/* Remember the loader's list of @nr. NULL, or what is wrong with it. */
const char *modules_init(uint32_t list_phys, uint32_t nr);

/* ---- machine_i686.c --------------------------------------------------------- */

/* Takes frames for the lowmem pages. Returns NULL or a sentence. */
const char *machine_init(struct bootmem *bootmem);

/* ---- paging.c -------------------------------------------------------------- */

/* The final tables. Returns NULL or a sentence. */
const char *paging_init(const struct layout *layout, struct bootmem *bootmem);

/*
 * This CPU goes from the provisional tables of boot.S to the final ones:
 * CR3 and whatever must be set with it (CR4, EFER). paging_init() calls it for
 * the boot CPU, each other CPU does so itself, on its way up.
 */
void paging_activate(void);

/* No PTE in the pkmap area and the windows. No flush. */
void paging_reset(void);

/* Is none of the @nr PTEs from @vaddr on in use? */
bool paging_is_unused(vaddr_t vaddr, unsigned int nr);

/*
 * NULL, or one sentence on PTEs and this CPU's TLB: see machine_audit().
 * Interrupts are off. All CPUs may be in it at the same time.
 */
const char *paging_audit(const struct highmem_config *config);

/* Bits of a PTE that maps data. */
pte_t paging_data_prot(void);

bool paging_has_pae(void);

/* Is there no page on purpose, to stop a stack that grows into it? */
bool paging_is_guard(vaddr_t vaddr);

/*
 * Any RAM, by frame, through a window of this CPU. Valid until this CPU's next
 * call; interrupts are off.
 */
uint32_t *paging_frame(pfn_t pfn);

/* The page of a device's registers, uncached: the local APIC's. Call once. */
volatile uint32_t *paging_map_device(uint32_t address);

/* ---- tlb.c ------------------------------------------------------------------- */

/* Since the last tlb_stats_reset(). */
struct machine_tlb_stats tlb_stats(void);
void tlb_stats_reset(void);

/* Each CPU of the machine forgets all translations. */
void tlb_flush_machine(void);

/* paging_audit() on each CPU of the machine. */
const char *tlb_audit(const struct highmem_config *config);

/* ---- port_i686.c ----------------------------------------------------------- */

/* At boot: how many CPUs there are. */
void facts_set_cpus(unsigned int nr);

/* A lock of the port's own. pre: interrupts are off. */
void raw_lock(port_spinlock_t *lock);
void raw_unlock(port_spinlock_t *lock);

/* Print the sentences that nobody took. */
void drop_bugs(void);

/* The same, and leave them there: without a lock, for who is about to die. */
void print_bugs(void);

/* ---- sched.c -------------------------------------------------------------- */

enum task_state {
	TASK_READY,
	TASK_RUNNING,
	TASK_ASLEEP,
	TASK_ENDED,
};

struct port_task {
	uint32_t esp;  /* while it does not run */
	uint32_t id;   /* 0: what a CPU does when there is nothing to do */
	uint32_t cpu;  /* where it runs, or will, or did last */
	uint32_t rank; /* see machine_yield() */
	enum task_state state;
	bool woken;	      /* an unpark not yet used by a park */
	port_atomic_t signal; /* machine_kill() */
	uint64_t deadline;    /* while asleep */
	unsigned int migrate_disabled;
	bool keeps_cpu; /* READY, but nobody else may run on its CPU */
	struct kmap_ctrl kmap;
	void (*entry)(void *arg);
	void *arg;
};

/* No task yet; the boot CPU's idle task is the controlling context. */
void sched_init(void);

/* Forget all tasks; switches on @cpus CPUs are told @guest, or nobody's. */
void sched_reset(const struct guest *guest, unsigned int cpus);

/* CPUs of the machine, 1 if none is up; their ids are 0 to one less. */
unsigned int sched_nr_cpus(void);

/* This CPU's life, from boot on, when no task needs it. Interrupts are off. */
_Noreturn void sched_idle(void);

/* A tick: time passes, somebody else's turn. Interrupts are off. */
void sched_tick(void);

/* Like i686_preempt(), at the end of a trap: interrupts are off. */
void sched_preempt(void);

#endif
