// The kernel that this runs on, asked twice: by try_kernel_tls and by hand.
#include <ringwall/server/kernel_tls.h>
#include <ringwall/server/offload.h>

#include "unit/catch.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

using namespace ringwall;
using namespace ringwall::server;

namespace {

// What TCP_ULP says to a connected socket.
int attach_by_hand() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), bytes) == 0);
  REQUIRE(listen(listener, 1) == 0);
  REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
  REQUIRE(connect(client, reinterpret_cast<sockaddr*>(&address), bytes) == 0);
  const int error = setsockopt(client, IPPROTO_TCP, TCP_ULP, "tls", 3) == 0 ? 0 : errno;
  close(client);
  close(listener);
  return error;
}

}  // namespace

TEST_CASE("a kernel has TLS exactly when a socket takes it, and then its AES-GCM carries bytes") {
  const KernelTls kernel = try_kernel_tls();
  REQUIRE(kernel.attach_error == attach_by_hand());
  for (const tls::Version version : tls::versions) {
    CHECK(kernel.works(version, tls::Cipher::aes_128_gcm) == (kernel.attach_error == 0));
  }
}

TEST_CASE("a second key is tried exactly where a suite of TLS 1.3 works") {
  const KernelTls kernel = try_kernel_tls();
  const bool works =
      std::ranges::any_of(tls::ciphers, [&](tls::Cipher cipher) { return kernel.works(tls::Version::tls13, cipher); });
  REQUIRE(kernel.second_key_error.has_value() == works);
  if (works) CHECK((kernel.replaces_keys() || kernel.second_key_error == EBUSY));
}

TEST_CASE("what works is measured in both places, and nothing else") {
  const KernelTls kernel = try_kernel_tls();
  const Costs costs = measure_costs(kernel);
  for (std::size_t index = 0; index < costs.size(); ++index) {
    const auto& [measured, failure] = costs[index];
    if (!kernel.works(tls::Version::tls13, tls::ciphers[index])) {
      CHECK_FALSE(measured);
      CHECK(failure.empty());
      continue;
    }
    CHECK(measured.has_value() == failure.empty());
    if (!measured) continue;
    for (const RecordCost& cost : {measured->kernel, measured->user}) {
      CHECK(cost.us_per_mib > 0);
      CHECK(cost.us_per_message > 0);
    }
  }
}

TEST_CASE("a kernel that does not carry what it said it would is left alone, not waited for") {
  // A kernel that has TLS by our account, and none in truth, where there is none; where there is, nothing works.
  KernelTls kernel;
  if (attach_by_hand() == 0) {
    for (auto& row : kernel.suites) row.fill({.send_error = ENOENT, .receive_error = ENOENT});
  }
  for (const auto& [measured, failure] : measure_costs(kernel)) {
    CHECK_FALSE(measured);
    CHECK(failure.empty() == (attach_by_hand() == 0));
  }
}
