// route.h: which upstream and which mode a request gets.
//
// Pure, for the data path: no allocation. The first route that matches in both name and path decides; else the
// listener.
#pragma once

#include <cstddef>
#include <string_view>

#include <ringwall/config/config.h>

namespace ringwall::config {

struct Destination {
  std::size_t upstream_index;  // Of Config::upstreams.
  Mode mode;

  friend bool operator==(const Destination&, const Destination&) = default;
};

// `sni` as the client sent it, in any case, empty if it sent none; `path` without the query.
[[nodiscard]] Destination destination(const Listener& listener, std::string_view sni, std::string_view path);

// Whether some destination is that upstream in mode rpc.
[[nodiscard]] bool serves_rpc(const Config& config, std::size_t upstream_index);

}  // namespace ringwall::config
