/* SPDX-License-Identifier: MIT */

/*
 * The clock at 20 kHz: its interrupt maps pages and then gives the CPU to the
 * next task, wherever the last one was, while all of them map, wait for slots
 * and read what they wrote.
 */

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/cases.h"
#include "stress/kernel/world.h"

#define STORM_HZ 20000
#define STORM_TICKS 1000
#define STORM_TASKS 4
#define STORM_SLOTS 3 /* fewer than tasks, so that they wait */

static struct {
	volatile unsigned int ticks;
	unsigned int rounds[STORM_TASKS + 1]; /* by task id */
} storm;

static void tick(void *unused)
{
	if (storm.ticks == STORM_TICKS)
		return; /* the machine may be down by now */
	storm.ticks++;
	world_intrude(unused);
	i686_resched();
}

static unsigned int self(void)
{
	return port_task_id(port_task_current());
}

/* Words 1 to STORM_TASKS of each page belong to the task of that number. */
static uint32_t *own_word(void *vaddr)
{
	return (uint32_t *)vaddr + self();
}

static void write_and_check(void *vaddr, unsigned int nr, uint32_t value)
{
	world_check_tag(vaddr, nr);
	machine_store32(own_word(vaddr), value);
	if (machine_load32(own_word(vaddr)) != value)
		world_fail("task %u does not read what it wrote", self());
}

static void map_local(uint32_t round)
{
	unsigned int a = round % WORLD_PAGES, b = (round + 5) % WORLD_PAGES;
	void *outer = kmap_local_page(world_hm(), world_page(a));
	void *inner = kmap_local_page(world_hm(), world_page(b));

	write_and_check(inner, b, round);
	write_and_check(outer, a, round + 1);
	kunmap_local(world_hm(), inner);
	if (machine_load32(own_word(outer)) != round + 1)
		world_fail("task %u: its outer window changed", self());
	kunmap_local(world_hm(), outer);
}

static void map_pkmap(uint32_t round)
{
	unsigned int nr = round % (STORM_SLOTS + 2);
	void *vaddr = kmap(world_hm(), world_page(nr));

	write_and_check(vaddr, nr, ~round);
	kunmap(world_hm(), world_page(nr));
}

static void storm_task(void *arg)
{
	void (*work)(uint32_t round) = *(void (**)(uint32_t))arg;
	uint32_t round = self();

	while (storm.ticks < STORM_TICKS) {
		work(round);
		round += 7;
		storm.rounds[self()]++;
	}
}

static const char *run_storm(void (*const work[2])(uint32_t round))
{
	const char *why;

	world_boot(STORM_SLOTS);
	storm.ticks = 0;
	for (unsigned int i = 0; i < STORM_TASKS; i++) {
		storm.rounds[i + 1] = 0;
		machine_spawn(0, storm_task, (void *)(vaddr_t)&work[i % 2]);
	}
	i686_set_round_robin(true);
	i686_timer(STORM_HZ, tick, NULL);
	why = world_run();
	i686_timer(I686_TIMER_HZ, NULL, NULL);
	i686_set_round_robin(false);
	for (unsigned int id = 1; id <= STORM_TASKS; id++) {
		console_printf("# task %u: %u rounds\n", id, storm.rounds[id]);
		if (!why && storm.rounds[id] == 0)
			why = "a task never had its turn";
	}
	return why;
}

static const char *storm_local(void)
{
	static void (*const work[2])(uint32_t) = { map_local, map_local };

	return run_storm(work);
}

static const char *storm_mixed(void)
{
	static void (*const work[2])(uint32_t) = { map_pkmap, map_local };

	return run_storm(work);
}

static const char *storm_kmap(void)
{
	static void (*const work[2])(uint32_t) = { map_pkmap, map_pkmap };

	return run_storm(work);
}

const struct conformance_case storm_cases[] = {
	{ "clock_storm_local", storm_local },
	{ "clock_storm_kmap", storm_kmap },
	{ "clock_storm_mixed", storm_mixed },
};

const unsigned int storm_nr_cases = sizeof(storm_cases) /
				    sizeof(storm_cases[0]);
