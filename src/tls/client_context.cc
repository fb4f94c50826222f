#include <ringwall/tls/client_context.h>

#include "library.h"
#include "read_file.h"
#include "suites.h"
#include "x509.h"

// Without it a certificate for another name would be accepted.
#ifndef WOLFSSL_ALWAYS_VERIFY_CB
#error "this wolfSSL does not ask about certificates that it finds right"
#endif

namespace ringwall::tls {
namespace {

WOLFSSL_METHOD* method_for(VersionsOffered versions) {
  switch (versions) {
    case VersionsOffered::only_tls12:
      return wolfTLSv1_2_client_method();
    case VersionsOffered::only_tls13:
      return wolfTLSv1_3_client_method();
    case VersionsOffered::any:
      break;
  }
  return wolfTLS_client_method();
}

std::string words_for(int error) {
  char text[WOLFSSL_MAX_ERROR_SZ] = {};
  wolfSSL_ERR_error_string_n(static_cast<unsigned long>(error), text, sizeof text);
  return text;
}

// One by one: a bundle may hold some that have run out, or that wolfSSL can't read.
Result<void> trust(WOLFSSL_CTX* context, const std::string& path) {
  const auto text = read_file(path, "CA file");
  if (!text) return std::unexpected(text.error());
  unsigned trusted = 0;
  int error = 0;
  for (const PemBlock& block : read_pem(*text)) {
    if (!block.label.ends_with("CERTIFICATE")) continue;
    const int result = wolfSSL_CTX_load_verify_buffer(context, reinterpret_cast<const unsigned char*>(block.der.data()),
                                                      static_cast<long>(block.der.size()), WOLFSSL_FILETYPE_ASN1);
    if (result == WOLFSSL_SUCCESS) {
      ++trusted;
    } else {
      error = result;
    }
  }
  if (trusted > 0) return {};
  if (error == 0) return fail(path + ": no \"-----BEGIN CERTIFICATE-----\" in it; right is PEM");
  return fail(path + ": no certificate in it can be used: " + words_for(error));
}

}  // namespace

Result<std::unique_ptr<ClientContext>> ClientContext::load(const ClientSettings& settings) {
  if (!start_library()) return fail("wolfSSL can't start: no entropy, or a self-test failed");
  std::unique_ptr<ClientContext> context(new ClientContext(settings));
  context->wolfssl_ = wolfSSL_CTX_new(method_for(settings.versions));
  WOLFSSL_CTX* const wolfssl = context->wolfssl_;
  if (!wolfssl) return fail("out of memory");
  if (!set_suites(wolfssl, settings.versions != VersionsOffered::only_tls12) ||
      wolfSSL_CTX_UseSessionTicket(wolfssl) != WOLFSSL_SUCCESS ||
      (settings.versions == VersionsOffered::any &&
       wolfSSL_CTX_SetMinVersion(wolfssl, WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS)) {
    return fail("wolfSSL lacks a protocol version, suite or group");
  }
  if (!settings.resume) wolfSSL_CTX_set_session_cache_mode(wolfssl, WOLFSSL_SESS_CACHE_OFF);
  wolfSSL_CTX_set_verify(wolfssl, WOLFSSL_VERIFY_NONE, nullptr);  // until ClientHandshake asks for more
  if (settings.verify) {
    if (auto trusted = trust(wolfssl, settings.ca_file); !trusted) return std::unexpected(trusted.error());
  }
  return context;
}

ClientContext::~ClientContext() { wolfSSL_CTX_free(wolfssl_); }

ClientSession::~ClientSession() { keep(nullptr); }

void ClientSession::keep(WOLFSSL_SESSION* session) {
  if (session_) wolfSSL_SESSION_free(session_);
  session_ = session;
}

}  // namespace ringwall::tls
