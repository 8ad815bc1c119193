/* SPDX-License-Identifier: MIT */
#include "core/ports/sim/sim.h"
#include "stress/explore/trace/machine.h"
#include "stress/subjects/subject.h"

_Static_assert(SIM_TASK_FLUSHING == 3 && SIM_TASK_DONE == 5,
	       "timeline.html names the states of tasks by number");

static void add_cell(struct record *record, enum cell_kind kind, unsigned int a,
		     unsigned int b)
{
	record->cells[record->nr_cells++] = (struct cell){
		.kind = (uint8_t)kind,
		.a = (uint16_t)a,
		.b = (uint8_t)b,
	};
}

static void add_cells(struct record *record, enum cell_kind kind,
		      unsigned int nr)
{
	for (unsigned int a = 0; a < nr; a++)
		add_cell(record, kind, a, 0);
}

/* A window is in the TLB of its own CPU only. */
static void add_tlb_cells(struct record *record, unsigned int cpu)
{
	const struct machine_config *machine = &record->program.machine;
	unsigned int window = machine->nr_slots + cpu * machine->local_depth;

	for (unsigned int s = 0; s < machine->nr_slots; s++)
		add_cell(record, CELL_TLB, s, cpu);
	for (unsigned int d = 0; d < machine->local_depth; d++)
		add_cell(record, CELL_TLB, window + d, cpu);
}

static void add_all_cells(struct record *record)
{
	const struct machine_config *machine = &record->program.machine;

	add_cells(record, CELL_COUNT, MACHINE_LOWMEM_PAGES + machine->nr_pages);
	add_cells(record, CELL_OWNER, machine->nr_slots);
	add_cells(record, CELL_FREE, machine->nr_slots);
	add_cells(record, CELL_PTE, record->nr_places);
	for (unsigned int c = 0; c < machine->nr_cpus; c++)
		add_tlb_cells(record, c);
	add_cells(record, CELL_SLOT, MACHINE_LOWMEM_PAGES + machine->nr_pages);
	add_cells(record, CELL_QUEUE, machine->nr_colours);
	add_cells(record, CELL_LOCK, 1 + machine->nr_colours);
	add_cells(record, CELL_DEPTH, record->program.nr_tasks);
	add_cells(record, CELL_TASK, record->program.nr_tasks);
	add_cells(record, CELL_STORES, machine->nr_cpus);
}

void cells_make(struct record *record)
{
	const struct machine_config *machine = &record->program.machine;
	unsigned int most;

	record->nr_places = machine->nr_slots +
			    machine->nr_cpus * machine->local_depth;
	most = (machine->nr_slots + record->nr_places) *
		       (3 + machine->nr_cpus) +
	       2 * (MACHINE_LOWMEM_PAGES + machine->nr_pages) +
	       2 * HIGHMEM_MAX_COLOURS + 3 * HIGHMEM_MAX_CPUS +
	       2 * PROGRAM_MAX_TASKS;
	record->cells = trace_room(most, sizeof(record->cells[0]));
	record->values = trace_room(most, sizeof(record->values[0]));
	add_all_cells(record);
	/* All else begins at 0. */
	for (unsigned int c = 0; c < record->nr_cells; c++)
		record->values[c] = record->cells[c].kind == CELL_FREE;
}

static vaddr_t place_vaddr(const struct record *record, unsigned int place)
{
	const struct machine_config *machine = &record->program.machine;
	unsigned int window = place - machine->nr_slots;
	unsigned int cpu = window / machine->local_depth;

	if (place < machine->nr_slots)
		return sim.geometry.pkmap_base + place * PAGE_SIZE;
	return fixmap_vaddr(FIX_KMAP_BEGIN + sim.cpus[cpu].id * KM_MAX_IDX +
			    window % machine->local_depth);
}

int place_of(const struct record *record, const void *vaddr)
{
	for (unsigned int p = 0; p < record->nr_places; p++)
		if (place_vaddr(record, p) == ((vaddr_t)vaddr & PAGE_MASK))
			return (int)p;
	return -1;
}

uint32_t cell_of_pte(uint64_t pte)
{
	uint32_t index = sim_frame_index(pte_pfn(pte));

	if (!pte_present(pte))
		return 0;
	return index == UINT32_MAX ? CELL_ALIEN : index + 1;
}

static uint32_t tlb_now(const struct record *record, const struct cell *cell)
{
	vaddr_t vaddr = place_vaddr(record, cell->a);

	return cell_of_pte(
		sim.cpus[cell->b].tlb[(vaddr - SIM_WINDOW_BASE) >> PAGE_SHIFT]);
}

/* Park and unpark are told just before they take effect. */
static uint32_t task_now(unsigned int nr, const struct sim_event *event)
{
	const struct port_task *task = &sim.tasks[nr];

	if (event && event->access == SIM_PARK && event->task == task->id)
		return SIM_TASK_PARKED;
	if (event && event->access == SIM_UNPARK && event->word == task &&
	    task->state == SIM_TASK_PARKED)
		return SIM_TASK_READY;
	return task->state;
}

/*
 * What the subject lets us see of its inside. One that lets us see nothing looks
 * like a core that has not been touched.
 */
static const struct highmem *inside;

void cells_look(void)
{
	inside = the_subject.look ? the_subject.look() : NULL;
}

/* The core's plain reads would be points in the run: past them, to the value. */
static const port_atomic_t *atomic_of(const struct cell *cell)
{
	const struct pkmap *pkmap = &inside->pkmap;

	switch ((enum cell_kind)cell->kind) {
	case CELL_OWNER:
		return &pkmap->slot[cell->a].page;
	case CELL_COUNT:
	case CELL_SLOT:
		return &inside->config.mem_map[cell->a].pkmap;
	case CELL_QUEUE:
		return &pkmap->queue[cell->a].nr;
	case CELL_LOCK:
		return cell->a == 0 ? &pkmap->lock.locked
				    : &pkmap->queue[cell->a - 1].lock.locked;
	case CELL_DEPTH:
		return &sim.tasks[cell->a].ctrl.depth;
	default:
		return NULL;
	}
}

const void *cell_word(const struct cell *cell)
{
	return inside ? atomic_of(cell) : NULL;
}

uint32_t cell_now(const struct record *record, unsigned int which,
		  const struct sim_event *event)
{
	const struct cell *cell = &record->cells[which];

	switch ((enum cell_kind)cell->kind) {
	case CELL_FREE:
		return !inside ||
		       inside->pkmap.free[cell->a / 32] >> (cell->a % 32) & 1;
	case CELL_PTE:
		return cell_of_pte(port_pte_read(place_vaddr(record, cell->a)));
	case CELL_TLB:
		return tlb_now(record, cell);
	case CELL_TASK:
		return task_now(cell->a, event);
	case CELL_STORES:
		return sim.cpus[cell->a].nr_stores;
	default:
		return inside ? cell_of_word((enum cell_kind)cell->kind,
					     atomic_of(cell)->value)
			      : 0;
	}
}

static bool is_about(const struct record *record, const struct cell *cell,
		     const struct sim_event *event)
{
	switch (event->access) {
	case SIM_PTE_SET:
	case SIM_PTE_CLEAR:
		break;
	case SIM_FLUSH_LOCAL:
	case SIM_MEM_LOAD:
	case SIM_MEM_STORE:
		if (cell->kind == CELL_PTE)
			return false;
		break;
	default:
		return false;
	}
	return place_of(record, event->word) == cell->a;
}

/*
 * A shootdown names its first page only, but it concerns slots, and nobody can
 * change those at the same time: pkmap.lock is held.
 */
bool cell_explained(const struct record *record, unsigned int which,
		    const struct sim_event *event)
{
	const struct cell *cell = &record->cells[which];

	switch ((enum cell_kind)cell->kind) {
	case CELL_PTE:
	case CELL_TLB:
		if (event->access == SIM_SHOOTDOWN)
			return cell->a < record->program.machine.nr_slots;
		return is_about(record, cell, event);
	case CELL_TASK:
		return (event->access == SIM_PARK &&
			cell->a + 1U == event->task) ||
		       (event->access == SIM_UNPARK &&
			event->word == &sim.tasks[cell->a]);
	case CELL_STORES:
		return cell->a == event->cpu;
	case CELL_FREE:
		return the_subject.word && event->access != SIM_LOAD;
	default:
		/* Its own words are others: what has just changed one did it. */
		if (the_subject.word)
			return event->access != SIM_LOAD;
		return cell_word(cell) == event->word;
	}
}

int stack_owner(const void *address)
{
	for (unsigned int t = 0; t < sim.nr_tasks; t++) {
		const struct fiber *fiber = &sim.tasks[t].fiber;
		uintptr_t at = (uintptr_t)address - (uintptr_t)fiber->stack;

		if (at < fiber->stack_size)
			return (int)t;
	}
	return -1;
}
