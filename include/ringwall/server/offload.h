// offload.h: who makes TLS records once a handshake is over: the kernel or Ringwall. Chosen once, at the start.
//
// The kernel saves no copy and no system call here, so whether it takes less of the CPU depends on whose AES is faster:
// that is measured. What the kernel cannot do stays in user space, cipher by cipher.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/error.h>
#include <ringwall/server/kernel_tls.h>

#include <array>
#include <optional>
#include <string>

namespace ringwall::server {

// Time of the CPU, in this process and in the system for it; a mean of sending and receiving.
struct RecordCost {
  double us_per_mib = 0;      // in records of 16 KiB
  double us_per_message = 0;  // of 256 bytes
};

// TLS 1.3; of TLS 1.2 it is the same but for a few bytes.
struct CostPair {
  RecordCost kernel;
  RecordCost user;
};
struct Measurement {
  std::optional<CostPair> costs{};
  std::string failure{};  // why there are none, for the operator; empty where it was not tried
};
using Costs = std::array<Measurement, tls::ciphers.size()>;  // as tls::ciphers

// Moves the same bytes both ways over loopback by each cipher that the kernel has. Takes 90 ms, on a busy machine 390.
[[nodiscard]] Costs measure_costs(const KernelTls& kernel);

struct OffloadChoice {
  tls::OffloadSettings settings{};
  std::string text{};  // for the operator: lines, each ended
};

// What keeps all TLS out of the kernel, and what would change that; both for the operator.
struct Obstacle {
  std::string found;
  std::string remedy;
};

// Of an error of try_kernel_tls() in attaching TLS to a connection.
[[nodiscard]] Obstacle attach_obstacle(int error);

// Nothing where the kernel has at least one of the ciphers.
[[nodiscard]] std::optional<Obstacle> obstacle(const KernelTls& kernel);

// Fails where tls.offload asks for what the kernel has not.
[[nodiscard]] Result<OffloadChoice> choose_offload(const config::Tls& wanted, const KernelTls& kernel,
                                                   const Costs& costs);

// The same, trying and measuring what the choice depends on. Without a listener that speaks TLS there is none.
[[nodiscard]] Result<OffloadChoice> choose_offload(const config::Config& config);

}  // namespace ringwall::server
