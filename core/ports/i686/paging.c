/* SPDX-License-Identifier: MIT */

/*
 * The final page tables: the core builds them (highmem/layout.h has the map,
 * highmem/pgtable.h the tables), this file says what is special here.
 *
 *	first 8 MiB		4 KiB pages: text read-only, constants
 *				read-only and, with NX, not executable like
 *				all the rest; no page below each stack
 *	rest of the direct map	large pages
 *	VMALLOC_START		one page for each CPU, for any frame that has
 *				no address of its own
 *	pkmap, the fixmap	a page table each, filled by the core; the local
 *				APIC's registers are at FIX_APIC_BASE
 *
 * Nothing else is mapped; address 0 is not.
 *
 * The tests touch no large page, on purpose: while one is in its TLB, QEMU
 * makes a full flush of every invlpg, and a flush that is missing elsewhere
 * would go unseen. So all that they use of lowmem comes from the first 8 MiB:
 * the image, page tables, and the lowmem pages of a machine.
 */

#include <highmem/format.h>
#include <highmem/pgtable.h>

#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/memory.h"
#include "core/ports/i686/stacks.h"

#define MSR_EFER 0xc0000080
#define EFER_NXE ((uint64_t)1 << 11)

#define PDPTE_SHIFT 30

static struct pgtable tables;

/*
 * The tables as they are used all the time: where the PTEs of an area begin,
 * and how many words an entry has.
 */
static struct {
	const struct layout *layout;
	unsigned int entry_words;
	port_atomic_t *pkmap;	/* of pkmap_base */
	port_atomic_t *fixmap;	/* of FIXADDR_START */
	port_atomic_t *windows; /* of vmalloc_start */
} paging;

/* The final PDPTEs, and the kernel's at 0, too: see boot.S. */
static _Alignas(32) uint64_t bridge[4];

/* link.ld */
extern char i686_image_start[], i686_text_end[], i686_readonly_end[],
	i686_image_end[];

void i686_enable_pae(uint32_t bridge_phys, uint32_t cr3);

static uint32_t phys(const volatile void *address)
{
	return (uint32_t)((vaddr_t)address - I686_PAGE_OFFSET);
}

/* ---- What is where in the image ---------------------------------------------- */

bool paging_is_guard(vaddr_t vaddr)
{
	vaddr_t first = (vaddr_t)i686_stacks;

	return vaddr >= first && vaddr < first + sizeof(i686_stacks) &&
	       (vaddr - first) % sizeof(i686_stacks[0]) < PAGE_SIZE;
}

pte_t paging_data_prot(void)
{
	return PTE_PRESENT | PTE_WRITE | (tables.nx ? PTE_NX : 0);
}

static pte_t image_prot(vaddr_t vaddr)
{
	if (paging_is_guard(vaddr))
		return 0;
	if (vaddr < (vaddr_t)i686_text_end)
		return PTE_PRESENT;
	if (vaddr < (vaddr_t)i686_readonly_end)
		return paging_data_prot() & ~PTE_WRITE;
	return paging_data_prot();
}

/* Text, constants, and a guard and its stack for each task, at the most. */
#define MAX_PIECES (4 + 2 * sizeof(i686_stacks) / sizeof(i686_stacks[0]))

static struct pgtable_piece pieces[MAX_PIECES];

static unsigned int image_pieces(void)
{
	unsigned int nr = 0;

	for (vaddr_t vaddr = (vaddr_t)i686_image_start;
	     vaddr < (vaddr_t)i686_image_end; vaddr += PAGE_SIZE) {
		pte_t prot = image_prot(vaddr);

		if (nr == 0 || pieces[nr - 1].prot != prot) {
			if (nr == MAX_PIECES)
				i686_panic("the image has too many pieces");
			pieces[nr].start = vaddr;
			pieces[nr++].prot = prot;
		}
		pieces[nr - 1].end = vaddr + PAGE_SIZE;
	}
	return nr;
}

/* ---- Building ------------------------------------------------------------------ */

static pfn_t take_frame(void *bootmem)
{
	return bootmem_alloc(bootmem);
}

/* The boot ends where this would matter. */
static void drop_frame(void *bootmem, pfn_t pfn)
{
	(void)bootmem;
	(void)pfn;
}

/* From bootmem, so it is mapped by the provisional and by the final tables. */
static port_atomic_t *table_of(void *bootmem, pfn_t pfn)
{
	(void)bootmem;
	return (port_atomic_t *)(I686_PAGE_OFFSET + (pfn << PAGE_SHIFT));
}

/* What the loader left is read during tests, too, so no large page there. */
static vaddr_t small_below(const struct bootmem *bootmem)
{
	vaddr_t end = (vaddr_t)bootmem_reserved_end(bootmem);

	if (end < PROVISIONAL_BYTES)
		end = PROVISIONAL_BYTES;
	return I686_PAGE_OFFSET + ((end + PAGE_SIZE - 1) & PAGE_MASK);
}

static const char *build(struct bootmem *bootmem)
{
	const struct pgtable_memory memory = {
		.arg = bootmem,
		.alloc = take_frame,
		.free = drop_frame,
		.table = table_of,
	};
	const struct memory_paging kind = memory_paging();
	struct pgtable_kernel kernel = { .large = true, .pieces = pieces };
	const char *why = pgtable_init(&tables, &memory, kind.pae, kind.nx);

	if (why)
		return why;
	kernel.prot = paging_data_prot();
	kernel.nr_pieces = image_pieces();
	kernel.small_below = small_below(bootmem);
	why = pgtable_build_kernel(&tables, paging.layout, &kernel);
	if (why)
		return why;
	return pgtable_prepare(&tables, paging.layout->vmalloc_start,
			       HIGHMEM_MAX_CPUS * PAGE_SIZE);
}

static void find_ptes(void)
{
	paging.entry_words = tables.pae ? 2 : 1;
	paging.pkmap = pgtable_pte(&tables, paging.layout->pkmap_base);
	paging.fixmap = pgtable_pte(&tables, FIXADDR_START);
	paging.windows = pgtable_pte(&tables, paging.layout->vmalloc_start);
}

/* The kernel lies in the first GiB of its PDPTE, so that this fits at 0. */
static void make_bridge(void)
{
	const uint64_t *root = (const uint64_t *)table_of(NULL, tables.root);

	for (unsigned int i = 0; i < 4; i++)
		bridge[i] = root[i];
	bridge[0] = root[I686_PAGE_OFFSET >> PDPTE_SHIFT];
}

const char *paging_init(const struct layout *layout, struct bootmem *bootmem)
{
	const char *why;

	if (layout->page_offset != I686_PAGE_OFFSET)
		return "this kernel is linked for page_offset=0xc0000000";
	paging.layout = layout;
	why = build(bootmem);
	if (why)
		return why;
	find_ptes();
	if (tables.pae)
		make_bridge();
	paging_activate();
	return NULL;
}

void paging_activate(void)
{
	uint32_t cr3 = tables.root << PAGE_SHIFT;

	if (tables.nx)
		write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE);
	if (tables.pae)
		i686_enable_pae(phys(bridge), cr3);
	else
		write_cr3(cr3);
	trap_set_cr3(cr3);
}

bool paging_has_pae(void)
{
	return tables.pae;
}

/* ---- Entries ------------------------------------------------------------------- */

static port_atomic_t *nth_entry(port_atomic_t *first, uint32_t nr)
{
	return first + nr * paging.entry_words;
}

static port_atomic_t *pte_of(vaddr_t vaddr)
{
	vaddr_t slot = (vaddr - paging.layout->pkmap_base) >> PAGE_SHIFT;

	if (slot < paging.layout->last_pkmap)
		return nth_entry(paging.pkmap, slot);
	if (vaddr >= FIXADDR_START && vaddr < FIXADDR_TOP)
		return nth_entry(paging.fixmap,
				 (vaddr - FIXADDR_START) >> PAGE_SHIFT);
	i686_panic("no page table for address %p: not pkmap, not fixmap",
		   vaddr);
}

pte_t port_pte_read(vaddr_t vaddr)
{
	return pgtable_entry_read(pte_of(vaddr), tables.pae);
}

void port_pte_set(vaddr_t vaddr, pte_t pte)
{
	port_atomic_t *entry = pte_of(vaddr);
	pte_t old = pgtable_entry_read(entry, tables.pae);
	char sentence[96];

	if (!pte_none(old)) {
		hm_format(sentence, sizeof(sentence),
			  "pte_set at %p: it still holds pfn %x", vaddr,
			  pte_pfn(old));
		port_bug(sentence);
		pgtable_entry_clear(entry, tables.pae);
	}
	pgtable_entry_set(entry, tables.pae, pte);
	i686_note("pte_set", (uint32_t)vaddr, (uint32_t)pte);
}

pte_t port_pte_clear(vaddr_t vaddr)
{
	pte_t old = pgtable_entry_clear(pte_of(vaddr), tables.pae);

	i686_note("pte_clear", (uint32_t)vaddr, (uint32_t)old);
	return old;
}

/* ---- Frames without an address ----------------------------------------------- */

static void *set_window(unsigned int index, pte_t pte)
{
	port_atomic_t *entry = nth_entry(paging.windows, index);
	vaddr_t vaddr = paging.layout->vmalloc_start + index * PAGE_SIZE;

	pgtable_entry_clear(entry, tables.pae);
	pgtable_entry_set(entry, tables.pae, pte);
	i686_invlpg(vaddr);
	return (void *)vaddr;
}

uint32_t *i686_window(pfn_t pfn)
{
	return set_window(port_cpu_id(), pte_make(pfn, paging_data_prot()));
}

uint32_t *paging_frame(pfn_t pfn)
{
	/* Of the direct map, which may be shorter, what has small pages. */
	if (pfn < PROVISIONAL_BYTES >> PAGE_SHIFT &&
	    pfn < paging.layout->lowmem_end)
		return (uint32_t *)(I686_PAGE_OFFSET + (pfn << PAGE_SHIFT));
	return i686_window(pfn);
}

/* Not set_fixmap_nocache(): its bits do not have NX. */
volatile uint32_t *paging_map_device(uint32_t address)
{
	pte_t prot = paging_data_prot() | PTE_PCD | PTE_PWT;

	if (!fixmap_set(FIX_APIC_BASE, address & PAGE_MASK, prot))
		i686_panic("the local APIC at %x cannot be mapped", address);
	return (volatile uint32_t *)fix_to_virt(FIX_APIC_BASE);
}

/* ---- A new machine --------------------------------------------------------------- */

/*
 * The first of @nr entries that is not none, or @nr. Machines are built by the
 * thousand, so this looks at the words themselves: the present bit is in the
 * lower half, which comes first.
 */
static unsigned int first_used(const port_atomic_t *entry, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++, entry += paging.entry_words)
		if (port_atomic_load(entry))
			return i;
	return nr;
}

static void empty(port_atomic_t *entry, unsigned int nr)
{
	unsigned int used;

	for (; (used = first_used(entry, nr)) < nr; nr -= used) {
		entry += used * paging.entry_words;
		pgtable_entry_clear(entry, tables.pae);
	}
}

void paging_reset(void)
{
	empty(paging.pkmap, paging.layout->last_pkmap);
	empty(pte_of(fixmap_vaddr(FIX_KMAP_END)),
	      FIX_KMAP_END - FIX_KMAP_BEGIN + 1);
}

bool paging_is_unused(vaddr_t vaddr, unsigned int nr)
{
	return first_used(pte_of(vaddr), nr) == nr;
}

/* ---- For tests --------------------------------------------------------------------- */

const struct layout *i686_layout(void)
{
	return paging.layout;
}

const struct pgtable *i686_pgtable(void)
{
	return &tables;
}
