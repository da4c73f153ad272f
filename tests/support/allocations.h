/* Allocations that fail when a test wants it: a program that links gs_test_allocations says which, in allocation_refused. */
#ifndef GAPSHIP_TEST_ALLOCATIONS_H
#define GAPSHIP_TEST_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "gapship/error.h"

/* Asked at each allocation of gapship's own code; defined by the test. */
bool allocation_refused(void);

/* Those that are never refused. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
/* What gapship's own code calls. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_asprintf(char **out, const char *format, ...) GS_PRINTF(2, 3);

#endif
