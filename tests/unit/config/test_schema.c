/* The schema that editors complete from, and the reference that people read, have the keys that site.yaml has. */
#include "schema_support.h"

#include "config/config_internal.h"

static void the_schema_has_the_keys_of_the_tables(void **state)
{
    (void)state;
    schema_assert_matches("bundle-spec/schema/site.schema.json", &gs_site_table);
}

static void the_reference_explains_every_key(void **state)
{
    (void)state;
    schema_assert_explained("bundle-spec/SITE.md", &gs_site_table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_has_the_keys_of_the_tables),
        cmocka_unit_test(the_reference_explains_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
