/* Public keys that fuzz targets trust, one of each type. Their private halves are gone: what they have signed is in the corpora. */
#ifndef GAPSHIP_FUZZ_KEYS_H
#define GAPSHIP_FUZZ_KEYS_H

static const char *const fuzz_keys[] = {
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7PYT611YzJ2lJYBj4urxoJydvv8R\n"
    "DVBDFGI025JVoQjZIQIfgkbvRe0qsMkK6A5qnamUFUukb3B4wcMpZc03Rg==\n"
    "-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEjzSHvWtny0a3l80zldYJN+z999OJ3qAp\n"
    "oiS2hQEzlklpJ3GhKWjzqYv3RwiaWvDCJD/3RbQKEcP/OfE8tzrTov3EQRS1AeFi\n"
    "qiSs5TtfxZ78/cVBI3GlXLndYu70SBs6\n"
    "-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAMcNdqO4cEboQMcypnZXMPyBvL2bu4X3XdI2dfHIVeIA=\n"
    "-----END PUBLIC KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIB1jBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAQUAoRwwGgYJKoZIhvcN\n"
    "AQEIMA0GCWCGSAFlAwQCAQUAogMCASADggGPADCCAYoCggGBALSjNJ/mM01qytUr\n"
    "OM5eGZ+noXfhFszv4WAKbIUmPS54n48VAaVVgfO+CSDFXRf11JIlrIUSrin2agWz\n"
    "p5fYz3t3B2wm2a6WxbriQQNsO2FY7XuOf/e8gzHowOlR0nSAerh7CXUIMfptvpeh\n"
    "PDJpX6OTWcubO4B4dKnM7lF08d6UQHd5coanQ120JsYJWyL9FrdLxhPApIKU+KxO\n"
    "ILKGw5dKYu6Z0ai0bk7bkrBmLgzcdrmb6PCktOAmNmyHLjDeyTxVzhfAxfAn2X9H\n"
    "k0+MUgnwExk3FYifvOvZYT4NJp2hwuIMAL6wdlRsfiPuEYsoNQgBdNJIcNBEq4fr\n"
    "HJvORMJ+bH7hlGkFDtrqp3h1WW2c6RMZ/Z2UMqziQwsI0e7EXEiIF0B9TnKmWD5O\n"
    "R9nQnRmdrw+q8wtj8aPSJ0CqzwO0+re2lgmnZlvZrCO2MuF90L8E01HwcdH++tMZ\n"
    "oao9IJz/gledAHsR8SJQtgG150ZtBU6kvJEoTaKgicTe8ccveQIDAQAB\n"
    "-----END PUBLIC KEY-----\n",
    "RWS3LuYeSmtKoTvJbNxPZ8+TlfzaVigHQXmxU3R9rECov7zPkTCW8eIP\n",
};

#define FUZZ_KEYS (sizeof fuzz_keys / sizeof fuzz_keys[0])

#endif
