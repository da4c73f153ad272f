/* What must be unique, what must exist, what excludes each other, in a release as a whole. */
#include "release_support.h"

#define SECOND_UNIT "{name: app, source: {manifests: m}, target: {kind: kubectl}}"

static const bad_input names[] = {
    {HEAD "images: [{from: \"a.io/x:1\"}, {from: \"b.io/x:1\"}]\n" ENVIRONMENT, "release.yaml:4:30",
     "the site repository \"x\" is here a second time; the first is at line 4"},
    {HEAD "images:\n- {from: \"nginx:1\", as: a}\n- {from: \"docker.io/library/nginx:1\", as: b}\n" ENVIRONMENT,
     "release.yaml:6:10", "the image docker.io/library/nginx:1 is here a second time; the first is at line 5"},
    {HEAD "charts: [{name: c, from: a}, {name: c, from: b}]\n" ENVIRONMENT, "release.yaml:4:37",
     "the chart \"c\" is here a second time; the first is at line 4"},
    {HEAD "overlays: [{name: o, from: a}, {name: o, from: b}]\n" ENVIRONMENT, "release.yaml:4:39",
     "the overlay \"o\" is here a second time; the first is at line 4"},
    {HEAD "files: [{name: f, from: a}, {name: f, from: b}]\n" ENVIRONMENT, "release.yaml:4:36",
     "the file \"f\" is here a second time; the first is at line 4"},
    {HEAD "inputs: [{name: A}, {name: A}]\n" ENVIRONMENT, "release.yaml:4:28",
     "the input \"A\" is here a second time; the first is at line 4"},
    {HEAD CHARTS "environments: [{name: a, units: [" UNIT "]}, {name: a, units: [" UNIT "]}]\n", "release.yaml:5:116",
     "the environment \"a\" is here a second time; the first is at line 5"},
    {HEAD CHARTS "environments: [{name: a, units: [" UNIT ", " SECOND_UNIT "]}]\n", "release.yaml:5:114",
     "the unit \"app\" is here a second time; the first is at line 5"},
    {HEAD CONTENTS "environments:\n- name: a\n  units: [" UNIT
                   "]\n  migrations:\n  - {name: m, image: team/backend, command: [x]}\n"
                   "  - {name: m, image: team/backend, command: [x]}\n",
     "release.yaml:12:12", "the migration \"m\" is here a second time; the first is at line 11"},
};

static void names_are_unique(void **state)
{
    (void)state;
    assert_bad_releases(names);
}

static const bad_input contents[] = {
    {HEAD "images: [{from: \"a//x:1\"}]\n" ENVIRONMENT, "release.yaml:4:17", NULL},
    {HEAD "images: [{from: \"a:1\", platforms: [linux]}]\n" ENVIRONMENT, "release.yaml:4:36", NULL},
    {HEAD "charts: [{name: c, from: \"oci://r.io/c\"}]\n" ENVIRONMENT, "release.yaml:4:26",
     "charts from oci://r.io/c are not supported yet", "fetch it with `helm pull` and name the .tgz here"},
    {HEAD "charts: [{name: c, from: /abs}]\n" ENVIRONMENT, "release.yaml:4:26",
     "\"/abs\" is not a directory or .tgz below the directory of release.yaml"},
    {HEAD "schemas: {m: {from: \"5\", to: \"4\"}}\n" ENVIRONMENT, "release.yaml:4:30", "the schema \"m\" goes from 5 back to 4"},
    {HEAD "schemas: {m: {from: \"3\", to: \"4\", appMin: \"5\", appMax: \"6\"}}\n" ENVIRONMENT, "release.yaml:4:30",
     "the schema \"m\" goes to 4, which the application (5 to 6) does not run on"},
    {HEAD "schemas: {m: {from: \"3\", to: \"4\", appMax: \"3\"}}\n" ENVIRONMENT, "release.yaml:4:30",
     "the schema \"m\" goes to 4, which the application (3 to 3) does not run on"},
    {HEAD "inputs: [{name: A, required: true, default: x}]\n" ENVIRONMENT, "release.yaml:4:45",
     "the input \"A\" is required and has a default"},
    {HEAD "inputs: [{name: A, sensitive: true, default: x}]\n" ENVIRONMENT, "release.yaml:4:46",
     "the input \"A\" is sensitive; its default would travel in the bundle"},
    {HEAD "inputs: [{name: A, type: integer, default: x}]\n" ENVIRONMENT, "release.yaml:4:44",
     "the default of the input \"A\" is not an integer"},
    {HEAD "inputs: [{name: A, type: boolean, default: 1}]\n" ENVIRONMENT, "release.yaml:4:44",
     "the default of the input \"A\" is not true or false"},
    {HEAD "requires: {tools: {kustomize: \">=5\"}}\n" ENVIRONMENT, "release.yaml:4:19",
     "\"kustomize\" is no tool that gapship uses; they are kubectl and helm"},
    {HEAD "environments: []\n", "release.yaml:4:15", "there is no environment to install"},
    {HEAD CHARTS "environments: [{name: a, units: [" UNIT "]}]\ninvariants: [{sameDigest: [a, b]}]\n", "release.yaml:6:31",
     "there is no environment \"b\""},
    {HEAD CHARTS "environments: [{name: a, units: [" UNIT "]}]\ninvariants: [{sameDigest: [a]}]\n", "release.yaml:6:27",
     "sameDigest compares at least two environments"},
    {HEAD CHARTS "environments: [{name: a, gates: {verifiedIn: [b]}, units: [" UNIT "]}, {name: b, units: [" UNIT "]}]\n",
     "release.yaml:5:47", "\"b\" is no environment that stands before \"a\""},
    {HEAD CHARTS "environments: [{name: a, gates: {verifiedIn: [a]}, units: [" UNIT "]}]\n", "release.yaml:5:47",
     "\"a\" is no environment that stands before \"a\""},
};

static void contents_fit_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        if (contents[i].message) {
            assert_bad_release(&contents[i]);
            continue;
        }
        gs_error err = {0}; /* the words are src/oci's */
        gs_release *release = NULL;
        assert_fails(&err, GS_ESPEC, contents[i].where,
                     gs_release_parse("release.yaml", contents[i].text, strlen(contents[i].text), &release, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(contents_fit_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
