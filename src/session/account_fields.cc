#include <ringwall/session/account.h>

namespace ringwall::session {

AccountFields::AccountFields(const Account& account) : client_(to_text(account.figures.client)) {
  const Figures& figures = account.figures;
  add("client", std::string_view(client_));
  if (account.listener) add("listener", std::string_view(*account.listener));
  if (!account.upstream.empty()) add("upstream", account.upstream);
  if (account.reason != EndReason::none) {
    add("by", ended_by(account.reason));
    add("reason", name(account.reason));
  }
  add("state", name(account.state));
  add("age_s", log::Span{account.age_ns});
  add("received_bytes", figures.received_bytes);
  add("sent_bytes", figures.sent_bytes);
  add("calls", std::uint64_t{figures.tally.calls});
  add("units", figures.tally.units);
  add("denied", std::uint64_t{figures.tally.denied});
  add("limited", std::uint64_t{figures.tally.limited});
  add("subscriptions", std::uint64_t{figures.tally.subscriptions});
  if (account.reason == EndReason::none) {
    add("calls_in_flight", std::uint64_t{account.calls_in_flight});
    add("subscriptions_open", std::uint64_t{account.subscriptions_open});
  }
  if (account.tls) {
    add("tls", name(account.tls->version));
    add("suite", name(account.tls->cipher));
    add("resumed", account.tls->resumed);
  }
  if (const tls::Failure& failure = account.tls_failure; failure.reason != tls::FailureReason::none) {
    add("tls_failure", name(failure.reason));
    if (failure.alert_received) add("alert", tls::alert_name(*failure.alert_received));
  }
}

}  // namespace ringwall::session
