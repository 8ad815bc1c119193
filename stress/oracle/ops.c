/* SPDX-License-Identifier: MIT */
#include "stress/oracle/ops.h"
#include "stress/oracle/refine.h"

#define TIMEOUT_TICKS 4

enum op_outcome expect_report(struct exec *exec, enum subject_misuse misuse,
			      const char *what)
{
	const char *bug = oracle_take_report(exec, the_subject.reports[misuse]);

	if (!bug)
		exec_fail(exec, "misuse not reported: %s", what);
	else if (exec->options->report)
		exec->options->report(exec->options->report_arg, bug);
	return OP_REFUSED;
}

static bool in_atomic(const struct actor *actor)
{
	if (is_handler(actor))
		return true;
	for (unsigned int i = 0; i < actor->nr_local; i++)
		if (actor->local[i].atomic)
			return true;
	return false;
}

unsigned int actor_windows(const struct actor *actor)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < actor->nr_local; i++)
		nr += actor->local[i].window;
	return nr;
}

/* ---- What an actor holds --------------------------------------------------------- */

/* Where it has the page besides, if a page may have several addresses. */
#define MAX_MAPS 4
static void *earlier[PROGRAM_MAX_ACTORS][PROGRAM_MAX_PAGES][MAX_MAPS - 1];

static bool can_hold_more(const struct actor *actor, unsigned int page)
{
	return subject_promises(SUBJECT_ONE_ADDRESS) ||
	       actor->held[page] < MAX_MAPS;
}

void actor_gains(struct actor *actor, unsigned int page, void *vaddr)
{
	unsigned int nr = actor->held[page]++;

	if (nr > 0 && !subject_promises(SUBJECT_ONE_ADDRESS))
		earlier[actor->index][page][nr - 1] = actor->address[page];
	actor->address[page] = vaddr;
	actor->touched |= UINT64_C(1) << page;
}

void *actor_loses(struct actor *actor, unsigned int page)
{
	void *vaddr = actor->address[page];
	unsigned int left = --actor->held[page];

	if (left > 0)
		actor->address[page] = actor_address(actor, page, 1);
	actor->touched |= UINT64_C(1) << page;
	return vaddr;
}

void *actor_address(const struct actor *actor, unsigned int page,
		    unsigned int nr)
{
	if (nr == 0 || subject_promises(SUBJECT_ONE_ADDRESS))
		return actor->address[page];
	return earlier[actor->index][page][actor->held[page] - nr - 1];
}

/* ---- Persistent maps ---------------------------------------------------------- */

/*
 * One kunmap too many, whatever others do meanwhile with other pages. Somebody
 * who comes for this one would be in danger of losing his map to it, and nobody
 * could tell: is_misused() keeps them away.
 */
static enum op_outcome perform_misuse(struct exec *exec, struct actor *actor,
				      unsigned int page)
{
	if (oracle_is_used(exec, page))
		return OP_SKIPPED;
	actor->misuses = (int)page;
	the_subject.ops.kunmap(exec_page(exec, page), actor->address[page]);
	actor->misuses = -1;
	return expect_report(exec, SUBJECT_SURPLUS_KUNMAP,
			     "kunmap of a page that nobody maps");
}

static bool is_misused(const struct exec *exec, unsigned int page)
{
	unsigned int a = 0;

	while (a < PROGRAM_MAX_ACTORS && exec->actors[a].misuses != (int)page)
		a++;
	return a < PROGRAM_MAX_ACTORS;
}

static enum op_outcome hold(struct exec *exec, struct actor *actor,
			    unsigned int page, void *vaddr)
{
	actor_gains(actor, page, vaddr);
	oracle_check_content(exec, actor, page, vaddr);
	return OP_DONE;
}

static void *call_kmap(struct page *page, enum op_kind kind)
{
	switch (kind) {
	case OP_TRY:
		return the_subject.ops.kmap_try(page);
	case OP_TIMEOUT:
		return the_subject.ops.kmap_timeout(page,
						    port_now() + TIMEOUT_TICKS);
	case OP_KILLABLE:
		return the_subject.ops.kmap_killable(page);
	default:
		return the_subject.ops.kmap(page);
	}
}

static enum op_outcome perform_kmap(struct exec *exec, struct actor *actor,
				    const struct op *op)
{
	struct page *page = exec_page(exec, op->arg);
	void *vaddr;

	if (in_atomic(actor)) {
		if (!can_misuse(exec, SUBJECT_SLEEPS))
			return OP_SKIPPED;
		if (call_kmap(page, op->kind))
			exec_fail(exec, "kmap in atomic context gave a map");
		return expect_report(exec, SUBJECT_SLEEPS,
				     "kmap in atomic context");
	}
	if (is_misused(exec, op->arg) || !can_hold_more(actor, op->arg))
		return OP_SKIPPED;
	actor->waits_for = op->arg;
	actor->touched |= UINT64_C(1) << op->arg;
	oracle_use_begins(actor, op->arg);
	refine_call(exec, actor, (enum op_kind)op->kind, op->arg);
	vaddr = call_kmap(page, op->kind);
	refine_return(exec, actor, vaddr != NULL);
	actor->waits_for = -1;
	if (vaddr)
		return hold(exec, actor, op->arg, vaddr);
	oracle_use_ending(actor, op->arg);
	oracle_use_ends(actor, op->arg);
	if (op->kind == OP_KMAP && !exec_failed(exec))
		exec_fail(exec, "kmap returned NULL");
	if (op->kind == OP_TRY)
		oracle_check_refusal(exec, actor, op->arg);
	if (op->kind == OP_KILLABLE && !machine_take_signal())
		exec_fail(exec, "kmap_killable gave up without a signal");
	return OP_NOTHING;
}

bool actor_can_kunmap(const struct actor *actor)
{
	return subject_promises(SUBJECT_KUNMAP_ANYWHERE) || !in_atomic(actor);
}

static enum op_outcome perform_get(struct exec *exec, struct actor *actor,
				   const struct op *op)
{
	void *vaddr;

	if (is_misused(exec, op->arg) || !can_hold_more(actor, op->arg) ||
	    !actor_can_kunmap(actor))
		return OP_SKIPPED;
	oracle_use_begins(actor, op->arg);
	refine_call(exec, actor, OP_GET, op->arg);
	vaddr = the_subject.ops.get(exec_page(exec, op->arg));
	refine_return(exec, actor, vaddr != NULL);
	if (vaddr)
		return hold(exec, actor, op->arg, vaddr);
	oracle_use_ending(actor, op->arg);
	oracle_use_ends(actor, op->arg);
	return OP_NOTHING;
}

enum op_outcome perform_kunmap(struct exec *exec, struct actor *actor,
			       const struct op *op)
{
	struct page *page = exec_page(exec, op->arg);
	void *vaddr;

	if (!actor_can_kunmap(actor))
		return OP_SKIPPED;
	if (actor->held[op->arg] > 0) {
		oracle_check_content(exec, actor, op->arg,
				     actor->address[op->arg]);
		vaddr = actor_loses(actor, op->arg);
		refine_call(exec, actor, OP_KUNMAP, op->arg);
		oracle_use_ending(actor, op->arg);
		the_subject.ops.kunmap(page, vaddr);
		refine_return(exec, actor, true);
		oracle_use_ends(actor, op->arg);
		return OP_DONE;
	}
	if (!can_misuse(exec, SUBJECT_SURPLUS_KUNMAP) ||
	    op->arg < MACHINE_LOWMEM_PAGES)
		return OP_SKIPPED;
	return perform_misuse(exec, actor, op->arg);
}

static enum op_outcome perform_flush(struct exec *exec, struct actor *actor)
{
	if (!in_atomic(actor)) {
		oracle_unused_begin(exec, &actor->unused);
		actor->flushing = true;
		refine_call(exec, actor, OP_FLUSH, 0);
		the_subject.ops.flush_unused();
		refine_return(exec, actor, true);
		oracle_flush_returned(exec, &actor->unused, actor);
		actor->flushing = false;
		return OP_DONE;
	}
	if (!can_misuse(exec, SUBJECT_FLUSH_SLEEPS))
		return OP_SKIPPED;
	the_subject.ops.flush_unused();
	return expect_report(exec, SUBJECT_FLUSH_SLEEPS,
			     "kmap_flush_unused in atomic context");
}

/* ---- Local maps ---------------------------------------------------------------- */

static enum op_outcome perform_local(struct exec *exec, struct actor *actor,
				     const struct op *op)
{
	struct page *page = exec_page(exec, op->arg);
	bool window = op->arg >= MACHINE_LOWMEM_PAGES ||
		      exec->config->force_map;
	bool full = window && actor->windows_below + actor_windows(actor) >=
				      exec->config->local_depth;
	void *vaddr;

	if (actor->nr_local == KM_MAX_IDX ||
	    (full && (actor->windows_guessed ||
		      !can_misuse(exec, SUBJECT_WINDOWS_FULL))))
		return OP_SKIPPED;
	vaddr = op->kind == OP_ATOMIC ? the_subject.ops.atomic(page)
				      : the_subject.ops.local(page);
	if (full) {
		if (vaddr)
			exec_fail(exec, "a local map beyond the last window");
		return expect_report(exec, SUBJECT_WINDOWS_FULL,
				     "local map beyond the last window");
	}
	if (!vaddr) {
		exec_fail(exec, "a local map was refused with windows left");
		return OP_NOTHING;
	}
	actor->local[actor->nr_local++] = (struct local_map){
		.vaddr = vaddr,
		.page = op->arg,
		.atomic = op->kind == OP_ATOMIC,
		.window = window,
	};
	oracle_check_content(exec, actor, op->arg, vaddr);
	return OP_DONE;
}

/* Any byte of the page will do: unmap through one in its middle. */
static const void *inside(const void *vaddr)
{
	return (const char *)vaddr + 2044;
}

static enum op_outcome perform_unlocal(struct exec *exec, struct actor *actor)
{
	struct local_map *map;

	if (actor->nr_local == 0)
		return OP_SKIPPED;
	map = &actor->local[--actor->nr_local];
	oracle_check_content(exec, actor, map->page, map->vaddr);
	if (map->atomic)
		the_subject.ops.unatomic(inside(map->vaddr));
	else
		the_subject.ops.unlocal(inside(map->vaddr));
	return OP_DONE;
}

static enum op_outcome perform_misorder(struct exec *exec, struct actor *actor)
{
	if (!can_misuse(exec, SUBJECT_MISORDER) || actor->nr_local < 2 ||
	    !actor->local[0].window || !actor->local[1].window)
		return OP_SKIPPED;
	if (actor->local[0].atomic)
		the_subject.ops.unatomic(actor->local[0].vaddr);
	else
		the_subject.ops.unlocal(actor->local[0].vaddr);
	return expect_report(exec, SUBJECT_MISORDER,
			     "kunmap_local of the oldest map first");
}

/* ---- Contents ------------------------------------------------------------------ */

static void *any_map(const struct actor *actor, unsigned int page)
{
	if (actor->held[page] > 0)
		return actor->address[page];
	for (unsigned int i = 0; i < actor->nr_local; i++)
		if (actor->local[i].page == page)
			return actor->local[i].vaddr;
	return NULL;
}

static enum op_outcome perform_check(struct exec *exec, struct actor *actor)
{
	unsigned int distinct = subject_promises(SUBJECT_ONE_ADDRESS)
					? 1
					: MAX_MAPS;

	for (unsigned int p = 0; p < exec_nr_pages(exec); p++)
		for (unsigned int i = 0; i < actor->held[p] && i < distinct;
		     i++)
			oracle_check_content(exec, actor, p,
					     actor_address(actor, p, i));
	for (unsigned int i = 0; i < actor->nr_local; i++)
		oracle_check_content(exec, actor, actor->local[i].page,
				     actor->local[i].vaddr);
	return OP_DONE;
}

static enum op_outcome perform_write(struct exec *exec, struct actor *actor,
				     const struct op *op)
{
	void *vaddr = any_map(actor, op->arg);

	if (!vaddr)
		return OP_SKIPPED;
	actor->written[op->arg] = ++actor->next_value;
	machine_store32((char *)vaddr + oracle_word_offset(actor),
			actor->next_value);
	return perform_check(exec, actor);
}

/* ---- All of them ---------------------------------------------------------------- */

static enum op_outcome perform_raise(struct exec *exec, struct actor *actor,
				     const struct op *op)
{
	bool nested = exec->program->machine.nested_irqs;

	/* The handler's state is its CPU's: first of all, is it ours? */
	if (machine_this_cpu() != exec->program->irq_cpu[op->arg] ||
	    (is_handler(actor) && !nested) ||
	    exec_handler(exec, op->arg)->active)
		return OP_SKIPPED;
	return exec_raise(exec, actor, op->arg) ? OP_DONE : OP_NOTHING;
}

enum op_outcome op_perform(struct exec *exec, struct actor *actor,
			   const struct op *op)
{
	switch ((enum op_kind)op->kind) {
	case OP_KMAP:
	case OP_TRY:
	case OP_TIMEOUT:
	case OP_KILLABLE:
		return perform_kmap(exec, actor, op);
	case OP_KUNMAP:
		return perform_kunmap(exec, actor, op);
	case OP_GET:
		return perform_get(exec, actor, op);
	case OP_LOCAL:
	case OP_ATOMIC:
		return perform_local(exec, actor, op);
	case OP_UNLOCAL:
		return perform_unlocal(exec, actor);
	case OP_MISORDER:
		return perform_misorder(exec, actor);
	case OP_WRITE:
		return perform_write(exec, actor, op);
	case OP_CHECK:
		return perform_check(exec, actor);
	case OP_FLUSH:
		return perform_flush(exec, actor);
	case OP_RAISE:
		return perform_raise(exec, actor, op);
	case OP_CANCEL:
		machine_kill(exec->actors[op->arg].id);
		break;
	case OP_STRAY:
		return perform_stray(exec, actor, op);
	case OP_RELEASE:
		return perform_release(exec, actor, op);
	case OP_ADDRESS:
		return perform_address(exec, actor, op);
	case OP_STALE:
		return perform_stale(exec, actor, op);
	case OP_YIELD:
	case OP_NR_KINDS:
		break;
	}
	return OP_DONE;
}

void actor_undo_all(struct exec *exec, struct actor *actor)
{
	while (actor->nr_local > 0)
		perform_unlocal(exec, actor);
	/* A core known to be broken could crash; then the finding is lost. */
	if (exec_failed(exec) && !exec->options->parallel)
		return;
	for (unsigned int p = 0; p < exec_nr_pages(exec); p++) {
		const struct op op = { .kind = OP_KUNMAP, .arg = (uint8_t)p };

		while (actor->held[p] > 0)
			perform_kunmap(exec, actor, &op);
	}
}
