#include <ringwall/tls/failure.h>

namespace ringwall::tls {

std::string_view name(FailureReason reason) {
  switch (reason) {
    case FailureReason::none:
      return "none";
    case FailureReason::plain_http:
      return "plain_http";
    case FailureReason::not_tls:
      return "not_tls";
    case FailureReason::protocol_version:
      return "protocol_version";
    case FailureReason::no_shared_cipher:
      return "no_shared_cipher";
    case FailureReason::no_application_protocol:
      return "no_application_protocol";
    case FailureReason::certificate_refused:
      return "certificate_refused";
    case FailureReason::peer_alert:
      return "peer_alert";
    case FailureReason::renegotiation:
      return "renegotiation";
    case FailureReason::bad_record:
      return "bad_record";
    case FailureReason::malformed:
      return "malformed";
    case FailureReason::hello_too_large:
      return "hello_too_large";
    case FailureReason::internal:
      return "internal";
  }
  return "unknown";
}

std::string_view alert_name(std::uint8_t description) {
  switch (description) {
    case 0:
      return "close_notify";
    case alert::unexpected_message:
      return "unexpected_message";
    case alert::bad_record_mac:
      return "bad_record_mac";
    case alert::record_overflow:
      return "record_overflow";
    case alert::handshake_failure:
      return "handshake_failure";
    case 42:
      return "bad_certificate";
    case 43:
      return "unsupported_certificate";
    case 44:
      return "certificate_revoked";
    case 45:
      return "certificate_expired";
    case 46:
      return "certificate_unknown";
    case alert::illegal_parameter:
      return "illegal_parameter";
    case 48:
      return "unknown_ca";
    case 49:
      return "access_denied";
    case alert::decode_error:
      return "decode_error";
    case 51:
      return "decrypt_error";
    case alert::protocol_version:
      return "protocol_version";
    case 71:
      return "insufficient_security";
    case alert::internal_error:
      return "internal_error";
    case 86:
      return "inappropriate_fallback";
    case 90:
      return "user_canceled";
    case alert::no_renegotiation:
      return "no_renegotiation";
    case 109:
      return "missing_extension";
    case 110:
      return "unsupported_extension";
    case 112:
      return "unrecognized_name";
    case 113:
      return "bad_certificate_status_response";
    case 116:
      return "certificate_required";
    case alert::no_application_protocol:
      return "no_application_protocol";
    default:
      return "unknown";
  }
}

}  // namespace ringwall::tls
