#include "devnode/access.h"

#include <ringwall/http/field.h>

#include <algorithm>
#include <string>

namespace ringwall::devnode {

bool is_local_host(std::string_view host, std::uint16_t port) {
  const std::string ending = ":" + std::to_string(port);
  for (const std::string_view name : {"localhost", "127.0.0.1", "[::1]"}) {
    if (!http::starts_ignoring_case(host, name)) continue;
    const std::string_view rest = host.substr(name.size());
    if (rest == ending || (rest.empty() && port == 80)) return true;
  }
  return false;
}

bool is_known_origin(std::string_view origin) {
  if (origin == "https://polkadot.js.org") return true;
  for (const std::string_view start :
       {"http://localhost:", "http://127.0.0.1:", "https://localhost:", "https://127.0.0.1:"}) {
    if (!origin.starts_with(start)) continue;
    const std::string_view port = origin.substr(start.size());
    return std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  }
  return false;
}

void write_cors(http::HeadWriter& writer, std::string_view origin, bool allow_any, bool is_preflight) {
  if (allow_any) {
    writer.field("access-control-allow-origin", "*");
    if (is_preflight) {
      writer.field("access-control-allow-methods", "*").field("access-control-allow-headers", "*");
    } else {
      writer.field("access-control-expose-headers", "*");
    }
  } else if (is_known_origin(origin)) {
    writer.field("access-control-allow-origin", origin);
  }
  writer.field("vary", "origin, access-control-request-method, access-control-request-headers");
}

}  // namespace ringwall::devnode
