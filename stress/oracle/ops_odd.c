/* SPDX-License-Identifier: MIT */
#include "stress/oracle/ops.h"
#include "stress/oracle/refine.h"

/* What a program may do with pages and addresses that are not its own. */

/* ---- stray: unmap by an address that no local map gave --------------------------- */

/* The window that the next local map would get; NULL: there is none. */
static const void *empty_window(const struct actor *actor)
{
	unsigned int depth = actor->windows_below + actor_windows(actor);
	unsigned int first = FIX_KMAP_BEGIN + port_cpu_id() * KM_MAX_IDX;

	return depth < KM_MAX_IDX ? (const void *)fixmap_vaddr(first + depth)
				  : NULL;
}

/*
 * The pkmap address of a highmem page, or an empty window. NULL: none, or a
 * lowmem page, which has no window of its own to be wrong about.
 */
static const void *stray_address(struct exec *exec, const struct actor *actor,
				 unsigned int page)
{
	const void *vaddr;

	if (page < MACHINE_LOWMEM_PAGES)
		return NULL;
	vaddr = page_address(exec->hm, exec_page(exec, page));
	return vaddr ? vaddr : empty_window(actor);
}

enum op_outcome perform_stray(struct exec *exec, struct actor *actor,
			      const struct op *op)
{
	const void *vaddr;

	if (!can_misuse(exec))
		return OP_SKIPPED;
	vaddr = stray_address(exec, actor, op->arg);
	if (!vaddr)
		return OP_SKIPPED;
	kunmap_local(exec->hm, vaddr);
	expect_report(exec, "kunmap_", "kunmap_local of a stray address");
	kunmap_atomic(exec->hm, vaddr);
	return expect_report(exec, "kunmap_",
			     "kunmap_atomic of a stray address");
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

	if (exec->options->parallel)
		return OP_SKIPPED; /* others' maps are theirs to look at */
	other = who_can_lose(exec, actor, op->arg);
	if (!other || !stores_are_seen(exec))
		return OP_SKIPPED;
	other->held[op->arg]--;
	other->touched |= UINT64_C(1) << op->arg;
	actor->held[op->arg]++;
	actor->address[op->arg] = other->address[op->arg];
	return perform_kunmap(exec, actor, &kunmap_it);
}

/* ---- address: page_address(), with a map or without ------------------------------- */

enum op_outcome perform_address(struct exec *exec, struct actor *actor,
				const struct op *op)
{
	struct page *page = exec_page(exec, op->arg);
	const void *vaddr;

	refine_call(exec, actor, OP_ADDRESS, op->arg);
	vaddr = page_address(exec->hm, page);
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
