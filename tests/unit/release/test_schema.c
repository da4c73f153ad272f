/* The schema that editors complete from, and the reference that people read, have the keys that release.yaml has. */
#include "schema_support.h"

#include "release/release_internal.h"

static void the_schema_has_the_keys_of_the_tables(void **state)
{
    (void)state;
    schema_assert_matches("bundle-spec/schema/release.schema.json", &gs_release_table);
}

static void the_reference_explains_every_key(void **state)
{
    (void)state;
    schema_assert_explained("bundle-spec/RELEASE.md", &gs_release_table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_has_the_keys_of_the_tables),
        cmocka_unit_test(the_reference_explains_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
