/* Small questions about strings, and names from outside. Pure. */
#ifndef GAPSHIP_TEXT_H
#define GAPSHIP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool gs_text_equal(const char *a, const char *b); /* both may be NULL; two NULLs are equal */
bool gs_text_starts(const char *text, const char *prefix);
bool gs_text_ends(const char *text, const char *suffix);
/* The candidate nearest to text by edit distance, or NULL when none is near enough to be meant (distance over a third of its
 * length). Borrowed from candidates. For "did you mean …". */
const char *gs_text_nearest(const char *text, const char *const *candidates, size_t count);
bool gs_text_is_utf8(const char *text, size_t len);
/* Copies text to out, every control character and every byte that is not UTF-8 as '?', cut at size - 1. For printing what came from
 * outside. */
void gs_text_printable(const char *text, char *out, size_t size);

/* A name that people gave a thing: release, environment, unit, chart, migration. 1 to 63 of [a-z0-9] and inside also [-._]. */
bool gs_name_valid(const char *name);
/* A relative path that stays where it is: no empty, "." or ".." component, no leading slash, backslash, control byte or invalid
 * UTF-8; components up to 255 bytes, 4096 in all. "" is refused. */
bool gs_path_valid(const char *path);
/* Shell-style match with '*' and '?' over the whole text; '*' crosses '/'. */
bool gs_glob_match(const char *pattern, const char *text);
/* Dotted versions in one order: by their numbers, then by what stands behind them, in semver by its rule, else by numeric and text
 * fields; a leading 'v' is ignored. <0, 0, >0. */
int gs_version_compare(const char *a, const char *b);
/* A constraint: ">=1.2.0", "<2", "=1.4.1", several separated by spaces or commas (all must hold). Pure precedence: 2.0.0-rc.1 is less
 * than 2. *valid is false, and so is the answer, when it is malformed. */
bool gs_version_satisfies(const char *version, const char *constraint, bool *valid);

#endif
