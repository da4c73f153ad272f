/* Shared by the tests of installer/config. */
#ifndef GAPSHIP_TEST_CONFIG_SUPPORT_H
#define GAPSHIP_TEST_CONFIG_SUPPORT_H

#include "support.h"

#include <string.h>

#include "gapship/site.h"

/* Five lines, with what a site must have; more follows in line 6. */
#define HEAD                                                                                                                       \
    "apiVersion: gapship/v1\n"                                                                                                     \
    "kind: Site\n"                                                                                                                 \
    "name: plant-7\n"                                                                                                              \
    "store: /var/lib/gapship\n"                                                                                                    \
    "trust: {root: trust/root.json}\n"
#define REGISTRY "registry: {url: \"https://registry.internal:5000\"}\n"

static inline gs_site *good_site(const char *path, const char *text)
{
    gs_error err = {0};
    gs_site *site = NULL;
    assert_ok(&err, gs_site_parse(path, text, strlen(text), &site, &err));
    return site;
}

static inline void assert_bad_site(const bad_input *bad)
{
    gs_error err = {0};
    gs_site *site = NULL;
    int rc = gs_site_parse("site.yaml", bad->text, strlen(bad->text), &site, &err);
    support_assert_refused(bad, rc, &err);
    assert_null(site);
    assert_int_equal(gs_site_parse("site.yaml", bad->text, strlen(bad->text), &site, NULL), rc);
}

#endif
