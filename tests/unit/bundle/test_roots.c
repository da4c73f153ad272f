/* A chain of roots in a bundle: carried, walked, and no bit of it can be changed. What a chain says is tested with the trust module. */
#include <string.h>

#include "envelope.h"
#include "gapship/num.h"
#include "sample.h"

/* Root 1 trusts the first key of the sample, root 2 the second: the link is signed by both, the bundle by the second alone. */
typedef struct rooted {
    sample s;
    gs_trust *one, *two;
    gs_buf chain;
} rooted;

static gs_trust *make_root(const sample *s, uint64_t version, size_t key)
{
    gs_error err = {0};
    gs_trust *root = NULL;
    const gs_public_key *const keys[] = {s->public[key]};
    const gs_trust_role role = {.keys = keys, .count = 1, .threshold = 1};
    const gs_trust_draft draft = {.version = version, .epoch = 1, .roles = {role, role}};
    assert_ok(&err, gs_trust_make(&draft, &root, &err));
    return root;
}

static void sign_root(const sample *s, gs_trust *root, size_t key)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_BUF gs_buf encoding;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&body, GS_MAX_ROOT_BYTES);
    gs_buf_init(&encoding, 2 * GS_MAX_ROOT_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_ok(&err, gs_trust_body(root, &body, &err));
    assert_ok(&err, gs_document_encoding(GS_DOCUMENT_ROOT, body.data, body.len, &encoding, &err));
    assert_ok(&err, gs_sign(s->private[key], encoding.data, encoding.len, &signature, &err));
    assert_ok(&err, gs_trust_sign(root, s->public[key], signature.data, signature.len, &err));
}

static void write_bundle(rooted *r)
{
    gs_error err = {0};
    GS_AUTO_WRITER gs_writer *writer = NULL;
    const gs_private_key *const second[] = {r->s.private[1]};
    assert_ok(&err, gs_writer_begin(NULL, r->s.path, &r->s.plan, &writer, &err));
    for (size_t i = 0; i < r->s.blob_count; i++) {
        sample_put(&r->s, writer, i);
    }
    assert_ok(&err, gs_writer_seal(writer, second, 1, true, NULL, &err));
}

static void rooted_init(rooted *r, gs_tempdir *dir)
{
    gs_error err = {0};
    sample_init(&r->s, dir, sample_sizes);
    r->one = make_root(&r->s, 1, 0);
    r->two = make_root(&r->s, 2, 1);
    sign_root(&r->s, r->two, 0);
    sign_root(&r->s, r->two, 1);
    gs_buf_init(&r->chain, GS_MAX_ROOTS_BYTES);
    assert_ok(&err, gs_trust_link(r->two, &r->chain, &err));
    r->s.plan.roots = r->chain.data;
    r->s.plan.roots_len = r->chain.len;
    write_bundle(r);
}

static void rooted_done(rooted *r)
{
    gs_buf_done(&r->chain);
    gs_trust_free(r->one);
    gs_trust_free(r->two);
    sample_done(&r->s);
}

/* Opens, walks from a copy of `from` and verifies with what that leads to. */
static int judge(const rooted *r, const gs_trust *from, uint64_t *version, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    gs_error local = {0};
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    assert_ok(&local, gs_trust_write(from, &text, &local));
    assert_ok(&local, gs_trust_parse("root", text.data, text.len, &trust, &local));
    int code = gs_bundle_open(r->s.path, &bundle, err);
    code = code == 0 ? gs_bundle_walk(bundle, &trust, NULL, NULL, err) : code;
    *version = gs_trust_version(trust);
    return code == 0 ? gs_bundle_verify(&bundle, &(gs_terms){.trust = trust}, &verified, err) : code;
}

static void test_leads_to_the_root_that_signed(void **state)
{
    rooted r;
    gs_error err = {0};
    uint64_t version = 0;
    rooted_init(&r, *state);
    assert_ok(&err, judge(&r, r.one, &version, &err));
    assert_int_equal(version, 2);
    assert_ok(&err, judge(&r, r.two, &version, &err));
    assert_int_equal(version, 2);
    /* Without the walk the old root does not know the signer. */
    gs_trust_free(r.s.trust);
    r.s.trust = make_root(&r.s, 1, 0);
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    assert_fails(&err, GS_ESIGNATURE, "signed by 0 of the 1", sample_verify(&r.s, &verified, &err));
    rooted_done(&r);
}

/* Whether the link is walked or passed over: what was signed is the whole chain. */
static void test_every_bit_of_a_chain(void **state)
{
    rooted r;
    GS_AUTO_BUF gs_buf bytes;
    rooted_init(&r, *state);
    sample_read(&r.s, &bytes);
    const unsigned char *head = (const unsigned char *)bytes.data + GS_ENVELOPE_OFFSET;
    const size_t start = GS_ENVELOPE_OFFSET + GS_ENVELOPE_HEADER + gs_load_u32(head + 16);
    assert_int_equal(gs_load_u32(head + 24), r.chain.len);
    assert_memory_equal(bytes.data + start, r.chain.data, r.chain.len);
    for (size_t i = 0; i < 4 + r.chain.len; i++) {
        const size_t at = i < 4 ? GS_ENVELOPE_OFFSET + 24 + i : start + i - 4;
        for (unsigned bit = 0; bit < 8; bit++) {
            gs_error err = {0};
            uint64_t version = 0;
            sample_flip(&r.s, at, (unsigned char)(1u << bit));
            int code = judge(&r, bit % 2 == 0 ? r.one : r.two, &version, &err);
            assert_true(code == GS_EFORMAT || code == GS_ESIGNATURE || code == GS_EDIGEST);
            sample_flip(&r.s, at, (unsigned char)(1u << bit));
        }
    }
    rooted_done(&r);
}

static void test_a_signature_is_added_behind_the_chain(void **state)
{
    rooted r;
    gs_error err = {0};
    uint64_t version = 0;
    GS_AUTO_BUF gs_buf statement;
    GS_AUTO_BUF gs_buf encoding;
    GS_AUTO_BUF gs_buf signature;
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    rooted_init(&r, *state);
    gs_buf_init(&statement, GS_MAX_STATEMENT_BYTES);
    gs_buf_init(&encoding, 2 * GS_MAX_STATEMENT_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_ok(&err, gs_bundle_open(r.s.path, &bundle, &err));
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){0}, &verified, &err));
    assert_int_equal(gs_verified_statement(verified)->roots_size, r.chain.len);
    assert_ok(&err, gs_verified_statement_bytes(verified, &statement, &encoding, &err));
    assert_ok(&err, gs_sign(r.s.private[0], encoding.data, encoding.len, &signature, &err));
    assert_ok(&err, gs_bundle_add_signature(r.s.path, r.s.public[0], signature.data, signature.len, &err));
    assert_ok(&err, judge(&r, r.one, &version, &err));
    rooted_done(&r);
}

static void test_a_chain_too_long_to_carry(void **state)
{
    sample s;
    gs_error err = {0};
    GS_AUTO_WRITER gs_writer *writer = NULL;
    sample_init(&s, *state, sample_sizes);
    s.plan.roots = "not looked at";
    s.plan.roots_len = GS_MAX_ROOTS_BYTES + 1;
    assert_fails(&err, GS_ELIMIT, "chain of roots has 524289 bytes", gs_writer_begin(NULL, s.path, &s.plan, &writer, &err));
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_leads_to_the_root_that_signed),
        test_in_tempdir(test_every_bit_of_a_chain),
        test_in_tempdir(test_a_signature_is_added_behind_the_chain),
        test_in_tempdir(test_a_chain_too_long_to_carry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
