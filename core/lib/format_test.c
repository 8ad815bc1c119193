/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include <highmem/format.h>

/* Also checks that the length is that of the text. */
#define EXPECT_TEXT(want, ...) \
	do { \
		char buf_[96]; \
		size_t len_ = hm_format(buf_, sizeof(buf_), __VA_ARGS__); \
		cr_expect_str_eq(buf_, want); \
		cr_expect_eq(len_, sizeof(want) - 1); \
	} while (0)

Test(format, text_without_anything_in_it)
{
	EXPECT_TEXT("", "");
	EXPECT_TEXT("as it is", "as it is");
}

Test(format, numbers)
{
	EXPECT_TEXT("0", "%u", 0u);
	EXPECT_TEXT("10", "%u", 10u);
	EXPECT_TEXT("4294967295", "%u", UINT32_MAX);
	EXPECT_TEXT("0x0", "%x", 0u);
	EXPECT_TEXT("0xdeadbeef", "%x", 0xdeadbeefu);
	EXPECT_TEXT("0xffffffff", "%x", UINT32_MAX);
}

Test(format, addresses_have_all_their_bits)
{
	EXPECT_TEXT("0x0", "%p", (vaddr_t)0);
	EXPECT_TEXT("0xff800fff", "%p", (vaddr_t)0xff800fff);
#if UINTPTR_MAX > UINT32_MAX
	EXPECT_TEXT("0x123456789abcdef0", "%p", (vaddr_t)0x123456789abcdef0);
#endif
}

Test(format, strings_and_characters)
{
	EXPECT_TEXT("<abc>", "<%s>", "abc");
	EXPECT_TEXT("<>", "<%s>", "");
	EXPECT_TEXT("A:B", "%c:%c", 'A', 'B');
}

Test(format, several_in_one)
{
	EXPECT_TEXT("page 17 (pfn 0x38011): 100% of task A",
		    "page %u (pfn %x): %u%% of %s %c", 17u, 0x38011u, 100u,
		    "task", 'A');
}

Test(format, percent_and_what_it_does_not_know)
{
	EXPECT_TEXT("%", "%%");
	EXPECT_TEXT("a%b", "a%%b");
	EXPECT_TEXT("q", "%q");
	EXPECT_TEXT("cut here: ", "cut here: %");
}

/* The buffer is followed by a byte that must stay. */
Test(format, a_text_that_does_not_fit_is_cut_and_closed)
{
	char buf[10] = "?????????";

	cr_expect_eq(hm_format(buf, 8, "%u and more", 1234567u), 16);
	cr_expect_arr_eq(buf, "1234567\0?", 9);
	cr_expect_eq(hm_format(buf, 5, "%s", "abcdefgh"), 8);
	cr_expect_arr_eq(buf, "abcd", 5);
}

Test(format, a_text_fits_exactly_or_by_one_too_few)
{
	char buf[5] = "????";

	cr_expect_eq(hm_format(buf, 4, "abc"), 3);
	cr_expect_arr_eq(buf, "abc\0", 5);
	cr_expect_eq(hm_format(buf, 3, "abc"), 3);
	cr_expect_arr_eq(buf, "ab\0\0", 5);
}

Test(format, a_buffer_of_one_byte_or_none)
{
	char buf[2] = "??";

	cr_expect_eq(hm_format(buf, 1, "abc"), 3);
	cr_expect_arr_eq(buf, "\0?", 2);
	buf[0] = '?';
	cr_expect_eq(hm_format(buf, 0, "abc"), 3);
	cr_expect_arr_eq(buf, "??", 2);
	cr_expect_eq(hm_format(NULL, 0, "%u", 12345u), 5);
}
