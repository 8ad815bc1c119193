/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_HOST_PORT_BACKEND_H
#define CORE_PORTS_HOST_PORT_BACKEND_H

/*
 * The host's side of core/port/port.h: threads as CPUs. Here is what is a few
 * instructions long, because the microbenchmarks run on this port; the rest
 * is in port_host.c and park_host.c.
 *
 * What ThreadSanitizer sees, and what it does not:
 *
 * - Shared words are plain words that only the functions below touch, with
 *   GCC's __atomic builtins. (A field of type _Atomic would turn a forgotten
 *   port_atomic_store() into a correct one.) A plain store into one is a race.
 * - Page tables, TLBs, statistics, park and unpark order nothing: they use
 *   relaxed accesses, with fences where the machine needs an order. TSan does
 *   not count fences, so it sees the core's own ordering and no other.
 * - Two tasks on one CPU are ordered by every switch between them, as they
 *   are on a real one. Races show between tasks on different CPUs.
 */

#include <highmem/fixmap.h>
#include <highmem/types.h>

typedef struct {
	uint32_t value;
} port_atomic_t;

typedef struct {
	uint32_t value;
} port_stat_t;

typedef struct {
	uint32_t locked;
} port_spinlock_t;

/* Were interrupts off? */
typedef bool port_irq_t;

#define HOST_UNLIKELY(cond) __builtin_expect((cond), 0)

struct kmap_ctrl;

/* What a hot path reads of a task; struct host_task goes on from here. */
struct port_task {
	uint32_t id;
	struct kmap_ctrl *kmap_ctrl;
};

/*
 * Who runs on this thread. A thread that is no task plays the controlling
 * context: task 0 on CPU 0.
 */
struct host_self {
	struct port_task *task;
	unsigned int cpu;
	unsigned int preempt_off;
	unsigned int migrate_off;
	bool irqs_off;
	bool in_interrupt;
	uint32_t until_delay; /* host_window() */
};

extern _Thread_local struct host_self host_self
	__attribute__((tls_model("initial-exec")));

extern struct port_facts host_facts;

static inline const struct port_facts *port_facts(void)
{
	return &host_facts;
}

/* ---- This CPU ------------------------------------------------------------ */

static inline unsigned int port_cpu_id(void)
{
	return host_self.cpu;
}

/* Reports an enable without its disable, which then does nothing. */
__attribute__((cold)) void host_unbalanced(const char *what);

static inline void port_preempt_disable(void)
{
	host_self.preempt_off++;
}

static inline void port_preempt_enable(void)
{
	if (__builtin_expect(host_self.preempt_off == 0, 0))
		host_unbalanced("preemption");
	else
		host_self.preempt_off--;
}

/* A task never leaves the CPU it was made on. */
static inline void port_migrate_disable(void)
{
	host_self.migrate_off++;
}

static inline void port_migrate_enable(void)
{
	if (__builtin_expect(host_self.migrate_off == 0, 0))
		host_unbalanced("migration");
	else
		host_self.migrate_off--;
}

/* Interrupts come from machine_interrupt() alone, on this very thread. */
static inline port_irq_t port_irq_save(void)
{
	bool were_off = host_self.irqs_off;

	host_self.irqs_off = true;
	return were_off;
}

static inline void port_irq_restore(port_irq_t flags)
{
	host_self.irqs_off = flags;
}

static inline bool port_may_sleep(void)
{
	return host_self.preempt_off == 0 && !host_self.irqs_off &&
	       !host_self.in_interrupt;
}

static inline struct port_task *port_task_current(void)
{
	return host_self.task;
}

static inline uint32_t port_task_id(const struct port_task *task)
{
	return task->id;
}

static inline struct kmap_ctrl *port_task_kmap_ctrl(struct port_task *task)
{
	return task->kmap_ctrl;
}

/* ---- Shared words -------------------------------------------------------- */

/*
 * Between two steps, another CPU may do a lot; on a machine with two cores it
 * seldom does. Sanitizer builds therefore lose time on purpose, here and
 * there. All other builds, the measured ones among them, have none of this.
 */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
void host_delay(void);

static inline void host_window(void)
{
	if (HOST_UNLIKELY(host_self.until_delay-- == 0))
		host_delay();
}
#else
static inline void host_window(void)
{
}
#endif

static inline uint32_t port_atomic_load(const port_atomic_t *word)
{
	return __atomic_load_n(&word->value, __ATOMIC_ACQUIRE);
}

static inline void port_atomic_store(port_atomic_t *word, uint32_t value)
{
	__atomic_store_n(&word->value, value, __ATOMIC_RELEASE);
	host_window();
}

static inline void port_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void port_barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/*
 * The contract wants more of a read-modify-write than C does: a full fence.
 * On x86 its lock prefix is one.
 */
static inline void host_fence_after_rmw(void)
{
#if !defined(__x86_64__) && !defined(__i386__)
	port_fence();
#endif
}

static inline bool port_atomic_cas(port_atomic_t *word, uint32_t *expected,
				   uint32_t desired)
{
	bool swapped;

	host_window();
	swapped = __atomic_compare_exchange_n(&word->value, expected, desired,
					      false, __ATOMIC_SEQ_CST,
					      __ATOMIC_ACQUIRE);
	host_fence_after_rmw();
	return swapped;
}

static inline uint32_t port_atomic_fetch_add(port_atomic_t *word,
					     uint32_t delta)
{
	uint32_t old;

	host_window();
	old = __atomic_fetch_add(&word->value, delta, __ATOMIC_SEQ_CST);
	host_fence_after_rmw();
	return old;
}

static inline uint32_t port_atomic_exchange(port_atomic_t *word, uint32_t value)
{
	uint32_t old;

	host_window();
	old = __atomic_exchange_n(&word->value, value, __ATOMIC_SEQ_CST);
	host_fence_after_rmw();
	return old;
}

static inline uint32_t port_stat_read(const port_stat_t *stat)
{
	return __atomic_load_n(&stat->value, __ATOMIC_RELAXED);
}

static inline void port_stat_set(port_stat_t *stat, uint32_t value)
{
	__atomic_store_n(&stat->value, value, __ATOMIC_RELAXED);
}

/* One writer, and no interrupt comes in between: no locked add is needed. */
static inline void port_stat_inc(port_stat_t *stat)
{
	port_stat_set(stat, port_stat_read(stat) + 1);
}

/* ---- Spin locks ---------------------------------------------------------- */

/* Until the lock is taken by us: spins, then lets other threads run. */
void host_spin_contended(port_spinlock_t *lock);

static inline void port_spin_init(port_spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELAXED);
}

static inline void port_spin_lock(port_spinlock_t *lock)
{
	port_preempt_disable();
	if (HOST_UNLIKELY(
		    __atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE)))
		host_spin_contended(lock);
}

static inline void port_spin_unlock(port_spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
	port_preempt_enable();
	host_window();
}

static inline bool port_spin_is_locked(const port_spinlock_t *lock)
{
	return __atomic_load_n(&lock->locked, __ATOMIC_RELAXED) != 0;
}

/* ---- Page tables --------------------------------------------------------- */

/* From the pkmap area without PAE, the lower one, up to 4 GiB. */
#define HOST_TABLE_BASE PKMAP_BASE_NONPAE
#define HOST_TABLE_PAGES 2048

_Static_assert(HOST_TABLE_BASE + ((uint64_t)HOST_TABLE_PAGES << PAGE_SHIFT) ==
		       (uint64_t)1 << 32,
	       "the tables end where the addresses end");
_Static_assert(PKMAP_BASE_PAE >= PKMAP_BASE_NONPAE,
	       "one range of tables serves both kinds");

/* An entry is read and written in one piece; i386 aligns 64 bits to 4 bytes. */
typedef pte_t host_pte_t __attribute__((aligned(8)));

extern host_pte_t host_pte[HOST_TABLE_PAGES];

/* Bits that no PTE of this machine has; without PAE, the upper half. */
extern pte_t host_pte_reserved;

/*
 * Complain about a PTE access that no page table can serve, or that a port may
 * take as never happening. Returns a PTE to play with.
 */
host_pte_t *host_pte_stray(vaddr_t vaddr);
void host_pte_refuse(vaddr_t vaddr, pte_t old, pte_t pte);

static inline host_pte_t *host_pte_of(vaddr_t vaddr)
{
	vaddr_t nr = (vaddr - HOST_TABLE_BASE) >> PAGE_SHIFT;

	return HOST_UNLIKELY(nr >= HOST_TABLE_PAGES) ? host_pte_stray(vaddr)
						     : &host_pte[nr];
}

static inline pte_t port_pte_read(vaddr_t vaddr)
{
	return __atomic_load_n(host_pte_of(vaddr), __ATOMIC_RELAXED);
}

static inline void port_pte_set(vaddr_t vaddr, pte_t pte)
{
	host_pte_t *entry = host_pte_of(vaddr);
	pte_t old = __atomic_load_n(entry, __ATOMIC_RELAXED);

	if (HOST_UNLIKELY(old != 0 || (pte & host_pte_reserved) != 0))
		host_pte_refuse(vaddr, old, pte);
	__atomic_store_n(entry, pte, __ATOMIC_RELEASE);
}

/*
 * This MMU sets no accessed or dirty bits (machine_host.c has them set from
 * the start), so nothing can come between the load and the store.
 */
static inline pte_t port_pte_clear(vaddr_t vaddr)
{
	host_pte_t *entry = host_pte_of(vaddr);
	pte_t old = __atomic_load_n(entry, __ATOMIC_RELAXED);

	__atomic_store_n(entry, 0, __ATOMIC_RELAXED);
	return old;
}

/* ---- TLBs ---------------------------------------------------------------- */

/*
 * A CPU keeps every translation it used until somebody flushes it. Only the
 * CPU itself writes its entries: a shootdown moves the stamp of a page (or
 * the stamp of all), and an entry with an older stamp is dead at once, on all
 * CPUs, without asking them. An entry with pte 0 is empty.
 */
struct host_tlb_entry {
	pte_t pte;
	uint32_t page_stamp;
	uint32_t all_stamp;
};

struct host_tlb {
	_Alignas(64) struct host_tlb_entry entry[HOST_TABLE_PAGES];
	/* struct machine_tlb_stats, this CPU's share */
	port_stat_t local_pages;
	port_stat_t shootdowns;
	port_stat_t shootdown_pages;
	port_stat_t full;
};

extern struct host_tlb host_tlb[HIGHMEM_MAX_CPUS];

static inline void port_tlb_flush_local_page(vaddr_t vaddr)
{
	struct host_tlb *tlb = &host_tlb[host_self.cpu];
	vaddr_t nr = (vaddr - HOST_TABLE_BASE) >> PAGE_SHIFT;

	port_stat_inc(&tlb->local_pages);
	if (!HOST_UNLIKELY(nr >= HOST_TABLE_PAGES))
		tlb->entry[nr].pte = 0;
}

#endif
