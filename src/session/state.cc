#include <ringwall/session/state.h>

#include <ringwall/check.h>

#include <array>
#include <cstddef>

namespace ringwall::session {

std::string_view name(State state) {
  static constexpr std::array<std::string_view, 11> names = {"proxy_header", "handshake", "head",       "body",
                                                             "connecting",   "awaiting",  "responding", "relay",
                                                             "closing",      "tunnel",    "ending"};
  const auto index = static_cast<std::size_t>(state);
  RINGWALL_CHECK(index < names.size());
  return names[index];
}

}  // namespace ringwall::session
