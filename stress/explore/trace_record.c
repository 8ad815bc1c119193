/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ports/sim/sim.h"
#include "stress/explore/trace_machine.h"

/*
 * The machine tells of accesses and of ended operations. What else one wants
 * to know is seen by looking at all cells after each of these: which stores
 * left a buffer, whose TLB lost what, who was woken, what a switch did to the
 * windows. Runs are short, so looking at everything is cheap enough.
 */

#define NOBODY PROGRAM_MAX_TASKS

/* Why a cell changed since the last look. */
enum cause {
	BY_ACCESS, /* the access we are told of */
	BY_DRAIN,  /* a store that was held back */
	BY_WAKER,  /* a deadline, or nothing */
	BY_OTHERS, /* plain writes and steps that are not told one by one */
};

struct fresh {
	struct change change;
	enum cause cause;
};

static struct recorder {
	struct record *record;
	uint32_t room_for_entries;
	uint32_t room_for_changes;
	struct fresh *fresh; /* one for each cell that changed */
	unsigned int nr_fresh;
	unsigned int next_op[PROGRAM_MAX_ACTORS]; /* in program.ops */
	bool in_op[PROGRAM_MAX_ACTORS];
	int handler[PROGRAM_MAX_TASKS]; /* that interrupts the task, or -1 */
	unsigned int choices_seen;	/* for interrupts */
	unsigned int task;		/* that did the last thing, or NOBODY */
	bool over;			/* what follows a failure is noise */
} rec;

/* ---- Room --------------------------------------------------------------------- */

static void *more(void *old, uint32_t *room, size_t size)
{
	void *grown;

	*room = *room ? 2 * *room : 256;
	grown = realloc(old, *room * size);
	if (!grown) {
		fputs("explore: out of memory for a trace\n", stderr);
		exit(EXIT_FAILURE);
	}
	return grown;
}

static void add_change(const struct change *change)
{
	struct record *record = rec.record;

	if (record->nr_changes == rec.room_for_changes)
		record->changes = more(record->changes, &rec.room_for_changes,
				       sizeof(record->changes[0]));
	record->changes[record->nr_changes++] = *change;
}

static unsigned int actor_of(unsigned int task)
{
	return rec.handler[task] < 0 ? task : (unsigned int)rec.handler[task];
}

static struct entry *add_entry(enum entry_kind kind, unsigned int task)
{
	struct record *record = rec.record;
	struct entry *entry;

	if (record->nr_entries == rec.room_for_entries)
		record->entries = more(record->entries, &rec.room_for_entries,
				       sizeof(record->entries[0]));
	entry = &record->entries[record->nr_entries++];
	*entry = (struct entry){
		.kind = (uint8_t)kind,
		.actor = (uint8_t)actor_of(task),
		.task = (uint8_t)task,
		.cpu = record->program.task_cpu[task],
		.cell = -1,
		.step = sim_steps(),
		.first_change = record->nr_changes,
		.outcome = "",
	};
	return entry;
}

/* ---- Looking at all cells ------------------------------------------------------ */

static enum cause cause_of(const struct change *change,
			   const struct sim_event *event)
{
	const struct cell *cell = &rec.record->cells[change->cell];

	if (event && cell_explained(rec.record, change->cell, event))
		return BY_ACCESS;
	if (cell->kind == CELL_TASK && change->before == SIM_TASK_PARKED)
		return BY_WAKER;
	if (event && (cell_word(cell) || cell->kind == CELL_STORES))
		return BY_DRAIN;
	return BY_OTHERS;
}

/* The word says whether a lock is taken; by whom is known from the event. */
static uint32_t holder_now(unsigned int cell, uint32_t taken,
			   const struct sim_event *event)
{
	if (taken == 0)
		return 0;
	if (event && event->access == SIM_LOCK &&
	    event->word == cell_word(&rec.record->cells[cell]))
		return 1 + actor_of(event->task - 1);
	return rec.record->values[cell];
}

static void look(const struct sim_event *event)
{
	struct record *record = rec.record;

	rec.nr_fresh = 0;
	for (unsigned int c = 0; c < record->nr_cells; c++) {
		struct fresh *fresh = &rec.fresh[rec.nr_fresh];
		uint32_t now = cell_now(record, c, event);

		if (record->cells[c].kind == CELL_LOCK)
			now = holder_now(c, now, event);
		if (now == record->values[c])
			continue;
		fresh->change = (struct change){ c, record->values[c], now };
		fresh->cause = cause_of(&fresh->change, event);
		record->values[c] = now;
		rec.nr_fresh++;
	}
}

/* Put what has this cause down to @entry, which is the newest. */
static void take(struct entry *entry, enum cause cause)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < rec.nr_fresh; i++) {
		if (rec.fresh[i].cause == cause) {
			add_change(&rec.fresh[i].change);
			entry->nr_changes++;
		} else {
			rec.fresh[kept++] = rec.fresh[i];
		}
	}
	rec.nr_fresh = kept;
}

static bool any(enum cause cause)
{
	for (unsigned int i = 0; i < rec.nr_fresh; i++)
		if (rec.fresh[i].cause == cause)
			return true;
	return false;
}

/* ---- Operations ------------------------------------------------------------------ */

/* The actor's operation under way or next; NULL when all are done. */
static const struct op *op_of(unsigned int actor)
{
	const struct program *program = &rec.record->program;
	unsigned int *next = &rec.next_op[actor];

	while (*next < program->nr_ops && program->ops[*next].actor != actor)
		(*next)++;
	return *next < program->nr_ops ? &program->ops[*next] : NULL;
}

static void op_text(unsigned int actor, char *buf, size_t size)
{
	const struct op *op = op_of(actor);

	if (op)
		op_print(op, buf, size);
	else
		snprintf(buf, size, "%s", TRACE_AT_END);
}

static void begin_op(unsigned int task)
{
	unsigned int actor = actor_of(task);
	struct entry *entry;

	if (rec.in_op[actor])
		return;
	rec.in_op[actor] = true;
	entry = add_entry(ENTRY_BEGIN, task);
	op_text(actor, entry->text, sizeof(entry->text));
}

static struct entry *end_op(unsigned int task, const char *outcome)
{
	unsigned int actor = actor_of(task);
	struct entry *entry = add_entry(ENTRY_END, task);

	op_text(actor, entry->text, sizeof(entry->text));
	entry->outcome = outcome;
	rec.in_op[actor] = false;
	rec.next_op[actor]++;
	return entry;
}

/* ---- Interrupts ------------------------------------------------------------------ */

/* The newest interrupt that was chosen and not yet seen, or -1. */
static int chosen_irq(void)
{
	const struct controlled_result *result = &rec.record->result;
	int irq = -1;

	for (; rec.choices_seen < result->nr_choices; rec.choices_seen++)
		if (result->choices[rec.choices_seen].kind == CHOICE_IRQ)
			irq = result->choices[rec.choices_seen].arg;
	return irq;
}

static void enter_irq(unsigned int task)
{
	int irq = chosen_irq();
	const struct op *op = op_of(task);

	if (irq < 0) { /* then the task raises it itself */
		begin_op(task);
		irq = op && op->kind == OP_RAISE ? op->arg : 0;
	}
	rec.handler[task] = PROGRAM_MAX_TASKS + irq;
	rec.next_op[rec.handler[task]] = 0;
	rec.in_op[rec.handler[task]] = false;
	add_entry(ENTRY_ENTER, task);
}

static void leave_irq(unsigned int task)
{
	if (rec.in_op[rec.handler[task]])
		end_op(task, "ok");
	add_entry(ENTRY_LEAVE, task);
	rec.handler[task] = -1;
}

static void follow_irq(unsigned int task, bool in_interrupt)
{
	if (in_interrupt && rec.handler[task] < 0)
		enter_irq(task);
	else if (!in_interrupt && rec.handler[task] >= 0)
		leave_irq(task);
}

/* ---- Who runs -------------------------------------------------------------------- */

static void lock_of_spinner(unsigned int task, char *buf, size_t size)
{
	char name[NAME_SIZE] = "a lock";

	for (unsigned int c = 0; c < rec.record->nr_cells; c++)
		if (cell_word(&rec.record->cells[c]) ==
		    (const void *)sim.tasks[task].lock)
			cell_name(rec.record, c, name);
	snprintf(buf, size, "spins on %.20s", name);
}

static void why_it_stopped(unsigned int task, char *buf, size_t size)
{
	int cell = cell_find(rec.record, CELL_TASK, task, 0);

	switch ((enum sim_task_state)rec.record->values[cell]) {
	case SIM_TASK_PARKED:
		snprintf(buf, size, "is asleep");
		break;
	case SIM_TASK_SPINNING:
		lock_of_spinner(task, buf, size);
		break;
	case SIM_TASK_STUCK:
		snprintf(buf, size, "is stuck");
		break;
	case SIM_TASK_DONE:
		snprintf(buf, size, "has ended");
		break;
	case SIM_TASK_READY:
		snprintf(buf, size, "%s",
			 rec.in_op[actor_of(task)] || rec.handler[task] >= 0
				 ? "is preempted"
				 : "is between operations");
		break;
	}
}

/* What changed unseen was the work of the task that ran until now. */
static void follow_switch(unsigned int task)
{
	unsigned int left = rec.task;
	struct entry *entry;

	rec.task = task;
	if (left == task || left == NOBODY)
		return;
	if (sim.tasks[left].state == SIM_TASK_DONE && rec.in_op[left])
		end_op(left, "ok");
	entry = add_entry(ENTRY_SWITCH, task);
	entry->other = (uint8_t)left;
	why_it_stopped(left, entry->text, sizeof(entry->text));
	take(entry, BY_OTHERS);
}

static void add_wakes(unsigned int task)
{
	while (any(BY_WAKER)) {
		struct entry *entry = add_entry(ENTRY_WAKE, task);
		struct fresh *first = rec.fresh;

		while (first->cause != BY_WAKER)
			first++;
		entry->other = (uint8_t)rec.record->cells[first->change.cell].a;
		snprintf(entry->text, sizeof(entry->text), "%s",
			 sim.tasks[entry->other].timed_out ? "its deadline"
							   : "nothing");
		add_change(&first->change);
		entry->nr_changes = 1;
		*first = rec.fresh[--rec.nr_fresh];
	}
}

/* All that came before what we are told of now. */
static void catch_up(unsigned int task, bool in_interrupt,
		     const struct sim_event *event)
{
	look(event);
	follow_switch(task);
	follow_irq(task, in_interrupt);
	add_wakes(task);
	if (any(BY_DRAIN))
		take(add_entry(ENTRY_DRAIN, task), BY_DRAIN);
	begin_op(task);
}

/* ---- What we are told -------------------------------------------------------------- */

static bool has_failed(void)
{
	return rec.record->result.exec.verdict == EXEC_BUG;
}

static void on_event(void *arg, const struct sim_event *e)
{
	struct entry *entry;

	(void)arg;
	rec.over |= has_failed();
	if (rec.over)
		return;
	catch_up(e->task - 1, e->in_interrupt, e);
	if (is_the_oracles(rec.record, e)) {
		end_op(e->task - 1, "FAILED");
		rec.over = true;
		return;
	}
	entry = add_entry(ENTRY_ACCESS, e->task - 1);
	entry->access = (uint8_t)e->access;
	entry->before = e->before;
	entry->after = e->after;
	entry->caller = e->caller;
	entry->held = e->access == SIM_STORE && sim.cpus[e->cpu].nr_stores > 0;
	access_name(rec.record, entry, e);
	take(entry, BY_ACCESS);
	take(entry, BY_OTHERS);
}

static unsigned int actor_named(char letter)
{
	unsigned int actor = 0;

	while (actor_letter(actor) != letter)
		actor++;
	return actor;
}

static void on_op(void *arg, const char *who, const char *op,
		  const char *outcome)
{
	unsigned int task = sim_running()->id - 1;
	struct entry *entry;

	(void)arg;
	(void)op;
	if (rec.over)
		return;
	catch_up(task, actor_named(*who) >= PROGRAM_MAX_TASKS, NULL);
	entry = end_op(task, outcome);
	take(entry, BY_OTHERS);
	rec.over = has_failed();
}

/* ---- The end --------------------------------------------------------------------- */

static bool all_ended(void)
{
	for (unsigned int t = 0; t < rec.record->program.nr_tasks; t++)
		if (sim.tasks[t].state != SIM_TASK_DONE)
			return false;
	return true;
}

/* The held-back store of @cpu that has @younger ones behind it. */
static const struct entry *held_back(unsigned int cpu, uint32_t younger)
{
	const struct record *record = rec.record;

	for (uint32_t i = record->nr_entries; i-- > 0;) {
		const struct entry *entry = &record->entries[i];

		if (entry->held && entry->cpu == cpu && younger-- == 0)
			return entry;
	}
	return NULL;
}

/* At the end of a run memory gets all that is still held back. */
static void drain_at_end(unsigned int cpu)
{
	int stores = cell_find(rec.record, CELL_STORES, cpu, 0);
	uint32_t nr = rec.record->values[stores];
	struct entry drain;

	if (nr == 0)
		return;
	drain = *add_entry(ENTRY_DRAIN, rec.task);
	while (nr-- > 0) {
		const struct entry *entry = held_back(cpu, nr);
		struct change change;

		if (!entry || entry->cell < 0)
			continue;
		change.cell = (unsigned int)entry->cell;
		change.before = rec.record->values[entry->cell];
		change.after = (uint32_t)entry->after;
		rec.record->values[entry->cell] = change.after;
		add_change(&change);
		drain.nr_changes++;
	}
	rec.record->entries[rec.record->nr_entries - 1] = drain;
}

static bool any_stale(const struct record *record)
{
	for (unsigned int c = 0; c < record->nr_cells; c++) {
		const struct cell *cell = &record->cells[c];
		int pte = cell_find(record, CELL_PTE, cell->a, 0);

		if (cell->kind == CELL_TLB && record->values[c] != 0 &&
		    record->values[c] != record->values[pte])
			return true;
	}
	return false;
}

/*
 * When all have ended and are judged, the oracle flushes a last time and judges
 * again. We are told nothing of that, but the sentence gives it away.
 */
static bool failed_in_last_flush(void)
{
	const struct exec_result *exec = &rec.record->result.exec;

	if (exec->verdict != EXEC_BUG)
		return false;
	if (strstr(exec->sentence, "flush"))
		return true;
	return strncmp(exec->sentence, "stale TLB entry", 15) == 0 &&
	       !any_stale(rec.record);
}

static void close_ended_run(void)
{
	for (unsigned int t = 0; t < rec.record->program.nr_tasks; t++)
		if (rec.in_op[t])
			end_op(t, "ok");
	for (unsigned int c = 0; c < rec.record->program.machine.nr_cpus; c++)
		drain_at_end(c);
	if (failed_in_last_flush()) {
		look(NULL);
		take(add_entry(ENTRY_LAST_FLUSH, rec.task), BY_OTHERS);
	}
}

static void close_stalled_run(void)
{
	look(NULL);
	add_wakes(rec.task);
	take(add_entry(ENTRY_STALL, rec.task), BY_OTHERS);
	for (unsigned int t = 0; t < rec.record->program.nr_tasks; t++) {
		struct entry *entry;

		if (sim.tasks[t].state == SIM_TASK_DONE)
			continue;
		entry = add_entry(ENTRY_STALL, t);
		why_it_stopped(t, entry->text, sizeof(entry->text));
		if (sim.tasks[t].state == SIM_TASK_READY)
			snprintf(entry->text, sizeof(entry->text),
				 "gets no CPU");
	}
}

static void close_run(void)
{
	static const char *const verdicts[] = {
		[EXEC_OK] = "all is well",
		[EXEC_DEADLOCK] = "deadlock of the program",
		[EXEC_BUG] = "bug",
	};
	struct entry *entry;

	if (rec.task == NOBODY)
		rec.task = 0;
	if (!rec.over && all_ended())
		close_ended_run();
	else if (!rec.over)
		close_stalled_run();
	entry = add_entry(ENTRY_VERDICT, rec.task);
	snprintf(entry->text, sizeof(entry->text), "%s",
		 verdicts[rec.record->result.exec.verdict]);
}

/* ---- A whole run ----------------------------------------------------------------------- */

struct record *record_run(const struct program *program)
{
	struct controlled_options options = {
		.event = on_event,
		.trace = on_op,
		.faults = controlled_faults_of(program),
	};

	rec = (struct recorder){ .task = NOBODY };
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		rec.handler[t] = -1;
	rec.record = calloc(1, sizeof(*rec.record));
	if (!rec.record) {
		fputs("explore: out of memory for a trace\n", stderr);
		exit(EXIT_FAILURE);
	}
	rec.record->program = *program;
	cells_make(rec.record);
	rec.fresh = calloc(rec.record->nr_cells, sizeof(rec.fresh[0]));
	if (!rec.fresh) {
		fputs("explore: out of memory for a trace\n", stderr);
		exit(EXIT_FAILURE);
	}
	controlled_run(program, &options, &rec.record->result);
	close_run();
	free(rec.fresh);
	return rec.record;
}

void record_free(struct record *record)
{
	free(record->cells);
	free(record->values);
	free(record->entries);
	free(record->changes);
	free(record);
}
