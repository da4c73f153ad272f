/* The table: every verb with its options, in the order of the help. */
#include <stdint.h>

#include "verbs.h"

#define OPTIONS(table) .options = table, .option_count = sizeof(table) / sizeof((table)[0])

#define PASSPHRASE_OPTION                                                                                                          \
    {                                                                                                                              \
        "passphrase-file", 0, "FILE", "its first line is the passphrase of encrypted keys, or the token's PIN; default: asks"      \
    }
#ifdef GAPSHIP_BUILDER
#define FILE_OPTION                                                                                                                \
    {                                                                                                                              \
        "file", 'f', "FILE", "the release description; default release.yaml"                                                       \
    }
#define JOBS_OPTION                                                                                                                \
    {                                                                                                                              \
        "jobs", 0, "N", "transfers at once; default 4"                                                                             \
    }

#define EMIT_TBS_OPTION                                                                                                            \
    {                                                                                                                              \
        "emit-tbs", 0, "FILE", "write the bytes to be signed by a key that is elsewhere"                                           \
    }

static const gs_option images_options[] = {
    FILE_OPTION,
    {"environment", 0, "NAME", "this environment alone"},
    {"write", 0, NULL, "add the missing ones to release.yaml"},
};
static const gs_option lock_options[] = {
    FILE_OPTION,
    JOBS_OPTION,
    {"update", 0, NULL, "resolve again what is locked: all, or the names given"},
    {"check", 0, NULL, "change nothing; fail when release.lock is not up to date"},
};
static const gs_option build_options[] = {
    FILE_OPTION,
    {"out", 'o', "FILE", "the bundle; default NAME-VERSION.gapship beside release.yaml"},
    {"key", 0, "KEY", "sign with this private key: a file, or a URI such as pkcs11:…; may be repeated"},
    PASSPHRASE_OPTION,
    EMIT_TBS_OPTION,
    {"unsigned", 0, NULL, "build without a signature"},
    {"root", 0, "ROOT", "carry this later trust root to the sites; may be repeated, oldest first"},
    {"reuse", 0, "PATH", "copy blobs from this bundle or directory of bundles; may be repeated"},
    {"volume-size", 0, "SIZE", "split it into files of at most so many bytes, such as 4GB or 700MiB"},
    {"force", 0, NULL, "replace the bundle when it exists"},
    JOBS_OPTION,
};
static const gs_option sign_options[] = {
    {"key", 0, "KEY", "the private key: a file, or a URI such as pkcs11:…"},
    PASSPHRASE_OPTION,
    EMIT_TBS_OPTION,
};
static const gs_option attach_options[] = {
    {"signature", 0, "FILE", "what the key made: the signature alone, or that in base64, or a .minisig"},
    {"key", 0, "FILE", "the public key"},
    {"root", 0, "FILE", "a trust root that has the public key"},
    {"key-id", 0, "ID", "the key of the root, by the beginning of its id"},
};
#endif

static const gs_option key_new_options[] = {
    {"type", 0, "TYPE", "ecdsa-p256 (default), ecdsa-p384, ed25519, rsa-pss"},
    {"passphrase", 0, NULL, "encrypt the private key; asks for the passphrase"},
    {"passphrase-file", 0, "FILE", "encrypt the private key with the first line of this file"},
};

#define ROOT_OUT_OPTION                                                                                                            \
    {                                                                                                                              \
        "out", 'o', "FILE", "the root document to write; default root.json"                                                        \
    }
static const gs_option root_init_options[] = {
    {"key", 0, "PUB", "a public key that signs later roots; may be repeated"},
    {"threshold", 0, "N", "how many of them must; default 1"},
    {"release-key", 0, "PUB", "a public key that signs bundles; may be repeated; default: the root keys"},
    {"release-threshold", 0, "N", "how many of them must; default 1"},
    {"site-key", 0, "PUB", "a public key of the sites' own approval; may be repeated; default: none is needed"},
    {"site-threshold", 0, "N", "how many of them must; default 1"},
    {"expires", 0, "TIME", "when it should have been replaced, as 2030-01-01T00:00:00Z; default: never"},
    ROOT_OUT_OPTION,
};
static const gs_option root_next_options[] = {
    {"key", 0, "PUB", "add this public key to those that sign roots; may be repeated"},
    {"threshold", 0, "N", "how many of them must from now on"},
    {"release-key", 0, "PUB", "add this public key to those that sign bundles; may be repeated"},
    {"release-threshold", 0, "N", "how many of them must from now on"},
    {"site-key", 0, "PUB", "add this public key to those of the sites' approval; may be repeated"},
    {"site-threshold", 0, "N", "how many of them must from now on"},
    {"drop", 0, "KEYID", "take this key out of every role: at least 8 digits of its id; may be repeated"},
    {"new-epoch", 0, NULL, "raise the epoch: bundles of the old one are too old once one of the new one came"},
    {"expires", 0, "TIME", "when it should have been replaced, or never"},
    {"out", 'o', "FILE", "the root document to write; required"},
};
static const gs_option root_sign_options[] = {
    {"key", 0, "KEY", "the private key: a file, or a URI such as pkcs11:…; with --signature the public key"},
    PASSPHRASE_OPTION,
    {"emit-tbs", 0, "FILE", "write what is to be signed elsewhere, and sign nothing"},
    {"signature", 0, "FILE", "add this signature, made elsewhere over that"},
};
static const gs_option root_bundle_options[] = {{"out", 'o', "FILE", "the root-only bundle to write; required"}};
#define ROOT_OPTION                                                                                                                \
    {                                                                                                                              \
        "root", 0, "FILE", "the trust root, or the one public key; default: the site's"                                            \
    }
#define VOLUMES_OPTION                                                                                                             \
    {                                                                                                                              \
        "volumes", 0, "DIR", "look for volumes of a split bundle here, too; may be repeated"                                       \
    }
#define JUDGED_OPTION                                                                                                              \
    {                                                                                                                              \
        "site", 0, "FILE", "judge it against this site; default: the one here, if there is one"                                    \
    }
static const gs_option verify_options[] = {ROOT_OPTION, JUDGED_OPTION, VOLUMES_OPTION, {"jobs", 0, "N", "threads; default 4"}};
static const gs_option inspect_options[] = {ROOT_OPTION, JUDGED_OPTION, VOLUMES_OPTION};
static const gs_option permit_options[] = {
    {"site", 0, "NAME", "the site that it is for"},
    {"any-site", 0, NULL, "it is for every site"},
    {"below", 0, "EPOCH.SEQUENCE", "it counts while a site has accepted nothing above this"},
    {"reason", 0, "TEXT", "one line for the site's ledger"},
    {"expires", 0, "AGE", "how long it is meant to be used, like 12h; default 30d"},
    {"out", 'o', "FILE", "the permit to write"},
    {"key", 0, "FILE", "sign it with this private key; may be repeated"},
    PASSPHRASE_OPTION,
    {"root", 0, "FILE", "check the bundle's signatures against this trust root"},
};
static const gs_option permit_sign_options[] = {
    {"key", 0, "FILE", "the private key; with --signature the public one"},
    PASSPHRASE_OPTION,
    {"emit-tbs", 0, "FILE", "write the bytes to be signed by a key that is elsewhere"},
    {"signature", 0, "FILE", "what a key elsewhere made"},
};
static const gs_option extract_options[] = {
    {"out", 'o', "PATH", "the directory or file to write"},
    {"signatures", 0, "DIR", "write statement, signatures and a script that checks them without gapship"},
    ROOT_OPTION,
    VOLUMES_OPTION,
};

#define SITE_OPTION                                                                                                                \
    {                                                                                                                              \
        "site", 0, "FILE", "the site's configuration; default ./site.yaml, then /etc/gapship/site.yaml"                            \
    }
#define PERMIT_OPTION                                                                                                              \
    {                                                                                                                              \
        "permit", 0, "FILE", "let in what this permit is for, though it is older than what the site accepted"                      \
    }
#define YES_OPTION                                                                                                                 \
    {                                                                                                                              \
        "yes", 'y', NULL, "do not ask"                                                                                             \
    }
static const gs_option site_init_options[] = {{"root", 0, "FILE", "the trust root, or the one public key"}};
static const gs_option import_options[] = {SITE_OPTION, VOLUMES_OPTION, PERMIT_OPTION, {"jobs", 0, "N", "threads; default 4"}};
static const gs_option plan_options[] = {SITE_OPTION, VOLUMES_OPTION, {"to", 0, "ENVIRONMENT", "plan up to this environment"}};
static const gs_option install_options[] = {
    SITE_OPTION,
    VOLUMES_OPTION,
    {"to", 0, "ENVIRONMENT", "install up to this environment"},
    YES_OPTION,
    {"jobs", 0, "N", "uploads at once; default 4"},
};
static const gs_option load_options[] = {SITE_OPTION, VOLUMES_OPTION, {"jobs", 0, "N", "uploads at once; default 4"}};
static const gs_option status_options[] = {SITE_OPTION};
static const gs_option history_options[] = {SITE_OPTION, {"audit", 0, NULL, "every row of the ledger, with its chain checked"}};
static const gs_option rollback_options[] = {
    SITE_OPTION,
    {"to", 0, "VERSION", "this version; default: the one before"},
    PERMIT_OPTION,
    {"accept-revoked-signer", 0, NULL, "with --permit: to a bundle whose signers were revoked since"},
    {"environment", 0, "NAME", "this environment alone"},
    YES_OPTION,
    {"jobs", 0, "N", "uploads at once; default 4"},
};
static const gs_option serve_options[] = {SITE_OPTION, {"listen", 0, "ADDRESS", "HOST:PORT; default: as site.yaml says"}};

static const gs_command table[] = {
#ifdef GAPSHIP_BUILDER
    {.name = "init",
     .group = GS_GROUP_BUILD,
     .positional = "[DIR]",
     .most = 1,
     .summary = "writes a release.yaml for what is in a directory",
     .example = "gapship init",
     .run = gs_verb_init},
    {.name = "images",
     .group = GS_GROUP_BUILD,
     .positional = "",
     .summary = "lists every image each environment would run",
     .example = "gapship images --write",
     OPTIONS(images_options),
     .run = gs_verb_images},
    {.name = "lock",
     .group = GS_GROUP_BUILD,
     .positional = "[NAME…]",
     .most = SIZE_MAX,
     .summary = "pins every tag, chart and git ref in release.lock",
     .example = "gapship lock --update backend",
     OPTIONS(lock_options),
     .run = gs_verb_lock},
    {.name = "build",
     .group = GS_GROUP_BUILD,
     .positional = "",
     .summary = "fetches, renders, checks, packs and signs a bundle",
     .example = "gapship build --key release.key",
     OPTIONS(build_options),
     .run = gs_verb_build},
    {.name = "sign",
     .group = GS_GROUP_BUILD,
     .positional = "BUNDLE",
     .least = 1,
     .most = 1,
     .summary = "adds a signature to a bundle",
     .example = "gapship sign shop-1.2.0.gapship --key second.key",
     OPTIONS(sign_options),
     .run = gs_verb_sign},
    {.name = "attach-signature",
     .group = GS_GROUP_BUILD,
     .positional = "BUNDLE",
     .least = 1,
     .most = 1,
     .summary = "adds a signature that was made elsewhere",
     .example = "gapship attach-signature shop-1.2.0.gapship --signature shop.sig --key release.pub",
     OPTIONS(attach_options),
     .run = gs_verb_attach_signature},
#endif
    {.name = "key new",
     .group = GS_GROUP_EITHER,
     .positional = "NAME",
     .least = 1,
     .most = 1,
     .summary = "makes a key pair, NAME.key and NAME.pub",
     .example = "gapship key new release",
     OPTIONS(key_new_options),
     .run = gs_verb_key_new},
    {.name = "key show",
     .group = GS_GROUP_EITHER,
     .positional = "FILE",
     .least = 1,
     .most = 1,
     .summary = "prints type and id of a public key",
     .example = "gapship key show release.pub",
     .run = gs_verb_key_show},
    {.name = "root init",
     .group = GS_GROUP_EITHER,
     .positional = "",
     .summary = "makes the first trust root: who may sign, and how many must",
     .example = "gapship root init --key a.pub --key b.pub --key c.pub --threshold 2",
     OPTIONS(root_init_options),
     .run = gs_verb_root_init},
    {.name = "root show",
     .group = GS_GROUP_EITHER,
     .positional = "ROOT",
     .least = 1,
     .most = 1,
     .summary = "prints roles, keys, signatures and fingerprint of a trust root",
     .example = "gapship root show root.json",
     .run = gs_verb_root_show},
    {.name = "root next",
     .group = GS_GROUP_EITHER,
     .positional = "ROOT",
     .least = 1,
     .most = 1,
     .summary = "makes the trust root that follows: other keys, other thresholds",
     .example = "gapship root next root.json --drop 1f2e3d4c --key d.pub -o root-2.json",
     OPTIONS(root_next_options),
     .run = gs_verb_root_next},
    {.name = "root sign",
     .group = GS_GROUP_EITHER,
     .positional = "ROOT",
     .least = 1,
     .most = 1,
     .summary = "adds a signature to a trust root",
     .example = "gapship root sign root-2.json --key a.key",
     OPTIONS(root_sign_options),
     .run = gs_verb_root_sign},
    {.name = "root bundle",
     .group = GS_GROUP_EITHER,
     .positional = "ROOT…",
     .least = 1,
     .most = SIZE_MAX,
     .summary = "makes a file that brings later trust roots to sites, and nothing else",
     .example = "gapship root bundle root-2.json root-3.json -o roots.gapship",
     OPTIONS(root_bundle_options),
     .run = gs_verb_root_bundle},
    {.name = "verify",
     .group = GS_GROUP_EITHER,
     .positional = "BUNDLE",
     .least = 1,
     .most = 1,
     .summary = "judges a bundle: integrity, authenticity, order, freshness, completeness",
     .example = "gapship verify shop-1.2.0.gapship --root release.pub",
     OPTIONS(verify_options),
     .run = gs_verb_verify},
    {.name = "inspect",
     .group = GS_GROUP_EITHER,
     .positional = "BUNDLE",
     .least = 1,
     .most = 1,
     .summary = "shows what a bundle carries",
     .example = "gapship inspect shop-1.2.0.gapship",
     OPTIONS(inspect_options),
     .run = gs_verb_inspect},
    {.name = "extract",
     .group = GS_GROUP_EITHER,
     .positional = "BUNDLE [NAME]",
     .least = 1,
     .most = 2,
     .summary = "writes the OCI layout, one artifact, or one blob of a bundle",
     .example = "gapship extract shop-1.2.0.gapship -o layout",
     OPTIONS(extract_options),
     .run = gs_verb_extract},
    {.name = "permit",
     .group = GS_GROUP_EITHER,
     .positional = "BUNDLE",
     .least = 1,
     .most = 1,
     .summary = "permits a site to take an older bundle; counts once enough keys signed it",
     .example = "gapship permit shop-1.0.0.gapship --site plant-7 --below 0.42 --reason \"1.1 loses orders\" --key release.key -o "
                "shop.permit",
     OPTIONS(permit_options),
     .run = gs_verb_permit},
    {.name = "permit sign",
     .group = GS_GROUP_EITHER,
     .positional = "PERMIT",
     .least = 1,
     .most = 1,
     .summary = "adds a signature to a permit",
     .example = "gapship permit sign shop.permit --key second.key",
     OPTIONS(permit_sign_options),
     .run = gs_verb_permit_sign},
    {.name = "site init",
     .group = GS_GROUP_SITE,
     .positional = "[DIR]",
     .most = 1,
     .summary = "makes a site: store, ledger and a commented site.yaml",
     .example = "gapship site init --root release.pub",
     OPTIONS(site_init_options),
     .run = gs_verb_site_init},
    {.name = "import",
     .group = GS_GROUP_SITE,
     .positional = "BUNDLE…",
     .least = 1,
     .most = SIZE_MAX,
     .summary = "verifies and keeps bundles, nothing else",
     .example = "gapship import /media/usb/shop-1.2.0.gapship",
     OPTIONS(import_options),
     .run = gs_verb_import},
    {.name = "plan",
     .group = GS_GROUP_SITE,
     .positional = "BUNDLE",
     .least = 1,
     .most = 1,
     .summary = "shows what an installation would change; exit 20 when something would",
     .example = "gapship plan shop-1.2.0.gapship",
     OPTIONS(plan_options),
     .run = gs_verb_plan},
    {.name = "install",
     .group = GS_GROUP_SITE,
     .positional = "BUNDLE",
     .least = 1,
     .most = 1,
     .summary = "brings the environments to a release, in order; the same command resumes",
     .example = "gapship install shop-1.2.0.gapship",
     OPTIONS(install_options),
     .run = gs_verb_install},
    {.name = "load",
     .group = GS_GROUP_SITE,
     .positional = "BUNDLE",
     .least = 1,
     .most = 1,
     .summary = "loads the images into the site's registry, nothing else",
     .example = "gapship load shop-1.2.0.gapship",
     OPTIONS(load_options),
     .run = gs_verb_load},
    {.name = "status",
     .group = GS_GROUP_SITE,
     .positional = "",
     .summary = "shows what runs where",
     .example = "gapship status",
     OPTIONS(status_options),
     .run = gs_verb_status},
    {.name = "history",
     .group = GS_GROUP_SITE,
     .positional = "",
     .summary = "tells what was accepted, refused and done",
     .example = "gapship history --audit",
     OPTIONS(history_options),
     .run = gs_verb_history},
    {.name = "rollback",
     .group = GS_GROUP_SITE,
     .positional = "",
     .summary = "reinstalls an earlier kept bundle, or refuses and says why",
     .example = "gapship rollback --to 1.1.0",
     OPTIONS(rollback_options),
     .run = gs_verb_rollback},
    {.name = "serve",
     .group = GS_GROUP_SITE,
     .positional = "",
     .summary = "serves the kept bundles as a registry",
     .example = "gapship serve --listen 127.0.0.1:5000",
     OPTIONS(serve_options),
     .run = gs_verb_serve},
};

const gs_command *const gs_commands = table;
const size_t gs_command_count = sizeof table / sizeof table[0];
