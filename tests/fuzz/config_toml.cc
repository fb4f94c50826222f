// Any file, variables and settings: load() gives a Config that keeps what config.h promises, or problems that print.
//
// Input: TOML, then after a NUL byte lines of NAME=VALUE: variables if NAME begins with RINGWALL_, else settings.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ringwall/check.h>
#include <ringwall/config/load.h>
#include <ringwall/config/route.h>
#include <ringwall/config/schema.h>

namespace {

using namespace ringwall::config;

Sources sources_of(std::string_view input) {
  const std::size_t end = std::min(input.find('\0'), input.size());
  Sources sources{.file = "f.toml", .text = std::string(input.substr(0, end)), .check_files = false};
  std::string_view rest = input.substr(std::min(end + 1, input.size()));
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t equals = std::min(line.find('='), line.size());
    const std::string name(line.substr(0, equals));
    const std::string value(line.substr(std::min(equals + 1, line.size())));
    if (name.starts_with("RINGWALL_")) {
      sources.environment.emplace_back(name, value);
    } else {
      sources.command_line.push_back({"--set " + name, name, value});
    }
  }
  return sources;
}

template <typename Section>
void check_numbers(const Section& values) {
  for (const Field<Section>& field : fields<Section>()) {
    std::visit(
        [&](auto member) {
          if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(values.*member)>>) {
            RINGWALL_CHECK(values.*member >= field.row.minimum);
            RINGWALL_CHECK(values.*member <= field.row.maximum);
          }
        },
        field.member);
  }
}

void check_listener(const Listener& listener, const Config& config) {
  RINGWALL_CHECK(listener.address.port > 0);
  RINGWALL_CHECK(config.upstreams.at(listener.upstream_index).name == listener.upstream);
  const bool has_certificate = !listener.certificates.empty() || !listener.self_signed.empty();
  RINGWALL_CHECK(has_certificate == (listener.kind == ListenerKind::tls));
  for (const Certificate& certificate : listener.certificates) {
    RINGWALL_CHECK(!certificate.cert.empty() && !certificate.key.empty());
  }
  for (const Route& route : listener.routes) {
    RINGWALL_CHECK(config.upstreams.at(route.upstream_index).name == route.upstream);
    RINGWALL_CHECK(destination(listener, route.sni, route.path).upstream_index < config.upstreams.size());
  }
}

void check_config(const Config& config) {
  RINGWALL_CHECK(!config.listeners.empty() && !config.upstreams.empty());
  check_numbers(config.server);
  check_numbers(config.limits);
  check_numbers(config.timeouts);
  for (const Upstream& upstream : config.upstreams) {
    check_numbers(upstream);
    RINGWALL_CHECK(!upstream.name.empty() && !upstream.address.host.empty() && upstream.address.port > 0);
  }
  for (const Listener& listener : config.listeners) {
    check_listener(listener, config);
  }
  RINGWALL_CHECK(config.server.assembly_bytes_per_address_max >= config.limits.message_bytes_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Sources sources = sources_of({reinterpret_cast<const char*>(data), size});
  const auto config = load(sources);
  if (config) {
    check_config(*config);
    return 0;
  }
  RINGWALL_CHECK(!config.error().empty() && config.error().size() <= problems_max + 1);
  for (const Problem& problem : config.error()) {
    const std::string text = to_text(problem);
    RINGWALL_CHECK(!text.empty());
    RINGWALL_CHECK(std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
    RINGWALL_CHECK(!problem.expected.empty() && !problem.found.empty());
  }
  return 0;
}
