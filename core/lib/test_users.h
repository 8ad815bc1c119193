/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_LIB_TEST_USERS_H
#define HIGHMEM_LIB_TEST_USERS_H

/*
 * Tasks that wait for slots. There are two slots unless a test says otherwise:
 * holders take them, others queue, and events[] tells who was served in which
 * order, '-' for one who gave up.
 */

#include "core/lib/test_machine.h"

static struct highmem *hm;
static char events[32];

static inline void note(char who)
{
	events[strlen(events)] = who;
}

static inline void boot_small(unsigned int nr_slots)
{
	hm = boot((struct machine_config){ .nr_slots = nr_slots });
}

/* Two pages for two slots. */
static inline void hold_both(void)
{
	kmap(hm, high(hm, 0));
	kmap(hm, high(hm, 1));
}

/* A task that maps a page at a place and holds it until another. */
struct user {
	char name;
	unsigned int page;
	uint32_t from;
	uint32_t until;
	uint64_t ticks; /* 0: no deadline */
	void *address;
};

static inline void use(void *arg)
{
	struct user *user = arg;
	struct page *page = high(hm, user->page);

	at(user->from);
	user->address = user->ticks ? kmap_timeout(hm, page,
						   port_now() + user->ticks)
				    : kmap(hm, page);
	if (!user->address) {
		note('-');
		return;
	}
	note(user->name);
	machine_poke32(page, 0, user->page);
	cr_expect_eq(machine_load32(user->address), user->page);
	at(user->until);
	kunmap(hm, page);
}

static inline void run(struct user *users, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		machine_spawn(i % 2, use, &users[i]);
	cr_expect_eq(machine_run(), MACHINE_DONE);
	EXPECT_SOUND(hm);
	cr_expect_eq(port_atomic_load(&hm->pkmap.queue[0].nr), 0);
}

#define RUN(users) run(users, sizeof(users) / sizeof((users)[0]))

#endif
