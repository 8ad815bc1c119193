/* SPDX-License-Identifier: MIT */
#include <highmem/format.h>

struct out {
	char *buf;
	size_t size;
	size_t len;
};

static void put_char(struct out *out, char c)
{
	if (out->len + 1 < out->size)
		out->buf[out->len] = c;
	out->len++;
}

static void put_string(struct out *out, const char *s)
{
	while (*s)
		put_char(out, *s++);
}

static void put_number(struct out *out, vaddr_t value, unsigned int base)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (n > 0)
		put_char(out, digits[--n]);
}

static void put_hex(struct out *out, vaddr_t value)
{
	put_string(out, "0x");
	put_number(out, value, 16);
}

size_t hm_vformat(char *buf, size_t size, const char *format, va_list args)
{
	struct out out = { buf, size, 0 };

	for (; *format; format++) {
		if (*format != '%') {
			put_char(&out, *format);
			continue;
		}
		switch (*++format) {
		case 'u':
			put_number(&out, va_arg(args, unsigned int), 10);
			break;
		case 'x':
			put_hex(&out, va_arg(args, unsigned int));
			break;
		case 'p':
			put_hex(&out, va_arg(args, vaddr_t));
			break;
		case 's':
			put_string(&out, va_arg(args, const char *));
			break;
		case 'c':
			put_char(&out, (char)va_arg(args, int));
			break;
		case '\0':
			format--;
			break;
		default:
			put_char(&out, *format);
			break;
		}
	}
	if (size > 0)
		buf[out.len < size ? out.len : size - 1] = '\0';
	return out.len;
}

size_t hm_format(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	size_t len;

	va_start(args, format);
	len = hm_vformat(buf, size, format, args);
	va_end(args);
	return len;
}
