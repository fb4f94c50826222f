// account.h: what is told of one session: in the log once it has ended, by the admin interface while it lasts.
//
// Session::account() fills it in, for both, and AccountFields names what is in it, for both. A value for any thread:
// what it has texts of outlives its shard.
#pragma once

#include <ringwall/log/fields.h>
#include <ringwall/session/client_address.h>
#include <ringwall/session/end_reason.h>
#include <ringwall/session/state.h>
#include <ringwall/session/tally.h>
#include <ringwall/tls/failure.h>
#include <ringwall/tls/keys.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ringwall::session {

// What is found in the session itself, so that very many can be looked through.
struct Figures {
  AddressBytes client{};
  Tally tally{};
  std::uint64_t received_bytes = 0;  // of the client: with TLS where it is ours, without where it is the kernel's
  std::uint64_t sent_bytes = 0;
};

// What its handshake has agreed on.
struct AgreedTls {
  tls::Version version;
  tls::Cipher cipher;
  bool resumed;
};

struct Account {
  Figures figures{};
  std::uint64_t age_ns = 0;
  std::shared_ptr<const std::string> listener{};  // its address, as it is configured
  std::string_view upstream{};                    // the name of the node that was asked last; empty: none
  EndReason reason = EndReason::none;
  State state = State::handshake;        // of one that ends: where it stood when it began to
  std::uint32_t calls_in_flight = 0;     // these two while it is a WebSocket
  std::uint32_t subscriptions_open = 0;  //
  std::optional<AgreedTls> tls{};        // once that is done
  tls::Failure tls_failure{};
};

// Name by name: the fields of its line in the log, and the keys of its row in JSON. What is under way is in those of a
// session that goes on; by whom and why in those of one that ends. Views into itself and into the account.
class AccountFields {
 public:
  explicit AccountFields(const Account& account);
  AccountFields(const AccountFields&) = delete;
  AccountFields& operator=(const AccountFields&) = delete;

  // One more, which the account does not know of.
  void add(std::string_view name, decltype(log::Field::value) value) { fields_.add(name, value); }
  [[nodiscard]] std::span<const log::Field> span() const { return fields_.span(); }

 private:
  const std::string client_;
  log::Fields<20> fields_{};
};

}  // namespace ringwall::session
