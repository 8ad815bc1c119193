/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/port/guest.h"
#include "stress/subjects/plain/plain.h"

/*
 * The file's variables, in blocks. Whoever writes says so before, and the block
 * goes onto a list: what is on it is put right at the next boot, and what differs
 * there from a new machine is the state.
 */

#define BLOCK 64
#define MAX_BLOCKS 4096
#define BLOCK_WORDS (BLOCK / sizeof(uint64_t))

/* Neither need exist. Their ends are no multiples of a block. */
extern char __start_subject_bss[] __attribute__((weak));
extern char __stop_subject_bss[] __attribute__((weak));
extern char __start_subject_data[] __attribute__((weak));
extern char __stop_subject_data[] __attribute__((weak));

static const struct {
	char *from;
	char *to;
} sections[] = {
	{ __start_subject_bss, __stop_subject_bss },
	{ __start_subject_data, __stop_subject_data },
};

#define NR_SECTIONS (sizeof(sections) / sizeof(sections[0]))

struct block {
	char *at;
	size_t size;
	uint64_t number; /* of what it is when new */
	bool touched;
	_Alignas(8) char image[BLOCK];
};

static struct block blocks[MAX_BLOCKS];
static unsigned int first_block[NR_SECTIONS];
static unsigned int nr_blocks;
static unsigned int list[MAX_BLOCKS]; /* of those that are touched */
static unsigned int nr_touched;
static bool booted;

static bool is_in(unsigned int section, const void *addr)
{
	return (uintptr_t)addr - (uintptr_t)sections[section].from <
	       (uintptr_t)sections[section].to -
		       (uintptr_t)sections[section].from;
}

bool plain_is_variable(const void *addr)
{
	for (unsigned int s = 0; s < NR_SECTIONS; s++)
		if (is_in(s, addr))
			return true;
	return false;
}

static void touch(unsigned int nr)
{
	if (blocks[nr].touched)
		return;
	blocks[nr].touched = true;
	list[nr_touched++] = nr;
}

void plain_touch(const void *addr, size_t size)
{
	if (!booted)
		return; /* all there is will be looked at */
	for (unsigned int s = 0; s < NR_SECTIONS; s++) {
		size_t offset = (size_t)((const char *)addr - sections[s].from);

		if (!is_in(s, addr))
			continue;
		for (size_t b = offset / BLOCK; b * BLOCK < offset + size; b++)
			touch(first_block[s] + (unsigned int)b);
	}
}

/* Two different blocks with the same bytes count twice. */
static uint64_t number_of(const struct block *block)
{
	uint64_t words[BLOCK_WORDS] = { 0 };
	uint64_t hash = (uintptr_t)block->at;

	memcpy(words, block->at, block->size);
	for (unsigned int i = 0; i < BLOCK_WORDS; i++)
		hash = guest_mix(hash, words[i]);
	return hash;
}

/* In which order they were written is no part of the state. */
uint64_t plain_hash(uint64_t hash)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr_touched; i++) {
		const struct block *block = &blocks[list[i]];

		sum += number_of(block) - block->number;
	}
	return guest_mix(hash, sum);
}

/* ---- Boots ------------------------------------------------------------------------- */

_Noreturn static void refuse(const char *what, const char *where)
{
	fprintf(stderr, "the subject cannot be tested: %s%s\n", what, where);
	exit(EXIT_FAILURE);
}

static void take_image(struct block *block, char *at, size_t size)
{
	block->at = at;
	block->size = size;
	memcpy(block->image, at, size);
	block->number = number_of(block);
}

static void take_images(void)
{
	for (unsigned int s = 0; s < NR_SECTIONS; s++) {
		size_t size = (size_t)(sections[s].to - sections[s].from);

		first_block[s] = nr_blocks;
		for (size_t at = 0; at < size; at += BLOCK) {
			size_t left = size - at;

			if (nr_blocks == MAX_BLOCKS)
				refuse("it has more than 256 KiB of variables; "
				       "raise MAX_BLOCKS in ",
				       "stress/subjects/plain/state.c");
			take_image(&blocks[nr_blocks++], sections[s].from + at,
				   left < BLOCK ? left : BLOCK);
		}
	}
}

static void restore(void)
{
	while (nr_touched > 0) {
		struct block *block = &blocks[list[--nr_touched]];

		memcpy(block->at, block->image, block->size);
		block->touched = false;
	}
}

/* The first byte that is another than in a new machine, or NULL. */
static const char *find_leak(void)
{
	for (unsigned int b = 0; b < nr_blocks; b++) {
		const struct block *block = &blocks[b];

		if (memcmp(block->at, block->image, block->size) == 0)
			continue;
		for (size_t i = 0; i < block->size; i++)
			if (block->at[i] != block->image[i])
				return block->at + i;
	}
	return NULL;
}

/*
 * Looking at all costs as much as there is. What is wrong here is wrong in the
 * file, so it shows early; and a rare path may show it late.
 */
#define ALWAYS_UP_TO 128
#define THEN_EACH 1024

static void check_for_leaks(void)
{
	static unsigned int boots;
	const char *leak;

	boots++;
	if (boots > ALWAYS_UP_TO && boots % THEN_EACH != 0)
		return;
	leak = find_leak();
	if (leak)
		refuse("its state leaks from run to run; neither the compiler "
		       "nor plain_touch() told of a write to ",
		       plain_word(leak) ? plain_word(leak) : "a variable");
}

void plain_boot(void (*init)(void))
{
	if (booted) {
		restore();
		check_for_leaks();
		return;
	}
	init();
	plain_settle();
	take_images();
	booted = true;
}
