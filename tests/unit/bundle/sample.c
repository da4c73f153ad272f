#include "sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gapship/contents.h"
#include "gapship/num.h"

const uint64_t sample_sizes[] = {0, 7, 512, 1300, SAMPLE_END};

static const char index_json[] = "{\"schemaVersion\":2,\"manifests\":[]}\n";
static const char manifest_json[] = "[]\n";

static void fill_blob(gs_buf *blob, size_t number, uint64_t size)
{
    gs_buf_init(blob, SIZE_MAX);
    unsigned char *room = gs_buf_reserve(blob, (size_t)size);
    assert_non_null(room);
    uint64_t value = number * 977 + size;
    for (size_t i = 0; i < size; i++) {
        value = value * 6364136223846793005u + 1442695040888963407u;
        room[i] = (unsigned char)(value >> 56);
    }
    blob->len = (size_t)size;
}

void sample_init(sample *s, gs_tempdir *dir, const uint64_t *sizes)
{
    memset(s, 0, sizeof *s);
    s->dir = dir;
    (void)snprintf(s->path, sizeof s->path, "%s/demo.gapship", dir->path);
    for (size_t i = 0; sizes[i] != SAMPLE_END; i++) {
        fill_blob(&s->blobs[i], i, sizes[i]);
        s->descriptors[i].size = sizes[i];
        assert_int_equal(gs_digest_of(s->blobs[i].data, s->blobs[i].len, &s->descriptors[i].digest, NULL), 0);
        s->blob_count++;
    }
    s->plan = (gs_writer_plan){
        .index_json = index_json,
        .index_json_len = strlen(index_json),
        .manifest_json = manifest_json,
        .manifest_json_len = strlen(manifest_json),
        .blobs = s->descriptors,
        .blob_count = s->blob_count,
        .statement = {.product = "demo",
                      .version = "1.2.3",
                      .epoch = 1,
                      .sequence = 42,
                      .security_floor = 40,
                      .issued_at = 1763733300,
                      .upgrades_from = ">=1.1.0"},
    };
    static const gs_key_type types[] = {GS_KEY_ED25519, GS_KEY_ECDSA_P256};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gs_key_generate(types[i], &s->private[i], NULL), 0);
        assert_int_equal(gs_private_key_public(s->private[i], &s -> public[i], NULL), 0);
    }
    sample_trust(s, 1, 1);
}

void sample_text(sample *s, size_t i, const char *text)
{
    assert_true(i <= s->blob_count && i < SAMPLE_MAX_BLOBS);
    if (i == s->blob_count) {
        gs_buf_init(&s->blobs[i], SIZE_MAX);
        s->blob_count++;
        s->plan.blob_count++;
    }
    gs_buf_clear(&s->blobs[i]);
    gs_buf_add_text(&s->blobs[i], text);
    s->descriptors[i].size = strlen(text);
    assert_int_equal(gs_digest_of(text, strlen(text), &s->descriptors[i].digest, NULL), 0);
}

static const char *digest_of(const sample *s, size_t blob, char out[GS_DIGEST_TEXT])
{
    gs_digest_text(&s->descriptors[blob].digest, out);
    return out;
}

void sample_release(sample *s, const char *lock, const char *more)
{
    enum { RELEASE, LOCK, CONFIG, MANIFEST };
    const gs_statement *statement = &s->plan.statement;
    char a[GS_DIGEST_TEXT];
    char b[GS_DIGEST_TEXT];
    char c[GS_DIGEST_TEXT];
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, SIZE_MAX);
    gs_buf_printf(
        &text,
        "{\"apiVersion\":\"gapship/v1\",\"kind\":\"Release\",\"metadata\":{\"name\":\"%s\",\"version\":\"%s\",\"sequence\":%llu,"
        "\"epoch\":%llu},\"environments\":[{\"name\":\"prod\",\"units\":[{\"name\":\"app\",\"source\":{\"manifests\":\"k8s\"},"
        "\"target\":{\"kind\":\"kubectl\",\"namespace\":\"app\"}}]}]}",
        statement->product, statement->version, (unsigned long long)statement->sequence, (unsigned long long)statement->epoch);
    sample_text(s, RELEASE, gs_buf_text(&text));
    gs_buf_clear(&text);
    gs_buf_printf(&text, "{\"apiVersion\":\"gapship/v1\",\"kind\":\"Lock\"%s}", lock);
    sample_text(s, LOCK, gs_buf_text(&text));
    sample_text(s, CONFIG, "{}");
    gs_buf_clear(&text);
    gs_buf_printf(&text,
                  "{\"schemaVersion\":2,\"mediaType\":\"" GS_MEDIA_MANIFEST "\",\"config\":{\"mediaType\":\"" GS_MEDIA_EMPTY
                  "\",\"digest\":\"%s\",\"size\":2},\"layers\":[{\"mediaType\":\"" GS_MEDIA_RELEASE
                  "\",\"digest\":\"%s\",\"size\":%zu},{\"mediaType\":\"" GS_MEDIA_LOCK "\",\"digest\":\"%s\",\"size\":%zu}]}",
                  digest_of(s, CONFIG, a), digest_of(s, RELEASE, b), s->blobs[RELEASE].len, digest_of(s, LOCK, c),
                  s->blobs[LOCK].len);
    sample_text(s, MANIFEST, gs_buf_text(&text));
    gs_buf_done(&s->index);
    gs_buf_init(&s->index, SIZE_MAX);
    gs_buf_printf(&s->index,
                  "{\"schemaVersion\":2,\"mediaType\":\"" GS_MEDIA_INDEX "\",\"manifests\":[{\"mediaType\":\"" GS_MEDIA_MANIFEST
                  "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{\"" GS_KIND_ANNOTATION
                  "\":\"release\",\"" GS_REF_NAME_ANNOTATION "\":\"release\"}}%s]}",
                  digest_of(s, MANIFEST, a), s->blobs[MANIFEST].len, more);
    s->plan.index_json = gs_buf_text(&s->index);
    s->plan.index_json_len = s->index.len;
}

void sample_done(sample *s)
{
    for (size_t i = 0; i < s->blob_count; i++) {
        gs_buf_done(&s->blobs[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        gs_private_key_free(s->private[i]);
        gs_public_key_free(s->public[i]);
    }
    gs_trust_free(s->trust);
    gs_buf_done(&s->index);
}

void sample_trust(sample *s, size_t count, unsigned threshold)
{
    const gs_public_key *const keys[] = {s->public[0], s -> public[1]};
    const gs_trust_role role = {.keys = keys, .count = count, .threshold = threshold};
    gs_trust_free(s->trust);
    s->trust = NULL;
    assert_int_equal(gs_trust_make(&(gs_trust_draft){.version = 1, .epoch = 1, .roles = {role, role}}, &s->trust, NULL), 0);
}

void sample_put(sample *s, gs_writer *writer, size_t blob)
{
    gs_error err = {0};
    gs_sink *sink = NULL;
    assert_ok(&err, gs_writer_blob(writer, &s->descriptors[blob].digest, &sink, &err));
    /* In pieces that fit no boundary. */
    for (size_t at = 0; at < s->blobs[blob].len;) {
        size_t left = s->blobs[blob].len - at;
        size_t piece = left < 99991 ? left : 99991;
        assert_ok(&err, gs_sink_write(sink, s->blobs[blob].data + at, piece, &err));
        at += piece;
    }
    assert_ok(&err, gs_sink_close(&sink, &err));
}

void sample_write(sample *s, size_t key_count)
{
    GS_AUTO_WRITER gs_writer *writer = NULL;
    gs_error err = {0};
    assert_ok(&err, gs_writer_begin(NULL, s->path, &s->plan, &writer, &err));
    for (size_t i = 0; i < s->blob_count; i++) {
        sample_put(s, writer, i);
    }
    assert_ok(&err, gs_writer_seal(writer, (const gs_private_key *const *)s->private, key_count, true, NULL, &err));
}

int sample_verify(const sample *s, gs_verified **out, gs_error *err)
{
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    int code = gs_bundle_open(s->path, &bundle, err);
    return code == 0 ? gs_bundle_verify(&bundle, &(gs_terms){.trust = s->trust}, out, err) : code;
}

void sample_read(const sample *s, gs_buf *out)
{
    gs_error err = {0};
    gs_buf_init(out, GS_GIB(1));
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, s->path, out, &err));
}

void sample_replace(const sample *s, const gs_buf *bytes)
{
    gs_error err = {0};
    assert_ok(&err, gs_fs_write_file(AT_FDCWD, s->path, bytes->data, bytes->len, 0644, &err));
}

void sample_flip(const sample *s, uint64_t offset, unsigned char mask)
{
    gs_buf bytes;
    sample_read(s, &bytes);
    bytes.data[offset] = (char)(bytes.data[offset] ^ mask);
    sample_replace(s, &bytes);
    gs_buf_done(&bytes);
}

void sample_forge(sample *s, gs_buf *bytes, const char *statement, size_t len)
{
    gs_error err = {0};
    unsigned char *head = (unsigned char *)bytes->data + 512;
    const size_t size = gs_load_u32(head + 12);
    const unsigned char count[] = {1, 0, 0, 0};
    const unsigned char length[] = {(unsigned char)len, (unsigned char)(len >> 8), (unsigned char)(len >> 16), 0};
    gs_buf encoding;
    gs_buf signature;
    gs_buf_init(&encoding, GS_MIB(2));
    gs_buf_init(&signature, 1024);
    assert_ok(&err, gs_pae(GS_STATEMENT_TYPE, statement, len, &encoding, &err));
    assert_ok(&err, gs_sign(s->private[0], encoding.data, encoding.len, &signature, &err));
    assert_true(64 + len + 40 + signature.len <= size);
    memcpy(head + 16, length, sizeof length);
    memcpy(head + 20, count, sizeof count);
    memset(head + 64, 0, size - 64);
    memcpy(head + 64, statement, len);
    unsigned char *entry = head + 64 + len;
    entry[0] = 1;
    entry[4] = (unsigned char)signature.len;
    memcpy(entry + 8, gs_public_key_id(s->public[0])->bytes, GS_DIGEST_BYTES);
    memcpy(entry + 40, signature.data, signature.len);
    gs_buf_done(&encoding);
    gs_buf_done(&signature);
}
