// reports.h: what a shard tells the operator: notices, ended sessions, denied calls; so many a second, the rest
// counted.
//
// How many were left out stands in the next line of the kind (left_out), or is told 10 s after the first of them.
// Owner: the Service, on its shard's thread. The sink must not block. Never told: payloads, paths, queries, cookies,
// Authorization.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/log/line.h>
#include <ringwall/log/throttle.h>
#include <ringwall/quota/decision.h>
#include <ringwall/ring/ring.h>
#include <ringwall/rpc/method_table.h>
#include <ringwall/session/account.h>
#include <ringwall/session/end_reason.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringwall::session {

// What an operator has to hear of, at most once a second each.
enum class Notice : std::uint8_t {
  node_unreachable,
  node_at_its_limit,
  node_garbage,
  node_cap_reached,
  out_of_files,
  accept_failed,
  backlog_spent,
  shard_full,
  node_forbids,
  proxy_header,
  method_unknown,
  limit_reached,
  one_address
};
inline constexpr std::size_t notices = static_cast<std::size_t>(Notice::one_address) + 1;
[[nodiscard]] std::string_view name(Notice notice);

// Why calls were denied. From `limit` on: for a limit, by quota::Reason.
enum class DenialReason : std::uint8_t { unsafe_call, not_offered, invalid, unreadable, limit };
inline constexpr std::size_t denial_reasons = static_cast<std::size_t>(DenialReason::limit) + quota::reasons;
[[nodiscard]] DenialReason denial_reason(rpc::Verdict verdict);  // not of `allowed`
[[nodiscard]] DenialReason denial_reason(quota::Reason reason);
[[nodiscard]] std::string_view name(DenialReason reason);

class Reports {
 public:
  // `config` is the shard's own copy, which a reload changes between two handlers.
  Reports(ring::Ring& ring, const config::Log& config, log::Sink sink);
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;
  ~Reports();

  // False: it was left out.
  bool notice(Notice notice, std::string_view text);
  [[nodiscard]] bool may_notice(Notice notice) const;
  void ended(const Account& account);
  // `method`: empty where there is none.
  void denied(DenialReason reason, std::string_view method, std::string_view client);
  // What is left out from here on is told at the end.
  void stop();

 private:
  struct Kind {
    log::Level level;
    std::string_view event;
    std::string_view reason;  // empty: there is one
  };

  [[nodiscard]] bool take(log::Throttle& throttle, std::uint32_t lines_per_s);
  void tell_left_out();
  void tell_left_out(log::Throttle& throttle, const Kind& kind);

  ring::Ring& ring_;
  const config::Log& config_;
  log::Sink sink_;
  bool stopping_ = false;
  std::array<log::Throttle, notices> of_notices_{};
  std::array<log::Throttle, end_reasons> of_ends_{};
  std::array<log::Throttle, denial_reasons> of_denials_{};
  ring::TimerOf<Reports, &Reports::tell_left_out> timer_{*this};
};

}  // namespace ringwall::session
