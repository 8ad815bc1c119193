/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

#include <highmem/format.h>

/*
 * A look at what has changed.
 *
 * What must hold at rest is said of one slot, one page, one CPU's windows at a
 * time, and of few words each. All of it held at the last look; so it holds
 * now, unless one of these words is another by now. Most words are compared
 * with a copy of what the last look saw: nobody has to tell, and a stray write
 * shows like any other. Page tables are the machine's, which says what it
 * wrote, and in the model an actor marks what it touches.
 *
 * This look only ever suspects. Then, and every FULL_EVERY-th time anyway, the
 * oracle looks at everything, and what that look says counts.
 */
#define FULL_EVERY 16

/*
 * For plain loops over arrays with constant bounds: half of their time would
 * be checks of each access, and coverage of them says nothing of the core.
 */
#define PLAIN_LOOP __attribute__((no_sanitize("address", "coverage")))

_Static_assert(sizeof(struct pkmap_slot) == sizeof(uint32_t),
	       "a slot compares as one word");
_Static_assert(PROGRAM_MAX_SLOTS == 64 && PROGRAM_MAX_PAGES <= 64,
	       "slots and pages are bits of one word");

static uint64_t bit(unsigned int nr)
{
	return (uint64_t)1 << nr;
}

static uint64_t first_bits(unsigned int nr)
{
	return nr < 64 ? bit(nr) - 1 : UINT64_MAX;
}

/* The lowest member leaves the set. */
static unsigned int take(uint64_t *set)
{
	unsigned int nr = (unsigned int)__builtin_ctzll(*set);

	*set &= *set - 1;
	return nr;
}

/* What was written since the last look; all of it if @slots is UINT64_MAX. */
struct oracle_changes {
	uint64_t slots;
	uint64_t pages;
};

/* ---- What is another now, and remembered ------------------------------------------ */

PLAIN_LOOP static uint32_t word_of_slot(const struct pkmap_slot *slot)
{
	uint32_t word;

	__builtin_memcpy(&word, slot, sizeof(word));
	return word;
}

/*
 * Eight by eight: a group that is the same costs a few instructions. The last
 * group may go beyond the last slot, to those of an earlier machine.
 */
PLAIN_LOOP static uint64_t changed_slots(struct exec *exec)
{
	const struct pkmap_slot *now = exec->hm->pkmap.slot;
	const struct pkmap_slot *seen = exec->seen.slot;
	uint64_t changed = 0;

	for (unsigned int g = 0; g < exec->config->nr_slots; g += 8) {
		uint32_t differs = 0;

		for (unsigned int i = g; i < g + 8; i++)
			differs |= word_of_slot(&now[i]) ^
				   word_of_slot(&seen[i]);
		for (unsigned int i = g; differs != 0 && i < g + 8; i++)
			if (word_of_slot(&now[i]) != word_of_slot(&seen[i]))
				changed |= (uint64_t)1 << i;
	}
	return changed;
}

PLAIN_LOOP static uint32_t word_of(const port_atomic_t *atomic)
{
	uint32_t word;

	__builtin_memcpy(&word, atomic, sizeof(word));
	return word;
}

PLAIN_LOOP static uint64_t changed_pages(struct exec *exec)
{
	const struct page *now = exec->hm->config.mem_map;
	const struct page *seen = exec->seen.page;
	unsigned int nr = exec->config->nr_pages;
	uint64_t changed = 0;

	for (unsigned int i = 0; i < nr && i < PROGRAM_MAX_PAGES; i++)
		changed |= (uint64_t)(word_of(&now[i].pkmap) !=
				      word_of(&seen[i].pkmap))
			   << i;
	return changed;
}

/* Slots whose bit is another; ~0 if it is one beyond the last slot's word. */
PLAIN_LOOP static uint64_t changed_free_bits(struct exec *exec)
{
	const uint32_t *now = exec->hm->pkmap.free;
	uint64_t changed = now[0] ^ exec->seen.free[0];
	uint32_t beyond = 0;

	changed |= (uint64_t)(now[1] ^ exec->seen.free[1]) << 32;
	for (unsigned int w = 2; w < HIGHMEM_MAX_SLOTS / 32; w++)
		beyond |= now[w];
	return beyond ? UINT64_MAX : changed;
}

/* A window's PTE was written; or, of another address, nothing is known. */
static bool note_window(struct exec *exec, vaddr_t vaddr)
{
	unsigned int nr = virt_to_fix(vaddr) - FIX_KMAP_BEGIN;
	uint16_t *windows;

	if (nr >= KM_MAX_IDX * HIGHMEM_MAX_CPUS)
		return false;
	windows = &exec->seen.windows[nr / KM_MAX_IDX];
	*windows &= (uint16_t)~bit(nr % KM_MAX_IDX);
	if (!pte_none(port_pte_read(vaddr)))
		*windows |= (uint16_t)bit(nr % KM_MAX_IDX);
	return true;
}

static void note_all_windows(struct exec *exec)
{
	for (unsigned int i = FIX_KMAP_BEGIN; i <= FIX_KMAP_END; i++)
		note_window(exec, fixmap_vaddr(i));
}

/*
 * The slots whose PTE was written since the last machine_audit(), and the
 * windows. ~0 when the machine does not know.
 */
static uint64_t changed_ptes(struct exec *exec)
{
	const struct highmem_config *config = exec->config;
	const vaddr_t *ptes;
	uint64_t changed = 0;
	unsigned int nr;

	exec->seen.pte_unknown |= !machine_changed_ptes(&ptes, &nr);
	for (unsigned int i = 0; !exec->seen.pte_unknown && i < nr; i++) {
		vaddr_t slot = (ptes[i] - config->pkmap_base) >> PAGE_SHIFT;

		if (slot < config->nr_slots)
			changed |= bit((unsigned int)slot);
		else if (!note_window(exec, ptes[i]))
			exec->seen.pte_unknown = true;
	}
	return exec->seen.pte_unknown ? UINT64_MAX : changed;
}

/*
 * A slot whose page has changed, or a page whose slot has: what is said of
 * either reads both, and the former partner may need another look, too.
 */
static uint64_t pages_of_slot(const struct exec *exec,
			      const struct pkmap_slot *slot)
{
	uint32_t cookie = port_atomic_load(&slot->page);

	return cookie != 0 && cookie <= exec->config->nr_pages ? bit(cookie - 1)
							       : 0;
}

static uint64_t slots_of_page(const struct exec *exec, const struct page *page)
{
	uint32_t slot = pkmap_word_slot(port_atomic_load(&page->pkmap));

	return slot < exec->config->nr_slots ? bit(slot) : 0;
}

static struct oracle_changes find_changes(struct exec *exec)
{
	const struct highmem *hm = exec->hm;
	struct oracle_changes changes = {
		.slots = changed_ptes(exec) | changed_free_bits(exec) |
			 (changed_slots(exec) & first_bits(hm->config.nr_slots)),
		.pages = changed_pages(exec),
	};

	if (changes.slots == UINT64_MAX)
		return changes;
	for (uint64_t left = changes.pages; left != 0;) {
		unsigned int p = take(&left);

		changes.slots |= slots_of_page(exec, &exec->seen.page[p]) |
				 slots_of_page(exec, &hm->config.mem_map[p]);
	}
	for (uint64_t left = changes.slots; left != 0;) {
		unsigned int s = take(&left);

		changes.pages |= pages_of_slot(exec, &exec->seen.slot[s]) |
				 pages_of_slot(exec, &hm->pkmap.slot[s]);
	}
	return changes;
}

static void remember(struct exec *exec, const struct oracle_changes *changes)
{
	const struct highmem *hm = exec->hm;

	for (uint64_t left = changes->slots; left != 0;) {
		unsigned int s = take(&left);

		exec->seen.slot[s] = hm->pkmap.slot[s];
	}
	for (uint64_t left = changes->pages; left != 0;) {
		unsigned int p = take(&left);

		exec->seen.page[p] = hm->config.mem_map[p];
	}
	exec->seen.free[0] = hm->pkmap.free[0];
	exec->seen.free[1] = hm->pkmap.free[1];
}

static void remember_all(struct exec *exec)
{
	const struct highmem_config *config = exec->config;
	const struct oracle_changes all = {
		.slots = first_bits(config->nr_slots),
		.pages = first_bits(config->nr_pages),
	};

	remember(exec, &all);
	if (exec->seen.pte_unknown)
		note_all_windows(exec);
	exec->seen.pte_unknown = false;
}

/* Of TLBs only what the subject promises; they load what is new in any case. */
const char *oracle_audit(void)
{
	const char *why = machine_audit();

	return subject_promises(SUBJECT_NO_STALE_TLB) ? why : NULL;
}

/* ---- The look ---------------------------------------------------------------------- */

static void suspect(struct exec *exec, const char *why)
{
	exec->suspects |= why != NULL;
}

static void check_changed_slots(struct exec *exec, uint64_t slots)
{
	while (slots != 0) {
		unsigned int s = take(&slots);

		suspect(exec, highmem_validate_slot(exec->hm, s));
		if (exec->suspects)
			return; /* what is wrong there is not followed */
		oracle_check_slot(exec, s);
	}
}

static void check_changed_pages(struct exec *exec, uint64_t pages)
{
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		pages |= exec->actors[a].touched;
		exec->actors[a].touched = 0;
	}
	while (pages != 0) {
		unsigned int p = take(&pages);

		suspect(exec, highmem_validate_page(exec->hm, p));
		if (exec->suspects)
			return;
		oracle_check_page(exec, p);
	}
}

/* Nobody waits, and all is as it must be then: most queues, most of the time. */
PLAIN_LOOP static bool queue_is_idle(struct highmem *hm, unsigned int colour)
{
	const struct pkmap_queue *queue = &hm->pkmap.queue[colour];

	return !queue->head && !queue->tail && word_of(&queue->nr) == 0 &&
	       hm->pkmap.hand[colour] <= hm->config.nr_slots &&
	       !port_spin_is_locked(&queue->lock);
}

/* As many slots are between owners as the core has given to waiters. */
static void suspect_given(struct exec *exec, unsigned int colour)
{
	const struct highmem *hm = exec->hm;
	uint32_t given = hm->pkmap.queue[colour].given;
	uint64_t slots = exec->between;

	if (slots != 0)
		slots &= UINT64_MAX / (bit(hm->config.nr_colours) - 1)
			 << colour;
	exec->suspects |= (uint32_t)__builtin_popcountll(slots) != given;
}

/*
 * Is something wrong, as far as it has changed? exec_fail() only marks it here:
 * oracle_look() says more.
 */
static bool looks_wrong(struct exec *exec, const struct actor *actor,
			const struct oracle_changes *changes)
{
	struct highmem *hm = exec->hm;

	if (changes->slots == UINT64_MAX)
		return true;
	exec->suspects = port_spin_is_locked(&hm->pkmap.lock) ||
			 (changes->slots & ~first_bits(hm->config.nr_slots)) !=
				 0;
	if (exec->suspects)
		return true;
	exec->suspecting = true;
	check_changed_slots(exec, changes->slots);
	check_changed_pages(exec, changes->pages);
	for (unsigned int c = 0; c < hm->config.nr_colours; c++) {
		suspect_given(exec, c);
		if (queue_is_idle(hm, c))
			continue;
		if (!oracle_queue_is_sound(exec, c))
			break;
		suspect(exec, highmem_validate_queue(hm, c));
		oracle_check_waiters(exec, c);
	}
	oracle_check_between(exec);
	oracle_check_windows(exec, actor);
	exec->suspecting = false;
	return exec->suspects;
}

static bool changes_are_enough(const struct exec *exec)
{
	const struct highmem_config *config = exec->config;

	return exec->options->look != LOOK_AT_ALL &&
	       config->nr_slots <= PROGRAM_MAX_SLOTS &&
	       config->nr_pages <= PROGRAM_MAX_PAGES;
}

/* The two ways to look must come to the same. */
static void compare(struct exec *exec, bool suspects, bool failed_before)
{
	struct exec_result *result = exec->result;
	char sentence[sizeof(result->sentence)];

	if (exec_failed(exec) == suspects || failed_before)
		return;
	if (suspects) {
		exec_fail(exec, "a look at what changed suspects something, "
				"and nothing is wrong");
		return;
	}
	hm_format(sentence, sizeof(sentence), "%s", result->sentence);
	hm_format(result->sentence, sizeof(result->sentence),
		  "a look at what changed does not see: %s", sentence);
}

void oracle_look(struct exec *exec, const struct actor *actor, bool everywhere)
{
	struct oracle_changes changes = { 0 };
	bool failed = exec_failed(exec);
	bool by_changes = changes_are_enough(exec);
	const char *audit;
	bool suspects;

	exec_look(exec);
	if (!exec->hm) {
		oracle_look_outside(exec, actor);
		return;
	}
	if (by_changes)
		changes = find_changes(exec);
	/* From now on the machine counts changes anew. */
	audit = oracle_audit();
	suspects = audit || !by_changes || looks_wrong(exec, actor, &changes);
	everywhere |= ++exec->seen.looks % FULL_EVERY == 0 ||
		      exec->options->look == LOOK_TWICE;
	if (suspects || everywhere)
		oracle_check_all(exec, actor, audit);
	if (exec->options->look == LOOK_TWICE && changes.slots != UINT64_MAX)
		compare(exec, suspects, failed);
	if (by_changes && changes.slots != UINT64_MAX)
		remember(exec, &changes);
	else if (by_changes)
		remember_all(exec);
}

void oracle_look_reset(struct exec *exec)
{
	exec->seen = (struct oracle_seen){ 0 };
	exec->between = 0;
	exec->suspecting = false;
	if (!exec->hm)
		return;
	/*
	 * A new machine's slots have no page and its windows are empty; that
	 * is what zeroes say. The free map starts full.
	 */
	exec->seen.free[0] = exec->hm->pkmap.free[0];
	exec->seen.free[1] = exec->hm->pkmap.free[1];
}
