/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/ports/sim/sim.h"
#include "stress/subjects/plain/plain.h"

/*
 * What the compiler makes of atomic operations: a locked instruction is a full
 * fence; a load is a plain one, and so is a store, unless it is sequentially
 * consistent: then it is an exchange. So it is on x86.
 */

#define CALLER __builtin_return_address(0)

enum change {
	EXCHANGE,
	ADD,
	SUB,
	AND,
	OR,
	XOR,
	NAND,
};

static uint64_t changed(enum change change, uint64_t old, uint64_t operand)
{
	switch (change) {
	case ADD:
		return old + operand;
	case SUB:
		return old - operand;
	case AND:
		return old & operand;
	case OR:
		return old | operand;
	case XOR:
		return old ^ operand;
	case NAND:
		return ~(old & operand);
	default:
		return operand;
	}
}

static uint64_t value_of(const void *addr, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, addr, size);
	return value;
}

/* Before a locked operation: all that this CPU stored is in memory. */
static void begin(void *addr, unsigned int size, enum sim_access access)
{
	plain_touch(addr, size);
	plain_settle();
	if (!plain_is_point(addr))
		return;
	sim_point(access);
	sim_drain(sim.cpu);
}

static void end(void *addr, unsigned int size, enum sim_access access,
		uint64_t before, const void *caller)
{
	if (plain_is_point(addr))
		sim_tell(access, addr, before, value_of(addr, size), caller);
}

static uint64_t do_change(void *addr, unsigned int size, enum change change,
			  uint64_t operand, const void *caller)
{
	enum sim_access access = change == EXCHANGE ? SIM_EXCHANGE : SIM_ADD;
	uint64_t old, new;

	begin(addr, size, access);
	old = value_of(addr, size);
	new = changed(change, old, operand);
	memcpy(addr, &new, size);
	end(addr, size, access, old, caller);
	return old;
}

static bool do_cas(void *addr, unsigned int size, void *expected,
		   uint64_t desired, const void *caller)
{
	uint64_t old;
	bool good;

	begin(addr, size, SIM_CAS);
	old = value_of(addr, size);
	good = old == value_of(expected, size);
	if (good)
		memcpy(addr, &desired, size);
	else
		memcpy(expected, &old, size);
	end(addr, size, SIM_CAS, old, caller);
	return good;
}

static uint64_t do_load(void *addr, unsigned int size, const void *caller)
{
	plain_load(addr, size, caller);
	return value_of(addr, size);
}

static void do_store(void *addr, unsigned int size, uint64_t value, int order,
		     const void *caller)
{
	if (order == __ATOMIC_SEQ_CST) {
		do_change(addr, size, EXCHANGE, value, caller);
		return;
	}
	plain_store(addr, size, caller);
	memcpy(addr, &value, size);
}

/* As the compiler declares them: the order of memory comes last. */
#define FETCH(bits, name, change) \
	uint##bits##_t __tsan_atomic##bits##_##name(void *, uint##bits##_t, \
						    int); \
	uint##bits##_t __tsan_atomic##bits##_##name( \
		void *addr, uint##bits##_t operand, int order) \
	{ \
		(void)order; \
		return (uint##bits##_t)do_change(addr, (bits) / 8, change, \
						 operand, CALLER); \
	}

#define CAS(bits, name) \
	int __tsan_atomic##bits##_compare_exchange_##name( \
		void *, void *, uint##bits##_t, int, int); \
	int __tsan_atomic##bits##_compare_exchange_##name( \
		void *addr, void *expected, uint##bits##_t desired, int good, \
		int bad) \
	{ \
		(void)good; \
		(void)bad; \
		return do_cas(addr, (bits) / 8, expected, desired, CALLER); \
	}

#define ATOMICS(bits) \
	uint##bits##_t __tsan_atomic##bits##_load(void *, int); \
	uint##bits##_t __tsan_atomic##bits##_load(void *addr, int order) \
	{ \
		(void)order; \
		return (uint##bits##_t)do_load(addr, (bits) / 8, CALLER); \
	} \
	void __tsan_atomic##bits##_store(void *, uint##bits##_t, int); \
	void __tsan_atomic##bits##_store(void *addr, uint##bits##_t value, \
					 int order) \
	{ \
		do_store(addr, (bits) / 8, value, order, CALLER); \
	} \
	uint##bits##_t __tsan_atomic##bits##_compare_exchange_val( \
		void *, uint##bits##_t, uint##bits##_t, int, int); \
	uint##bits##_t __tsan_atomic##bits##_compare_exchange_val( \
		void *addr, uint##bits##_t expected, uint##bits##_t desired, \
		int good, int bad) \
	{ \
		(void)good; \
		(void)bad; \
		do_cas(addr, (bits) / 8, &expected, desired, CALLER); \
		return expected; \
	} \
	CAS(bits, strong) \
	CAS(bits, weak) \
	FETCH(bits, exchange, EXCHANGE) \
	FETCH(bits, fetch_add, ADD) \
	FETCH(bits, fetch_sub, SUB) \
	FETCH(bits, fetch_and, AND) \
	FETCH(bits, fetch_or, OR) \
	FETCH(bits, fetch_xor, XOR) \
	FETCH(bits, fetch_nand, NAND)

ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	plain_settle();
	if (order == __ATOMIC_SEQ_CST)
		port_fence();
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
	(void)order;
	plain_settle();
}
