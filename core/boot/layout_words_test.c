/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <highmem/layout.h>

#define MIB(n) ((uint64_t)(n) << 20)

static struct layout_options options;

static void boot_words(const char *words)
{
	char why[128];

	layout_default_options(&options);
	cr_assert_null(layout_parse_words(&options, words, why, sizeof(why)));
}

Test(layout_words, are_taken_and_others_passed_over)
{
	boot_words("  quiet\tvmalloc=0x10000000 root=/dev/hda1\nhighmem=512M "
		   "vmallocs=7 xmalloc=7 lowmem=1024k page_offset=0xB0000000 ");
	cr_expect_eq(options.vmalloc_bytes, MIB(256));
	cr_expect_eq(options.highmem_bytes, MIB(512));
	cr_expect_eq(options.lowmem_limit, MIB(1));
	cr_expect_eq(options.page_offset, 0xb0000000);
	boot_words("highmem=3g");
	cr_expect_eq(options.highmem_bytes, MIB(3072));
	cr_expect_eq(options.vmalloc_bytes, MIB(128));
	boot_words("highmem=12K vmalloc=4095m");
	cr_expect_eq(options.highmem_bytes, 12288);
	boot_words("highmem=18446744073709551610");
	cr_expect_eq(options.highmem_bytes, UINT64_MAX - 5);
}

static void expect_refusal(const char *words, const char *sentence)
{
	struct layout_options before;
	char why[128] = "";

	layout_default_options(&options);
	before = options;
	cr_expect_eq(layout_parse_words(&options, words, why, sizeof(why)),
		     why);
	cr_expect_str_eq(why, sentence);
	cr_expect_eq(options.pae, before.pae);
	cr_expect_eq(options.page_offset, before.page_offset);
	cr_expect_eq(options.vmalloc_bytes, before.vmalloc_bytes);
	cr_expect_eq(options.highmem_bytes, before.highmem_bytes);
	cr_expect_eq(options.lowmem_limit, before.lowmem_limit);
}

Test(layout_words, are_refused_in_one_sentence)
{
	expect_refusal("vmalloc=", "vmalloc=: a number is missing");
	expect_refusal("vmalloc=M", "vmalloc=M: a number is missing");
	expect_refusal("vmalloc=0x", "vmalloc=0x: a number is missing");
	expect_refusal("vmalloc=-1", "vmalloc=-1: a number is missing");
	expect_refusal("highmem=5 vmalloc=12T",
		       "vmalloc=12T: the unit is none of K, M and G");
	expect_refusal("vmalloc=12MB",
		       "vmalloc=12MB: the unit is none of K, M and G");
	expect_refusal("vmalloc=0x12xM",
		       "vmalloc=0x12xM: the unit is none of K, M and G");
	expect_refusal("vmalloc=1:",
		       "vmalloc=1:: the unit is none of K, M and G");
	expect_refusal("vmalloc=4G",
		       "vmalloc=4G: that is more than 32 bits have addresses "
		       "for");
	expect_refusal("page_offset=0x100000000",
		       "page_offset=0x100000000: that is more than 32 bits "
		       "have addresses for");
	expect_refusal("highmem=18446744073709551616",
		       "highmem=18446744073709551616: the number is too large");
	expect_refusal("highmem=18446744073709551620",
		       "highmem=18446744073709551620: the number is too large");
	expect_refusal("highmem=18446744073709551615",
		       "highmem=18446744073709551615: the number is too large");
	expect_refusal("highmem=17179869184G",
		       "highmem=17179869184G: the number is too large");
	expect_refusal("lowmem=0", "lowmem=0: lowmem cannot be empty");
	expect_refusal("lowmem=5M x lowmem=5M",
		       "lowmem=5M: the word is there twice");
	expect_refusal("highmem=0000000000000000000000000000000000000000000000x",
		       "highmem=0000000000000000000000000000000: the unit is "
		       "none of K, M and G");
	expect_refusal("highmem=0000000000000000000000000000000x",
		       "highmem=0000000000000000000000000000000: the unit is "
		       "none of K, M and G");
}
