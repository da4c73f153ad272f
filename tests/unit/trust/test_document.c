/* Signed documents: what is written is read, every other framing is refused, and nothing of a document can be changed. */
#include <string.h>

#include "gapship/limits.h"
#include "trust_support.h"

static const char body[] = "{\"type\":\"anything\"}";

static void add_signature(gs_buf *document, gs_document_type type, size_t key)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    trust_sign_body(key, type, body, sizeof body - 1, &signature);
    assert_ok(&err, gs_document_sign(document, trust_keys.public[key], signature.data, signature.len, &err));
}

/* A document of two signatures: keys 0 and 1. */
static void make_document(gs_buf *out, gs_document_type type)
{
    gs_error err = {0};
    gs_buf_init(out, 2 * GS_MAX_DOCUMENT_BYTES);
    assert_ok(&err, gs_document_write(type, body, sizeof body - 1, out, &err));
    add_signature(out, type, 0);
    add_signature(out, type, 1);
}

static gs_trust_role role_of(const gs_public_key **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        list[i] = trust_keys.public[i];
    }
    return (gs_trust_role){.keys = list, .count = count, .threshold = 1};
}

static void test_round_trip(void **state)
{
    (void)state;
    static const gs_document_type types[] = {GS_DOCUMENT_ROOT, GS_DOCUMENT_PERMIT};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        gs_error err = {0};
        gs_document parsed;
        gs_signature_report reports[GS_MAX_SIGNATURES];
        const gs_public_key *list[3];
        unsigned good = 0;
        GS_AUTO_BUF gs_buf document;
        make_document(&document, types[i]);
        gs_buf_add_text(&document, "what follows is another's");
        assert_ok(&err, gs_document_parse(document.data, document.len, &parsed, &err));
        assert_int_equal(parsed.type, types[i]);
        assert_int_equal(parsed.size, document.len - strlen("what follows is another's"));
        assert_int_equal(parsed.body_len, sizeof body - 1);
        assert_memory_equal(parsed.data + parsed.body_offset, body, sizeof body - 1);
        assert_int_equal(parsed.count, 2);
        gs_trust_role role = role_of(list, 3);
        assert_ok(&err, gs_document_count(&parsed, &role, reports, &good, &err));
        assert_int_equal(good, 2);
        role = role_of(list, 1);
        assert_ok(&err, gs_document_count(&parsed, &role, reports, &good, &err));
        assert_int_equal(good, 1);
        assert_true(reports[0].known && reports[0].good);
        assert_false(reports[1].known || reports[1].good);
    }
}

/* The type is part of what is signed: the signatures of a permit do not make a root. */
static void test_type_is_signed(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_document parsed;
    gs_signature_report reports[GS_MAX_SIGNATURES];
    const gs_public_key *list[2];
    unsigned good = 9;
    GS_AUTO_BUF gs_buf document;
    make_document(&document, GS_DOCUMENT_PERMIT);
    document.data[12] = GS_DOCUMENT_ROOT;
    assert_ok(&err, gs_document_parse(document.data, document.len, &parsed, &err));
    const gs_trust_role role = role_of(list, 2);
    assert_fails(&err, GS_ESIGNATURE, NULL, gs_document_count(&parsed, &role, reports, &good, &err));
    assert_int_equal(good, 9);
}

static void test_header(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        unsigned char value;
        const char *text;
    } cases[] = {
        {0, 'g', "does not begin with GSSIGNED"},
        {7, 'd', "does not begin with GSSIGNED"},
        {8, 0, "has version 0"},
        {8, 2, "has version 2, this gapship reads version 1"},
        {11, 1, "has version 16777217"},
        {12, 0, "of type 0"},
        {12, 3, "of type 3"},
        {15, 1, "of type 16777217"},
        {16, 0, "from 1 to 65536 bytes, not 0"},
        {18, 1, "from 1 to 65536 bytes, not 65555"},
        {19, 255, "from 1 to 65536"},
        {17, 1, "ends inside its body"},
        {20, 3, "does not fit its place"},
        {20, 17, "has 17 signatures, 16 are the most"},
        {23, 255, "signatures, 16 are the most"},
    };
    GS_AUTO_BUF gs_buf document;
    make_document(&document, GS_DOCUMENT_ROOT);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        gs_error err = {0};
        gs_document parsed = {.size = 99};
        char old = document.data[cases[i].at];
        document.data[cases[i].at] = (char)cases[i].value;
        assert_fails(&err, GS_EFORMAT, cases[i].text, gs_document_parse(document.data, document.len, &parsed, &err));
        assert_int_equal(parsed.size, 99);
        document.data[cases[i].at] = old;
    }
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf document;
    make_document(&document, GS_DOCUMENT_ROOT);
    for (size_t len = 0; len < document.len; len++) {
        gs_error err = {0};
        gs_document parsed;
        assert_fails(&err, GS_EFORMAT, NULL, gs_document_parse(document.data, len, &parsed, &err));
    }
}

/* Whatever bit is flipped: it is no document, or both keys do not count any more. What may still change is only who is named as
 * signer: an entry of a key that nobody knows counts for nothing. */
static void test_every_bit(void **state)
{
    (void)state;
    const gs_public_key *list[2];
    const gs_trust_role role = role_of(list, 2);
    GS_AUTO_BUF gs_buf document;
    make_document(&document, GS_DOCUMENT_ROOT);
    for (size_t bit = 0; bit < 8 * document.len; bit++) {
        gs_error err = {0};
        gs_document parsed;
        gs_signature_report reports[GS_MAX_SIGNATURES];
        unsigned good = 0;
        document.data[bit / 8] = (char)(document.data[bit / 8] ^ (1 << bit % 8));
        int code = gs_document_parse(document.data, document.len, &parsed, &err);
        bool whole = code == 0 && parsed.size == document.len;
        code = code == 0 ? gs_document_count(&parsed, &role, reports, &good, &err) : code;
        assert_true(code == 0 || code == GS_EFORMAT || code == GS_ESIGNATURE);
        assert_false(code == 0 && whole && good == 2);
        document.data[bit / 8] = (char)(document.data[bit / 8] ^ (1 << bit % 8));
    }
}

static void test_sign_refuses(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_BUF gs_buf document;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&signature, 2 * GS_MAX_SIGNATURE_BYTES);
    make_document(&document, GS_DOCUMENT_ROOT);
    const size_t len = document.len;
    trust_sign_body(0, GS_DOCUMENT_ROOT, body, sizeof body - 1, &signature);
    assert_fails(&err, GS_EEXISTS, "has signed already",
                 gs_document_sign(&document, trust_keys.public[0], signature.data, signature.len, &err));
    assert_fails(&err, GS_ESIGNATURE, NULL, gs_document_sign(&document, trust_keys.public[2], signature.data, signature.len, &err));
    assert_fails(&err, GS_ELIMIT, "no room", gs_document_sign(&document, trust_keys.public[2], "", 0, &err));
    gs_buf_add_zeros(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_fails(&err, GS_ELIMIT, "no room",
                 gs_document_sign(&document, trust_keys.public[2], signature.data, signature.len, &err));
    assert_int_equal(document.len, len);
    gs_buf_add_text(&document, "\n");
    assert_fails(&err, GS_EFORMAT, "bytes behind its end", gs_document_sign(&document, trust_keys.public[2], "x", 1, &err));
}

/* As many as there may be, whose bytes nobody checks here, and one more. */
static void test_sixteen_signatures(void **state)
{
    (void)state;
    gs_error err = {0};
    gs_document parsed;
    GS_AUTO_BUF gs_buf document;
    GS_AUTO_BUF gs_buf signature;
    gs_buf_init(&document, 2 * GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_ok(&err, gs_document_write(GS_DOCUMENT_ROOT, body, sizeof body - 1, &document, &err));
    for (unsigned char i = 0; i < GS_MAX_SIGNATURES; i++) {
        gs_signature_entry_write(&document, GS_SCHEME_KEY, &(gs_digest){{i}}, "signature", 9);
    }
    document.data[20] = GS_MAX_SIGNATURES;
    assert_ok(&err, gs_document_parse(document.data, document.len, &parsed, &err));
    assert_int_equal(parsed.count, GS_MAX_SIGNATURES);
    trust_sign_body(0, GS_DOCUMENT_ROOT, body, sizeof body - 1, &signature);
    assert_fails(&err, GS_ELIMIT, "no room",
                 gs_document_sign(&document, trust_keys.public[0], signature.data, signature.len, &err));
}

static void test_write_refuses(void **state)
{
    (void)state;
    static char large[GS_MAX_DOCUMENT_BYTES + 1];
    gs_error err = {0};
    gs_document parsed;
    GS_AUTO_BUF gs_buf document;
    gs_buf_init(&document, 2 * GS_MAX_DOCUMENT_BYTES);
    memset(large, ' ', sizeof large);
    assert_fails(&err, GS_ELIMIT, "not 65537", gs_document_write(GS_DOCUMENT_ROOT, large, sizeof large, &document, &err));
    assert_fails(&err, GS_ELIMIT, "not 0", gs_document_write(GS_DOCUMENT_ROOT, large, 0, &document, &err));
    assert_int_equal(document.len, 0);
    assert_ok(&err, gs_document_write(GS_DOCUMENT_ROOT, large, sizeof large - 1, &document, &err));
    assert_ok(&err, gs_document_parse(document.data, document.len, &parsed, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),         cmocka_unit_test(test_type_is_signed), cmocka_unit_test(test_header),
        cmocka_unit_test(test_cut_at_every_byte),  cmocka_unit_test(test_every_bit),      cmocka_unit_test(test_sign_refuses),
        cmocka_unit_test(test_sixteen_signatures), cmocka_unit_test(test_write_refuses),
    };
    return cmocka_run_group_tests(tests, trust_enter, trust_leave);
}
