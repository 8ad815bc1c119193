/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SUBJECTS_LINUX_KERNEL_H
#define STRESS_SUBJECTS_LINUX_KERNEL_H

/*
 * The kernel around Linux's mm/highmem.c, as far as that file sees it, on top of
 * the simulated machine: read before the file, whose own includes find nothing.
 * Names and meanings are Linux's, the words are ours.
 *
 * What touches memory that others see stays here, in the open, so that it is
 * compiled like the file and each of its accesses is a point. What a processor or
 * a scheduler does is a call to services.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stress/subjects/linux/cross.h"
#include "stress/subjects/plain/plain.h"

PLAIN_SECTIONS

/* ---- Configuration: -DLINUX_... says the rest ---------------------------------------- */

#define CONFIG_HIGHMEM 1
#define CONFIG_KMAP_LOCAL 1
#ifndef LINUX_PAGE_VIRTUAL
#define HASHED_PAGE_VIRTUAL 1
#else
#define WANT_PAGE_VIRTUAL 1
#endif
#ifdef LINUX_HIGH_GET
#define ARCH_NEEDS_KMAP_HIGH_GET 1
#endif
#ifdef LINUX_DEBUG_LOCAL
#define CONFIG_DEBUG_KMAP_LOCAL 1
#define IS_CONFIG_DEBUG_KMAP_LOCAL 1
#else
#define IS_CONFIG_DEBUG_KMAP_LOCAL 0
#endif
#define IS_CONFIG_DEBUG_KMAP_LOCAL_FORCE_MAP linux_force_map()
#define IS_CONFIG_KMAP_LOCAL_NON_LINEAR_PTE_ARRAY 0
#define IS_ENABLED(option) (IS_##option)

/* ---- The language -------------------------------------------------------------------- */

#define __init
#define __read_mostly
#define __cacheline_aligned_in_smp _Alignas(64)
#define ____cacheline_aligned_in_smp __attribute__((aligned(64)))
#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define BUG() linux_bug(__func__, __LINE__, "BUG()")
#define BUG_ON(condition) \
	do { \
		if (condition) \
			linux_bug(__func__, __LINE__, \
				  "BUG_ON(" #condition ")"); \
	} while (0)
#define WARN_ON_ONCE(condition) \
	({ \
		bool warned = (condition); \
\
		if (warned) \
			linux_warn(__func__, __LINE__, #condition); \
		warned; \
	})
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))
#define memset(to, byte, size) __builtin_memset(to, byte, size)
typedef struct {
	long counter;
} atomic_long_t;

/* ---- Addresses: as the simulated machine has them ------------------------------------- */

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_OFFSET 0xc0000000ul
#ifdef LINUX_PAE
#define PKMAP_BASE 0xffc00000ul
typedef uint64_t pteval_t;
#else
#define PKMAP_BASE 0xff800000ul
typedef uint32_t pteval_t;
#endif
#define PKMAP_NR(vaddr) (((vaddr) - PKMAP_BASE) >> PAGE_SHIFT)
#define PKMAP_ADDR(nr) (PKMAP_BASE + ((unsigned long)(nr) << PAGE_SHIFT))
#define NR_CPUS 8
#define KM_MAX_IDX 16
#define FIX_KMAP_BEGIN 1
#define FIX_KMAP_END (FIX_KMAP_BEGIN + KM_MAX_IDX * NR_CPUS - 1)
#define __fix_to_virt(nr) (0xfffff000ul - ((unsigned long)(nr) + 1) * PAGE_SIZE)

/* ---- Pages and their PTEs -------------------------------------------------------------- */

/* As large as the harness's: it is an array of those. */
struct page {
	uint64_t opaque;
};

typedef struct {
	pteval_t pte;
} pte_t;

typedef struct {
	pteval_t pgprot;
} pgprot_t;

#define kmap_prot ((pgprot_t){ 3 }) /* present, writable */
#define __pte(value) ((pte_t){ value })
#define pte_val(entry) ((entry).pte)
#define pte_none(entry) ((entry).pte == 0)
#define pte_pfn(entry) ((unsigned long)((entry).pte >> PAGE_SHIFT))
#define pfn_pte(pfn, prot) __pte((pteval_t)(pfn) << PAGE_SHIFT | (prot).pgprot)
#define page_to_pfn(page) linux_page_to_pfn(page)
#define pfn_to_page(pfn) ((struct page *)linux_pfn_to_page(pfn))
#define mk_pte(page, prot) pfn_pte(page_to_pfn(page), prot)
#define pte_page(entry) pfn_to_page(pte_pfn(entry))
#define virt_to_kpte(vaddr) ((pte_t *)linux_pte(vaddr))
#define set_pte_at(mm, vaddr, entry, value) \
	linux_set_pte(vaddr, entry, (value).pte)
#define pte_clear(mm, vaddr, entry) linux_clear_pte(vaddr, entry)
#define init_mm 0

#define PageHighMem(page) linux_page_is_highmem(page)
#define lowmem_page_address(page) \
	((void *)(linux_page_offset() + (page_to_pfn(page) << PAGE_SHIFT)))
#define virt_to_page(vaddr) \
	pfn_to_page(((unsigned long)(vaddr) - linux_page_offset()) >> \
		    PAGE_SHIFT)
#define page_size(page) PAGE_SIZE
#define compound_nr(page) 1u

/* Nothing to flush from a cache that is found by physical addresses. */
#define flush_cache_kmaps() ((void)0)
#define flush_dcache_page(page) ((void)0)
#define flush_tlb_kernel_range(start, end) linux_flush_range(start, end)
#define arch_kmap_local_post_unmap(vaddr) linux_flush_here(vaddr)

/* ---- Locks, this CPU --------------------------------------------------------------------- */

typedef struct {
	uint32_t locked; /* the machine's own: services.c */
} spinlock_t;

#define DEFINE_SPINLOCK(name) spinlock_t name
#define spin_lock_init(lock) ((lock)->locked = 0)
#define spin_lock(lock) linux_lock(lock)
#define spin_unlock(lock) linux_unlock(lock)
#define spin_lock_irq(lock) ((void)linux_irq_save(), linux_lock(lock))
#define spin_unlock_irq(lock) (linux_unlock(lock), linux_irq_restore(0))
#define spin_lock_irqsave(lock, flags) \
	((flags) = linux_irq_save(), linux_lock(lock))
#define spin_unlock_irqrestore(lock, flags) \
	(linux_unlock(lock), linux_irq_restore(flags))
#define smp_processor_id() linux_cpu()
#define preempt_disable() linux_preempt(false)
#define preempt_enable() linux_preempt(true)
#define migrate_disable() linux_migrate(false)
#define migrate_enable() linux_migrate(true)
/* Handlers that others interrupt are softirqs, and those are none. */
#define in_hardirq() false
#define irqs_disabled() false

/* ---- Lists, hashes -------------------------------------------------------------------------- */

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void list_between(struct list_head *new, struct list_head *prev,
				struct list_head *next)
{
	next->prev = new;
	new->next = next;
	new->prev = prev;
	prev->next = new;
}

static inline void list_add(struct list_head *new, struct list_head *head)
{
	list_between(new, head, head->next);
}

static inline void list_add_tail(struct list_head *new, struct list_head *head)
{
	list_between(new, head->prev, head);
}

static inline void list_del(struct list_head *entry)
{
	struct list_head *prev = entry->prev, *next = entry->next;

	next->prev = prev;
	prev->next = next;
}

#define list_for_each_entry(at, list, member) \
	for (at = container_of((list)->next, __typeof__(*at), member); \
	     &at->member != (list); \
	     at = container_of(at->member.next, __typeof__(*at), member))

static inline unsigned int hash_ptr(const void *pointer, unsigned int bits)
{
	return (uint32_t)((uintptr_t)pointer >> 3) * 0x61c88647u >> (32 - bits);
}

/* ---- Tasks and wait queues ------------------------------------------------------------------ */

struct kmap_ctrl {
	int idx;
	pte_t pteval[KM_MAX_IDX];
};

struct task_struct {
	unsigned int state;
	struct kmap_ctrl kmap_ctrl;
};

extern struct task_struct tasks[LINUX_MAX_TASKS];

#define current (&tasks[linux_current()])
#define TASK_UNINTERRUPTIBLE 2
#define __set_current_state(value) (current->state = (value))
#define schedule() linux_schedule(&current->state)

typedef struct {
	struct task_struct *task;
	struct list_head entry;
} wait_queue_entry_t;

typedef struct {
	spinlock_t lock;
	struct list_head head;
} wait_queue_head_t;

#define DECLARE_WAITQUEUE(name, who) wait_queue_entry_t name = { .task = (who) }
#define DECLARE_WAIT_QUEUE_HEAD(name) \
	wait_queue_head_t name = { .head = { &name.head, &name.head } }

static inline void add_wait_queue(wait_queue_head_t *queue,
				  wait_queue_entry_t *wait)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	list_add(&wait->entry, &queue->head);
	spin_unlock_irqrestore(&queue->lock, flags);
}

static inline void remove_wait_queue(wait_queue_head_t *queue,
				     wait_queue_entry_t *wait)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	list_del(&wait->entry);
	spin_unlock_irqrestore(&queue->lock, flags);
}

static inline bool waitqueue_active(wait_queue_head_t *queue)
{
	return !list_empty(&queue->head);
}

static inline void wake_up(wait_queue_head_t *queue)
{
	unsigned long flags;
	wait_queue_entry_t *wait;

	spin_lock_irqsave(&queue->lock, flags);
	list_for_each_entry(wait, &queue->head, entry) linux_wake(
		(unsigned int)(wait->task - tasks), &wait->task->state);
	spin_unlock_irqrestore(&queue->lock, flags);
}

/* ---- Slots: through the hooks for caches with colours, for these take numbers at run time ---- */

#ifdef LINUX_OWN_HOOKS /* the file's own, which know the number when compiled */
#define LAST_PKMAP LINUX_OWN_HOOKS
#define LAST_PKMAP_MASK (LAST_PKMAP - 1)
#else
#define LAST_PKMAP LINUX_MAX_SLOTS
extern unsigned int last_pkmap_nr_of[LINUX_MAX_COLOURS];
extern wait_queue_head_t pkmap_wait_of[LINUX_MAX_COLOURS];

#define get_pkmap_color get_pkmap_color
static inline unsigned int get_pkmap_color(struct page *page)
{
	return page_to_pfn(page) % linux_nr_colours();
}

/* The index of the colour's first slot in each row of slots, one row on. */
static inline unsigned int get_next_pkmap_nr(unsigned int colour)
{
	unsigned int *last = &last_pkmap_nr_of[colour];

	*last = (*last + linux_nr_colours()) % linux_nr_slots();
	return *last + colour;
}

static inline int no_more_pkmaps(unsigned int nr, unsigned int colour)
{
	(void)colour;
	return nr < linux_nr_colours();
}

static inline int get_pkmap_entries_count(unsigned int colour)
{
	(void)colour;
	return (int)(linux_nr_slots() / linux_nr_colours());
}

static inline wait_queue_head_t *get_pkmap_wait_queue_head(unsigned int colour)
{
	return &pkmap_wait_of[colour];
}
#endif

/* ---- What the file asks of others, or others of it ------------------------------------------- */

struct zone {
	int unused;
};

#define for_each_populated_zone(zone) for (zone = NULL; zone;)
#define is_highmem(zone) true
#define zone_page_state(zone, what) 0u

#ifdef WANT_PAGE_VIRTUAL
extern void *page_virtual[LINUX_MAX_PAGES];
#define page_address(page) \
	(PageHighMem(page) ? page_virtual[linux_page_index(page)] \
			   : lowmem_page_address(page))
#define set_page_address(page, vaddr) \
	((void)(page_virtual[linux_page_index(page)] = (vaddr)))
#define page_address_init() ((void)0)
#else
void *page_address(const struct page *page);
void set_page_address(struct page *page, void *virtual);
void page_address_init(void);
#endif
void *kmap_high(struct page *page);
void kunmap_high(struct page *page);
void *__kmap_local_page_prot(struct page *page, pgprot_t prot);
void kunmap_local_indexed(const void *vaddr);
#define kmap_local_page(page) __kmap_local_page_prot(page, kmap_prot)
#define kunmap_local(vaddr) kunmap_local_indexed(vaddr)

#endif
