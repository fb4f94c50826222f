#include "reason.h"

#include "library.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

namespace ringwall::tls {
namespace {

// bad_certificate to certificate_unknown, and unknown_ca.
bool is_about_certificate(std::uint8_t alert) { return (alert >= 42 && alert <= 46) || alert == 48; }

}  // namespace

FailureReason reason_for(int error, std::optional<std::uint8_t> alert_received) {
  switch (error) {
    case MATCH_SUITE_ERROR:
    case UNSUPPORTED_SUITE:
    case ECC_CURVE_ERROR:
    case BAD_KEY_SHARE_DATA:
    case KEY_SHARE_ERROR:
      return FailureReason::no_shared_cipher;
    case UNKNOWN_ALPN_PROTOCOL_NAME_E:
      return FailureReason::no_application_protocol;
    case VERIFY_MAC_ERROR:
    case DECRYPT_ERROR:
    case AES_GCM_AUTH_E:
    case MAC_CMP_FAILED_E:
      return FailureReason::bad_record;
    case MEMORY_ERROR:
    case MEMORY_E:
    case RNG_FAILURE_E:
    case WOLFSSL_ERROR_WANT_READ:
    case WOLFSSL_ERROR_WANT_WRITE:
      return FailureReason::internal;
    default:
      break;
  }
  if (alert_received) {
    return is_about_certificate(*alert_received) ? FailureReason::certificate_refused : FailureReason::peer_alert;
  }
  return FailureReason::malformed;
}

std::string text_for(int error, const Failure& failure, Role role) {
  char text[WOLFSSL_MAX_ERROR_SZ] = {};
  wolfSSL_ERR_error_string_n(static_cast<unsigned long>(error), text, sizeof text);
  std::string line = text;
  const std::string peer = role == Role::server ? "client" : "server";
  if (failure.alert_received) line += "; the " + peer + " sent " + std::string(alert_name(*failure.alert_received));
  if (failure.alert_sent) line += "; we sent " + std::string(alert_name(*failure.alert_sent));
  return line;
}

std::optional<std::uint8_t> alert_for(FailureReason reason) {
  switch (reason) {
    case FailureReason::protocol_version:
      return alert::protocol_version;
    case FailureReason::no_shared_cipher:
      return alert::handshake_failure;
    case FailureReason::no_application_protocol:
      return alert::no_application_protocol;
    case FailureReason::internal:
      return alert::internal_error;
    case FailureReason::malformed:
      return alert::decode_error;
    default:
      return std::nullopt;
  }
}

}  // namespace ringwall::tls
