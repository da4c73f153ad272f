/* "${version}" and its like in text. Must not know which variables there are. */
#include "gapship/release.h"

#include <string.h>

static const char *find_variable(const gs_text_map *variables, const char *name, size_t len)
{
    for (size_t i = 0; i < variables->count; i++) {
        if (strncmp(variables->items[i].key, name, len) == 0 && variables->items[i].key[len] == '\0') {
            return variables->items[i].value;
        }
    }
    return NULL;
}

int gs_expand(const char *text, const gs_text_map *variables, gs_buf *out, gs_error *err)
{
    const char *open;
    while ((open = strstr(text, "${"))) {
        bool literal = open > text && open[-1] == '$';
        gs_buf_add(out, text, (size_t)(open - text) - literal);
        if (literal) {
            gs_buf_add_text(out, "${");
            text = open + 2;
            continue;
        }
        const char *close = strchr(open, '}');
        if (!close) {
            (void)gs_fail(err, GS_ESPEC, "the variable \"%.80s\" lacks its }", open);
            (void)gs_error_hint(err, "write $${ where ${ itself is meant");
            return GS_ESPEC;
        }
        size_t len = (size_t)(close - open) - 2;
        const char *value = find_variable(variables, open + 2, len);
        if (!value) {
            (void)gs_fail(err, GS_ESPEC, "there is no variable \"${%.*s}\"", (int)(len < 80 ? len : 80), open + 2);
            (void)gs_error_hint(err, "write $${ where ${ itself is meant");
            return GS_ESPEC;
        }
        gs_buf_add_text(out, value);
        text = close + 1;
    }
    gs_buf_add_text(out, text);
    return gs_buf_check(out, err);
}
