/* Variables are known where they may stand, before anything is built. */
#include "release_support.h"

#define MIGRATION(rest)                                                                                                            \
    HEAD CONTENTS "schemas: {main: {from: \"3\", to: \"4\"}}\ninputs: [{name: HOST, required: true}, {name: PORT}, {name: TLS, "   \
                  "default: yes}]\n"                                                                                               \
                  "environments: [{name: a, units: [" UNIT                                                                         \
                  "], migrations: [\n  {name: m, schema: main, image: team/backend, " rest "}]}]\n"

static void every_variable_is_known(void **state)
{
    (void)state;
    gs_release_free(
        good_release(MIGRATION("command: [\"${version} ${name} ${environment} ${tag.team/backend}\", \"${digest.library/nginx}\",\n"
                               "\"${input.HOST} ${input.TLS}\", \"${bundle} ${schema} $${input.PORT}\", "
                               "\"${schema.from}-${schema.to}\", \"$${HOME}\", \"$HOME\"]")));
}

static const bad_input bad[] = {
    {MIGRATION("command: [a, \"x${version}${input.PORT}\"]"), "release.yaml:10:61",
     "the input \"PORT\" may be absent: it is neither required nor has a default"},
    {MIGRATION("command: [a, \"${unit}\"]"), "release.yaml:10:61", "there is no variable \"${unit}\"",
     "write $${ where ${ itself is meant"},
    {MIGRATION("command: [a, \"${tag}\"]"), "release.yaml:10:61", "there is no variable \"${tag}\"",
     "write $${ where ${ itself is meant"},
    {MIGRATION("command: [a, \"${tag.nginx}\"]"), "release.yaml:10:61", "there is no variable \"${tag.nginx}\"",
     "write $${ where ${ itself is meant"},
    {MIGRATION("command: [a, b, \"${HOME}\"]"), "release.yaml:10:64", "there is no variable \"${HOME}\"",
     "write $${ where ${ itself is meant"},
    {MIGRATION("command: [\"${input.HOSTS}\"]"), "release.yaml:10:58", "there is no variable \"${input.HOSTS}\"",
     "write $${ where ${ itself is meant"},
    {MIGRATION("command: [a], reversible: true, down: {command: [b, \"${schema.too}\"]}"), "release.yaml:10:100",
     "there is no variable \"${schema.too}\"", "write $${ where ${ itself is meant"},
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
