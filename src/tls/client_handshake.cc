#include <ringwall/tls/client_handshake.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "lease.h"
#include "library.h"
#include "reason.h"
#include "x509.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

namespace ringwall::tls {
namespace {

constexpr std::size_t names_told_max = 4;

// As text in the form that CertificateFacts has; nothing: a host name.
std::optional<std::string> as_address(const std::string& name) {
  for (const int family : {AF_INET, AF_INET6}) {
    std::array<unsigned char, sizeof(in6_addr)> address;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(family, name.c_str(), address.data()) == 1 &&
        inet_ntop(family, address.data(), text, sizeof text) != nullptr) {
      return text;
    }
  }
  return std::nullopt;
}

std::string lower(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(), [](unsigned char letter) { return std::tolower(letter); });
  if (text.ends_with('.')) text.pop_back();
  return text;
}

bool is_for(const CertificateFacts& facts, const std::string& server_name) {
  if (const auto address = as_address(server_name))
    return std::ranges::find(facts.addresses, *address) != facts.addresses.end();
  return std::ranges::any_of(facts.names, [&](const std::string& name) { return name_matches(name, server_name); });
}

std::string names_of(const CertificateFacts& facts) {
  std::vector<std::string> all = facts.names;
  all.insert(all.end(), facts.addresses.begin(), facts.addresses.end());
  if (all.empty()) return "no name";
  std::string text;
  for (std::size_t index = 0; index < std::min(all.size(), names_told_max); ++index) {
    text += (index == 0 ? "" : ", ") + all[index];
  }
  if (all.size() > names_told_max) text += " and " + std::to_string(all.size() - names_told_max) + " more";
  return text;
}

std::string wrong_name(const CertificateFacts& facts, const std::string& server_name) {
  return "the server's certificate is for " + names_of(facts) + ", not for " + server_name;
}

// What wolfSSL found wrong, in words for who runs the client.
std::string refusal(int error, int depth, const std::optional<CertificateFacts>& facts, const std::string& ca_file) {
  const std::string which =
      depth == 0 ? "the server's certificate" : "an authority's certificate in the server's chain";
  switch (error) {
    case ASN_AFTER_DATE_E:
      return which + " has expired" + (facts ? ", on " + day(facts->not_after_s) : "");
    case ASN_BEFORE_DATE_E:
      return which + " is not valid yet" + (facts ? ", only from " + day(facts->not_before_s) : "");
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
      if (facts && facts->issuer == facts->subject) return which + " is self-signed, and is not in " + ca_file;
      return which + " is signed by an authority that is not in " + ca_file + ", or the chain is not complete";
    case ASN_SIG_CONFIRM_E:
      return which + " has a wrong signature";
    default: {
      char text[WOLFSSL_MAX_ERROR_SZ] = {};
      wolfSSL_ERR_error_string_n(static_cast<unsigned long>(error), text, sizeof text);
      return which + " can't be accepted: " + text;
    }
  }
}

}  // namespace

ClientHandshake::ClientHandshake(const ClientContext& context, std::string_view server_name, ClientSession* session)
    : context_(context), session_(session) {
  RINGWALL_CHECK(!server_name.empty());
  RINGWALL_CHECK(!session || context.settings().resume);
  server_name_ = lower(server_name);
}

int ClientHandshake::judge(int good, WOLFSSL_X509_STORE_CTX* chain) {
  auto& self = *static_cast<ClientHandshake*>(chain->userCtx);
  const int depth = chain->error_depth;
  if (good == 1 && depth > 0) return 1;
  std::optional<CertificateFacts> facts;
  if (depth >= 0 && depth < chain->totalCerts) {
    const WOLFSSL_BUFFER_INFO& certificate = chain->certs[depth];
    facts = read_certificate({reinterpret_cast<const char*>(certificate.buffer), certificate.length});
  }
  if (good != 1) {
    self.refusal_ = refusal(chain->error, depth, facts, self.context_.settings().ca_file);
  } else if (!facts) {
    self.refusal_ = "the server's certificate can't be read";
  } else if (!is_for(*facts, self.server_name_)) {
    self.refusal_ = wrong_name(*facts, self.server_name_);
  }
  return self.refusal_.empty() ? 1 : 0;
}

int ClientHandshake::note_ticket(WOLFSSL*, const unsigned char*, int, void* handshake) {
  static_cast<ClientHandshake*>(handshake)->ticket_came_ = true;
  return 0;
}

ClientHandshake::Progress ClientHandshake::advance(std::span<const std::byte>& in, Output& out) {
  RINGWALL_CHECK(!done_);
  RINGWALL_CHECK(failure_.reason == FailureReason::none);
  if (!ssl_ && !begin()) return fail(FailureReason::internal, "out of memory for a TLS connection");
  const Lease lease(*this, &in, out);
  return awaits_ticket_ ? await_ticket() : connect();
}

bool ClientHandshake::begin() {
  WOLFSSL* const ssl = wolfSSL_new(context_.wolfssl_);
  if (!ssl) return false;
  attach(ssl);
  char protocol[] = "http/1.1";
  if (wolfSSL_UseALPN(ssl, protocol, sizeof protocol - 1, WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS) {
    return false;
  }
  if (!as_address(server_name_) && wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, server_name_.data(),
                                                  static_cast<word16>(server_name_.size())) != WOLFSSL_SUCCESS) {
    return false;
  }
  if (context_.settings().verify) {
    wolfSSL_SetCertCbCtx(ssl, this);
    wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, &ClientHandshake::judge);
  }
  return !session_ || offer_session();
}

// A session that has run out is replaced.
bool ClientHandshake::offer_session() {
  if (session_->session_ && wolfSSL_set_session(ssl_, session_->session_) == WOLFSSL_SUCCESS) {
    offers_session_ = true;
    return true;
  }
  session_->keep(nullptr);
  return wolfSSL_set_SessionTicket_cb(ssl_, &ClientHandshake::note_ticket, this) == WOLFSSL_SUCCESS;
}

ClientHandshake::Progress ClientHandshake::connect() {
  for (;;) {
    const std::size_t before = in_->size();
    const int result = wolfSSL_connect(ssl_);
    if (result == WOLFSSL_SUCCESS) break;
    const int error = wolfSSL_get_error(ssl_, result);
    if (error != WOLFSSL_ERROR_WANT_READ) return fail(error);
    if (in_->empty()) return Progress::need_input;
    if (in_->size() == before) return fail(error);
  }
  const bool is_tls13 = wolfSSL_version(ssl_) == TLS1_3_VERSION;
  if (!session_ || offers_session_ || !is_tls13) return finish();
  awaits_ticket_ = true;
  return await_ticket();
}

// A record at a time, so that nothing behind the ticket is taken.
ClientHandshake::Progress ClientHandshake::await_ticket() {
  while (!ticket_came_) {
    if (in_->empty()) return Progress::need_input;
    if (record_left_ == 0 && record_header_have_ == record_header_.size()) record_header_have_ = 0;
    const std::size_t before = in_->size();
    char data = 0;
    const int result = wolfSSL_read(ssl_, &data, 1);
    if (result > 0) return fail(FailureReason::malformed, "the server sends data before its session ticket");
    const int error = wolfSSL_get_error(ssl_, result);
    if (error != WOLFSSL_ERROR_WANT_READ || in_->size() == before) return fail(error);
    if (record_left_ > 0 || record_header_have_ < record_header_.size()) continue;
    // A KeyUpdate would leave us with secrets that are not the connection's any more.
    word64 sequence = 0;
    ++ticket_records_;
    if (wolfSSL_GetPeerSequenceNumber(ssl_, &sequence) < 0 || sequence != ticket_records_) {
      return fail(FailureReason::malformed, "the server changes its key before its session ticket");
    }
  }
  return finish();
}

ClientHandshake::Progress ClientHandshake::finish() {
  done_ = true;
  if (session_ && ticket_came_) session_->keep(wolfSSL_get1_session(ssl_));
  return Progress::done;
}

ClientHandshake::Progress ClientHandshake::fail(int error) {
  (void)fail_with(error);
  if (!refusal_.empty()) {
    failure_.reason = FailureReason::certificate_refused;
    failure_text_ = refusal_;
  } else if (error == OUT_OF_ORDER_E && offers_session_ && wolfSSL_version(ssl_) == TLS1_2_VERSION) {
    session_->keep(nullptr);
    failure_text_ = "the server does not resume the session of TLS 1.2: the next handshake gets another";
  }
  return Progress::failed;
}

ClientHandshake::Progress ClientHandshake::fail(FailureReason reason, std::string text) {
  failure_.reason = reason;
  failure_text_ = std::move(text);
  return Progress::failed;
}

std::size_t ClientHandshake::read(std::span<std::byte> to) {
  const bool record_is_over = record_left_ == 0 && record_header_have_ == record_header_.size();
  return awaits_ticket_ && record_is_over ? 0 : read_input(to);
}

}  // namespace ringwall::tls
