#include <ringwall/config/route.h>

#include <algorithm>

namespace ringwall::config {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_names(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

// A wildcard stands for exactly one label (RFC 6125 section 6.4.3).
bool matches_name(std::string_view pattern, std::string_view sni) {
  if (pattern.empty()) {
    return true;
  }
  if (!pattern.starts_with("*.")) {
    return equal_names(pattern, sni);
  }
  const std::size_t dot = sni.find('.');
  return dot != sni.npos && dot > 0 && equal_names(pattern.substr(1), sni.substr(dot));
}

bool matches_path(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) {
    return true;
  }
  return pattern.ends_with('*') ? path.starts_with(pattern.substr(0, pattern.size() - 1)) : path == pattern;
}

}  // namespace

Destination destination(const Listener& listener, std::string_view sni, std::string_view path) {
  for (const Route& route : listener.routes) {
    if (matches_name(route.sni, sni) && matches_path(route.path, path)) {
      return {route.upstream_index, route.mode.value_or(listener.mode)};
    }
  }
  return {listener.upstream_index, listener.mode};
}

bool serves_rpc(const Config& config, std::size_t upstream_index) {
  const Destination wanted{upstream_index, Mode::rpc};
  return std::ranges::any_of(config.listeners, [&](const Listener& listener) {
    if (listener.kind == ListenerKind::redirect) return false;
    return Destination{listener.upstream_index, listener.mode} == wanted ||
           std::ranges::any_of(listener.routes, [&](const Route& route) {
             return Destination{route.upstream_index, route.mode.value_or(listener.mode)} == wanted;
           });
  });
}

}  // namespace ringwall::config
