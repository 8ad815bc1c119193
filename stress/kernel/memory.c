/* SPDX-License-Identifier: MIT */

/*
 * The kernel's own page tables: what may be read, written and executed, where
 * nothing may be mapped, and whether each frame number means the frame.
 */

#include <highmem/format.h>
#include <highmem/highmem.h>

#include "core/boot/rules/layout_rules.h"
#include "core/port/machine.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/cases.h"

static char sentence[160];

#define EXPECT(cond) \
	do { \
		if (!(cond)) \
			return failed(__LINE__, #cond); \
	} while (0)

static const char *failed(unsigned int line, const char *cond)
{
	hm_format(sentence, sizeof(sentence), __FILE__ ":%u: not true: %s",
		  line, cond);
	return sentence;
}

static bool reads(vaddr_t vaddr)
{
	uint32_t value;

	return i686_probe_load((const void *)vaddr, &value);
}

/* Writes back what is there. */
static bool writes(const volatile void *where)
{
	void *vaddr = (void *)(vaddr_t)where;
	uint32_t value;

	return i686_probe_load(vaddr, &value) && i686_probe_store(vaddr, value);
}

/* ---- Permissions -------------------------------------------------------------- */

#define INSTRUCTION_RET 0xc3c3c3c3

static const volatile uint32_t constant = INSTRUCTION_RET;
static volatile uint32_t variable = INSTRUCTION_RET;

__attribute__((noinline)) static void nothing(void)
{
	__asm__ volatile("");
}

static const char *text_is_read_only(void)
{
	EXPECT(reads((vaddr_t)nothing));
	EXPECT(i686_probe_call((const void *)(vaddr_t)nothing));
	EXPECT(!writes((const void *)(vaddr_t)nothing));
	return NULL;
}

static const char *constants_are_read_only(void)
{
	EXPECT(reads((vaddr_t)&constant));
	EXPECT(!writes(&constant));
	EXPECT(writes(&variable));
	return NULL;
}

static bool executes(const volatile void *where)
{
	return i686_probe_call((const void *)(vaddr_t)where);
}

static const char *data_is_not_executable(void)
{
	volatile uint32_t local = INSTRUCTION_RET;

	if (!i686_pgtable()->nx) {
		EXPECT(executes(&variable)); /* or the probe proves nothing */
		return "skip: there is no NX: it takes PAE, and a CPU that has it";
	}
	EXPECT(!executes(&variable));
	EXPECT(!executes(&constant));
	EXPECT(!executes(&local));
	EXPECT(!executes((void *)(i686_layout()->high_memory - 4)));
	return NULL;
}

static const char *see_windows(struct highmem *hm)
{
	struct page *page = &hm->config.mem_map[MACHINE_LOWMEM_PAGES];
	uint32_t *slot = kmap_try(hm, page);
	uint32_t *window = kmap_local_page(hm, page);

	EXPECT(slot && window);
	*slot = INSTRUCTION_RET;
	EXPECT(*window == INSTRUCTION_RET);
	EXPECT(executes(slot) == !i686_pgtable()->nx);
	EXPECT(executes(window) == !i686_pgtable()->nx);
	EXPECT(!(pgtable_lookup(i686_pgtable(), (vaddr_t)slot).prot &
		 PTE_GLOBAL));
	EXPECT(!(pgtable_lookup(i686_pgtable(), (vaddr_t)window).prot &
		 PTE_GLOBAL));
	kunmap_local(hm, window);
	kunmap(hm, page);
	return NULL;
}

static const struct machine_config *small_machine(void)
{
	static struct machine_config config = {
		.nr_cpus = 1,
		.nr_slots = 2,
		.nr_colours = 1,
		.nr_pages = 1,
		.local_depth = 1,
	};

	config.pae = port_facts()->pae;
	return &config;
}

static const char *with_machine(const char *(*see)(struct highmem *hm))
{
	const char *why = machine_can(small_machine());

	if (why) {
		hm_format(sentence, sizeof(sentence), "skip: %s", why);
		return sentence;
	}
	why = see(machine_boot(small_machine()));
	machine_shutdown();
	return why;
}

static const char *windows_are_not_executable(void)
{
	return with_machine(see_windows);
}

static bool is_small(const volatile void *vaddr)
{
	return pgtable_lookup(i686_pgtable(), (vaddr_t)vaddr).size == PAGE_SIZE;
}

/*
 * While a large page is in its TLB, QEMU makes a full flush of every invlpg,
 * and what a missing one would do stays hidden. So tests use small pages only.
 */
static const char *see_small_pages(struct highmem *hm)
{
	volatile uint32_t local = 0;

	EXPECT(is_small((void *)(vaddr_t)nothing));
	EXPECT(is_small(&constant));
	EXPECT(is_small(&variable));
	EXPECT(is_small(&local));
	EXPECT(is_small(hm));
	EXPECT(is_small(page_address(hm, &hm->config.mem_map[0])));
	EXPECT(is_small(page_address(hm, &hm->config.mem_map[1])));
	EXPECT(is_small(i686_window(i686_layout()->lowmem_end - 1)));
	EXPECT(is_small(
		(void *)pgtable_pte(i686_pgtable(), hm->config.pkmap_base)));
	return NULL;
}

static const char *tests_use_small_pages(void)
{
	return with_machine(see_small_pages);
}

/* ---- Where nothing is mapped -------------------------------------------------- */

static const char *page_0_is_not_mapped(void)
{
	EXPECT(!reads(0));
	EXPECT(!reads(PAGE_SIZE - 4));
	EXPECT(!i686_probe_store(NULL, 0));
	EXPECT(!i686_probe_call(NULL));
	return NULL;
}

/* Going down from here the stack ends at a page that is not there. */
static bool stack_has_a_guard(void)
{
	vaddr_t page = (vaddr_t)__builtin_frame_address(0) & PAGE_MASK;
	unsigned int pages = 0;

	while (reads(page) && pages < 16) {
		page -= PAGE_SIZE;
		pages++;
	}
	return pages < 16 && !reads(page + PAGE_SIZE - 4) &&
	       !pgtable_lookup(i686_pgtable(), page).prot;
}

static bool guarded;

static void look_for_guard(void *unused)
{
	(void)unused;
	guarded = stack_has_a_guard();
}

static const char *stacks_end_at_a_guard(void)
{
	EXPECT(stack_has_a_guard());
	if (machine_can(small_machine()))
		return NULL;
	guarded = false;
	machine_boot(small_machine());
	machine_spawn(0, look_for_guard, NULL);
	machine_run();
	machine_shutdown();
	EXPECT(guarded);
	return NULL;
}

static bool area_is_empty(enum layout_area_id id)
{
	const struct layout_area *area = &i686_layout()->area[id];
	vaddr_t last = (vaddr_t)(area->end - 4);

	return area->start == area->end ||
	       (!reads((vaddr_t)area->start) && !reads(last));
}

static const char *gaps_and_guards_are_not_mapped(void)
{
	const struct layout *layout = i686_layout();

	EXPECT(area_is_empty(LAYOUT_USER));
	EXPECT(area_is_empty(LAYOUT_GAP_AREA));
	EXPECT(area_is_empty(LAYOUT_GUARD_AREA));
	EXPECT(area_is_empty(LAYOUT_UNUSED));
	EXPECT(area_is_empty(LAYOUT_HOLE));
	EXPECT(reads(layout->high_memory - 4));
	EXPECT(!reads(layout->high_memory));
	EXPECT(reads(layout->page_offset));
	EXPECT(!reads(layout->page_offset - 4));
	return NULL;
}

/* ---- All addresses, as the tables have them ----------------------------------- */

static const char *see_mapping(vaddr_t vaddr,
			       const struct pgtable_mapping *mapping)
{
	const struct layout *layout = i686_layout();

	if (!mapping->prot)
		return NULL;
	EXPECT(!(mapping->prot & (PTE_GLOBAL | PTE_USER)));
	if (i686_pgtable()->nx)
		EXPECT(!(mapping->prot & PTE_WRITE) ||
		       (mapping->prot & PTE_NX));
	if (layout_is_direct(layout, vaddr))
		EXPECT((paddr_t)mapping->pfn << PAGE_SHIFT ==
		       layout_pa(layout, vaddr));
	else
		EXPECT(vaddr >= layout->vmalloc_start);
	return NULL;
}

static const char *every_mapping_is_as_it_should_be(void)
{
	uint64_t end = (uint64_t)1 << 32, mapped = 0;
	struct pgtable_mapping mapping;
	const char *why = NULL;

	for (uint64_t at = 0; at < end && !why; at += mapping.size) {
		mapping = pgtable_lookup(i686_pgtable(), (vaddr_t)at);
		why = see_mapping((vaddr_t)at, &mapping);
		if (layout_is_direct(i686_layout(), (vaddr_t)at) && mapping.prot)
			mapped += mapping.size;
	}
	if (why)
		return why;
	/* All of the direct map but the guards. */
	EXPECT(mapped > i686_layout()->nr_lowmem * PAGE_SIZE - (1U << 20));
	return NULL;
}

/* ---- Frames -------------------------------------------------------------------- */

#define EIGHT_MIB (8U << 20)

/* Does a store to @vaddr reach the word of frame @pfn that it should? */
static bool is_frame(vaddr_t vaddr, pfn_t pfn)
{
	volatile uint32_t *word = (volatile uint32_t *)vaddr;
	port_irq_t flags = port_irq_save();
	uint32_t *frame = i686_window(pfn) + vaddr % PAGE_SIZE / 4;
	uint32_t old = *word;
	bool same;

	*word = ~old;
	same = *(volatile uint32_t *)frame == ~old;
	*word = old;
	port_irq_restore(flags);
	return same && *(volatile uint32_t *)frame == old;
}

/* Those of any layout; this one was made from what this machine has. */
static const char *layout_keeps_its_rules(void)
{
	const struct layout_rule *rule = layout_broken_rule(i686_layout());

	if (!rule)
		return NULL;
	hm_format(sentence, sizeof(sentence), "the layout breaks %s: %s",
		  rule->name, rule->sentence);
	return sentence;
}

static const char *direct_map_ends_at_the_right_frames(void)
{
	const struct layout *layout = i686_layout();
	vaddr_t page_offset = layout->page_offset;

	EXPECT(is_frame((vaddr_t)&variable,
			((vaddr_t)&variable - page_offset) >> PAGE_SHIFT));
	if (layout->lowmem_end > EIGHT_MIB >> PAGE_SHIFT) /* large pages */
		EXPECT(is_frame(page_offset + EIGHT_MIB,
				EIGHT_MIB >> PAGE_SHIFT));
	EXPECT(is_frame(layout->high_memory - 4, layout->lowmem_end - 1));
	EXPECT(is_frame(layout->high_memory - PAGE_SIZE,
			layout->lowmem_end - 1));
	return NULL;
}

/*
 * Two highmem frames whose numbers have the same lower 20 bits. Range by range:
 * to ask for each frame takes half a minute when there are 512 of them.
 */
static bool find_twins(struct page_range twins[2])
{
	const struct memmap *ram = &i686_layout()->highmem;
	const uint64_t apart = (uint64_t)1 << 32;

	for (unsigned int i = 0; i < ram->nr * ram->nr; i++) {
		const struct memmap_range *low = &ram->range[i / ram->nr];
		const struct memmap_range *high = &ram->range[i % ram->nr];
		uint64_t start = low->start + apart, end = low->end + apart;

		start = start > high->start ? start : high->start;
		end = end < high->end ? end : high->end;
		if (start >= end)
			continue;
		twins[0] = (struct page_range){
			(pfn_t)((start - apart) >> PAGE_SHIFT), 1
		};
		twins[1] = (struct page_range){ (pfn_t)(start >> PAGE_SHIFT),
						1 };
		return true;
	}
	return false;
}

static const char *see_twins(struct highmem *hm, struct page *pages)
{
	volatile uint32_t *first = kmap_try(hm, &pages[0]);
	volatile uint32_t *second = kmap_try(hm, &pages[1]);

	EXPECT(first && second);
	*first = 0x1111;
	*second = 0x2222;
	EXPECT(*first == 0x1111);
	EXPECT(*second == 0x2222);
	EXPECT(is_frame((vaddr_t)first, page_to_pfn(hm, &pages[0])));
	EXPECT(is_frame((vaddr_t)second, page_to_pfn(hm, &pages[1])));
	EXPECT(!is_frame((vaddr_t)second, page_to_pfn(hm, &pages[0])));
	kunmap(hm, &pages[0]);
	kunmap(hm, &pages[1]);
	kmap_flush_unused(hm);
	return NULL;
}

static const char *frames_above_4_gib_are_not_those_below(void)
{
	static struct highmem hm;
	static struct page pages[2];
	struct page_range twins[2];
	const struct highmem_config config = {
		.mem_map = pages,
		.nr_pages = 2,
		.nr_ranges = 2,
		.ranges = twins,
		.highmem_start_pfn = i686_layout()->lowmem_end,
		.page_offset = i686_layout()->page_offset,
		.prot = PTE_PRESENT | PTE_WRITE,
		.pkmap_base = i686_layout()->pkmap_base,
		.nr_slots = 2,
		.nr_colours = 1,
		.local_depth = 1,
	};
	const char *why;

	if (!find_twins(twins))
		return "skip: no two highmem frames are 4 GiB apart";
	pages[0] = pages[1] = (struct page){ 0 };
	why = highmem_init(&hm, &config);
	return why ? why : see_twins(&hm, pages);
}

static const char *last_frame_of_ram_is_there(void)
{
	const struct memmap *ram = &i686_layout()->ram;
	uint64_t end = ram->range[ram->nr - 1].end;
	pfn_t last = (pfn_t)(end >> PAGE_SHIFT) - 1;
	port_irq_t flags = port_irq_save();
	volatile uint32_t *word = i686_window(last) + 1023;
	uint32_t old = *word;
	bool kept;

	*word = ~old;
	kept = *word == ~old;
	*word = old;
	port_irq_restore(flags);
	EXPECT(kept);
	return NULL;
}

const struct conformance_case memory_cases[] = {
	{ "text_is_read_only", text_is_read_only },
	{ "constants_are_read_only", constants_are_read_only },
	{ "data_is_not_executable", data_is_not_executable },
	{ "windows_are_not_executable", windows_are_not_executable },
	{ "tests_use_small_pages", tests_use_small_pages },
	{ "page_0_is_not_mapped", page_0_is_not_mapped },
	{ "stacks_end_at_a_guard", stacks_end_at_a_guard },
	{ "gaps_and_guards_are_not_mapped", gaps_and_guards_are_not_mapped },
	{ "every_mapping_is_as_it_should_be", every_mapping_is_as_it_should_be },
	{ "layout_keeps_its_rules", layout_keeps_its_rules },
	{ "direct_map_ends_at_the_right_frames",
	  direct_map_ends_at_the_right_frames },
	{ "frames_above_4_gib_are_not_those_below",
	  frames_above_4_gib_are_not_those_below },
	{ "last_frame_of_ram_is_there", last_frame_of_ram_is_there },
};

const unsigned int memory_nr_cases = sizeof(memory_cases) /
				     sizeof(memory_cases[0]);
