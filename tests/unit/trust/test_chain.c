/* Chains of roots: what is walked, and each way in which a chain is refused. Root 1 trusts keys 0, 1, 2 and asks for two of them;
 * root 2 trusts keys 2, 3, 4 and asks for two; root 3 trusts keys 3, 4, 5 and asks for two. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gapship/limits.h"
#include "trust_support.h"

#define KEY(i)       (1u << (i))
#define BOTH_OF_2    (KEY(0) | KEY(1) | KEY(3) | KEY(4)) /* two keys of root 1, two of root 2 */
#define BOTH_OF_3    (KEY(2) | KEY(3) | KEY(5))          /* two of root 2, two of root 3 */
#define MOST_REACHED 8

static const trust_spec specs[] = {
    {.version = 1, .epoch = 1, .first = 0, .count = 3, .threshold = 2},
    {.version = 2, .epoch = 1, .first = 2, .count = 3, .threshold = 2},
    {.version = 3, .epoch = 2, .first = 3, .count = 3, .threshold = 2},
};

static void sign_root(gs_trust *root, unsigned signers)
{
    for (size_t i = 0; i < TRUST_KEYS; i++) {
        if (signers & KEY(i)) {
            trust_sign(root, i);
        }
    }
}

static void add_link(gs_buf *chain, const trust_spec *spec, unsigned signers)
{
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *root = trust_root(spec);
    sign_root(root, signers);
    assert_ok(&err, gs_trust_link(root, chain, &err));
}

/* A link of any text, properly signed. */
static void add_text(gs_buf *chain, gs_document_type type, const char *text, unsigned signers)
{
    gs_error err = {0};
    GS_AUTO_BUF gs_buf link;
    gs_buf_init(&link, 2 * GS_MAX_DOCUMENT_BYTES);
    assert_ok(&err, gs_document_write(type, text, strlen(text), &link, &err));
    for (size_t i = 0; i < TRUST_KEYS; i++) {
        if (signers & KEY(i)) {
            GS_AUTO_BUF gs_buf signature;
            gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
            trust_sign_body(i, type, text, strlen(text), &signature);
            assert_ok(&err, gs_document_sign(&link, trust_keys.public[i], signature.data, signature.len, &err));
        }
    }
    gs_buf_add(chain, link.data, link.len);
}

/* Root 2 as text, in which `old` is exchanged for `new`; the caller frees it with gs_buf_done. */
static void body_of_2(const char *old, const char *new, gs_buf *out)
{
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *root = trust_root(&specs[1]);
    GS_AUTO_BUF gs_buf body;
    gs_buf_init(&body, GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(out, 2 * GS_MAX_DOCUMENT_BYTES);
    assert_ok(&err, gs_trust_body(root, &body, &err));
    const char *text = gs_buf_text(&body);
    const char *at = strstr(text, old);
    assert_non_null(at);
    gs_buf_add(out, text, (size_t)(at - text));
    gs_buf_add_text(out, new);
    gs_buf_add_text(out, at + strlen(old));
    (void)gs_buf_text(out);
}

/* What `reached` was told. */
typedef struct walked {
    uint64_t versions[MOST_REACHED];
    size_t count;
    uint64_t fail_at; /* the version that cannot be kept */
} walked;

static int keep(void *state, const gs_trust *next, gs_error *err)
{
    walked *w = state;
    if (gs_trust_version(next) == w->fail_at) {
        return gs_fail(err, GS_ENOSPACE, "no room to keep it");
    }
    assert_in_range(w->count, 0, MOST_REACHED - 1);
    w->versions[w->count++] = gs_trust_version(next);
    return 0;
}

static int walk(gs_trust **trust, const gs_buf *chain, walked *w, gs_error *err)
{
    return gs_trust_walk(trust, chain->data, chain->len, keep, w, err);
}

/* Walks from root 1 and expects an error, and that root `reached` is the one that is trusted then. */
static void assert_refused(const gs_buf *chain, int code, const char *text, uint64_t reached)
{
    gs_error err = {0};
    walked w = {0};
    GS_AUTO_TRUST gs_trust *trust = trust_root(&specs[0]);
    assert_fails(&err, code, text, walk(&trust, chain, &w, &err));
    assert_int_equal(gs_trust_version(trust), reached);
    assert_int_equal(w.count, reached - 1);
}

static void new_chain(gs_buf *chain)
{
    gs_buf_init(chain, 8 * GS_MAX_ROOTS_BYTES);
}

/* ---- walked ---- */

static void test_walks_step_by_step(void **state)
{
    (void)state;
    gs_error err = {0};
    walked w = {0};
    GS_AUTO_BUF gs_buf chain;
    GS_AUTO_BUF gs_buf text;
    GS_AUTO_TRUST gs_trust *again = NULL;
    GS_AUTO_TRUST gs_trust *trust = trust_root(&specs[0]);
    gs_signature_report reports[GS_MAX_SIGNATURES];
    size_t count = 0;
    unsigned good = 0;
    new_chain(&chain);
    gs_buf_init(&text, GS_MAX_ROOT_BYTES);
    add_link(&chain, &specs[1], BOTH_OF_2);
    add_link(&chain, &specs[2], BOTH_OF_3);
    assert_ok(&err, walk(&trust, &chain, &w, &err));
    assert_int_equal(gs_trust_version(trust), 3);
    assert_int_equal(gs_trust_epoch(trust), 2);
    assert_int_equal(w.count, 2);
    assert_int_equal(w.versions[0], 2);
    assert_int_equal(w.versions[1], 3);
    /* What was reached is a root document with its signatures. */
    assert_ok(&err, gs_trust_write(trust, &text, &err));
    assert_ok(&err, gs_trust_parse("root", text.data, text.len, &again, &err));
    assert_ok(&err, gs_trust_signers(again, again, reports, &count, &good, &err));
    assert_int_equal(count, 3);
    assert_int_equal(good, 2);
}

static void test_reached_links_are_passed_over(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    add_link(&chain, &specs[1], BOTH_OF_2);
    add_link(&chain, &specs[2], BOTH_OF_3);
    for (size_t i = 1; i < 3; i++) {
        walked w = {0};
        GS_AUTO_TRUST gs_trust *trust = trust_root(&specs[i]);
        assert_ok(&err, walk(&trust, &chain, &w, &err));
        assert_int_equal(gs_trust_version(trust), 3);
        assert_int_equal(w.count, 2 - i);
    }
    /* A chain that ends before the root that is trusted changes nothing. */
    GS_AUTO_BUF gs_buf old;
    new_chain(&old);
    add_link(&old, &specs[1], BOTH_OF_2);
    GS_AUTO_TRUST gs_trust *trust = trust_root(&specs[2]);
    assert_ok(&err, gs_trust_walk(&trust, old.data, old.len, NULL, NULL, &err));
    assert_int_equal(gs_trust_version(trust), 3);
}

static void test_an_expired_root_is_walked(void **state)
{
    (void)state;
    gs_error err = {0};
    walked w = {0};
    GS_AUTO_BUF gs_buf chain;
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_TRUST gs_trust *trust = trust_root(&specs[0]);
    new_chain(&chain);
    body_of_2("\"epoch\":1,", "\"epoch\":1,\"expires\":\"1999-12-31T23:59:59Z\",", &body);
    add_text(&chain, GS_DOCUMENT_ROOT, body.data, BOTH_OF_2);
    add_link(&chain, &specs[2], BOTH_OF_3);
    assert_ok(&err, walk(&trust, &chain, &w, &err));
    assert_int_equal(w.count, 2);
    assert_int_equal(gs_trust_expires(trust), 0);
}

static void test_what_cannot_be_kept_is_not_reached(void **state)
{
    (void)state;
    gs_error err = {0};
    walked w = {.fail_at = 3};
    GS_AUTO_BUF gs_buf chain;
    GS_AUTO_TRUST gs_trust *trust = trust_root(&specs[0]);
    new_chain(&chain);
    add_link(&chain, &specs[1], BOTH_OF_2);
    add_link(&chain, &specs[2], BOTH_OF_3);
    assert_fails(&err, GS_ENOSPACE, "no room", walk(&trust, &chain, &w, &err));
    assert_int_equal(gs_trust_version(trust), 2);
}

/* ---- versions ---- */

static void test_gap_at_the_start(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    add_link(&chain, &specs[2], BOTH_OF_3);
    assert_refused(&chain, GS_EFORMAT, "goes on with root 3, but root 1 is trusted", 1);
}

static void test_gap_inside(void **state)
{
    (void)state;
    static const trust_spec four = {.version = 4, .epoch = 1, .first = 3, .count = 3, .threshold = 2};
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    add_link(&chain, &specs[1], BOTH_OF_2);
    add_link(&chain, &four, BOTH_OF_3);
    assert_refused(&chain, GS_EFORMAT, "root 4 after root 2", 2);
}

static void test_replay_of_an_older_link(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    add_link(&chain, &specs[1], BOTH_OF_2);
    add_link(&chain, &specs[2], BOTH_OF_3);
    add_link(&chain, &specs[1], BOTH_OF_2);
    assert_refused(&chain, GS_EFORMAT, "root 2 after root 3", 3);
}

static void test_another_root_of_the_version_that_is_trusted(void **state)
{
    (void)state;
    static const trust_spec other = {.version = 1, .epoch = 1, .first = 0, .count = 3, .threshold = 1};
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    add_link(&chain, &other, KEY(0) | KEY(1) | KEY(2));
    assert_refused(&chain, GS_EFORMAT, "another root 1 than the one that is trusted", 1);
}

static void test_epoch_falls(void **state)
{
    (void)state;
    gs_error err = {0};
    static const trust_spec one = {.version = 1, .epoch = 7, .first = 0, .count = 3, .threshold = 2};
    GS_AUTO_BUF gs_buf chain;
    GS_AUTO_TRUST gs_trust *trust = trust_root(&one);
    new_chain(&chain);
    add_link(&chain, &specs[1], BOTH_OF_2);
    assert_fails(&err, GS_EFORMAT, "root 2 has epoch 1, but root 1 before it has 7",
                 gs_trust_walk(&trust, chain.data, chain.len, NULL, NULL, &err));
}

/* ---- signatures ---- */

static const struct {
    const char *name;
    unsigned signers;
    const char *text;
} thresholds[] = {
    {"by nobody", 0, "signed by 0 of the 2 root keys of root 1"},
    {"by the old threshold only", KEY(0) | KEY(1), "signed by 0 of the 2 root keys of root 2"},
    {"by the new threshold only", KEY(3) | KEY(4), "signed by 0 of the 2 root keys of root 1"},
    {"by one less of the old", KEY(0) | KEY(3) | KEY(4), "signed by 1 of the 2 root keys of root 1"},
    {"by one less of the new", KEY(0) | KEY(1) | KEY(4), "signed by 1 of the 2 root keys of root 2"},
    {"by strangers", KEY(5), "signed by 0 of the 2 root keys of root 1"},
    {"by a key of both, once", KEY(2), "signed by 1 of the 2 root keys of root 1"},
};

static void test_thresholds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(thresholds); i++) {
        GS_AUTO_BUF gs_buf chain;
        new_chain(&chain);
        add_link(&chain, &specs[1], thresholds[i].signers);
        print_message("signed %s\n", thresholds[i].name);
        assert_refused(&chain, GS_ESIGNATURE, thresholds[i].text, 1);
    }
}

/* Key 2 is of both roles: it counts in each. */
static void test_a_key_of_both_roots_counts_for_both(void **state)
{
    (void)state;
    gs_error err = {0};
    walked w = {0};
    GS_AUTO_BUF gs_buf chain;
    GS_AUTO_TRUST gs_trust *trust = trust_root(&specs[0]);
    new_chain(&chain);
    add_link(&chain, &specs[1], KEY(1) | KEY(2) | KEY(3));
    assert_ok(&err, walk(&trust, &chain, &w, &err));
}

static void test_missing_keys_are_named(void **state)
{
    (void)state;
    char id[GS_DIGEST_HEX];
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    add_link(&chain, &specs[1], KEY(0) | KEY(3) | KEY(4));
    gs_digest_hex(gs_public_key_id(trust_keys.public[2]), id);
    id[16] = '\0';
    assert_refused(&chain, GS_ESIGNATURE, id, 1);
}

/* Two entries by one key: even where a forger frames them, they are no chain. */
static void test_one_key_twice_as_two_entries(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_BUF gs_buf chain;
    GS_AUTO_BUF gs_buf signature;
    new_chain(&chain);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    body_of_2("", "", &body);
    add_text(&chain, GS_DOCUMENT_ROOT, body.data, KEY(0) | KEY(3) | KEY(4));
    trust_sign_body(0, GS_DOCUMENT_ROOT, body.data, body.len, &signature);
    gs_signature_entry_write(&chain, GS_SCHEME_KEY, gs_public_key_id(trust_keys.public[0]), signature.data, signature.len);
    chain.data[20] = 4;
    assert_refused(&chain, GS_EFORMAT, "two signatures by one key", 1);
}

/* The same key in the other known scheme is an attempt to have the bytes read otherwise; in an unknown one it says nothing. */
static void test_schemes(void **state)
{
    (void)state;
    static const struct {
        unsigned scheme;
        const char *text;
    } cases[] = {
        {GS_SCHEME_MINISIGN, "is of scheme 2"},
        {3, "signed by 1 of the 2 root keys of root 1"},
        {0, "signed by 1 of the 2 root keys of root 1"},
    };
    GS_AUTO_BUF gs_buf body;
    body_of_2("", "", &body);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_BUF gs_buf chain;
        GS_AUTO_BUF gs_buf signature;
        new_chain(&chain);
        gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
        add_text(&chain, GS_DOCUMENT_ROOT, body.data, KEY(0) | KEY(3) | KEY(4));
        trust_sign_body(1, GS_DOCUMENT_ROOT, body.data, body.len, &signature);
        gs_signature_entry_write(&chain, cases[i].scheme, gs_public_key_id(trust_keys.public[1]), signature.data, signature.len);
        chain.data[20] = 4;
        assert_refused(&chain, GS_ESIGNATURE, cases[i].text, 1);
    }
}

static void test_a_signed_permit_is_no_link(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    body_of_2("", "", &body);
    add_text(&chain, GS_DOCUMENT_PERMIT, body.data, BOTH_OF_2);
    assert_refused(&chain, GS_EFORMAT, "another document than a root", 1);
}

/* ---- what a link says: each signed by everybody who has to ---- */

static const struct {
    const char *name, *old, *new, *text;
} bodies[] = {
    {"version 0", "\"version\":2}", "\"version\":0}", "does not end with its version"},
    {"version 2^53", "\"version\":2}", "\"version\":9007199254740992}", "does not end with its version"},
    {"version beyond 64 bits", "\"version\":2}", "\"version\":18446744073709551618}", "does not end with its version"},
    {"version as text", "\"version\":2}", "\"version\":\"2\"}", "does not end with its version"},
    {"version not last", "\"version\":2}", "\"version\":2,\"x\":1}", NULL},
    {"epoch 0", "\"epoch\":1", "\"epoch\":0", "from 1 to 2^53 - 1"},
    {"epoch 2^53", "\"epoch\":1", "\"epoch\":9007199254740992", "from 1 to 2^53 - 1"},
    {"threshold 0", "\"threshold\":2", "\"threshold\":0", "threshold of \"release\" is 0"},
    {"threshold above its keys", "\"threshold\":2", "\"threshold\":4", "from 1 to its 3 keys"},
    {"white space", "\"epoch\":1", "\"epoch\": 1", "not in the form that RFC 8785 prescribes"},
    {"line feed", "\"version\":2}", "\"version\":2}\n", "does not end with its version"},
    {"version first", "{\"epoch\":1,", "{\"version\":2,\"epoch\":1,", NULL},
    {"leading zero", "\"version\":2}", "\"version\":02}", NULL},
    {"escaped letter", "gapship-root", "gapship\\u002droot", "not in the form that RFC 8785 prescribes"},
    {"time zone", "\"epoch\":1", "\"epoch\":1,\"expires\":\"2030-01-01T00:00:00+00:00\"", "RFC 3339"},
    {"unknown field", "\"epoch\":1", "\"epoch\":1,\"hash\":\"x\"", "unknown key \"hash\""},
    {"not JSON", "{\"epoch\"", "{epoch", NULL},
    {"no PEM", "-----BEGIN PUBLIC KEY-----\\n", "", NULL},
    {"PEM with a comment", "-----BEGIN PUBLIC KEY-----\\n", "mine\\n-----BEGIN PUBLIC KEY-----\\n",
     "not written as openssl writes it"},
    {"PEM with carriage returns", "-----BEGIN PUBLIC KEY-----\\n", "-----BEGIN PUBLIC KEY-----\\r\\n",
     "not written as openssl writes it"},
    {"key without text", "\"pem\":", "\"pam\":", "unknown key \"pam\""},
    {"type", "gapship-root", "gapship-stem", "gapship-root"},
    {"type of a key", "\"type\":\"ed25519\"", "\"type\":\"rsa-pss\"", "of type ed25519, not rsa-pss"},
};

static void test_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        GS_AUTO_BUF gs_buf body;
        GS_AUTO_BUF gs_buf chain;
        new_chain(&chain);
        body_of_2(bodies[i].old, bodies[i].new, &body);
        add_text(&chain, GS_DOCUMENT_ROOT, body.data, BOTH_OF_2);
        print_message("%s\n", bodies[i].name);
        assert_refused(&chain, GS_EFORMAT, bodies[i].text, 1);
    }
}

/* A key of the roles exchanged for another id, one key listed twice. */
static void test_ids(void **state)
{
    (void)state;
    char id[2][GS_DIGEST_HEX];
    char text[2][256];
    gs_digest_hex(gs_public_key_id(trust_keys.public[2]), id[0]);
    gs_digest_hex(gs_public_key_id(trust_keys.public[3]), id[1]);
    static const struct {
        const char *old, *new, *text; /* %1$s: id of key 2, %2$s: of key 3 */
    } cases[] = {
        {"\"release\":{\"keys\":[\"%1$s\",", "\"release\":{\"keys\":[\"%2$s\",", "names a key twice"},
        {"\"release\":{\"keys\":[\"%1$s\",",
         "\"release\":{\"keys\":[\"0000000000000000000000000000000000000000000000000000000000000000\",", "not in \"keys\""},
        {"\"id\":\"%1$s\"", "\"id\":\"%2$s\"", "another id"},
        {"\"release\":{\"keys\":[\"%1$s\",", "\"release\":{\"keys\":[\"%1$.63s\",", "a key id"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        GS_AUTO_BUF gs_buf body;
        GS_AUTO_BUF gs_buf chain;
        new_chain(&chain);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text[0], sizeof text[0], cases[i].old, id[0], id[1]);
        (void)snprintf(text[1], sizeof text[1], cases[i].new, id[0], id[1]);
#pragma GCC diagnostic pop
        body_of_2(text[0], text[1], &body);
        add_text(&chain, GS_DOCUMENT_ROOT, body.data, BOTH_OF_2);
        assert_refused(&chain, GS_EFORMAT, cases[i].text, 1);
    }
}

/* ---- sizes and damage ---- */

static void test_link_of_more_than_64_kib(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    gs_buf_add_text(&chain, GS_DOCUMENT_MAGIC);
    gs_buf_add_u32(&chain, 1);
    gs_buf_add_u32(&chain, GS_DOCUMENT_ROOT);
    gs_buf_add_u32(&chain, GS_MAX_DOCUMENT_BYTES + 1);
    gs_buf_add_u32(&chain, 0);
    gs_buf_add_zeros(&chain, GS_MAX_DOCUMENT_BYTES + 1);
    assert_refused(&chain, GS_EFORMAT, "from 1 to 65536 bytes, not 65537", 1);
}

static void test_1025_links(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_BUF gs_buf chain;
    GS_AUTO_BUF gs_buf signature;
    new_chain(&chain);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    for (uint64_t version = 2; version < 2 + 1025; version++) {
        const trust_spec spec = {.version = version, .epoch = 1, .first = 0, .count = 1, .threshold = 1};
        add_link(&chain, &spec, KEY(0));
    }
    assert_in_range(chain.len, GS_MAX_ROOTS_BYTES + 1, SIZE_MAX);
    assert_refused(&chain, GS_EFORMAT, "from 1 to 524288 bytes", 1);
    /* As many as fit are walked. */
    const trust_spec one = {.version = 1, .epoch = 1, .first = 0, .count = 1, .threshold = 1};
    GS_AUTO_TRUST gs_trust *trust = trust_root(&one);
    gs_document link;
    size_t end = 0;
    uint64_t last = 1;
    assert_ok(&err, gs_document_parse(chain.data, chain.len, &link, &err));
    while (end + link.size <= GS_MAX_ROOTS_BYTES) {
        end += link.size;
        last++;
        assert_ok(&err, gs_document_parse(chain.data + end, chain.len - end, &link, &err));
    }
    assert_ok(&err, gs_trust_walk(&trust, chain.data, end, NULL, NULL, &err));
    assert_int_equal(gs_trust_version(trust), last);
}

static void test_no_chain(void **state)
{
    (void)state;
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    assert_refused(&chain, GS_EFORMAT, "from 1 to 524288 bytes, not 0", 1);
    gs_buf_add_text(&chain, "{\"signed\":{\"type\":\"gapship-root\"}}");
    assert_refused(&chain, GS_EFORMAT, "link 1 of the chain", 1);
    add_link(&chain, &specs[1], BOTH_OF_2);
    assert_refused(&chain, GS_EFORMAT, "does not begin with GSSIGNED", 1);
    gs_buf_clear(&chain);
    add_link(&chain, &specs[1], BOTH_OF_2);
    gs_buf_add_text(&chain, "\n");
    assert_refused(&chain, GS_EFORMAT, "link 2 of the chain of roots: a signed document ends inside its header", 2);
}

/* Whole links of a chain that was cut are good: each stands for itself. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    static const trust_spec small[] = {
        {.version = 1, .epoch = 1, .first = 0, .count = 1, .threshold = 1},
        {.version = 2, .epoch = 1, .first = 0, .count = 1, .threshold = 1},
        {.version = 3, .epoch = 1, .first = 0, .count = 1, .threshold = 1},
    };
    gs_error err = {0};
    GS_AUTO_BUF gs_buf chain;
    new_chain(&chain);
    add_link(&chain, &small[1], KEY(0));
    const size_t first = chain.len;
    add_link(&chain, &small[2], KEY(0));
    for (size_t len = 0; len < chain.len; len++) {
        GS_AUTO_TRUST gs_trust *trust = trust_root(&small[0]);
        if (len == first) {
            assert_ok(&err, gs_trust_walk(&trust, chain.data, len, NULL, NULL, &err));
        } else {
            assert_fails(&err, GS_EFORMAT, NULL, gs_trust_walk(&trust, chain.data, len, NULL, NULL, &err));
        }
        assert_int_equal(gs_trust_version(trust), len < first ? 1 : 2);
    }
}

/* Whatever bit of a link is flipped, it leads nowhere: not even to be passed over, for every version but the next one is an error here.
 * Both signatures are needed; a flipped id makes a signer a stranger. */
static void test_every_bit(void **state)
{
    (void)state;
    static const trust_spec one = {.version = 1, .epoch = 1, .first = 0, .count = 1, .threshold = 1};
    static const trust_spec two = {.version = 2, .epoch = 1, .first = 2, .count = 1, .threshold = 1};
    gs_error err = {0};
    GS_AUTO_BUF gs_buf chain;
    GS_AUTO_TRUST gs_trust *trust = trust_root(&one);
    new_chain(&chain);
    add_link(&chain, &two, KEY(0) | KEY(2));
    for (size_t bit = 0; bit < 8 * chain.len; bit++) {
        chain.data[bit / 8] = (char)(chain.data[bit / 8] ^ (1 << bit % 8));
        int code = gs_trust_walk(&trust, chain.data, chain.len, NULL, NULL, &err);
        assert_true(code == GS_EFORMAT || code == GS_ESIGNATURE);
        assert_int_equal(gs_trust_version(trust), 1);
        chain.data[bit / 8] = (char)(chain.data[bit / 8] ^ (1 << bit % 8));
    }
    assert_ok(&err, gs_trust_walk(&trust, chain.data, chain.len, NULL, NULL, &err));
}

/* ---- making ---- */

static void test_follows(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_TRUST gs_trust *one = trust_root(&specs[0]);
    GS_AUTO_TRUST gs_trust *two = trust_root(&specs[1]);
    GS_AUTO_TRUST gs_trust *three = trust_root(&specs[2]);
    assert_fails(&err, GS_ESIGNATURE, "signed by 0 of the 2 root keys of root 1", gs_trust_follows(one, two, &err));
    sign_root(two, KEY(0) | KEY(1));
    assert_fails(&err, GS_ESIGNATURE, "signed by 0 of the 2 root keys of root 2", gs_trust_follows(one, two, &err));
    sign_root(two, KEY(3) | KEY(4));
    assert_ok(&err, gs_trust_follows(one, two, &err));
    assert_fails(&err, GS_EFORMAT, "root 3 cannot follow root 1", gs_trust_follows(one, three, &err));
    assert_fails(&err, GS_EFORMAT, "root 1 cannot follow root 2", gs_trust_follows(two, one, &err));
}

static void test_sign_refuses(void **state)
{
    (void)state;
    gs_error err = {0};
    GS_AUTO_BUF gs_buf body;
    GS_AUTO_BUF gs_buf signature;
    GS_AUTO_TRUST gs_trust *root = trust_root(&specs[1]);
    gs_buf_init(&body, GS_MAX_DOCUMENT_BYTES);
    gs_buf_init(&signature, GS_MAX_SIGNATURE_BYTES);
    assert_ok(&err, gs_trust_body(root, &body, &err));
    trust_sign_body(0, GS_DOCUMENT_PERMIT, body.data, body.len, &signature);
    assert_fails(&err, GS_ESIGNATURE, NULL, gs_trust_sign(root, trust_keys.public[0], signature.data, signature.len, &err));
    trust_sign(root, 0);
    gs_buf_clear(&signature);
    trust_sign_body(0, GS_DOCUMENT_ROOT, body.data, body.len, &signature);
    assert_fails(&err, GS_EEXISTS, "has signed already",
                 gs_trust_sign(root, trust_keys.public[0], signature.data, signature.len, &err));
    assert_fails(&err, GS_ELIMIT, "no room", gs_trust_sign(root, trust_keys.public[1], "", 0, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks_step_by_step),
        cmocka_unit_test(test_reached_links_are_passed_over),
        cmocka_unit_test(test_an_expired_root_is_walked),
        cmocka_unit_test(test_what_cannot_be_kept_is_not_reached),
        cmocka_unit_test(test_gap_at_the_start),
        cmocka_unit_test(test_gap_inside),
        cmocka_unit_test(test_replay_of_an_older_link),
        cmocka_unit_test(test_another_root_of_the_version_that_is_trusted),
        cmocka_unit_test(test_epoch_falls),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_a_key_of_both_roots_counts_for_both),
        cmocka_unit_test(test_missing_keys_are_named),
        cmocka_unit_test(test_one_key_twice_as_two_entries),
        cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_a_signed_permit_is_no_link),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_link_of_more_than_64_kib),
        cmocka_unit_test(test_1025_links),
        cmocka_unit_test(test_no_chain),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_follows),
        cmocka_unit_test(test_sign_refuses),
    };
    return cmocka_run_group_tests(tests, trust_enter, trust_leave);
}
