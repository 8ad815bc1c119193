/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ports/host/host.h"

/*
 * The machine. Frames are host memory, accessed with ordinary loads and
 * stores: two tasks on one frame are a data race to TSan as well as a wrong
 * value to the oracle. Kernel addresses are only numbers.
 *
 *	0xffffffff  fixmap, pkmap: through host_pte and the CPU's TLB
 *	0xc0001fff  the two lowmem pages, the end of the direct map
 *	0xc0000000
 *
 * Frames 0x37ffe and 0x37fff are lowmem, and highmem begins with their neighbour
 * 0x38000 (896 MiB), or with PAE at 0x100000 (4 GiB), where no 32-bit PTE
 * reaches. If the machine has a hole, half of the highmem lies behind it.
 * Frame 0 of the direct map lies at some number below, where nobody looks.
 */

#define LOWMEM_VADDR ((vaddr_t)0xc0000000)
#define LOWMEM_END (LOWMEM_VADDR + MACHINE_LOWMEM_PAGES * PAGE_SIZE)
#define HIGHMEM_START_PAE 0x100000

/* What Linux on x86 takes: tlb_single_page_flush_ceiling. */
#define FLUSH_CEILING 33

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(uint32_t))

static struct {
	bool up;
	struct machine_config config;
	pfn_t border; /* the first frame of highmem */
	struct page_range ranges[MACHINE_MAX_RANGES];
	unsigned int nr_frames;
	uint32_t (*frames)[WORDS_PER_PAGE];
	struct page *mem_map;
	struct highmem_config geometry;
} machine;

/* ---- Boot ---------------------------------------------------------------- */

const char *machine_can(const struct machine_config *config)
{
	unsigned int last = config->pae ? LAST_PKMAP_PAE : LAST_PKMAP_NONPAE;

	if (config->nr_cpus < 1 || config->nr_cpus > HIGHMEM_MAX_CPUS)
		return "the host port has 1 to 8 CPUs";
	if (config->nr_slots < 2 || config->nr_slots > last)
		return "there can be 2 to 1024 slots, with PAE 2 to 512";
	if (config->nr_pages < 1 || config->nr_pages > MACHINE_MAX_PAGES)
		return "there can be 1 to 4096 highmem pages";
	if (config->nested_irqs)
		return "the host port has no nested interrupts";
	return machine_shape_wrong(config);
}

static void make_memory(const struct machine_config *config)
{
	unsigned int nr = MACHINE_LOWMEM_PAGES + config->nr_pages;

	machine.nr_frames = nr;
	machine.frames = aligned_alloc(PAGE_SIZE, nr * PAGE_SIZE);
	machine.mem_map = calloc(nr, sizeof(*machine.mem_map));
	if (!machine.frames || !machine.mem_map) {
		fprintf(stderr, "host port: no memory for %u page frames\n",
			nr);
		exit(1);
	}
	memset(machine.frames, 0, nr * PAGE_SIZE);
}

/* Accessed and dirty are set, as in Linux's PAGE_KERNEL: the MMU need not. */
static pte_t page_prot(const struct machine_config *config)
{
	return PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY |
	       (config->pae ? PTE_NX : 0);
}

static void make_geometry(const struct machine_config *config)
{
	machine.geometry = (struct highmem_config){
		.mem_map = machine.mem_map,
		.first_pfn = MACHINE_LOWMEM_PFN,
		.nr_ranges = machine_ranges(config, machine.border,
					    machine.ranges),
		.ranges = machine.ranges,
		.nr_pages = machine.nr_frames,
		.highmem_start_pfn = MACHINE_LOWMEM_END,
		.page_offset = LOWMEM_VADDR -
			       ((vaddr_t)MACHINE_LOWMEM_PFN << PAGE_SHIFT),
		.prot = page_prot(config),
		.pkmap_base = config->pae ? PKMAP_BASE_PAE : PKMAP_BASE_NONPAE,
		.nr_slots = config->nr_slots,
		.nr_colours = config->nr_colours,
		.local_depth = config->local_depth,
		.force_map = config->force_map,
	};
}

const struct highmem_config *
machine_boot_guest(const struct machine_config *config,
		   const struct guest *guest)
{
	const char *why;

	machine.config = *config;
	machine.border = config->pae ? HIGHMEM_START_PAE : MACHINE_LOWMEM_END;
	host_facts.pae = config->pae;
	host_facts.cpu_mask = machine_cpu_mask(config);
	host_facts.tlb_flush_ceiling = config->full_flush ? 1 : FLUSH_CEILING;
	host_self.cpu = machine_cpu_id(0);
	host_pte_reserved = config->pae ? 0 : ~(pte_t)UINT32_MAX;
	make_memory(config);
	host_mmu_reset();
	host_sched_reset();
	host_guest = guest;
	make_geometry(config);
	why = guest->boot(&machine.geometry);
	if (why) {
		fprintf(stderr, "host port: %s\n", why);
		exit(1);
	}
	machine.up = true;
	return &machine.geometry;
}

void machine_shutdown(void)
{
	host_sched_shutdown();
	free(machine.frames);
	free(machine.mem_map);
	machine.frames = NULL;
	machine.mem_map = NULL;
	machine.up = false;
}

/* ---- Tasks --------------------------------------------------------------- */

uint32_t machine_spawn(unsigned int cpu, void (*entry)(void *arg), void *arg)
{
	return host_task_make(machine_cpu_id(cpu), entry, arg)->task.id;
}

enum machine_verdict machine_run(void)
{
	return host_run();
}

bool machine_task_asleep(uint32_t id)
{
	return id >= 1 && id <= MACHINE_MAX_TASKS &&
	       host_task_asleep(&host_tasks[id]);
}

void machine_yield(uint32_t rank)
{
	struct host_task *self = host_task_self();

	self->rank = rank;
	if (host_cpu_wanted(self) && port_may_sleep())
		host_cpu_yield(self);
}

bool machine_interrupt(void (*handler)(void *arg), void *arg)
{
	unsigned int preempt_off = host_self.preempt_off;

	if (host_self.irqs_off)
		return false;
	host_self.irqs_off = true;
	host_self.in_interrupt = true;
	handler(arg);
	host_self.in_interrupt = false;
	host_self.irqs_off = false;
	if (host_self.preempt_off != preempt_off)
		host_bug("host: an interrupt left preemption disabled (%d)",
			 (int)(host_self.preempt_off - preempt_off));
	return true;
}

/* ---- Memory -------------------------------------------------------------- */

/*
 * What this CPU takes for the PTE of table page @nr. The stamps are read
 * before the PTE: see shootdown_begins().
 */
static pte_t tlb_lookup(vaddr_t nr)
{
	struct host_tlb_entry *entry = &host_tlb[host_self.cpu].entry[nr];
	uint32_t page_stamp = __atomic_load_n(&host_page_stamp[nr],
					      __ATOMIC_RELAXED);
	uint32_t all_stamp = __atomic_load_n(&host_all_stamp, __ATOMIC_RELAXED);

	if (entry->pte != 0 && entry->page_stamp == page_stamp &&
	    entry->all_stamp == all_stamp)
		return entry->pte;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	entry->pte = __atomic_load_n(&host_pte[nr], __ATOMIC_RELAXED);
	entry->page_stamp = page_stamp;
	entry->all_stamp = all_stamp;
	if (!pte_present(entry->pte))
		entry->pte = 0;
	return entry->pte;
}

/* The frame that @vaddr lies in; false: a page fault. */
static bool translate(vaddr_t vaddr, pfn_t *pfn)
{
	pte_t pte;

	if (vaddr >= LOWMEM_VADDR && vaddr < LOWMEM_END) {
		*pfn = MACHINE_LOWMEM_PFN +
		       (pfn_t)((vaddr - LOWMEM_VADDR) >> PAGE_SHIFT);
		return true;
	}
	if (vaddr < HOST_TABLE_BASE || vaddr > UINT32_MAX)
		return false;
	pte = tlb_lookup((vaddr - HOST_TABLE_BASE) >> PAGE_SHIFT);
	*pfn = pte_pfn(pte);
	return pte != 0;
}

/* NULL, and a report, when there is no such word. */
static uint32_t *word_at(const void *addr)
{
	vaddr_t vaddr = (vaddr_t)addr;
	uint32_t frame;
	pfn_t pfn;

	if (vaddr % sizeof(uint32_t) != 0) {
		host_bug("host: access to %#zx: not aligned", (size_t)vaddr);
		return NULL;
	}
	if (!translate(vaddr, &pfn)) {
		host_bug("page fault at %#zx", (size_t)vaddr);
		return NULL;
	}
	frame = machine_frame(&machine.config, machine.border, pfn);
	if (frame == UINT32_MAX) {
		host_bug("host: access to %#zx: there is no frame %#x",
			 (size_t)vaddr, (unsigned int)pfn);
		return NULL;
	}
	return &machine.frames[frame][(vaddr & ~PAGE_MASK) / sizeof(uint32_t)];
}

uint32_t machine_load32(const void *vaddr)
{
	const uint32_t *word = word_at(vaddr);

	return word ? *word : 0;
}

void machine_store32(void *vaddr, uint32_t value)
{
	uint32_t *word = word_at(vaddr);

	if (word)
		*word = value;
}

uint32_t machine_peek32(const struct page *page, unsigned int offset)
{
	return machine.frames[page - machine.mem_map][offset / sizeof(uint32_t)];
}

void machine_poke32(struct page *page, unsigned int offset, uint32_t value)
{
	machine.frames[page - machine.mem_map][offset / sizeof(uint32_t)] =
		value;
}

/* ---- Verdicts ------------------------------------------------------------ */

/*
 * A task hears its own sentences: others may be reporting right now. The
 * controlling context hears all, in the order they were spoken.
 */
const char *machine_take_bug(void)
{
	struct host_task *self = host_task_self();
	struct host_task *oldest = NULL;
	uint32_t first = UINT32_MAX;
	uint32_t ticket;

	if (self != &host_tasks[0])
		return host_bugs_oldest(&self->bugs, &ticket)
			       ? host_bugs_take(&self->bugs)
			       : NULL;
	for (unsigned int i = 0; i <= host_nr_tasks; i++) {
		if (!host_bugs_oldest(&host_tasks[i].bugs, &ticket))
			continue;
		if (!oldest || ticket < first) {
			oldest = &host_tasks[i];
			first = ticket;
		}
	}
	return oldest ? host_bugs_take(&oldest->bugs) : NULL;
}

/* The translation that @cpu would use though the page table differs. */
static bool is_stale(unsigned int cpu, unsigned int nr)
{
	const struct host_tlb_entry *entry = &host_tlb[cpu].entry[nr];

	return entry->pte != 0 && entry->all_stamp == host_all_stamp &&
	       entry->page_stamp == host_page_stamp[nr] &&
	       entry->pte != host_pte[nr];
}

bool machine_changed_ptes(const vaddr_t **changed, unsigned int *nr)
{
	(void)changed;
	(void)nr;
	return false;
}

/* Others load and drop entries meanwhile; machine_audit() looks at the end. */
bool machine_tlb_has(unsigned int nr, vaddr_t vaddr, pfn_t *pfn)
{
	(void)nr;
	(void)vaddr;
	(void)pfn;
	return false;
}

const char *machine_audit(void)
{
	static char sentence[128];

	/* Between operations of one task, others are in the middle of theirs. */
	if (host_task_self() != &host_tasks[0])
		return NULL;
	for (unsigned int cpu = 0; cpu < HIGHMEM_MAX_CPUS; cpu++) {
		for (unsigned int nr = 0; nr < HOST_TABLE_PAGES; nr++) {
			if (!is_stale(cpu, nr))
				continue;
			snprintf(sentence, sizeof(sentence),
				 "CPU %u still translates %#zx to frame %#x: "
				 "a flush is missing",
				 cpu,
				 (size_t)(HOST_TABLE_BASE + nr * PAGE_SIZE),
				 pte_pfn(host_tlb[cpu].entry[nr].pte));
			return sentence;
		}
	}
	return NULL;
}

struct machine_tlb_stats machine_tlb_stats(void)
{
	struct machine_tlb_stats sum = { 0 };

	for (unsigned int cpu = 0; cpu < HIGHMEM_MAX_CPUS; cpu++) {
		const struct host_tlb *tlb = &host_tlb[cpu];

		sum.local_pages += port_stat_read(&tlb->local_pages);
		sum.shootdowns += port_stat_read(&tlb->shootdowns);
		sum.shootdown_pages += port_stat_read(&tlb->shootdown_pages);
		sum.full += port_stat_read(&tlb->full);
	}
	return sum;
}
