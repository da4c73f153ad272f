/* The index: arithmetic of chunks, look-ups, and every field at its limits. Whole files are in bundle-spec/vectors. */
#include "index.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "support.h"

typedef struct fixture {
    gs_layout layout;
    gs_index_frame frame;
    gs_buf bytes;
} fixture;

/* An index of blobs with these sizes; digests are numbers. */
static void make(fixture *f, const uint64_t *sizes, size_t count)
{
    gs_descriptor blobs[8] = {0};
    gs_error err = {0};
    for (size_t i = 0; i < count; i++) {
        blobs[i].size = sizes[i];
        blobs[i].digest.bytes[0] = (unsigned char)(200 - i);
    }
    const gs_writer_plan plan = {
        .index_json_len = 5, .blobs = blobs, .blob_count = count, .statement = {.product = "p", .version = "1"}};
    assert_ok(&err, gs_layout_make(&plan, &f->layout, &err));
    const char layout[] = GS_OCI_LAYOUT;
    assert_ok(&err, gs_digest_of(layout, sizeof layout - 1, &f->layout.members[0].digest, &err));
    for (size_t i = 0; i < f->layout.first_chunk[f->layout.count]; i++) {
        f->layout.chunks[i].bytes[1] = (unsigned char)i;
    }
    f->frame = (gs_index_frame){.offset = f->layout.index_offset, .total_length = f->layout.total_length};
    gs_buf_init(&f->bytes, GS_MIB(1));
    gs_index_write(f->layout.members, f->layout.count, f->layout.chunks, &f->bytes);
    assert_int_equal(f->bytes.len, f->layout.index_size);
}

static void end(fixture *f)
{
    gs_layout_done(&f->layout);
    gs_buf_done(&f->bytes);
}

static int parse(const fixture *f, gs_index *out, gs_error *err)
{
    unsigned char *copy = malloc(f->bytes.len + 1);
    assert_non_null(copy);
    memcpy(copy, f->bytes.data, f->bytes.len);
    return gs_index_parse(copy, f->bytes.len, &f->frame, out, err);
}

static void test_chunks(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        uint64_t chunks;
    } cases[] = {{0, 0},
                 {1, 0},
                 {GS_CHUNK_BYTES, 0},
                 {GS_CHUNK_BYTES + 1, 2},
                 {2 * GS_CHUNK_BYTES, 2},
                 {2 * GS_CHUNK_BYTES + 1, 3},
                 {UINT64_MAX, UINT64_C(1) << 42}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(gs_chunk_count(cases[i].size), cases[i].chunks);
    }
}

static void test_reads_what_it_writes(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {3, GS_CHUNK_BYTES + 1, 0, UINT64_C(9) << 30};
    fixture f;
    gs_index index;
    gs_error err = {0};
    make(&f, sizes, COUNT_OF(sizes));
    assert_ok(&err, parse(&f, &index, &err));
    assert_int_equal(index.count, 7);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        const gs_member *m = &index.members[3 + i];
        assert_int_equal(m->size, sizes[i]);
        assert_int_equal(m->offset, f.layout.members[3 + i].offset);
        assert_ptr_equal(gs_member_find(index.by_digest, 4, &m->digest), m);
    }
    const gs_digest absent = {{3}};
    assert_null(gs_member_find(index.by_digest, 4, &absent));
    assert_null(gs_member_find(index.by_digest, 0, &absent));
    gs_digest chunk;
    gs_index_chunk(&index, 4, 1, &chunk);
    assert_int_equal(chunk.bytes[1], 1);
    gs_index_chunk(&index, 6, 3, &chunk);
    assert_int_equal(chunk.bytes[1], 2 + 3);
    gs_index_done(&index);
    end(&f);
}

/* Each byte of an index changed: refused as malformed, or a digest that only content can prove wrong. */
static void test_no_byte_changes_a_place(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {3, GS_CHUNK_BYTES + 1};
    fixture f;
    make(&f, sizes, COUNT_OF(sizes));
    for (size_t at = 0; at < f.bytes.len; at++) {
        gs_index index;
        gs_error err = {0};
        f.bytes.data[at] = (char)(f.bytes.data[at] ^ 0x10);
        int code = parse(&f, &index, &err);
        bool in_digest = at >= 24 + 72 * 5 || (at >= 24 + 72 * 2 && (at - 24) % 72 >= 40);
        assert_int_equal(code, in_digest ? 0 : GS_EFORMAT);
        if (code == 0) {
            gs_index_done(&index);
        }
        f.bytes.data[at] = (char)(f.bytes.data[at] ^ 0x10);
    }
    end(&f);
}

static void test_frame(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {3};
    fixture f;
    gs_index index;
    gs_error err = {0};
    make(&f, sizes, 1);
    f.frame.total_length += 512;
    assert_fails(&err, GS_EFORMAT, "add up", parse(&f, &index, &err));
    f.frame.total_length -= 512;
    f.frame.offset += 512;
    assert_fails(&err, GS_EFORMAT, "does not follow", parse(&f, &index, &err));
    f.frame.offset = UINT64_MAX - 512;
    assert_fails(&err, GS_EFORMAT, "add up", parse(&f, &index, &err));
    f.frame.offset = f.layout.index_offset;
    f.frame.layout.bytes[0] = 1;
    assert_fails(&err, GS_EFORMAT, "different index.json", parse(&f, &index, &err));
    f.frame.layout.bytes[0] = 0;
    for (size_t len = 0; len < f.bytes.len; len++) {
        fixture cut = f;
        cut.bytes.len = len;
        assert_int_equal(parse(&cut, &index, &err), GS_EFORMAT);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_reads_what_it_writes),
        cmocka_unit_test(test_no_byte_changes_a_place),
        cmocka_unit_test(test_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
