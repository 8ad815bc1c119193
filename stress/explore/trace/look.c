/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/ports/sim/sim.h"
#include "stress/explore/trace/machine.h"

struct fresh {
	struct change change;
	enum cause cause;
};

static struct {
	struct record *record;
	uint32_t room_for_changes;
	struct fresh *fresh; /* what the last look found and nobody took */
	unsigned int nr_fresh;
} look_at;

void look_begin(struct record *record)
{
	look_at.record = record;
	look_at.room_for_changes = 0;
	look_at.nr_fresh = 0;
	look_at.fresh = trace_room(record->nr_cells, sizeof(look_at.fresh[0]));
}

void look_end(void)
{
	free(look_at.fresh);
	look_at.fresh = NULL;
}

static enum cause cause_of(const struct change *change,
			   const struct sim_event *event)
{
	const struct cell *cell = &look_at.record->cells[change->cell];

	if (event && cell_explained(look_at.record, change->cell, event))
		return BY_ACCESS;
	if (cell->kind == CELL_TASK && change->before == SIM_TASK_PARKED)
		return BY_WAKER;
	if (event && (cell_word(cell) || cell->kind == CELL_STORES))
		return BY_DRAIN;
	return BY_OTHERS;
}

/* The word says whether a lock is taken; by whom is known from the event. */
static uint32_t holder_now(unsigned int cell, uint32_t taken,
			   const struct sim_event *event, unsigned int actor)
{
	if (taken == 0)
		return 0;
	if (event && event->access == SIM_LOCK &&
	    event->word == cell_word(&look_at.record->cells[cell]))
		return 1 + actor;
	return look_at.record->values[cell];
}

void look(const struct sim_event *event, unsigned int actor)
{
	struct record *record = look_at.record;

	look_at.nr_fresh = 0;
	cells_look();
	for (unsigned int c = 0; c < record->nr_cells; c++) {
		struct fresh *fresh = &look_at.fresh[look_at.nr_fresh];
		uint32_t now = cell_now(record, c, event);

		if (record->cells[c].kind == CELL_LOCK)
			now = holder_now(c, now, event, actor);
		if (now == record->values[c])
			continue;
		fresh->change = (struct change){ c, record->values[c], now };
		fresh->cause = cause_of(&fresh->change, event);
		record->values[c] = now;
		look_at.nr_fresh++;
	}
}

static void put_down(struct entry *entry, const struct change *change)
{
	struct record *record = look_at.record;

	if (record->nr_changes == look_at.room_for_changes)
		record->changes = trace_grow(record->changes,
					     &look_at.room_for_changes,
					     sizeof(record->changes[0]));
	record->changes[record->nr_changes++] = *change;
	entry->nr_changes++;
}

void look_take(struct entry *entry, enum cause cause)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < look_at.nr_fresh; i++) {
		if (look_at.fresh[i].cause == cause)
			put_down(entry, &look_at.fresh[i].change);
		else
			look_at.fresh[kept++] = look_at.fresh[i];
	}
	look_at.nr_fresh = kept;
}

unsigned int look_take_one(struct entry *entry, enum cause cause)
{
	struct fresh *first = look_at.fresh;
	unsigned int cell;

	while (first->cause != cause)
		first++;
	cell = first->change.cell;
	put_down(entry, &first->change);
	*first = look_at.fresh[--look_at.nr_fresh];
	return cell;
}

bool look_any(enum cause cause)
{
	for (unsigned int i = 0; i < look_at.nr_fresh; i++)
		if (look_at.fresh[i].cause == cause)
			return true;
	return false;
}

void look_forget(void)
{
	while (look_at.nr_fresh > 0) {
		const struct change *change =
			&look_at.fresh[--look_at.nr_fresh].change;

		look_at.record->values[change->cell] = change->before;
	}
}

void look_set(struct entry *entry, unsigned int cell, uint32_t value)
{
	struct record *record = look_at.record;
	const struct change change = { cell, record->values[cell], value };

	record->values[cell] = value;
	put_down(entry, &change);
}
