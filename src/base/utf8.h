/* UTF-8 for the base module's own use: what texts from outside are made of, and how they are made fit for a terminal. */
#ifndef GAPSHIP_BASE_UTF8_H
#define GAPSHIP_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed sequence at the start of text (RFC 3629: no overlong forms, no surrogates), 0 when there is none. */
size_t gs_utf8_length(const char *text, size_t len);
/* Copies to out what a terminal may show, '?' for each control character, direction override and byte that is not UTF-8; stops
 * before a character that does not fit in size - 1. Returns how many bytes of text were taken. */
size_t gs_utf8_printable(const char *text, char *out, size_t size);
/* The same, ending in "…" when it did not all fit or when `cut` says that text itself had already lost its end. */
void gs_utf8_shorten(const char *text, bool cut, char *out, size_t size);

#endif
