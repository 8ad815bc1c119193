/* SPDX-License-Identifier: MIT */

/*
 * What each CPU sees of what another one does. One task at a time, in an order
 * that is always the same: each CPU reads a slot, so that its TLB has it, the
 * slot is given to another page, and each CPU reads it again.
 */

#include "core/port/machine.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/cases.h"
#include "stress/kernel/world.h"

#define NEEDS_TWO "skip: this PC has 1 CPU"

/* Slots; a third page takes an idle one. */
#define NR_SLOTS 2

/* ---- Turns --------------------------------------------------------------------- */

static struct {
	unsigned int nr_cpus;
	port_atomic_t step; /* how far they are */
	port_atomic_t turn; /* who waits goes to the end of the line */
	unsigned int cpu[HIGHMEM_MAX_CPUS]; /* arguments of the tasks */
} all;

static void await_step(uint32_t step)
{
	while (port_atomic_load(&all.step) < step)
		machine_yield(port_atomic_fetch_add(&all.turn, 1));
}

static void next_step(void)
{
	port_atomic_fetch_add(&all.step, 1);
}

/* One task on each CPU. */
static const char *run_on_all(void (*entry)(void *arg))
{
	all.nr_cpus = i686_nr_cpus();
	if (all.nr_cpus < 2)
		return NEEDS_TWO;
	port_atomic_store(&all.step, 0);
	port_atomic_store(&all.turn, 1);
	world_boot_on(all.nr_cpus, NR_SLOTS);
	for (unsigned int cpu = 0; cpu < all.nr_cpus; cpu++) {
		all.cpu[cpu] = cpu;
		machine_spawn(cpu, entry, &all.cpu[cpu]);
	}
	return world_run();
}

static unsigned int own_cpu(const void *arg)
{
	unsigned int cpu = *(const unsigned int *)arg;

	if (port_cpu_id() != cpu)
		world_fail("the task of CPU %u runs on CPU %u", cpu,
			   port_cpu_id());
	return cpu;
}

/* ---- A slot that gets another page ----------------------------------------------- */

static void *slot_address;

/* Both slots become those of @first and of the page after it. */
static void take_slots(unsigned int first)
{
	void *a = kmap(world_hm(), world_page(first));
	void *b = kmap(world_hm(), world_page(first + 1));

	if (slot_address && a != slot_address && b != slot_address)
		world_fail("no page was given the slot at %p",
			   (vaddr_t)slot_address);
	if (!slot_address)
		slot_address = a;
	kunmap(world_hm(), world_page(first));
	kunmap(world_hm(), world_page(first + 1));
}

/* Which of the two pages has the slot now. */
static unsigned int page_in_slot(unsigned int first)
{
	return page_address(world_hm(), world_page(first)) == slot_address
		       ? first
		       : first + 1;
}

/* Each CPU in turn gives the slots away, and all of them look. */
static void slot_task(void *arg)
{
	unsigned int me = own_cpu(arg), nr = all.nr_cpus;
	uint32_t step = 0;

	for (unsigned int round = 0; round < 2 * nr; round++) {
		unsigned int first = 1 + round % 4 * 2;

		if (round % nr == me) {
			await_step(step);
			take_slots(first);
			next_step();
		}
		await_step(step + 1 + me);
		world_check_tag(slot_address, page_in_slot(first));
		next_step();
		step += 1 + nr;
		await_step(step);
	}
}

static const char *reused_slot(void)
{
	slot_address = NULL;
	return run_on_all(slot_task);
}

/* ---- An address that is nobody's any more ------------------------------------------ */

/* Whatever is flushed is gone on each CPU: the audit reads it there. */
static void flush_task(void *arg)
{
	unsigned int me = own_cpu(arg), nr = all.nr_cpus;

	if (me == 0)
		slot_address = kmap(world_hm(), world_page(1));
	await_step(me);
	world_check_tag(slot_address, 1);
	next_step();
	await_step(nr);
	if (me != nr - 1)
		return;
	kunmap(world_hm(), world_page(1));
	kmap_flush_unused(world_hm());
}

static const char *flushed_slot(void)
{
	return run_on_all(flush_task);
}

/* ---- Windows ------------------------------------------------------------------------ */

/* Two tasks on each CPU, each with windows while the others run. */
static void window_task(void *arg)
{
	unsigned int me = own_cpu(arg);
	unsigned int page = port_task_id(port_task_current());

	for (unsigned int round = 0; round < 4; round++) {
		void *a = kmap_local_page(world_hm(), world_page(page));
		void *b;

		machine_yield(port_atomic_fetch_add(&all.turn, 1));
		b = kmap_local_page(world_hm(), world_page(page + 1));
		machine_yield(port_atomic_fetch_add(&all.turn, 1));
		world_check_tag(a, page);
		world_check_tag(b, page + 1);
		if ((vaddr_t)a != fixmap_vaddr(FIX_KMAP_BEGIN + me * KM_MAX_IDX))
			world_fail("the first window of CPU %u is at %p", me,
				   (vaddr_t)a);
		kunmap_local(world_hm(), b);
		machine_yield(port_atomic_fetch_add(&all.turn, 1));
		world_check_tag(a, page);
		kunmap_local(world_hm(), a);
	}
}

static const char *windows(void)
{
	unsigned int nr = i686_nr_cpus();

	if (nr < 2)
		return NEEDS_TWO;
	if (nr > MACHINE_MAX_TASKS / 2)
		nr = MACHINE_MAX_TASKS / 2;
	port_atomic_store(&all.turn, 1);
	world_boot_on(nr, NR_SLOTS);
	for (unsigned int i = 0; i < 2 * nr; i++) {
		all.cpu[i % nr] = i % nr;
		machine_spawn(i % nr, window_task, &all.cpu[i % nr]);
	}
	return world_run();
}

/* ---- Waiting ------------------------------------------------------------------------ */

/* The last CPU holds both slots; each other one waits for one and gets it. */
static void wait_task(void *arg)
{
	unsigned int me = own_cpu(arg), nr = all.nr_cpus;
	void *vaddr;

	if (me == nr - 1) {
		kmap(world_hm(), world_page(0));
		kmap(world_hm(), world_page(1));
		next_step();
		while (port_atomic_load(&world_hm()->pkmap.queue[0].nr) < nr - 1)
			machine_yield(port_atomic_fetch_add(&all.turn, 1));
		kunmap(world_hm(), world_page(0));
		kunmap(world_hm(), world_page(1));
		return;
	}
	await_step(1);
	vaddr = kmap(world_hm(), world_page(2 + me));
	world_check_tag(vaddr, 2 + me);
	kunmap(world_hm(), world_page(2 + me));
}

static const char *waiting(void)
{
	const char *why = run_on_all(wait_task);

	if (!why && highmem_stat(world_hm(), HM_STAT_WAIT) != all.nr_cpus - 1)
		why = "each CPU but one was to wait";
	return why;
}

const struct conformance_case smp_cases[] = {
	{ "each_cpu_sees_the_reused_slot", reused_slot },
	{ "no_cpu_sees_the_flushed_slot", flushed_slot },
	{ "each_cpu_has_its_own_windows", windows },
	{ "each_cpu_waits_for_another", waiting },
};

const unsigned int smp_nr_cases = sizeof(smp_cases) / sizeof(smp_cases[0]);
