/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

#define IN_HIGHMEM ((paddr_t)0x38000000)

static pte_t pte_at(unsigned int idx)
{
	return port_pte_read(fixmap_vaddr(idx));
}

static struct machine_tlb_stats flushes(void)
{
	return machine_tlb_stats();
}

Test(fixmap_set, maps_a_page_and_nobody_flushes)
{
	boot((struct machine_config){ .nr_cpus = 2 });
	cr_expect(set_fixmap(FIX_EARLY, IN_HIGHMEM, FIXMAP_PROT));
	cr_expect_eq(pte_at(FIX_EARLY), IN_HIGHMEM | FIXMAP_PROT);
	cr_expect(set_fixmap_nocache(FIX_APIC_BASE, 0xfee00000));
	cr_expect_eq(pte_at(FIX_APIC_BASE), 0xfee0001b);
	cr_expect_eq(flushes().shootdowns, 0);
	cr_expect_eq(flushes().local_pages, 0);
	cr_expect_str_eq(take_bug(), "");
}

Test(fixmap_set, clear_and_replace_reach_every_cpu)
{
	boot((struct machine_config){ .nr_cpus = 2 });
	set_fixmap(FIX_EARLY, IN_HIGHMEM, FIXMAP_PROT);
	machine_load32((void *)fix_to_virt(FIX_EARLY));
	cr_expect(set_fixmap(FIX_EARLY, IN_HIGHMEM + 4096, FIXMAP_PROT));
	cr_expect_eq(flushes().shootdown_pages, 1);
	cr_expect_null(machine_audit());
	cr_expect(clear_fixmap(FIX_EARLY));
	cr_expect_eq(flushes().shootdown_pages, 2);
	cr_expect_eq(pte_at(FIX_EARLY), 0);
	/* Nothing there: nothing to flush. */
	cr_expect(clear_fixmap(FIX_EARLY));
	cr_expect_eq(flushes().shootdown_pages, 2);
	cr_expect_eq(flushes().local_pages, 0);
	cr_expect_null(machine_audit());
	cr_expect_str_eq(take_bug(), "");
}

Test(fixmap_set, early_only_this_cpu_forgets)
{
	boot((struct machine_config){ .nr_cpus = 2 });
	cr_expect(fixmap_set_early(FIX_EARLY, IN_HIGHMEM, FIXMAP_PROT));
	cr_expect(fixmap_set_early(FIX_EARLY, IN_HIGHMEM + 4096, FIXMAP_PROT));
	cr_expect_eq(pte_pfn(pte_at(FIX_EARLY)), 0x38001);
	cr_expect(fixmap_clear_early(FIX_EARLY));
	cr_expect_eq(flushes().local_pages, 2);
	cr_expect_eq(flushes().shootdowns, 0);
}

#define EXPECT_REFUSED(call, sentence) \
	do { \
		cr_expect_not(call); \
		EXPECT_BUG("highmem: BUG: fixmap entry " sentence); \
	} while (0)

Test(fixmap_set, what_is_refused)
{
	const pte_t rw = FIXMAP_PROT;

	boot((struct machine_config){ .nr_cpus = 1 });
	EXPECT_REFUSED(fixmap_set(FIX_KMAP_BEGIN, 0, rw),
		       "1: not one of the kernel's own");
	EXPECT_REFUSED(fixmap_set(FIX_HOLE, 0, rw),
		       "0: not one of the kernel's own");
	EXPECT_REFUSED(fixmap_clear(__end_of_fixed_addresses),
		       "132: not one of the kernel's own");
	EXPECT_REFUSED(fixmap_set(FIX_EARLY, 1, rw),
		       "131: the frame is not page aligned");
	EXPECT_REFUSED(fixmap_set(FIX_EARLY, (paddr_t)1 << 32, rw),
		       "131: the frame is too high for an entry");
	EXPECT_REFUSED(fixmap_set(FIX_EARLY, 0, PTE_WRITE),
		       "131: the protection lacks the present bit");
	EXPECT_REFUSED(fixmap_set(FIX_EARLY, 0, rw | PTE_USER),
		       "131: the protection lets user mode in");
	EXPECT_REFUSED(fixmap_set(FIX_EARLY, 0, rw | 0x200),
		       "131: invalid protection bits");
	EXPECT_REFUSED(fixmap_set(FIX_EARLY, 0, rw | PTE_NX),
		       "131: no-execute needs PAE");
	cr_expect_eq(pte_at(FIX_EARLY), 0);
}

Test(fixmap_set, frames_above_4_gib_with_pae)
{
	boot((struct machine_config){ .nr_cpus = 1, .pae = true });
	cr_expect(fixmap_set(FIX_EARLY, (paddr_t)0xfff << 24,
			     FIXMAP_PROT | PTE_NX));
	cr_expect_eq(pte_at(FIX_EARLY), 0x8000000fff000003);
	EXPECT_REFUSED(fixmap_set(FIX_EARLY, (paddr_t)1 << 36, FIXMAP_PROT),
		       "131: the frame is too high for an entry");
}
