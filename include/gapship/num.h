/* Strict parsers and checked sums: numbers, durations, times, sizes, hex. None skips white space, none accepts a sign it did not
 * ask for, none accepts trailing bytes. All return false and leave the output alone on anything else. */
#ifndef GAPSHIP_NUM_H
#define GAPSHIP_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool gs_parse_u64(const char *text, uint64_t max, uint64_t *out);
bool gs_parse_i64(const char *text, int64_t *out);
/* A duration in milliseconds: a number and one of ms, s, m, h ("300s", "5m", "2.5s" is refused). At most 30 days. */
bool gs_parse_duration(const char *text, int64_t *milliseconds);
/* An age in seconds, for what lasts longer than any step: a number and h or d ("36h", "180d"). At most 36500 days. */
bool gs_parse_age(const char *text, int64_t *seconds);
/* A size in bytes: "4GB" (10^9), "4GiB" (2^30), k/M/G/T with B or iB, or plain bytes. */
bool gs_parse_size(const char *text, uint64_t *bytes);
/* RFC 3339 in UTC ("2026-11-21T13:55:00Z"), seconds since 1970; years 1970 to 9999. */
bool gs_parse_time(const char *text, int64_t *seconds);

/* 2^53 - 1, the largest whole number that every JSON reader can hold. */
#define GS_LARGEST_NUMBER ((UINT64_C(1) << 53) - 1)
#define GS_TIME_TEXT      21 /* "2026-11-21T13:55:00Z" and NUL */
/* Writes RFC 3339; a time out of range is written as its nearest bound. */
void gs_format_time(int64_t seconds, char out[GS_TIME_TEXT]);
#define GS_SIZE_TEXT 16
/* "741.8 MB", "512 B": powers of 1000, one decimal. For people; JSON has bytes. */
void gs_format_size(uint64_t bytes, char out[GS_SIZE_TEXT]);
/* "1.3 s", "4 m 10 s". For people; JSON has seconds. */
void gs_format_duration(int64_t milliseconds, char out[GS_SIZE_TEXT]);

/* Lower-case hex. gs_hex_decode needs exactly 2 * len lower-case digits followed by the end of the string. */
void gs_hex_encode(const unsigned char *bytes, size_t len, char *out /* 2 * len + 1 */);
bool gs_hex_decode(const char *text, unsigned char *out, size_t len);

/* True when it fits; *out is set only then. */
bool gs_add_u64(uint64_t a, uint64_t b, uint64_t *out);
bool gs_mul_u64(uint64_t a, uint64_t b, uint64_t *out);
bool gs_add_size(size_t a, size_t b, size_t *out);
bool gs_mul_size(size_t a, size_t b, size_t *out);
/* Rounds up to a multiple of a power of two. */
bool gs_round_up_u64(uint64_t value, uint64_t multiple, uint64_t *out);

bool gs_all_zero(const void *data, size_t len);

uint16_t gs_load_u16(const unsigned char *p);
uint32_t gs_load_u32(const unsigned char *p);
uint64_t gs_load_u64(const unsigned char *p);

#endif
