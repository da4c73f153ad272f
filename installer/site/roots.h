/* The site's trust root as it grows (roots.c). */
#ifndef GAPSHIP_SITE_ROOTS_H
#define GAPSHIP_SITE_ROOTS_H

#include "site.h"

/* Fills in the row that says which root a site was made with, or has reached. */
int gs_roots_entry(const gs_trust *trust, gs_entry *out, gs_error *err) GS_MUST_USE;
/* Loads the trust root file, and compares it with what the ledger remembers before anything else is believed. change: ends what a kill
 * interrupted. GS_ESTATE: the file is older than the site has come, another root of the same version, or newer without anybody having
 * proven it. */
int gs_roots_open(gs_installation *site, bool change, gs_error *err) GS_MUST_USE;
/* Walks the chain of an opened bundle, if it carries one; from then on site->trust is the newest root. keep: each root is kept before the
 * next is looked at. */
int gs_roots_walk(gs_installation *site, const gs_bundle *bundle, bool keep, gs_error *err) GS_MUST_USE;
/* Whether a file is a chain and nothing else: a root-only bundle. */
bool gs_roots_is_chain(const char *path);
/* GS_EUSAGE: such a file was given in place of a bundle. */
int gs_roots_fail_chain(const char *path, gs_error *err) GS_MUST_USE;
/* Walks and keeps such a file. */
int gs_roots_import(gs_installation *site, const char *path, gs_error *err) GS_MUST_USE;

#endif
