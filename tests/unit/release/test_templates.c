/* Variables are known where they may stand, before anything is built. */
#include "release_support.h"

#define MIGRATION(rest)                                                                                                            \
    HEAD CONTENTS "schemas: {main: {from: \"3\", to: \"4\"}}\ninputs: [{name: HOST}]\n"                                            \
                  "environments: [{name: a, units: [" UNIT                                                                         \
                  "], migrations: [\n  {name: m, schema: main, image: team/backend, " rest "}]}]\n"

static void every_variable_is_known(void **state)
{
    (void)state;
    gs_release_free(
        good_release(MIGRATION("command: [\"${version} ${name} ${environment} ${tag.team/backend}\", \"${digest.library/nginx}\",\n"
                               "\"${input.HOST}\", \"${schema.from}-${schema.to}\", \"$${HOME}\", \"$HOME\"]")));
}

static const bad_release bad[] = {
    {MIGRATION("command: [a, \"${tag.nginx}\"]"), "release.yaml:10:61", "there is no variable \"${tag.nginx}\"",
     "write $${ where ${ itself is meant"},
    {MIGRATION("command: [a, b, \"${HOME}\"]"), "release.yaml:10:64", "there is no variable \"${HOME}\"",
     "write $${ where ${ itself is meant"},
    {MIGRATION("command: [\"${input.HOSTS}\"]"), "release.yaml:10:58", "there is no variable \"${input.HOSTS}\"",
     "write $${ where ${ itself is meant"},
    {MIGRATION("command: [a], reversible: true, down: {command: [b, \"${schema}\"]}"), "release.yaml:10:100",
     "there is no variable \"${schema}\"", "write $${ where ${ itself is meant"},
    {MIGRATION("command: [a], env: {B: \"${version\"}"), "release.yaml:10:71", "the variable \"${version\" lacks its }",
     "write $${ where ${ itself is meant"},
};

static void a_misspelt_variable_is_found_at_its_place(void **state)
{
    (void)state;
    assert_bad_releases(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variable_is_known),
        cmocka_unit_test(a_misspelt_variable_is_found_at_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
