/* What the files of src/render share and nobody else sees. */
#ifndef GAPSHIP_RENDER_INTERNAL_H
#define GAPSHIP_RENDER_INTERNAL_H

#include "gapship/doc.h"
#include "gapship/proc.h"
#include "gapship/render.h"

/* render.c -----------------------------------------------------------------------------------------------------------------------
 */

/* Runs helm or kubectl cut off from the site: no network, no files but what is readable (NULL-terminated paths, or NULL), an empty
 * HOME, in the directory cwd (-1: that HOME). A failure is GS_ECHECK with the tool's last lines. result must be done'd in every
 * case. */
typedef struct gs_tool_call {
    const char *const *argv;
    const char *const *readable;
    int cwd;
} gs_tool_call;
int gs_render_run_tool(const gs_run *run, const gs_tool_call *call, gs_proc_result *result, gs_error *err) GS_MUST_USE;
/* An absolute path in arena; GS_ECHECK when there is no such thing (what: "the values file"). */
int gs_render_real_path(const char *what, const char *path, gs_arena *arena, const char **out, gs_error *err) GS_MUST_USE;
int gs_render_values_path(const char *path, gs_arena *arena, const char **out, gs_error *err) GS_MUST_USE;

/* unit.c -------------------------------------------------------------------------------------------------------------------------
 */

/* The request for a unit whose source is a chart; strings in arena. */
int gs_render_chart_request(const gs_unit_render *unit, gs_arena *arena, gs_render_request *out, gs_error *err) GS_MUST_USE;

/* kustomization.c ----------------------------------------------------------------------------------------------------------------
 */

/* A kustomization below a directory that is open. */
typedef struct gs_kustomization {
    const char *path; /* of its file, relative to the tree; in arena */
    gs_doc *doc;
} gs_kustomization;
/* Reads the kustomization of the directory at path (relative to the tree, "." for its root). GS_ECHECK when there is none or more
 * than one. */
int gs_kustomization_read(int tree, const char *path, gs_arena *arena, gs_kustomization *out, gs_error *err) GS_MUST_USE;
/* Whether kustomize would fetch entry over the network, or clone it. */
bool gs_kustomization_remote(const char *entry);
/* The path of entry, written in the directory at base, relative to the tree; NULL when it leaves the tree. *failed: out of memory.
 */
const char *gs_kustomization_join(gs_arena *arena, const char *base, const char *entry, bool *failed);

/* edit_plan.c --------------------------------------------------------------------------------------------------------------------
 */

/* One change of a text: `removed` bytes at offset give way to text. */
typedef struct gs_splice {
    size_t offset, removed;
    const char *text;
} gs_splice;

/* A file that is being edited, and what is to change in it. */
typedef struct gs_edit_plan {
    gs_arena *arena;
    const char *data;
    size_t len;
    const char *line_break; /* of this file */
    gs_splice *splices;     /* in the order made; those at one offset stay in it */
    size_t count, room;
} gs_edit_plan;
/* Plans the edits of a parsed kustomization. GS_ESPEC with the line where the layout does not allow it. */
int gs_edit_plan_images(gs_edit_plan *plan, const gs_node *root, const gs_image_edit *edits, size_t count,
                        gs_error *err) GS_MUST_USE;

#endif
