/* Permits: one text for one permit, any other refused; and whose signatures make one count. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gapship/fs.h"
#include "gapship/limits.h"
#include "gapship/permit.h"
#include "support.h"

#define DIGEST "sha256:0909090909090909090909090909090909090909090909090909090909090909"

static const char written[] =
    "{\"below\":{\"epoch\":0,\"sequence\":42},\"bundle\":\"" DIGEST
    "\",\"epoch\":0,\"expires\":\"2025-12-21T13:55:00Z\",\"issuedAt\":\"2025-11-21T13:55:00Z\",\"product\":\"shop\","
    "\"reason\":\"1.3 loses \\\"orders\\\" \xe2\x80\x93 go "
    "back\",\"sequence\":40,\"site\":\"plant-7\",\"type\":\"gapship-permit\"}";

static gs_permit example(void)
{
    gs_permit permit = {.product = "shop",
                        .site = "plant-7",
                        .sequence = 40,
                        .below_sequence = 42,
                        .issued_at = 1763733300,
                        .expires = 1763733300 + 30 * INT64_C(86400),
                        .reason = "1.3 loses \"orders\" \xe2\x80\x93 go back"};
    memset(permit.bundle.bytes, 9, sizeof permit.bundle.bytes);
    return permit;
}

static void test_the_written_form(void **state)
{
    (void)state;
    GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
    GS_AUTO_BUF gs_buf body;
    gs_error err = {0};
    gs_permit permit = example();
    gs_permit read;
    gs_buf_init(&body, GS_MAX_DOCUMENT_BYTES);
    assert_ok(&err, gs_permit_body(&permit, &body, &err));
    assert_string_equal(gs_buf_text(&body), written);
    assert_ok(&err, gs_permit_parse(body.data, body.len, arena, &read, &err));
    assert_string_equal(read.product, "shop");
    assert_string_equal(read.site, "plant-7");
    assert_string_equal(read.reason, permit.reason);
    assert_true(gs_digest_equal(&read.bundle, &permit.bundle));
    assert_int_equal(read.sequence, 40);
    assert_int_equal(read.below_sequence, 42);
    assert_int_equal(read.issued_at, permit.issued_at);
    assert_int_equal(read.expires, permit.expires);

    gs_buf_clear(&body);
    permit.site = NULL;
    permit.expires = 0;
    assert_ok(&err, gs_permit_body(&permit, &body, &err));
    assert_null(strstr(gs_buf_text(&body), "site\""));
    assert_ok(&err, gs_permit_parse(body.data, body.len, arena, &read, &err));
    assert_null(read.site);
    assert_int_equal(read.expires, 0);
}

/* The written form with one text exchanged; each is refused. */
static const struct {
    const char *old, *new, *text;
} cases[] = {
    {"{\"below\"", "{ \"below\"", "RFC 8785"},
    {"\"shop\"", "\"sh\\u006fp\"", "RFC 8785"},
    {"\"epoch\":0,\"expires\":\"2025-12-21T13:55:00Z\"", "\"expires\":\"2025-12-21T13:55:00Z\",\"epoch\":0", "RFC 8785"},
    {"\"sequence\":40", "\"sequence\":4e1", "sequence"},
    {"\"sequence\":40", "\"sequence\":40.0", "sequence"},
    {"\"sequence\":40", "\"sequence\":-1", "2^53"},
    {"\"sequence\":40", "\"sequence\":9007199254740992", "2^53"},
    {"\"sequence\":40", "\"sequence\":\"40\"", "sequence"},
    {"\"sequence\":40", "\"sequence\":42", "not below"},
    {"\"sequence\":40", "\"sequence\":40,\"sequence\":41", "second time"},
    {"\"sequence\":40", "\"seq\":40", "seq"},
    {"\"below\":{\"epoch\":0,\"sequence\":42},", "", "\"below\" is missing"},
    {"\"sequence\":42}", "\"sequence\":42,\"x\":1}", "unknown key"},
    {"sha256:09", "sha256:0g", "bundle"},
    {"sha256:0909", "sha512:0909", "bundle"},
    {"\"shop\"", "\"Shop\"", "product"},
    {"\"plant-7\"", "\"../7\"", "site"},
    {"\"plant-7\"", "null", "site"},
    {"\"2025-12-21T13:55:00Z\"", "\"2025-11-20T13:55:00Z\"", "expires before"},
    {"\"2025-12-21T13:55:00Z\"", "\"never\"", "expires"},
    {"1.3 loses", "1.3\\nloses", "one line"},
    {"1.3 loses", "1.3\\u007floses", "one line"},
    {"\"1.3 loses \\\"orders\\\" \xe2\x80\x93 go back\"", "\"\"", "one line"},
    {"gapship-permit", "gapship-root", "gapship-permit"},
    {"gapship-permit\"}", "gapship-permit\"}\n", "RFC 8785"},
    {"gapship-permit\"}", "gapship-permit\"}{}", "permit"},
};

static void test_every_other_form_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_ARENA gs_arena *arena = gs_arena_new();
        GS_AUTO_BUF gs_buf changed;
        gs_permit permit;
        gs_error err = {0};
        const char *at = strstr(written, cases[i].old);
        assert_non_null(at);
        gs_buf_init(&changed, GS_MAX_DOCUMENT_BYTES);
        gs_buf_add(&changed, written, (size_t)(at - written));
        gs_buf_add_text(&changed, cases[i].new);
        gs_buf_add_text(&changed, at + strlen(cases[i].old));
        assert_fails(&err, GS_EFORMAT, cases[i].text, gs_permit_parse(changed.data, changed.len, arena, &permit, &err));
    }
}

static void test_nothing_is_written_that_could_not_be_read(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf body;
    gs_error err = {0};
    gs_buf_init(&body, GS_MAX_DOCUMENT_BYTES);
    gs_permit permit = example();
    permit.reason = "two\nlines";
    assert_fails(&err, GS_ESPEC, "one line", gs_permit_body(&permit, &body, &err));
    permit = example();
    permit.reason = "";
    assert_fails(&err, GS_ESPEC, "one line", gs_permit_body(&permit, &body, &err));
    permit = example();
    permit.site = "Plant 7";
    assert_fails(&err, GS_ESPEC, "the site is not a name", gs_permit_body(&permit, &body, &err));
    permit = example();
    permit.below_sequence = 40;
    assert_fails(&err, GS_ESPEC, "not below", gs_permit_body(&permit, &body, &err));
    permit = example();
    permit.expires = permit.issued_at - 1;
    assert_fails(&err, GS_ESPEC, "expires before", gs_permit_body(&permit, &body, &err));
    assert_int_equal(body.len, 0);
}

/* ---- signatures ---- */

enum { KEYS = 4 };
typedef struct signers {
    gs_tempdir *dir;
    gs_arena *arena;
    gs_private_key *private[KEYS];
    gs_public_key *public[KEYS];
    gs_trust *trust; /* keys 0 and 1: release, both of them; 2: root; 3: nobody */
} signers;

static void signers_init(signers *s, gs_tempdir *dir)
{
    gs_error err = {0};
    *s = (signers){.dir = dir, .arena = gs_arena_new()};
    for (size_t i = 0; i < KEYS; i++) {
        assert_ok(&err, gs_key_generate(GS_KEY_ED25519, &s->private[i], &err));
        assert_ok(&err, gs_private_key_public(s->private[i], &s -> public[i], &err));
    }
    const gs_public_key *const release[] = {s->public[0], s -> public[1]};
    const gs_public_key *const root[] = {s->public[2]};
    const gs_trust_draft draft = {.version = 1,
                                  .epoch = 1,
                                  .roles = {[GS_ROLE_ROOT] = {.keys = root, .count = 1, .threshold = 1},
                                            [GS_ROLE_RELEASE] = {.keys = release, .count = 2, .threshold = 2}}};
    assert_ok(&err, gs_trust_make(&draft, &s->trust, &err));
}

static void signers_done(signers *s)
{
    for (size_t i = 0; i < KEYS; i++) {
        gs_private_key_free(s->private[i]);
        gs_public_key_free(s->public[i]);
    }
    gs_trust_free(s->trust);
    gs_arena_free(s->arena);
}

/* A permit file of this type around this body, signed by the keys whose digits stand in `by`. */
static const char *write_permit(signers *s, gs_document_type type, const char *body, const char *by)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf document;
    GS_AUTO_BUF gs_buf encoding;
    gs_buf_init(&document, GS_MIB(1));
    gs_buf_init(&encoding, GS_MIB(1));
    assert_ok(&err, gs_document_write(type, body, strlen(body), &document, &err));
    assert_ok(&err, gs_document_encoding(type, body, strlen(body), &encoding, &err));
    for (const char *key = by; *key; key++) {
        GS_AUTO_BUF gs_buf signature;
        gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
        assert_ok(&err, gs_sign(s->private[*key - '0'], encoding.data, encoding.len, &signature, &err));
        assert_ok(&err, gs_document_sign(&document, s->public[*key - '0'], signature.data, signature.len, &err));
    }
    assert_ok(&err, gs_fs_write_file(s->dir->fd, "a.permit", document.data, document.len, 0644, &err));
    return gs_arena_printf(s->arena, "%s/a.permit", s->dir->path);
}

static void test_who_has_to_sign(void **state)
{
    signers s;
    signers_init(&s, *state);
    static const struct {
        const char *by;
        const char *text; /* NULL: it counts */
        gs_role role;
    } rows[] = {
        {"", "signed by 0 of the 2 release keys that are required, and by 0 of the 1 root keys", 0},
        {"0", "signed by 1 of the 2 release keys", 0},
        {"03", "signed by 1 of the 2 release keys", 0},
        {"3", "signed by 0 of the 2 release keys", 0},
        {"01", NULL, GS_ROLE_RELEASE},
        {"301", NULL, GS_ROLE_RELEASE},
        {"2", NULL, GS_ROLE_ROOT},
        {"20", NULL, GS_ROLE_ROOT},
        {"012", NULL, GS_ROLE_ROOT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        gs_error err = {0};
        gs_permit permit = {0};
        int code = gs_permit_load(write_permit(&s, GS_DOCUMENT_PERMIT, written, rows[i].by), s.trust, s.arena, &permit, &err);
        if (rows[i].text) {
            assert_fails(&err, GS_ESIGNATURE, rows[i].text, code);
            assert_null(permit.product);
        } else {
            assert_ok(&err, code);
            assert_int_equal(permit.role, rows[i].role);
            assert_string_equal(permit.site, "plant-7");
            assert_true(strlen(permit.signers) >= 16);
        }
    }
    signers_done(&s);
}

/* A body is parsed only when enough keys signed it, and a signature for another type counts for nothing. */
static void test_what_is_refused_and_when(void **state)
{
    signers s;
    gs_error err = {0};
    gs_permit permit;
    signers_init(&s, *state);
    assert_fails(&err, GS_ESIGNATURE, NULL,
                 gs_permit_load(write_permit(&s, GS_DOCUMENT_PERMIT, "{no json", "0"), s.trust, s.arena, &permit, &err));
    assert_fails(&err, GS_EFORMAT, "a.permit",
                 gs_permit_load(write_permit(&s, GS_DOCUMENT_PERMIT, "{no json", "01"), s.trust, s.arena, &permit, &err));
    assert_fails(&err, GS_EFORMAT, "this is not a permit",
                 gs_permit_load(write_permit(&s, GS_DOCUMENT_ROOT, written, "01"), s.trust, s.arena, &permit, &err));

    const char *path = write_permit(&s, GS_DOCUMENT_PERMIT, written, "01");
    GS_AUTO_BUF gs_buf whole;
    gs_buf_init(&whole, GS_MIB(1));
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, path, &whole, &err));
    for (size_t at = 0; at < whole.len; at++) { /* every byte counts */
        whole.data[at] = (char)(whole.data[at] ^ 1);
        assert_ok(&err, gs_fs_write_file(AT_FDCWD, path, whole.data, whole.len, 0644, &err));
        whole.data[at] = (char)(whole.data[at] ^ 1);
        int code = gs_permit_load(path, s.trust, s.arena, &permit, &err);
        assert_true(code == GS_EFORMAT || code == GS_ESIGNATURE);
        err = (gs_error){0};
    }
    gs_buf_add_text(&whole, "x");
    assert_ok(&err, gs_fs_write_file(AT_FDCWD, path, whole.data, whole.len, 0644, &err));
    assert_fails(&err, GS_EFORMAT, "this is not a permit", gs_permit_load(path, s.trust, s.arena, &permit, &err));
    for (size_t len = 0; len + 1 < whole.len; len++) {
        assert_ok(&err, gs_fs_write_file(AT_FDCWD, path, whole.data, len, 0644, &err));
        assert_fails(&err, GS_EFORMAT, NULL, gs_permit_load(path, s.trust, s.arena, &permit, &err));
    }
    assert_fails(&err, GS_ENOTFOUND, NULL, gs_permit_load("/nowhere/a.permit", s.trust, s.arena, &permit, &err));
    signers_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_written_form), cmocka_unit_test(test_every_other_form_is_refused),
                                       cmocka_unit_test(test_nothing_is_written_that_could_not_be_read),
                                       test_in_tempdir(test_who_has_to_sign), test_in_tempdir(test_what_is_refused_and_when)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
