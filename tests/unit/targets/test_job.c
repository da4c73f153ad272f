/* job.c: what of a log is told first. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "job.h"

static const struct {
    const char *log, *reason, *words;
} cases[] = {
    {"", "", "it wrote nothing"},
    {"\n \n", "DeadlineExceeded", "DeadlineExceeded"},
    {"one\n", "BackoffLimitExceeded", "one"},
    {"one\ntwo\n\n", "", "one; two"},
    {"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "", "2; 3; 4; 5; 6; 7; 8; 9"},
};

static void test_last_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_BUF gs_buf log;
        gs_job_seen seen = {.state = GS_JOB_FAILED};
        char words[64];
        gs_buf_init(&log, GS_KIB(1));
        gs_buf_add_text(&log, cases[i].log);
        (void)snprintf(seen.reason, sizeof seen.reason, "%s", cases[i].reason);
        gs_job_last_words(&log, &seen, words, sizeof words);
        assert_string_equal(words, cases[i].words);
    }
}

static void test_last_words_fit(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf log;
    const gs_job_seen seen = {.state = GS_JOB_FAILED};
    char words[32];
    gs_buf_init(&log, GS_KIB(1));
    gs_buf_add_text(&log, "a long first line\n");
    for (int i = 0; i < 100; i++) {
        gs_buf_add_text(&log, "\n");
    }
    gs_buf_add_text(&log, "the very end of it");
    gs_job_last_words(&log, &seen, words, sizeof words);
    assert_true(strlen(words) < sizeof words);
    assert_contains(words, "end of it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_last_words), cmocka_unit_test(test_last_words_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
