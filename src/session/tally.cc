// What a session has asked for, counted as it goes on, and which of it is denied.
#include <ringwall/session/session.h>

#include <algorithm>

namespace ringwall::session {

void Session::note_node(const NodeService& node) { node_index_ = static_cast<std::uint16_t>(node.index); }

void Session::note_ruling(const Ruling& ruling) {
  // What could not be read counts as one.
  const auto calls = static_cast<std::uint32_t>(std::max<std::size_t>(1, ruling.calls.size()));
  if (ruling.kind != Ruling::Kind::answer) {
    tally_.calls += calls;
    tally_.subscriptions += ruling.request.subscriptions;
    return;
  }
  if (!ruling.decision.given) {
    return note_limited(ruling.decision.reason, calls, ruling.calls.empty() ? "" : ruling.calls.front().method);
  }
  tally_.denied += calls;
  const auto denied = std::ranges::find_if(
      ruling.decisions, [](const rpc::Decision& decision) { return decision.verdict != rpc::Verdict::allowed; });
  if (denied == ruling.decisions.end()) {
    return service_.reports.denied(DenialReason::unreadable, "", address_text_);
  }
  service_.reports.denied(denial_reason(denied->verdict),
                          ruling.calls[static_cast<std::size_t>(denied - ruling.decisions.begin())].method,
                          address_text_);
}

void Session::note_limited(quota::Reason reason, std::uint32_t calls, std::string_view method) {
  tally_.limited += calls;
  service_.reports.denied(denial_reason(reason), method, address_text_);
}

}  // namespace ringwall::session
