/* One input becomes one document, which owns its tree and its name. Must not know either syntax. */
#include "doc_internal.h"

#include <stdlib.h>
#include <string.h>

void gs_doc_free(gs_doc *doc)
{
    if (!doc) {
        return;
    }
    gs_arena_free(doc->arena);
    free(doc->name);
    free(doc);
}

void gs_doc_free_p(gs_doc **doc)
{
    gs_doc_free(*doc);
}

static gs_doc *new_doc(const char *name)
{
    gs_doc *doc = calloc(1, sizeof *doc);
    if (!doc) {
        return NULL;
    }
    doc->name = strdup(name);
    doc->arena = gs_arena_new();
    if (!doc->name || !doc->arena) {
        gs_doc_free(doc);
        return NULL;
    }
    return doc;
}

static int parse_text(gs_doc *doc, gs_dialect dialect, bool many, const char *data, size_t len, gs_error *err)
{
    int code = gs_doc_check_input(doc->name, data, len, err);
    if (code < 0) {
        return code;
    }
    if (dialect == GS_JSON) {
        return gs_json_parse(doc, data, len, err);
    }
    gs_yaml_rules rules = {.manifest = dialect == GS_MANIFEST, .many = many};
    code = gs_yaml_parse(doc, rules, data, len, err);
    if (code < 0 || doc->root) {
        return code;
    }
    if (dialect == GS_CONFIGURATION) {
        return gs_doc_fail((gs_doc_place){doc->name, 0, 0}, err, GS_ESPEC, "the file is empty");
    }
    doc->root = gs_node_new_null(doc->arena);
    return doc->root ? 0 : gs_fail_nomem(err);
}

static int parse(gs_dialect dialect, bool many, const char *name, const char *data, size_t len, gs_doc **out, gs_error *err)
{
    gs_error ignored = {0};
    if (!err) {
        err = &ignored;
    }
    GS_AUTO_DOC gs_doc *doc = new_doc(name);
    if (!doc) {
        return gs_fail_nomem(err);
    }
    int code = parse_text(doc, dialect, many, data, len, err);
    if (code < 0) {
        return code;
    }
    *out = GS_STEAL(doc);
    return 0;
}

int gs_doc_parse(gs_dialect dialect, const char *name, const char *data, size_t len, gs_doc **out, gs_error *err)
{
    return parse(dialect, false, name, data, len, out, err);
}

int gs_doc_parse_manifests(const char *name, const char *data, size_t len, gs_doc **out, gs_error *err)
{
    return parse(GS_MANIFEST, true, name, data, len, out, err);
}
