/* Verifies minisign's signatures: Ed25519 over BLAKE2b, both of libsodium. */

#include "opener.h"

#include <sodium.h>
#include <string.h>

static const char TRUSTED[] = "trusted comment: ";

/* One line of `stream` without its end; 0 if there is none or it does not fit into `size` bytes. */
static int line(FILE *stream, char *text, size_t size) {
  if (!fgets(text, (int)size, stream)) return 0;
  size_t length = strlen(text);
  if (length && text[length - 1] == '\n') text[--length] = 0;
  else if (!feof(stream)) return 0;
  if (length && text[length - 1] == '\r') text[--length] = 0;
  return 1;
}

/* Decodes `text`, which must be the base64 of exactly `size` bytes. */
static int decoded(const char *text, void *bytes, size_t size) {
  size_t got;
  const char *end;
  return sodium_base642bin(bytes, size, text, strlen(text), "", &got, &end, sodium_base64_VARIANT_ORIGINAL) == 0 &&
         got == size && !*end;
}

const char *key_of(const char *path) {
  static char comment[1024], key[1024];
  FILE *stream = fopen(path, "rb");
  if (!stream) return NULL;
  int found = line(stream, comment, sizeof comment) && line(stream, key, sizeof key);
  fclose(stream);
  return found ? key : NULL;
}

int verify(const char *file, const char *signature, const char *key_line) {
  struct { unsigned char algorithm[2], id[8], key[crypto_sign_PUBLICKEYBYTES]; } key;
  struct { unsigned char algorithm[2], id[8], signature[crypto_sign_BYTES]; } made;
  static char untrusted[1024], made_line[1024], trusted[8192], global_line[1024];
  static unsigned char buffer[1 << 16];
  unsigned char global[crypto_sign_BYTES], hash[64];

  if (sodium_init() < 0) return REFUSED;
  if (!key_line || !decoded(key_line, &key, sizeof key) || memcmp(key.algorithm, "Ed", 2)) return REFUSED;

  FILE *stream = fopen(signature, "rb");
  if (!stream) return REFUSED;
  int whole = line(stream, untrusted, sizeof untrusted) && line(stream, made_line, sizeof made_line) &&
              line(stream, trusted, sizeof trusted) && line(stream, global_line, sizeof global_line);
  fclose(stream);
  if (!whole || strncmp(trusted, TRUSTED, sizeof TRUSTED - 1)) return REFUSED;
  const char *comment = trusted + sizeof TRUSTED - 1;
  if (!decoded(made_line, &made, sizeof made) || memcmp(made.algorithm, "ED", 2) ||
      memcmp(made.id, key.id, sizeof key.id) || !decoded(global_line, global, sizeof global))
    return REFUSED;

  crypto_generichash_state state;
  crypto_generichash_init(&state, NULL, 0, sizeof hash);
  if (!(stream = fopen(file, "rb"))) return REFUSED;
  size_t got;
  while ((got = fread(buffer, 1, sizeof buffer, stream)) > 0) crypto_generichash_update(&state, buffer, got);
  int failed = ferror(stream);
  fclose(stream);
  if (failed) return REFUSED;
  crypto_generichash_final(&state, hash, sizeof hash);
  if (crypto_sign_verify_detached(made.signature, hash, sizeof hash, key.key)) return REFUSED;

  /* The second signature covers the first one and the trusted comment. */
  size_t length = strlen(comment);
  memcpy(buffer, made.signature, sizeof made.signature);
  memcpy(buffer + sizeof made.signature, comment, length);
  if (crypto_sign_verify_detached(global, buffer, sizeof made.signature + length, key.key)) return REFUSED;
  puts(comment);
  return DONE;
}
