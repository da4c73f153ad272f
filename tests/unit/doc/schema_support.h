/* Compares a JSON Schema with the binder tables that it describes, and a reference in prose with both. */
#ifndef GAPSHIP_TEST_SCHEMA_SUPPORT_H
#define GAPSHIP_TEST_SCHEMA_SUPPORT_H

#include "support.h"

#include "gapship/bind.h"

/* Fails the test unless the schema file has exactly the table's keys, at every depth: required, types, choices, defaults; each with
 * a description; and no key that is not supported yet. Where $defs has "wholeX" beside "x", both together say what x requires. */
void schema_assert_matches(const char *path, const gs_bind_table *table);
/* Fails the test unless the file names every key of the table, at every depth, as `key`. */
void schema_assert_explained(const char *path, const gs_bind_table *table);

#endif
