/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"
#include "stress/oracle/refine.h"

#include <highmem/format.h>

/*
 * One machine at a time, so one run at a time; static, because a kernel's
 * stack is small.
 */
static struct exec exec;

void exec_fail(struct exec *e, const char *format, ...)
{
	uint32_t none = 0;
	va_list args;

	if (e->suspecting) {
		e->suspects = true;
		return;
	}
	if (!port_atomic_cas(&e->claimed, &none, 1))
		return;
	e->result->verdict = EXEC_BUG;
	va_start(args, format);
	hm_vformat(e->result->sentence, sizeof(e->result->sentence), format,
		   args);
	va_end(args);
	port_stat_set(&e->failed, 1);
}

static void trace_op(struct exec *e, const struct actor *actor,
		     const struct op *op, const char *outcome)
{
	char task[2] = { actor_letter(actor->index), '\0' };
	char text[32];

	if (!e->options->trace)
		return;
	op_print(op, text, sizeof(text));
	e->options->trace(e->options->trace_arg, task, text, outcome);
}

static void mix(uint64_t *hash, uint64_t value)
{
	*hash = (*hash ^ (value + 0x632be59bd9b4e019u)) * 0x9e3779b97f4a7c15u;
	*hash ^= *hash >> 29;
}

/* Of each map its own, where it does not follow from the page. */
static void mix_addresses(uint64_t *hash, const struct actor *actor)
{
	for (unsigned int p = 0; p < PROGRAM_MAX_PAGES; p++)
		for (unsigned int i = 0; i < actor->held[p]; i++)
			mix(hash,
			    (uint64_t)(vaddr_t)actor_address(actor, p, i));
}

uint64_t exec_state_hash(void)
{
	uint64_t hash = refine_hash();

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		const struct actor *actor = &exec.actors[a];

		mix(&hash, actor->history);
		mix(&hash, (uint64_t)actor->nr_local << 32 |
				   (uint64_t)(actor->waits_for + 1) << 8 |
				   (uint64_t)actor->active << 3 |
				   (uint64_t)actor->in_op << 2 |
				   (uint64_t)actor->alone << 1 | actor->ended);
		if (actor->flushing)
			mix(&hash, oracle_unused_so_far(&exec, &actor->unused));
		for (unsigned int i = 0; i < actor->nr_local; i++)
			mix(&hash, (uint64_t)(vaddr_t)actor->local[i].vaddr);
		for (unsigned int p = 0; p < PROGRAM_MAX_PAGES; p++) {
			mix(&hash,
			    (uint64_t)actor->held[p] << 32 | actor->written[p]);
			if (exec.stale) /* where it is else, follows */
				mix(&hash,
				    (uint64_t)(vaddr_t)actor->address[p]);
		}
		if (!subject_promises(SUBJECT_ONE_ADDRESS))
			mix_addresses(&hash, actor);
	}
	return hash;
}

/* Whoever is in the middle of an operation is no longer alone in it. */
static void spoil_others(struct exec *e, const struct actor *actor)
{
	if (e->options->freeze)
		for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
			if (&e->actors[a] != actor)
				e->actors[a].alone = false;
}

static const char *outcome_name(const struct exec *e, enum op_outcome outcome)
{
	static const char *const names[] = {
		[OP_DONE] = "ok",
		[OP_NOTHING] = "no",
		[OP_SKIPPED] = "skipped",
		[OP_REFUSED] = "reported and refused",
	};

	return exec_failed(e) ? "FAILED" : names[outcome];
}

static void perform(struct exec *e, struct actor *actor, const struct op *op)
{
	enum op_outcome outcome;

	actor->in_op = true;
	actor->op = op;
	actor->alone = oracle_at_rest(e, actor);
	spoil_others(e, actor);
	outcome = op_perform(e, actor, op);
	actor->in_op = false;
	actor->op = NULL;
	mix(&actor->history, (uint64_t)op->kind << 8 | outcome);
	if (outcome == OP_SKIPPED)
		actor->skipped++;
	else
		actor->performed++;
	if (outcome != OP_SKIPPED)
		oracle_after_op(e, actor);
	trace_op(e, actor, op, outcome_name(e, outcome));
	if (e->options->progress && !is_handler(actor))
		port_stat_inc(&e->options->progress[actor->index]);
}

/* ---- Handlers ---------------------------------------------------------------------- */

static void handler_main(void *arg)
{
	struct actor *actor = arg;

	actor->active = true;
	actor->id = port_task_id(port_task_current());
	oracle_handler_begins(&exec, actor);
	for (unsigned int i = 0; i < exec.program->nr_ops; i++) {
		const struct op *op = &exec.program->ops[i];

		if (op->actor == actor->index && !exec_failed(&exec))
			perform(&exec, actor, op);
		actor->in_op = true; /* until the interrupt returns */
	}
	actor_undo_all(&exec, actor);
	oracle_check_handler_left(&exec, actor);
	actor->in_op = false;
	actor->active = false;
}

bool exec_raise(struct exec *e, struct actor *below, unsigned int irq)
{
	struct actor *actor = exec_handler(e, irq);

	actor->windows_below = below->windows_below + actor_windows(below);
	actor->windows_guessed = below->windows_guessed;
	return machine_interrupt(handler_main, actor);
}

/* In the middle of what claims a window, or gives it back. */
static bool is_at_windows(const struct actor *actor)
{
	const struct op *op = actor->op;

	return actor->in_op &&
	       (!op || op->kind == OP_LOCAL || op->kind == OP_ATOMIC ||
		op->kind == OP_UNLOCAL || op->kind == OP_MISORDER);
}

static unsigned int windows_at_most(uint32_t id)
{
	unsigned int nr = 0;

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		const struct actor *actor = &exec.actors[a];

		if (actor->id == id && (actor->active || !is_handler(actor)))
			nr += actor_windows(actor) + is_at_windows(actor);
	}
	return nr;
}

/*
 * In the middle of an operation the model does not know yet how many windows
 * the task has claimed; the subject does.
 */
static void count_windows_below(struct actor *actor)
{
	actor->windows_guessed = !exec.hm || !the_subject.windows;
	actor->windows_below = actor->windows_guessed
				       ? windows_at_most(port_task_id(
						 port_task_current()))
				       : the_subject.windows();
}

bool exec_interrupt(unsigned int irq)
{
	struct actor *actor = exec_handler(&exec, irq);

	if (actor->active)
		return false; /* the program raised it, and it was cut in two */
	exec_freeze(&exec, true);
	count_windows_below(actor);
	actor->in_op = true;
	exec_freeze(&exec, false);
	return machine_interrupt(handler_main, actor);
}

/* ---- Tasks -------------------------------------------------------------------------- */

/* The place of @actor's first operation from @from on in the program. */
static unsigned int next_op(const struct actor *actor, unsigned int from)
{
	while (from < exec.program->nr_ops &&
	       exec.program->ops[from].actor != actor->index)
		from++;
	return from;
}

static void run_round(struct actor *actor, uint32_t rank)
{
	unsigned int nr_ops = exec.program->nr_ops;

	for (unsigned int i = next_op(actor, 0); i < nr_ops;
	     i = next_op(actor, i + 1)) {
		machine_yield(rank + i);
		if (exec_failed(&exec))
			return;
		perform(&exec, actor, &exec.program->ops[i]);
	}
}

static void task_main(void *arg)
{
	struct actor *actor = arg;
	unsigned int repeat = exec.options->repeat ? exec.options->repeat : 1;
	unsigned int nr_ops = exec.program->nr_ops + 1;

	actor->task = port_task_current();
	for (unsigned int r = 0; r < repeat && !exec_failed(&exec); r++) {
		run_round(actor, r * nr_ops);
		machine_yield(r * nr_ops + nr_ops - 1);
		actor->in_op = true;
		spoil_others(&exec, actor);
		actor_undo_all(&exec, actor);
		actor->in_op = false;
		if (!exec_failed(&exec))
			oracle_after_op(&exec, actor);
	}
	actor->ended = true;
}

/* ---- The end --------------------------------------------------------------------------- */

static unsigned int nr_ops_of(unsigned int actor)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < exec.program->nr_ops; i++)
		nr += exec.program->ops[i].actor == actor;
	return nr;
}

/*
 * A handler's count once for each time that the program raises it, and once
 * more for an interrupt under way.
 */
static unsigned int ops_left(void)
{
	unsigned int done[PROGRAM_MAX_ACTORS] = { 0 };
	unsigned int left = 0;

	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		done[t] = exec.actors[t].performed + exec.actors[t].skipped;
	for (unsigned int i = 0; i < exec.program->nr_ops; i++) {
		const struct op *op = &exec.program->ops[i];

		if (done[op->actor] > 0) {
			done[op->actor]--;
			continue;
		}
		left++;
		if (op->kind == OP_RAISE)
			left += nr_ops_of(PROGRAM_MAX_TASKS + op->arg);
	}
	return left;
}

/*
 * No operation takes that many steps by itself, and each is undone at most
 * once: a flush takes some 15 for each slot, another task's included, which it
 * may wait for.
 */
uint32_t exec_calm_steps(void)
{
	unsigned int nr = 2 * ops_left() + exec.program->nr_tasks;

	return nr * 64 * (1 + exec.config->nr_slots);
}

/* When all is over: an idle slot must come clean. */
static void janitor_main(void *arg)
{
	(void)arg;
	exec.ending = "the last flush does not return";
	if (the_subject.ops.flush_unused)
		the_subject.ops.flush_unused();
	exec.ending = "not all slots are to be had after all tasks have ended";
	if (!exec.hm)
		oracle_take_all_slots(&exec);
	exec_look(&exec);
	for (unsigned int s = 0; exec.hm && s < exec.config->nr_slots; s++)
		if (!(exec.hm->pkmap.free[s / 32] >> (s % 32) & 1))
			exec_fail(&exec,
				  "slot %u is not free after all tasks "
				  "have ended and a flush",
				  s);
}

/* All tasks have ended. What is broken already is not asked to flush. */
static void clean_up(void)
{
	oracle_at_end(&exec);
	if (exec_failed(&exec))
		return;
	exec_freeze(&exec, true);
	machine_spawn(0, janitor_main, NULL);
	if (machine_run() == MACHINE_STALLED)
		exec_fail(&exec, "%s", exec.ending);
	oracle_after_flush(&exec);
}

static void reset_actors(void)
{
	exec.claimed = (port_atomic_t){ 0 };
	exec.failed = (port_stat_t){ 0 };
	exec.nr_told = 0;
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		exec.actors[a] = (struct actor){ .index = a,
						 .waits_for = -1,
						 .misuses = -1 };
}

/* Each actor's word in each page: nothing else is ever written. */
static uint64_t hash_contents(void)
{
	uint64_t hash = 0;

	for (unsigned int p = 0; p < exec.config->nr_pages; p++)
		for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
			mix(&hash, machine_peek32(exec_page(&exec, p),
						  oracle_word_offset(
							  &exec.actors[a])));
	return hash;
}

static void collect(struct exec_result *result)
{
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		result->nr_performed += exec.actors[a].performed;
		result->nr_skipped += exec.actors[a].skipped;
	}
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		mix(&result->outcome, exec.actors[a].history);
	mix(&result->outcome, result->verdict);
	if (exec.options->contents)
		result->contents = hash_contents();
	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		result->stats[s] = exec.hm ? highmem_stat(exec.hm,
							  (enum highmem_stat)s)
					   : 0;
}

static bool from_outside;

void exec_judge_from_outside(void)
{
	from_outside = true;
}

bool exec_judges_from_outside(void)
{
	return from_outside || !the_subject.look;
}

static bool boot(void)
{
	const char *bug;

	exec.config = machine_boot_guest(&exec.program->machine,
					 the_subject.guest);
	exec.hm = exec_judges_from_outside() ? NULL : the_subject.look();
	bug = machine_take_bug();
	if (bug)
		exec_fail(&exec, "%s", bug);
	return !bug;
}

static void run_tasks(void)
{
	const struct program *program = exec.program;
	bool stalled;

	oracle_tag_pages(&exec);
	oracle_look_reset(&exec);
	refine_begin(&exec, exec.options->refine);
	for (unsigned int t = 0; t < program->nr_tasks; t++)
		exec.actors[t].id = machine_spawn(program->task_cpu[t],
						  task_main, &exec.actors[t]);
	stalled = machine_run() == MACHINE_STALLED;
	refine_end();
	if (stalled && exec.options->gave_up_on &&
	    exec.options->gave_up_on() != 0)
		oracle_judge_spin(&exec, exec.options->gave_up_on());
	else if (stalled)
		oracle_judge_stall(&exec);
	else
		clean_up();
}

/* Not part of the outcome: the second boot is as good as a first. */
static void tell_refusal(struct exec_result *result)
{
	const char *why = exec.options->refused ? exec.options->refused()
						: NULL;

	if (!why || result->verdict != EXEC_OK)
		return;
	result->verdict = EXEC_REFUSED;
	hm_format(result->sentence, sizeof(result->sentence),
		  "refused at boot: %s", why);
}

static bool has_kind(const struct program *program, enum op_kind kind)
{
	unsigned int i = 0;

	while (i < program->nr_ops && program->ops[i].kind != kind)
		i++;
	return i < program->nr_ops;
}

void exec_program(const struct program *program,
		  const struct exec_options *options,
		  struct exec_result *result)
{
	*result = (struct exec_result){ .verdict = EXEC_OK };
	exec.program = program;
	exec.options = options;
	exec.result = result;
	exec.stale = has_kind(program, OP_STALE);
	reset_actors();
	if (boot()) {
		run_tasks();
		collect(result);
		tell_refusal(result);
	}
	machine_shutdown();
}
