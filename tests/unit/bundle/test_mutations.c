/* Nothing in a bundle may be changed: every bit of everything that is not content, every byte of the content, cut anywhere, extended,
 * put together from two. The file is a memory file, changed in place and restored.
 *
 *     test_bundle_mutations [BUNDLE OTHER ROOT [TEST]]      two finished bundles instead of the samples: tests/proof makes such
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "gapship/num.h"
#include "sample.h"

/* A change in one file: which error it must bring, each bit a class of FORMAT.md section 7. */
enum { FORMAT = 1, SIGNATURE = 2, DIGEST = 4 };

/* What a byte belongs to. */
typedef enum region { HEADER, FRAMING, STATEMENT, ROOTS, ENTRIES, UNUSED, INDEX, CONTENT } region;
static const unsigned expected[] = {
    [HEADER] = FORMAT,              /* of tar, padding, the end */
    [FRAMING] = FORMAT | SIGNATURE, /* a length that is still possible moves what is signed */
    [STATEMENT] = SIGNATURE,
    [ROOTS] = FORMAT | SIGNATURE | DIGEST, /* a link of the past is passed over, but its bytes are signed for */
    [ENTRIES] = FORMAT | SIGNATURE,
    [UNUSED] = FORMAT,
    [INDEX] = DIGEST,
    [CONTENT] = DIGEST,
};
#define REGIONS COUNT_OF(expected)

typedef struct part {
    size_t offset, length;
} part;

typedef struct file {
    gs_buf bytes;
    part *parts; /* header, data and padding of each member, then the end */
    size_t part_count;
} file;

typedef struct target {
    gs_trust *trust;
    gs_buf root; /* what trust was read from; empty where no chain is carried */
    file a, b;
    unsigned char *regions; /* of a */
    int fd;
    char path[64];
    size_t cases;
    double slowest; /* seconds of processor time */
} target;

static const char *given[3]; /* BUNDLE, OTHER, ROOT */

/* ---- taking it ---- */

static double processor_time(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As a site does: by the newest root that the bundle's chain leads to from the trusted one, which is read anew, since walking replaces it. */
static int open_and_verify(const target *t, gs_verified **out, gs_error *err)
{
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_TRUST gs_trust *walked = NULL;
    int code = gs_bundle_open(t->path, &bundle, err);
    if (t->root.len > 0) {
        code = code == 0 ? gs_trust_parse("root", t->root.data, t->root.len, &walked, err) : code;
        code = code == 0 ? gs_bundle_walk(bundle, &walked, NULL, NULL, err) : code;
    }
    const gs_terms terms = {.trust = walked ? walked : t->trust};
    return code == 0 ? gs_bundle_verify(&bundle, &terms, out, err) : code;
}

/* Verifies, and checks all content, as everything does that uses a bundle. */
static int take(target *t, gs_error *err)
{
    static const gs_run one_thread = {.jobs = 1};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    const double begin = processor_time();
    int code = open_and_verify(t, &verified, err);
    code = code == 0 ? gs_verified_check(&one_thread, verified, err) : code;
    const double seconds = processor_time() - begin;
    t->slowest = seconds > t->slowest ? seconds : t->slowest;
    return code;
}

static void assert_accepted(target *t)
{
    gs_error err = {0};
    assert_ok(&err, take(t, &err));
}

static void assert_refused(target *t, unsigned classes, const char *what, uint64_t offset, unsigned detail)
{
    gs_error err = {0};
    const int code = take(t, &err);
    const unsigned class = code == GS_EFORMAT ? FORMAT : code == GS_ESIGNATURE ? SIGNATURE : code == GS_EDIGEST ? DIGEST : 0;
    if ((class & classes) == 0 || gs_code_exit(code) != 3 || err.message[0] == '\0') {
        fail_msg("%s at %lu (%#x): %s, \"%s\"", what, (unsigned long)offset, detail, gs_code_name(code), err.message);
    }
    t->cases++;
}

/* ---- two bundles ---- */

static void put(const target *t, const void *data, size_t len)
{
    assert_int_equal(ftruncate(t->fd, 0), 0);
    assert_int_equal(gs_fs_pwrite(t->fd, data, len, 0, NULL), 0);
}

static void find_parts(const target *t, file *f)
{
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    put(t, f->bytes.data, f->bytes.len);
    assert_ok(&err, open_and_verify(t, &verified, &err));
    size_t count;
    const gs_member *members = gs_verified_members(verified, &count);
    f->part_count = count + 3;
    f->parts = calloc(f->part_count, sizeof *f->parts);
    assert_non_null(f->parts);
    f->parts[1].offset = GS_ENVELOPE_OFFSET + (size_t)gs_verified_statement(verified)->envelope_size;
    for (size_t i = 0; i < count; i++) {
        f->parts[i + 2].offset = (size_t)members[i].offset - GS_BLOCK;
    }
    f->parts[count + 2].offset = f->bytes.len - GS_END_BYTES;
    for (size_t i = 0; i < f->part_count; i++) {
        const size_t end = i + 1 < f->part_count ? f->parts[i + 1].offset : f->bytes.len;
        f->parts[i].length = end - f->parts[i].offset;
    }
}

static void fill(unsigned char *regions, size_t offset, uint64_t length, region value)
{
    memset(regions + offset, (int)value, (size_t)length);
}

static void find_regions(target *t)
{
    gs_error err = {0};
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    put(t, t->a.bytes.data, t->a.bytes.len);
    assert_ok(&err, open_and_verify(t, &verified, &err));
    t->regions = calloc(t->a.bytes.len, 1);
    assert_non_null(t->regions);
    const gs_statement *statement = gs_verified_statement(verified);
    const unsigned char *head = (const unsigned char *)t->a.bytes.data + GS_ENVELOPE_OFFSET;
    const size_t statement_length = gs_load_u32(head + 16);
    const size_t roots = GS_ENVELOPE_HEADER + statement_length;
    const size_t entries = roots + gs_load_u32(head + 24);
    size_t end = entries;
    for (uint32_t i = 0; i < gs_load_u32(head + 20); i++) {
        end += GS_SIGNATURE_HEADER + gs_load_u32(head + end + 4);
    }
    fill(t->regions, GS_ENVELOPE_OFFSET, GS_ENVELOPE_HEADER, FRAMING);
    fill(t->regions, GS_ENVELOPE_OFFSET + GS_ENVELOPE_HEADER, statement_length, STATEMENT);
    fill(t->regions, GS_ENVELOPE_OFFSET + roots, entries - roots, ROOTS);
    fill(t->regions, GS_ENVELOPE_OFFSET + entries, end - entries, ENTRIES);
    fill(t->regions, GS_ENVELOPE_OFFSET + end, statement->envelope_size - end, UNUSED);
    fill(t->regions, t->a.parts[1].offset + GS_BLOCK, statement->index_size, INDEX);
    size_t count;
    const gs_member *members = gs_verified_members(verified, &count);
    for (size_t i = 0; i < count; i++) {
        fill(t->regions, (size_t)members[i].offset, members[i].size, CONTENT);
    }
}

/* Two signatures, both required: with fewer, a change in one that is not needed could not be told from an unknown key. The second
 * bundle has other content of the same sizes, so that its parts fit. */
static void make_samples(target *t, gs_tempdir *dir)
{
    static const uint64_t sizes[] = {0, 7, 512, 700, SAMPLE_END};
    sample s;
    gs_error err = {0};
    sample_init(&s, dir, sizes);
    sample_trust(&s, 2, 2);
    sample_write(&s, 2);
    sample_read(&s, &t->a.bytes);
    for (size_t i = 0; i < s.blob_count; i++) {
        for (size_t at = 0; at < s.blobs[i].len; at++) {
            s.blobs[i].data[at] = (char)(s.blobs[i].data[at] ^ 0x55);
        }
        assert_ok(&err, gs_digest_of(s.blobs[i].data, s.blobs[i].len, &s.descriptors[i].digest, &err));
    }
    s.plan.statement.sequence++;
    sample_write(&s, 2);
    sample_read(&s, &t->b.bytes);
    t->trust = s.trust;
    s.trust = NULL;
    sample_done(&s);
}

static void read_given(target *t)
{
    gs_error err = {0};
    gs_buf_init(&t->a.bytes, GS_GIB(1));
    gs_buf_init(&t->b.bytes, GS_GIB(1));
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, given[0], &t->a.bytes, &err));
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, given[1], &t->b.bytes, &err));
    assert_ok(&err, gs_trust_load(given[2], &t->trust, &err));
    if (gs_load_u32((const unsigned char *)t->a.bytes.data + GS_ENVELOPE_OFFSET + 24) > 0) {
        gs_buf_init(&t->root, GS_MAX_ROOT_BYTES);
        assert_ok(&err, gs_fs_read_file(AT_FDCWD, given[2], &t->root, &err));
    }
}

static void make_target(target *t, gs_tempdir *dir)
{
    *t = (target){.fd = memfd_create("bundle", MFD_CLOEXEC)};
    assert_true(t->fd >= 0);
    (void)snprintf(t->path, sizeof t->path, "/proc/self/fd/%d", t->fd);
    if (given[0]) {
        read_given(t);
    } else {
        make_samples(t, dir);
    }
    find_parts(t, &t->b);
    find_parts(t, &t->a);
    find_regions(t);
    assert_accepted(t);
}

/* That the file is whole again and accepted says that it was the change that was refused. */
static void end_target(target *t)
{
    put(t, t->a.bytes.data, t->a.bytes.len);
    assert_accepted(t);
    print_message("%lu cases, all refused; the slowest took %.4f s\n", (unsigned long)t->cases, t->slowest);
    assert_true(t->slowest < 1.0);
    (void)close(t->fd);
    free(t->a.parts);
    free(t->b.parts);
    free(t->regions);
    gs_buf_done(&t->root);
    gs_buf_done(&t->a.bytes);
    gs_buf_done(&t->b.bytes);
    gs_trust_free(t->trust);
}

static void poke(const target *t, uint64_t offset, unsigned char mask)
{
    unsigned char byte = (unsigned char)t->a.bytes.data[offset] ^ mask;
    assert_int_equal(gs_fs_pwrite(t->fd, &byte, 1, offset, NULL), 0);
}

/* ---- the tests ---- */

/* Walking a chain takes milliseconds, and comes before anything behind the head is looked at: there one bit of each of its bytes is
 * flipped, and every bit of the framing around it. */
static bool is_asked(const target *t, unsigned char where, size_t at, unsigned bit)
{
    if (t->root.len == 0) {
        return where != CONTENT;
    }
    return where == FRAMING || where == ENTRIES || (where == ROOTS && bit == at % 8);
}

static void test_every_bit_that_is_not_content(void **state)
{
    target t;
    make_target(&t, *state);
    size_t met[REGIONS] = {0};
    for (size_t at = 0; at < t.a.bytes.len; at++) {
        const unsigned char where = t.regions[at];
        for (unsigned bit = 0; bit < 8; bit++) {
            if (!is_asked(&t, where, at, bit)) {
                continue;
            }
            poke(&t, at, (unsigned char)(1u << bit));
            assert_refused(&t, expected[where], "flipped bit", at, bit);
            met[where]++;
        }
        poke(&t, at, 0);
    }
    for (size_t i = 0; i < CONTENT; i++) {
        const bool asked = t.root.len > 0 ? i == FRAMING || i == ROOTS || i == ENTRIES : i != ROOTS;
        assert_true(met[i] >= (asked ? 8u * 64 : 0));
    }
    end_target(&t);
}

static void test_every_byte_of_the_content(void **state)
{
    static const unsigned char patterns[] = {0x01, 0x80, 0xff};
    target t;
    make_target(&t, *state);
    for (size_t at = 0; at < t.a.bytes.len; at++) {
        for (size_t i = 0; t.regions[at] == CONTENT && i < COUNT_OF(patterns); i++) {
            poke(&t, at, patterns[i]);
            assert_refused(&t, DIGEST, "changed byte", at, patterns[i]);
        }
        poke(&t, at, 0);
    }
    assert_true(t.cases >= 3u * (7 + 512 + 700 + 30));
    end_target(&t);
}

static void test_cut_anywhere(void **state)
{
    target t;
    make_target(&t, *state);
    for (size_t length = t.a.bytes.len; length-- > 0;) {
        assert_int_equal(ftruncate(t.fd, (off_t)length), 0);
        assert_refused(&t, FORMAT, "cut", length, 0);
    }
    end_target(&t);
}

static void test_extended(void **state)
{
    static const size_t more[] = {1, 511, 512, 1024, 10240, 4u << 20};
    target t;
    make_target(&t, *state);
    for (size_t i = 0; i < COUNT_OF(more); i++) {
        assert_int_equal(ftruncate(t.fd, (off_t)(t.a.bytes.len + more[i])), 0);
        assert_refused(&t, FORMAT, "extended by zeros", more[i], 0);
    }
    const file *const others[] = {&t.a, &t.b};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        const gs_buf *other = &others[i]->bytes;
        assert_int_equal(ftruncate(t.fd, (off_t)t.a.bytes.len), 0);
        assert_int_equal(gs_fs_pwrite(t.fd, other->data, other->len, t.a.bytes.len, NULL), 0);
        assert_refused(&t, FORMAT, "extended by a bundle", other->len, (unsigned)i);
        /* As tar would append: over the end's zeros. */
        assert_int_equal(ftruncate(t.fd, (off_t)(t.a.bytes.len - GS_END_BYTES)), 0);
        assert_int_equal(gs_fs_pwrite(t.fd, other->data, other->len, t.a.bytes.len - GS_END_BYTES, NULL), 0);
        assert_refused(&t, FORMAT, "joined with a bundle", other->len, (unsigned)i);
    }
    const unsigned char byte = 0xff;
    assert_int_equal(ftruncate(t.fd, (off_t)t.a.bytes.len), 0);
    assert_int_equal(gs_fs_pwrite(t.fd, &byte, 1, t.a.bytes.len, NULL), 0);
    assert_refused(&t, FORMAT, "extended by a byte", byte, 0);
    end_target(&t);
}

static bool is_bundle(const file *f, const gs_buf *bytes)
{
    return f->bytes.len == bytes->len && memcmp(f->bytes.data, bytes->data, bytes->len) == 0;
}

static void assert_mixture_refused(target *t, const gs_buf *mixture, const char *what, size_t at)
{
    if (!is_bundle(&t->a, mixture) && !is_bundle(&t->b, mixture)) {
        put(t, mixture->data, mixture->len);
        assert_refused(t, FORMAT | SIGNATURE | DIGEST, what, at, 0);
    }
}

/* The first bytes of one, the rest of the other, at every block. */
static void test_head_of_one_and_body_of_another(void **state)
{
    target t;
    make_target(&t, *state);
    for (size_t at = 0; at < t.a.bytes.len; at += GS_BLOCK) {
        for (unsigned first = 0; first < 2; first++) {
            const gs_buf *head = first ? &t.b.bytes : &t.a.bytes;
            const gs_buf *body = first ? &t.a.bytes : &t.b.bytes;
            GS_AUTO_BUF gs_buf mixture;
            gs_buf_init(&mixture, GS_GIB(1));
            gs_buf_add(&mixture, head->data, at < head->len ? at : head->len);
            if (at < body->len) {
                gs_buf_add(&mixture, body->data + at, body->len - at);
            }
            assert_mixture_refused(&t, &mixture, first ? "B up to here, then A" : "A up to here, then B", at);
        }
    }
    assert_true(t.cases >= t.a.bytes.len / GS_BLOCK);
    end_target(&t);
}

static void add_part(gs_buf *out, const file *f, size_t i)
{
    gs_buf_add(out, f->bytes.data + f->parts[i].offset, f->parts[i].length);
}

/* The parts of a, part i exchanged, left out, doubled or moved behind the next one. */
typedef enum change { EXCHANGED, LEFT_OUT, DOUBLED, MOVED, CHANGES } change;

static void test_parts_mixed(void **state)
{
    static const char *const names[] = {"exchanged", "left out", "doubled", "moved"};
    target t;
    make_target(&t, *state);
    const size_t count = t.a.part_count;
    for (size_t at = 0; at < count * CHANGES; at++) {
        const change how = (change)(at % CHANGES);
        GS_AUTO_BUF gs_buf mixture;
        gs_buf_init(&mixture, GS_GIB(1));
        for (size_t i = 0; i < count; i++) {
            const bool here = i == at / CHANGES;
            if (here && how == EXCHANGED && i < t.b.part_count) {
                add_part(&mixture, &t.b, i);
            } else if (here && how == MOVED && i + 1 < count) {
                add_part(&mixture, &t.a, i + 1);
                add_part(&mixture, &t.a, i);
                i++;
            } else if (!here || how == DOUBLED || how == MOVED) {
                add_part(&mixture, &t.a, i);
                if (here && how == DOUBLED) {
                    add_part(&mixture, &t.a, i);
                }
            }
        }
        assert_mixture_refused(&t, &mixture, names[how], at / CHANGES);
    }
    assert_true(t.cases > 3 * count - 6);
    end_target(&t);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_every_bit_that_is_not_content),
        test_in_tempdir(test_every_byte_of_the_content),
        test_in_tempdir(test_cut_anywhere),
        test_in_tempdir(test_extended),
        test_in_tempdir(test_head_of_one_and_body_of_another),
        test_in_tempdir(test_parts_mixed),
    };
    for (int i = 1; i < argc && i <= (int)COUNT_OF(given); i++) {
        given[i - 1] = argv[i];
    }
    if (argc > (int)COUNT_OF(given) + 1) {
        cmocka_set_test_filter(argv[COUNT_OF(given) + 1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
