/* SPDX-License-Identifier: MIT */
#include <highmem/format.h>
#include <highmem/layout.h>

/* A word of the command line: [start, start + len). */
struct word {
	const char *start;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static struct word next_word(const char **at)
{
	struct word word;

	while (is_blank(**at))
		++*at;
	word.start = *at;
	while (**at && !is_blank(**at))
		++*at;
	word.len = (size_t)(*at - word.start);
	return word;
}

static bool begins_with(struct word word, const char *key)
{
	size_t i = 0;

	while (key[i] && i < word.len && word.start[i] == key[i])
		i++;
	return !key[i];
}

static size_t length(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

/* The value of a digit in base @base, or @base if it is none. */
static unsigned int digit(char c, unsigned int base)
{
	unsigned int value = base;

	if (c >= '0' && c <= '9')
		value = (unsigned int)(c - '0');
	else if (c >= 'a' && c <= 'f')
		value = (unsigned int)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		value = (unsigned int)(c - 'A') + 10;
	return value < base ? value : base;
}

/* By halves: on 32 bits, a division of 64 would be a call of libgcc. */
static bool multiply(uint64_t *value, uint32_t factor)
{
	uint64_t low = (*value & UINT32_MAX) * factor;
	uint64_t high = (*value >> 32) * factor + (low >> 32);

	if (high > UINT32_MAX)
		return false;
	*value = high << 32 | (low & UINT32_MAX);
	return true;
}

/* Binary units; 0 if there is no such unit. */
static uint32_t unit_factor(struct word unit)
{
	if (unit.len == 0)
		return 1;
	if (unit.len > 1)
		return 0;
	switch (unit.start[0]) {
	case 'k':
	case 'K':
		return (uint32_t)1 << 10;
	case 'm':
	case 'M':
		return (uint32_t)1 << 20;
	case 'g':
	case 'G':
		return (uint32_t)1 << 30;
	default:
		return 0;
	}
}

static const char *parse_number(struct word word, uint64_t *number)
{
	bool hex = begins_with(word, "0x");
	unsigned int base = hex ? 16 : 10;
	size_t first = hex ? 2 : 0;
	size_t i = first;
	uint32_t factor;
	uint64_t value = 0;

	for (; i < word.len && digit(word.start[i], base) < base; i++) {
		unsigned int d = digit(word.start[i], base);

		if (!multiply(&value, base) || value > UINT64_MAX - d)
			return "the number is too large";
		value += d;
	}
	if (i == first)
		return "a number is missing";
	factor = unit_factor((struct word){ word.start + i, word.len - i });
	if (factor == 0)
		return "the unit is none of K, M and G";
	if (!multiply(&value, factor))
		return "the number is too large";
	*number = value;
	return NULL;
}

enum key {
	KEY_VMALLOC,
	KEY_HIGHMEM,
	KEY_LOWMEM,
	KEY_PAGE_OFFSET,
	NR_KEYS
};

static const char *const key_names[NR_KEYS] = {
	[KEY_VMALLOC] = "vmalloc=",
	[KEY_HIGHMEM] = "highmem=",
	[KEY_LOWMEM] = "lowmem=",
	[KEY_PAGE_OFFSET] = "page_offset=",
};

/* NR_KEYS: the word is somebody else's. */
static enum key find_key(struct word word)
{
	unsigned int i = 0;

	while (i < NR_KEYS && !begins_with(word, key_names[i]))
		i++;
	return (enum key)i;
}

static const char *check_value(enum key key, uint64_t value)
{
	if (key == KEY_HIGHMEM && value == LAYOUT_HIGHMEM_ALL)
		return "the number is too large";
	if (key != KEY_HIGHMEM && value > UINT32_MAX)
		return "that is more than 32 bits have addresses for";
	if (key == KEY_LOWMEM && value == 0)
		return "lowmem cannot be empty";
	return NULL;
}

static void take_value(struct layout_options *options, enum key key,
		       uint64_t value)
{
	switch (key) {
	case KEY_VMALLOC:
		options->vmalloc_bytes = value;
		break;
	case KEY_HIGHMEM:
		options->highmem_bytes = value;
		break;
	case KEY_LOWMEM:
		options->lowmem_limit = value;
		break;
	default:
		options->page_offset = (vaddr_t)value;
		break;
	}
}

static const char *parse_word(struct layout_options *options, struct word word,
			      uint32_t *seen)
{
	enum key key = find_key(word);
	const char *why;
	uint64_t value;
	size_t skip;

	if (key == NR_KEYS)
		return NULL;
	if (*seen >> key & 1)
		return "the word is there twice";
	*seen |= 1U << key;
	skip = length(key_names[key]);
	why = parse_number((struct word){ word.start + skip, word.len - skip },
			   &value);
	if (!why)
		why = check_value(key, value);
	if (!why)
		take_value(options, key, value);
	return why;
}

/* "WORD: why", with no more of the word than leaves room for the rest. */
static void explain(char *buf, size_t size, struct word word, const char *why)
{
	char start[40];
	size_t len = word.len < sizeof(start) - 1 ? word.len
						  : sizeof(start) - 1;

	for (size_t i = 0; i < len; i++)
		start[i] = word.start[i];
	start[len] = '\0';
	hm_format(buf, size, "%s: %s", start, why);
}

const char *layout_parse_words(struct layout_options *options,
			       const char *words, char *why, size_t size)
{
	struct layout_options parsed = *options;
	uint32_t seen = 0;

	for (;;) {
		struct word word = next_word(&words);
		const char *bad;

		if (word.len == 0)
			break;
		bad = parse_word(&parsed, word, &seen);
		if (bad) {
			explain(why, size, word, bad);
			return why;
		}
	}
	*options = parsed;
	return NULL;
}
