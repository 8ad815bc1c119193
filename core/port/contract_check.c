/* SPDX-License-Identifier: MIT */

/*
 * Compiled into every port. The compiler has already held the port's inline
 * functions to the prototypes of port.h; here each function of the contract
 * is named once, so that a port that lacks one does not link, whether or not
 * the core happens to call it today.
 */

#include "core/port/port.h"

_Static_assert(sizeof(port_atomic_t) >= sizeof(uint32_t),
	       "port_atomic_t holds 32 bits");
_Static_assert(sizeof(port_stat_t) >= sizeof(uint32_t),
	       "port_stat_t holds 32 bits");
_Static_assert(sizeof(vaddr_t) >= sizeof(uint32_t),
	       "vaddr_t holds a 32-bit kernel address");
_Static_assert(sizeof(pte_t) == 8, "pte_t holds a PAE entry");

extern const struct port_contract port_contract_check;

/* One member for each function, of exactly its type. */
const struct port_contract {
	const struct port_facts *(*facts)(void);
	unsigned int (*cpu_id)(void);
	void (*preempt_disable)(void);
	void (*preempt_enable)(void);
	void (*migrate_disable)(void);
	void (*migrate_enable)(void);
	port_irq_t (*irq_save)(void);
	void (*irq_restore)(port_irq_t flags);
	bool (*may_sleep)(void);
	struct port_task *(*task_current)(void);
	uint32_t (*task_id)(const struct port_task *task);
	struct kmap_ctrl *(*task_kmap_ctrl)(struct port_task *task);
	uint64_t (*now)(void);
	bool (*park)(uint64_t deadline);
	bool (*signal_pending)(const struct port_task *task);
	void (*unpark)(struct port_task *task);
	uint32_t (*atomic_load)(const port_atomic_t *word);
	void (*atomic_store)(port_atomic_t *word, uint32_t value);
	bool (*atomic_cas)(port_atomic_t *word, uint32_t *expected,
			   uint32_t desired);
	uint32_t (*atomic_fetch_add)(port_atomic_t *word, uint32_t delta);
	uint32_t (*atomic_exchange)(port_atomic_t *word, uint32_t value);
	void (*fence)(void);
	void (*barrier)(void);
	void (*stat_inc)(port_stat_t *stat);
	void (*stat_set)(port_stat_t *stat, uint32_t value);
	uint32_t (*stat_read)(const port_stat_t *stat);
	void (*spin_init)(port_spinlock_t *lock);
	void (*spin_lock)(port_spinlock_t *lock);
	void (*spin_unlock)(port_spinlock_t *lock);
	bool (*spin_is_locked)(const port_spinlock_t *lock);
	pte_t (*pte_read)(vaddr_t vaddr);
	void (*pte_set)(vaddr_t vaddr, pte_t pte);
	pte_t (*pte_clear)(vaddr_t vaddr);
	void (*tlb_flush_local_page)(vaddr_t vaddr);
	void (*tlb_shootdown_pages)(const vaddr_t *pages, unsigned int nr);
	void (*tlb_shootdown_all)(void);
	void (*bug)(const char *sentence);
	void (*panic)(const char *sentence);
} port_contract_check = {
	.facts = port_facts,
	.cpu_id = port_cpu_id,
	.preempt_disable = port_preempt_disable,
	.preempt_enable = port_preempt_enable,
	.migrate_disable = port_migrate_disable,
	.migrate_enable = port_migrate_enable,
	.irq_save = port_irq_save,
	.irq_restore = port_irq_restore,
	.may_sleep = port_may_sleep,
	.task_current = port_task_current,
	.task_id = port_task_id,
	.task_kmap_ctrl = port_task_kmap_ctrl,
	.now = port_now,
	.park = port_park,
	.signal_pending = port_signal_pending,
	.unpark = port_unpark,
	.atomic_load = port_atomic_load,
	.atomic_store = port_atomic_store,
	.atomic_cas = port_atomic_cas,
	.atomic_fetch_add = port_atomic_fetch_add,
	.atomic_exchange = port_atomic_exchange,
	.fence = port_fence,
	.barrier = port_barrier,
	.stat_inc = port_stat_inc,
	.stat_set = port_stat_set,
	.stat_read = port_stat_read,
	.spin_init = port_spin_init,
	.spin_lock = port_spin_lock,
	.spin_unlock = port_spin_unlock,
	.spin_is_locked = port_spin_is_locked,
	.pte_read = port_pte_read,
	.pte_set = port_pte_set,
	.pte_clear = port_pte_clear,
	.tlb_flush_local_page = port_tlb_flush_local_page,
	.tlb_shootdown_pages = port_tlb_shootdown_pages,
	.tlb_shootdown_all = port_tlb_shootdown_all,
	.bug = port_bug,
	.panic = port_panic,
};
