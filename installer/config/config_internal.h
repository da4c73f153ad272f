/* What the files of installer/config share. */
#ifndef GAPSHIP_CONFIG_INTERNAL_H
#define GAPSHIP_CONFIG_INTERNAL_H

#include "gapship/site.h"

/* site.yaml as written: the keys around the struct that the rest of gapship sees. */
typedef struct gs_site_file {
    const char *api_version, *kind;
    struct {
        const char *root;
    } trust;
    struct {
        int64_t keep;
    } retention;
    struct {
        bool allow_unsigned;
        const char *max_age;
        int on_stale; /* GS_STALE_… */
    } policy;
    gs_site site; /* without what the three above hold */
} gs_site_file;

enum { GS_STALE_WARN, GS_STALE_REFUSE };

extern const gs_bind_table gs_site_table; /* gs_site_file */

/* check.c: what the table cannot see. */
int gs_site_check(const gs_site *site, gs_error *err);
/* paths.c: every path of the site, against the directory of site.yaml. */
int gs_site_resolve_paths(gs_site *site, gs_error *err);

#endif
