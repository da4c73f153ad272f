/* Shared by the tests of src/release: a whole release with one part replaced, and exact errors. */
#ifndef GAPSHIP_TEST_RELEASE_SUPPORT_H
#define GAPSHIP_TEST_RELEASE_SUPPORT_H

#include "support.h"

#include <string.h>

#include "gapship/release.h"

/* Three lines before everything: what follows begins at line 4. */
#define HEAD                                                                                                                       \
    "apiVersion: gapship/v1\n"                                                                                                     \
    "kind: Release\n"                                                                                                              \
    "metadata: {name: demo, version: \"1.2.3\", sequence: 7}\n"
/* One line each. */
#define IMAGES      "images: [{from: \"ghcr.io/org/backend:e5c2216\", as: team/backend}, {from: \"nginx:1.25\"}]\n"
#define CHARTS      "charts: [{name: app, from: deploy/chart}]\n"
#define OVERLAYS    "overlays: [{name: k8s, from: k8s}]\n"
#define CONTENTS    IMAGES CHARTS OVERLAYS
#define UNIT        "{name: app, source: {chart: app}, target: {kind: helm, namespace: web}}"
#define ENVIRONMENT "environments: [{name: staging, units: [" UNIT "]}]\n"

static inline gs_release *good_release(const char *text)
{
    gs_error err = {0};
    gs_release *release = NULL;
    assert_ok(&err, gs_release_parse("release.yaml", text, strlen(text), &release, &err));
    return release;
}

static inline void assert_bad_release(const bad_input *bad)
{
    gs_error err = {0};
    gs_release *release = NULL;
    int rc = gs_release_parse("release.yaml", bad->text, strlen(bad->text), &release, &err);
    support_assert_refused(bad, rc, &err);
    assert_null(release);
    assert_int_equal(gs_release_parse("release.yaml", bad->text, strlen(bad->text), &release, NULL), rc);
}

#define assert_bad_releases(list)                                                                                                  \
    do {                                                                                                                           \
        for (size_t gs_i = 0; gs_i < COUNT_OF(list); gs_i++)                                                                       \
            assert_bad_release(&(list)[gs_i]);                                                                                     \
    } while (0)

#endif
