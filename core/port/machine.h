/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORT_MACHINE_H
#define CORE_PORT_MACHINE_H

/*
 * What a port offers to tests, beyond the contract of core/port: build a
 * machine, run tasks on it, raise interrupts, touch memory through kernel
 * addresses, and hear what was reported. Each port implements it beside its
 * backend; the op programs and the conformance suite need nothing else, and
 * so run unchanged on every port. Freestanding: no libc.
 *
 * One machine at a time. Functions are called from the controlling context
 * (the test's own stack), unless marked "task": then from inside a task.
 */

#include <highmem/highmem.h>

#include "core/port/guest.h"

#define MACHINE_LOWMEM_PAGES 2
#define MACHINE_MAX_TASKS 8
#define MACHINE_MAX_PAGES 4096

struct machine_config {
	unsigned int nr_cpus;	  /* 1 to HIGHMEM_MAX_CPUS */
	unsigned int nr_slots;	  /* pkmap slots, 2 to 1024 (512 with PAE) */
	unsigned int nr_colours;  /* power of two that divides nr_slots */
	unsigned int nr_pages;	  /* highmem pages, 1 to MACHINE_MAX_PAGES */
	unsigned int local_depth; /* local maps per task, 1 to KM_MAX_IDX */
	bool pae;	  /* only where the port can: see machine_can() */
	bool sparse_cpus; /* their ids have holes: machine_cpu_mask() */
	bool nested_irqs; /* handlers run with interrupts on */
	bool force_map;	  /* local maps of lowmem pages use windows too */
	bool full_flush;  /* a shootdown of two pages is one of all */
	bool holes;	  /* half of the highmem lies behind a hole */
};

/*
 * What no port can, or NULL. For the ports' machine_can(): whoever makes a
 * machine smaller step by step asks there, and gets a sentence, not a crash.
 */
static inline const char *
machine_shape_wrong(const struct machine_config *config)
{
	unsigned int colours = config->nr_colours;

	if (colours < 1 || colours > HIGHMEM_MAX_COLOURS ||
	    (colours & (colours - 1)) || config->nr_slots % colours != 0)
		return "a machine has 1, 2, 4 or 8 colours, and they divide "
		       "the slots";
	if (config->local_depth < 1 || config->local_depth > KM_MAX_IDX)
		return "a machine has 1 to 16 local maps for a task";
	return NULL;
}

/*
 * The ids of a machine's CPUs, one bit for each. Sparse ones are spread over
 * what there is, and CPU 0 is not among them: 7; 3 and 7; 2, 5 and 7; ...
 */
static inline uint32_t machine_cpu_mask(const struct machine_config *config)
{
	uint32_t mask = 0;

	for (unsigned int nr = 0; nr < config->nr_cpus; nr++) {
		unsigned int last = HIGHMEM_MAX_CPUS * (nr + 1) - 1;

		mask |= 1U
			<< (config->sparse_cpus ? last / config->nr_cpus : nr);
	}
	return mask;
}

/*
 * Programs and tests number the CPUs of a machine from 0. What port_cpu_id()
 * says on CPU @nr, and which number has the CPU that we are on.
 */
static inline unsigned int machine_cpu_id(unsigned int nr)
{
	uint32_t mask = port_facts()->cpu_mask;

	while (nr-- > 0)
		mask &= mask - 1;
	return (unsigned int)__builtin_ctz(mask);
}

static inline unsigned int machine_this_cpu(void)
{
	uint32_t below = port_facts()->cpu_mask & ((1U << port_cpu_id()) - 1);
	unsigned int nr = 0;

	for (; below; below &= below - 1)
		nr++;
	return nr;
}

/*
 * Where the frames of mem_map lie: lowmem ends at 896 MiB, highmem begins at frame
 * @border, and its second half lies behind a hole if the machine has one. A page
 * has the same colour with a hole and without. Returns how many ranges that are;
 * 0: it is one piece.
 */
#define MACHINE_LOWMEM_END 0x38000
#define MACHINE_LOWMEM_PFN (MACHINE_LOWMEM_END - MACHINE_LOWMEM_PAGES)
#define MACHINE_HOLE 64
#define MACHINE_MAX_RANGES 3

static inline unsigned int machine_ranges(const struct machine_config *config,
					  pfn_t border,
					  struct page_range *ranges)
{
	unsigned int near = config->holes ? config->nr_pages / 2
					  : config->nr_pages;
	unsigned int nr = 0;

	ranges[nr++] = (struct page_range){ MACHINE_LOWMEM_PFN,
					    MACHINE_LOWMEM_PAGES };
	if (near)
		ranges[nr++] = (struct page_range){ border, near };
	if (near < config->nr_pages)
		ranges[nr++] = (struct page_range){
			border + near + MACHINE_HOLE, config->nr_pages - near
		};
	return !config->holes && border == MACHINE_LOWMEM_END ? 0 : nr;
}

/* The index of frame @pfn in mem_map, or UINT32_MAX. Shares no code with it. */
static inline uint32_t machine_frame(const struct machine_config *config,
				     pfn_t border, pfn_t pfn)
{
	uint32_t near = config->nr_pages / 2;
	uint32_t index = pfn - border;

	if (pfn - MACHINE_LOWMEM_PFN < MACHINE_LOWMEM_PAGES)
		return pfn - MACHINE_LOWMEM_PFN;
	if (config->holes && index >= near)
		index = index >= near + MACHINE_HOLE ? index - MACHINE_HOLE
						     : UINT32_MAX;
	return index < config->nr_pages ? MACHINE_LOWMEM_PAGES + index
					: UINT32_MAX;
}

/* The frame of page @index of a machine's mem_map. Shares no code with the core. */
static inline pfn_t machine_pfn(const struct highmem_config *geometry,
				uint32_t index)
{
	const struct page_range *range = geometry->ranges;

	if (geometry->nr_ranges == 0)
		return geometry->first_pfn + index;
	for (; index >= range->nr_pages; range++)
		index -= range->nr_pages;
	return range->first_pfn + index;
}

/* And back; UINT32_MAX: it is the frame of none. */
static inline uint32_t machine_page_index(const struct highmem_config *geometry,
					  pfn_t pfn)
{
	uint32_t below = 0;

	if (geometry->nr_ranges == 0)
		return pfn - geometry->first_pfn < geometry->nr_pages
			       ? pfn - geometry->first_pfn
			       : UINT32_MAX;
	for (unsigned int r = 0; r < geometry->nr_ranges; r++) {
		const struct page_range *range = &geometry->ranges[r];

		if (pfn - range->first_pfn < range->nr_pages)
			return below + (pfn - range->first_pfn);
		below += range->nr_pages;
	}
	return UINT32_MAX;
}

enum machine_verdict {
	MACHINE_DONE,	 /* every task returned */
	MACHINE_STALLED, /* some task sleeps and nobody can wake it */
};

/* NULL when the port can build @config; else one sentence why not. */
const char *machine_can(const struct machine_config *config);

/*
 * Build the machine: page tables, pages, CPUs; and boot @guest on it. The first
 * two pages of mem_map are lowmem, then come config->nr_pages of highmem. Returns
 * its geometry, as the guest got it, valid until the next boot.
 * pre: machine_can(config) == NULL and no machine is up.
 */
const struct highmem_config *
machine_boot_guest(const struct machine_config *config,
		   const struct guest *guest);
void machine_shutdown(void);

/* The same with the core as the guest (core/port/guest_highmem.c). */
struct highmem *machine_boot(const struct machine_config *config);

/* ---- Tasks --------------------------------------------------------------- */

/*
 * Make a task, not yet running; its id (port_task_id) is 1 for the first
 * spawned since boot, and so on. Returns that id.
 */
uint32_t machine_spawn(unsigned int cpu, void (*entry)(void *arg), void *arg);

/* Run all tasks until each has returned or nobody can go on. */
enum machine_verdict machine_run(void);

/*
 * task: a place between two operations, where a deterministic machine may
 * switch to another task. @rank says how early this task's next operation
 * stands in the program: the sim and the i686 port continue with the runnable
 * task of the lowest rank (ties: lowest id). Ports with real parallelism may
 * ignore it. A task that has not yielded has rank 0.
 */
void machine_yield(uint32_t rank);

/*
 * Tell task @id to give up: port_signal_pending() of it is true from now on,
 * and it is woken. Any context of a task or the controller.
 */
void machine_kill(uint32_t id);

/* task: the current one's signal is dealt with. Was there one? */
bool machine_take_signal(void);

/* After MACHINE_STALLED: is task @id asleep in port_park()? */
bool machine_task_asleep(uint32_t id);

/*
 * task: deliver an interrupt to this CPU here and now; returns when @handler
 * has. Does nothing and returns false while interrupts are off.
 */
bool machine_interrupt(void (*handler)(void *arg), void *arg);

/* ---- Memory -------------------------------------------------------------- */

/*
 * task or interrupt: one 32-bit access through a kernel virtual address, as
 * this CPU's MMU and TLB translate it. An address that does not translate is
 * reported like a bug ("page fault at ...") and reads as 0.
 */
uint32_t machine_load32(const void *vaddr);
void machine_store32(void *vaddr, uint32_t value);

/* The same word by page frame, past every translation. offset % 4 == 0. */
uint32_t machine_peek32(const struct page *page, unsigned int offset);
void machine_poke32(struct page *page, unsigned int offset, uint32_t value);

/* ---- Verdicts ------------------------------------------------------------ */

/*
 * Take the oldest sentence given to port_bug() and not taken yet; NULL when
 * there is none. Valid until the next call or shutdown.
 */
const char *machine_take_bug(void);

/*
 * What only the port can see, between operations: on the sim, a TLB entry
 * that differs from a PTE it must match. NULL or one sentence.
 */
const char *machine_audit(void);

/*
 * Which PTEs may have changed since the last machine_audit(): *@nr addresses,
 * some perhaps twice. False when the machine does not know: then any.
 */
bool machine_changed_ptes(const vaddr_t **changed, unsigned int *nr);

/*
 * Where the TLB of CPU @nr, counted from 0, translates @vaddr to. False: it does
 * not, or the machine cannot tell.
 */
bool machine_tlb_has(unsigned int nr, vaddr_t vaddr, pfn_t *pfn);

/* TLB work since boot, for tests and benchmarks. */
struct machine_tlb_stats {
	uint32_t local_pages;	  /* port_tlb_flush_local_page() */
	uint32_t shootdowns;	  /* port_tlb_shootdown_*() calls */
	uint32_t shootdown_pages; /* pages named in them */
	uint32_t full;		  /* port_tlb_shootdown_all() */
};

struct machine_tlb_stats machine_tlb_stats(void);

#endif
