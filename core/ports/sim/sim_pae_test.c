/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include <highmem/pgtable.h>

#include "core/port/port.h"
#include "core/ports/sim/sim.h"

/*
 * What is hard about PAE: entries in two halves, of which a page walk on
 * another CPU may see one, and PDPTEs that are kept until CR3 is loaded. And
 * page tables whose frames run out.
 */
static struct highmem *hm;

static void boot(bool pae)
{
	const struct machine_config config = {
		.nr_cpus = 2,
		.nr_slots = 4,
		.nr_colours = 1,
		.nr_pages = 8,
		.local_depth = 4,
		.pae = pae,
	};

	hm = machine_boot(&config);
	machine_poke32(&hm->config.mem_map[MACHINE_LOWMEM_PAGES + 1], 0, 101);
}

static pfn_t first_highmem(void)
{
	return page_to_pfn(hm, &hm->config.mem_map[MACHINE_LOWMEM_PAGES]);
}

static vaddr_t slot(void)
{
	return hm->config.pkmap_base;
}

static pte_t pte_of(unsigned int page)
{
	return pte_make(first_highmem() + page, PTE_PRESENT | PTE_WRITE);
}

static bool took_bug(const char *words)
{
	const char *bug = machine_take_bug();

	return bug && strstr(bug, words);
}

/* ---- PDPTEs -------------------------------------------------------------------- */

/*
 * A GiB that had no directory gets one. CPUs have the four PDPTEs from when
 * they loaded CR3; flushing pages does not help. Xen once left the flush out
 * (cb199cc7de).
 */
Test(sim_pae, a_new_pdpte_is_seen_when_cr3_is_loaded)
{
	const vaddr_t vaddr = 0x40000000;
	struct pgtable_range range = {
		.vaddr = vaddr,
		.size = PAGE_SIZE,
		.prot = PTE_PRESENT | PTE_WRITE,
	};

	boot(true);
	range.paddr = (paddr_t)(first_highmem() + 1) << PAGE_SHIFT;
	cr_assert_null(pgtable_map(sim_pgtable(), &range));
	cr_expect_eq(machine_load32((void *)vaddr), 0);
	cr_expect(took_bug("page fault at 0x40000000"));
	port_tlb_shootdown_pages(&vaddr, 1);
	cr_expect_eq(machine_load32((void *)vaddr), 0);
	cr_expect(took_bug("page fault at 0x40000000"));
	port_tlb_shootdown_all();
	cr_expect_eq(machine_load32((void *)vaddr), 101);
	cr_expect_null(machine_take_bug());
	boot(true);
	cr_expect_eq(machine_load32((void *)vaddr), 0, "a boot forgets it");
}

/* Without PAE every walk begins in memory. */
Test(sim_pae, a_new_pde_is_seen_at_once)
{
	struct pgtable_range range = {
		.vaddr = 0x40000000,
		.size = PAGE_SIZE,
		.prot = PTE_PRESENT,
	};

	boot(false);
	range.paddr = (paddr_t)(first_highmem() + 1) << PAGE_SHIFT;
	cr_assert_null(pgtable_map(sim_pgtable(), &range));
	cr_expect_eq(machine_load32((void *)range.vaddr), 101);
	/* It is read-only. */
	machine_store32((void *)range.vaddr, 7);
	cr_expect(took_bug("page fault at 0x40000000"));
}

/* ---- Halves --------------------------------------------------------------------- */

static unsigned int question_to_switch;
static unsigned int asked;
static bool hold;

static unsigned int choose(void *arg, enum sim_question question,
			   const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)options;
	(void)nr;
	if (question == SIM_HOLD)
		return hold;
	return question == SIM_WHO && ++asked == question_to_switch;
}

static struct sim_control control = {
	.choose = choose,
	.max_steps = 1000,
};

static void (*write_pte)(port_atomic_t *entry, pte_t pte);
static uint32_t seen;

static port_atomic_t *entry_of_slot(void)
{
	return pgtable_pte(sim_pgtable(), slot());
}

static void writer(void *arg)
{
	(void)arg;
	write_pte(entry_of_slot(), pte_of(1));
}

static void reader(void *arg)
{
	(void)arg;
	seen = machine_load32((void *)slot());
}

/* The reader comes in at each point once; true if all went well each time. */
static bool goes_well(void (*how)(port_atomic_t *entry, pte_t pte),
		      bool mapped_before)
{
	bool well = true;

	write_pte = how;
	sim_set_control(&control);
	for (question_to_switch = 1; question_to_switch < 8;
	     question_to_switch++) {
		asked = 0;
		boot(true);
		if (mapped_before)
			port_pte_set(slot(), pte_of(1));
		machine_spawn(0, writer, NULL);
		machine_spawn(1, reader, NULL);
		cr_expect_eq(machine_run(), MACHINE_DONE);
		for (const char *bug; (bug = machine_take_bug());)
			well &= strstr(bug, "page fault at 0xffc00000") != NULL;
		well &= seen == 0 || seen == 101;
	}
	sim_set_control(NULL);
	return well;
}

static void set(port_atomic_t *entry, pte_t pte)
{
	pgtable_entry_set(entry, true, pte);
}

static void set_low_first(port_atomic_t *entry, pte_t pte)
{
	port_atomic_store(&entry[0], (uint32_t)pte);
	port_atomic_store(&entry[1], (uint32_t)(pte >> 32));
}

static void clear(port_atomic_t *entry, pte_t pte)
{
	(void)pte;
	pgtable_entry_clear(entry, true);
}

static void clear_high_first(port_atomic_t *entry, pte_t pte)
{
	(void)pte;
	port_atomic_store(&entry[1], 0);
	port_atomic_exchange(&entry[0], 0);
}

Test(sim_pae, the_cores_order_is_fine)
{
	cr_expect(goes_well(set, false));
	cr_expect(goes_well(clear, true));
	hold = true;
	control.store_buffers = true;
	cr_expect(goes_well(set, false));
	cr_expect(goes_well(clear, true));
}

Test(sim_pae, the_other_order_is_found)
{
	cr_expect_not(goes_well(set_low_first, false));
	cr_expect_not(goes_well(clear_high_first, true));
}

Test(sim_pae, a_walk_finds_half_an_entry)
{
	boot(true);
	sim_set_control(&control);
	boot(true);
	question_to_switch = 0;
	write_pte = clear_high_first;
	port_pte_set(slot(), pte_of(1));
	machine_spawn(0, writer, NULL);
	machine_run();
	sim_set_control(NULL);
	cr_expect(took_bug("sim: the upper half of the PTE at 0xffc00000 "
			   "changes while it is present: a walk finds pfn "
			   "0x1"));
}

/* ---- Store buffers ------------------------------------------------------------------ */

static void set_and_read(void *arg)
{
	(void)arg;
	port_pte_set(slot(), pte_of(1));
	machine_yield(2); /* the other task reads in between */
	seen = machine_load32((void *)slot());
}

static void read_between(void *arg)
{
	uint32_t *value = arg;

	machine_yield(1);
	*value = machine_load32((void *)slot());
}

/* A PTE may wait in its CPU's store buffer; that CPU itself sees it. */
Test(sim_pae, another_cpu_does_not_see_a_store_that_waits)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		uint32_t other = 1;

		hold = true;
		control.store_buffers = true;
		question_to_switch = 0;
		sim_set_control(&control);
		boot(pae);
		machine_spawn(0, set_and_read, NULL);
		machine_spawn(1, read_between, &other);
		cr_expect_eq(machine_run(), MACHINE_DONE);
		sim_set_control(NULL);
		cr_expect_eq(other, 0);
		cr_expect(took_bug("page fault"));
		cr_expect_eq(seen, 101);
		cr_expect_null(machine_take_bug());
	}
}

static port_atomic_t word;

static void store_and_load(void *arg)
{
	uint32_t *own = arg;

	port_atomic_store(&word, 7);
	machine_yield(2); /* the other task reads in between */
	own[0] = port_atomic_load(&word);
	port_fence();
	machine_yield(4);
}

static void load_before_and_after(void *arg)
{
	uint32_t *other = arg;

	machine_yield(1);
	other[0] = port_atomic_load(&word);
	machine_yield(3);
	other[1] = port_atomic_load(&word);
}

/* The same of any word: the CPU itself reads what waits in its buffer. */
Test(sim_pae, a_cpu_sees_its_own_stores_first)
{
	uint32_t own = 0;
	uint32_t other[2] = { 9, 9 };

	hold = true;
	control.store_buffers = true;
	question_to_switch = 0;
	sim_set_control(&control);
	boot(false);
	machine_spawn(0, store_and_load, &own);
	machine_spawn(1, load_before_and_after, other);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	sim_set_control(NULL);
	cr_expect_eq(own, 7);
	cr_expect_eq(other[0], 0);
	cr_expect_eq(other[1], 7);
	cr_expect_null(machine_take_bug());
}

/* ---- Frames run out ------------------------------------------------------------------- */

static unsigned int nr_options;
static unsigned int answer;

static unsigned int choose_alloc(void *arg, enum sim_question question,
				 const uint8_t *options, unsigned int nr)
{
	(void)arg;
	cr_assert_eq(question, SIM_ALLOC);
	cr_expect_eq(options[0], 0);
	nr_options = nr;
	return answer;
}

/* The machine that comes of it is as good as any. */
static void expect_a_good_machine(void)
{
	port_pte_set(slot(), pte_of(1));
	cr_expect_eq(machine_load32((void *)slot()), 101);
	cr_expect_null(machine_take_bug());
}

Test(sim_pae, every_allocation_of_a_boot_may_fail)
{
	static const struct sim_control allocs = {
		.choose = choose_alloc,
		.allocs = true,
	};

	sim_set_control(&allocs);
	for (unsigned int pae = 0; pae < 2; pae++) {
		answer = 0;
		boot(pae);
		cr_expect_null(sim_boot_refused());
		cr_assert_eq(nr_options, pae ? 11 : 9, "%u", nr_options);
		for (answer = 1; answer < nr_options; answer++) {
			boot(pae);
			cr_expect_str_eq(sim_boot_refused(),
					 "no memory for a page table");
			expect_a_good_machine();
		}
	}
	sim_set_control(NULL);
	boot(true);
	cr_expect_null(sim_boot_refused());
	expect_a_good_machine();
}
