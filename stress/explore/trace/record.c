/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ports/sim/sim.h"
#include "stress/explore/trace/machine.h"

/*
 * The machine tells of accesses and of ended operations. What else one wants
 * to know is seen by looking at all cells after each of these: which stores
 * left a buffer, whose TLB lost what, who was woken, what a switch did to the
 * windows. Runs are short, so looking at everything is cheap enough.
 */

#define NOBODY PROGRAM_MAX_TASKS

static struct recorder {
	struct record *record;
	uint32_t room_for_entries;
	unsigned int next_op[PROGRAM_MAX_ACTORS]; /* in program.ops */
	bool in_op[PROGRAM_MAX_ACTORS];
	/* Handlers that interrupt the task, the newest last. */
	unsigned int handlers[PROGRAM_MAX_TASKS][PROGRAM_MAX_IRQS];
	unsigned int nr_handlers[PROGRAM_MAX_TASKS];
	unsigned int chances_seen; /* for add_chances() */
	unsigned int task;	   /* that did the last thing, or NOBODY */
	bool calm;		   /* the record says that the phase began */
	bool over;		   /* what follows a failure is noise */
} rec;

/* ---- Entries ---------------------------------------------------------------------- */

static unsigned int actor_of(unsigned int task)
{
	unsigned int nr = rec.nr_handlers[task];

	return nr == 0 ? task : rec.handlers[task][nr - 1];
}

static struct entry *add_entry(enum entry_kind kind, unsigned int task)
{
	struct record *record = rec.record;
	struct entry *entry;

	if (record->nr_entries == rec.room_for_entries)
		record->entries = trace_grow(record->entries,
					     &rec.room_for_entries,
					     sizeof(record->entries[0]));
	entry = &record->entries[record->nr_entries++];
	*entry = (struct entry){
		.kind = (uint8_t)kind,
		.actor = (uint8_t)actor_of(task),
		.task = (uint8_t)task,
		.cpu = (uint8_t)sim.tasks[task].cpu,
		.cell = -1,
		.step = sim_steps(),
		.first_change = record->nr_changes,
		.outcome = "",
	};
	return entry;
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

/* Of the chosen handlers on @task's CPU without an entry the newest but @last. */
static int chosen_irq(unsigned int task, unsigned int last)
{
	const struct controlled_result *result = &rec.record->result;
	uint32_t irqs = sim.cpus[sim.tasks[task].cpu].irqs_active;

	for (unsigned int i = 0; i < rec.nr_handlers[task]; i++)
		irqs &= ~(1U << (rec.handlers[task][i] - PROGRAM_MAX_TASKS));
	for (unsigned int c = result->nr_choices; irqs != 0 && c-- > 0;) {
		uint8_t arg = result->choices[c].arg;

		if (result->choices[c].kind != CHOICE_IRQ || !(irqs >> arg & 1))
			continue;
		if (last-- == 0)
			return arg;
		irqs &= ~(1U << arg);
	}
	return -1;
}

/* It comes at a point, so whom it cuts in two is in an operation, if just. */
static void enter_irq(unsigned int task, unsigned int last)
{
	const struct op *op = op_of(actor_of(task));
	int irq = chosen_irq(task, last);
	unsigned int handler;

	if (irq < 0) /* then the program raises it itself */
		irq = op && op->kind == OP_RAISE ? op->arg : 0;
	begin_op(task);
	handler = PROGRAM_MAX_TASKS + (unsigned int)irq;
	rec.handlers[task][rec.nr_handlers[task]++] = handler;
	rec.next_op[handler] = 0;
	rec.in_op[handler] = false;
	add_entry(ENTRY_ENTER, task);
}

static void leave_irq(unsigned int task)
{
	if (rec.in_op[actor_of(task)])
		end_op(task, "ok");
	add_entry(ENTRY_LEAVE, task);
	rec.nr_handlers[task]--;
}

/* Who has returned. A task that spins makes no access between two of them. */
static void leave_irqs(void)
{
	const struct port_task *task = sim.tasks;

	for (unsigned int t = 0; t < sim.nr_tasks; t++)
		while (rec.nr_handlers[t] > sim.cpus[task[t].cpu].irq_depth)
			leave_irq(t);
}

/* @depth: handlers on the stack of @task's CPU by now. */
static void enter_irqs(unsigned int task, unsigned int depth)
{
	while (rec.nr_handlers[task] < depth &&
	       rec.nr_handlers[task] < PROGRAM_MAX_IRQS)
		enter_irq(task, depth - rec.nr_handlers[task] - 1);
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
	case SIM_TASK_FLUSHING:
		snprintf(buf, size, "waits for answers to its shootdown");
		break;
	case SIM_TASK_STUCK:
		snprintf(buf, size, "is stuck");
		break;
	case SIM_TASK_DONE:
		snprintf(buf, size, "has ended");
		break;
	case SIM_TASK_READY:
		snprintf(buf, size, "%s",
			 rec.in_op[actor_of(task)] || rec.nr_handlers[task] > 0
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
	look_take(entry, BY_OTHERS);
}

static const char *waker_of(const struct port_task *task)
{
	if (task->timed_out)
		return "its deadline";
	return task->signal.value ? "a signal" : "nothing";
}

static void add_wakes(unsigned int task)
{
	while (look_any(BY_WAKER)) {
		struct entry *entry = add_entry(ENTRY_WAKE, task);
		unsigned int cell = look_take_one(entry, BY_WAKER);

		entry->other = (uint8_t)rec.record->cells[cell].a;
		snprintf(entry->text, sizeof(entry->text), "%s",
			 waker_of(&sim.tasks[entry->other]));
	}
}

/* A signal that wakes its task is told as that. */
static void add_chances(unsigned int task)
{
	const struct controlled_result *result = &rec.record->result;
	struct entry *entry;

	while (rec.chances_seen < result->nr_choices) {
		const struct choice *choice =
			&result->choices[rec.chances_seen++];

		if (!chance_words(choice->kind) ||
		    (choice->kind == CHOICE_CANCEL && look_any(BY_WAKER)))
			continue;
		entry = add_entry(ENTRY_CHANCE, task);
		entry->chance = choice->kind;
		entry->other = choice->arg;
		look_take(entry, BY_OTHERS);
	}
}

/* All that came before what we are told of now. */
static void catch_up(unsigned int task, unsigned int irq_depth,
		     const struct sim_event *event)
{
	leave_irqs();
	look(event, actor_of(task));
	follow_switch(task);
	if (sim_calm_since() && !rec.calm) {
		rec.calm = true;
		add_entry(ENTRY_CALM, task)->step = sim_calm_since();
	}
	enter_irqs(task, irq_depth);
	add_chances(task);
	add_wakes(task);
	if (look_any(BY_DRAIN))
		look_take(add_entry(ENTRY_DRAIN, task), BY_DRAIN);
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
	if (!rec.over && has_failed()) {
		look(e, 0);
		follow_switch(e->task - 1);
		look_forget();
		rec.over = true;
	}
	if (rec.over)
		return;
	catch_up(e->task - 1, e->irq_depth, e);
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
	look_take(entry, BY_ACCESS);
	look_take(entry, BY_OTHERS);
}

static void on_op(void *arg, const char *who, const char *op,
		  const char *outcome)
{
	unsigned int task = sim_running()->id - 1;
	struct entry *entry;

	(void)arg;
	(void)who;
	(void)op;
	if (rec.over)
		return;
	catch_up(task, sim.cpus[sim.cpu].irq_depth, NULL);
	entry = end_op(task, outcome);
	look_take(entry, BY_OTHERS);
	rec.over = has_failed();
}

/* ---- The end --------------------------------------------------------------------- */

static bool all_ended(void)
{
	bool ended = true;

	for (unsigned int t = 0; t < rec.record->program.nr_tasks; t++)
		ended &= sim.tasks[t].state == SIM_TASK_DONE;
	return ended;
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
	struct entry *drain;

	if (nr == 0)
		return;
	drain = add_entry(ENTRY_DRAIN, rec.task);
	look_set(drain, (unsigned int)stores, 0);
	while (nr-- > 0) {
		const struct entry *entry = held_back(cpu, nr);

		if (entry && entry->cell >= 0)
			look_set(drain, (unsigned int)entry->cell,
				 (uint32_t)entry->after);
	}
}

static bool any_stale(const struct record *record)
{
	for (unsigned int c = 0; c < record->nr_cells; c++) {
		const struct cell *cell = &record->cells[c];
		int pte = cell_find(record, CELL_PTE, cell->a, 0);

		if (cell->kind == CELL_TLB && record->values[c] != 0 &&
		    !sim.cpus[cell->b].offline &&
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

	return exec->verdict == EXEC_BUG &&
	       (strstr(exec->sentence, "flush") ||
		(strncmp(exec->sentence, "stale TLB entry", 15) == 0 &&
		 !any_stale(rec.record)));
}

static void close_ended_run(void)
{
	for (unsigned int t = 0; t < rec.record->program.nr_tasks; t++)
		if (rec.in_op[t])
			end_op(t, "ok");
	for (unsigned int c = 0; c < rec.record->program.machine.nr_cpus; c++)
		drain_at_end(c);
	if (failed_in_last_flush()) {
		look(NULL, 0);
		look_take(add_entry(ENTRY_LAST_FLUSH, rec.task), BY_OTHERS);
	}
}

static void close_stalled_run(void)
{
	look(NULL, 0);
	add_wakes(rec.task);
	look_take(add_entry(ENTRY_STALL, rec.task), BY_OTHERS);
	for (unsigned int t = 0; t < rec.record->program.nr_tasks; t++) {
		struct entry *entry;

		if (sim.tasks[t].state == SIM_TASK_DONE ||
		    sim.tasks[t].state == SIM_TASK_READY)
			continue;
		entry = add_entry(ENTRY_STALL, t);
		why_it_stopped(t, entry->text, sizeof(entry->text));
	}
}

static void close_run(void)
{
	static const char *const verdicts[] = {
		[EXEC_OK] = "all is well",
		[EXEC_DEADLOCK] = "deadlock of the program",
		[EXEC_BUG] = "bug",
		[EXEC_REFUSED] = "all is well on the second boot",
	};
	struct entry *entry;

	if (rec.task == NOBODY)
		rec.task = 0;
	if (sim.nr_tasks == 0) /* the boot was all there was */
		rec.over = true;
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
	rec.record = trace_room(1, sizeof(*rec.record));
	rec.record->program = *program;
	cells_make(rec.record);
	look_begin(rec.record);
	controlled_run(program, &options, &rec.record->result);
	close_run();
	look_end();
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
