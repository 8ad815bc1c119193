/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORT_PORT_H
#define CORE_PORT_PORT_H

/*
 * The port contract: all that the core asks of the machine below it.
 *
 * A port supplies "port_backend.h", which defines the types port_atomic_t,
 * port_stat_t, port_spinlock_t and port_irq_t and may define any function
 * below as `static inline`; what it does not define there it links. The
 * prototypes below come after it, so the compiler holds every definition to
 * this contract. PORTING.md walks through one port.
 *
 * Words: "any context" includes interrupts and code with interrupts off.
 * "Local" in a name means this CPU only; "shootdown" means every CPU, finished
 * on return.
 */

#include <highmem/types.h>

#include "port_backend.h"

struct kmap_ctrl;
struct port_task;

/* Facts about the machine, constant from boot on. */
struct port_facts {
	const char *name;  /* "sim", "host", "i686" */
	bool pae;	   /* PTEs have 64 bits */
	uint32_t cpu_mask; /* possible CPUs, one bit per id; may be sparse */
	/* More pages than this are flushed with one full shootdown. */
	unsigned int tlb_flush_ceiling;
};

const struct port_facts *port_facts(void);

/* ---- This CPU ---------------------------------------------------------- */

/* Id of this CPU. pre: preemption or migration is disabled. */
unsigned int port_cpu_id(void);

/* No context switch on this CPU until enabled again. Nests. Any context. */
void port_preempt_disable(void);
void port_preempt_enable(void);

/* The current task stays on this CPU, but may be preempted. Nests. */
void port_migrate_disable(void);
void port_migrate_enable(void);

/* No interrupt on this CPU until restored. Nests. Any context. */
port_irq_t port_irq_save(void);
void port_irq_restore(port_irq_t flags);

/* Task context, preemption enabled, interrupts on: port_park() is allowed. */
bool port_may_sleep(void);

/* ---- Tasks and waiting -------------------------------------------------- */

/* The current task; in an interrupt, the interrupted one. Any context. */
struct port_task *port_task_current(void);

/* A number from 1 up that names the task in sentences. Any context. */
uint32_t port_task_id(const struct port_task *task);

/* The task's local maps; zeroed by the port when the task is made. */
struct kmap_ctrl *port_task_kmap_ctrl(struct port_task *task);

/* Monotonic time in ticks of the port's own length. Any context. */
uint64_t port_now(void);

#define PORT_NO_DEADLINE UINT64_MAX

/*
 * Sleep until port_unpark(). An unpark that came first is remembered (once),
 * so that no wake-up is lost between a check and the sleep. Returns false
 * when port_now() reached @deadline first; may return true for no reason, also
 * then, and at each tick. So the caller checks its condition again; and one
 * that has a deadline looks at port_now() before each call, for a wake-up at
 * each tick would keep it for ever. pre: port_may_sleep().
 */
bool port_park(uint64_t deadline);

/*
 * Shall @task give up what it waits for? Whoever tells it so makes this true
 * and calls port_unpark() after. When it is false again is the kernel's own
 * business: in Linux never, a killed task dies. Any context.
 */
bool port_signal_pending(const struct port_task *task);

/*
 * Wake @task, or its next port_park(). A full fence first: the task sees all
 * that was stored before. Any context, locks may be held.
 */
void port_unpark(struct port_task *task);

/* ---- Shared words ------------------------------------------------------- */

/* Load-acquire and store-release. Any context. */
uint32_t port_atomic_load(const port_atomic_t *word);
void port_atomic_store(port_atomic_t *word, uint32_t value);

/*
 * Compare and swap: true when *word was *expected and is now @desired; else
 * *expected is what was found. A success is a full fence. Never fails for no
 * reason.
 */
bool port_atomic_cas(port_atomic_t *word, uint32_t *expected, uint32_t desired);

/* Adds @delta (wrapping) and returns the value before. A full fence. */
uint32_t port_atomic_fetch_add(port_atomic_t *word, uint32_t delta);

/* Stores @value and returns the value before. A full fence. */
uint32_t port_atomic_exchange(port_atomic_t *word, uint32_t value);

/* Full fence: stores before it are visible before loads after it. */
void port_fence(void);

/*
 * This CPU's accesses before it come before those after it as far as an
 * interrupt on this CPU can tell: a barrier for the compiler, no instruction.
 */
void port_barrier(void);

/*
 * Words for observers (statistics, "who was it"): written by the CPU they
 * belong to, read by anybody, ordered with nothing. An increment that an
 * interrupt cuts in two must not lose the interrupt's increment.
 */
void port_stat_inc(port_stat_t *stat);
void port_stat_set(port_stat_t *stat, uint32_t value);
uint32_t port_stat_read(const port_stat_t *stat);

/* ---- Spin locks --------------------------------------------------------- */

/*
 * Lock disables preemption, unlock enables it. Interrupts stay as they are:
 * a lock that an interrupt takes is held with port_irq_save() around it.
 * Spinning with interrupts on must let shootdowns of other CPUs through.
 */
void port_spin_init(port_spinlock_t *lock);
void port_spin_lock(port_spinlock_t *lock);
void port_spin_unlock(port_spinlock_t *lock);
bool port_spin_is_locked(const port_spinlock_t *lock);

/* ---- Page tables and TLBs ------------------------------------------------ */

/*
 * The kernel PTE of @vaddr. pre: the address is in the pkmap area or the
 * fixmap, whose page tables exist from boot on. Any context.
 */
pte_t port_pte_read(vaddr_t vaddr);

/*
 * Write a PTE that was none; other CPUs see it whole or not at all, and after
 * all that the caller stored before. No flush: a none PTE is in no TLB.
 */
void port_pte_set(vaddr_t vaddr, pte_t pte);

/* Exchange the PTE with none and return what the MMU left in it. No flush. */
pte_t port_pte_clear(vaddr_t vaddr);

/* This CPU forgets the translation of one page. Any context. */
void port_tlb_flush_local_page(vaddr_t vaddr);

/*
 * Every CPU forgets the translations of @nr pages, or of all pages outside
 * the direct map. On return no CPU uses an old one. A CPU that is offline is
 * not waited for; it forgets everything before it comes online.
 * pre: interrupts are on (a CPU that waits here must answer others), not in
 * an interrupt. Preemption may be disabled.
 */
void port_tlb_shootdown_pages(const vaddr_t *pages, unsigned int nr);
void port_tlb_shootdown_all(void);

/* ---- Reports ------------------------------------------------------------ */

/*
 * A broken rule of a caller's, in one sentence without a newline. May return:
 * the core has changed nothing, and the call fails. Any context.
 */
void port_bug(const char *sentence);

/*
 * The core's own state contradicts itself, in one such sentence: memory may be
 * corrupt already. Never returns. Any context, locks may be held.
 */
_Noreturn void port_panic(const char *sentence);

#endif
