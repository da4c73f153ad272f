/* Which objects are hooks, and in which wave. An Argo CD annotation overrides Helm's on the same object, as Argo CD has it. Must
 * not know who runs hooks. */
#include "internal.h"

#include <string.h>

#include "gapship/num.h"

#define ARGO_HOOK   "argocd.argoproj.io/hook"
#define ARGO_WAVE   "argocd.argoproj.io/sync-wave"
#define HELM_HOOK   "helm.sh/hook"
#define HELM_WEIGHT "helm.sh/hook-weight"

typedef struct hook_word {
    const char *word;
    gs_hook_kind kind;
} hook_word;

static const hook_word argo_words[] = {{"PreSync", GS_HOOK_PRE},    {"Sync", GS_HOOK_SYNC},       {"PostSync", GS_HOOK_POST},
                                       {"SyncFail", GS_HOOK_OTHER}, {"PreDelete", GS_HOOK_OTHER}, {"PostDelete", GS_HOOK_OTHER},
                                       {"Skip", GS_HOOK_OTHER},     {NULL, GS_HOOK_NONE}};
/* crd-install is Helm 2's: since Helm 3 such an object is a plain one. */
static const hook_word helm_words[] = {{"pre-install", GS_HOOK_PRE},
                                       {"pre-upgrade", GS_HOOK_PRE},
                                       {"post-install", GS_HOOK_POST},
                                       {"post-upgrade", GS_HOOK_POST},
                                       {"pre-delete", GS_HOOK_OTHER},
                                       {"post-delete", GS_HOOK_OTHER},
                                       {"pre-rollback", GS_HOOK_OTHER},
                                       {"post-rollback", GS_HOOK_OTHER},
                                       {"test", GS_HOOK_OTHER},
                                       {"test-success", GS_HOOK_OTHER},
                                       {"test-failure", GS_HOOK_OTHER},
                                       {"crd-install", GS_HOOK_NONE},
                                       {NULL, GS_HOOK_NONE}};

static const hook_word *find_word(const hook_word *words, const char *text, size_t len)
{
    for (; words->word; words++) {
        if (strlen(words->word) == len && memcmp(words->word, text, len) == 0) {
            return words;
        }
    }
    return NULL;
}

/* "pre-install,pre-upgrade". Of several the earliest phase counts; one that never runs in an installation only when it is alone. */
static int read_kind(const char *annotation, const char *text, const hook_word *words, gs_hook_kind *out, gs_error *err)
{
    static const char between[] = ", \t";
    gs_hook_kind kind = GS_HOOK_NONE;
    while (*(text += strspn(text, between))) {
        size_t len = strcspn(text, between);
        const hook_word *word = find_word(words, text, len);
        if (!word) {
            gs_fail(err, GS_ESPEC, "%s says \"%.*s\", which is no kind of hook", annotation, (int)(len > 80 ? 80 : len), text);
            return gs_error_hint(err, "such an object would never be applied; correct the annotation");
        }
        if (word->kind != GS_HOOK_NONE && (kind == GS_HOOK_NONE || word->kind < kind)) {
            kind = word->kind;
        }
        text += len;
    }
    *out = kind;
    return 0;
}

static int read_wave(const char *annotation, const char *text, int64_t *out, gs_error *err)
{
    const char *digits = text && *text == '+' ? text + 1 : text;
    if (!text || gs_parse_i64(digits, out)) {
        return 0;
    }
    gs_fail(err, GS_ESPEC, "%s says \"%s\", which is no number", annotation, text);
    return gs_error_hint(err, "write a whole number in quotes, for example \"-5\"");
}

int gs_kube_hook(const gs_node *object, gs_hook *out, gs_error *err)
{
    const gs_node *annotations = gs_node_get(gs_node_get(object, "metadata"), "annotations");
    const char *argo = gs_node_text(annotations, ARGO_HOOK);
    const char *helm = gs_node_text(annotations, HELM_HOOK);
    const char *wave = gs_node_text(annotations, ARGO_WAVE);
    gs_hook hook = {.kind = GS_HOOK_NONE};
    int code = 0;
    if (argo) {
        code = read_kind(ARGO_HOOK, argo, argo_words, &hook.kind, err);
    } else if (helm) {
        code = read_kind(HELM_HOOK, helm, helm_words, &hook.kind, err);
    }
    if (code < 0) {
        return code;
    }
    if (wave) {
        code = read_wave(ARGO_WAVE, wave, &hook.wave, err);
    } else if (helm && !argo) {
        code = read_wave(HELM_WEIGHT, gs_node_text(annotations, HELM_WEIGHT), &hook.wave, err);
    }
    if (code == 0) {
        *out = hook;
    }
    return code;
}
