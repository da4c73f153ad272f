/* JSON (RFC 8259), strictly: one value, no trailing bytes, no duplicate keys, no lone surrogates, no NUL.
 *
 * Why our own: every value needs its line and column for messages, which jansson does not keep, and libyaml, which does, is no JSON
 * parser (no surrogate pairs, keys up to 1024 characters, U+2028 breaks a line). The grammar is small, and the unit test compares
 * this reader's verdicts with jansson's. Must not know what the documents mean. */
#include "doc_internal.h"

#include <string.h>

#include "gapship/num.h"

typedef struct reader {
    gs_doc_builder builder;
    const char *data;
    size_t len;
    size_t at;
    gs_doc_cursor place; /* follows `at` */
} reader;

static int fail_here(reader *r, gs_error *err, const char *what)
{
    gs_doc_cursor_forward(&r->place, r->at);
    if (r->at == r->len) {
        return gs_doc_fail((gs_doc_place){r->builder.name, r->place.line, r->place.column}, err, GS_ESPEC,
                           "the JSON text ends too early: %s", what);
    }
    return gs_doc_fail((gs_doc_place){r->builder.name, r->place.line, r->place.column}, err, GS_ESPEC, "this is not JSON: %s",
                       what);
}

static char peek(const reader *r)
{
    return r->at < r->len ? r->data[r->at] : '\0';
}

static void skip_space(reader *r)
{
    while (r->at < r->len && strchr(" \t\r\n", r->data[r->at])) {
        r->at++;
    }
}

static bool take(reader *r, char c)
{
    if (peek(r) != c) {
        return false;
    }
    r->at++;
    return true;
}

static bool take_word(reader *r, const char *word)
{
    size_t len = strlen(word);
    if (r->len - r->at < len || memcmp(r->data + r->at, word, len) != 0) {
        return false;
    }
    r->at += len;
    return true;
}

/* Strings ----------------------------------------------------------------------------------------- */

static bool take_hex4(reader *r, uint32_t *out)
{
    uint32_t value = 0;
    if (r->len - r->at < 4) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        char c = r->data[r->at + i];
        if (c >= '0' && c <= '9') {
            value = value * 16 + (uint32_t)(c - '0');
        } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
            value = value * 16 + (uint32_t)((c | 0x20) - 'a' + 10);
        } else {
            return false;
        }
    }
    r->at += 4;
    *out = value;
    return true;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6) {
        out[i] = (char)(0x80u | (c & 0x3fu));
    }
    out[0] = (char)(lead[n] | c);
    return n;
}

/* What follows \u; *n bytes are put at out. */
static int take_unicode(reader *r, char *out, size_t *n, gs_error *err)
{
    uint32_t c, low;
    if (!take_hex4(r, &c)) {
        return fail_here(r, err, "four hexadecimal digits are due after \\u");
    }
    if (c == 0) {
        return fail_here(r, err, "the escape \\u0000, a NUL character, is not accepted");
    }
    if (c >= 0xd800 && c < 0xdc00) {
        if (!take_word(r, "\\u") || !take_hex4(r, &low) || low < 0xdc00 || low > 0xdfff) {
            return fail_here(r, err, "a surrogate pair lacks its second half");
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c < 0xe000) {
        return fail_here(r, err, "a surrogate pair lacks its first half");
    }
    *n = put_utf8(out, c);
    return 0;
}

static int take_escape(reader *r, char *out, size_t *n, gs_error *err)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char c = peek(r);
    if (c == 'u') {
        r->at++;
        return take_unicode(r, out, n, err);
    }
    const char *letter = c ? strchr(letters, c) : NULL;
    if (!letter) {
        return fail_here(r, err, "no such escape");
    }
    r->at++;
    *out = meanings[letter - letters];
    *n = 1;
    return 0;
}

/* The end of the string that begins at the quote under `at`, or len. */
static size_t string_end(const reader *r)
{
    size_t i = r->at + 1;
    while (i < r->len && r->data[i] != '"') {
        i += r->data[i] == '\\' ? 2 : 1;
    }
    return i < r->len ? i : r->len;
}

/* The escapes make a string shorter, never longer, so its length in the input is room enough. */
static int take_string(reader *r, char **out, size_t *out_len, gs_error *err)
{
    size_t len = 0;
    char *text = gs_arena_alloc(r->builder.arena, string_end(r) - r->at + 1);
    if (!text) {
        return gs_fail_nomem(err);
    }
    r->at++;
    while (r->at < r->len && r->data[r->at] != '"') {
        char c = r->data[r->at];
        size_t n = 1;
        if ((unsigned char)c < 0x20) {
            return fail_here(r, err, "a control character in a string needs an escape");
        }
        r->at++;
        text[len] = c;
        int code = c == '\\' ? take_escape(r, text + len, &n, err) : 0;
        if (code < 0) {
            return code;
        }
        len += n;
    }
    if (!take(r, '"')) {
        return fail_here(r, err, "a string lacks its closing quote");
    }
    *out = text;
    *out_len = len;
    return 0;
}

/* Values ------------------------------------------------------------------------------------------ */

static gs_node *node_here(reader *r, gs_node_kind kind, gs_error *err)
{
    gs_doc_cursor_forward(&r->place, r->at);
    gs_node *node = gs_doc_builder_node(&r->builder, kind, r->place.line, r->place.column, err);
    if (node) {
        node->offset = r->at;
    }
    return node;
}

static bool take_digits(reader *r)
{
    size_t start = r->at;
    while (peek(r) >= '0' && peek(r) <= '9') {
        r->at++;
    }
    return r->at > start;
}

/* The grammar of RFC 8259 section 6. */
static bool take_number(reader *r, bool *integer)
{
    (void)take(r, '-');
    if (!take(r, '0') && !take_digits(r)) {
        return false;
    }
    *integer = true;
    if (take(r, '.')) {
        *integer = false;
        if (!take_digits(r)) {
            return false;
        }
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        *integer = false;
        r->at++;
        if (!take(r, '+')) {
            (void)take(r, '-');
        }
        return take_digits(r);
    }
    return true;
}

static int read_number(reader *r, gs_node *node, gs_error *err)
{
    bool integer;
    if (!take_number(r, &integer)) {
        return fail_here(r, err, "a number lacks a digit");
    }
    node->text_len = r->at - node->offset;
    node->text = gs_arena_copy(r->builder.arena, r->data + node->offset, node->text_len);
    if (!node->text) {
        return gs_fail_nomem(err);
    }
    node->kind = integer && gs_parse_i64(node->text, &node->integer) ? GS_NODE_INT : GS_NODE_FLOAT;
    return 0;
}

static int read_word(reader *r, gs_node *node, gs_error *err)
{
    if (take_word(r, "true")) {
        node->kind = GS_NODE_BOOL;
        node->integer = 1;
    } else if (take_word(r, "false")) {
        node->kind = GS_NODE_BOOL;
    } else if (!take_word(r, "null")) {
        return fail_here(r, err, "a value is due");
    }
    node->text_len = r->at - node->offset;
    node->text = gs_arena_copy(r->builder.arena, r->data + node->offset, node->text_len);
    return node->text ? 0 : gs_fail_nomem(err);
}

static int read_string(reader *r, gs_node *node, gs_error *err)
{
    char *text;
    int code = take_string(r, &text, &node->text_len, err);
    if (code < 0) {
        return code;
    }
    node->kind = GS_NODE_TEXT;
    node->quoted = true;
    node->text = text;
    return 0;
}

static int read_scalar(reader *r, gs_error *err)
{
    gs_node *node = node_here(r, GS_NODE_NULL, err);
    if (!node) {
        return err->code;
    }
    char c = peek(r);
    int code;
    if (c == '"') {
        code = read_string(r, node, err);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        code = read_number(r, node, err);
    } else {
        code = read_word(r, node, err);
    }
    if (code < 0) {
        return code;
    }
    node->length = r->at - node->offset;
    return gs_doc_builder_value(&r->builder, node, err);
}

static int read_key(reader *r, gs_error *err)
{
    char *key;
    size_t len;
    gs_doc_cursor_forward(&r->place, r->at);
    int line = r->place.line, column = r->place.column;
    if (peek(r) != '"') {
        return fail_here(r, err, "a key in quotes is due");
    }
    int code = take_string(r, &key, &len, err);
    if (code < 0) {
        return code;
    }
    skip_space(r);
    if (!take(r, ':')) {
        return fail_here(r, err, "a colon is due after a key");
    }
    skip_space(r);
    gs_doc_builder_key(&r->builder, key, line, column);
    return 0;
}

/* After a value: closes what ends here. *more is true when another value (or key) is due. */
static int read_separators(reader *r, bool *more, gs_error *err)
{
    for (skip_space(r); r->builder.depth > 0; skip_space(r)) {
        bool map = r->builder.stack[r->builder.depth - 1].node->kind == GS_NODE_MAP;
        if (take(r, ',')) {
            skip_space(r);
            *more = true;
            return 0;
        }
        if (!take(r, map ? '}' : ']')) {
            return fail_here(r, err, map ? "a comma or } is due" : "a comma or ] is due");
        }
        int code = gs_doc_builder_close(&r->builder, err);
        if (code < 0) {
            return code;
        }
    }
    *more = false;
    return 0;
}

/* Opens the list or map under `at`. *empty tells that it ends at once: no value follows. */
static int read_open(reader *r, bool *empty, gs_error *err)
{
    bool map = peek(r) == '{';
    gs_node *node = node_here(r, map ? GS_NODE_MAP : GS_NODE_LIST, err);
    int code = node ? gs_doc_builder_open(&r->builder, node, err) : err->code;
    if (code < 0) {
        return code;
    }
    r->at++;
    skip_space(r);
    *empty = peek(r) == (map ? '}' : ']');
    return 0;
}

static int read_document(reader *r, gs_error *err)
{
    int code = 0;
    skip_space(r);
    for (bool more = true; more;) {
        bool opened = false, empty = false;
        if (gs_doc_builder_wants_key(&r->builder)) {
            code = read_key(r, err);
        }
        if (code == 0 && (peek(r) == '{' || peek(r) == '[')) {
            opened = true;
            code = read_open(r, &empty, err);
        } else if (code == 0) {
            code = read_scalar(r, err);
        }
        if (code == 0 && (!opened || empty)) {
            code = read_separators(r, &more, err);
        }
        if (code < 0) {
            return code;
        }
    }
    return r->at == r->len ? 0 : fail_here(r, err, "something follows the value");
}

int gs_json_parse(gs_doc *doc, const char *data, size_t len, gs_error *err)
{
    reader *r = gs_arena_alloc(doc->arena, sizeof *r);
    if (!r) {
        return gs_fail_nomem(err);
    }
    r->builder.arena = doc->arena;
    r->builder.name = doc->name;
    r->data = data;
    r->len = len;
    r->at = gs_doc_bom(data, len);
    r->place = gs_doc_cursor_at_start(data, len);
    int code = read_document(r, err);
    if (code < 0) {
        return code;
    }
    doc->root = r->builder.root;
    return 0;
}
