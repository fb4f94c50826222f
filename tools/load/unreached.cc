#include "load/unreached.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace ringwall::load {

namespace {

std::uint64_t count(const Troubles& troubles, Trouble trouble) {
  return troubles.counts[static_cast<std::size_t>(trouble)];
}

bool is_said(const Troubles& troubles, std::string_view part) {
  return std::ranges::any_of(troubles.texts,
                             [&](const auto& each) { return each.first.find(part) != std::string::npos; });
}

// The same URL with or without TLS.
std::string other_scheme(const Target& target) {
  const std::string rest = target.url.substr(target.url.find("://"));
  return std::string(target.post ? "http" : "ws") + (target.tls ? "" : "s") + rest;
}

}  // namespace

std::string advice(const Plan& plan, const Troubles& troubles) {
  if (is_said(troubles, "tls: ") && is_said(troubles, "certificate")) {
    return "--ca FILE trusts its issuer, or the certificate itself; --insecure verifies nothing";
  }
  const std::string other = other_scheme(plan.target);
  if (plan.target.tls && count(troubles, Trouble::tls) > 0) {
    return "where it speaks no TLS, the URL is " + other;
  }
  constexpr std::array marks = {"upgrade: 400", "http_status: 400", "protocol: ", "connect_closed: "};
  const bool may_be_tls = std::ranges::any_of(marks, [&](const char* mark) { return is_said(troubles, mark); });
  return !plan.target.tls && may_be_tls ? "where it speaks TLS, the URL is " + other : "";
}

std::string why_unreached(const Plan& plan, const Troubles& troubles) {
  std::string text = plan.target.url + " cannot be reached";
  if (troubles.total() == 0) return text + ": no connection was opened within the timeout";
  bool is_first = true;
  for (const auto& [said, times] : troubles.texts) {
    text += (is_first ? ": " : "; ") + said;
    is_first = false;
  }
  const std::string advised = advice(plan, troubles);
  return advised.empty() ? text : text + " (" + advised + ")";
}

}  // namespace ringwall::load
