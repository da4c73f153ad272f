/* From the root that is trusted to a later one, link by link (FORMAT.md section 8). A link's body is parsed only after enough keys of
 * the root before it have signed it. Keeps nothing: who wants to stay where the walk has led does that in `reached`. */
#include <inttypes.h>
#include <string.h>

#include "gapship/num.h"
#include "root.h"

#define LINK_BYTES (GS_MAX_DOCUMENT_BYTES + GS_KIB(32)) /* with header and signatures */

/* ---- one link ---- */

int gs_trust_link(const gs_trust *trust, gs_buf *out, gs_error *err)
{
    GS_AUTO_BUF gs_buf body;
    gs_buf_init(&body, GS_MAX_DOCUMENT_BYTES);
    int code = gs_trust_body(trust, &body, err);
    if (code == GS_ELIMIT) {
        return gs_fail(err, GS_ELIMIT, "root %" PRIu64 " has more than the %zu bytes of a link", trust->version,
                       GS_MAX_DOCUMENT_BYTES);
    }
    if (code != 0) {
        return code;
    }
    GS_AUTO_BUF gs_buf entries;
    gs_buf_init(&entries, LINK_BYTES);
    for (size_t i = 0; code == 0 && i < trust->signature_count; i++) {
        const gs_root_signature *signature = &trust->signatures[i];
        GS_AUTO_BUF gs_buf bytes;
        gs_buf_init(&bytes, GS_MAX_SIGNATURE_BYTES);
        gs_digest id;
        /* Whoever read or added the signature has seen that both can be decoded. */
        (void)gs_hex_decode(signature->key_id, id.bytes, sizeof id.bytes);
        code = gs_base64_decode(signature->signature, &bytes, err);
        gs_signature_entry_write(&entries, (unsigned)signature->scheme, &id, bytes.data, bytes.len);
    }
    code = code == 0 ? gs_buf_check(&entries, err) : code;
    return code == 0 ? gs_document_frame(GS_DOCUMENT_ROOT, &body, trust->signature_count, &entries, out, err) : code;
}

/* Keys of the role that have not signed, for people. */
static void list_missing(const gs_trust_role *role, const gs_signature_report *reports, size_t count, gs_buf *out)
{
    for (size_t i = 0; i < role->count; i++) {
        const gs_digest *id = gs_public_key_id(role->keys[i]);
        bool signs = false;
        for (size_t j = 0; j < count; j++) {
            signs |= reports[j].good && gs_digest_equal(&reports[j].key_id, id);
        }
        if (!signs) {
            char hex[GS_DIGEST_HEX];
            gs_digest_hex(id, hex);
            gs_buf_printf(out, "%s%.16s", out->len > 0 ? ", " : "", hex);
        }
    }
}

/* That the threshold of `by`'s root role has signed the link. */
static int check_signers(const gs_document *link, uint64_t version, const gs_trust *by, gs_error *err)
{
    const gs_trust_role *role = gs_trust_role_of(by, GS_ROLE_ROOT);
    gs_signature_report reports[GS_MAX_SIGNATURES];
    unsigned good = 0;
    int code = gs_document_count(link, role, reports, &good, err);
    if (code == GS_ESIGNATURE) {
        (void)gs_error_context(err, "root %" PRIu64, version);
        return gs_error_hint(err, "the root or its signature was changed; get it again from where it was made");
    }
    if (code != 0 || good >= role->threshold) {
        return code;
    }
    GS_AUTO_BUF gs_buf missing;
    gs_buf_init(&missing, GS_ERROR_MESSAGE_MAX);
    list_missing(role, reports, link->count, &missing);
    (void)gs_fail(err, GS_ESIGNATURE,
                  "root %" PRIu64 " is signed by %u of the %u root keys of root %" PRIu64 " that are required; not by %s", version,
                  good, role->threshold, gs_trust_version(by), gs_buf_text(&missing));
    return gs_error_hint(err, "a new root needs the thresholds of both the root before it and its own: \"gapship root sign\"");
}

/* Order and epoch: a root that may follow by what it says. */
static int check_order(const gs_trust *trust, const gs_trust *next, gs_error *err)
{
    if (next->version != trust->version + 1) {
        return gs_fail(err, GS_EFORMAT, "root %" PRIu64 " cannot follow root %" PRIu64 ": versions rise by one", next->version,
                       trust->version);
    }
    if (next->epoch < trust->epoch) {
        return gs_fail(err, GS_EFORMAT, "root %" PRIu64 " has epoch %" PRIu64 ", but root %" PRIu64 " before it has %" PRIu64,
                       next->version, next->epoch, trust->version, trust->epoch);
    }
    return 0;
}

int gs_trust_signers(const gs_trust *trust, const gs_trust *by, gs_signature_report *reports, size_t *count, unsigned *good,
                     gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_document link;
    gs_buf_init(&bytes, LINK_BYTES);
    int code = gs_trust_link(trust, &bytes, err);
    code = code == 0 ? gs_document_parse(bytes.data, bytes.len, &link, err) : code;
    code = code == 0 ? gs_document_count(&link, gs_trust_role_of(by, GS_ROLE_ROOT), reports, good, err) : code;
    if (code == 0) {
        *count = link.count;
    }
    return code;
}

int gs_trust_follows(const gs_trust *trust, const gs_trust *next, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_document link;
    gs_buf_init(&bytes, LINK_BYTES);
    int code = check_order(trust, next, err);
    code = code == 0 ? gs_trust_link(next, &bytes, err) : code;
    code = code == 0 ? gs_document_parse(bytes.data, bytes.len, &link, err) : code;
    code = code == 0 ? check_signers(&link, next->version, trust, err) : code;
    return code == 0 ? check_signers(&link, next->version, next, err) : code;
}

/* The first of a chain: the root before it is not at hand, so a site alone can say whether that one has signed. */
static int check_first(const gs_trust *first, gs_error *err)
{
    GS_AUTO_BUF gs_buf bytes;
    gs_document link;
    gs_buf_init(&bytes, LINK_BYTES);
    if (first->version < 2) {
        (void)gs_fail(err, GS_ESPEC, "root 1 is what sites are made with; a chain begins with a later one");
        return gs_error_hint(err, "\"gapship root next\" makes root 2");
    }
    int code = gs_trust_link(first, &bytes, err);
    code = code == 0 ? gs_document_parse(bytes.data, bytes.len, &link, err) : code;
    return code == 0 ? check_signers(&link, first->version, first, err) : code;
}

int gs_trust_chain(const char *const *paths, size_t count, gs_buf *out, gs_error *err)
{
    GS_AUTO_TRUST gs_trust *before = NULL;
    GS_AUTO_BUF gs_buf chain;
    gs_buf_init(&chain, GS_MAX_ROOTS_BYTES);
    for (size_t i = 0; i < count; i++) {
        GS_AUTO_TRUST gs_trust *root = NULL;
        int code = gs_trust_load(paths[i], &root, err);
        if (code != 0) {
            return code;
        }
        code = before ? gs_trust_follows(before, root, err) : check_first(root, err);
        code = code == 0 ? gs_trust_link(root, &chain, err) : code;
        if (code != 0) {
            (void)gs_error_at(err, "%s", paths[i]);
            return code == GS_EFORMAT ? gs_error_recode(err, GS_ESPEC) : code;
        }
        gs_trust_free(before);
        before = GS_STEAL(root);
    }
    gs_buf_add(out, chain.data, chain.len);
    return gs_buf_check(out, err);
}

/* ---- the walk ---- */

/* The version that a body says it is of, without parsing it: in the form that RFC 8785 prescribes "version" is the last key, so a body
 * ends with it. Nobody has signed for this number yet. It decides only which links are passed over, and a chain in which it is wrong
 * ends in a gap or in signatures that do not fit. */
static bool find_version(const gs_document *link, uint64_t *out)
{
    static const char key[] = ",\"version\":";
    const char *body = (const char *)link->data + link->body_offset;
    char digits[17];
    size_t end = link->body_len - 1;
    size_t start = end;
    while (start > 0 && end - start < sizeof digits && body[start - 1] >= '0' && body[start - 1] <= '9') {
        start--;
    }
    const size_t count = end - start;
    if (body[end] != '}' || count >= sizeof digits || start < sizeof key - 1 ||
        memcmp(body + start - (sizeof key - 1), key, sizeof key - 1) != 0) {
        return false;
    }
    memcpy(digits, body + start, count);
    digits[count] = '\0';
    return gs_parse_u64(digits, GS_LARGEST_NUMBER, out) && *out > 0;
}

static int parse_link(const unsigned char *data, size_t len, gs_document *link, uint64_t *version, gs_error *err)
{
    int code = gs_document_parse(data, len, link, err);
    if (code == 0 && link->type != GS_DOCUMENT_ROOT) {
        code = gs_fail(err, GS_EFORMAT, "it is another document than a root");
    }
    if (code == 0 && !find_version(link, version)) {
        code = gs_fail(err, GS_EFORMAT, "it does not end with its version, as the RFC 8785 form of a root does");
    }
    return code;
}

/* A root is written in one way only, so that it has one fingerprint; and a site must be able to keep it. */
static int check_form(const gs_document *link, const gs_trust *next, gs_error *err)
{
    GS_AUTO_BUF gs_buf text;
    gs_buf_init(&text, 2 * GS_MAX_ROOT_BYTES);
    int code = gs_trust_body(next, &text, err);
    if (code == 0 && (text.len != link->body_len || memcmp(text.data, link->data + link->body_offset, text.len) != 0)) {
        code = gs_fail(err, GS_EFORMAT, "root %" PRIu64 " is not in the form that RFC 8785 prescribes", next->version);
    }
    gs_buf_clear(&text);
    code = code == 0 ? gs_trust_write(next, &text, err) : code;
    return code == GS_ELIMIT ? gs_error_recode(err, GS_EFORMAT) : code;
}

/* The root that a link brings, when it may follow. Nothing of its body is parsed before the threshold of the root before it is met. */
static int open_link(const gs_trust *trust, const gs_document *link, uint64_t version, gs_trust **out, gs_error *err)
{
    GS_AUTO_TRUST gs_trust *next = NULL;
    int code = check_signers(link, version, trust, err);
    if (code != 0) {
        return code;
    }
    code = gs_trust_parse_body(link, &next, err);
    if (code == GS_ESPEC || code == GS_ELIMIT) {
        /* Of a root file that is a person's mistake; a link was signed. */
        return gs_error_recode(err, GS_EFORMAT);
    }
    code = code == 0 ? check_form(link, next, err) : code;
    code = code == 0 ? check_order(trust, next, err) : code;
    code = code == 0 ? check_signers(link, version, next, err) : code;
    if (code == 0) {
        *out = GS_STEAL(next);
    }
    return code;
}

/* A link of the version that is trusted already must be that root: two roots of one version mean that root keys are misused. */
static int check_same(const gs_trust *trust, const gs_document *link, gs_error *err)
{
    GS_AUTO_BUF gs_buf body;
    gs_buf_init(&body, 2 * GS_MAX_ROOT_BYTES);
    int code = gs_trust_body(trust, &body, err);
    if (code == 0 && (body.len != link->body_len || memcmp(body.data, link->data + link->body_offset, body.len) != 0)) {
        (void)gs_fail(err, GS_EFORMAT, "the chain has another root %" PRIu64 " than the one that is trusted", trust->version);
        return gs_error_hint(err, "compare fingerprints with who made the roots: a version is given once, and two may mean that "
                                  "root keys are misused");
    }
    return code;
}

typedef int (*reached_call)(void *state, const gs_trust *next, gs_error *err);

static int take_link(gs_trust **trust, const gs_document *link, uint64_t version, reached_call reached, void *state, gs_error *err)
{
    if (version < (*trust)->version) {
        return 0;
    }
    if (version == (*trust)->version) {
        return check_same(*trust, link, err);
    }
    if (version > (*trust)->version + 1) {
        (void)gs_fail(err, GS_EFORMAT, "the chain goes on with root %" PRIu64 ", but root %" PRIu64 " is trusted", version,
                      (*trust)->version);
        return gs_error_hint(err, "bring a chain that has root %" PRIu64 " as well: \"gapship root bundle\" makes one",
                             (*trust)->version + 1);
    }
    GS_AUTO_TRUST gs_trust *next = NULL;
    int code = open_link(*trust, link, version, &next, err);
    code = code == 0 && reached ? reached(state, next, err) : code;
    if (code == 0) {
        gs_trust_free(*trust);
        *trust = GS_STEAL(next);
    }
    return code;
}

int gs_trust_walk(gs_trust **trust, const void *chain, size_t len, int (*reached)(void *state, const gs_trust *next, gs_error *err),
                  void *state, gs_error *err)
{
    const unsigned char *data = chain;
    if (len == 0 || len > GS_MAX_ROOTS_BYTES) {
        return gs_fail(err, GS_EFORMAT, "a chain of roots has from 1 to %zu bytes, not %zu", GS_MAX_ROOTS_BYTES, len);
    }
    uint64_t before = 0;
    int code = 0;
    for (size_t at = 0, number = 1; code == 0 && at < len; number++) {
        gs_document link;
        uint64_t version = 0;
        code = parse_link(data + at, len - at, &link, &version, err);
        if (code != 0) {
            return gs_error_context(err, "link %zu of the chain of roots", number);
        }
        if (before > 0 && version != before + 1) {
            return gs_fail(err, GS_EFORMAT, "the chain has root %" PRIu64 " after root %" PRIu64 ": versions rise by one", version,
                           before);
        }
        code = take_link(trust, &link, version, reached, state, err);
        before = version;
        at += link.size;
    }
    return code;
}
