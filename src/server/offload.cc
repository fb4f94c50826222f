#include <ringwall/server/offload.h>

#include <ringwall/tls/key_schedules.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <fmt/core.h>

namespace ringwall::server {
namespace {

// A MiB of large answers to so many small messages: what a node's RPC port is like.
constexpr double small_messages_per_mib = 1'024;
// Less of a difference than this is told by no measurement of 100 ms; then it is user space.
constexpr double worth = 0.95;

constexpr const char* cipher_remedy = "the ciphers' modules (modprobe -a gcm chacha20poly1305)";

double total_us(const RecordCost& cost) { return cost.us_per_mib + small_messages_per_mib * cost.us_per_message; }

bool is_cheaper(const CostPair& costs) { return total_us(costs.kernel) < worth * total_us(costs.user); }

// How the choice follows: the sums, and what they are of.
std::string comparison(const CostPair& costs) {
  const bool cheaper = is_cheaper(costs);
  const RecordCost& chosen = cheaper ? costs.kernel : costs.user;
  const RecordCost& other = cheaper ? costs.user : costs.kernel;
  const bool is_hardly_cheaper = !cheaper && total_us(costs.kernel) < total_us(costs.user);
  constexpr double us_per_ms = 1'000;
  return fmt::format(
      "{:.2f} ms, in {} {:.2f}{}, for 1 MiB of large answers ({:.0f} and {:.0f} µs) and {:.0f} small messages "
      "({:.2f} and {:.2f} µs each)",
      total_us(chosen) / us_per_ms, cheaper ? "user space" : "the kernel", total_us(other) / us_per_ms,
      is_hardly_cheaper ? ", not worth it" : "", chosen.us_per_mib, other.us_per_mib, small_messages_per_mib,
      chosen.us_per_message, other.us_per_message);
}

std::string error_name(int number) {
  const char* const name = ::strerrorname_np(number);
  return name != nullptr ? name : fmt::format("error {}", number);
}

// Of a cipher that the kernel cannot do, the first error that it gave.
int missing_error(const KernelTls& kernel, tls::Cipher cipher) {
  for (const tls::Version version : tls::versions) {
    const KernelTls::Suite& suite = kernel.suite(version, cipher);
    if (suite.send_error != 0) return suite.send_error;
    if (suite.receive_error != 0) return suite.receive_error;
  }
  return 0;
}

std::string missing_text(const KernelTls& kernel, tls::Cipher cipher) {
  return error_name(missing_error(kernel, cipher));
}

bool works(const KernelTls& kernel, tls::Cipher cipher) {
  return std::ranges::any_of(tls::versions, [&](tls::Version version) { return kernel.works(version, cipher); });
}

bool has_any(const KernelTls& kernel) {
  return std::ranges::any_of(tls::ciphers, [&](tls::Cipher cipher) { return works(kernel, cipher); });
}

Obstacle cipher_obstacle(const KernelTls& kernel) {
  Obstacle obstacle{.found = "the kernel's TLS has none of the ciphers:",
                    .remedy = "a newer kernel, whose TLS has these ciphers"};
  for (const tls::Cipher cipher : tls::ciphers) {
    const bool is_last = cipher == tls::ciphers.back();
    obstacle.found += fmt::format(" {} {}{}", cipher_name(cipher), missing_text(kernel, cipher), is_last ? "" : ",");
    // The TLS module asks for an algorithm by its name: no module is loaded that has it.
    if (missing_error(kernel, cipher) == ENOENT) obstacle.remedy = cipher_remedy;
  }
  return obstacle;
}

std::string user_line(std::string_view why) {
  return fmt::format("  tls: user-space records ({}), AES-GCM by {}\n", why, tls::aes_gcm_implementation());
}

// One cipher's line, and whether the kernel has it from here on.
bool choose_cipher(const config::Tls& wanted, const KernelTls& kernel, tls::Cipher cipher, const Measurement& measured,
                   std::string& text) {
  const std::string_view name = cipher_name(cipher);
  if (!works(kernel, cipher)) {
    text += fmt::format("  tls: {} in user space (the kernel has it not: {})\n", name, missing_text(kernel, cipher));
    return false;
  }
  if (wanted.offload == config::Offload::kernel) {
    text += fmt::format("  tls: {} in the kernel\n", name);
    return true;
  }
  if (!measured.costs) {
    text += fmt::format("  tls: {} in user space (what the kernel costs could not be measured: {})\n", name,
                        measured.failure);
    return false;
  }
  const bool cheaper = is_cheaper(*measured.costs);
  text +=
      fmt::format("  tls: {} in {}: {}\n", name, cheaper ? "the kernel" : "user space", comparison(*measured.costs));
  return cheaper;
}

}  // namespace

Obstacle attach_obstacle(int error) {
  const std::string name = error_name(error);
  switch (error) {
    case ENOENT:
      return {"the kernel has no TLS: " + name,
              "its module (modprobe tls, and tls in /etc/modules-load.d/ to have it after a restart), or a kernel with "
              "CONFIG_TLS"};
    case EMFILE:
    case ENFILE:
      return {"the kernel's TLS cannot be tried: " + name, "a higher limit of open files"};
    case EPERM:
    case EACCES:
      return {"the kernel's TLS cannot be tried: " + name,
              "setsockopt(TCP_ULP) to be let through by seccomp filters and security modules (the kernel's log names "
              "those that forbid it)"};
    case ENOTCONN:
      return {"the kernel's TLS cannot be tried: no connection over 127.0.0.1 can be made",
              "a loopback interface that is up (ip link set lo up)"};
    default:
      return {"the kernel's TLS cannot be tried: " + name, "a kernel with CONFIG_TLS"};
  }
}

std::optional<Obstacle> obstacle(const KernelTls& kernel) {
  if (kernel.attach_error != 0) return attach_obstacle(kernel.attach_error);
  return has_any(kernel) ? std::nullopt : std::optional(cipher_obstacle(kernel));
}

Result<OffloadChoice> choose_offload(const config::Tls& wanted, const KernelTls& kernel, const Costs& costs) {
  OffloadChoice choice{.settings = {.records_per_key = wanted.records_per_key}};
  if (wanted.offload == config::Offload::user) {
    choice.text = user_line("tls.offload is \"user\"");
    return choice;
  }
  if (const std::optional<Obstacle> met = obstacle(kernel)) {
    if (wanted.offload == config::Offload::kernel) {
      return fail(fmt::format("tls.offload: found \"kernel\", but {}; expected {}, or tls.offload = \"user\"",
                              met->found, met->remedy));
    }
    choice.text = user_line(met->found);
    return choice;
  }
  choice.settings.kernel_updates_keys = kernel.replaces_keys();
  for (std::size_t index = 0; index < tls::ciphers.size(); ++index) {
    const tls::Cipher cipher = tls::ciphers[index];
    if (!choose_cipher(wanted, kernel, cipher, costs[index], choice.text)) continue;
    for (std::size_t version = 0; version < tls::versions.size(); ++version) {
      choice.settings.kernel[version][index] = kernel.works(tls::versions[version], cipher);
    }
  }
  if (choice.settings.uses_kernel() && kernel.second_key_error && !kernel.replaces_keys()) {
    choice.text += fmt::format(
        "  tls: this kernel replaces no keys ({}): a connection ends where its key is spent, or its client takes "
        "another\n",
        error_name(*kernel.second_key_error));
  }
  return choice;
}

Result<OffloadChoice> choose_offload(const config::Config& config) {
  const bool speaks_tls = std::ranges::any_of(
      config.listeners, [](const config::Listener& listener) { return listener.kind == config::ListenerKind::tls; });
  if (!speaks_tls) return OffloadChoice{};
  const KernelTls kernel = config.tls.offload == config::Offload::user ? KernelTls{} : try_kernel_tls();
  const Costs costs = config.tls.offload == config::Offload::automatic ? measure_costs(kernel) : Costs{};
  return choose_offload(config.tls, kernel, costs);
}

}  // namespace ringwall::server
