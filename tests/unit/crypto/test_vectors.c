/* Signatures and keys as an attacker would write them: vectors.txt, which make_vectors.py makes, says of each what must become of it. */
#include <string.h>

#include "gapship/crypto.h"
#include "gapship/limits.h"
#include "gapship/num.h"
#include "support.h"

#define MOST_KEYS 32

typedef struct named_key {
    const char *name;
    gs_public_key *key;
} named_key;

typedef struct vectors {
    named_key keys[MOST_KEYS];
    size_t key_count, cases, good, refused, wrong;
} vectors;

/* The bytes of a field; "-" is none. */
static void read_bytes(const char *field, gs_buf *out)
{
    size_t len = strcmp(field, "-") == 0 ? 0 : strlen(field) / 2;
    gs_buf_init(out, GS_MAX_KEY_FILE_BYTES);
    unsigned char *room = gs_buf_reserve(out, len);
    assert_non_null(room);
    assert_true(len == 0 || gs_hex_decode(field, room, len));
    out->len = len;
    room[len] = '\0';
}

/* In lines of 64 characters, as PEM has them. */
static int parse_der(const gs_buf *der, gs_public_key **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf base64;
    GS_AUTO_BUF gs_buf pem;
    gs_buf_init(&base64, GS_MAX_KEY_FILE_BYTES);
    gs_buf_init(&pem, GS_MAX_KEY_FILE_BYTES);
    assert_int_equal(gs_base64_encode(der->data, der->len, &base64, NULL), 0);
    gs_buf_add_text(&pem, "-----BEGIN PUBLIC KEY-----\n");
    for (size_t at = 0; at < base64.len; at += 64) {
        gs_buf_printf(&pem, "%.64s\n", base64.data + at);
    }
    gs_buf_add_text(&pem, "-----END PUBLIC KEY-----\n");
    assert_int_equal(pem.failed, 0);
    return gs_public_key_parse(pem.data, pem.len, out, err);
}

static int parse_key(const char *form, const char *field, gs_public_key **out, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    read_bytes(field, &bytes);
    return strcmp(form, "text") == 0 ? gs_public_key_parse(bytes.data, bytes.len, out, err) : parse_der(&bytes, out, err);
}

static const gs_public_key *find_key(const vectors *v, const char *name)
{
    for (size_t i = 0; i < v->key_count; i++) {
        if (strcmp(v->keys[i].name, name) == 0) {
            return v->keys[i].key;
        }
    }
    fail_msg("there is no key %s", name);
    return NULL;
}

static void add_key(vectors *v, char **fields)
{
    gs_error err = {0};
    assert_true(v->key_count < MOST_KEYS);
    named_key *key = &v->keys[v->key_count++];
    key->name = fields[1];
    if (parse_key(fields[2], fields[3], &key->key, &err) != 0) {
        fail_msg("key %s: %s", fields[1], err.message);
    }
}

static void check_refused(vectors *v, char **fields)
{
    gs_public_key *key = NULL;
    gs_error err = {0};
    v->refused++;
    if (parse_key(fields[2], fields[3], &key, &err) != GS_ESPEC || key || err.message[0] == '\0') {
        print_error("%s: not refused, or not so: %s\n", fields[1], err.message);
        v->wrong++;
    }
    gs_public_key_free(key);
}

static void check_case(vectors *v, char **fields)
{
    GS_AUTO_BUF gs_buf message;
    GS_AUTO_BUF gs_buf signature;
    gs_error err = {0};
    bool good = strcmp(fields[3], "good") == 0;
    assert_true(good || strcmp(fields[3], "bad") == 0);
    read_bytes(fields[4], &message);
    read_bytes(fields[5], &signature);
    int code = gs_signature_verify(find_key(v, fields[2]), message.data, message.len, signature.data, signature.len, &err);
    v->cases++;
    v->good += good ? 1 : 0;
    if (code != (good ? 0 : GS_ESIGNATURE) || (!good && !strstr(err.message, "does not count"))) {
        print_error("%s: code %d, \"%s\", but must be %s\n", fields[1], code, err.message, fields[3]);
        v->wrong++;
    }
}

static void run_line(vectors *v, char *line)
{
    char *fields[6] = {0};
    size_t count = 0;
    char *why = strchr(line, '#');
    if (why) {
        *why = '\0';
    }
    for (char *field = strsep(&line, " "); field; field = strsep(&line, " ")) {
        if (field[0] != '\0') {
            assert_true(count < 6);
            fields[count++] = field;
        }
    }
    if (count == 0) {
        return;
    }
    if (strcmp(fields[0], "case") == 0 && count == 6) {
        check_case(v, fields);
    } else if (strcmp(fields[0], "key") == 0 && count == 4) {
        add_key(v, fields);
    } else if (strcmp(fields[0], "refused") == 0 && count == 4) {
        check_refused(v, fields);
    } else {
        fail_msg("a line that is none: %s", fields[0]);
    }
}

static void test_all_vectors(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf text;
    vectors v = {0};
    support_read_fixture("tests/unit/crypto/vectors.txt", &text);
    char *rest = text.data;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        run_line(&v, line);
    }
    for (size_t i = 0; i < v.key_count; i++) {
        gs_public_key_free(v.keys[i].key);
    }
    assert_int_equal(v.wrong, 0);
    assert_true(v.cases >= 330);
    assert_true(v.good >= 30);
    assert_true(v.refused >= 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
