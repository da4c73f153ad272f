/* Signatures added to a finished bundle, and what a power loss leaves of that. */
#include <fcntl.h>
#include <string.h>

#include "envelope.h"
#include "sample.h"

static void sign_statement(const sample *s, size_t key, gs_buf *signature)
{
    gs_error err = {0};
    GS_AUTO_BUNDLE gs_bundle *bundle = NULL;
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    GS_AUTO_BUF gs_buf statement;
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&statement, GS_MIB(1));
    gs_buf_init(&encoding, GS_MIB(2));
    gs_buf_init(signature, GS_MAX_SIGNATURE_BYTES);
    assert_ok(&err, gs_bundle_open(s->path, &bundle, &err));
    assert_ok(&err, gs_bundle_verify(&bundle, &(gs_terms){0}, &verified, &err));
    assert_ok(&err, gs_verified_statement_bytes(verified, &statement, &encoding, &err));
    assert_ok(&err, gs_sign(s->private[key], encoding.data, encoding.len, signature, &err));
}

static void test_adds(void **state)
{
    sample s;
    gs_error err = {0};
    gs_buf signatures[2];
    GS_AUTO_VERIFIED gs_verified *verified = NULL;
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 0);
    sample_trust(&s, 2, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_fails(&err, GS_ESIGNATURE, NULL, sample_verify(&s, &verified, &err));
        sign_statement(&s, i, &signatures[i]);
        assert_ok(&err, gs_bundle_add_signature(s.path, s.public[i], signatures[i].data, signatures[i].len, &err));
    }
    assert_ok(&err, sample_verify(&s, &verified, &err));
    assert_true(gs_verified_authentic(verified));
    assert_fails(&err, GS_EEXISTS, "has signed already",
                 gs_bundle_add_signature(s.path, s.public[1], signatures[1].data, signatures[1].len, &err));
    gs_buf_done(&signatures[0]);
    gs_buf_done(&signatures[1]);
    sample_done(&s);
}

static void test_adds_only_what_verifies(void **state)
{
    sample s;
    gs_buf signature;
    gs_buf before;
    gs_buf after;
    gs_error err = {0};
    sample_init(&s, *state, sample_sizes);
    sample_write(&s, 0);
    sample_read(&s, &before);
    sign_statement(&s, 0, &signature);
    assert_fails(&err, GS_ESIGNATURE, "does not fit",
                 gs_bundle_add_signature(s.path, s.public[1], signature.data, signature.len, &err));
    signature.data[3] ^= 1;
    assert_fails(&err, GS_ESIGNATURE, "does not fit",
                 gs_bundle_add_signature(s.path, s.public[0], signature.data, signature.len, &err));
    sample_read(&s, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, after.len);
    assert_fails(&err, GS_ENOTFOUND, "absent", gs_bundle_add_signature("absent", s.public[0], signature.data, signature.len, &err));
    assert_fails(&err, GS_EFORMAT, "not a bundle",
                 gs_bundle_add_signature("bundle-spec/FORMAT.md", s.public[0], signature.data, signature.len, &err));
    gs_buf_done(&signature);
    gs_buf_done(&before);
    gs_buf_done(&after);
    sample_done(&s);
}

/* Adding is two writes: the entry, then the count. Every prefix of the first, in bytes, with the old count: refused by readers,
 * repaired by adding the same signature again. All of it with the new count: done. */
static void test_power_loss(void **state)
{
    sample s;
    gs_buf before;
    gs_buf done;
    gs_buf signature;
    gs_error err = {0};
    sample_init(&s, *state, sample_sizes + 4);
    sample_write(&s, 0);
    sample_read(&s, &before);
    sign_statement(&s, 0, &signature);
    assert_ok(&err, gs_bundle_add_signature(s.path, s.public[0], signature.data, signature.len, &err));
    sample_read(&s, &done);
    const size_t first = 512 + 64 + (size_t)(unsigned char)before.data[512 + 16] + 256u * (unsigned char)before.data[512 + 17];
    const size_t len = GS_SIGNATURE_HEADER + signature.len;
    for (size_t written = 1; written <= len; written += 13) {
        GS_AUTO_VERIFIED gs_verified *verified = NULL;
        GS_AUTO_BUF gs_buf torn;
        GS_AUTO_BUF gs_buf repaired;
        gs_buf_init(&torn, SIZE_MAX);
        gs_buf_add(&torn, before.data, before.len);
        memcpy(torn.data + first, done.data + first, written);
        sample_replace(&s, &torn);
        assert_fails(&err, GS_EFORMAT, "add the same signature again", sample_verify(&s, &verified, &err));
        assert_ok(&err, gs_bundle_add_signature(s.path, s.public[0], signature.data, signature.len, &err));
        sample_read(&s, &repaired);
        assert_memory_equal(repaired.data, done.data, done.len);
    }
    /* What another, longer signature has left behind goes too. */
    GS_AUTO_BUF gs_buf repaired;
    memset(before.data + first, 'x', len + 300);
    sample_replace(&s, &before);
    assert_ok(&err, gs_bundle_add_signature(s.path, s.public[0], signature.data, signature.len, &err));
    sample_read(&s, &repaired);
    assert_memory_equal(repaired.data, done.data, done.len);
    gs_buf_done(&before);
    gs_buf_done(&done);
    gs_buf_done(&signature);
    sample_done(&s);
}

static void test_until_it_is_full(void **state)
{
    sample s;
    gs_error err = {0};
    sample_init(&s, *state, sample_sizes + 4);
    sample_write(&s, 0);
    for (size_t i = 0; i <= GS_MAX_SIGNATURES; i++) {
        gs_buf signature;
        gs_private_key_free(s.private[0]);
        gs_public_key_free(s.public[0]);
        s.private[0] = NULL;
        s.public[0] = NULL;
        assert_ok(&err, gs_key_generate(GS_KEY_ED25519, &s.private[0], &err));
        assert_ok(&err, gs_private_key_public(s.private[0], &s.public[0], &err));
        sign_statement(&s, 0, &signature);
        int code = gs_bundle_add_signature(s.path, s.public[0], signature.data, signature.len, &err);
        assert_int_equal(code, i < GS_MAX_SIGNATURES ? 0 : GS_ELIMIT);
        gs_buf_done(&signature);
    }
    sample_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_tempdir(test_adds),
        test_in_tempdir(test_adds_only_what_verifies),
        test_in_tempdir(test_power_loss),
        test_in_tempdir(test_until_it_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
