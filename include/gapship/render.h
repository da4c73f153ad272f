/* From a chart, an overlay or a directory of manifests to objects, with the real helm and kubectl, hermetically: no
 * network, no files but those of the request, an empty HOME, a fixed environment, a bound on memory and time (gapship/confine.h).
 */
#ifndef GAPSHIP_RENDER_H
#define GAPSHIP_RENDER_H

#include <stdbool.h>

#include "gapship/release.h"
#include "gapship/run.h"

/* The tools, found once. Paths are $GAPSHIP_HELM, $GAPSHIP_KUBECTL or from PATH. */
typedef struct gs_tools {
    char *helm, *helm_version; /* NULL when absent; "3.17.3" */
    char *kubectl, *kubectl_version, *kustomize_version;
} gs_tools;
/* Absent tools are no error here; a use case that needs one says so (gs_tools_need). kustomize below 4.2 (kubectl 1.22) counts as
 * absent. Says once what this kernel lacks to confine them (gs_confine_report). */
int gs_tools_find(const gs_run *run, gs_tools *out, gs_error *err) GS_MUST_USE;
void gs_tools_done(gs_tools *tools);
/* $GAPSHIP_TOOL_PATHS, separated by ':': what the user lets helm and kubectl read, write and run beside what gapship does, because
 * the program is a wrapper that starts another one. NULL-terminated, in arena; NULL: out of memory. */
const char *const *gs_tools_paths(gs_arena *arena);
/* GS_ECHECK with where to get it. */
int gs_tools_need_helm(const gs_tools *tools, gs_error *err) GS_MUST_USE;
int gs_tools_need_kubectl(const gs_tools *tools, gs_error *err) GS_MUST_USE;

typedef struct gs_render_request {
    const char *environment, *unit; /* for messages */
    /* chart: path of a .tgz or directory */
    const char *chart;
    const char *release, *namespace;
    const char *const *values; /* files, later wins */
    size_t value_count;
    const gs_text_map *set;           /* --set-string; may be NULL */
    bool upgrade;                     /* --is-upgrade */
    const char *kube_version;         /* or NULL: helm's own */
    const gs_text_list *api_versions; /* --api-versions; may be NULL */
    /* overlay: directory with a kustomization; gs_render_check_hermetic first, kustomize itself fails only for want of a network */
    const char *overlay;
    const char *overlay_root; /* the tree that it may read; NULL: itself alone */
    /* manifests: directory of .yaml, .yml and .json files, read with those below it in byte order of their paths */
    const char *manifests;
} gs_render_request;

/* The objects, flattened, hooks and CRDs included, in doc->root. A chart that does not render, a file that is no object, a remote
 * base, a build that wants the network: GS_ECHECK with environment/unit in `where` and the tool's last lines. */
int gs_render(const gs_run *run, const gs_tools *tools, const gs_render_request *request, gs_doc **out, gs_error *err) GS_MUST_USE;

/* A unit of an environment out of WORK, a directory as gs_contents_extract lays it out. images: how references are written (NULL:
 * as the release has them); only charts use it, through imageValues. */
typedef struct gs_unit_render {
    const char *work;
    const gs_environment_spec *environment;
    const gs_unit_spec *unit;
    const gs_text_map *set; /* values by gs_image_values; may be NULL */
    bool upgrade;
    const char *kube_version;         /* or NULL */
    const gs_text_list *api_versions; /* or NULL */
} gs_unit_render;
int gs_render_unit(const gs_run *run, const gs_tools *tools, const gs_unit_render *request, gs_doc **out,
                   gs_error *err) GS_MUST_USE;

/* The values that make a chart use other references. For each entry of the unit's imageValues: where the unit's values files or the
 * chart's defaults have a map at that path, its repository, tag (and registry, digest where it has them) are set; else the path
 * itself gets the whole reference. A reference is "HOST/PATH:TAG@DIGEST" for an `as`, borrowed. */
typedef struct gs_referencing {
    const char *(*reference)(void *state, const char *as); /* NULL: out of memory, or not listed */
    void *state;
} gs_referencing;
int gs_image_values(const gs_run *run, const gs_tools *tools, const gs_unit_render *unit, const gs_referencing *references,
                    gs_arena *arena, gs_text_map *out, gs_error *err) GS_MUST_USE;

/* Kustomizations below root that name something outside it: remote resources, bases, components, charts, or files above root.
 * GS_ECHECK naming file, line and entry. */
int gs_render_check_hermetic(const gs_run *run, const char *root, const char *path, gs_error *err) GS_MUST_USE;
/* The files that the kustomization at path below root reads, itself included, relative to root, in byte order. */
int gs_render_closure(const char *root, const char *path, gs_arena *arena, gs_text_list *out, gs_error *err) GS_MUST_USE;

/* Edits the `images:` of a kustomization in place: every entry whose name is `name` gets newName, newTag and digest; missing keys
 * and a missing entry are added in the file's own style. Comments and layout stay, to the byte. A value is quoted when YAML would
 * read it as another type. GS_ESPEC when the file is laid out so that no such edit keeps its meaning: the result is parsed and
 * compared. */
typedef struct gs_image_edit {
    const char *name;     /* as rendered without the entry */
    const char *new_name; /* NULL: stays as it is */
    const char *new_tag;  /* NULL: an old one is removed */
    const char *digest;   /* NULL: an old one is removed: it would win over the new tag */
} gs_image_edit;
int gs_kustomization_edit(const char *name, const char *data, size_t len, const gs_image_edit *edits, size_t count, gs_buf *out,
                          gs_error *err) GS_MUST_USE;

#endif
