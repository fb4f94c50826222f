#include <ringwall/tls/context.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include <ringwall/check.h>
#include <ringwall/tls/client_hello.h>
#include <ringwall/tls/handshaker.h>

#include "entry.h"
#include "stapling.h"
#include "suites.h"

namespace ringwall::tls {
namespace {

// wolfSSL's callback for both directions: `seal` or open the `size` bytes at `ticket` in place.
int on_ticket(WOLFSSL* ssl, unsigned char* key_name, unsigned char* iv, unsigned char* mac, int seal,
              unsigned char* ticket, int size, int* size_out, void* ticket_keys) {
  auto& keys = *static_cast<TicketKeys*>(ticket_keys);
  const auto* handshake = static_cast<const Handshaker*>(wolfSSL_GetIOReadCtx(ssl));
  const auto bound_to = std::as_bytes(std::span(handshake->server_name()));
  *size_out = size;
  TicketHeader header;
  static_assert(sizeof header.key_name == WOLFSSL_TICKET_NAME_SZ && sizeof header.nonce == WOLFSSL_TICKET_IV_SZ &&
                sizeof header.tag == WOLFSSL_TICKET_MAC_SZ);
  std::memcpy(header.key_name.data(), key_name, header.key_name.size());
  // `size` is the client's word here, and `ticket` and `mac` may lie past what it sent (wolfSSL 5.5.4 and 5.7.2).
  if (!seal && !keys.has_sealed(header.key_name, static_cast<std::size_t>(size))) return WOLFSSL_TICKET_RET_REJECT;
  const std::span text(reinterpret_cast<std::byte*>(ticket), static_cast<std::size_t>(size));
  if (seal) {
    if (!keys.seal(text, bound_to, header)) return WOLFSSL_TICKET_RET_REJECT;
    std::memcpy(key_name, header.key_name.data(), header.key_name.size());
    std::memcpy(iv, header.nonce.data(), header.nonce.size());
    std::memcpy(mac, header.tag.data(), header.tag.size());
    return WOLFSSL_TICKET_RET_OK;
  }
  std::memcpy(header.nonce.data(), iv, header.nonce.size());
  std::memcpy(header.tag.data(), mac, header.tag.size());
  switch (keys.open(text, bound_to, header)) {
    case TicketVerdict::accepted:
      return WOLFSSL_TICKET_RET_OK;
    case TicketVerdict::renewed:
      // In TLS 1.3 a new ticket is issued anyway, and wolfSSL 5.7.2 takes this answer for a refusal.
      return wolfSSL_version(ssl) >= TLS1_3_VERSION ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_CREATE;
    case TicketVerdict::refused:
      break;
  }
  return WOLFSSL_TICKET_RET_REJECT;
}

bool set_tickets(WOLFSSL_CTX* ctx, TicketKeys& keys) {
  wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
  return wolfSSL_CTX_set_TicketEncCb(ctx, on_ticket) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_set_TicketEncCtx(ctx, &keys) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_set_TicketHint(ctx, static_cast<int>(keys.lifetime_s())) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_set_timeout(ctx, keys.lifetime_s()) == WOLFSSL_SUCCESS;
}

bool set_identity(WOLFSSL_CTX* ctx, const Identity& identity) {
  const auto data = [](const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  return wolfSSL_CTX_use_certificate_chain_buffer(ctx, data(identity.chain_pem),
                                                  static_cast<long>(identity.chain_pem.size())) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_use_PrivateKey_buffer(ctx, data(identity.key_pem), static_cast<long>(identity.key_pem.size()),
                                           WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS;
}

Result<std::unique_ptr<WOLFSSL_CTX, FreeContext>> wolfssl_context(const Identity& identity, TicketKeys& keys) {
  std::unique_ptr<WOLFSSL_CTX, FreeContext> context(wolfSSL_CTX_new(wolfTLS_server_method()));
  if (!context) return fail("out of memory");
  if (!set_suites(context.get()) || wolfSSL_CTX_SetMinVersion(context.get(), WOLFSSL_TLSV1_2) != WOLFSSL_SUCCESS ||
      !set_tickets(context.get(), keys)) {
    return fail("wolfSSL lacks a protocol version, suite or group");
  }
  if (!set_identity(context.get(), identity)) {
    return fail(identity.files.chain_file + ": wolfSSL can't use the chain or its key");
  }
  return context;
}

bool can_verify(const ClientHello& hello, const Identity& identity) {
  if (identity.key_kind == KeyKind::rsa) return hello.rsa;
  return identity.key_bits == 384 ? hello.ecdsa_p384 : hello.ecdsa_p256;
}

}  // namespace

Context::Context() = default;
Context::~Context() = default;

Result<std::unique_ptr<Context>> Context::load(const Settings& settings, TicketKeys& keys, std::int64_t unix_now_s) {
  std::vector<Identity> identities;
  for (const Certificate& files : settings.certificates) {
    auto identity = load_identity(files);
    if (!identity) return std::unexpected(identity.error());
    identities.push_back(std::move(*identity));
  }
  identities.insert(identities.end(), settings.identities.begin(), settings.identities.end());
  if (identities.empty()) return fail("no certificate is given; a TLS listener needs at least one");
  std::unique_ptr<Context> context(new Context);
  for (Identity& identity : identities) {
    for (std::string& warning : tls::warnings(identity, unix_now_s)) context->warnings_.push_back(std::move(warning));

    auto entry = std::make_unique<Entry>();
    entry->identity = std::move(identity);
    const Certificate& files = entry->identity.files;
    auto wolfssl = wolfssl_context(entry->identity, keys);
    if (!wolfssl) return std::unexpected(wolfssl.error());
    entry->wolfssl = std::move(*wolfssl);
    if (!entry->identity.ocsp_der.empty() && can_staple_at(entry->identity, unix_now_s)) {
      if (const auto problem = stapling_problem(entry->identity)) {
        context->warnings_.push_back(files.ocsp_file + ": not stapled: " + *problem);
      } else {
        auto stapling = wolfssl_context(entry->identity, keys);
        if (!stapling) return std::unexpected(stapling.error());
        if (!set_stapling(stapling->get(), entry->identity)) return fail(files.ocsp_file + ": wolfSSL can't staple it");
        entry->stapling = std::move(*stapling);
        if (!staples_in_tls13) {
          context->warnings_.push_back(files.ocsp_file +
                                       ": stapled in TLS 1.2 only: this wolfSSL was not patched for more");
        }
      }
    }
    context->entries_.push_back(std::move(entry));
  }
  return context;
}

WOLFSSL_CTX* Context::Entry::wolfssl_for(bool tls13) const {
  const bool staple = stapling && (staples_in_tls13 || !tls13) && can_staple_at(identity, std::time(nullptr));
  return staple ? stapling.get() : wolfssl.get();
}

const Identity& Context::certificate(std::size_t index) const {
  RINGWALL_CHECK(index < entries_.size());
  return entries_[index]->identity;
}

const Context::Entry& Context::choose(const ClientHello& hello) const {
  const auto best_for = [&](std::string_view host) -> const Entry* {
    const Entry* unusable = nullptr;
    for (const bool wildcard : {false, true}) {
      for (const auto& entry : entries_) {
        const auto& names = entry->identity.names;
        const bool covers = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
          return (name != host) == wildcard && name_matches(name, host);
        });
        if (!covers) continue;
        if (can_verify(hello, entry->identity)) return entry.get();
        if (!unusable) unusable = entry.get();
      }
    }
    return unusable;
  };
  if (const Entry* entry = best_for(hello.server_name)) return *entry;
  // An unknown name, or none: as if the first name of the first certificate had been asked for.
  const auto& names = entries_[0]->identity.names;
  const Entry* entry = names.empty() ? nullptr : best_for(names[0]);
  return entry ? *entry : *entries_[0];
}

}  // namespace ringwall::tls
