/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_PORT_BACKEND_H
#define CORE_PORTS_I686_PORT_BACKEND_H

/*
 * The i686's side of core/port/port.h: types, and every function that is a
 * few instructions long. The rest is in port_i686.c, paging.c, tlb.c and sched.c.
 */

#include <stdatomic.h>
#include <stddef.h>

#include <highmem/fixmap.h>
#include <highmem/types.h>

typedef struct {
	_Atomic uint32_t value;
} port_atomic_t;

typedef struct {
	_Atomic uint32_t value;
} port_stat_t;

/* 0: free, else 1 + the CPU that holds it. */
typedef struct {
	_Atomic uint32_t owner;
} port_spinlock_t;

/* EFLAGS as they were. */
typedef uint32_t port_irq_t;

#define I686_EFLAGS_TF (1U << 8)
#define I686_EFLAGS_IF (1U << 9)

struct port_task;

/*
 * What a CPU knows of itself. Its segment %fs begins here, so that one
 * instruction reads or changes a word of the CPU that executes it: a task that
 * is preempted before or after it, and goes on elsewhere, does no harm. The
 * pointer from i686_this_cpu() is for code that cannot be moved meanwhile.
 */
struct i686_cpu {
	struct i686_cpu *self;
	struct port_task *current;
	uint32_t id;
	uint32_t preempt_count; /* > 0: no context switch */
	uint32_t irq_depth;	/* interrupt handlers on the stack */
	uint32_t need_resched;	/* somebody else's turn, when allowed */
	/* Counters of this CPU, for reports: see i686_counts(). */
	uint32_t invlpgs, full_flushes, ipis, switches, migrations;
};

extern struct i686_cpu i686_cpus[HIGHMEM_MAX_CPUS];

#define I686_CPU_WORD(field) \
	static inline uint32_t i686_cpu_##field(void) \
	{ \
		uint32_t value; \
\
		__asm__ volatile("movl %%fs:%c1, %0" \
				 : "=r"(value) \
				 : "i"(offsetof(struct i686_cpu, field))); \
		return value; \
	}

I686_CPU_WORD(self)
I686_CPU_WORD(current)
I686_CPU_WORD(id)
I686_CPU_WORD(preempt_count)
I686_CPU_WORD(irq_depth)
I686_CPU_WORD(need_resched)

#undef I686_CPU_WORD

/* Counts an event; an interrupt in the middle does not lose its own. */
#define i686_cpu_count(field) \
	__asm__ volatile("incl %%fs:%c0" \
			 : \
			 : "i"(offsetof(struct i686_cpu, field)) \
			 : "cc", "memory")

/* pre: preemption or migration is disabled, or interrupts are off. */
static inline struct i686_cpu *i686_this_cpu(void)
{
	return (struct i686_cpu *)i686_cpu_self();
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
	return i686_cpu_id();
}

/* The same wherever the task runs, so no moment is wrong to look. */
static inline struct port_task *port_task_current(void)
{
	return (struct port_task *)i686_cpu_current();
}

static inline void port_preempt_disable(void)
{
	__asm__ volatile("incl %%fs:%c0"
			 :
			 : "i"(offsetof(struct i686_cpu, preempt_count))
			 : "cc", "memory");
}

/* Undoes an enable without its disable, and reports it. */
__attribute__((cold)) void i686_preempt_underflow(void);

/*
 * After the decrement the task may be moved: then it has lost the CPU just
 * now, and what it reads is the new CPU's, no less right. Below 0 it cannot be
 * moved.
 */
static inline void port_preempt_enable(void)
{
	bool below;

	__asm__ volatile("decl %%fs:%c1"
			 : "=@ccs"(below)
			 : "i"(offsetof(struct i686_cpu, preempt_count))
			 : "memory");
	if (__builtin_expect(below, 0))
		i686_preempt_underflow();
	if (i686_cpu_need_resched() && i686_cpu_preempt_count() == 0)
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

static inline void port_barrier(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/*
 * One instruction, so no interrupt comes between its load and its store. No
 * lock prefix: the word is this CPU's.
 */
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
	atomic_store_explicit(&lock->owner, 0, memory_order_relaxed);
}

/* Spins until the lock is this CPU's; ends the run if it is already. */
void i686_spin_contended(port_spinlock_t *lock);

/* pre: this task stays on this CPU. */
static inline bool i686_spin_try(port_spinlock_t *lock)
{
	uint32_t nobody = 0;

	return atomic_compare_exchange_strong_explicit(&lock->owner, &nobody,
						       i686_cpu_id() + 1,
						       memory_order_acquire,
						       memory_order_relaxed);
}

static inline void port_spin_lock(port_spinlock_t *lock)
{
	port_preempt_disable();
	if (!i686_spin_try(lock))
		i686_spin_contended(lock);
}

static inline void port_spin_unlock(port_spinlock_t *lock)
{
	atomic_store_explicit(&lock->owner, 0, memory_order_release);
	port_preempt_enable();
}

static inline bool port_spin_is_locked(const port_spinlock_t *lock)
{
	return atomic_load_explicit(&lock->owner, memory_order_relaxed) != 0;
}

/* ---- TLB ---------------------------------------------------------------- */

static inline void i686_invlpg(vaddr_t vaddr)
{
	__asm__ volatile("invlpg (%0)" : : "r"(vaddr) : "memory");
}

#endif
