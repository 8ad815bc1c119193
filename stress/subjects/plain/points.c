/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/ports/sim/sim.h"
#include "stress/subjects/plain/plain.h"

/*
 * What the compiler calls before each plain access.
 *
 * A store: its point comes first, then it happens, and at the next settling its
 * value is known. With store buffers it is then taken out of memory again and put
 * into the buffer. A load that the buffer has something for: what this CPU stored
 * is lent to memory for that moment.
 *
 * Nobody else runs between the call and the settling, because each point settles
 * first.
 */

static struct {
	char *addr; /* NULL: none */
	unsigned int size;
	uint64_t before;
	const void *caller;
} pending;

static struct {
	void *addr;
	unsigned int size;
	uint64_t value; /* of memory */
} lent[SIM_STORE_BUFFER];

static unsigned int nr_lent;

static uint64_t value_at(const void *addr, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, addr, size);
	return value;
}

static void take_back(void)
{
	while (nr_lent > 0) {
		nr_lent--;
		memcpy(lent[nr_lent].addr, &lent[nr_lent].value,
		       lent[nr_lent].size);
	}
}

/* The oldest first, so that the newest store to a byte is what is seen. */
static void lend(const char *from, const char *to)
{
	const struct sim_cpu *cpu = &sim.cpus[sim.cpu];

	for (unsigned int i = 0; i < cpu->nr_stores; i++) {
		const struct sim_buffered_store *store = &cpu->stores[i];
		const char *word = store->word;

		if (word >= to || from >= word + store->size)
			continue;
		lent[nr_lent].addr = store->word;
		lent[nr_lent].size = store->size;
		lent[nr_lent++].value = value_at(word, store->size);
		memcpy(store->word, &store->value, store->size);
	}
}

void plain_show_own_stores(void)
{
	plain_settle();
	lend(NULL, (const char *)UINTPTR_MAX);
}

void plain_settle(void)
{
	char *addr = pending.addr;
	uint64_t after;

	take_back();
	if (!addr)
		return;
	pending.addr = NULL;
	after = value_at(addr, pending.size);
	if (sim_buffers_stores()) {
		memcpy(addr, &pending.before, pending.size);
		sim_buffer_store(addr, after, pending.size);
	}
	sim_tell(SIM_STORE, addr, pending.before, after, pending.caller);
}

static bool is_on(const struct fiber *fiber, const void *addr)
{
	return (uintptr_t)addr - (uintptr_t)fiber->stack < fiber->stack_size;
}

static uintptr_t dead_from;
static size_t dead_size;

void plain_no_points(const void *from, const void *to)
{
	dead_from = (uintptr_t)from;
	dead_size = (uintptr_t)to - dead_from;
}

bool plain_is_point(const void *addr)
{
	return sim_controlled && sim.running != &sim.controller &&
	       (uintptr_t)addr - dead_from >= dead_size &&
	       !is_on(&sim.running->fiber, addr);
}

void plain_load(const void *addr, unsigned int size, const void *caller)
{
	uint64_t value;

	if (!plain_is_point(addr))
		return;
	plain_settle();
	sim_point(SIM_LOAD);
	if (sim.cpus[sim.cpu].nr_stores > 0)
		lend(addr, (const char *)addr + size);
	value = value_at(addr, size);
	sim_tell(SIM_LOAD, addr, value, value, caller);
}

void plain_store(void *addr, unsigned int size, const void *caller)
{
	plain_touch(addr, size);
	if (!plain_is_point(addr))
		return;
	plain_settle();
	sim_point(SIM_STORE);
	pending.addr = addr;
	pending.size = size;
	pending.before = value_at(addr, size);
	pending.caller = caller;
}

#define CALLER __builtin_return_address(0)

#define ACCESS(kind, name, size) \
	void __tsan_##name(void *addr); \
	void __tsan_##name(void *addr) \
	{ \
		kind(addr, size, CALLER); \
	}

/* None of 16 bytes: the machine that is simulated has registers of 32 bits. */
#define ACCESSES(size) \
	ACCESS(plain_load, read##size, size) \
	ACCESS(plain_store, write##size, size) \
	ACCESS(plain_load, unaligned_read##size, size) \
	ACCESS(plain_store, unaligned_write##size, size)

ACCESS(plain_load, read1, 1)
ACCESS(plain_store, write1, 1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)

void __tsan_init(void);
void __tsan_init(void)
{
}

/* ---- Many bytes at once: word by word, as a loop of the file's would do it ---------- */

static unsigned int piece(const char *addr, size_t left)
{
	size_t size = 8 - (uintptr_t)addr % 8;

	while (size > left || (size & (size - 1)) != 0)
		size--;
	return (unsigned int)size;
}

void *__tsan_memset(void *addr, int byte, size_t size);
void *__tsan_memset(void *addr, int byte, size_t size)
{
	for (char *to = addr; size > 0;) {
		unsigned int now = piece(to, size);

		plain_store(to, now, CALLER);
		memset(to, byte, now);
		to += now;
		size -= now;
	}
	return addr;
}

void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
	for (size_t at = 0; at < size;) {
		char *target = (char *)to + at;
		const char *source = (const char *)from + at;
		unsigned int now = piece(target, size - at);
		uint64_t value;

		plain_load(source, now, CALLER);
		memcpy(&value, source, now);
		plain_store(target, now, CALLER);
		memcpy(target, &value, now);
		at += now;
	}
	return to;
}
