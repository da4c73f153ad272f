/* docs/limits.md and limits.h say the same: every limit has its row, every row its limit. */
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "support.h"

/* "GS_MIB(16)" as "16 MiB", "1024u" as "1024". */
static void show_bound(const char *definition, char *out, size_t size)
{
    char number[32];
    unsigned long long value = 0;
    char unit = '\0';
    if (sscanf(definition, "GS_%cIB(%llu)", &unit, &value) == 2) {
        (void)snprintf(out, size, "%llu %ciB", value, unit);
    } else {
        assert_int_equal(sscanf(definition, "%31[0-9]", number), 1);
        (void)snprintf(out, size, "%s", number);
    }
}

static void documents_each_limit(void **state)
{
    (void)state;
    gs_buf header;
    gs_buf docs;
    support_read_fixture("include/gapship/limits.h", &header);
    support_read_fixture("docs/limits.md", &docs);
    size_t limits = 0;
    char *rest = header.data;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        char name[64];
        char definition[64];
        char bound[32];
        char row[160];
        if (sscanf(line, "#define %63s %63s", name, definition) != 2 || strchr(name, '(')) {
            continue;
        }
        show_bound(definition, bound, sizeof bound);
        (void)snprintf(row, sizeof row, "\n| `%s` | %s | ", name, bound);
        assert_contains(gs_buf_text(&docs), row);
        limits++;
    }
    size_t rows = 0;
    for (const char *row = strstr(gs_buf_text(&docs), "\n| `"); row; row = strstr(row + 1, "\n| `")) {
        rows++;
    }
    assert_true(limits > 30);
    assert_int_equal(rows, limits);
    gs_buf_done(&header);
    gs_buf_done(&docs);
}

static void fits_together(void **state)
{
    (void)state;
    /* The unit of verification is copied in whole buffers, a statement fits its envelope in base64, defaults their maximum. */
    assert_int_equal(GS_CHUNK_BYTES % GS_BUFFER_BYTES, 0);
    assert_true(GS_MAX_STATEMENT_BYTES / 3 * 4 < GS_MAX_ENVELOPE_BYTES);
    assert_true(GS_DEFAULT_JOBS <= GS_MAX_JOBS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(documents_each_limit), cmocka_unit_test(fits_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
