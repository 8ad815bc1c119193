/* SPDX-License-Identifier: MIT */
#include "stress/oracle/ops.h"
#include "stress/oracle/refine.h"

/* What a program may do with pages and addresses that are not its own. */

/* ---- stray: unmap by an address that no local map of that kind gave --------------- */

/* The window that the next local map would get; NULL: there is none. */
static const void *empty_window(const struct actor *actor)
{
	unsigned int depth = actor->windows_below + actor_windows(actor);
	unsigned int first = FIX_KMAP_BEGIN + port_cpu_id() * KM_MAX_IDX;

	return depth < KM_MAX_IDX ? (const void *)fixmap_vaddr(first + depth)
				  : NULL;
}

/* Maps of lowmem pages without a window: only their number is known. */
static bool has_direct(const struct actor *actor, bool atomic)
{
	for (unsigned int i = 0; i < actor->nr_local; i++)
		if (!actor->local[i].window && actor->local[i].atomic == atomic)
			return true;
	return false;
}

struct stray {
	const void *vaddr;
	bool right[2]; /* for kunmap_local(), kunmap_atomic(): it is one of its */
};

/*
 * The newest local map, if it is of @page: by the other kind's call. The pkmap
 * address of a highmem page, or an empty window. The address of a lowmem page,
 * unless such maps are held; a handler does not know of those below it.
 */
static struct stray stray_address(struct exec *exec, const struct actor *actor,
				  unsigned int page)
{
	const struct local_map *newest =
		actor->nr_local ? &actor->local[actor->nr_local - 1] : NULL;
	struct stray stray = { NULL, { false, false } };

	if (newest && newest->page == page && newest->window) {
		stray.vaddr = newest->vaddr;
		stray.right[newest->atomic] = true;
		return stray;
	}
	if (page < MACHINE_LOWMEM_PAGES && is_handler(actor))
		return stray;
	if (the_subject.ops.page_address)
		stray.vaddr = the_subject.ops.page_address(
			exec_page(exec, page));
	if (page < MACHINE_LOWMEM_PAGES)
		for (unsigned int kind = 0; kind < 2; kind++)
			stray.right[kind] = has_direct(actor, kind);
	else if (!stray.vaddr)
		stray.vaddr = empty_window(actor);
	return stray;
}

enum op_outcome perform_stray(struct exec *exec, struct actor *actor,
			      const struct op *op)
{
	struct stray stray;

	if (!can_misuse(exec, SUBJECT_STRAY))
		return OP_SKIPPED;
	stray = stray_address(exec, actor, op->arg);
	if (!stray.vaddr || (stray.right[0] && stray.right[1]))
		return OP_SKIPPED;
	if (!stray.right[0]) {
		the_subject.ops.unlocal(stray.vaddr);
		expect_report(exec, SUBJECT_STRAY,
			      "kunmap_local of a stray address");
	}
	if (!stray.right[1] && can_misuse(exec, SUBJECT_STRAY_ATOMIC)) {
		the_subject.ops.unatomic(stray.vaddr);
		expect_report(exec, SUBJECT_STRAY_ATOMIC,
			      "kunmap_atomic of a stray address");
	}
	return OP_REFUSED;
}

/* ---- release: unmap what another holds -------------------------------------------- */

static bool reads_maps(enum op_kind kind)
{
	return kind == OP_WRITE || kind == OP_CHECK;
}

/* Is @actor in the middle of something that goes on to use its map of @page? */
static bool uses_now(const struct actor *actor, unsigned int page)
{
	const struct op *op = actor->op;

	if (!actor->in_op)
		return false;
	return !op || reads_maps((enum op_kind)op->kind) ||
	       (op_arg((enum op_kind)op->kind) == OP_ARG_PAGE &&
		op->arg == page);
}

static struct actor *who_can_lose(struct exec *exec, const struct actor *self,
				  unsigned int page)
{
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		struct actor *other = &exec->actors[a];

		if (other != self && other->held[page] > 0 &&
		    !uses_now(other, page))
			return other;
	}
	return NULL;
}

/* A map is handed on in order: its stores are in memory, for all to see. */
static bool stores_are_seen(const struct exec *exec)
{
	bool seen = exec_freeze(exec, true);

	exec_freeze(exec, false);
	return seen;
}

/*
 * Persistent maps belong to nobody: who unmaps one need not have made it. The
 * other one has to know that it is gone, and here it does.
 */
enum op_outcome perform_release(struct exec *exec, struct actor *actor,
				const struct op *op)
{
	const struct op kunmap_it = { .kind = OP_KUNMAP, .arg = op->arg };
	struct actor *other;

	if (exec->options->parallel || !actor_can_kunmap(actor))
		return OP_SKIPPED; /* others' maps are theirs to look at */
	other = who_can_lose(exec, actor, op->arg);
	if (!other || !stores_are_seen(exec))
		return OP_SKIPPED;
	actor_gains(actor, op->arg, actor_loses(other, op->arg));
	return perform_kunmap(exec, actor, &kunmap_it);
}

/* ---- address: page_address(), with a map or without ------------------------------- */

enum op_outcome perform_address(struct exec *exec, struct actor *actor,
				const struct op *op)
{
	struct page *page = exec_page(exec, op->arg);
	const void *vaddr;

	refine_call(exec, actor, OP_ADDRESS, op->arg);
	vaddr = the_subject.ops.page_address(page);
	refine_return(exec, actor, vaddr != NULL);
	oracle_check_address(exec, actor, op->arg, vaddr);
	return vaddr ? OP_DONE : OP_NOTHING;
}

/* ---- stale: use after unmap ------------------------------------------------------- */

enum op_outcome perform_stale(struct exec *exec, struct actor *actor,
			      const struct op *op)
{
	const void *vaddr = actor->address[op->arg];

	/* With tasks in parallel a fault would be anybody's. */
	if (exec->options->parallel || !vaddr || actor->held[op->arg] > 0 ||
	    op->arg < MACHINE_LOWMEM_PAGES)
		return OP_SKIPPED;
	return oracle_read_stale(exec, actor, op->arg, vaddr) ? OP_DONE
							      : OP_NOTHING;
}
