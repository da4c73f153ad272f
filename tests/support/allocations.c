/* See allocations.h. */
#include "allocations.h"

#include <stdarg.h>
#include <stdio.h>

void *__wrap_malloc(size_t size)
{
    return allocation_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return allocation_refused() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return allocation_refused() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
    return allocation_refused() ? NULL : __real_strndup(text, len);
}

int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = allocation_refused() ? -1 : vasprintf(out, format, args);
    va_end(args);
    return len;
}
