#include <ringwall/session/counters.h>

namespace ringwall::session {

std::string_view name(Verdict verdict) {
  static constexpr std::array<std::string_view, verdicts> names = {
      "forwarded", "answered", "unsafe", "not_offered", "invalid", "batch_refused", "over_limit"};
  return names[static_cast<std::size_t>(verdict)];
}

}  // namespace ringwall::session
