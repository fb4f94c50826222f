#include "tls_client.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <ringwall/check.h>

#include <algorithm>
#include <charconv>

namespace ringwall::bench {

namespace {

TlsClient& of(const SSL* ssl) { return *static_cast<TlsClient*>(SSL_get_app_data(ssl)); }

// HKDF-Expand-Label with an empty context.
void expand_label(std::span<std::byte> to, std::span<const std::byte> secret, std::string_view label) {
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "TLS13-KDF", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  std::string digest = "SHA256", prefix = "tls13 ", name(label);
  std::vector<std::byte> key(secret.begin(), secret.end());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix.data(), prefix.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, name.data(), name.size()),
      OSSL_PARAM_construct_end(),
  };
  RINGWALL_CHECK(EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(to.data()), to.size(), parameters) == 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
}

tls::Key key_of(std::span<const std::byte, 32> secret, std::uint64_t sequence) {
  tls::Key key;
  std::ranges::copy(secret, key.secret.begin());
  expand_label(std::span(key.key).first(16), secret, "key");
  expand_label(key.iv, secret, "iv");
  key.sequence = sequence;
  return key;
}

}  // namespace

SSL_CTX* TlsClient::context() {
  static SSL_CTX* const made = [] {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    RINGWALL_CHECK(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1);
    RINGWALL_CHECK(SSL_CTX_set1_groups_list(context, "X25519") == 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, &on_ticket);
    SSL_CTX_set_keylog_callback(context, &on_secret);
    return context;
  }();
  return made;
}

TlsClient::TlsClient() : ssl_(SSL_new(context())) {
  SSL_set_app_data(ssl_, this);
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_);
}

TlsClient::~TlsClient() { SSL_free(ssl_); }

int TlsClient::on_ticket(SSL* ssl, SSL_SESSION*) {
  ++of(ssl).tickets_;
  return 0;
}

// A label, the client's random, the secret: hexadecimal, a space between them.
void TlsClient::on_secret(const SSL* ssl, const char* line) {
  const std::string_view text(line);
  const bool is_client = text.starts_with("CLIENT_TRAFFIC_SECRET_0 ");
  if (!is_client && !text.starts_with("SERVER_TRAFFIC_SECRET_0 ")) return;
  const std::string_view digits = text.substr(text.rfind(' ') + 1);
  auto& secret = is_client ? of(ssl).client_secret_ : of(ssl).server_secret_;
  RINGWALL_CHECK(digits.size() == 2 * secret.size());
  for (std::size_t index = 0; index < secret.size(); ++index) {
    unsigned value = 0;
    std::from_chars(digits.data() + 2 * index, digits.data() + 2 * index + 2, value, 16);
    secret[index] = static_cast<std::byte>(value);
  }
}

void TlsClient::take_out(std::vector<std::byte>& to_server) {
  BIO* const out = SSL_get_wbio(ssl_);
  const std::size_t before = to_server.size(), bytes = BIO_ctrl_pending(out);
  to_server.resize(before + bytes);
  if (bytes > 0) BIO_read(out, to_server.data() + before, static_cast<int>(bytes));
}

void TlsClient::step(std::span<const std::byte> from_server, std::vector<std::byte>& to_server) {
  if (!from_server.empty()) {
    BIO_write(SSL_get_rbio(ssl_), from_server.data(), static_cast<int>(from_server.size()));
  }
  if (is_done()) return;
  const int result = SSL_do_handshake(ssl_);
  RINGWALL_CHECK(result == 1 || SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ);
  take_out(to_server);
}

void TlsClient::write(std::string_view text, std::vector<std::byte>& to_server) {
  RINGWALL_CHECK(SSL_write(ssl_, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size()));
  take_out(to_server);
}

std::string TlsClient::read() {
  std::string text(4096, '\0');
  const int bytes = SSL_read(ssl_, text.data(), static_cast<int>(text.size()));
  text.resize(static_cast<std::size_t>(std::max(bytes, 0)));
  return text;
}

tls::Keys TlsClient::keys(std::uint64_t records_sent, std::uint64_t records_received) const {
  tls::Keys keys;
  keys.send = key_of(client_secret_, records_sent);
  keys.receive = key_of(server_secret_, records_received + tickets_);
  return keys;
}

}  // namespace ringwall::bench
