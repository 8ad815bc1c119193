/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <criterion/criterion.h>

#include "core/port/port.h"
#include "core/ports/sim/sim.h"

/* CPUs that go and come back: who may, and what they know then. */

static struct highmem *hm;

static void boot(unsigned int nr_cpus)
{
	const struct machine_config config = {
		.nr_cpus = nr_cpus,
		.nr_slots = 4,
		.nr_colours = 1,
		.nr_pages = 4,
		.local_depth = 2,
	};

	hm = machine_boot(&config);
	cr_assert_null(machine_take_bug());
	for (unsigned int i = 0; i < 4; i++)
		machine_poke32(&hm->config.mem_map[2 + i], 0, 100 + i);
}

static void run_all(void)
{
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_null(machine_take_bug());
}

static pfn_t first_highmem(void)
{
	return page_to_pfn(hm, &hm->config.mem_map[MACHINE_LOWMEM_PAGES]);
}

static vaddr_t slot(unsigned int nr)
{
	return hm->config.pkmap_base + nr * PAGE_SIZE;
}

static void map(unsigned int nr, unsigned int page)
{
	port_pte_set(slot(nr),
		     pte_make(first_highmem() + page, hm->config.prot));
}

static uint32_t seen;

static void load(void *arg)
{
	seen = machine_load32(arg);
}

static uint32_t load_on(unsigned int cpu, vaddr_t vaddr)
{
	machine_spawn(cpu, load, (void *)vaddr);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	return seen;
}

static bool has(unsigned int cpu, unsigned int nr)
{
	return sim.cpus[cpu].tlb[(slot(nr) - SIM_WINDOW_BASE) >> PAGE_SHIFT];
}

/* ---- Who may go ------------------------------------------------------------------ */

Test(sim_hotplug, who_executes_stays)
{
	boot(2);
	cr_expect_not(sim_can_go_offline(0), "the test runs on it");
	cr_expect(sim_can_go_offline(1));
	sim_go_offline(1);
	cr_expect_not(sim_can_go_offline(1), "it has gone");
	sim_come_online(1);
	cr_expect(sim_can_go_offline(1));
}

/* What keeps a CPU online, one after the other. */
static void hold_on(void *arg)
{
	port_irq_t flags;

	(void)arg;
	port_migrate_disable();
	machine_yield(2);
	port_migrate_enable();
	port_preempt_disable();
	machine_yield(4);
	port_preempt_enable();
	flags = port_irq_save();
	machine_yield(6);
	port_irq_restore(flags);
	machine_yield(8);
}

static void look_at_it(void *arg)
{
	(void)arg;
	for (uint32_t rank = 1; rank < 7; rank += 2) {
		machine_yield(rank);
		cr_expect_not(sim_can_go_offline(1), "at %u", rank);
	}
	machine_yield(7);
	cr_expect(sim_can_go_offline(1));
	sim.cpus[1].irq_depth = 1;
	cr_expect_not(sim_can_go_offline(1), "it has a handler to finish");
	sim.cpus[1].irq_depth = 0;
	sim.cpus[1].shootdowns = 2;
	cr_expect_not(sim_can_go_offline(1), "somebody waits for its answer");
	sim.cpus[1].shootdowns = 0;
}

Test(sim_hotplug, what_keeps_a_cpu_online)
{
	boot(2);
	machine_spawn(1, hold_on, NULL);
	machine_spawn(0, look_at_it, NULL);
	run_all();
}

/* Linux' stop_machine() waits for every CPU, the one that executes too. */
static void hold_another_up(void *arg)
{
	port_irq_t flags;

	(void)arg;
	cr_expect(sim_can_go_offline(1));
	port_preempt_disable();
	cr_expect_not(sim_can_go_offline(1), "as under a spin lock");
	port_preempt_enable();
	flags = port_irq_save();
	cr_expect_not(sim_can_go_offline(1));
	port_irq_restore(flags);
	sim.cpus[2].irq_depth = 1;
	cr_expect_not(sim_can_go_offline(1), "a handler of a third");
	sim.cpus[2].irq_depth = 0;
	port_migrate_disable();
	cr_expect(sim_can_go_offline(1),
		  "who is pinned elsewhere is not asked");
	port_migrate_enable();
}

static void stay_a_while(void *arg)
{
	(void)arg;
	machine_yield(1);
}

Test(sim_hotplug, no_cpu_goes_while_another_is_not_to_be_preempted)
{
	boot(3);
	machine_spawn(2, stay_a_while, NULL);
	machine_spawn(0, hold_another_up, NULL);
	run_all();
}

/* A task that is not its CPU's current one can be pinned, too. */
static void pinned(void *arg)
{
	port_migrate_disable();
	machine_yield(*(const uint32_t *)arg);
	port_migrate_enable();
}

static void see_it_kept(void *arg)
{
	(void)arg;
	machine_yield(3);
	cr_expect_not(sim_can_go_offline(1));
	machine_yield(8);
	cr_expect(sim_can_go_offline(1), "all there are over");
}

Test(sim_hotplug, a_pinned_task_that_waits_for_its_turn)
{
	uint32_t until[] = { 7, 2 };

	boot(2);
	machine_spawn(1, pinned, &until[0]);
	machine_spawn(1, pinned, &until[1]);
	machine_spawn(0, see_it_kept, NULL);
	run_all();
}

/* ---- Where its work goes ----------------------------------------------------------- */

static void sleep_and_wake(void *arg)
{
	(void)arg;
	cr_expect_eq(machine_this_cpu(), 2);
	cr_expect(port_park(PORT_NO_DEADLINE));
	cr_expect_eq(machine_this_cpu(), 0, "the first that is online");
	machine_yield(4);
	cr_expect_eq(machine_this_cpu(), 0, "nobody sends it back");
}

static void send_away(void *arg)
{
	(void)arg;
	machine_yield(1);
	sim_go_offline(2);
	cr_expect_null(sim.cpus[2].current);
	port_unpark(&sim.tasks[0]);
	machine_yield(3);
	sim_come_online(2);
}

Test(sim_hotplug, its_tasks_go_on_elsewhere)
{
	boot(3);
	machine_spawn(2, sleep_and_wake, NULL);
	machine_spawn(1, send_away, NULL);
	run_all();
}

static void say_where(void *arg)
{
	*(unsigned int *)arg = machine_this_cpu();
}

Test(sim_hotplug, who_is_made_for_it_begins_elsewhere)
{
	unsigned int where = 9;

	boot(3);
	sim_go_offline(2);
	machine_spawn(2, say_where, &where);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_eq(where, 0);
	cr_expect_not(sim_can_migrate(&sim.tasks[0], 2));
	sim_come_online(2);
	machine_spawn(2, say_where, &where);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	cr_expect_eq(where, 2);
}

Test(sim_hotplug, its_stores_reach_memory)
{
	static port_atomic_t word;

	boot(2);
	sim.cpus[1].stores[0] = (struct sim_buffered_store){ &word, 7,
							     sizeof(word) };
	sim.cpus[1].nr_stores = 1;
	sim_go_offline(1);
	cr_expect_eq(word.value, 7);
	cr_expect_eq(sim.cpus[1].nr_stores, 0);
}

/* ---- What it knows ------------------------------------------------------------------ */

/* CPU 1 has slot 0, goes offline, and the slot gets another page. */
static void go_while_it_changes(void)
{
	boot(2);
	map(0, 0);
	cr_expect_eq(load_on(1, slot(0)), 100);
	sim_go_offline(1);
	port_pte_clear(slot(0));
	port_tlb_shootdown_pages((vaddr_t[]){ slot(0) }, 1);
	map(0, 1);
	map(1, 2);
}

Test(sim_hotplug, a_shootdown_leaves_it_out)
{
	go_while_it_changes();
	cr_expect_null(machine_audit(), "what it has is nobody's business");
	cr_expect(has(1, 0), "it keeps what it had");
	cr_expect(has(0, 1), "the other loads what is new");
	cr_expect_not(has(1, 1), "and it does not");
}

Test(sim_hotplug, it_comes_back_with_an_empty_tlb)
{
	go_while_it_changes();
	cr_expect_null(machine_audit());
	sim_come_online(1);
	cr_expect(has(1, 1), "and loads what it may");
	cr_expect_null(machine_audit());
	cr_expect_eq(load_on(1, slot(0)), 101);
	port_pte_clear(slot(1));
	port_tlb_shootdown_pages((vaddr_t[]){ slot(1) }, 1);
	cr_expect_not(has(1, 1), "and is flushed like others");
}

Test(sim_hotplug, what_it_brings_is_looked_at)
{
	const char *why;

	go_while_it_changes();
	cr_expect_null(machine_audit());
	sim.cpus[1].offline = false; /* and no flush */
	sim_tlb_load_slots(1);
	why = machine_audit();
	cr_assert_not_null(why);
	cr_expect_str_eq(why, "stale TLB entry: CPU 1 still has pfn 0x38000 at "
			      "0xff800000, the PTE says pfn 0x38001");
}

Test(sim_hotplug, the_next_machine_has_all_its_cpus)
{
	boot(2);
	sim_go_offline(1);
	machine_shutdown();
	boot(2);
	cr_expect(sim_can_go_offline(1));
}

/* ---- Who decides ------------------------------------------------------------------- */

static char asked[64];
static unsigned int most_options;

/* Whatever is offered first, each time. */
static unsigned int choose(void *arg, enum sim_question question,
			   const uint8_t *options, unsigned int nr)
{
	(void)arg;
	if (question != SIM_HOTPLUG)
		return 0;
	most_options = nr > most_options ? nr : most_options;
	hm_format(asked + strlen(asked), sizeof(asked) - strlen(asked), "%x ",
		  options[1]);
	return 1;
}

static void touch(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 3; i++)
		port_fence();
}

static void run_under(unsigned int nr_cpus, bool hotplug)
{
	const struct sim_control control = {
		.choose = choose,
		.hotplug = hotplug,
		.max_steps = 1000,
	};

	asked[0] = '\0';
	most_options = 0;
	sim_set_control(&control);
	boot(nr_cpus);
	machine_spawn(0, touch, NULL);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	sim_set_control(NULL);
	machine_shutdown();
}

Test(sim_hotplug, each_point_asks)
{
	uint64_t hash;

	run_under(3, true);
	cr_expect_str_eq(asked, "0x2 0x42 0x2 0x42 ",
			 "three fences and the end");
	cr_expect_eq(most_options, 3, "CPU 2 could have done so, too");
	run_under(1, true);
	cr_expect_str_eq(asked, "", "one CPU alone stays");
	run_under(3, false);
	cr_expect_str_eq(asked, "");
	boot(2);
	hash = sim_state_hash();
	sim_go_offline(1);
	cr_expect_neq(sim_state_hash(), hash, "it is a state of its own");
}
