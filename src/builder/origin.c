/* Chooses the kind of origin for an image of release.yaml, and reads an OCI layout's index for two of them. */
#include "origin.h"

#include "gapship/contents.h"
#include "gapship/limits.h"
#include "gapship/text.h"

int gs_origin_open(gs_builder *builder, const gs_image_spec *spec, gs_origin **out, gs_error *err)
{
    gs_image_source source;
    int code = gs_image_source_parse(spec->from, builder->arena, &source, err);
    if (code < 0) {
        return gs_builder_fail(builder, spec->place, err, "%s", err->message);
    }
    const char *path = source.path ? gs_builder_path(builder, source.path) : NULL;
    switch (source.transport) {
    case GS_OCI_DIRECTORY:
        code = gs_origin_directory(builder->run, path, source.name, out, err);
        break;
    case GS_OCI_ARCHIVE:
        code = gs_origin_oci_archive(builder->run, path, source.name, out, err);
        break;
    case GS_DOCKER_ARCHIVE:
        code = gs_origin_docker_archive(builder->run, path, source.name, out, err);
        break;
    default:
        code = gs_origin_registry(builder, &source, out, err);
    }
    if (code == 0) {
        (*out)->name = spec->from;
    }
    return code;
}

void gs_origin_free(gs_origin *origin)
{
    if (origin) {
        origin->ops->free(origin);
    }
}

static bool is_named(const gs_descriptor *entry, const char *name)
{
    return gs_text_equal(gs_annotation(&entry->annotations, GS_REF_NAME_ANNOTATION), name) ||
           gs_text_equal(gs_annotation(&entry->annotations, GS_IMAGE_NAME_ANNOTATION), name);
}

int gs_layout_select(const char *where, const char *index_json, size_t len, const char *name, gs_arena *arena, gs_descriptor *out,
                     gs_error *err)
{
    gs_manifest index;
    int code = gs_manifest_parse(index_json, len, GS_MEDIA_INDEX, arena, &index, err);
    if (code < 0) {
        gs_error_recode(err, code == GS_EFORMAT ? GS_ESPEC : code);
        return gs_error_at(err, "%s: index.json", where);
    }
    const gs_descriptor *found = NULL;
    size_t matches = 0;
    for (size_t i = 0; i < index.item_count; i++) {
        if (name && !is_named(&index.items[i], name)) {
            continue;
        }
        if (!found || !gs_digest_equal(&found->digest, &index.items[i].digest)) {
            matches++;
        }
        found = &index.items[i];
    }
    if (matches == 1) {
        *out = *found;
        return 0;
    }
    if (!name && matches > 1) {
        code = gs_fail(err, GS_ESPEC, "the layout holds %zu images; say which one", matches);
    } else if (matches > 1) {
        code = gs_fail(err, GS_ESPEC, "the layout holds %zu different images called \"%s\"", matches, name);
    } else {
        code = gs_fail(err, GS_ENOTFOUND, "the layout holds no image%s%s", name ? " called " : "", name ? name : "");
    }
    gs_error_hint(err, "write it behind the path: oci:DIR:NAME, with the name that index.json has in " GS_REF_NAME_ANNOTATION);
    return gs_error_at(err, "%s", where);
}

int gs_origin_check_manifest(const char *data, size_t len, const gs_descriptor *chosen, gs_arena *arena, gs_buf *bytes,
                             gs_descriptor *out, gs_error *err)
{
    gs_digest digest;
    gs_manifest parsed;
    int code = gs_digest_of(data, len, &digest, err);
    if (code == 0 && !gs_digest_equal(&digest, &chosen->digest)) {
        code = gs_fail(err, GS_EDIGEST, "the manifest in the layout does not have the digest it is filed under");
    }
    if (code == 0) {
        code = gs_manifest_parse(data, len, chosen->media_type, arena, &parsed, err);
        code = code == GS_EFORMAT ? gs_error_recode(err, GS_ESPEC) : code;
    }
    if (code == 0) {
        gs_buf_add(bytes, data, len);
        code = gs_buf_check(bytes, err);
    }
    if (code < 0) {
        return code;
    }
    *out = (gs_descriptor){.media_type = parsed.media_type, .digest = digest, .size = len};
    return 0;
}
