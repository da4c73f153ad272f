/* Getting a ref of the remote into the cache. What was fetched is kept under refs/gapship/, so that the next fetch asks only for
 * what is new. */
#include <string.h>

#include "gapship/num.h"
#include "gapship/text.h"
#include "internal.h"

#define MAX_REF_BYTES   ((size_t)1024)
#define MAX_SUGGESTIONS 256u

static bool is_commit_id(const char *text)
{
    unsigned char bytes[GIT_OID_RAWSZ];
    return gs_hex_decode(text, bytes, sizeof(bytes));
}

/* The remote's name kept in one component, because a ref "a" and a ref "a/b" cannot stand side by side in one repository. */
static int local_name(const char *name, gs_buf *out, gs_error *err)
{
    gs_buf_add_text(out, "refs/gapship/");
    for (const char *c = name; *c; c++) {
        if (*c == '/') {
            gs_buf_add_text(out, "%2F");
        } else if (*c == '%') {
            gs_buf_add_text(out, "%25");
        } else {
            gs_buf_add(out, c, 1);
        }
    }
    return gs_buf_check(out, err);
}

static int keep(gs_git *git, const char *name, const git_oid *id, gs_error *err)
{
    GS_AUTO_BUF gs_buf local;
    gs_buf_init(&local, 3 * MAX_REF_BYTES);
    int code = local_name(name, &local, err);
    if (code != 0) {
        return code;
    }
    git_reference *made = NULL;
    int status = git_reference_create(&made, git->repo, local.data, id, 1, NULL);
    git_reference_free(made);
    if (status == GIT_ELOCKED) { /* somebody else records it at this moment; it only saves the next fetch some bytes */
        return 0;
    }
    return status == 0 ? 0 : gs_git_fail(err, status, GS_EIO, "the cache cannot record what was fetched");
}

/* The commit that id is, or that the tag id stands for. GS_ENOTFOUND without touching err when the cache lacks it. */
static int peel(gs_git *git, const git_oid *id, char commit[GS_COMMIT_TEXT], gs_error *err)
{
    git_object *object = NULL;
    git_object *peeled = NULL;
    int code = 0;
    int status = git_object_lookup(&object, git->repo, id, GIT_OBJECT_ANY);
    if (status == GIT_ENOTFOUND) {
        return GS_ENOTFOUND;
    }
    if (status == 0) {
        status = git_object_peel(&peeled, object, GIT_OBJECT_COMMIT);
    }
    if (status < 0) {
        code = gs_git_fail(err, status, GS_ESPEC, "what was named is no commit");
    } else {
        git_oid_tostr(commit, GS_COMMIT_TEXT, git_object_id(peeled));
    }
    git_object_free(object);
    git_object_free(peeled);
    return code;
}

static int no_such_ref(gs_git_session *session, const char *ref, const git_remote_head *const *heads, size_t count)
{
    const char *names[MAX_SUGGESTIONS];
    size_t known = 0;
    for (size_t i = 0; i < count && known < MAX_SUGGESTIONS; i++) {
        const char *name = heads[i]->name;
        for (const char *const *prefix = (const char *const[]){"refs/heads/", "refs/tags/", NULL}; *prefix; prefix++) {
            if (gs_text_starts(name, *prefix) && !gs_text_ends(name, "^{}")) {
                names[known++] = gs_text_starts(ref, "refs/") ? name : name + strlen(*prefix);
            }
        }
    }
    (void)gs_fail(session->err, GS_ENOTFOUND,
                  count == 0 ? "the repository is empty: it has no \"%s\"" : "the repository has no \"%s\"", ref);
    const char *nearest = gs_text_nearest(ref, names, known);
    if (nearest) {
        (void)gs_error_hint(session->err, "did you mean \"%s\"?", nearest);
    }
    return gs_error_at(session->err, "%s", session->git->url.text);
}

/* The advertised ref that a person's name means: a whole name, a branch, or a tag. */
static int choose(gs_git_session *session, const char *ref, const git_remote_head **out)
{
    const git_remote_head **heads = NULL;
    size_t count = 0;
    int status = git_remote_ls(&heads, &count, session->remote);
    if (status < 0) {
        return gs_git_session_fail(session, status, "the git repository does not list its refs");
    }
    const git_remote_head *whole = NULL;
    const git_remote_head *branch = NULL;
    const git_remote_head *tag = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *name = heads[i]->name;
        if (strcmp(name, ref) == 0) {
            whole = heads[i];
        } else if (gs_text_starts(name, "refs/heads/") && strcmp(name + strlen("refs/heads/"), ref) == 0) {
            branch = heads[i];
        } else if (gs_text_starts(name, "refs/tags/") && strcmp(name + strlen("refs/tags/"), ref) == 0) {
            tag = heads[i];
        }
    }
    if (!whole && branch && tag) {
        (void)gs_fail(session->err, GS_ESPEC, "the repository has a branch and a tag that are both called \"%s\"", ref);
        (void)gs_error_hint(session->err, "write refs/heads/%s or refs/tags/%s", ref, ref);
        return gs_error_at(session->err, "%s", session->git->url.text);
    }
    *out = whole ? whole : branch ? branch : tag;
    return *out ? 0 : no_such_ref(session, ref, heads, count);
}

static int download(gs_git_session *session, char **refspecs, size_t count)
{
    git_strarray list = {refspecs, count};
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.callbacks = gs_git_session_callbacks(session);
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.update_fetchhead = 0;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    return git_remote_download(session->remote, &list, &options);
}

static int fetch_ref(gs_git_session *session, const char *ref, char commit[GS_COMMIT_TEXT])
{
    const git_remote_head *head = NULL;
    int code = choose(session, ref, &head);
    if (!head) {
        return code;
    }
    char *refspec = head->name;
    git_oid id = head->oid;
    int status = download(session, &refspec, 1);
    if (status < 0) {
        return gs_git_session_fail(session, status, "the git repository cannot be fetched");
    }
    code = keep(session->git, head->name, &id, session->err);
    if (code == 0) {
        code = peel(session->git, &id, commit, session->err);
    }
    return code == GS_ENOTFOUND ? gs_fail(session->err, GS_EIO, "the remote did not send what it lists as \"%s\"", ref) : code;
}

/* A commit that the cache lacks: asked for by its id where the server allows that, else found below the branches and tags. */
static int fetch_id(gs_git_session *session, const char *ref, char commit[GS_COMMIT_TEXT])
{
    char id_text[GS_COMMIT_TEXT];
    char branches[] = "refs/heads/*:refs/heads/*"; /* where to is asked for and then not used */
    char tags[] = "refs/tags/*:refs/tags/*";
    char *one[] = {id_text};
    char *all[] = {branches, tags};
    git_oid id;
    memcpy(id_text, ref, sizeof(id_text));
    (void)git_oid_fromstr(&id, ref);
    int status = download(session, one, 1);
    if (status < 0 && session->code == 0) {
        gs_git_session_close(session);
        int code = gs_git_session_open(session, GIT_DIRECTION_FETCH);
        if (code != 0) {
            return code;
        }
        status = download(session, all, 2);
    }
    if (status < 0) {
        return gs_git_session_fail(session, status, "the git repository cannot be fetched");
    }
    int code = peel(session->git, &id, commit, session->err);
    if (code == GS_ENOTFOUND) {
        (void)gs_fail(session->err, GS_ENOTFOUND, "no branch or tag of the repository leads to commit %s", ref);
        (void)gs_error_at(session->err, "%s", session->git->url.text);
    }
    return code == 0 ? keep(session->git, ref, &id, session->err) : code;
}

int gs_git_fetch(gs_git *git, const gs_run *run, const char *ref, char commit[GS_COMMIT_TEXT], gs_error *err)
{
    if (ref[0] == '\0' || strlen(ref) > MAX_REF_BYTES) {
        return gs_fail(err, GS_ESPEC, "the name of a git ref has 1 to %zu bytes", MAX_REF_BYTES);
    }
    bool by_id = is_commit_id(ref);
    if (by_id) {
        git_oid id;
        (void)git_oid_fromstr(&id, ref);
        int known = peel(git, &id, commit, err);
        if (known != GS_ENOTFOUND) {
            return known;
        }
    }
    gs_git_session session = {.git = git, .run = run, .err = err, .what = "fetching"};
    int code = gs_git_session_open(&session, GIT_DIRECTION_FETCH);
    if (code == 0) {
        code = by_id ? fetch_id(&session, ref, commit) : fetch_ref(&session, ref, commit);
    }
    gs_git_session_close(&session);
    return code;
}
