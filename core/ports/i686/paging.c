/* SPDX-License-Identifier: MIT */

/*
 * The final page tables, and the TLB.
 *
 *	PAGE_OFFSET + 0		4 KiB pages up to 4 MiB: text and constants
 *				read-only, no page below each stack
 *	PAGE_OFFSET + 4 MiB	4 MiB pages up to 892 MiB, 4 KiB up to 896 MiB
 *	WINDOW			one page for each CPU, for any frame above that
 *	DEVICE			the local APIC's registers, uncached
 *	PKMAP_BASE, the fixmap	a page table each, the core's
 *
 * Nothing else is mapped; address 0 is not.
 *
 * The tests touch no 4 MiB page, on purpose: while one is in its TLB, QEMU
 * makes a full flush of every invlpg, and a flush that is missing elsewhere
 * would go unseen.
 */

#include <stdatomic.h>

#include <highmem/format.h>

#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/stacks.h"
#include "core/ports/i686/string.h"

#define NR_PTES 1024U
#define PDE_SHIFT 22
#define PDE_BYTES ((vaddr_t)1 << PDE_SHIFT)
#define PDE_4M ((uint32_t)1 << 7)
#define KERNEL_BITS ((uint32_t)(PTE_PRESENT | PTE_WRITE))

#define DIRECT_END (I686_PAGE_OFFSET + (I686_HIGHMEM_PFN << PAGE_SHIFT))

/* The hole above the direct map is 8 MiB; the window is past it. */
#define WINDOW (DIRECT_END + 2 * PDE_BYTES)

/* In the window's page table, behind the windows and a guard. */
#define DEVICE_INDEX (HIGHMEM_MAX_CPUS + 1)
#define DEVICE (WINDOW + DEVICE_INDEX * PAGE_SIZE)
#define PTE_UNCACHED ((uint32_t)1 << 4)

#define FIXMAP_BASE (FIXADDR_START & ~(PDE_BYTES - 1))

_Static_assert(PKMAP_BASE_NONPAE >= WINDOW + PDE_BYTES, "areas overlap");

typedef _Atomic uint32_t entry_t;

static _Alignas(PAGE_SIZE) entry_t swapper_pg_dir[NR_PTES];
static _Alignas(PAGE_SIZE) entry_t image_table[NR_PTES];
static _Alignas(PAGE_SIZE) entry_t last_table[NR_PTES];
static _Alignas(PAGE_SIZE) entry_t window_table[NR_PTES];
static _Alignas(PAGE_SIZE) entry_t pkmap_table[NR_PTES];
static _Alignas(PAGE_SIZE) entry_t fixmap_table[NR_PTES];

/* By CPU: all look at the same time. */
static char whys[HIGHMEM_MAX_CPUS][160];

/* link.ld */
extern char i686_image_start[], i686_readonly_end[];

static uint32_t phys(const volatile void *address)
{
	return (uint32_t)((vaddr_t)address - I686_PAGE_OFFSET);
}

static void set_pde(vaddr_t vaddr, uint32_t value)
{
	atomic_store_explicit(&swapper_pg_dir[vaddr >> PDE_SHIFT], value,
			      memory_order_release);
}

bool paging_is_guard(vaddr_t vaddr)
{
	vaddr_t first = (vaddr_t)i686_stacks;

	return vaddr >= first && vaddr < first + sizeof(i686_stacks) &&
	       (vaddr - first) % sizeof(i686_stacks[0]) < PAGE_SIZE;
}

static void map_image(void)
{
	for (uint32_t i = 0; i < NR_PTES; i++) {
		vaddr_t vaddr = I686_PAGE_OFFSET + (i << PAGE_SHIFT);
		uint32_t bits = KERNEL_BITS;

		if (vaddr >= (vaddr_t)i686_image_start &&
		    vaddr < (vaddr_t)i686_readonly_end)
			bits &= ~(uint32_t)PTE_WRITE;
		if (paging_is_guard(vaddr))
			bits = 0;
		image_table[i] = bits ? (i << PAGE_SHIFT) | bits : 0;
	}
}

/* The end of the direct map, page by page. */
static void map_last(void)
{
	uint32_t first = phys((void *)(DIRECT_END - PDE_BYTES));

	for (uint32_t i = 0; i < NR_PTES; i++)
		last_table[i] = (first + (i << PAGE_SHIFT)) | KERNEL_BITS;
}

static void set_table(vaddr_t vaddr, const entry_t *table)
{
	set_pde(vaddr, phys(table) | KERNEL_BITS);
}

void paging_init(void)
{
	map_image();
	map_last();
	for (vaddr_t vaddr = I686_PAGE_OFFSET; vaddr < DIRECT_END;
	     vaddr += PDE_BYTES)
		set_pde(vaddr, phys((void *)vaddr) | PDE_4M | KERNEL_BITS);
	set_table(I686_PAGE_OFFSET, image_table);
	set_table(DIRECT_END - PDE_BYTES, last_table);
	set_table(WINDOW, window_table);
	set_table(PKMAP_BASE_NONPAE, pkmap_table);
	set_table(FIXMAP_BASE, fixmap_table);
	paging_activate();
}

void paging_activate(void)
{
	write_cr3(phys(swapper_pg_dir));
	trap_set_cr3(phys(swapper_pg_dir));
}

void paging_reset(void)
{
	for (uint32_t i = 0; i < NR_PTES; i++) {
		atomic_store_explicit(&pkmap_table[i], 0, memory_order_relaxed);
		atomic_store_explicit(&fixmap_table[i], 0,
				      memory_order_relaxed);
	}
}

uint32_t *paging_frame(pfn_t pfn)
{
	unsigned int cpu = port_cpu_id();
	vaddr_t window = WINDOW + cpu * PAGE_SIZE;

	if (pfn < I686_HIGHMEM_PFN)
		return (uint32_t *)(I686_PAGE_OFFSET + (pfn << PAGE_SHIFT));
	atomic_store_explicit(&window_table[cpu],
			      (pfn << PAGE_SHIFT) | KERNEL_BITS,
			      memory_order_relaxed);
	i686_invlpg(window);
	return (uint32_t *)window;
}

volatile uint32_t *paging_map_device(uint32_t address)
{
	atomic_store_explicit(&window_table[DEVICE_INDEX],
			      (address & (uint32_t)PAGE_MASK) | PTE_UNCACHED |
				      KERNEL_BITS,
			      memory_order_relaxed);
	i686_invlpg(DEVICE);
	return (volatile uint32_t *)DEVICE;
}

/* ---- PTEs ---------------------------------------------------------------- */

static entry_t *pte_of(vaddr_t vaddr)
{
	uint32_t index = (vaddr >> PAGE_SHIFT) % NR_PTES;

	if (vaddr >= PKMAP_BASE_NONPAE && vaddr < PKMAP_BASE_NONPAE + PDE_BYTES)
		return &pkmap_table[index];
	if (vaddr >= FIXMAP_BASE)
		return &fixmap_table[index];
	i686_panic("no page table for address %x: not pkmap, not fixmap",
		   vaddr);
}

pte_t port_pte_read(vaddr_t vaddr)
{
	return atomic_load_explicit(pte_of(vaddr), memory_order_acquire);
}

void port_pte_set(vaddr_t vaddr, pte_t pte)
{
	entry_t *entry = pte_of(vaddr);
	uint32_t old = atomic_load_explicit(entry, memory_order_relaxed);
	char sentence[96];

	if (old) {
		hm_format(sentence, sizeof(sentence),
			  "pte_set at %x: it still holds %x", vaddr, old);
		port_bug(sentence);
	}
	atomic_store_explicit(entry, (uint32_t)pte, memory_order_release);
	i686_note("pte_set", (uint32_t)vaddr, (uint32_t)pte);
}

pte_t port_pte_clear(vaddr_t vaddr)
{
	uint32_t old = atomic_exchange_explicit(pte_of(vaddr), 0,
						memory_order_seq_cst);

	i686_note("pte_clear", (uint32_t)vaddr, old);
	return old;
}

/* ---- Audit ---------------------------------------------------------------- */

/*
 * What this CPU reads at @vaddr has to be what the PTE there says. The look
 * leaves a present PTE in the TLB, so that a flush which is missing later is
 * seen for certain, and not only when the entry happened to stay.
 */
static const char *audit_page(vaddr_t vaddr)
{
	uint32_t pte = (uint32_t)port_pte_read(vaddr);
	char *why = whys[port_cpu_id()];
	uint32_t seen = 0, there;
	bool readable = i686_probe_load((const void *)vaddr, &seen);

	if (!pte && !readable)
		return NULL;
	if (!pte) {
		hm_format(why, sizeof(whys[0]),
			  "stale TLB entry: %x has no PTE, "
			  "but CPU %u reads %x",
			  vaddr, port_cpu_id(), seen);
		return why;
	}
	there = *paging_frame(pte_pfn(pte));
	if (readable && seen == there)
		return NULL;
	hm_format(why, sizeof(whys[0]),
		  "stale TLB entry: %x maps pfn %x, which holds "
		  "%x, but CPU %u reads %x",
		  vaddr, pte_pfn(pte), there, port_cpu_id(), seen);
	return why;
}

static const char *audit_entry(const struct highmem_config *config,
			       vaddr_t vaddr, bool may_map)
{
	pte_t pte = port_pte_read(vaddr);
	pte_t mmu_bits = PTE_ACCESSED | PTE_DIRTY;
	char *why = whys[port_cpu_id()];

	if (pte_none(pte))
		return NULL;
	if (may_map && pte_pfn(pte) - config->first_pfn < config->nr_pages &&
	    (pte & ~mmu_bits) ==
		    (pte_make(pte_pfn(pte), config->prot) & ~mmu_bits))
		return NULL;
	hm_format(why, sizeof(whys[0]), "PTE %x at %x: %s", (uint32_t)pte,
		  vaddr,
		  may_map ? "not a frame of mem_map with the bits of its config"
			  : "nothing may be mapped there");
	return why;
}

static const char *audit_pkmap(const struct highmem_config *config)
{
	const char *bad = NULL;

	for (uint32_t i = 0; i < NR_PTES && !bad; i++) {
		vaddr_t vaddr = PKMAP_BASE_NONPAE + (i << PAGE_SHIFT);

		bad = audit_entry(config, vaddr, i < config->nr_slots);
		if (!bad && i < config->nr_slots)
			bad = audit_page(vaddr);
	}
	return bad;
}

/* Windows of other CPUs: old translations of them may stay here. */
static const char *audit_fixmap(const struct highmem_config *config)
{
	unsigned int own = FIX_KMAP_BEGIN + port_cpu_id() * KM_MAX_IDX;
	const char *bad = NULL;

	for (unsigned int fix = 0; fix < __end_of_fixed_addresses && !bad;
	     fix++) {
		bool window = fix >= FIX_KMAP_BEGIN &&
			      fix < FIX_KMAP_BEGIN +
					      KM_MAX_IDX * sched_nr_cpus();
		vaddr_t vaddr = fixmap_vaddr(fix);

		bad = audit_entry(config, vaddr, window);
		if (!bad && fix - own < KM_MAX_IDX)
			bad = audit_page(vaddr);
	}
	return bad;
}

const char *paging_audit(const struct highmem_config *config)
{
	const char *bad = audit_pkmap(config);

	return bad ? bad : audit_fixmap(config);
}
