/* SPDX-License-Identifier: MIT */

#include "stress/kernel/pack.h"

#include <highmem/format.h>

#define MAGIC "HMPACK1\n"
#define MAGIC_BYTES (sizeof(MAGIC) - 1)

static char why[256];
static struct program program;

/* What is left of a module. */
struct rest {
	const uint8_t *at;
	size_t size;
};

static const uint8_t *take(struct rest *rest, size_t size)
{
	const uint8_t *at = rest->at;

	if (size > rest->size)
		return NULL;
	rest->at += size;
	rest->size -= size;
	return at;
}

static bool take_number(struct rest *rest, uint32_t *number)
{
	const uint8_t *b = take(rest, 4);

	if (!b)
		return false;
	*number = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
		  (uint32_t)b[3] << 24;
	return true;
}

static bool begins_with(const uint8_t *data, size_t size, const char *start)
{
	for (; *start; start++, data++, size--)
		if (size == 0 || *data != (uint8_t)*start)
			return false;
	return true;
}

static bool load(const char *name, const void *data, size_t size)
{
	struct program_error error;

	/* No choices are played here: those of any version may be in there. */
	if (!program_is_text(data, size)) {
		program_decode(&program, data, size);
		return true;
	}
	if (program_parse(&program, data, size, &error))
		return true;
	hm_format(why, sizeof(why), "%s:%u: %s", name, error.line,
		  error.expected);
	return false;
}

static bool copy_name(char *name, const uint8_t *bytes, uint32_t len)
{
	if (!bytes || len == 0 || len >= PACK_NAME_BYTES)
		return false;
	for (uint32_t i = 0; i < len; i++) {
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return false;
		name[i] = (char)bytes[i];
	}
	name[len] = '\0';
	return true;
}

/* The next program of a pack, into @program. */
static bool load_next(struct rest *rest, char *name)
{
	uint32_t name_len, len;
	const uint8_t *data;

	if (!take_number(rest, &name_len) || !take_number(rest, &len)) {
		hm_format(why, sizeof(why), "is cut short");
		return false;
	}
	if (!copy_name(name, take(rest, name_len), name_len)) {
		hm_format(why, sizeof(why), "is cut short, or its name is bad");
		return false;
	}
	data = take(rest, len);
	if (!data) {
		hm_format(why, sizeof(why), "%s, is cut short", name);
		return false;
	}
	return load(name, data, len);
}

static const char *for_each_in_pack(const char *module, struct rest rest,
				    pack_visit_t *visit, unsigned int *nr)
{
	static char sentence[320];
	char name[PACK_NAME_BYTES];
	uint32_t count;

	take(&rest, MAGIC_BYTES);
	if (!take_number(&rest, &count)) {
		hm_format(sentence, sizeof(sentence), "%s: is cut short",
			  module);
		return sentence;
	}
	for (*nr = 0; *nr < count; ++*nr) {
		if (!load_next(&rest, name)) {
			hm_format(sentence, sizeof(sentence),
				  "%s: program %u of %u: %s", module, *nr + 1,
				  count, why);
			return sentence;
		}
		if (visit)
			visit(name, &program);
	}
	if (rest.size == 0 && count > 0)
		return NULL;
	hm_format(sentence, sizeof(sentence), "%s: %s", module,
		  count ? "there is more behind the last program"
			: "a pack without a program");
	return sentence;
}

const char *pack_for_each(const char *name, const void *data, size_t size,
			  pack_visit_t *visit, unsigned int *nr)
{
	*nr = 0;
	if (begins_with(data, size, MAGIC))
		return for_each_in_pack(
			name, (struct rest){ .at = data, .size = size }, visit,
			nr);
	if (!program_is_text(data, size)) {
		hm_format(why, sizeof(why),
			  "%s: neither a program as text nor a pack of them",
			  name);
		return why;
	}
	if (!load(name, data, size))
		return why;
	*nr = 1;
	if (visit)
		visit(name, &program);
	return NULL;
}
