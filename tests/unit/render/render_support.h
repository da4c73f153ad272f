/* Helm and kubectl for the tests of rendering. */
#ifndef GAPSHIP_RENDER_SUPPORT_H
#define GAPSHIP_RENDER_SUPPORT_H

#include "gapship/doc.h"
#include "gapship/proc.h"
#include "gapship/render.h"
#include "support.h"

/* The tools in $GAPSHIP_TEST_TOOLS, by default where tests/cluster/cluster keeps them. helm is "helm3" or "helm4". Where one is missing the
 * test fails in CI (CI=true) and says how to get it; elsewhere it is skipped by name. For gs_tools_done. */
void render_support_tools(const char *helm, gs_tools *out);
/* The path of one of them, in memory that lives as long as the program; fails or skips as above. */
const char *render_support_tool(const char *name);
/* A chart at `path` below dirfd: a Deployment whose image comes from image.repository and image.tag, a migration hook, a test, a
 * CRD. */
void render_support_chart(int dirfd, const char *path);
/* Packs the chart directory below dir as the chart NAME.tgz at `archive`. */
void render_support_pack(const gs_tempdir *dir, const char *chart, const char *archive);
/* The object of that kind and name in the list; fails the test when it is not there. */
const gs_node *render_support_object(const gs_doc *doc, const char *kind, const char *name);

#endif
