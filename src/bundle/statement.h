/* The statement (FORMAT.md section 4) as bytes and as struct. */
#ifndef GAPSHIP_BUNDLE_STATEMENT_H
#define GAPSHIP_BUNDLE_STATEMENT_H

#include "gapship/bundle.h"

/* NULL, or what is wrong with the fields that people choose (product, version, numbers, constraint, time): a sentence. */
const char *gs_statement_problem(const gs_statement *statement);
/* Appends the one serialisation a writer uses. */
int gs_statement_write(const gs_statement *statement, gs_buf *out, gs_error *err) GS_MUST_USE;
/* Parses bytes whose signatures were checked. Strings live in arena. GS_EFORMAT. */
int gs_statement_parse(const void *data, size_t len, gs_arena *arena, gs_statement *out, gs_error *err) GS_MUST_USE;

#endif
