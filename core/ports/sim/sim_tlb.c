/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim_mmu.h"

/*
 * A TLB for each CPU. It keeps what it loaded until it is told to forget, and
 * between operations, or under control at once, it loads all that it may.
 */

static unsigned int tlb_index(vaddr_t vaddr)
{
	return (unsigned int)((vaddr - SIM_WINDOW_BASE) >> PAGE_SHIFT);
}

static bool is_window(vaddr_t vaddr)
{
	return vaddr >= SIM_WINDOW_BASE && vaddr < FIXADDR_TOP;
}

static void tlb_load(struct sim_cpu *cpu, vaddr_t vaddr, pte_t pte)
{
	unsigned int index = tlb_index(vaddr);

	if (cpu->tlb[index] == 0) {
		cpu->tlb[index] = pte;
		cpu->cached[cpu->nr_cached++] = (uint16_t)index;
	}
}

static void tlb_drop(struct sim_cpu *cpu, vaddr_t vaddr)
{
	unsigned int index = tlb_index(vaddr);

	if (!is_window(vaddr) || cpu->tlb[index] == 0)
		return;
	cpu->tlb[index] = 0;
	for (unsigned int i = 0; i < cpu->nr_cached; i++) {
		if (cpu->cached[i] == index) {
			cpu->cached[i] = cpu->cached[--cpu->nr_cached];
			return;
		}
	}
}

static void tlb_drop_all(struct sim_cpu *cpu)
{
	while (cpu->nr_cached > 0)
		cpu->tlb[cpu->cached[--cpu->nr_cached]] = 0;
}

/* The walk of @cpu, for an access that sets the bits @set. */
static pte_t walk_for(struct sim_cpu *cpu, vaddr_t vaddr, pte_t set)
{
	unsigned int access = set & PTE_DIRTY ? WALK_WRITE : WALK_READ;
	struct walk_page page;
	uint32_t error;

	if (!walk(&cpu->mmu, &sim_walk_memory, (uint32_t)vaddr, access, &page,
		  &error))
		return 0;
	return (page.leaf & (PAGE_SIZE - 1)) |
	       pte_make((pfn_t)(page.paddr >> PAGE_SHIFT), 0);
}

/* The first write through a cached entry marks the PTE that it came from. */
static pte_t mark_cached(struct sim_cpu *cpu, vaddr_t vaddr, pte_t set)
{
	pte_t *cached = &cpu->tlb[tlb_index(vaddr)];
	pte_t pte = sim_pte_in_memory(vaddr);

	if (pte_present(pte) && pte_pfn(pte) == pte_pfn(*cached))
		walk_for(cpu, vaddr, set);
	*cached |= set;
	return *cached;
}

/*
 * The direct map never changes, and a flush need not reach it: its few pages
 * are kept beside the TLB.
 */
static pte_t translate_lowmem(struct sim_cpu *cpu, vaddr_t vaddr, pte_t set)
{
	vaddr_t nr = (vaddr - SIM_LOWMEM_BASE) >> PAGE_SHIFT;

	if ((cpu->lowmem[nr] & set) != set)
		cpu->lowmem[nr] = walk_for(cpu, vaddr, set);
	return cpu->lowmem[nr];
}

/*
 * All entries at once, though a processor may drop one alone: that would find
 * nothing more. Take a run with drops of single entries, and in it the first
 * access that goes to a wrong page or to none: by some CPU, through some entry.
 * Now let each drop of this entry on this CPU take all others along, and leave
 * out the drops of others: no choices more than before. The entry has lived
 * through the same, so this access goes wrong as it did, unless another one
 * went wrong before it. That is a finding, too; else programs have read what
 * they should in both runs, and so gone the same way up to here. What else
 * differs is which walk set accessed and dirty bits, and no decision hangs on
 * them.
 */
void sim_tlb_drop(unsigned int cpu)
{
	tlb_drop_all(&sim.cpus[cpu]);
}

/* What @cpu uses for @vaddr: what it cached, else what it finds in memory. */
pte_t sim_translate(struct sim_cpu *cpu, vaddr_t vaddr, pte_t set)
{
	pte_t cached;
	pte_t pte;

	if ((vaddr - SIM_LOWMEM_BASE) >> PAGE_SHIFT < MACHINE_LOWMEM_PAGES)
		return translate_lowmem(cpu, vaddr, set);
	if (!is_window(vaddr))
		return (uint64_t)vaddr >> 32 ? 0 : walk_for(cpu, vaddr, set);
	cached = cpu->tlb[tlb_index(vaddr)];
	if (cached != 0)
		return (cached & set) == set ? cached
					     : mark_cached(cpu, vaddr, set);
	pte = walk_for(cpu, vaddr, set);
	if (pte != 0)
		tlb_load(cpu, vaddr, pte);
	return pte;
}

/*
 * Another CPU's local windows are never used here, so they are not loaded
 * either: a stale one harms nobody.
 */
static bool may_use(unsigned int cpu, vaddr_t vaddr)
{
	unsigned int fix = virt_to_fix(vaddr);

	return fix < FIX_KMAP_BEGIN || fix > FIX_KMAP_END ||
	       (fix - FIX_KMAP_BEGIN) / KM_MAX_IDX == sim.cpus[cpu].id;
}

/*
 * Under control the worst speculation: what is present when it is flushed is
 * loaded again at once.
 */
static void flush_page(unsigned int cpu, vaddr_t vaddr)
{
	tlb_drop(&sim.cpus[cpu], vaddr);
	if (sim_controlled && may_use(cpu, vaddr) &&
	    pte_present(sim_pte_in_memory(vaddr)))
		sim_translate(&sim.cpus[cpu], vaddr, PTE_ACCESSED);
}

static void load_slots(unsigned int cpu)
{
	for (unsigned int s = 0; s < sim.config.nr_slots; s++)
		sim_translate(&sim.cpus[cpu],
			      sim.geometry.pkmap_base + s * PAGE_SIZE,
			      PTE_ACCESSED);
}

/* CR3 is loaded, and with it the PDPTEs; no flush of a page does that. */
void sim_tlb_flush_all(unsigned int cpu)
{
	struct walk_cpu *mmu = &sim.cpus[cpu].mmu;

	tlb_drop_all(&sim.cpus[cpu]);
	if (!walk_load_cr3(mmu, &sim_walk_memory, mmu->cr3))
		port_bug("sim: CR3 cannot be loaded");
}

static void flush_all(unsigned int cpu)
{
	sim_tlb_flush_all(cpu);
	if (sim_controlled)
		load_slots(cpu);
}

void port_tlb_flush_local_page(vaddr_t vaddr)
{
	sim_point(SIM_FLUSH_LOCAL);
	sim_drain(sim.cpu); /* a serialising instruction */
	sim.tlb_stats.local_pages++;
	flush_page(sim.cpu, vaddr);
	sim_tell(SIM_FLUSH_LOCAL, (void *)vaddr, 0, 0,
		 __builtin_return_address(0));
}

static void check_shootdown(void)
{
	struct sim_cpu *cpu = &sim.cpus[sim.cpu];

	sim.tlb_stats.shootdowns++;
	if (!sim.guest->broadcast && (cpu->irq_off || cpu->irq_depth > 0))
		port_bug("sim: shootdown with interrupts off can deadlock");
}

/* NULL: all pages outside the direct map. */
static void flush_cpu(unsigned int cpu, const vaddr_t *pages, unsigned int nr)
{
	if (!pages)
		flush_all(cpu);
	for (unsigned int i = 0; pages && i < nr; i++)
		flush_page(cpu, pages[i]);
}

void sim_answer(unsigned int cpu)
{
	struct sim_cpu *answers = &sim.cpus[cpu];

	sim.silent &= ~(1U << cpu);
	for (; answers->shootdowns;
	     answers->shootdowns &= answers->shootdowns - 1) {
		int id = __builtin_ctz(answers->shootdowns);
		struct port_task *task = &sim.tasks[id - 1];

		flush_cpu(cpu, task->flush_pages, task->flush_nr);
		task->flush_waits &= ~(1U << cpu);
	}
}

bool sim_answer_all(void)
{
	bool any = false;

	for (unsigned int c = 0; c < sim.config.nr_cpus; c++) {
		if (sim.cpus[c].shootdowns == 0 || sim.cpus[c].irq_off)
			continue;
		sim_answer(c);
		any = true;
	}
	return any;
}

/*
 * The CPUs are interrupted one by one. We wait for those that answer late, and
 * nobody else has our CPU meanwhile.
 */
static void shootdown(const vaddr_t *pages, unsigned int nr)
{
	struct port_task *self = sim_running();

	port_preempt_disable();
	self->flush_pages = pages;
	self->flush_nr = nr;
	check_shootdown();
	sim_drain(sim.cpu); /* what the others are to see, before the IPI */
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++) {
		sim_point(SIM_SHOOTDOWN);
		if (sim.cpus[c].offline)
			continue; /* it flushes all when it comes back */
		if (!sim.guest->broadcast && sim_answers_late(c)) {
			self->flush_waits |= 1U << c;
			sim.cpus[c].shootdowns |= 1U << self->id;
			sim.silent |= 1U << c;
		} else {
			flush_cpu(c, pages, nr);
		}
	}
	while (self->flush_waits != 0)
		sim_wait_for_answers();
	port_preempt_enable();
}

void port_tlb_shootdown_pages(const vaddr_t *pages, unsigned int nr)
{
	sim.tlb_stats.shootdown_pages += nr;
	shootdown(pages, nr);
	sim_tell(SIM_SHOOTDOWN, (void *)pages[0], nr, 0,
		 __builtin_return_address(0));
}

void port_tlb_shootdown_all(void)
{
	sim.tlb_stats.full++;
	shootdown(NULL, 0);
	sim_tell(SIM_SHOOTDOWN, NULL, 0, 0, __builtin_return_address(0));
}

static void load_everywhere(vaddr_t vaddr)
{
	if (!pte_present(sim_pte_in_memory(vaddr)))
		return;
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		if (!sim.cpus[c].offline && may_use(c, vaddr))
			sim_translate(&sim.cpus[c], vaddr, PTE_ACCESSED);
}

/*
 * PTEs that changed since the last audit, so that an audit costs as much as
 * what happened, not as much as there is. An overflow means: look at all.
 */
#define MAX_CHANGED 64

static vaddr_t changed[MAX_CHANGED];
static unsigned int nr_changed;

static void note_change(vaddr_t vaddr)
{
	if (nr_changed < MAX_CHANGED)
		changed[nr_changed] = vaddr;
	nr_changed++;
}

void sim_tlb_all_changed(void)
{
	nr_changed = MAX_CHANGED + 1;
}

void sim_tlb_load_slots(unsigned int cpu)
{
	const struct sim_cpu *loads = &sim.cpus[cpu];

	load_slots(cpu);
	for (unsigned int i = 0; i < loads->nr_cached; i++)
		note_change(SIM_WINDOW_BASE + loads->cached[i] * PAGE_SIZE);
}

const vaddr_t *sim_tlb_changed(unsigned int *nr)
{
	*nr = nr_changed;
	return nr_changed <= MAX_CHANGED ? changed : NULL;
}

/* Under control every CPU loads what is new at once: the worst speculation. */
void sim_tlb_pte_changed(vaddr_t vaddr, bool present)
{
	note_change(vaddr);
	if (present && sim_controlled)
		load_everywhere(vaddr);
}

void sim_tlb_load_changed(void)
{
	if (nr_changed <= MAX_CHANGED) {
		for (unsigned int i = 0; i < nr_changed; i++)
			load_everywhere(changed[i]);
	} else {
		for (unsigned int i = 0; i < SIM_WINDOW_PAGES; i++)
			load_everywhere(SIM_WINDOW_BASE + i * PAGE_SIZE);
	}
	nr_changed = 0;
}

static const char *audit_entry(unsigned int c, vaddr_t vaddr)
{
	static char why[128];
	pte_t cached = sim.cpus[c].tlb[tlb_index(vaddr)];
	pte_t pte;

	if (cached == 0)
		return NULL;
	pte = sim_pte_in_memory(vaddr);
	if (pte_present(pte) && pte_pfn(pte) == pte_pfn(cached))
		return NULL;
	hm_format(why, sizeof(why),
		  "stale TLB entry: CPU %u still has pfn %x at %p, the PTE "
		  "says %s %x",
		  c, pte_pfn(cached), vaddr, pte_present(pte) ? "pfn" : "none",
		  pte_pfn(pte));
	return why;
}

bool machine_tlb_has(unsigned int nr, vaddr_t vaddr, pfn_t *pfn)
{
	pte_t cached = is_window(vaddr) ? sim.cpus[nr].tlb[tlb_index(vaddr)]
					: 0;

	*pfn = pte_pfn(cached);
	return cached != 0 && !sim.cpus[nr].offline;
}

static const char *audit_page(vaddr_t vaddr)
{
	const char *why = NULL;

	for (unsigned int c = 0; !why && c < sim.config.nr_cpus; c++)
		if (is_window(vaddr) && !sim.cpus[c].offline)
			why = audit_entry(c, vaddr);
	return why;
}

const char *sim_tlb_audit(void)
{
	const char *why = NULL;

	if (nr_changed <= MAX_CHANGED) {
		for (unsigned int i = 0; !why && i < nr_changed; i++)
			why = audit_page(changed[i]);
		return why;
	}
	for (unsigned int i = 0; !why && i < SIM_WINDOW_PAGES; i++)
		why = audit_page(SIM_WINDOW_BASE + i * PAGE_SIZE);
	return why;
}

/* ---- For sim_mmu.c ------------------------------------------------------------ */

/* A TLB is a set: the order in which it was filled does not matter. */
uint64_t sim_tlb_hash(const struct sim_cpu *cpu)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < cpu->nr_cached; i++)
		sum += sim_mix(cpu->cached[i], cpu->tlb[cpu->cached[i]]);
	return sum;
}

void sim_tlb_reset(void)
{
	nr_changed = 0;
	for (unsigned int c = 0; c < HIGHMEM_MAX_CPUS; c++)
		tlb_drop_all(&sim.cpus[c]);
}
