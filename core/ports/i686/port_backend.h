/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_PORT_BACKEND_H
#define CORE_PORTS_I686_PORT_BACKEND_H

/*
 * The i686's side of core/port/port.h: types, and every function that is a
 * few instructions long. The rest is in port_i686.c, paging.c and sched.c.
 */

#include <stdatomic.h>

#include <highmem/types.h>

typedef struct {
	_Atomic uint32_t value;
} port_atomic_t;

typedef struct {
	_Atomic uint32_t value;
} port_stat_t;

typedef struct {
	_Atomic uint32_t locked;
} port_spinlock_t;

/* EFLAGS as they were. */
typedef uint32_t port_irq_t;

#define I686_EFLAGS_TF (1U << 8)
#define I686_EFLAGS_IF (1U << 9)

/* One CPU; with more, i686_this_cpu() finds its own. */
struct i686_cpu {
	struct port_task *current;
	unsigned int preempt_count; /* > 0: no context switch */
	unsigned int irq_depth;	    /* interrupt handlers on the stack */
	bool need_resched;	    /* somebody else's turn, when allowed */
};

extern struct i686_cpu i686_cpus[1];

static inline struct i686_cpu *i686_this_cpu(void)
{
	return &i686_cpus[0];
}

/* Gives the CPU to another task, if this is a place for it. */
void i686_preempt(void);

static inline void i686_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline uint32_t i686_eflags(void)
{
	uint32_t flags;

	__asm__ volatile("pushfl; popl %0" : "=r"(flags));
	return flags;
}

/* ---- This CPU ---------------------------------------------------------- */

static inline unsigned int port_cpu_id(void)
{
	return 0;
}

/*
 * A load, an add and a store that an interrupt may cut: it leaves the count
 * as it found it, so nothing is lost.
 */
static inline void port_preempt_disable(void)
{
	i686_this_cpu()->preempt_count++;
	i686_barrier();
}

static inline void port_preempt_enable(void)
{
	struct i686_cpu *cpu = i686_this_cpu();

	i686_barrier();
	cpu->preempt_count--;
	i686_barrier();
	if (cpu->preempt_count == 0 && cpu->need_resched)
		i686_preempt();
}

static inline port_irq_t port_irq_save(void)
{
	uint32_t flags;

	__asm__ volatile("pushfl; popl %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

/* Not popf: it would bring back a trap flag that has been cleared since. */
static inline void port_irq_restore(port_irq_t flags)
{
	if (flags & I686_EFLAGS_IF)
		__asm__ volatile("sti" : : : "memory");
	else
		__asm__ volatile("cli" : : : "memory");
}

/* ---- Shared words ------------------------------------------------------- */

static inline uint32_t port_atomic_load(const port_atomic_t *word)
{
	return atomic_load_explicit(&word->value, memory_order_acquire);
}

static inline void port_atomic_store(port_atomic_t *word, uint32_t value)
{
	atomic_store_explicit(&word->value, value, memory_order_release);
}

static inline bool port_atomic_cas(port_atomic_t *word, uint32_t *expected,
				   uint32_t desired)
{
	return atomic_compare_exchange_strong_explicit(&word->value, expected,
						       desired,
						       memory_order_seq_cst,
						       memory_order_acquire);
}

static inline uint32_t port_atomic_fetch_add(port_atomic_t *word,
					     uint32_t delta)
{
	return atomic_fetch_add_explicit(&word->value, delta,
					 memory_order_seq_cst);
}

static inline uint32_t port_atomic_exchange(port_atomic_t *word, uint32_t value)
{
	return atomic_exchange_explicit(&word->value, value,
					memory_order_seq_cst);
}

static inline void port_fence(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/* One instruction, so no interrupt comes between its load and its store. */
static inline void port_stat_inc(port_stat_t *stat)
{
	__asm__ volatile("incl %0" : "+m"(stat->value) : : "cc");
}

static inline void port_stat_set(port_stat_t *stat, uint32_t value)
{
	atomic_store_explicit(&stat->value, value, memory_order_relaxed);
}

static inline uint32_t port_stat_read(const port_stat_t *stat)
{
	return atomic_load_explicit(&stat->value, memory_order_relaxed);
}

/* ---- Spin locks --------------------------------------------------------- */

static inline void port_spin_init(port_spinlock_t *lock)
{
	atomic_store_explicit(&lock->locked, 0, memory_order_relaxed);
}

/* Spins on a lock that is taken; on one CPU it says that this is for ever. */
void i686_spin_contended(port_spinlock_t *lock);

static inline void port_spin_lock(port_spinlock_t *lock)
{
	port_preempt_disable();
	while (atomic_exchange_explicit(&lock->locked, 1, memory_order_acquire))
		i686_spin_contended(lock);
}

static inline void port_spin_unlock(port_spinlock_t *lock)
{
	atomic_store_explicit(&lock->locked, 0, memory_order_release);
	port_preempt_enable();
}

static inline bool port_spin_is_locked(const port_spinlock_t *lock)
{
	return atomic_load_explicit(&lock->locked, memory_order_relaxed) != 0;
}

/* ---- TLB ---------------------------------------------------------------- */

static inline void i686_invlpg(vaddr_t vaddr)
{
	__asm__ volatile("invlpg (%0)" : : "r"(vaddr) : "memory");
}

#endif
