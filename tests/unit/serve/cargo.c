#include "cargo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cargo_init(cargo *c, gs_tempdir *dir, unsigned sequence)
{
    *c = (cargo){.dir = dir, .sequence = sequence};
    gs_buf_init(&c->entries, GS_MIB(1));
}

gs_descriptor cargo_blob(cargo *c, const char *media_type, const void *data, size_t len)
{
    gs_error err = {0};
    gs_descriptor found = {.media_type = media_type, .size = len};
    assert_ok(&err, gs_digest_of(data, len, &found.digest, &err));
    for (size_t i = 0; i < c->blob_count; i++) {
        if (gs_digest_equal(&c->descriptors[i].digest, &found.digest)) {
            return found;
        }
    }
    assert_true(c->blob_count < CARGO_BLOBS);
    gs_buf *blob = &c->blobs[c->blob_count];
    gs_buf_init(blob, GS_MIB(16));
    gs_buf_add(blob, data, len);
    assert_ok(&err, gs_buf_check(blob, &err));
    c->descriptors[c->blob_count++] = found;
    return found;
}

gs_descriptor cargo_text(cargo *c, const char *media_type, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    assert_true(len >= 0);
    gs_descriptor found = cargo_blob(c, media_type, text, (size_t)len);
    free(text);
    return found;
}

char *cargo_json(const gs_descriptor *descriptor, const char *extra)
{
    char digest[GS_DIGEST_TEXT];
    char *text = test_malloc(1024);
    gs_digest_text(&descriptor->digest, digest);
    int len = snprintf(text, 1024, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu%s}", descriptor->media_type, digest,
                       (unsigned long long)descriptor->size, extra);
    assert_true(len > 0 && len < 1024);
    return text;
}

gs_descriptor cargo_image(cargo *c, const gs_descriptor *layer, const char *config_type, const char *extra)
{
    gs_descriptor config = cargo_text(c, config_type, "{\"architecture\":\"amd64\",\"os\":\"linux\"}");
    char *first = cargo_json(&config, "");
    char *second = cargo_json(layer, "");
    gs_descriptor found = cargo_text(c, GS_MEDIA_MANIFEST,
                                     "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s,\"layers\":[%s]%s}",
                                     GS_MEDIA_MANIFEST, first, second, extra);
    test_free(first);
    test_free(second);
    return found;
}

static void add_entry(cargo *c, const gs_descriptor *descriptor, const char *kind, const char *name, const char *source)
{
    char extra[600];
    int len = snprintf(extra, sizeof extra, ",\"annotations\":{\"%s\":\"%s\",\"%s\":\"%s\"%s%s%s}", GS_KIND_ANNOTATION, kind,
                       GS_REF_NAME_ANNOTATION, name, source ? ",\"" GS_IMAGE_NAME_ANNOTATION "\":\"" : "", source ? source : "",
                       source ? "\"" : "");
    assert_true(len > 0 && (size_t)len < sizeof extra);
    char *text = cargo_json(descriptor, extra);
    gs_buf_add_text(&c->entries, c->entries.len > 0 ? "," : "");
    gs_buf_add_text(&c->entries, text);
    test_free(text);
}

void cargo_name(cargo *c, const gs_descriptor *image, const char *name, const char *source)
{
    add_entry(c, image, "image", name, source);
}

/* What every bundle has: the release and its lock. */
static void add_release(cargo *c)
{
    gs_descriptor release = cargo_text(c, GS_MEDIA_RELEASE,
                                       "{\"apiVersion\":\"gapship/v1\",\"kind\":\"Release\",\"metadata\":{\"name\":\"demo\","
                                       "\"version\":\"1.%u.0\",\"sequence\":%u},\"environments\":[{\"name\":\"site\",\"units\":[{"
                                       "\"name\":\"app\",\"source\":{\"manifests\":\"k8s\"},\"target\":{\"kind\":\"kubectl\"}}]}]}",
                                       c->sequence, c->sequence);
    gs_descriptor lock = cargo_text(c, GS_MEDIA_LOCK, "{\"apiVersion\":\"gapship/v1\",\"kind\":\"Lock\"}");
    gs_descriptor config = cargo_text(c, GS_MEDIA_EMPTY, "{}");
    char *parts[] = {cargo_json(&config, ""), cargo_json(&release, ""), cargo_json(&lock, "")};
    gs_descriptor manifest = cargo_text(c, GS_MEDIA_MANIFEST,
                                        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"artifactType\":\"%s\",\"config\":%s,"
                                        "\"layers\":[%s,%s]}",
                                        GS_MEDIA_MANIFEST, GS_MEDIA_RELEASE_ARTIFACT, parts[0], parts[1], parts[2]);
    add_entry(c, &manifest, "release", "release", NULL);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        test_free(parts[i]);
    }
}

static void write_bundle(cargo *c, const char *path)
{
    static const char manifest_json[] = "[]\n";
    GS_AUTO_WRITER gs_writer *writer = NULL;
    gs_error err = {0};
    char version[16];
    gs_buf index;
    gs_buf_init(&index, GS_MIB(1));
    gs_buf_printf(&index, "{\"schemaVersion\":2,\"manifests\":[%s]}\n", gs_buf_text(&c->entries));
    (void)snprintf(version, sizeof version, "1.%u.0", c->sequence);
    const gs_writer_plan plan = {
        .index_json = index.data,
        .index_json_len = index.len,
        .manifest_json = manifest_json,
        .manifest_json_len = strlen(manifest_json),
        .blobs = c->descriptors,
        .blob_count = c->blob_count,
        .statement = {.product = "demo", .version = version, .sequence = c->sequence, .issued_at = 1763733300}};
    assert_ok(&err, gs_writer_begin(NULL, path, &plan, &writer, &err));
    for (size_t i = 0; i < c->blob_count; i++) {
        gs_sink *sink = NULL;
        assert_ok(&err, gs_writer_blob(writer, &c->descriptors[i].digest, &sink, &err));
        assert_ok(&err, gs_sink_write(sink, c->blobs[i].data, c->blobs[i].len, &err));
        assert_ok(&err, gs_sink_close(&sink, &err));
    }
    assert_ok(&err, gs_writer_seal(writer, NULL, 0, false, NULL, &err));
    gs_buf_done(&index);
}

gs_verified *cargo_finish(cargo *c)
{
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    gs_verified *verified = NULL;
    gs_error err = {0};
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%u.gapship", c->dir->path, c->sequence);
    add_release(c);
    write_bundle(c, path);
    for (size_t i = 0; i < c->blob_count; i++) {
        gs_buf_done(&c->blobs[i]);
    }
    gs_buf_done(&c->entries);
    assert_ok(&err, gs_bundle_open(path, &bundle, &err));
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){0}, &verified, &err));
    return verified;
}
