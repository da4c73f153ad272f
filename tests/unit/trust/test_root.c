/* Root documents: what is refused and how it is said, and a key alone. The good ones come from bundle-spec/vectors, made by openssl
 * and Python. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gapship/doc.h"
#include "gapship/limits.h"
#include "gapship/proc.h"
#include "gapship/trust.h"
#include "support.h"

static void test_reads_a_root(void **state)
{
    (void)state;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    gs_error err = {0};
    assert_ok(&err, gs_trust_load("bundle-spec/vectors/root-of-two.json", &trust, &err));
    assert_int_equal(gs_trust_role_of(trust, GS_ROLE_RELEASE)->threshold, 2);
    assert_int_equal(gs_trust_role_of(trust, GS_ROLE_RELEASE)->count, 3);
    assert_int_equal(gs_trust_version(trust), 1);
    assert_int_equal(gs_trust_epoch(trust), 1);
    assert_int_equal(gs_public_key_type(gs_trust_role_of(trust, GS_ROLE_RELEASE)->keys[0]), GS_KEY_ED25519);
    assert_int_equal(gs_public_key_type(gs_trust_role_of(trust, GS_ROLE_RELEASE)->keys[2]), GS_KEY_ECDSA_P256);
    assert_int_equal(gs_trust_role_of(trust, GS_ROLE_ROOT)->threshold, 2);
    assert_ptr_equal(gs_trust_role_of(trust, GS_ROLE_ROOT)->keys[1], gs_trust_role_of(trust, GS_ROLE_RELEASE)->keys[1]);
}

static void test_a_key_is_found_by_its_id(void **state)
{
    (void)state;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    gs_error err = {0};
    const gs_public_key *found = NULL;
    assert_ok(&err, gs_trust_load("bundle-spec/vectors/root-of-two.json", &trust, &err));
    const gs_trust_role *release = gs_trust_role_of(trust, GS_ROLE_RELEASE);
    for (size_t i = 0; i < release->count; i++) {
        for (size_t digits = GS_KEY_PREFIX; digits < GS_DIGEST_HEX; digits += 28) {
            char id[GS_DIGEST_HEX];
            gs_digest_hex(gs_public_key_id(release->keys[i]), id);
            id[digits] = '\0';
            assert_ok(&err, gs_trust_find_key(trust, id, &found, &err));
            assert_ptr_equal(found, release->keys[i]);
        }
    }
    assert_fails(&err, GS_ENOTFOUND, "gapship root show", gs_trust_find_key(trust, "00000000", &found, &err));
    assert_fails(&err, GS_EUSAGE, "at least 8 digits", gs_trust_find_key(trust, "0000000", &found, &err));
}

/* Python is the witness: its sorted, compact JSON is RFC 8785 where there are only ASCII strings and integers. */
static void test_fingerprint_is_what_others_compute(void **state)
{
    (void)state;
    static const gs_run run = {0};
    static const char script[] =
        "import hashlib, json; signed = json.load(open('bundle-spec/vectors/root.json'))['signed'];"
        "print(hashlib.sha256(json.dumps(signed, sort_keys=True, separators=(',', ':')).encode()).hexdigest())";
    const char *argv[] = {"python3", "-c", script, NULL};
    const gs_proc proc = {.argv = argv, .cwd = -1};
    GS_AUTO_PROC gs_proc_result result = {0};
    GS_AUTO_TRUST gs_trust *trust = NULL;
    gs_error err = {0};
    gs_digest digest;
    char hex[GS_DIGEST_HEX];
    assert_ok(&err, gs_proc_check(&run, &proc, GS_ECHECK, &result, &err));
    assert_ok(&err, gs_trust_load("bundle-spec/vectors/root.json", &trust, &err));
    assert_ok(&err, gs_trust_fingerprint(trust, &digest, &err));
    gs_digest_hex(&digest, hex);
    assert_contains(gs_buf_text(&result.output), hex);
}

static void test_a_key_alone_is_a_root(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf pem;
    GS_AUTO_PRIVATE_KEY gs_private_key *private = NULL;
    GS_AUTO_PUBLIC_KEY gs_public_key *public = NULL;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    gs_error err = {0};
    gs_buf_init(&pem, GS_MAX_KEY_FILE_BYTES);
    assert_ok(&err, gs_key_generate(GS_KEY_ECDSA_P256, &private, &err));
    assert_ok(&err, gs_private_key_public(private, &public, &err));
    assert_ok(&err, gs_public_key_pem(public, &pem, &err));
    assert_ok(&err, gs_trust_parse("k.pub", pem.data, pem.len, &trust, &err));
    assert_int_equal(gs_trust_role_of(trust, GS_ROLE_RELEASE)->threshold, 1);
    assert_int_equal(gs_trust_role_of(trust, GS_ROLE_RELEASE)->count, 1);
    assert_true(gs_public_key_same(gs_trust_role_of(trust, GS_ROLE_RELEASE)->keys[0], public));
    gs_buf_clear(&pem);
    assert_ok(&err, gs_private_key_pem(private, &pem, &err));
    gs_trust *none = NULL;
    assert_fails(&err, GS_ESPEC, "k.key", gs_trust_parse("k.key", pem.data, pem.len, &none, &err));
    assert_null(none);
}

/* The root of the vectors with one text exchanged; KEY0 and KEY1 stand for the ids of its first two keys. */
static const struct {
    const char *old;
    const char *new;
    const char *text; /* NULL: accepted */
} cases[] = {
    {"\"version\": 1", "\"version\": 2", NULL},
    {"\"version\": 1", "\"version\": 0", "must be from 1"},
    {"\"epoch\": 1", "\"epoch\": -1", "must be from 1"},
    {"\"epoch\": 1", "\"epoch\": 9007199254740992", "must be from 1"},
    {"\"epoch\": 1", "\"epoch\": 1, \"expires\": \"2030-01-01\"", "not a time of RFC 3339"},
    {"\"epoch\": 1", "\"epoch\": 1, \"since\": \"2030-01-01\"", "unknown key \"since\""},
    {"\"type\": \"gapship-root\"", "\"type\": \"root\"", "gapship-root"},
    {"\"signed\"", "\"payload\"", "unknown key \"payload\""},
    {"\"threshold\": 1", "\"threshold\": 0", "threshold of \"root\" is 0"},
    {"\"threshold\": 1", "\"threshold\": 4", "from 1 to its 3 keys"},
    {"\"threshold\": 1", "\"threshold\": 4294967297", "from 1 to its 3 keys"},
    {"\"root\": {", "\"root\": {\"terminating\": true,", "unknown key \"terminating\""},
    {"        \"KEY0\",\n", "        \"KEY1\",\n", "names a key twice: KEY1"},
    {"        \"KEY0\",\n", "        \"0000000000000000000000000000000000000000000000000000000000000000\",\n", "not in \"keys\""},
    {"        \"KEY0\",\n", "        \"KEY0 \",\n", "a key id"},
    {"\"id\": \"KEY0\"", "\"id\": \"KEY1\"", "another id"},
    {"\"type\": \"ed25519\"", "\"type\": \"ecdsa-p256\"", "of type ed25519, not ecdsa-p256"},
    {"\"type\": \"ed25519\"", "\"type\": \"rsa\"", "rsa-pss"},
    {"-----END PUBLIC KEY-----\\n", "-----END PUBLIC KEY-----", "as openssl writes it"},
    {"-----BEGIN PUBLIC KEY-----\\n", "by hand\\n-----BEGIN PUBLIC KEY-----\\n", "as openssl writes it"},
    {"\"pem\": \"-----BEGIN PUBLIC", "\"pem\": \"-----BEGIN PRIVATE", "a public key was expected"},
    {"{\n  \"signed\"", "{\n  \"signatures\": [],\n  \"signed\"", NULL},
    {"{\n  \"signed\"", "{\n  \"signatures\": [{\"keyid\": \"KEY0\", \"sig\": \"AAAA\"}],\n  \"signed\"", NULL},
    {"{\n  \"signed\"", "{\n  \"signatures\": [{\"keyid\": \"KEY0\", \"sig\": \"AAA\"}],\n  \"signed\"", "base64"},
    {"{\n  \"signed\"", "{\n  \"signatures\": [{\"keyid\": \"KEY\", \"sig\": \"AAAA\"}],\n  \"signed\"", "key id"},
    {"{\n  \"signed\"", "{\n  \"signatures\": {},\n  \"signed\"", "list"},
    {"{\n  \"signed\"", "{\n  \"signatures\": [{\"keyid\": \"KEY0\", \"sig\": \"AAAA\", \"scheme\": 2}],\n  \"signed\"", NULL},
    {"{\n  \"signed\"", "{\n  \"signatures\": [{\"keyid\": \"KEY0\", \"sig\": \"AAAA\", \"scheme\": 3}],\n  \"signed\"",
     "scheme 3"},
    {"{\n  \"signed\"",
     "{\n  \"signatures\": [{\"keyid\": \"KEY0\", \"sig\": \"AAAA\"}, {\"keyid\": \"KEY0\", \"sig\": \"AAAB\"}],\n  \"signed\"",
     "two signatures by the key KEY0"},
    {"\"pem\":", "\"minisign\":", "as openssl writes it"},
    {"\"type\": \"ed25519\"", "\"type\": \"minisign\"", "of type ed25519, not minisign"},
    {"\"type\": \"ed25519\"", "\"type\": \"ed25519\", \"minisign\": \"RWRd\"", "either \"pem\" or \"minisign\""},
};

static void replace(gs_buf *text, const char *old, const char *new)
{
    GS_AUTO_BUF gs_buf result;
    gs_buf_init(&result, 2 * GS_MAX_ROOT_BYTES);
    const char *rest = gs_buf_text(text);
    const char *at = strstr(rest, old);
    assert_non_null(at);
    gs_buf_add(&result, rest, (size_t)(at - rest));
    gs_buf_add_text(&result, new);
    gs_buf_add_text(&result, at + strlen(old));
    gs_buf_clear(text);
    gs_buf_add(text, result.data, result.len);
}

/* KEY0 and KEY1 in a text of the table become ids. */
static void expand(const char *text, const gs_doc *root, gs_buf *out)
{
    gs_buf_init(out, 2 * GS_MAX_ROOT_BYTES);
    gs_buf_add_text(out, text);
    const char *names[] = {"KEY0", "KEY1"};
    const char *ids[] = {gs_node_text(gs_node_at(root->root, "signed/keys/0"), "id"),
                         gs_node_text(gs_node_at(root->root, "signed/keys/1"), "id")};
    for (size_t i = 0; i < 2; i++) {
        while (strstr(gs_buf_text(out), names[i])) {
            replace(out, names[i], ids[i]);
        }
    }
}

static void test_strictness(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf good;
    GS_AUTO_DOC gs_doc *root = NULL;
    gs_error err = {0};
    gs_buf_init(&good, GS_MAX_ROOT_BYTES);
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, "bundle-spec/vectors/root.json", &good, &err));
    assert_ok(&err, gs_doc_parse(GS_JSON, "root", good.data, good.len, &root, &err));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_BUF gs_buf old;
        GS_AUTO_BUF gs_buf new;
        GS_AUTO_BUF gs_buf changed;
        GS_AUTO_BUF gs_buf text;
        GS_AUTO_TRUST gs_trust *trust = NULL;
        gs_buf_init(&changed, 2 * GS_MAX_ROOT_BYTES);
        gs_buf_add(&changed, good.data, good.len);
        expand(cases[i].old, root, &old);
        expand(cases[i].new, root, &new);
        expand(cases[i].text ? cases[i].text : "", root, &text);
        replace(&changed, gs_buf_text(&old), gs_buf_text(&new));
        if (cases[i].text) {
            assert_fails(&err, GS_ESPEC, gs_buf_text(&text), gs_trust_parse("root", changed.data, changed.len, &trust, &err));
            assert_null(trust);
        } else {
            assert_ok(&err, gs_trust_parse("root", changed.data, changed.len, &trust, &err));
        }
    }
}

/* A threshold counts keys, so a key must not be there twice, not even where all else is right. */
static void test_a_key_stands_once(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf good;
    GS_AUTO_BUF gs_buf twice;
    GS_AUTO_TRUST gs_trust *trust = NULL;
    gs_error err = {0};
    gs_buf_init(&good, GS_MAX_ROOT_BYTES);
    gs_buf_init(&twice, GS_MAX_ROOT_BYTES);
    assert_ok(&err, gs_fs_read_file(AT_FDCWD, "bundle-spec/vectors/root.json", &good, &err));
    const char *start = strstr(gs_buf_text(&good), "\"keys\": [") + strlen("\"keys\": [");
    const char *end = strstr(start, "},") + 2;
    gs_buf_add(&twice, good.data, (size_t)(end - good.data));
    gs_buf_add_text(&twice, start);
    assert_fails(&err, GS_ESPEC, "the same key stands twice", gs_trust_parse("root", twice.data, twice.len, &trust, &err));
}

#define MINISIGN_ID  "6fcd25adfa602e68552a07c3408f4e1014d0494f8048b5f7623b37004c5dda69"
#define MINISIGN_KEY "RWRd6TIGw+esU4lC8x3wBVhqkuYXFdFxiwvLpnKhOoZtsqkLmyDSHOIF"

/* A key of minisign has one form in a root: the line of its file, and nothing else. */
static void test_a_key_of_minisign(void **state)
{
    (void)state;
    static const struct {
        const char *record, *text; /* NULL: accepted */
    } records[] = {
        {"\"type\":\"minisign\",\"minisign\":\"" MINISIGN_KEY "\"", NULL},
        {"\"type\":\"minisign\",\"minisign\":\"" MINISIGN_KEY "\\n\"", "the one line of base64"},
        {"\"type\":\"minisign\",\"minisign\":\"untrusted comment: mine\\n" MINISIGN_KEY "\"", "the one line of base64"},
        {"\"type\":\"minisign\",\"pem\":\"" MINISIGN_KEY "\"", "the one line of base64"},
        {"\"type\":\"ed25519\",\"minisign\":\"" MINISIGN_KEY "\"", "of type minisign, not ed25519"},
        {"\"type\":\"minisign\"", "either \"pem\" or \"minisign\""},
    };
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        gs_error err = {0};
        GS_AUTO_BUF gs_buf text;
        GS_AUTO_BUF gs_buf again;
        GS_AUTO_TRUST gs_trust *trust = NULL;
        gs_buf_init(&text, GS_MAX_ROOT_BYTES);
        gs_buf_init(&again, GS_MAX_ROOT_BYTES);
        gs_buf_printf(&text,
                      "{\"signed\":{\"type\":\"gapship-root\",\"version\":1,\"epoch\":1,\"keys\":[{\"id\":\"" MINISIGN_ID "\",%s}],"
                      "\"roles\":{\"root\":{\"keys\":[\"" MINISIGN_ID "\"],\"threshold\":1},\"release\":{\"keys\":[\"" MINISIGN_ID
                      "\"],\"threshold\":1}}}}",
                      records[i].record);
        if (records[i].text) {
            assert_fails(&err, GS_ESPEC, records[i].text, gs_trust_parse("root", text.data, text.len, &trust, &err));
            continue;
        }
        assert_ok(&err, gs_trust_parse("root", text.data, text.len, &trust, &err));
        assert_int_equal(gs_public_key_scheme(gs_trust_role_of(trust, GS_ROLE_ROOT)->keys[0]), GS_SCHEME_MINISIGN);
        assert_ok(&err, gs_trust_write(trust, &again, &err));
        assert_contains(gs_buf_text(&again), "\"minisign\": \"" MINISIGN_KEY "\"");
    }
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *alone = NULL;
    static const char file[] = "untrusted comment: mine\n" MINISIGN_KEY "\n";
    assert_ok(&err, gs_trust_parse("m.pub", file, sizeof file - 1, &alone, &err));
    assert_int_equal(gs_trust_version(alone), 1);
}

static void test_too_large(void **state)
{
    (void)state;
    static char spaces[GS_MAX_ROOT_BYTES + 1];
    GS_AUTO_TRUST gs_trust *trust = NULL;
    gs_error err = {0};
    memset(spaces, ' ', sizeof spaces);
    assert_fails(&err, GS_ESPEC, "at most 65536", gs_trust_parse("root", spaces, sizeof spaces, &trust, &err));
    assert_fails(&err, GS_ENOTFOUND, "absent.json", gs_trust_load("absent.json", &trust, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_root),          cmocka_unit_test(test_fingerprint_is_what_others_compute),
        cmocka_unit_test(test_a_key_alone_is_a_root), cmocka_unit_test(test_strictness),
        cmocka_unit_test(test_a_key_stands_once),     cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_a_key_of_minisign),     cmocka_unit_test(test_a_key_is_found_by_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
