/* migration.c: the pauses between attempts. What runs Jobs is tested against a real cluster. */
#include "support.h"

#include "job.h"

#define SUPERNOVA                                                                                                                  \
    {                                                                                                                              \
        .attempts = 6, .initial = 2000, .factor = 2, .max = 60000                                                                  \
    }

static const struct {
    gs_retry_spec retry;
    int64_t attempt, pause;
} cases[] = {
    {SUPERNOVA, 2, 2000},
    {SUPERNOVA, 3, 4000},
    {SUPERNOVA, 6, 32000},
    {SUPERNOVA, 7, 60000},
    {SUPERNOVA, 1000, 60000},
    {{.initial = 2000, .factor = 1, .max = 60000}, 50, 2000},
    {{.initial = 2000, .factor = 0, .max = 60000}, 50, 2000},
    {{.initial = 90000, .factor = 2, .max = 60000}, 2, 60000},
    {{.initial = 1000, .factor = 10, .max = 50000}, 3, 10000},
    {{.initial = 1000, .factor = 10, .max = 50000}, 4, 50000},
    {{.initial = 0, .factor = 2, .max = 60000}, 9, 0},
};

static void test_pauses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(gs_retry_pause(&cases[i].retry, cases[i].attempt), cases[i].pause);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pauses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
