/* SPDX-License-Identifier: MIT */
#ifndef SIM_SIM_H
#define SIM_SIM_H

/*
 * The simulated machine: CPUs with TLBs, i386 page tables in simulated
 * physical memory, tasks as fibers, one host thread. Everything that happens
 * is decided here, so a program runs the same way every time.
 *
 * What it models: a TLB keeps each translation it loaded until that CPU
 * flushes it, whatever the page table says by then; the MMU walks the real
 * words of the page tables, which the core built, and sets accessed and dirty
 * bits; PDPTEs are kept until CR3 is loaded, which a full flush does; local maps are
 * swapped when tasks share a CPU. Between two operations of a program every
 * CPU loads every translation it is allowed to (sim_tlb_load_changed()): the
 * worst that speculation may do.
 *
 * So it runs unless somebody takes control (control.h): then a switch or an
 * interrupt can come inside an operation, before any access that others could
 * notice, and stores can wait in a buffer of their CPU.
 */

#include <setjmp.h>

#include <highmem/format.h>
#include <highmem/highmem.h>

#include "core/port/machine.h"
#include "core/ports/sim/control.h"
#include "core/ports/sim/fiber.h"
#include "core/ports/sim/walk.h"

/* The direct map; and the addresses that the core maps pages into. */
#define SIM_LOWMEM_BASE ((vaddr_t)0xc0000000)
#define SIM_WINDOW_BASE PKMAP_BASE_NONPAE
#define SIM_WINDOW_PAGES ((FIXADDR_TOP - SIM_WINDOW_BASE) >> PAGE_SHIFT)

#define SIM_STACK_SIZE (64 * 1024)

enum sim_task_state {
	SIM_TASK_READY,
	SIM_TASK_PARKED,
	SIM_TASK_SPINNING, /* on port_task.lock */
	SIM_TASK_FLUSHING, /* until all CPUs have answered its shootdown */
	SIM_TASK_STUCK,	   /* spins on a lock that its own CPU holds */
	SIM_TASK_DONE,
};

struct port_task {
	uint32_t id;
	unsigned int cpu;
	enum sim_task_state state;
	uint32_t rank; /* machine_yield() */
	uint32_t preempt_count;
	uint32_t migrate_count;
	bool token; /* an unpark that came before the park */
	bool timed_out;
	port_atomic_t signal; /* machine_kill() */
	uint64_t deadline;
	uint64_t looked; /* port_now() said so since it last slept */
	const port_spinlock_t *lock; /* SIM_TASK_SPINNING */
	const vaddr_t *flush_pages;  /* of its shootdown; NULL: all */
	unsigned int flush_nr;
	uint32_t flush_waits; /* for these CPUs: one bit for each */
	uint32_t irq; /* handler + 1 that comes while it waits; 0: none */
	const void *pte_caller; /* of port_pte_set() or _clear() */
	struct kmap_ctrl ctrl;
	struct fiber fiber;
	void (*entry)(void *arg);
	void *arg;
};

#define SIM_STORE_BUFFER 4

/* Of the core's words, or of any other memory that a guest stores to. */
struct sim_buffered_store {
	void *word;
	uint64_t value;
	unsigned int size; /* 1, 2, 4 or 8 bytes */
};

struct sim_cpu {
	struct walk_cpu mmu; /* CR3 and the like */
	pte_t lowmem[MACHINE_LOWMEM_PAGES];
	pte_t tlb[SIM_WINDOW_PAGES];	   /* 0: nothing cached */
	uint16_t cached[SIM_WINDOW_PAGES]; /* windows with an entry, unordered */
	unsigned int nr_cached;
	unsigned int id; /* as the core knows it */
	struct port_task *current;
	uint32_t irq_depth;   /* handlers on this CPU's stack */
	uint32_t shootdowns;  /* not answered yet: one bit for each task's id */
	uint32_t irqs_active; /* that were chosen: one bit for each */
	bool irq_off;
	bool offline;
	struct sim_buffered_store stores[SIM_STORE_BUFFER]; /* oldest first */
	unsigned int nr_stores;
};

struct sim {
	struct machine_config config;
	struct highmem_config geometry; /* what the guest was given */
	const struct guest *guest;
	bool up;
	unsigned int cpu;	   /* the one that executes now */
	struct port_task *running; /* whose fiber; the controller between runs */
	uint32_t silent; /* CPUs with a shootdown to answer: one bit for each */
	struct sim_cpu cpus[HIGHMEM_MAX_CPUS];
	struct port_task tasks[MACHINE_MAX_TASKS];
	unsigned int nr_tasks;
	struct port_task controller; /* the caller of machine_run() */
	uint64_t now;
	struct port_facts facts;
	struct machine_tlb_stats tlb_stats;
};

extern struct sim sim;

/*
 * Physical memory, empty, and page tables for sim.config and @config. Returns
 * NULL; or the sentence with which the core refused to build them, because an
 * allocation failed. Then they have been built again, from what it gave back.
 * What is wrong with how it took that is reported.
 */
const char *sim_mmu_reset(const struct highmem_config *config);

/* The index in mem_map of a physical frame, or UINT32_MAX. */
uint32_t sim_frame_index(pfn_t pfn);

/* SIM_ALLOC's answer for a boot of @nr allocations; 0 if nobody is asked. */
uint8_t sim_choose_alloc(unsigned int nr);

/* The kernel's page tables, for a test that changes them. */
struct pgtable;
struct pgtable *sim_pgtable(void);

/*
 * Every CPU loads each PTE that it may use and that changed since the last
 * call, as speculation can.
 */
void sim_tlb_load_changed(void);

/*
 * NULL, or a sentence about a TLB entry that differs from its PTE. Looks at
 * what changed since sim_tlb_load_changed().
 */
const char *sim_tlb_audit(void);

/* @cpu's TLB forgets all, and loads again what is used. */
void sim_tlb_drop(unsigned int cpu);

/* @cpu's TLB forgets all, as when CR3 is loaded. */
void sim_tlb_flush_all(unsigned int cpu);

/*
 * @cpu loads what it may of the slots, as speculation can; the next audit looks
 * at all that its TLB has.
 */
void sim_tlb_load_slots(unsigned int cpu);

/* @cpu answers all shootdowns that wait for it. */
void sim_answer(unsigned int cpu);

/* All CPUs that can; was there any? */
bool sim_answer_all(void);

/* The PTEs that changed since sim_tlb_load_changed(); NULL: too many. */
const vaddr_t *sim_tlb_changed(unsigned int *nr);

void sim_tasks_reset(void);

/* ---- sim_tasks.c and sim_run.c, for control ------------------------------------------------ */

/* The task that runs; the controller's own between runs. */
static inline struct port_task *sim_running(void)
{
	return sim.running;
}

/* Does this CPU's current task, if any, make room for another? */
static inline bool sim_cpu_lets_go(const struct sim_cpu *cpu)
{
	return !cpu->current || (cpu->current->preempt_count == 0 &&
				 !cpu->irq_off && cpu->irq_depth == 0);
}

/*
 * May @task have its CPU, or must the one that is there keep it? Who spins has
 * preemption disabled, so its CPU waits with it.
 */
static inline bool sim_cpu_yields_to(const struct port_task *task)
{
	const struct sim_cpu *cpu = &sim.cpus[task->cpu];

	return cpu->current == task || sim_cpu_lets_go(cpu);
}

/* Could @task run now, if it were chosen? */
static inline bool sim_can_run(const struct port_task *task)
{
	bool ready = __builtin_expect(task->state == SIM_TASK_READY, 1) ||
		     (task->state == SIM_TASK_FLUSHING &&
		      task->flush_waits == 0) ||
		     (task->state == SIM_TASK_SPINNING &&
		      task->lock->locked.value == 0);

	return ready && sim_cpu_yields_to(task);
}

/* Nothing keeps @task, which is not over, on its CPU. */
bool sim_may_leave(const struct port_task *task);

/* The same, and @cpu would take it. */
bool sim_can_migrate(const struct port_task *task, unsigned int cpu);

/* @task's next step is on @cpu. pre: sim_can_migrate(); it may be running. */
void sim_migrate(struct port_task *task, unsigned int cpu);

/*
 * Could @cpu go offline now? Not the one that executes, nor one with a pinned
 * task, a handler, interrupts off or a shootdown to answer; nor any while the
 * task of some CPU is not to be preempted.
 */
bool sim_can_go_offline(unsigned int cpu);

/*
 * @cpu's stores reach memory, and its tasks go on on the first CPU that is
 * online. pre: sim_can_go_offline().
 */
void sim_go_offline(unsigned int cpu);

/* pre: @cpu is offline. Its TLB is flushed first. */
void sim_come_online(unsigned int cpu);

/* The lowest CPU that is online. */
unsigned int sim_first_online(void);

/* From inside a task: until all CPUs have answered, or to be interrupted. */
void sim_wait_for_answers(void);

/* From inside a task: let @task run instead. Returns when we run again. */
void sim_switch_to(struct port_task *task);

/* From inside a task: back to machine_run(), which goes on with somebody. */
void sim_leave_run(void);

/* Whose deadline has come wakes. */
void sim_wake_expired(void);

/* End the run here: from inside a task it does not return. */
void sim_stop_run(void);

/* The same for port_panic(): does not return, if there is a run at all. */
void sim_stop_for_panic(void);

/* A signal for @task, from nowhere: machine_kill() in one step. */
void sim_kill(struct port_task *task);

/* A sleeper is woken by its deadline, or for no reason. */
void sim_wake(struct port_task *task, bool timed_out);

/* ---- sim_control.c -------------------------------------------------------------- */

void sim_stop_at(enum sim_access access);

/*
 * A point: before an access, ask what happens first. Does nothing without
 * control, between runs, and during a context switch.
 */
static inline void sim_point(enum sim_access access)
{
	if (sim_controlled && sim.running != &sim.controller)
		sim_stop_at(access);
}

/*
 * The stack pointer of the running task at its last point, below which only
 * the simulator's own frames lie; callee-saved registers are stored above it.
 */
extern void *sim_point_sp;

/* Page tables, page contents and TLBs, for sim_state_hash(). */
uint64_t sim_mmu_hash(uint64_t hash);

static inline uint64_t sim_mix(uint64_t hash, uint64_t value)
{
	return guest_mix(hash, value);
}

/* Tell of an access that has happened. @caller: whose. */
void sim_tell(enum sim_access access, const void *word, uint64_t before,
	      uint64_t after, const void *caller);

/* From inside a task that has waited on its CPU: the interrupt that came. */
void sim_take_irq(void);

/* Forced choice among who can run, when the current task cannot go on. */
struct port_task *sim_choose_next(struct port_task *fallback);

/* Does @cpu, interrupted by a shootdown, answer later? */
bool sim_answers_late(unsigned int cpu);

/* What this CPU sees: its own newest buffered store, else memory. */
uint32_t sim_visible(const port_atomic_t *word);

/* Can a store wait at all? */
bool sim_buffers_stores(void);

/* The oracle looks: what happens meanwhile is no part of the run. */
bool sim_is_frozen(void);

/* Shall the store that has just been buffered stay there? */
bool sim_holds_store(void);

/* The oldest buffered store of @cpu reaches memory. */
void sim_drain_one(struct sim_cpu *cpu);

/* All buffered stores of @cpu reach memory. */
static inline void sim_drain(unsigned int cpu)
{
	while (sim.cpus[cpu].nr_stores > 0)
		sim_drain_one(&sim.cpus[cpu]);
}

/*
 * A store that has had its point goes into this CPU's buffer; or, if it does not
 * stay there, to memory with all that is before it.
 */
void sim_buffer_store(void *word, uint64_t value, unsigned int size);

/* sim_store() for one who is not the caller of this. */
void sim_store_by(port_atomic_t *word, uint32_t value, const void *caller);
bool sim_drain_all(void);

/* Will the next run be controlled? */
bool sim_has_control(void);

/* ---- sim_calm.c --------------------------------------------------------------- */

void sim_calm_reset(void);

/* It has this step and @steps - 1 more. */
void sim_calm_begin(uint32_t steps);

/* A point: whose turn is it? Ends the run when it has had its steps. */
void sim_calm_point(void);

/* The same when the current task cannot run on. pre: somebody can. */
struct port_task *sim_calm_next(void);

/* ---- sim_control.c, for sim_machine.c and sim_run.c -------------------------------- */

/* A machine boots; a run begins and ends. */
void sim_control_reset(void);
void sim_control_begin(void);
void sim_control_end(void);

/*
 * Where port_panic() goes on outside of machine_run(); NULL: it ends the
 * process. Inside it ends the run: machine_run() says MACHINE_STALLED, and
 * machine_take_bug() has the sentence.
 */
void sim_catch_panic(jmp_buf *to);

/* The sentences of port_bug(). */
void sim_bugs_reset(void);

#endif
